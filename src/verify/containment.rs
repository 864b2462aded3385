//! The words for whether a commit's change is in an image.

use crate::image;
use crate::path::{ImagePath, RepoPath};
use crate::platform::Platform;
use crate::repo::Commit;

/// Which version of a file an image holds, seen from a commit that touched it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// The commit's own.
    Same,
    /// One that a later commit made, built upon this one.
    Later,
    /// One from before the commit.
    Before,
    /// One from before, to which a later commit has gone back.
    Reverted,
    /// One that was made apart from the commit, on another branch.
    Apart,
    /// One that is in no commit looked at.
    Unknown,
}

impl Held {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Later => "later",
            Self::Before => "before",
            Self::Reverted => "reverted",
            Self::Apart => "apart",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the change is in the file; `None` where that cannot be told.
    pub fn contains(self) -> Option<bool> {
        match self {
            Self::Same | Self::Later => Some(true),
            Self::Before | Self::Reverted | Self::Apart => Some(false),
            Self::Unknown => None,
        }
    }
}

/// A file that the commit touched, and what the image has of it.
#[derive(Clone, Debug)]
pub struct TouchedFile {
    /// The platform of the image.
    pub platform: Platform,
    /// Where git has it, or had it before the commit deleted it.
    pub repo: RepoPath,
    /// Where it is in the image, or should be.
    pub image: ImagePath,
    /// Which version is there.
    pub held: Held,
    /// The newest commit that has this version there.
    pub commit: Option<Commit>,
}

/// Whether all of a change is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contained {
    /// In every file.
    Whole,
    /// In some files.
    Part,
    /// In no file.
    Not,
    /// In none that could be told, or not in any that is not clear.
    Unknown,
}

impl Contained {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "contains",
            Self::Part => "partly",
            Self::Not => "lacks",
            Self::Unknown => "unknown",
        }
    }
}

/// What came of the question.
#[derive(Clone, Debug)]
pub struct Containment {
    /// What the reference led to.
    pub opened: image::Opened,
    /// The revision that the mapping is of; `None` of a work tree without commits.
    pub asked: Option<Commit>,
    /// The commit.
    pub commit: Commit,
    /// The files that it touched and that belong into the image.
    pub files: Vec<TouchedFile>,
    /// Those that do not.
    pub unmapped: Vec<RepoPath>,
    /// What was noticed on the way.
    pub warnings: Vec<String>,
    /// Why tables of contents that were to be trusted were not used.
    pub refused: Vec<String>,
}

impl Containment {
    /// The answer.
    pub fn verdict(&self) -> Contained {
        let count = |wanted: Option<bool>| self.files.iter().filter(|file| file.held.contains() == wanted).count();
        match (count(Some(true)), count(Some(false)), count(None)) {
            (0, 0, _) => Contained::Unknown,
            (_, 0, 0) => Contained::Whole,
            (_, 0, _) => Contained::Unknown,
            (0, _, _) => Contained::Not,
            _ => Contained::Part,
        }
    }
}
