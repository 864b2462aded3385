//! The contents of chosen files, read again from a layer and handed out only when they are the ones indexed.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek, Write as _};

use sha2::{Digest as _, Sha256};
use tempfile::SpooledTempFile;

use crate::compression::decompress;
use crate::descriptor::Descriptor;
use crate::digest::LayerDigest;
use crate::limits;
use crate::source::{self, Source};

use super::ahead::BUFFER_BYTES;
use super::tar::{self, Walk};
use super::{FileContent, LayerError, LayerFault};

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
    let wrap = |fault: LayerFault| LayerError { digest: LayerDigest(layer.digest.clone()), fault: Box::new(fault) };
    let stored = source::blob(source, layer).map_err(|error| wrap(error.into()))?;
    let plain = decompress(stored).map_err(|error| wrap(LayerFault::Stored(error)))?;
    let mut left: BTreeMap<u32, &FileContent> = wanted.iter().map(|content| (content.position, content)).collect();
    let walked = tar::walk(BufReader::with_capacity(BUFFER_BYTES, plain), |position, header, contents| {
        let Some(expected) = left.remove(&position) else { return Ok(Walk::GoOn) };
        let proven = prove(expected, contents);
        let proven = proven.map_err(|source| LayerFault::Contents { path: header.path.clone(), source })?;
        let mut proven = proven.ok_or(LayerFault::Changed(header.path))?;
        deliver(expected, &mut proven).map_err(LayerFault::Write)?;
        Ok(if left.is_empty() { Walk::Stop } else { Walk::GoOn })
    });
    walked.map_err(wrap)
}

/// Holds contents back, in memory or in an unnamed file, until they are proven.
fn prove(expected: &FileContent, contents: &mut dyn Read) -> io::Result<Option<SpooledTempFile>> {
    let mut spool = SpooledTempFile::new(limits::SPOOL_BYTES);
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = contents.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        spool.write_all(&buffer[..count])?;
    }
    if <[u8; 32]>::from(hasher.finalize()) != expected.sha256 {
        return Ok(None);
    }
    spool.rewind()?;
    Ok(Some(spool))
}
