//! The programs that tests run: where they are, how to get them, and running them without the user's settings.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A program that a test needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    /// The name of the executable.
    pub(crate) program: &'static str,
    /// The Debian package that has it.
    pub(crate) package: &'static str,
}

/// The registry server of the CNCF distribution project.
pub(crate) const DOCKER_REGISTRY: Tool = Tool { program: "docker-registry", package: "docker-registry" };
/// Copies images between registries and files.
pub(crate) const SKOPEO: Tool = Tool { program: "skopeo", package: "skopeo" };
/// Builds images from a Dockerfile without a daemon.
pub(crate) const BUILDAH: Tool = Tool { program: "buildah", package: "buildah" };
/// Unpacks OCI layouts as the specification says.
pub(crate) const UMOCI: Tool = Tool { program: "umoci", package: "umoci" };
/// The Docker API of the tests, and `save`.
pub(crate) const PODMAN: Tool = Tool { program: "podman", package: "podman" };
/// The container runtime that podman asks for.
pub(crate) const RUNC: Tool = Tool { program: "runc", package: "runc" };
/// Keys, certificates and signatures of the test servers.
pub(crate) const OPENSSL: Tool = Tool { program: "openssl", package: "openssl" };
/// Makes the repositories.
pub(crate) const GIT: Tool = Tool { program: "git", package: "git" };

/// Where `tool` is, or `None` after a line on standard error that names the test left out.
///
/// # Panics
/// Under `CI=true`, when the tool is missing: there nothing may be left out.
pub(crate) fn require(tool: Tool) -> Option<PathBuf> {
    let found = find(tool.program);
    if found.is_none() {
        leave_out(tool);
    }
    found
}

/// Whether all of `tools` are there; otherwise as [`require`].
pub(crate) fn require_all(tools: &[Tool]) -> bool {
    tools.iter().all(|tool| require(*tool).is_some())
}

fn leave_out(tool: Tool) {
    let thread = std::thread::current();
    let ci = std::env::var_os("CI");
    match missing(tool, thread.name().unwrap_or("a test"), ci.as_deref()) {
        Missing::Fail(reason) => panic!("{reason}"),
        // Not `eprintln!`: the test harness would keep it to itself, because the test passes.
        Missing::LeaveOut(line) => std::io::stderr().write_all(line.as_bytes()).expect("standard error is open"),
    }
}

/// What follows from a missing tool.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The test fails for this reason.
    Fail(String),
    /// The test is left out, with this line on standard error.
    LeaveOut(String),
}

/// What follows from the lack of `tool` for `test`, where the environment variable `CI` is `ci`.
pub(crate) fn missing(tool: Tool, test: &str, ci: Option<&OsStr>) -> Missing {
    let Tool { program, package } = tool;
    if ci.is_some_and(|value| value == "true") {
        return Missing::Fail(format!("{test} needs {program}: apt-get install {package}"));
    }
    Missing::LeaveOut(format!("left out: {test} needs {program} (Debian: apt-get install {package})\n"))
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Debian keeps runc in /usr/sbin, which is not in every user's PATH.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A command for `program` whose environment is `PATH` and a private home.
pub(crate) fn command(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).env("XDG_RUNTIME_DIR", home).env("LC_ALL", "C").env("TZ", "UTC");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Runs `command` to its end and gives its standard output.
///
/// # Panics
/// When it cannot be started or fails, with what it wrote to standard error.
pub(crate) fn run(command: &mut Command) -> Vec<u8> {
    let output = output(command);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}:\n{errors}", output.status);
    output.stdout
}

/// Runs `command` and gives its standard output as text without the last line end.
pub(crate) fn run_text(command: &mut Command) -> String {
    let text = String::from_utf8(run(command)).expect("the program writes UTF-8");
    text.trim_end().to_owned()
}

/// Runs `command` to its end, whatever that is.
pub(crate) fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?} could not be started: {error}"))
}
