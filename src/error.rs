//! One place that turns whatever went wrong into a kind for machines, a message and a next step.

use std::io;
use std::path::PathBuf;

use crate::config::ConfigError;
use crate::count::counted;
use crate::deploy::DeployError;
use crate::extract::ExtractError;
use crate::image::ImageError;
use crate::layer::{LayerError, MORE_MEMORY};
use crate::mapping::MappingError;
use crate::path::RepoPath;
use crate::reference::ReferenceError;
use crate::repo::RepoError;
use crate::search::SearchError;
use crate::select::PatternError;
use crate::source::SourceError;
use crate::tree::TreeError;

/// Why it could not be told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Arguments that make no sense.
    #[error("{0}")]
    Usage(String),
    /// The image argument is not a reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A `FILE` argument is not a pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The image cannot be opened.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A layer cannot be read.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// Files of the image cannot be written to disk.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    /// The image cannot be searched.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The layers make no file system.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The repository cannot be read.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// The configuration file cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Cloud Run or Firestore cannot be asked.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// Nothing says what belongs together.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// A `FILE` argument that names nothing.
    #[error("no file of the image or of the repository matches `{0}`")]
    NoMatch(String),
    /// A `FILE` argument that names git files which lie outside of every mapping.
    #[error("`{0}` is in the repository, but nothing says where it would be in the image")]
    NotMapped(String),
    /// A `FILE` argument that names git files which no build gets to see.
    #[error("`{name}` is in the repository, but {by} keeps it out of builds")]
    Ignored {
        /// As typed.
        name: String,
        /// The `.dockerignore` that does.
        by: RepoPath,
    },
    /// A `FILE` argument that names files of the image alone.
    #[error("`{0}` is in the image, but git has no such file to compare it with")]
    NotInGit(String),
    /// A mapping that led to no comparison.
    #[error("nothing was compared: {} in the image", none_of(*expected))]
    NothingCompared {
        /// Files that were looked for.
        expected: usize,
    },
    /// Files whose form in git only a program of the user's could make.
    #[error("{path}{} could not be judged: the git filter `{filter}` is a program, and none is run", and_others(*count))]
    Filtered {
        /// The first of them.
        path: RepoPath,
        /// The filter of that one.
        filter: String,
        /// How many there are.
        count: usize,
    },
    /// Two images without files.
    #[error("nothing was compared: neither image has files")]
    NoFiles,
    /// A commit none of whose files belongs into the image.
    #[error("nothing was compared: no file that {0} touched belongs into the image")]
    NothingTouched(String),
    /// Files that only the image has.
    #[error("nothing was compared: git has no file that matches")]
    OnlyUntracked,
    /// Several files of the image where one is meant.
    #[error("`{name}` is the name of {} different files: {}", paths.len(), paths.join(", "))]
    AmbiguousName {
        /// As typed.
        name: String,
        /// Where they are.
        paths: Vec<String>,
    },
    /// A file that cannot be read or written.
    #[error("{} cannot be {verb}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A temporary file that cannot be read back.
    #[error("a temporary file with contents of the image cannot be read")]
    Kept(#[source] io::Error),
    /// Standard output or input broke.
    #[error("{stream} broke")]
    Stream {
        /// Which.
        stream: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl From<SourceError> for Error {
    fn from(error: SourceError) -> Self {
        Self::Image(error.into())
    }
}

impl Error {
    /// What kind of failure this is, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Usage(_) | Self::Reference(_) | Self::Pattern(_) => "usage",
            Self::Image(error) => error.kind(),
            Self::Layer(error) => error.kind(),
            Self::Extract(error) => error.kind(),
            Self::Search(error) => error.kind(),
            Self::Tree(_) => "corrupt-image",
            Self::Repo(error) => repo_kind(error),
            Self::Config(_) => "configuration",
            Self::Deploy(error) => error.kind(),
            Self::Mapping(_) | Self::NotMapped(_) | Self::Ignored { .. } => "no-mapping",
            Self::NoMatch(_) | Self::AmbiguousName { .. } => "no-such-file",
            Self::NothingCompared { .. }
            | Self::NothingTouched(_)
            | Self::OnlyUntracked
            | Self::NotInGit(_)
            | Self::NoFiles => "nothing-compared",
            Self::Filtered { .. } => "filtered",
            Self::File { .. } | Self::Kept(_) | Self::Stream { .. } => "io",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Reference(_) => {
                Some("an image is named as in HOST/NAME:TAG, or oci:DIR; see shipproof --help".to_owned())
            }
            Self::Image(error) => error.hint(),
            Self::Layer(error) => error.hint(),
            Self::Tree(TreeError::TooLarge { .. }) => Some(MORE_MEMORY.to_owned()),
            Self::Extract(error) => error.hint(),
            Self::Search(error) => error.hint(),
            Self::Repo(error) => error.hint(),
            Self::Config(error) => error.hint(),
            Self::Deploy(error) => error.hint(),
            Self::Mapping(error) => error.hint(),
            Self::NoMatch(_) => Some("shipproof ls IMAGE lists the files of the image".to_owned()),
            Self::NotMapped(_) => Some("--map IMAGE_DIR=REPO_DIR or --dockerfile FILE says what is where".to_owned()),
            Self::Filtered { .. } => {
                Some("--worktree compares with the checkout, where the filter has been applied".to_owned())
            }
            Self::NothingCompared { .. } | Self::NothingTouched(_) => {
                Some("is the mapping right? --verbose shows it, --map IMAGE_DIR=REPO_DIR sets it".to_owned())
            }
            Self::AmbiguousName { paths, .. } => {
                paths.first().map(|path| format!("name one by its path, such as {path}"))
            }
            _ => None,
        }
    }

    /// The message with its causes, outermost first, each once.
    pub fn chain(&self) -> String {
        chain(self)
    }
}

/// The same of any error.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let message = next.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = next.source();
    }
    text
}

fn and_others(count: usize) -> String {
    if count > 1 { format!(" and {}", counted(count - 1, "other file")) } else { String::new() }
}

fn none_of(expected: usize) -> String {
    if expected == 1 {
        "the only mapped file is not".to_owned()
    } else {
        format!("none of the {expected} mapped files is")
    }
}

fn repo_kind(error: &RepoError) -> &'static str {
    match error {
        RepoError::NoDirectory(_) | RepoError::NotARepository(_) => "no-repository",
        RepoError::UnknownRevision { .. } | RepoError::NotACommit { .. } | RepoError::Unborn(_) => "unknown-revision",
        RepoError::MissingObject { .. } => "missing-object",
        _ => "repository",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_is_no_several() {
        let nothing = |expected| Error::NothingCompared { expected }.to_string();
        assert_eq!(nothing(1), "nothing was compared: the only mapped file is not in the image");
        assert_eq!(nothing(3), "nothing was compared: none of the 3 mapped files is in the image");
        assert_eq!([1, 2, 3].map(and_others), ["", " and 1 other file", " and 2 other files"]);
    }
}
