//! Images that are read in process, from memory.

use std::io::{Cursor, Read};

use shipproof::descriptor::Descriptor;
use shipproof::digest::Digest;
use shipproof::source::{RawManifest, Source, SourceError};

use super::images::{Image, Layout};

/// An image in memory.
pub(crate) struct Memory {
    layout: Layout,
    root: String,
}

impl Memory {
    /// The source of `image`.
    pub(crate) fn of(image: &Image) -> Self {
        let mut layout = Layout::new();
        let root = layout.tag("v1", image);
        Self { layout, root }
    }

    fn bytes(&self, digest: &Digest) -> Vec<u8> {
        self.layout.blob(&digest.to_string()).to_vec()
    }
}

impl Source for Memory {
    fn root(&self) -> Result<RawManifest, SourceError> {
        let digest: Digest = self.root.parse().expect("the digest of a blob");
        Ok(RawManifest { bytes: self.bytes(&digest), digest })
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        Ok(self.bytes(&descriptor.digest))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        Ok(Box::new(Cursor::new(self.bytes(&descriptor.digest))))
    }

    fn pinned(&self, digest: &Digest) -> String {
        format!("memory@{digest}")
    }
}
