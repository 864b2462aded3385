//! Each check with a case that fails and one that passes.

use super::stage::{AMD64, ARM64, ask, base, cmd, elf, kinds};
use super::support::images::Image;

/// A layer, a command, the exit code, and what is found.
type Case<'a> = (&'a str, &'a [&'a str], i32, &'a [&'a str]);

fn hold(cases: &[Case<'_>]) {
    for (text, words, code, expected) in cases {
        let image = cmd(base().text(text), words);
        let outcome = ask(&image, &["--format", "json"]).exits(*code);
        assert_eq!(kinds(&outcome), *expected, "{text} {words:?}\n{}", outcome.stdout);
    }
}

#[test]
fn programs() {
    let musl = format!("f app/x 0755 {}", elf(AMD64, "/lib/ld-musl-x86_64.so.1"));
    let arm = format!("f app/x 0755 {}", elf(ARM64, ""));
    let fixed = format!("f app/x 0755 {}", elf(AMD64, ""));
    hold(&[
        (&fixed, &["/app/x"], 0, &[]),
        (&fixed, &["./x"], 0, &[]),
        (&fixed, &["x"], 1, &["program-missing error"]),
        (&musl, &["./x"], 1, &["interpreter-missing error"]),
        (&arm, &["./x"], 1, &["wrong-architecture error"]),
        ("f app/x 0755 #!/bin/sh\\n", &["./x"], 0, &[]),
        ("f app/x 0644 #!/bin/sh\\n", &["./x"], 1, &["not-executable error"]),
        ("f app/x 0755 #!/bin/sh\\x0d\\n", &["./x"], 1, &["crlf-shebang error"]),
        ("f app/x 0755 #!/bin/bash\\n", &["./x"], 1, &["interpreter-missing error"]),
        ("f app/x 0755 #!/usr/bin/env python3\\n", &["./x"], 0, &[]),
        ("f app/x 0755 #!/usr/bin/env ruby\\n", &["./x"], 1, &["interpreter-missing error"]),
        ("f app/x 0755 #!/app/x\\n", &["./x"], 1, &["interpreter-missing error"]),
        ("f app/x 0755 echo\\n", &["./x"], 1, &["not-a-program error"]),
        ("f app/x 0755 echo\\n", &["/bin/sh", "-c", "./x"], 0, &[]),
        ("f app/x 0755", &["./x"], 1, &["not-a-program error"]),
        ("d app/x", &["./x"], 1, &["not-a-program error"]),
        ("l app/x -> x", &["./x"], 1, &["program-missing error"]),
        ("", &[], 1, &["no-command error"]),
    ]);
}

#[test]
fn shells_and_wrappers() {
    let tini = format!("f usr/bin/tini 0755 {}", elf(AMD64, ""));
    hold(&[
        ("", &["/bin/sh", "-c", "exec gunicorn -b :$PORT main:app"], 0, &[]),
        ("", &["/bin/sh", "-c", "cd / && gunicorn main:app"], 1, &["module-missing error"]),
        ("", &["/bin/sh", "-c", "missing && python main.py"], 1, &["program-missing error"]),
        ("", &["/bin/sh", "-c", "missing; python main.py"], 0, &[]),
        ("", &["/bin/sh", "-c", "A=1 exec nothing"], 1, &["program-missing error"]),
        ("", &["/bin/sh", "-c", "python main.py | cat"], 2, &[]),
        ("", &["/bin/sh", "-c", "PATH=$HOME/bin:$PATH exec nothing"], 2, &[]),
        ("", &["/bin/sh", "-c", "$(which python) main.py"], 2, &[]),
        ("", &["/bin/sh", "start.sh"], 1, &["file-missing error"]),
        ("f app/start.sh 0644 x", &["/bin/sh", "start.sh"], 0, &[]),
        (&tini, &["tini", "--", "python", "main.py"], 0, &[]),
        (&tini, &["tini", "-g", "--", "pyhton", "main.py"], 1, &["program-missing error"]),
        ("", &["env", "A=1", "nothing"], 1, &["program-missing error"]),
        ("f app/entry.sh 0755 #!/bin/sh\\nexec \"$@\"\\n", &["./entry.sh", "nothing"], 0, &[]),
    ]);
}

#[test]
fn python_applications() {
    hold(&[
        ("", &["gunicorn", "main:app"], 0, &[]),
        ("", &["python", "-m", "gunicorn", "main:app"], 0, &[]),
        ("", &["gunicorn", "mian:app"], 1, &["module-missing error"]),
        ("", &["gunicorn", "main:server"], 1, &["attribute-missing error"]),
        ("f app/main.py 0644 from x import *", &["gunicorn", "main:server"], 0, &[]),
        ("f app/pkg/web.py 0644 def make(): pass", &["gunicorn", "pkg.web:make()"], 0, &[]),
        ("f srv/web.py 0644 app = 1", &["gunicorn", "--chdir", "/srv", "web:app"], 0, &[]),
        ("f app/gunicorn.conf.py 0644 chdir = '/srv'", &["gunicorn", "web:app"], 0, &[]),
        ("", &["python", "main.py"], 0, &[]),
        ("", &["python", "-u", "other.py"], 1, &["file-missing error"]),
        ("", &["python", "-m", "other"], 1, &["module-missing error"]),
        ("", &["python", "-m", "os"], 0, &[]),
        ("", &["uvicorn", "main:app"], 1, &["program-missing error"]),
        ("f app/requirements.txt 0644 flask==3.0.0\\ngunicorn", &["gunicorn", "main:app"], 0, &[]),
        ("f app/requirements.txt 0644 flask==3.0.0", &["gunicorn", "main:app"], 0, &["undeclared warning"]),
        ("f app/requirements.txt 0644 flask<3\\ngunicorn", &["gunicorn", "main:app"], 0, &["package-version warning"]),
        ("f app/requirements.txt 0644 redis", &["python", "main.py"], 0, &["package-missing warning"]),
        (
            "f app/requirements.txt 0644 redis\nf app/main.py 0644 import redis\\n",
            &["python", "main.py"],
            1,
            &["package-missing error"],
        ),
        ("f app/requirements-prod.txt 0644 redis", &["python", "main.py"], 0, &["package-missing warning"]),
        ("f app/requirements-dev.txt 0644 redis", &["python", "main.py"], 0, &[]),
        ("f app/requirements.txt 0644 redis; python_version<'3.9'", &["python", "main.py"], 0, &[]),
        (
            "f app/requirements.txt 0644 -r more.txt\nf app/more.txt 0644 redis",
            &["python", "main.py"],
            0,
            &["package-missing warning"],
        ),
        (
            "f app/pyproject.toml 0644 [project]\\ndependencies = ['redis']",
            &["python", "main.py"],
            0,
            &["package-missing warning"],
        ),
        ("", &["flask", "--app", "main", "run", "--host=0.0.0.0", "--port=8080"], 0, &[]),
        ("", &["flask", "--app", "main", "run"], 0, &["local-address warning"]),
        ("", &["gunicorn", "-b", "0.0.0.0:5000", "main:app"], 0, &["fixed-port warning"]),
        ("", &["gunicorn", "-b", "127.0.0.1:8080", "main:app"], 0, &["local-address warning"]),
    ]);
}

#[test]
fn node_applications() {
    let npm = "f usr/local/bin/npm 0755 #!/usr/bin/env node\\n\nf app/package.json 0644 ";
    let start = |script: &str| {
        format!(
            "{npm}{{\"scripts\":{{\"start\":\"{script}\"}},\"dependencies\":{{\"express\":\"4\",\"events\":\"3\"}}}}\nf app/x.js 0644 const e = require('express')"
        )
    };
    let installed = format!("{}\nd app/node_modules/express", start("node x.js"));
    hold(&[
        ("f app/x.js 0644 1", &["node", "x.js"], 0, &[]),
        ("f app/x.js 0644 1", &["node", "x"], 0, &[]),
        ("", &["node", "x.js"], 1, &["file-missing error"]),
        ("f app/index.js 0644 1", &["node", "."], 0, &[]),
        (&installed, &["npm", "start"], 0, &[]),
        (&start("node x.js"), &["npm", "start"], 1, &["package-missing error"]),
        (&start("node y.js"), &["npm", "start"], 1, &["file-missing error"]),
        (&start("next start"), &["npm", "start"], 1, &["program-missing error"]),
        (&start("x"), &["npm", "run", "serve"], 1, &["script-missing error"]),
        ("f app/x.js 0644 const fs = require('fs')", &["node", "x.js"], 0, &[]),
        (&[&start("node x.js"), "\nf app/x.js 0644 const e = require('events')"].concat(), &["npm", "start"], 0, &[]),
    ]);
}

#[test]
fn ports_that_only_the_image_speaks_of() {
    let exposing = |port: &str| {
        let image = cmd(base(), &["gunicorn", "main:app"]);
        let image = image.edit(|config| config["config"]["ExposedPorts"] = serde_json::json!({ port: {} }));
        ask(&image, &["--format", "json"]).exits(0).json()["notes"].to_string()
    };
    assert!(exposing("5000/tcp").contains("EXPOSE 5000 means nothing to Cloud Run"));
    assert_eq!(exposing("8080/tcp"), "[]");
}

#[test]
fn settings() {
    let python = || cmd(base(), &["python", "main.py"]);
    let with_user = |user: &str| python().edit(|config| config["config"]["User"] = user.into());
    for (image, code, expected) in [
        (with_user("app"), 0, &[][..]),
        (with_user("1234:5678"), 0, &[]),
        (with_user("nobody"), 1, &["unknown-user error"]),
        (with_user("app:staff"), 1, &["unknown-user error"]),
        (python().workdir("/none"), 1, &["file-missing error", "working-directory warning"]),
        (python().platform("linux/arm64"), 1, &["wrong-platform error", "wrong-architecture error"]),
    ] {
        let outcome = ask(&image, &["--format", "json"]).exits(code);
        assert_eq!(kinds(&outcome), expected, "{}", outcome.stdout);
    }
    let arm = Image::new().platform("linux/arm64").text(&format!("f x 0755 {}", elf(ARM64, "")));
    ask(&cmd(arm, &["/x"]), &["--platform", "linux/arm64"]).exits(0);
}
