//! Images that start, each in a way that looks as if it could not: a false alarm is worse than no answer.

use super::stage::{AMD64, ask, base, cmd, elf, kinds};
use super::support::images::Image;

/// What an image is made of beside the common base.
#[derive(Default)]
struct Case<'a> {
    text: &'a str,
    words: &'a [&'a str],
    env: &'a [(&'a str, &'a str)],
    user: &'a str,
    workdir: &'a str,
}

impl Case<'_> {
    fn image(&self) -> Image {
        let image = cmd(base().text(self.text), self.words);
        let image = self.env.iter().fold(image, |image, (name, value)| image.env(name, value));
        let image = if self.workdir.is_empty() { image } else { image.workdir(self.workdir) };
        image.edit(|config| config["config"]["User"] = self.user.into())
    }

    /// It starts, and nothing is said against it.
    fn is_ready(&self) {
        let outcome = ask(&self.image(), &["--format", "json"]);
        assert_eq!(kinds(&outcome), [""; 0], "{} {:?}\n{}", self.text, self.words, outcome.stdout);
        outcome.exits(0);
    }

    /// Whether it starts is for nobody to tell by reading.
    fn is_open(&self) {
        let outcome = ask(&self.image(), &["--format", "json"]);
        assert_eq!(kinds(&outcome), [""; 0], "{} {:?}\n{}", self.text, self.words, outcome.stdout);
        let report = outcome.json();
        assert!(report["notes"].as_array().is_some_and(|notes| !notes.is_empty()), "{report:#}");
        assert_ne!(outcome.code, Some(1));
    }

    /// It does not start for this reason alone.
    fn fails(&self, kind: &str) {
        let outcome = ask(&self.image(), &["--format", "json"]);
        assert_eq!(kinds(&outcome), [kind], "{} {:?}\n{}", self.text, self.words, outcome.stdout);
        outcome.exits(1);
    }
}

fn case<'a>(text: &'a str, words: &'a [&'a str]) -> Case<'a> {
    Case { text, words, ..Case::default() }
}

#[test]
fn packages_lie_elsewhere_than_beside_python() {
    let import = "f app/requirements.txt 0644 redis\nf app/main.py 0644 import redis\\n\n";
    let own = |home: &str| {
        let site = format!("{home}/.local/lib/python3.12/site-packages");
        format!(
            "{import}f {site}/redis/__init__.py 0644 x\nf {site}/redis/__main__.py 0644 x\nf {site}/redis-5.0.dist-info/METADATA 0644 x"
        )
    };
    let vendored = format!("{import}f deps/redis/__init__.py 0644 x\nf deps/redis-5.0.dist-info/METADATA 0644 x");
    let app = "f etc/passwd 0644 app:x:1000:1000::/home/app:/bin/sh\\n\n";
    let (root, user) = (own("root"), format!("{app}{}", own("home/app")));
    case(&root, &["python", "main.py"]).is_ready();
    case(&root, &["python", "-m", "redis"]).is_ready();
    Case { user: "app", ..case(&user, &["python", "-m", "redis"]) }.is_ready();
    Case { user: "1000:1000", ..case(&user, &["python", "-m", "redis"]) }.is_ready();
    Case { env: &[("PYTHONUSERBASE", "/home/app/.local")], ..case(&user, &["python", "main.py"]) }.is_ready();
    Case { env: &[("PYTHONPATH", "/nowhere:/deps")], ..case(&vendored, &["python", "main.py"]) }.is_ready();
    let table = [
        "f usr/local/lib/python3.12/site-packages/sitecustomize.py 0644 x",
        "f usr/local/lib/python3.12/site-packages/own.pth 0644 /x\\n",
    ];
    for text in table {
        case(text, &["python", "-m", "hyper"]).is_open();
    }
    let later =
        "f app/requirements.txt 0644 redis\nf app/main.py 0644 import sys\\nsys.path.insert(0, 'x')\\nimport redis\\n";
    let outcome = ask(&case(later, &["python", "main.py"]).image(), &["--format", "json"]).exits(0);
    assert_eq!(kinds(&outcome), ["package-missing warning"]);
}

#[test]
fn shells_do_much_themselves() {
    let bash = format!("f bin/bash 0755 {}", elf(AMD64, ""));
    let start = format!("{bash}\nf usr/bin/start.sh 0755 exit 0\\n");
    let busybox = format!("f bin/busybox 0755 {}", elf(AMD64, ""));
    for (text, words) in [
        ("", &["/bin/sh", "-c", "command -v python && exec python main.py"][..]),
        ("", &["/bin/sh", "-c", "pwd && type python && exec python main.py"]),
        ("", &["/bin/sh", "-ec", "python main.py"]),
        (&bash, &["/bin/bash", "-o", "pipefail", "-c", "shopt -s nullglob && python main.py"]),
        (&bash, &["/bin/bash", "-euo", "pipefail", "-c", "python main.py"]),
        (&start, &["bash", "start.sh"]),
        (&busybox, &["busybox", "httpd", "-f", "-p", "8080"]),
        (&busybox, &["busybox", "sh", "-c", "exec python main.py"]),
    ] {
        case(text, words).is_ready();
    }
    for (text, words) in [
        (&bash[..], &["/bin/bash", "-c", "time python main.py"][..]),
        ("", &["/bin/sh", "-c", "python main.py; exit 0"]),
        ("", &["/bin/sh", "-c", "export PATH=$HOME/bin:$PATH && serve"]),
        ("", &["/bin/sh", "-c", "trap : TERM; read x"]),
    ] {
        case(text, words).is_open();
    }
    case("", &["/bin/sh", "-c", "cd / && pwd && nothing"]).fails("program-missing error");
    case(&busybox, &["busybox", "sh", "x"]).fails("file-missing error");
}

#[test]
fn wrappers_run_scripts_without_an_interpreter() {
    let tini = format!("f usr/bin/tini 0755 {}\nf app/x 0755 exit 0\\n", elf(AMD64, ""));
    case(&tini, &["tini", "--", "./x"]).is_ready();
    case(&tini, &["env", "A=1", "./x"]).is_ready();
    case(&tini, &["./x"]).fails("not-a-program error");
}

#[test]
fn npm_looks_further_than_here() {
    let npm = "f usr/local/bin/npm 0755 #!/usr/bin/env node\\n\nf usr/local/bin/yarn 0755 #!/usr/bin/env node\\n\n";
    let with = |path: &str, script: &str, more: &str| {
        let package = format!("{{\"scripts\":{{\"start\":\"{script}\"}},\"dependencies\":{{\"express\":\"4\"}}}}");
        format!("{npm}f {path}/package.json 0644 {package}\nf {path}/x.js 0644 const e = require('express')\\n\n{more}")
    };
    let bin = "f app/node_modules/.bin/next 0755 #!/usr/bin/env node\\n";
    let next = with("app/web", "next start", bin);
    let above = with("app", "node x.js", "d app/node_modules/express\nd app/src");
    Case { workdir: "/app/web", ..case(&next, &["npm", "start"]) }.is_ready();
    Case { workdir: "/app/src", ..case(&above, &["npm", "start"]) }.is_ready();
    let (web, mapped) = (with("app/web", "node x.js", ""), with("app", "node x.js", "f app/.pnp.cjs 0644 x"));
    case(&web, &["npm", "start", "--prefix", "/app/web"]).is_open();
    case(&web, &["npm", "run", "-w", "web", "start"]).is_open();
    case(&mapped, &["yarn", "start"]).is_open();
    case(&mapped, &["node", "x.js"]).is_open();
    case(&with("app", "x", bin), &["yarn", "run", "next"]).is_open();
    let comment = with("app", "x", "f app/y.js 0644 /*\\nimport e from 'express'\\n*/\\n");
    case(&comment, &["node", "y.js"]).is_ready();
    Case { workdir: "/app/src", ..case(&with("app", "node x.js", "d app/src"), &["npm", "start"]) }
        .fails("package-missing error");
}

#[test]
fn variables_reach_a_server_through_a_shell_alone() {
    case("", &["/bin/sh", "-c", "exec gunicorn --bind :$PORT main:app"]).is_ready();
    case("", &["/bin/sh", "-c", "exec env A=1 gunicorn --bind 0.0.0.0:${PORT} main:app"]).is_ready();
    case("", &["gunicorn", "--bind", ":$PORT", "main:app"]).fails("unexpanded-variable error");
    case("", &["env", "A=1", "gunicorn", "-b:${PORT}", "main:app"]).fails("unexpanded-variable error");
    case("", &["flask", "--app", "main", "run", "--host=0.0.0.0", "--port", "$PORT"])
        .fails("unexpanded-variable error");
}

#[test]
fn a_program_outside_of_path_is_pointed_out() {
    let venv = "w usr/local/bin/.wh.gunicorn\nf opt/venv/bin/gunicorn 0755 #!/usr/local/bin/python\\n";
    let report = ask(&case(venv, &["gunicorn", "main:app"]).image(), &["--format", "json"]).exits(1).json();
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["fix"], &finding["path"]),
        (&"ENV PATH=/opt/venv/bin:$PATH".into(), &"/opt/venv/bin/gunicorn".into())
    );
}

#[test]
fn modules_are_found_where_the_command_says() {
    let web = "f app/src/web.py 0644 app = 1\\n";
    for (text, words) in [
        (web, &["/bin/sh", "-c", "PYTHONPATH=src gunicorn web:app"][..]),
        (web, &["/bin/sh", "-c", "export PYTHONPATH=/app/src && gunicorn web:app"]),
        (web, &["env", "PYTHONPATH=src", "gunicorn", "web:app"]),
        (web, &["gunicorn", "--pythonpath", "lib,src", "web:app"]),
        (web, &["flask", "--app", "src/web.py:app", "run", "--host=0.0.0.0", "--port=8080"]),
        ("f app/web.py 0644 app, db = make()\\n", &["gunicorn", "web:app"]),
        ("f app/web.py 0644 locals()['application'] = 1\\n", &["gunicorn", "web"]),
        ("f app/pkg/__init__.py 0644 from .app import x\\n", &["gunicorn", "pkg:app"]),
        ("f app/x 0755 #!/usr/bin/env -S A=1 python3 -u\\n", &["./x"]),
    ] {
        case(text, words).is_ready();
    }
    Case { env: &[("GUNICORN_CMD_ARGS", "--chdir src")], ..case(web, &["gunicorn", "web:app"]) }.is_open();
    case("", &["/bin/sh", "-c", "python -m $MODULE"]).is_open();
    case("", &["/bin/sh", "-c", ". venv/bin/activate && serve"]).is_open();
    case("", &["/bin/sh", "-lc", "serve"]).is_open();
    case(web, &["gunicorn", "--pythonpath", "lib", "web:app"]).fails("module-missing error");
}

#[test]
fn options_of_node_may_take_a_word() {
    for words in [
        &["node", "-r", "dotenv/config", "server.js"][..],
        &["node", "--import", "tsx", "server.ts"],
        &["node", "-e", "1"],
        &["/bin/sh", "-c", "node $FILE"],
    ] {
        case("", words).is_open();
    }
    let bundled = "f app/package.json 0644 {\"dependencies\":{\"express\":\"4\"}}\nf app/dist/x.js 0644 1";
    case(bundled, &["node", "--enable-source-maps", "dist/x.js"]).is_ready();
}

#[test]
fn links_lead_to_what_runs() {
    let launcher =
        format!("f cnb/lifecycle/launcher 0755 {}\nl cnb/process/web -> /cnb/lifecycle/launcher", elf(AMD64, ""));
    Case { user: "33:33", ..case(&launcher, &["/cnb/process/web"]) }.is_ready();
    let venv = "l opt/venv/bin/python -> /usr/local/bin/python3\nf opt/venv/bin/serve 0755 #!/opt/venv/bin/python\\n\n\
                f app/requirements.txt 0644 redis\nf app/main.py 0644 import redis\\n\n\
                f opt/venv/lib/python3.12/site-packages/redis-5.0.dist-info/METADATA 0644 x";
    case(venv, &["/opt/venv/bin/python", "main.py"]).is_ready();
    case(venv, &["/opt/venv/bin/serve"]).is_ready();
    case(&venv.replace("usr/local/bin/python3", "build/python3"), &["/opt/venv/bin/serve"])
        .fails("interpreter-missing error");
}

#[test]
fn a_lock_has_more_than_is_installed() {
    let lock = |packages: &str| {
        format!(
            "f app/package.json 0644 {{}}\nf app/x.js 0644 1\nd app/node_modules/a\n\
             f app/package-lock.json 0644 {{\"lockfileVersion\":3,\"packages\":{{\"\":{{}},{packages}}}}}"
        )
    };
    let hidden =
        "f app/node_modules/.package-lock.json 0644 {\"packages\":{\"node_modules/a\":{\"version\":\"1.0.0\"}}}";
    let a = |version: &str| format!("{}\n{hidden}", lock(&format!("\"node_modules/a\":{{\"version\":\"{version}\"}}")));
    let warns = |text: &str, expected: &[&str]| {
        let outcome = ask(&case(text, &["node", "x.js"]).image(), &["--format", "json"]).exits(0);
        assert_eq!(kinds(&outcome), expected, "{text}\n{}", outcome.stdout);
    };
    warns(&a("1.0.0"), &[]);
    warns(&a("2.0.0"), &["package-version warning"]);
    warns(&lock("\"node_modules/b\":{}"), &["package-missing warning"]);
    warns(&lock("\"node_modules/b\":{\"dev\":true}"), &[]);
    warns(&lock("\"node_modules/b\":{}").replace("d app/node_modules/a\n", ""), &[]);
}
