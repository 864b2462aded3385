//! Repositories for tests, made by the real git, untouched by whatever is configured on the machine.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Commit, RepoFileKind, Repository, Settings, Snapshot};

/// A repository in a temporary directory that goes with it.
pub(crate) struct TestRepo {
    directory: tempfile::TempDir,
}

impl TestRepo {
    /// An empty repository.
    pub(crate) fn new() -> Self {
        Self::init("sha1")
    }

    /// An empty repository whose ids are SHA-256.
    pub(crate) fn sha256() -> Self {
        Self::init("sha256")
    }

    fn init(format: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        git_in(directory.path(), &["init", "-q", "--object-format", format, "repo"]);
        Self { directory }
    }

    /// The top of the work tree.
    pub(crate) fn path(&self) -> PathBuf {
        self.beside("repo")
    }

    /// A path in the directory that holds the work tree.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file and the directories above it.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        self.write_bytes(name.as_bytes(), contents);
    }

    /// Writes a file whose name may be anything.
    pub(crate) fn write_bytes(&self, name: &[u8], contents: impl AsRef<[u8]>) {
        use std::os::unix::ffi::OsStrExt as _;
        let path = self.path().join(std::ffi::OsStr::from_bytes(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }

    /// Adds and commits everything.
    pub(crate) fn commit_all(&self, message: &str) -> Commit {
        self.git(&["add", "--all"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.open().resolve("HEAD").unwrap()
    }

    /// Runs git in the work tree and gives its standard output.
    pub(crate) fn git(&self, arguments: &[&str]) -> Vec<u8> {
        git_in(&self.path(), arguments)
    }

    /// Like [`git`](Self::git), as text without the last line break.
    pub(crate) fn text(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.git(arguments)).unwrap().trim_end().to_owned()
    }

    /// Like [`git`](Self::git), with something to read.
    pub(crate) fn git_with_input(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        run(&self.path(), arguments, input)
    }

    /// The files of a revision as git lists them.
    pub(crate) fn ls_tree(&self, revision: &str) -> Vec<String> {
        let listing = self.git(&["ls-tree", "-r", "-z", "--full-tree", revision]);
        let lines = listing.split(|&byte| byte == 0).filter(|line| !line.is_empty() && !line.starts_with(b"160000"));
        sorted(lines.map(|line| {
            let (mode_and_id, path) = line.split_at(line.iter().position(|&byte| byte == b'\t').unwrap());
            let mut words = std::str::from_utf8(mode_and_id).unwrap().split(' ');
            line_for(&path[1..], words.next().unwrap(), words.nth(1).unwrap())
        }))
    }

    /// Opens the repository without anybody's configuration.
    pub(crate) fn open(&self) -> Repository {
        Repository::open_with(&self.path(), Settings::RepositoryOnly).unwrap()
    }
}

/// A snapshot in the form of [`TestRepo::ls_tree`].
pub(crate) fn listing_of(snapshot: &Snapshot) -> Vec<String> {
    sorted(snapshot.files.iter().map(|(path, file)| {
        let mode = match file.kind {
            RepoFileKind::Regular => "100644",
            RepoFileKind::Executable => "100755",
            RepoFileKind::Symlink => "120000",
        };
        line_for(path.as_bytes(), mode, &file.blob.to_string())
    }))
}

/// One line of a listing.
pub(crate) fn line_for(path: &[u8], mode: &str, id: &str) -> String {
    format!("{} {mode} {id}", path.escape_ascii())
}

/// Lines in an order that does not depend on where they come from.
pub(crate) fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

/// Runs git in a directory and gives its standard output.
pub(crate) fn git_in(directory: &Path, arguments: &[&str]) -> Vec<u8> {
    run(directory, arguments, b"")
}

fn run(directory: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = command(directory).args(arguments).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn command(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).current_dir(directory);
    command.env("HOME", directory).env("LC_ALL", "C");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null").env("GIT_ATTR_NOSYSTEM", "1");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Test").env(format!("GIT_{role}_EMAIL"), "test@example.com");
        command.env(format!("GIT_{role}_DATE"), "2024-02-29T12:30:00+02:00");
    }
    command.args(["-c", "init.defaultBranch=main"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
