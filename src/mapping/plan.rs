//! What a mapping is: what is asked for, and what comes out.

use std::collections::BTreeMap;

use crate::path::{ImagePath, RepoPath};

/// What the user said about the mapping.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `--map`: image directory and repository directory.
    pub maps: Vec<(ImagePath, RepoPath)>,
    /// `--dockerfile`.
    pub dockerfile: Option<GivenDockerfile>,
    /// `--context`.
    pub context: Option<RepoPath>,
}

/// A Dockerfile that the user named.
#[derive(Clone, Debug)]
pub struct GivenDockerfile {
    /// How the user called it.
    pub name: String,
    /// Where it is in the repository, if it is.
    pub path: Option<RepoPath>,
    /// Its text; what the repository has at its path where this is `None`.
    pub text: Option<Vec<u8>>,
}

/// How a mapping was come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MappingOrigin {
    /// `--map`.
    Flag,
    /// A Dockerfile, given or found in the repository.
    Dockerfile,
    /// The image's build history.
    History,
    /// Names and contents.
    Inferred,
}

impl MappingOrigin {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Dockerfile => "dockerfile",
            Self::History => "history",
            Self::Inferred => "inferred",
        }
    }
}

/// One path of the image that stands for one path of the repository: two directories, or two files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The image side.
    pub image: ImagePath,
    /// The repository side.
    pub repo: RepoPath,
    /// How it was come by.
    pub origin: MappingOrigin,
    /// Files below it that are in both places.
    pub files: usize,
    /// Those of them that are equal.
    pub equal: usize,
}

/// A file that should be in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The file of git.
    pub repo: RepoPath,
    /// Whether its absence means anything.
    pub presence: Presence,
}

/// Whether a file has to be in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The build copies it.
    Required,
    /// It is compared if it is there; nothing says that the build copies it.
    IfThere,
}

/// Which file of git should lie where in the image.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The mappings, for people.
    pub mappings: Vec<Mapping>,
    /// Every file that may be compared.
    pub expected: BTreeMap<ImagePath, Expected>,
    /// Image directories that hold what a repository directory holds, and nothing else unless it was generated.
    pub directories: Vec<ImagePath>,
    /// How the mapping was come by, in a few words ("from Dockerfile, which matches the build history").
    pub basis: String,
    /// Whether the steps tell everything that came from the repository.
    pub coverage: Coverage,
    /// The stages that copy, by their names in the Dockerfile; empty where that is not known or one has no name.
    pub stages: Vec<String>,
    /// What was noticed on the way.
    pub warnings: Vec<String>,
    /// Other plans for which as much speaks. Only the comparison can tell whether the image is that of one of them.
    pub rivals: Vec<Plan>,
}

/// How much of an image a plan accounts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coverage {
    /// All that came from the repository.
    #[default]
    Whole,
    /// Some may have come on other ways: from another stage, or by a step that could not be resolved.
    Partial,
}

impl Mapping {
    /// A mapping whose support is counted later.
    pub(super) fn new(image: ImagePath, repo: RepoPath, origin: MappingOrigin) -> Self {
        Self { image, repo, origin, files: 0, equal: 0 }
    }
}
