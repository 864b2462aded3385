//! A place whose manifests and configurations are asked for once.

use std::io::{self, Read};

use crate::cache::{Cache, Key, Kind};
use crate::descriptor::Descriptor;
use crate::digest::Digest;

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

    /// The document from the cache, or from where `ask` has it, which is kept if it is the right one.
    fn kept(
        &self,
        descriptor: &Descriptor,
        ask: impl FnOnce() -> Result<Vec<u8>, SourceError>,
    ) -> Result<Vec<u8>, SourceError> {
        let key = Key { kind: Kind::Document, digest: descriptor.digest.clone() };
        let kept = self.cache.read(&key, |bytes: &mut Vec<u8>, block| {
            bytes.extend_from_slice(block);
            Some(())
        });
        if let Some(kept) = kept.filter(|bytes| verified::check(descriptor, bytes).is_ok()) {
            return Ok(kept);
        }
        let bytes = ask()?;
        if verified::check(descriptor, &bytes).is_ok() {
            self.cache.write(&key, std::iter::once(bytes.clone()));
        }
        Ok(bytes)
    }
}

impl<S: Source> Source for Remembered<S> {
    fn root(&self) -> Result<RawManifest, SourceError> {
        self.place.root()
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        self.kept(descriptor, || self.place.manifest(descriptor))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        self.place.blob(descriptor)
    }

    fn document(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        let bytes = self.kept(descriptor, || {
            let mut bytes = Vec::new();
            let read = blob(&self.place, descriptor)?.read_to_end(&mut bytes);
            read.map_err(|error| SourceError::read(descriptor, error))?;
            Ok(bytes)
        })?;
        Ok(Box::new(io::Cursor::new(bytes)))
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
