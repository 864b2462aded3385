//! What these tests share: images, registries that hold them, and a user whose every output is searched for secrets.

use std::fs;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tempfile::TempDir;

use crate::support::artifact_registry::{ACCESS_TOKEN, ArtifactRegistry, Phase, Recorded};
use crate::support::cli::{Outcome, Shipproof};
use crate::support::git::Repo;
use crate::support::http::{Request, Response, get};
use crate::support::images::{Image, Layout};
use crate::support::layers::{Compression, Layer};
use crate::support::registry::{Mode, Registry};
use crate::support::tokens::{PASSWORD, USER};
use crate::support::tools;

pub(super) const NAME: &str = "team/app:v1";
pub(super) const WRONG_PASSWORD: &str = "wrong-battery";
pub(super) const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----";

pub(super) fn basic(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

/// A Docker `config.json` with one password.
pub(super) fn config(host: &str, user: &str, password: &str) -> String {
    json!({ "auths": { host: { "auth": basic(user, password) } } }).to_string()
}

/// Texts that may stand in no output. `opaque.` and `eyJ` start the tokens of the test servers.
pub(super) fn secrets() -> Vec<String> {
    let plain = [PASSWORD, WRONG_PASSWORD, ACCESS_TOKEN, PRIVATE_KEY, "opaque.", "eyJ"].map(str::to_owned);
    let encoded =
        [(USER, PASSWORD), (USER, WRONG_PASSWORD), ("oauth2accesstoken", ACCESS_TOKEN)].map(|(u, p)| basic(u, p));
    plain.into_iter().chain(encoded).collect()
}

/// The program in a checkout, with settings that a test makes, and with eyes on what it says.
pub(super) struct User {
    pub(super) caller: Shipproof,
    repo: Repo,
}

impl User {
    pub(super) fn new() -> Self {
        let repo = Repo::with(&files(""));
        Self { caller: Shipproof::new().directory(repo.path()), repo }
    }

    /// The commit of the checkout.
    pub(super) fn head(&self) -> String {
        self.repo.git(&["rev-parse", "HEAD"])
    }

    pub(super) fn variable(mut self, name: &str, value: impl Into<std::ffi::OsString>) -> Self {
        self.caller = self.caller.variable(name, value);
        self
    }

    /// Writes a file below the home folder.
    pub(super) fn has(self, path: &str, content: &str) -> Self {
        let file = self.caller.home().join(path);
        fs::create_dir_all(file.parent().expect("a file lies in a folder")).expect("the folder can be made");
        tools::write_private(&file, content);
        self
    }

    /// Puts a shell script first on the `PATH`.
    pub(super) fn has_program(self, name: &str, script: &str) -> Self {
        let user = self.has(&format!("{name}.sh"), &format!("#!/bin/sh\n{script}\n"));
        let home = user.caller.home().to_owned();
        fs::create_dir_all(home.join("bin")).expect("the folder can be made");
        // Not written by this process: a test that forks meanwhile would keep the file open, and it could not be run.
        let (from, to) = (home.join(format!("{name}.sh")), home.join("bin").join(name));
        tools::run(tools::command("install", &home).args(["-m", "755"]).arg(from).arg(to));
        let path = std::env::var("PATH").expect("the tests have a PATH");
        user.variable("PATH", format!("{}:{path}", home.join("bin").display()))
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Outcome {
        let outcome = self.caller.run(arguments);
        for secret in secrets() {
            assert!(!outcome.stdout.contains(&secret) && !outcome.stderr.contains(&secret), "{secret} in {outcome:#?}");
        }
        outcome
    }

    pub(super) fn verify(&self, image: &str, more: &[&str]) -> Outcome {
        self.run(&[&["verify", image, "--format", "json"], more].concat())
    }

    /// Asserts that the image is read, whole.
    pub(super) fn agrees(&self, image: &str, more: &[&str]) {
        let report = self.verify(image, more).verdict("match");
        assert_eq!(report["counts"], json!({ "compared": 3, "same": 3 }));
    }

    /// Asserts that nothing can be told, of which `kind`, and that people are told all of `words`.
    pub(super) fn is_refused(&self, image: &str, more: &[&str], kind: &str, words: &[&str]) -> Outcome {
        let outcome = self.verify(image, more);
        assert_eq!(outcome.verdict("unknown")["error"]["kind"], kind, "{outcome:#?}");
        assert!(outcome.stderr.lines().any(|line| line.starts_with("error: ")), "{outcome:#?}");
        for word in words {
            assert!(outcome.stderr.contains(word), "no `{word}` in {outcome:#?}");
        }
        outcome
    }
}

/// What git and the image have, below `prefix`; more bytes than fit into one read of a socket.
pub(super) fn files(prefix: &str) -> String {
    let data = "0123456789abcdefghijklmnopqrstuvwxyz\\n".repeat(8000);
    format!(
        "f {prefix}main.py 0644 print('the main program of the tests')\\n\n\
         f {prefix}shared/beat.py 0644 print('a beat of the tests')\\n\nf {prefix}data.txt 0644 {data}"
    )
}

pub(super) fn image() -> Image {
    let layer = Layer::text(&files("app/")).stored(Compression::None);
    Image::new().workdir("/app").layer("COPY . . # buildkit", layer)
}

/// [`image`] as a layout folder, tagged `v1`.
pub(super) fn layout() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    Layout::with("v1", &image()).write_to(folder.path());
    folder
}

/// A registry that holds [`image`] as [`NAME`].
pub(super) fn registry(mode: Mode) -> Option<Registry> {
    let registry = Registry::start(mode)?;
    let layout = layout();
    registry.push(&format!("oci:{}:v1", layout.path().display()), NAME);
    Some(registry)
}

/// A credential helper that knows one server.
pub(super) fn helper(host: &str, user: &str, secret: &str) -> String {
    let answer = json!({ "ServerURL": host, "Username": user, "Secret": secret });
    format!(
        "read -r server\nif [ \"$1 $server\" = 'get {host}' ]; then echo '{answer}'; exit 0; fi\n\
         echo 'credentials not found in native keychain'; exit 1"
    )
}

/// Asks `host` what `request` asks, with `replaced` texts in the answer's headers.
pub(super) fn forward(host: &str, request: &Request, replaced: &[(&str, &str)]) -> Response {
    let kept = |name: &str| matches!(name, "authorization" | "accept" | "range");
    let headers = request.headers.iter().filter(|(name, _)| kept(name));
    let headers: Vec<(&str, &str)> = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let target = request
        .target
        .strip_prefix("http://")
        .map_or(request.target.as_str(), |rest| &rest[rest.find('/').expect("an address has a path")..]);
    let answer = get(host, target, &headers);
    let mut response = Response::new(answer.status, answer.body);
    for (name, value) in answer.headers {
        if !matches!(name.as_str(), "content-length" | "connection" | "transfer-encoding") {
            let value = replaced.iter().fold(value, |value, (from, to)| value.replace(from, to));
            response = response.header(&name, value);
        }
    }
    response
}

/// Artifact Registry with [`image`] as `v1`, and a user who is logged in.
pub(super) struct Artifacts {
    pub(super) registry: ArtifactRegistry,
    pub(super) user: User,
    pub(super) folder: TempDir,
}

impl Artifacts {
    pub(super) fn new() -> Self {
        Self::serving(layout())
    }

    fn serving(folder: TempDir) -> Self {
        let registry = ArtifactRegistry::serve(folder.path());
        let user = User::new().has(".docker/config.json", &registry.docker_config());
        Self { registry, user, folder }
    }

    /// With a layer of so many mebibytes.
    pub(super) fn large(mebibytes: usize) -> Self {
        let line = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\\n";
        let layer = Layer::text(&format!("f app/data 0644 {}", line.repeat(mebibytes << 14)));
        let image = Image::new().layer("COPY . . # buildkit", layer.stored(Compression::None));
        Self::of(&image)
    }

    /// With another image.
    pub(super) fn of(image: &Image) -> Self {
        Self::holding(&Layout::with("v1", image))
    }

    /// With whatever a layout holds.
    pub(super) fn holding(layout: &Layout) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        layout.write_to(folder.path());
        Self::serving(folder)
    }

    pub(super) fn reference(&self) -> String {
        self.registry.reference("v1")
    }

    pub(super) fn agrees(&self) {
        self.user.agrees(&self.reference(), &[]);
    }

    pub(super) fn is_refused(&self, kind: &str, words: &[&str]) -> Outcome {
        self.user.is_refused(&self.reference(), &[], kind, words)
    }

    pub(super) fn requests(&self, phase: Phase) -> Vec<Recorded> {
        self.registry.recorded_for(phase)
    }
}

/// Runs `test` for all of `cases` at once: they wait more than they work.
pub(super) fn in_all<T: Sync>(cases: &[T], test: impl Fn(&T) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            let test = &test;
            scope.spawn(move || test(case));
        }
    });
}

/// Runs every command that reads layers, and asserts that nothing of the image is printed.
pub(super) fn nothing_is_shown(artifacts: &Artifacts, words: &[&str]) {
    let reference = artifacts.reference();
    for command in [&["verify"][..], &["cat"], &["ls"], &["layers"]] {
        let file = if command == ["cat"] { vec!["main.py"] } else { Vec::new() };
        let outcome = artifacts.user.run(&[command, &[reference.as_str()], &file].concat()).exits(2);
        assert_eq!(outcome.stdout, "", "{command:?}");
        assert!(words.iter().all(|word| outcome.stderr.contains(word)), "{command:?} {outcome:#?}");
    }
}
