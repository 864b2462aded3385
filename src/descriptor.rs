//! Descriptors: what a manifest says about a blob, with the digest validated.

use std::collections::BTreeMap;

use oci_distribution::manifest::{ImageIndexEntry, OciDescriptor};

use crate::digest::{Digest, DigestError, LayerDigest};
use crate::platform::Platform;

/// A pointer to content: media type, digest and size in bytes (OCI image specification, descriptor.md).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// What the content is.
    pub media_type: String,
    /// The digest of the content's bytes.
    pub digest: Digest,
    /// The number of those bytes.
    pub size: u64,
    /// For an entry of an index: the platform it is for.
    pub platform: Option<Platform>,
    /// Free notes; builders mark attestations with them.
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// The digest as that of a layer.
    pub fn layer_digest(&self) -> LayerDigest {
        LayerDigest(self.digest.clone())
    }
}

/// Why an entry of a manifest is not a usable descriptor.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DescriptorError {
    /// The digest is malformed or of an unknown algorithm.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The size is negative.
    #[error("descriptor {0} has a negative size")]
    Size(String),
}

impl TryFrom<OciDescriptor> for Descriptor {
    type Error = DescriptorError;

    fn try_from(raw: OciDescriptor) -> Result<Self, DescriptorError> {
        Ok(Self {
            digest: raw.digest.parse()?,
            size: u64::try_from(raw.size).map_err(|_| DescriptorError::Size(raw.digest))?,
            media_type: raw.media_type,
            platform: None,
            annotations: raw.annotations.unwrap_or_default(),
        })
    }
}

impl TryFrom<ImageIndexEntry> for Descriptor {
    type Error = DescriptorError;

    fn try_from(raw: ImageIndexEntry) -> Result<Self, DescriptorError> {
        Ok(Self {
            digest: raw.digest.parse()?,
            size: u64::try_from(raw.size).map_err(|_| DescriptorError::Size(raw.digest))?,
            media_type: raw.media_type,
            platform: raw.platform.map(|platform| Platform {
                os: platform.os.to_string(),
                architecture: platform.architecture.to_string(),
                variant: platform.variant,
            }),
            annotations: raw.annotations.unwrap_or_default(),
        })
    }
}
