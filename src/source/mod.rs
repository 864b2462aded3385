//! Where an image comes from: one narrow trait, and one file for each place.
//!
//! A source hands out bytes by descriptor. It is synchronous, whatever lies behind it, so that everything above
//! can be tested with byte slices. No source may be believed: [`manifest`] and [`blob`] wrap what it hands out in
//! the check of size and digest, and nothing else in the program asks it for content, but for parts of layers whose
//! table of contents has the digests of what is in them.

mod archive;
mod daemon;
mod docker_archive;
mod error;
mod layout;
mod names;
mod notice;
mod registry;
mod remembered;
#[cfg(test)]
pub(crate) mod testing;
mod verified;

use std::io::Read;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use crate::auth;
use crate::cache::Cache;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::limits;
use crate::reference::ImageRef;

pub use archive::tar_reason;
pub use error::SourceError;
pub use notice::{Notice, Observer};
pub use verified::{BlobError, Verified};

/// A place that holds one image.
pub trait Source: Send + Sync {
    /// The manifest or index that the reference leads to. A tag is resolved here, once.
    ///
    /// # Errors
    /// See [`SourceError`].
    fn root(&self) -> Result<RawManifest, SourceError>;

    /// The bytes of a manifest that an index lists.
    ///
    /// # Errors
    /// See [`SourceError`].
    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError>;

    /// The bytes of a blob, as stored.
    ///
    /// # Errors
    /// See [`SourceError`]; what goes wrong later comes out of the reads.
    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError>;

    /// The bytes of a blob that is read whole, such as a configuration.
    ///
    /// # Errors
    /// See [`SourceError`]; what goes wrong later comes out of the reads.
    fn document(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        self.blob(descriptor)
    }

    /// A part of a blob's bytes, as stored; `None` where the place hands out whole blobs only. Nothing proves it.
    ///
    /// # Errors
    /// See [`SourceError`].
    fn range(&self, _descriptor: &Descriptor, _range: &Range<u64>) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(None)
    }

    /// What [`keep`](Self::keep) was given under `digest`, perhaps by another process. Nothing proves it.
    fn kept(&self, _digest: &Digest) -> Option<Vec<u8>> {
        None
    }

    /// Keeps `bytes` for the next time, where there is a cache.
    fn keep(&self, _digest: &Digest, _bytes: &[u8]) {}

    /// The index of what refers to the manifest with this digest (signatures, provenance), where the place keeps such
    /// an index. Nothing proves it; what it lists is proven as everything else.
    ///
    /// # Errors
    /// See [`SourceError`].
    fn referrers(&self, _digest: &Digest) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(None)
    }

    /// Whether a manifest that an index lists is there at all; archives often hold one platform of several.
    fn has(&self, _manifest: &Descriptor) -> bool {
        true
    }

    /// What the place wanted people to know, so far.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// A name for the image that cannot come to mean another one.
    fn pinned(&self, digest: &Digest) -> String;
}

/// A root manifest as it was received.
#[derive(Clone, Debug)]
pub struct RawManifest {
    /// The manifest's bytes.
    pub bytes: Vec<u8>,
    /// What names the image: the digest of those bytes or, where the place keeps no manifests (`docker save` of
    /// old), the image id.
    pub digest: Digest,
}

/// What opening a source needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The runtime on which network requests are carried out.
    pub runtime: tokio::runtime::Handle,
    /// Where credentials may be found.
    pub credentials: auth::Environment,
    /// Encryption of connections to registries.
    pub tls: Tls,
    /// Seconds without a byte after which a connection counts as broken.
    pub timeout: Duration,
    /// `DOCKER_HOST`, where set.
    pub docker_host: Option<String>,
    /// Who is told of warnings and of repeated tries.
    pub observer: Observer,
    /// Where manifests and configurations of registries are kept.
    pub cache: Cache,
}

/// Encryption of connections to registries.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Whether and how certificates are checked.
    pub mode: TlsMode,
    /// A file of further certificate authorities (PEM).
    pub ca_file: Option<PathBuf>,
}

/// Whether connections are encrypted, and certificates checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// https, and plain http for registries on this machine.
    #[default]
    Verify,
    /// https with any certificate.
    SkipVerify,
    /// http.
    Plain,
}

/// Opens the place that `reference` names. Nothing is asked of a registry yet.
///
/// # Errors
/// See [`SourceError`]: a missing file, a file of another kind, a daemon that does not answer.
pub fn open(reference: &ImageRef, options: &Options) -> Result<Box<dyn Source>, SourceError> {
    Ok(match reference {
        ImageRef::Registry(name) => {
            let registry = registry::Registry::open(name, options)?;
            Box::new(remembered::Remembered::new(registry, options.cache.clone()))
        }
        ImageRef::Layout(file) => Box::new(layout::Layout::directory(file)?),
        ImageRef::OciArchive(file) => Box::new(layout::Layout::archive(file)?),
        ImageRef::DockerArchive(file) => docker_archive::open(file)?,
        ImageRef::DockerDaemon(name) => daemon::open(name, options)?,
    })
}

/// The manifest that an index lists as `descriptor`, proven.
///
/// # Errors
/// See [`SourceError`].
pub fn manifest(source: &dyn Source, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
    check_size("manifest", descriptor, limits::MANIFEST_BYTES)?;
    let bytes = source.manifest(descriptor)?;
    verified::check(descriptor, &bytes)?;
    Ok(bytes)
}

/// The configuration `descriptor`, whole and proven.
///
/// # Errors
/// See [`SourceError`].
pub fn config(source: &dyn Source, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
    document(source, descriptor, "configuration", limits::CONFIG_BYTES)
}

/// The attestation `descriptor`, whole and proven.
///
/// # Errors
/// See [`SourceError`].
pub fn attestation(source: &dyn Source, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
    document(source, descriptor, "attestation", limits::ATTESTATION_BYTES)
}

fn document(
    source: &dyn Source,
    descriptor: &Descriptor,
    what: &'static str,
    limit: u64,
) -> Result<Vec<u8>, SourceError> {
    check_size(what, descriptor, limit)?;
    let mut bytes = Vec::new();
    let mut document = Verified::new(source.document(descriptor)?, descriptor);
    document.read_to_end(&mut bytes).map_err(|error| SourceError::read(descriptor, error))?;
    Ok(bytes)
}

/// The blob `descriptor` in a reader that cannot be used up without the check.
///
/// # Errors
/// See [`SourceError`].
pub fn blob(source: &dyn Source, descriptor: &Descriptor) -> Result<Verified<Box<dyn Read + Send>>, SourceError> {
    Ok(Verified::new(source.blob(descriptor)?, descriptor))
}

/// The part `range` of the blob `descriptor`, whole; `None` where it cannot be had. Whoever asks has to prove it.
///
/// # Errors
/// See [`SourceError`]; a part that is larger than [`limits::RANGE_BYTES`] is one.
pub fn range(source: &dyn Source, descriptor: &Descriptor, range: &Range<u64>) -> Result<Option<Vec<u8>>, SourceError> {
    let Some(length) = range.end.checked_sub(range.start).filter(|_| range.end <= descriptor.size) else {
        return Ok(None);
    };
    if length > limits::RANGE_BYTES {
        return Err(SourceError::TooLarge {
            what: format!("part of {}", descriptor.digest),
            limit: limits::RANGE_BYTES,
        });
    }
    Ok(source.range(descriptor, range)?.filter(|bytes| bytes.len() as u64 == length))
}

fn check_size(what: &'static str, descriptor: &Descriptor, limit: u64) -> Result<(), SourceError> {
    if descriptor.size > limit {
        return Err(SourceError::TooLarge { what: format!("{what} {}", descriptor.digest), limit });
    }
    Ok(())
}
