//! The contents of chosen files, read again from a layer and handed out only when they are the ones indexed.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek};

use sha2::{Digest as _, Sha256};
use tempfile::SpooledTempFile;

use crate::compression::decompress;
use crate::descriptor::Descriptor;
use crate::limits;
use crate::source::{self, Source};

use super::ahead::BUFFER_BYTES;
use super::tar::{self, HeaderKind, Walk};
use super::{FileContent, LayerError, LayerFault, toc};

/// Reads the files `wanted` (from an index of this layer) and hands each to `deliver` when its SHA-256 is that of
/// the index, which was proven. Stops after the last one.
///
/// # Errors
/// See [`LayerError`]; whatever `deliver` fails with comes back as [`LayerFault::Write`].
pub fn contents(
    source: &dyn Source,
    layer: &Descriptor,
    wanted: &[FileContent],
    deliver: &mut dyn FnMut(&FileContent, &mut dyn Read) -> io::Result<()>,
) -> Result<(), LayerError> {
    let wrap = |fault| LayerError::new(layer, fault);
    let (unplaced, placed): (Vec<_>, Vec<_>) =
        wanted.iter().copied().partition(|content| content.position == FileContent::UNPLACED);
    let unplaced = match unplaced.is_empty() {
        true => unplaced,
        false => toc::contents(source, layer, &unplaced, deliver).map_err(wrap)?,
    };
    if placed.is_empty() && unplaced.is_empty() {
        return Ok(());
    }
    let stored = source::blob(source, layer).map_err(|error| wrap(error.into()))?;
    let plain = decompress(stored).map_err(|error| wrap(LayerFault::Stored(error)))?;
    let plain = BufReader::with_capacity(BUFFER_BYTES, plain);
    let mut left = Left { placed: placed.iter().map(|content| (content.position, content)).collect(), unplaced };
    tar::walk(plain, |position, header, contents| left.visit(position, header, contents, deliver)).map_err(wrap)?;
    if left.unplaced.is_empty() { Ok(()) } else { Err(wrap(LayerFault::Untrue)) }
}

/// Files that a walk over the tar has yet to find.
struct Left<'a> {
    /// By their position.
    placed: BTreeMap<u32, &'a FileContent>,
    /// Somewhere, as a table of contents has it.
    unplaced: Vec<FileContent>,
}

impl Left<'_> {
    fn visit(
        &mut self,
        position: u32,
        header: tar::Header,
        contents: &mut dyn Read,
        deliver: &mut dyn FnMut(&FileContent, &mut dyn Read) -> io::Result<()>,
    ) -> Result<Walk, LayerFault> {
        let broken = |source| LayerFault::Contents { path: header.path.clone(), source };
        if let Some(expected) = self.placed.remove(&position) {
            let proven = prove(expected, contents).map_err(broken)?;
            let mut proven = proven.ok_or(LayerFault::Changed(header.path))?;
            deliver(expected, &mut proven).map_err(LayerFault::Write)?;
        } else if let HeaderKind::Regular { size } = header.kind
            && self.unplaced.iter().any(|content| content.size == size)
        {
            let mut held = Held::default();
            io::copy(contents, &mut held).map_err(broken)?;
            let sha256 = held.sha256();
            if let Some(place) = self.unplaced.iter().position(|content| content.sha256 == sha256) {
                let content = self.unplaced.swap_remove(place);
                let proven = held.proven(&content).map_err(broken)?;
                let mut proven = proven.ok_or(LayerFault::Untrue)?;
                deliver(&content, &mut proven).map_err(LayerFault::Write)?;
            }
        }
        Ok(if self.placed.is_empty() && self.unplaced.is_empty() { Walk::Stop } else { Walk::GoOn })
    }
}

/// Holds contents back, in memory or in an unnamed file, until they are proven.
fn prove(expected: &FileContent, contents: &mut dyn Read) -> io::Result<Option<SpooledTempFile>> {
    let mut held = Held::default();
    io::copy(contents, &mut held)?;
    held.proven(expected)
}

/// Contents that are not proven yet.
pub(super) struct Held {
    spool: SpooledTempFile,
    hasher: Sha256,
}

impl Default for Held {
    fn default() -> Self {
        Self { spool: SpooledTempFile::new(limits::SPOOL_BYTES), hasher: Sha256::new() }
    }
}

impl io::Write for Held {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.spool.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.spool.flush()
    }
}

impl Held {
    /// What they have come to so far.
    fn sha256(&self) -> [u8; 32] {
        self.hasher.clone().finalize().into()
    }

    /// The contents, if they are the ones expected.
    pub(super) fn proven(mut self, expected: &FileContent) -> io::Result<Option<SpooledTempFile>> {
        if <[u8; 32]>::from(self.hasher.finalize()) != expected.sha256 {
            return Ok(None);
        }
        self.spool.rewind()?;
        Ok(Some(self.spool))
    }
}
