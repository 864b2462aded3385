//! What can stand in the way of files on their way to a disk.

use std::io;
use std::path::PathBuf;

use crate::layer::LayerError;
use crate::path::ImagePath;

/// Files that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// Nothing among what was named can be written.
    #[error("nothing to write: {0} is neither a file nor a directory nor a symbolic link")]
    OnlySpecial(ImagePath),
    /// The directory to write to cannot be made or opened.
    #[error("{} cannot be used: {source}", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Files that are there already.
    #[error("{first}{} in {} already", others(*count), directory.display())]
    Exists {
        /// The directory.
        directory: PathBuf,
        /// The first of them.
        first: ImagePath,
        /// How many there are.
        count: usize,
    },
    /// Something that is never replaced or followed.
    #[error("{path} cannot be written to {}: {obstacle} is {what} there", directory.display())]
    Blocked {
        /// The directory.
        directory: PathBuf,
        /// What was to be written.
        path: ImagePath,
        /// What stands in the way: the path itself, or one of its parents.
        obstacle: ImagePath,
        /// What it is, such as `a symbolic link`.
        what: &'static str,
    },
    /// The disk, or the rules of its file system.
    #[error("{path} cannot be written to {}: {source}", directory.display())]
    Write {
        /// The directory.
        directory: PathBuf,
        /// What was to be written.
        path: ImagePath,
        /// Why.
        source: io::Error,
    },
    /// The contents could not be had.
    #[error(transparent)]
    Layer(#[from] LayerError),
}

impl ExtractError {
    /// What kind of failure this is, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::OnlySpecial(_) => "usage",
            Self::Exists { .. } | Self::Blocked { .. } => "in-the-way",
            Self::Directory { .. } | Self::Write { .. } => "io",
            Self::Layer(error) => error.kind(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { .. } => Some("--force overwrites files, or choose another directory".to_owned()),
            Self::Blocked { .. } => Some("remove it, or choose another directory".to_owned()),
            Self::Layer(error) => error.hint(),
            _ => None,
        }
    }
}

fn others(count: usize) -> String {
    match count {
        1 => " is".to_owned(),
        2 => " and another are".to_owned(),
        _ => format!(" and {} others are", count - 1),
    }
}
