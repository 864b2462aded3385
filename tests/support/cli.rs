//! Running the built `shipproof` without the settings of the user who runs the tests.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::tools;

/// One call of the program, and the home folder it sees.
pub(crate) struct Shipproof {
    home: TempDir,
    directory: Option<PathBuf>,
    variables: Vec<(OsString, OsString)>,
}

/// What a call left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    /// The exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
}

impl Shipproof {
    /// A caller with an empty home, working in it.
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        Self { home, directory: None, variables: Vec::new() }
    }

    /// The private home folder, for configuration files.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs in `directory` from now on.
    pub(crate) fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Sets an environment variable.
    pub(crate) fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Runs the program with `arguments`.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Outcome {
        let mut command = self.command();
        let output = tools::output(command.args(arguments));
        Outcome {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }

    /// The command itself, for tests that want to hold its pipes.
    pub(crate) fn command(&self) -> std::process::Command {
        let mut command = tools::command(env!("CARGO_BIN_EXE_shipproof"), self.home());
        // A machine that happens to run in Google's cloud must not lend the tests its identity.
        command.env("GCE_METADATA_HOST", "127.0.0.1:9");
        // The answers may not depend on the cache: each caller has its own, unless `SHIPPROOF_TEST_CACHE` names a folder
        // that all of them share.
        if let Some(shared) = std::env::var_os("SHIPPROOF_TEST_CACHE") {
            command.env("SHIPPROOF_CACHE_DIR", shared);
        }
        command.current_dir(self.directory.as_deref().unwrap_or(self.home()));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Outcome {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}) in {self:#?}"))
    }

    /// Asserts the exit code, and gives the outcome back.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Asserts that a `--format json` report says `verdict`, with the exit code that belongs to it; gives the report.
    pub(crate) fn verdict(&self, verdict: &str) -> Value {
        let report = self.json();
        assert_eq!(report["verdict"], verdict, "{self:#?}");
        let code = match verdict {
            "match" | "contains" => 0,
            "unknown" => 2,
            _ => 1,
        };
        assert_eq!(self.code, Some(code), "{self:#?}");
        report
    }
}

/// The statuses of a report's findings by repository path (image path where there is none), in the report's order.
pub(crate) fn statuses(report: &Value) -> Vec<(String, String)> {
    let findings = report["findings"].as_array().expect("a report has findings");
    findings.iter().map(|finding| (finding_path(finding), text_of(&finding["status"]))).collect()
}

fn finding_path(finding: &Value) -> String {
    let path = if finding["repo_path"].is_null() { &finding["image_path"] } else { &finding["repo_path"] };
    text_of(path)
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
