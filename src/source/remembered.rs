//! A place whose manifests and configurations are asked for once.

use std::io::{self, Read};
use std::ops::Range;

use crate::cache::{Cache, Key, Kind};
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::limits;

use super::{RawManifest, Source, SourceError, blob, verified};

/// A place, and what is kept of it. What a reference leads to is asked for each time: a tag may have moved, and an image
/// that is named by its digest may be gone.
pub(super) struct Remembered<S> {
    place: S,
    cache: Cache,
}

impl<S: Source> Remembered<S> {
    /// Keeps the documents of `place` in `cache`.
    pub(super) fn new(place: S, cache: Cache) -> Self {
        Self { place, cache }
    }

    fn in_cache(&self, digest: &Digest) -> Option<Vec<u8>> {
        let key = Key { kind: Kind::Document, digest: digest.clone() };
        self.cache.read(&key, |bytes: &mut Vec<u8>, block| {
            bytes.extend_from_slice(block);
            Some(())
        })
    }

    /// The document from the cache, or from where `ask` has it, which is kept if it is the right one.
    fn remembered(
        &self,
        descriptor: &Descriptor,
        ask: impl FnOnce() -> Result<Vec<u8>, SourceError>,
    ) -> Result<Vec<u8>, SourceError> {
        if let Some(kept) = self.in_cache(&descriptor.digest).filter(|bytes| verified::check(descriptor, bytes).is_ok())
        {
            return Ok(kept);
        }
        let bytes = ask()?;
        if verified::check(descriptor, &bytes).is_ok() {
            self.keep(&descriptor.digest, &bytes);
        }
        Ok(bytes)
    }
}

impl<S: Source> Source for Remembered<S> {
    fn root(&self) -> Result<RawManifest, SourceError> {
        self.place.root()
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        self.remembered(descriptor, || self.place.manifest(descriptor))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        self.place.blob(descriptor)
    }

    fn document(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        let bytes = self.remembered(descriptor, || {
            let mut bytes = Vec::new();
            let read = blob(&self.place, descriptor)?.read_to_end(&mut bytes);
            read.map_err(|error| SourceError::read(descriptor, error))?;
            Ok(bytes)
        })?;
        Ok(Box::new(io::Cursor::new(bytes)))
    }

    fn range(&self, descriptor: &Descriptor, range: &Range<u64>) -> Result<Option<Vec<u8>>, SourceError> {
        self.place.range(descriptor, range)
    }

    fn kept(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.in_cache(digest)
    }

    fn keep(&self, digest: &Digest, bytes: &[u8]) {
        let blocks = bytes.chunks(limits::CACHE_BLOCK_BYTES).map(<[u8]>::to_vec);
        self.cache.write(&Key { kind: Kind::Document, digest: digest.clone() }, blocks);
    }

    fn referrers(&self, digest: &Digest) -> Result<Option<Vec<u8>>, SourceError> {
        self.place.referrers(digest)
    }

    fn has(&self, manifest: &Descriptor) -> bool {
        self.place.has(manifest)
    }

    fn warnings(&self) -> Vec<String> {
        self.place.warnings()
    }

    fn pinned(&self, digest: &Digest) -> String {
        self.place.pinned(digest)
    }
}
