//! What can be wrong with a layer.

use std::io;

use crate::descriptor::Descriptor;
use crate::digest::LayerDigest;
use crate::path::ImagePath;
use crate::source::{BlobError, SourceError};

/// What to do next where an image has more entries than the memory allows.
pub const MORE_MEMORY: &str = "--memory MIB allows more, for an image that is known to be so large";

/// A layer that could not be read, proven or understood.
#[derive(Debug, thiserror::Error)]
#[error("layer {digest}: {fault}")]
pub struct LayerError {
    /// Which layer.
    pub digest: LayerDigest,
    /// What is wrong.
    #[source]
    pub fault: Box<LayerFault>,
}

/// What is wrong with a layer.
#[derive(Debug, thiserror::Error)]
pub enum LayerFault {
    /// Its bytes could not be had.
    #[error("it cannot be had")]
    Source(#[from] SourceError),
    /// Its bytes ended early or are not the ones promised.
    #[error("its stored bytes cannot be used: {0}")]
    Stored(io::Error),
    /// Its bytes cannot be uncompressed, or are not a tar; see [`TarError`](super::TarError) and
    /// [`CompressionError`](crate::compression::CompressionError) for what lies within.
    #[error("its tar cannot be read: {0}")]
    Tar(io::Error),
    /// The same, in the middle of a file.
    #[error("{path} cannot be read: {source}")]
    Contents {
        /// Which file.
        path: ImagePath,
        /// Why.
        source: io::Error,
    },
    /// More entries than there is memory for.
    #[error("its entries and those of the layers read with it would take up more than {0} bytes")]
    TooLarge(usize),
    /// A whiteout that names nothing that could be removed.
    #[error("whiteout {0} names no file (image-spec layer.md, \"Whiteouts\")")]
    Whiteout(ImagePath),
    /// Contents made to deceive.
    #[error("{0} carries a SHA-1 collision attack")]
    Collision(ImagePath),
    /// The same, where no path is known.
    #[error("it carries a SHA-1 collision attack")]
    Deceit,
    /// A table of contents that lists what is not there.
    #[error("it has not all files that its table of contents lists")]
    Untrue,
    /// Contents that changed between two readings.
    #[error("{0} has other contents than when it was first read")]
    Changed(ImagePath),
    /// Contents that could not be handed on.
    #[error("contents cannot be written: {0}")]
    Write(io::Error),
}

impl LayerError {
    /// What is wrong with `layer`.
    pub(super) fn new(layer: &Descriptor, fault: LayerFault) -> Self {
        Self { digest: layer.layer_digest(), fault: Box::new(fault) }
    }

    /// What kind of failure this is, for machines.
    pub fn kind(&self) -> &'static str {
        match &*self.fault {
            LayerFault::Source(error) => error.kind(),
            LayerFault::Write(_) => "write",
            LayerFault::Stored(error) if error.raw_os_error().is_some() => "read",
            LayerFault::Stored(error) => SourceError::in_reader(error).map_or("corrupt-image", SourceError::kind),
            _ => "corrupt-image",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match &*self.fault {
            LayerFault::Source(error) => error.hint(),
            LayerFault::Stored(error) => SourceError::in_reader(error)
                .and_then(SourceError::hint)
                .or_else(|| BlobError::in_reader(error).map(|error| error.hint().to_owned())),
            LayerFault::TooLarge(_) => Some(MORE_MEMORY.to_owned()),
            _ => None,
        }
    }
}
