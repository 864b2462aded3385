//! Real git repositories from text, with fixed dates and authors: the same text gives the same commit ids.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::text::{self, Entry, Kind};
use super::tools;

/// 2026-01-01T00:00:00Z; commit N is made N days later.
const FIRST_DAY: u64 = 1_767_225_600;
const DAY: u64 = 86_400;

/// A repository with a work tree in a temporary folder, on branch `main`.
pub(crate) struct Repo {
    home: TempDir,
    commits: u64,
}

impl Repo {
    /// An empty repository.
    pub(crate) fn new() -> Self {
        Self::init(&[])
    }

    /// An empty repository made by `git init` with more `options`, such as `--object-format=sha256`.
    pub(crate) fn init(options: &[&str]) -> Self {
        let repo = Self { home: tempfile::tempdir().expect("a temporary folder"), commits: 0 };
        fs::create_dir(repo.path()).expect("an empty temporary folder");
        let mut command = repo.command();
        tools::run(command.args(["init", "--quiet", "--initial-branch=main", "--template="]).args(options));
        repo
    }

    /// A repository whose only commit has the files of `text` (see [`super::text`]).
    pub(crate) fn with(text: &str) -> Self {
        let mut repo = Self::new();
        repo.write(text);
        repo.commit("Start");
        repo
    }

    /// The work tree.
    pub(crate) fn path(&self) -> PathBuf {
        self.home.path().join("repo")
    }

    /// A folder beside the work tree that lives as long, for clones and linked worktrees.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes the entries of `text` into the work tree; hard links and pipes, which git does not keep, are refused.
    pub(crate) fn write(&self, text: &str) -> &Self {
        for entry in text::parse(text) {
            write_entry(&self.path(), &entry);
        }
        self
    }

    /// Removes a file or a folder from the work tree.
    pub(crate) fn remove(&self, path: &str) -> &Self {
        let path = self.path().join(path);
        let is_folder = path.symlink_metadata().expect("what is removed exists").is_dir();
        if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.expect("it can be removed");
        self
    }

    /// Commits the whole work tree (an empty commit is fine) and gives the commit's id.
    pub(crate) fn commit(&mut self, subject: &str) -> String {
        self.git(&["add", "--all"]);
        let date = format!("{} +0000", FIRST_DAY + self.commits * DAY);
        self.commits += 1;
        let mut command = self.command();
        command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        tools::run(command.args(["commit", "--quiet", "--no-gpg-sign", "--allow-empty", "-m", subject]));
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the work tree and gives its standard output without the last line end.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        tools::run_text(self.command().args(arguments))
    }

    /// The id of `path` in `revision`.
    pub(crate) fn blob_id(&self, revision: &str, path: &str) -> String {
        self.git(&["rev-parse", &format!("{revision}:{path}")])
    }

    fn command(&self) -> Command {
        let mut command = tools::command("git", self.home.path());
        command.current_dir(self.path()).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "Test").env(format!("GIT_{role}_EMAIL"), "test@example.com");
        }
        command.env("GIT_ALLOW_PROTOCOL", "file");
        command
    }
}

/// Writes one entry under `root`, replacing what is there.
fn write_entry(root: &Path, entry: &Entry) {
    let path = root.join(OsStr::from_bytes(&entry.path));
    fs::create_dir_all(path.parent().expect("an entry lies in a folder")).expect("parents can be made");
    match &entry.kind {
        Kind::Directory => fs::create_dir_all(&path).expect("the folder can be made"),
        Kind::File(content) => write_file(&path, content, entry.mode),
        Kind::Symlink(target) => {
            fs::remove_file(&path).ok();
            symlink(OsStr::from_bytes(target), &path).expect("the link can be made");
        }
        Kind::Hardlink(_) | Kind::Fifo | Kind::Global => panic!("git keeps no {:?}", entry.kind),
    }
}

fn write_file(path: &Path, content: &[u8], mode: u32) {
    fs::remove_file(path).ok();
    fs::write(path, content).expect("the file can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the mode can be set");
}
