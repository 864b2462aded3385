//! What these tests share: a good image, and a bad call of `verify`.

use std::path::PathBuf;
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::cli::Shipproof;
use crate::support::git::Repo;
use crate::support::images::{Image, Layout};

/// What git and a good image have.
pub(super) const FILES: [(&str, &str); 3] = [
    ("main.py", "print('the main program of the tests')\\n"),
    ("shared/beat.py", "print('a beat of the tests')\\n"),
    ("shared/util.py", "print('something useful for the tests')\\n"),
];

pub(super) fn files(prefix: &str) -> String {
    FILES.map(|(path, content)| format!("f {prefix}{path} 0644 {content}\n")).concat()
}

pub(super) fn repository() -> Repo {
    Repo::with(&files(""))
}

pub(super) fn image() -> Image {
    Image::of(&files("app/"))
}

/// One bad call of `verify`.
pub(super) struct Case {
    /// What is wrong, for messages.
    what: &'static str,
    image: String,
    flags: Vec<String>,
    /// Where the call is made, if not in the repository.
    directory: Option<PathBuf>,
    /// The expected `error.kind`.
    kind: &'static str,
    /// What the message has to name.
    names: Vec<String>,
}

impl Case {
    pub(super) fn new(what: &'static str, image: impl Into<String>, kind: &'static str) -> Self {
        Self { what, image: image.into(), flags: Vec::new(), directory: None, kind, names: Vec::new() }
    }

    pub(super) fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    pub(super) fn names(mut self, names: &[&str]) -> Self {
        self.names.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    pub(super) fn inside(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Asserts that people and programs are told the same: nothing but the reason.
    pub(super) fn check(&self, repo: &Repo) {
        let caller = Shipproof::new().directory(self.directory.clone().unwrap_or_else(|| repo.path()));
        let mut arguments = vec!["verify", &self.image];
        arguments.extend(self.flags.iter().map(String::as_str));
        let json = [&arguments[..], &["--format", "json"]].concat();
        // Both at once: a refused connection is tried for seconds.
        let (text, json) = thread::scope(|scope| {
            let json = scope.spawn(|| caller.run(&json));
            (caller.run(&arguments), json.join().expect("running the program does not panic"))
        });
        let context = format!("{}: {text:#?}", self.what);
        assert_eq!((text.code, text.stdout.as_str()), (Some(2), ""), "{context}");
        assert!(text.stderr.starts_with("error: "), "{context}");
        for name in &self.names {
            assert!(text.stderr.contains(name), "no `{name}` for {context}");
        }
        self.check_report(&json.verdict("unknown"), &json.stderr);
    }

    fn check_report(&self, report: &Value, stderr: &str) {
        let context = format!("{}: {report:#}", self.what);
        assert_eq!(report["error"]["kind"], self.kind, "{context}");
        assert_eq!(
            (&report["schema_version"], &report["image"]["reference"]),
            (&json!(1), &json!(self.image)),
            "{context}"
        );
        let nothing = (json!({}), json!([]), json!(null));
        assert_eq!((&report["counts"], &report["findings"], &report["cause"]), (&nothing.0, &nothing.1, &nothing.2));
        let message = report["error"]["message"].as_str().expect("an error has a message");
        let hint = report["error"]["hint"].as_str().map_or(String::new(), |hint| format!("hint: {hint}\n"));
        assert_eq!(stderr, format!("error: {message}\n{hint}"), "{context}");
        assert!(!message.ends_with('.') && !message.contains('\n'), "{context}");
    }
}

/// Checks all cases at once: some of them wait.
pub(super) fn check_all(repo: &Repo, cases: &[Case]) {
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| case.check(repo));
        }
    });
}

/// A layout folder with the tag `v1`, and its reference.
pub(super) fn laid_out(layout: &Layout) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    layout.write_to(folder.path());
    let reference = format!("oci:{}:v1", folder.path().display());
    (folder, reference)
}

pub(super) fn good() -> (TempDir, String) {
    laid_out(&Layout::with("v1", &image()))
}
