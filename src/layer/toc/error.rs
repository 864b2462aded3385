//! Why a table of contents is not used. None of it is an error of the layer, which can be read whole.

use std::io;

use crate::layer::LayerFault;
use crate::source::SourceError;

/// Why a table of contents is not used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// An annotation is missing or malformed.
    #[error("its annotations do not say where its table is, and which")]
    Annotation,
    /// No table where one should be.
    #[error("it has no table where its annotations or its end say")]
    NoTable,
    /// Other bytes than the annotation promised.
    #[error("its table has another digest than its annotation says")]
    Digest,
    /// A place that the layer does not have.
    #[error("its table leads outside of it")]
    Outside,
    /// More than is held in memory.
    #[error("its table is too large")]
    TooLarge,
    /// Compression or tar that cannot be read.
    #[error("its table cannot be read: {0}")]
    Unreadable(io::Error),
    /// No table of a known form.
    #[error("its table is not understood: {0}")]
    Json(#[from] serde_json::Error),
    /// Something in it cannot be, or is said in two ways.
    #[error("its table is inconsistent: {name} {what}")]
    Entry {
        /// Of which entry.
        name: String,
        /// What.
        what: &'static str,
    },
    /// The place hands out whole layers only.
    #[error("no parts of it can be had")]
    NoParts,
    /// The place does not answer.
    #[error("its table cannot be had")]
    Source(#[from] SourceError),
    /// What no layer may say.
    #[error(transparent)]
    Layer(#[from] LayerFault),
}
