//! A place in memory for the tests of what reads layers.

use std::io::{Cursor, Read};
use std::ops::Range;
use std::sync::Mutex;

use crate::descriptor::Descriptor;
use crate::digest::Digest;

use super::{RawManifest, Source, SourceError};

/// A place with one blob, whatever is asked for.
pub(crate) struct OneBlob {
    pub(crate) stored: Vec<u8>,
    asked: Mutex<Vec<Range<u64>>>,
}

impl OneBlob {
    /// With these bytes.
    pub(crate) fn new(stored: Vec<u8>) -> Self {
        Self { stored, asked: Mutex::default() }
    }

    /// The parts that were asked for since the last call.
    pub(crate) fn asked(&self) -> Vec<Range<u64>> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl Source for OneBlob {
    fn root(&self) -> Result<RawManifest, SourceError> {
        unreachable!("nobody asks for a manifest")
    }

    fn manifest(&self, _: &Descriptor) -> Result<Vec<u8>, SourceError> {
        unreachable!("nobody asks for a manifest")
    }

    fn blob(&self, _: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        Ok(Box::new(Cursor::new(self.stored.clone())))
    }

    fn range(&self, _: &Descriptor, range: &Range<u64>) -> Result<Option<Vec<u8>>, SourceError> {
        self.asked.lock().unwrap().push(range.clone());
        let at = |position: u64| usize::try_from(position).unwrap();
        Ok(self.stored.get(at(range.start)..at(range.end)).map(<[u8]>::to_vec))
    }

    fn pinned(&self, digest: &Digest) -> String {
        digest.to_string()
    }
}
