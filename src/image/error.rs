//! What can be wrong with an image.

use crate::platform::Platform;
use crate::source::SourceError;

use super::ManifestError;

/// Why there is no image to look into.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Its bytes could not be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The manifest is not that of an image.
    #[error("{digest}: {reason}")]
    Manifest {
        /// Which manifest.
        digest: String,
        /// What is wrong.
        reason: ManifestError,
    },
    /// The configuration is not that of an image.
    #[error("image configuration {digest} is malformed: {reason}")]
    Config {
        /// Which configuration.
        digest: String,
        /// What is wrong.
        reason: serde_json::Error,
    },
    /// Indexes within indexes without end.
    #[error("index {0} is nested too deeply")]
    Nested(String),
    /// An index without a runnable image.
    #[error("{0} holds no image that could run")]
    NoImage(String),
    /// A platform that is not on offer.
    #[error("there is no image for {wanted} (on offer: {})", offered.join(", "))]
    Platform {
        /// What was asked for.
        wanted: Platform,
        /// What there is.
        offered: Vec<String>,
    },
}

impl ImageError {
    /// What kind of failure this is, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Source(error) => error.kind(),
            Self::Manifest { reason: ManifestError::Artifact(_) | ManifestError::Schema1, .. } => "not-an-image",
            Self::Manifest { .. } | Self::Config { .. } | Self::Nested(_) => "corrupt-image",
            Self::NoImage(_) => "not-an-image",
            Self::Platform { .. } => "no-platform",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Source(error) => error.hint(),
            Self::Manifest { reason: ManifestError::Schema1, .. } => Some(
                "push the image again with a builder of this decade; schema 1 holds no digest of its configuration"
                    .into(),
            ),
            Self::Manifest { reason: ManifestError::Artifact(_), .. } => {
                Some("name the image that the artifact belongs to".into())
            }
            Self::Platform { offered, .. } => offered.first().map(|platform| format!("--platform {platform}")),
            _ => None,
        }
    }
}
