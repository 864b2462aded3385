//! Why there is nothing to compare.

use crate::path::{ImagePath, RepoPath};

/// Why no mapping between image and repository could be found.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MappingError {
    /// No file says which directories belong together.
    #[error("no directory of the image could be matched with a directory of the repository")]
    NothingInCommon,
    /// Several repository directories would do.
    #[error("{image} could be any of {} of the repository", list(repos))]
    Ambiguous {
        /// The image directory.
        image: ImagePath,
        /// The directories that explain it equally well.
        repos: Vec<RepoPath>,
    },
    /// `--map` names a directory without files.
    #[error("the repository has no files in {0}")]
    NoSuchDirectory(RepoPath),
    /// The Dockerfile cannot be used.
    #[error("{name}: {reason}")]
    Dockerfile {
        /// How the user called it.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

fn list(paths: &[RepoPath]) -> String {
    paths.iter().map(RepoPath::to_string).collect::<Vec<_>>().join(", ")
}

impl MappingError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NothingInCommon => Some(
                "is this the repository that the image was built from? --map IMAGE_DIR=REPO_DIR or --dockerfile FILE says \
                 what is where"
                    .to_owned(),
            ),
            Self::Ambiguous { image, repos } => {
                repos.first().map(|repo| format!("--map {image}={repo} chooses one of them"))
            }
            Self::NoSuchDirectory(_) => Some("the directory is named from the top of the repository; the top is .".to_owned()),
            Self::Dockerfile { .. } => None,
        }
    }
}
