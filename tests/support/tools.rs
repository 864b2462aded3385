//! The programs that tests run: where they are, how to get them, and running them without the user's settings.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
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
/// GNU tar, in whose formats layers come.
pub(crate) const TAR: Tool = Tool { program: "tar", package: "tar" };
/// Makes the repositories.
pub(crate) const GIT: Tool = Tool { program: "git", package: "git" };
/// Says how much memory a program took (GNU time; the shell's own word cannot).
pub(crate) const TIME: Tool = Tool { program: "time", package: "time" };
/// Runs a program at a terminal.
pub(crate) const SCRIPT: Tool = Tool { program: "script", package: "bsdutils" };
/// Google's command line tool.
pub(crate) const GCLOUD: Tool = Tool { program: "gcloud", package: "google-cloud-cli, of an archive of its own" };
/// Runs Google's emulators.
pub(crate) const JAVA: Tool = Tool { program: "java", package: "default-jre-headless" };
/// Python as Debian has it, copied into images that are started.
pub(crate) const PYTHON: Tool = Tool { program: "/usr/bin/python3", package: "python3" };
/// Node, likewise.
pub(crate) const NODE: Tool = Tool { program: "/usr/bin/node", package: "nodejs" };
/// Reads JSON in the recipes of the README.
pub(crate) const JQ: Tool = Tool { program: "jq", package: "jq" };

/// Where `tool` is, or `None` after a line on standard error that names the test left out.
///
/// # Panics
/// Under `CI=true`, when the tool is missing: there nothing may be left out.
pub(crate) fn require(tool: Tool) -> Option<PathBuf> {
    let found = find(tool.program);
    if found.is_none() {
        let remedy = format!("Debian: apt-get install {}", tool.package);
        conclude(|test, ci| missing(test, tool.program, &remedy, ci));
    }
    found
}

/// A file of Google's SDK, below its folder; otherwise as [`require`].
pub(crate) fn require_in_sdk(file: &str, package: &str) -> Option<PathBuf> {
    let gcloud = require(GCLOUD)?.canonicalize().expect("it was just found");
    let sdk = gcloud.parent().and_then(Path::parent).expect("gcloud is in the SDK's bin folder");
    let found = Some(sdk.join(file)).filter(|path| path.is_file());
    if found.is_none() {
        conclude(|test, ci| missing(test, file, package, ci));
    }
    found
}

/// Whether all of `tools` are there; otherwise as [`require`].
pub(crate) fn require_all(tools: &[Tool]) -> bool {
    tools.iter().all(|tool| require(*tool).is_some())
}

/// Whether the tests run as root; building images and a private podman need that. Says so otherwise, as [`require`].
///
/// # Panics
/// Under `CI=true`, for another user.
pub(crate) fn require_root() -> bool {
    let root = is_root();
    if !root {
        conclude(|test, ci| missing(test, "to run as root", "sudo", ci));
    }
    root
}

/// Whether files that the tests make belong to root.
pub(crate) fn is_root() -> bool {
    let folder = tempfile::tempdir().expect("a temporary folder");
    folder.path().metadata().expect("it was just made").uid() == 0
}

/// Ends the test that runs here in the way that `judge` finds for its name and the value of `CI`.
fn conclude(judge: impl FnOnce(&str, Option<&OsStr>) -> Missing) {
    let thread = std::thread::current();
    let ci = std::env::var_os("CI");
    match judge(thread.name().unwrap_or("a test"), ci.as_deref()) {
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

/// What follows where `test` lacks what it `needs`, which is to be had by `remedy`; `ci` is the variable `CI`.
pub(crate) fn missing(test: &str, needs: &str, remedy: &str, ci: Option<&OsStr>) -> Missing {
    let what = format!("{test} needs {needs} ({remedy})");
    if ci.is_some_and(|value| value == "true") {
        return Missing::Fail(what);
    }
    Missing::LeaveOut(format!("left out: {what}\n"))
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

/// Writes a file that nobody else may read, as files with passwords should be.
pub(crate) fn write_private(file: &Path, content: impl AsRef<[u8]>) {
    std::fs::write(file, content).expect("the file can be written");
    let private = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
    std::fs::set_permissions(file, private).expect("it is our own");
}
