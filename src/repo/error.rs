//! What can go wrong with a repository, and what to do next.

use std::fmt;
use std::path::PathBuf;

use crate::blob::{BlobId, Collision};
use crate::path::RepoPath;

/// An error of the library that reads git repositories.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a repository could not answer.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// The directory asked for does not exist, or is not a directory.
    #[error("`{}` is not a directory", .0.display())]
    NoDirectory(PathBuf),
    /// Neither the directory nor one above it is a git repository.
    #[error("`{}` is not in a git repository", .0.display())]
    NotARepository(PathBuf),
    /// A `.git` file, as linked work trees and submodules have it, leads nowhere.
    #[error("`{}` points to a git directory that is not there", .0.display())]
    DanglingLink(PathBuf),
    /// The repository is there and cannot be opened.
    #[error("cannot open the git repository of `{}`", directory.display())]
    Open {
        /// The directory asked for.
        directory: PathBuf,
        /// What stood in the way.
        source: Cause,
    },
    /// The references are stored in a format that is not supported.
    #[error("`{}` keeps its references as reftable, which is not supported", .0.display())]
    Reftable(PathBuf),
    /// `HEAD` names a branch without commits.
    #[error("`{}` has no commits yet", .0.display())]
    Unborn(PathBuf),
    /// No such revision here.
    #[error("unknown revision `{revision}`{}", if *.shallow { " (this is a shallow clone)" } else { "" })]
    UnknownRevision {
        /// The revision asked for.
        revision: String,
        /// Whether history was cut off by a shallow clone.
        shallow: bool,
    },
    /// The revision names something, but no commit.
    #[error("`{revision}` names a {kind}, not a commit")]
    NotACommit {
        /// The revision asked for.
        revision: String,
        /// What it names.
        kind: ObjectKind,
    },
    /// An object that the repository refers to is not in it.
    #[error("{kind} {id} is not in the repository{}", if *.partial { " (this is a partial clone)" } else { "" })]
    MissingObject {
        /// The object's id.
        id: String,
        /// What kind of object it should be.
        kind: ObjectKind,
        /// Whether the repository is a partial clone, which leaves objects with its remote.
        partial: bool,
    },
    /// An object cannot be read, or is of another kind than its place demands.
    #[error("cannot read {kind} {id}")]
    Object {
        /// The object's id.
        id: String,
        /// What kind of object it should be.
        kind: ObjectKind,
        /// What stood in the way.
        source: Cause,
    },
    /// The history is to go on although reading it has failed before.
    #[error("the history could not be read to its end")]
    HistoryBroken,
    /// A file is larger than whoever asked for its contents allows.
    #[error("{what} has {size} bytes, more than the {limit} allowed")]
    TooLarge {
        /// The blob or the path.
        what: String,
        /// Its size in bytes.
        size: u64,
        /// The most bytes allowed.
        limit: u64,
    },
    /// A tree names a file in a way that no checkout could hold.
    #[error("`{}` is not a valid path in a git tree", String::from_utf8_lossy(.0))]
    InvalidPath(Vec<u8>),
    /// The snapshot has no such file.
    #[error("`{0}` is not in the repository")]
    NoSuchFile(RepoPath),
    /// A work tree is needed and a bare repository has none.
    #[error("`{}` is a bare repository, which has no work tree", .0.display())]
    Bare(PathBuf),
    /// The index of the work tree cannot be read.
    #[error("cannot read the git index of `{}`", directory.display())]
    Index {
        /// The work tree.
        directory: PathBuf,
        /// What stood in the way.
        source: Cause,
    },
    /// Attributes or ignore rules cannot be read.
    #[error("cannot read the git attributes or ignore rules that apply to `{path}`")]
    Attributes {
        /// The path they were needed for.
        path: RepoPath,
        /// What stood in the way.
        source: Cause,
    },
    /// A file or directory of the work tree cannot be read.
    #[error("cannot read `{path}` in the work tree")]
    Read {
        /// The file or directory.
        path: RepoPath,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file of the work tree changed while it was read.
    #[error("`{0}` changed while it was read")]
    Changed(RepoPath),
    /// A file was made to share its id with other contents.
    #[error("`{path}` cannot be compared")]
    Collision {
        /// The file.
        path: RepoPath,
        /// The finding.
        source: Collision,
    },
    /// The line endings or identifiers of a file cannot be converted.
    #[error("cannot convert `{path}` the way git does")]
    Convert {
        /// The file.
        path: RepoPath,
        /// What stood in the way.
        source: Cause,
    },
}

impl RepoError {
    /// The next step, as a command where there is one.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoDirectory(_) | Self::NotARepository(_) => "name the repository with `--repo DIR`",
            Self::DanglingLink(_) => "make the main repository's git directory available at the same path, too",
            Self::Reftable(_) => "`git refs migrate --ref-format=files` converts the repository",
            Self::Unborn(_) => "commit first, or compare with the work tree",
            Self::UnknownRevision { shallow: true, .. } => "`git fetch --unshallow` brings the whole history",
            Self::UnknownRevision { .. } => "`git fetch --all --tags` brings what the remotes have",
            Self::NotACommit { .. } => "name a commit, a branch or a tag",
            Self::MissingObject { id, kind: ObjectKind::Blob, partial: true } => {
                return Some(format!("`git cat-file -e {id}` fetches it"));
            }
            Self::MissingObject { partial: true, .. } => {
                "`git fetch --refetch --filter=blob:none` fetches all commits and trees"
            }
            Self::MissingObject { .. } | Self::Object { .. } | Self::HistoryBroken => {
                "`git fsck` tells what is damaged"
            }
            Self::Bare(_) => "name a revision, or use a checkout with `--repo DIR`",
            Self::Changed(_) => "run again when nothing writes to the work tree",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// The error for a blob that cannot be read.
    pub(super) fn unreadable_blob(id: BlobId, source: impl Into<Cause>) -> Self {
        Self::Object { id: id.to_string(), kind: ObjectKind::Blob, source: source.into() }
    }
}

/// The kinds of object that git stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A file's contents.
    Blob,
    /// A directory.
    Tree,
    /// A commit.
    Commit,
    /// An annotated tag.
    Tag,
}

impl From<gix::objs::Kind> for ObjectKind {
    fn from(kind: gix::objs::Kind) -> Self {
        match kind {
            gix::objs::Kind::Blob => Self::Blob,
            gix::objs::Kind::Tree => Self::Tree,
            gix::objs::Kind::Commit => Self::Commit,
            gix::objs::Kind::Tag => Self::Tag,
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blob => "blob",
            Self::Tree => "tree",
            Self::Commit => "commit",
            Self::Tag => "tag",
        })
    }
}
