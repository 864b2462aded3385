//! The answer held against the truth: images made of this machine's own programs are started with podman.
//!
//! `gunicorn` here is a stand-in that loads its target as the real one does, prints, and ends.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::stage::{AMD64, ask, cmd, elf, kinds};
use super::support::daemon::Podman;
use super::support::images::{Image, Layout};
use super::support::layers::{Compression, Layer};
use super::support::tools;

const GUNICORN: &str = "import importlib, sys\\nsys.path.insert(0, '.')\\nmodule, name = sys.argv[-1].split(':')\\n\
                        getattr(importlib.import_module(module), name)\\nprint('started')\\n";

const FLASK: &str = "f usr/lib/python3/dist-packages/flask/__init__.py 0644 x = 1\n\
                     f usr/lib/python3/dist-packages/flask-3.0.0.dist-info/METADATA 0644 x\n\
                     f usr/lib/python3/dist-packages/gunicorn-23.0.0.dist-info/METADATA 0644 x\n";

/// These programs of the machine with their libraries, and of Python what a script needs.
fn machine(programs: &[&str], more: &[&str], text: &str) -> Image {
    let mut paths: BTreeSet<String> = programs.iter().chain(more).map(|path| (*path).to_owned()).collect();
    for program in programs {
        let libraries = tools::run_text(Command::new("ldd").arg(Path::new("/").join(program)));
        let named = libraries.split_whitespace().filter(|word| word.starts_with('/'));
        paths.extend(named.map(|path| match path.strip_prefix("/usr/") {
            Some(_) => path[1..].to_owned(),
            None => format!("usr{path}"),
        }));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("layer.tar");
    let mut tar = Command::new("tar");
    tar.args(["--create", "--dereference", "--directory", "/", "--exclude", "__pycache__", "--exclude", "*/test"]);
    // Nothing of these is needed to run a script, and each image is copied several times.
    for name in [
        "idlelib",
        "config-3*",
        "pydoc_data",
        "lib2to3",
        "lib-dynload",
        "unittest",
        "asyncio",
        "distutils",
        "ensurepip",
        "email",
    ] {
        tar.args(["--exclude", &format!("*/{name}")]);
    }
    for name in ["tkinter", "multiprocessing", "xml*", "sqlite3", "http", "turtle*", "dist-packages", "concurrent"] {
        tar.args(["--exclude", &format!("*/{name}")]);
    }
    tar.arg("--file").arg(&file);
    tools::run(tar.args(&paths));
    let bytes = std::fs::read(&file).expect("tar wrote it");
    let links = "l bin -> usr/bin\nl lib -> usr/lib\nl lib64 -> usr/lib64\nf etc/passwd 0644 root:x:0:0::/:/bin/sh\\napp:x:1000:1000::/:/bin/sh\\n\n\
                 f etc/group 0644 root:x:0:\\napp:x:1000:\\n\nd tmp 0777";
    Image::new()
        .workdir("/app")
        .layer("ADD rootfs /", Layer::tar(bytes, Compression::None))
        .text(&format!("{links}\n{text}"))
}

fn load(podman: &Podman, image: &Image, name: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut layout = Layout::new();
    layout.tag("v1", image);
    layout.write_to(folder.path());
    podman.load(&format!("oci:{}:v1", folder.path().display()), name);
}

/// Whether podman starts the image: its program ran to its good end.
fn starts(podman: &Podman, image: &Image) -> (bool, String) {
    let name = "localhost/preflight:v1";
    load(podman, image, name);
    let (code, printed) = podman.run(name);
    (code == Some(0), printed)
}

fn hold(podman: &Podman, what: &str, image: &Image, expected: &[&str]) {
    let (started, printed) = starts(podman, image);
    assert_eq!(started, expected.is_empty(), "{what} with podman: {printed}");
    let outcome = ask(image, &["--format", "json"]).exits(if started { 0 } else { 1 });
    let errors: Vec<String> = kinds(&outcome).into_iter().filter(|kind| kind.ends_with(" error")).collect();
    assert_eq!(errors, expected, "{what}: {}", outcome.stdout);
}

#[test]
fn programs_without_a_distribution() {
    let Some(podman) = Podman::start() else { return };
    let program = |mode: &str, loader: &str| format!("f app/x {mode} {}", elf(AMD64, loader));
    let scratch = |text: &str| Image::new().workdir("/app").text(text);
    let ready = cmd(scratch(&program("0755", "")), &["/app/x"]);
    hold(&podman, "static", &ready, &[]);
    let user = ready.clone().edit(|config| config["config"]["User"] = "1234:1234".into());
    hold(&podman, "static, of a user that is a number", &user, &[]);
    hold(&podman, "relative", &cmd(scratch(&program("0755", "")), &["./x"]), &[]);
    let path = ready.clone().env("PATH", "/app");
    hold(&podman, "by PATH", &cmd(path, &["x"]), &[]);
    let linked = format!("{}\nl y -> app/x", program("0755", ""));
    hold(&podman, "by a link", &cmd(scratch(&linked), &["/y"]), &[]);
    let musl = cmd(scratch(&program("0755", "/lib/ld-musl-x86_64.so.1")), &["/app/x"]);
    hold(&podman, "without its loader", &musl, &["interpreter-missing error"]);
    let denied = cmd(scratch(&program("0644", "")), &["/app/x"]);
    hold(&podman, "without its exec bit", &denied, &["not-executable error"]);
    let nobody = ready.edit(|config| config["config"]["User"] = "nobody".into());
    hold(&podman, "of an unknown user", &nobody, &["unknown-user error"]);
}

/// An image with this machine's Python, a shell, an application, and the name of that Python.
fn python() -> (Image, String) {
    let real = std::fs::canonicalize(tools::PYTHON.program).expect("it is there");
    let version = real.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned();
    let (program, library) = (format!("usr/bin/{version}"), format!("usr/lib/{version}"));
    let text = format!(
        "l usr/bin/python3 -> {version}\nf app/main.py 0644 import flask\\napp = flask.x\\nprint('started')\\n\n\
         {FLASK}f usr/bin/gunicorn 0755 #!/usr/bin/python3\\n{GUNICORN}"
    );
    let programs = [program.as_str(), "usr/bin/dash", "usr/bin/env"];
    (machine(&programs, &[&library, "usr/bin/sh"], &text), version)
}

fn hold_all(base: &Image, cases: &[(&str, &[&str], &[&str])]) {
    let Some(podman) = Podman::start() else { return };
    // Its layers stay in podman's storage.
    load(&podman, base, "localhost/preflight:base");
    for (text, words, expected) in cases {
        hold(&podman, &format!("{words:?}"), &cmd(base.clone().text(text), words), expected);
    }
}

#[test]
fn python_that_starts() {
    if !tools::require_all(&[tools::PYTHON]) {
        return;
    }
    let (base, version) = python();
    let venv = format!(
        "l app/.venv/bin/python -> /usr/bin/python3\nf app/.venv/pyvenv.cfg 0644 home = /usr/bin\\n\n\
         f app/.venv/lib/{version}/site-packages/own/__init__.py 0644 from .x import *\\n\n\
         f app/.venv/lib/{version}/site-packages/own/x.py 0644 app = 1\\n\n\
         f app/.venv/bin/gunicorn 0755 #!/app/.venv/bin/python\\n{GUNICORN}"
    );
    hold_all(
        &base,
        &[
            ("", &["python3", "main.py"], &[]),
            ("", &["/bin/sh", "-c", "exec python3 main.py"], &[]),
            ("f app/x 0755 #!/bin/sh\\nexit 0\\n", &["./x"], &[]),
            ("f app/x 0755 #!/usr/bin/env python3\\n", &["./x"], &[]),
            ("f app/x 0755 exit 0\\n", &["/bin/sh", "-c", "./x"], &[]),
            ("f app/requirements.txt 0644 flask>=3\\ngunicorn\\n", &["gunicorn", "--bind", ":8080", "main:app"], &[]),
            ("f app/pkg/web.py 0644 import sys\\nif sys:\\n  app = 1\\n", &["gunicorn", "pkg.web:app"], &[]),
            ("f app/pkg/__main__.py 0644 \nf app/pkg/__init__.py 0644", &["python3", "-m", "pkg"], &[]),
            ("", &["python3", "-m", "this"], &[]),
            ("f app/entry.sh 0755 #!/bin/sh\\nset -e\\nexec \"$@\"\\n", &["./entry.sh", "python3", "main.py"], &[]),
            ("", &["env", "A=1", "python3", "main.py"], &[]),
            ("f srv/other.py 0644 import os\\n", &["/bin/sh", "-c", "cd /srv && A=1 exec python3 other.py"], &[]),
            (&venv, &["/app/.venv/bin/gunicorn", "own:app"], &[]),
        ],
    );
}

#[test]
fn python_that_does_not_start() {
    if !tools::require_all(&[tools::PYTHON]) {
        return;
    }
    let (base, _) = python();
    hold_all(
        &base,
        &[
            ("f app/x 0755 #!/bin/sh\\x0d\\nexit 0\\n", &["./x"], &["crlf-shebang error"]),
            ("f app/x 0755 exit 0\\n", &["./x"], &["not-a-program error"]),
            ("f app/x 0644 #!/bin/sh\\n", &["./x"], &["not-executable error"]),
            (
                "w usr/bin/.wh.gunicorn",
                &["/bin/sh", "-c", "exec gunicorn --bind :$PORT main:app"],
                &["program-missing error"],
            ),
            ("", &["gunicorn", "mian:app"], &["module-missing error"]),
            ("", &["gunicorn", "main:server"], &["attribute-missing error"]),
            (
                "f app/requirements.txt 0644 redis\nf app/main.py 0644 import redis\\n",
                &["python3", "main.py"],
                &["package-missing error"],
            ),
            ("", &["python3", "other.py"], &["file-missing error"]),
        ],
    );
}

#[test]
fn node_as_this_machine_has_it() {
    if !tools::require_all(&[tools::NODE]) {
        return;
    }
    let base = machine(&["usr/bin/node", "usr/bin/dash", "usr/bin/env"], &["usr/bin/sh"], "");
    let package = "f app/package.json 0644 {\"main\":\"lib/x\",\"dependencies\":{\"express\":\"4\"}}\n\
                   f app/lib/x.js 0644 const e = require('express');\\n";
    let installed = format!("{package}\nf app/node_modules/express/index.js 0644 1");
    let cases: [(&str, &[&str], &[&str]); 4] = [
        (&installed, &["node", "."], &[]),
        ("f app/x 0755 #!/usr/bin/env node\\n", &["./x"], &[]),
        (package, &["node", "."], &["package-missing error"]),
        ("", &["node", "x.js"], &["file-missing error"]),
    ];
    hold_all(&base, &cases);
}
