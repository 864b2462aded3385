//! Opening a repository, and what it says of itself.

use std::path::{Path, PathBuf};

use gix::discover::upwards;
use gix::open::{Options, Permissions, permissions};

use super::RepoError;
use crate::blob::ObjectFormat;
use crate::path::RepoPath;

/// Whose configuration counts besides the repository's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Settings {
    /// The user's and the system's, as for git: they hold global ignore rules and attributes.
    #[default]
    User,
    /// Nobody's.
    RepositoryOnly,
}

impl Settings {
    /// No setting of any file or variable may choose a program, another repository or another index.
    fn permissions(self) -> Permissions {
        let isolated = permissions::Environment::isolated();
        match self {
            Self::RepositoryOnly => Permissions::isolated(),
            Self::User => Permissions {
                env: permissions::Environment {
                    home: gix::sec::Permission::Allow,
                    xdg_config_home: gix::sec::Permission::Allow,
                    ..isolated
                },
                config: permissions::Config { git_binary: false, env: false, ..permissions::Config::all() },
                attributes: permissions::Attributes { git_binary: false, ..permissions::Attributes::all() },
            },
        }
    }
}

/// A git repository on this machine, opened for reading.
pub struct Repository {
    pub(super) git: gix::Repository,
    prefix: RepoPath,
}

impl Repository {
    /// Opens the repository that holds `directory`: the directory itself or the nearest above it, a linked work
    /// tree, a submodule or a bare repository.
    ///
    /// # Errors
    /// When there is none, or it is in a format that cannot be read.
    pub fn open(directory: &Path) -> Result<Self, RepoError> {
        Self::open_with(directory, Settings::User)
    }

    /// Like [`open`](Self::open), with a say in whose configuration counts.
    ///
    /// # Errors
    /// When there is none, or it is in a format that cannot be read.
    pub fn open_with(directory: &Path, settings: Settings) -> Result<Self, RepoError> {
        if !directory.is_dir() {
            return Err(RepoError::NoDirectory(directory.to_owned()));
        }
        if let Some(link) = dangling_link(directory) {
            return Err(RepoError::DanglingLink(link));
        }
        let options = || Options::default().permissions(settings.permissions());
        let by_trust = gix::sec::trust::Mapping { full: options(), reduced: options() };
        let git = gix::ThreadSafeRepository::discover_opts(directory, upwards::Options::default(), by_trust)
            .map_err(|error| not_opened(directory, error))?
            .to_thread_local();
        let prefix = prefix_of(directory, &git).unwrap_or_default();
        let repository = Self { git, prefix };
        repository.refuse_reftable()?;
        Ok(repository)
    }

    /// The hash function of the repository's ids.
    pub fn object_format(&self) -> ObjectFormat {
        match self.git.object_hash() {
            gix::hash::Kind::Sha256 => ObjectFormat::Sha256,
            _ => ObjectFormat::Sha1,
        }
    }

    /// The top of the work tree, or the git directory of a bare repository.
    pub fn path(&self) -> &Path {
        self.git.workdir().unwrap_or_else(|| self.git.git_dir())
    }

    /// The directory that was asked for, relative to the top of the work tree.
    pub fn prefix(&self) -> &RepoPath {
        &self.prefix
    }

    /// Whether there is no work tree.
    pub fn is_bare(&self) -> bool {
        self.git.workdir().is_none()
    }

    /// Whether history was cut off by a shallow clone.
    pub fn is_shallow(&self) -> bool {
        self.git.is_shallow().unwrap_or(false)
    }

    /// Whether objects may have been left with a remote (`git clone --filter=…`).
    pub fn is_partial(&self) -> bool {
        let config = self.git.config_snapshot();
        let remotes = config.plumbing().sections_by_name("remote");
        remotes.into_iter().flatten().any(|remote| remote.value("promisor").is_some_and(|value| value != "false"))
    }

    /// The addresses of the remotes, as configured.
    pub fn remotes(&self) -> Vec<String> {
        let config = self.git.config_snapshot();
        let remotes = config.plumbing().sections_by_name("remote").into_iter().flatten();
        remotes.filter_map(|remote| Some(remote.value("url")?.to_string())).collect()
    }

    /// The top of the work tree.
    ///
    /// # Errors
    /// [`RepoError::Bare`] when there is none.
    pub(super) fn work_tree(&self) -> Result<PathBuf, RepoError> {
        self.git.workdir().map(Path::to_owned).ok_or_else(|| RepoError::Bare(self.path().to_owned()))
    }

    fn refuse_reftable(&self) -> Result<(), RepoError> {
        let storage = self.git.config_snapshot().string("extensions.refStorage");
        if storage.is_some_and(|name| name.eq_ignore_ascii_case(b"reftable")) {
            return Err(RepoError::Reftable(self.path().to_owned()));
        }
        Ok(())
    }
}

/// Discovery would pass such a link over and might find another repository further up; git refuses.
fn dangling_link(directory: &Path) -> Option<PathBuf> {
    let directory = directory.canonicalize().ok()?;
    let link = directory.ancestors().map(|above| above.join(".git")).find(|link| link.exists())?;
    (link.is_file() && gix::discover::is_git(&link).is_err()).then_some(link)
}

fn not_opened(directory: &Path, error: gix::Error) -> RepoError {
    let directory = directory.to_owned();
    if error.downcast_any_ref::<upwards::Error>().is_some() {
        return RepoError::NotARepository(directory);
    }
    RepoError::Open { directory, source: error.into() }
}

fn prefix_of(directory: &Path, git: &gix::Repository) -> Option<RepoPath> {
    let top = git.workdir()?.canonicalize().ok()?;
    let below = directory.canonicalize().ok()?.strip_prefix(top).ok()?.to_owned();
    let bytes = gix::path::into_bstr(below).ok()?;
    Some(RepoPath::clean(&gix::path::to_unix_separators_on_windows(bytes)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TestRepo, git_in};
    use super::*;

    fn open(directory: &Path) -> Result<Repository, RepoError> {
        Repository::open_with(directory, Settings::RepositoryOnly)
    }

    #[test]
    fn a_subdirectory_is_the_prefix_and_the_top_is_the_path() {
        let repo = TestRepo::new();
        repo.write("a/b/file", "x");
        let opened = open(&repo.path().join("a/b")).unwrap();
        assert_eq!(opened.prefix(), &RepoPath::clean(b"a/b"));
        assert_eq!(opened.path().canonicalize().unwrap(), repo.path().canonicalize().unwrap());
        assert!(!opened.is_bare() && !opened.is_shallow() && !opened.is_partial());
        assert!(repo.open().prefix().is_root());
    }

    #[test]
    fn linked_work_trees_submodules_and_bare_repositories_open() {
        let repo = TestRepo::new();
        repo.write("file", "x");
        repo.commit_all("first");
        repo.git(&["worktree", "add", "-q", "../linked", "-b", "side"]);
        repo.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
        repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../bare.git", "sub"]);
        assert!(repo.path().join("sub/.git").is_file());

        for (name, bare) in [("repo", false), ("linked", false), ("repo/sub", false), ("bare.git", true)] {
            let opened = open(&repo.beside(name)).unwrap();
            assert_eq!(opened.is_bare(), bare, "{name}");
            assert_eq!(opened.path().canonicalize().unwrap(), repo.beside(name).canonicalize().unwrap());
            assert_eq!(opened.resolve("HEAD").unwrap().subject, "first", "{name}");
        }
        assert_eq!(open(&repo.beside("bare.git/refs")).unwrap().resolve("HEAD").unwrap().subject, "first");
    }

    #[test]
    fn shallow_and_partial_clones_are_noticed() {
        let repo = TestRepo::new();
        for message in ["first", "second"] {
            repo.write("file", message);
            repo.commit_all(message);
        }
        repo.git(&["config", "uploadpack.allowFilter", "true"]);
        let url = format!("file://{}", repo.path().display());
        let clone = |options: &[&str], name: &str| {
            git_in(&repo.beside("."), &[&["clone", "-q"], options, &[url.as_str(), name]].concat());
            open(&repo.beside(name)).unwrap()
        };
        assert!(clone(&["--depth=1"], "shallow").is_shallow());
        let partial = clone(&["--filter=blob:none"], "partial");
        assert!(partial.is_partial() && !partial.is_shallow());
    }

    #[test]
    fn what_is_no_repository_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let error = open(directory.path()).err().unwrap();
        assert!(matches!(error, RepoError::NotARepository(_)), "{error:?}");
        assert!(error.to_string().contains(directory.path().to_str().unwrap()), "{error}");
        assert!(error.hint().unwrap().contains("--repo DIR"));
        let error = open(&directory.path().join("nowhere")).err().unwrap();
        assert!(matches!(error, RepoError::NoDirectory(_)), "{error:?}");
    }

    #[test]
    fn a_link_without_its_repository_is_named_even_inside_another_repository() {
        let repo = TestRepo::new();
        repo.write("module/.git", "gitdir: ../../nowhere\n");
        repo.write("module/dir/file", "x");
        let error = open(&repo.path().join("module/dir")).err().unwrap();
        assert!(matches!(&error, RepoError::DanglingLink(link) if link.ends_with("repo/module/.git")), "{error:?}");
    }

    #[test]
    fn reftable_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        git_in(directory.path(), &["init", "-q", "--ref-format=reftable", "."]);
        let error = open(directory.path()).err().unwrap();
        assert!(matches!(error, RepoError::Reftable(_)), "{error:?}");
        assert!(error.hint().unwrap().contains("git refs migrate"));
    }

    #[test]
    fn sha256_repositories_say_so() {
        assert_eq!(TestRepo::sha256().open().object_format(), ObjectFormat::Sha256);
        assert_eq!(TestRepo::new().open().object_format(), ObjectFormat::Sha1);
    }
}
