//! The form of an entry: which one it is, its blocks, a checksum over all of it.

use std::io::{self, BufReader, Read, Write};

use sha2::{Digest as _, Sha256};

use crate::limits;

use super::Key;

/// What every entry begins with.
const MAGIC: &[u8] = b"shipproof cache 1\n";

/// Writes an entry.
pub(super) fn write(file: impl Write, key: &Key, blocks: impl Iterator<Item = Vec<u8>>) -> io::Result<()> {
    let mut out = Hashed { inner: file, hasher: Sha256::new() };
    out.write_all(MAGIC)?;
    block(&mut out, key.to_string().as_bytes())?;
    blocks.filter(|bytes| !bytes.is_empty()).try_for_each(|bytes| block(&mut out, &bytes))?;
    block(&mut out, b"")?;
    let Hashed { mut inner, hasher } = out;
    inner.write_all(&hasher.finalize())?;
    inner.flush()
}

fn block(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::Error::other("a block is too long"))?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(bytes)
}

/// What `take` makes of the blocks, if this is the entry `key` and whole.
pub(super) fn read<T: Default>(
    file: impl Read,
    key: &Key,
    mut take: impl FnMut(&mut T, &[u8]) -> Option<()>,
) -> Option<T> {
    let mut input = Hashed { inner: BufReader::with_capacity(BUFFER_BYTES, file), hasher: Sha256::new() };
    let mut magic = [0; MAGIC.len()];
    input.read_exact(&mut magic).ok()?;
    let mut bytes = Vec::new();
    input.block(&mut bytes)?;
    if magic != MAGIC || bytes != key.to_string().as_bytes() {
        return None;
    }
    let mut taken = T::default();
    loop {
        input.block(&mut bytes)?;
        if bytes.is_empty() {
            break;
        }
        // Nothing is believed before the checksum, so that whatever this makes of damaged bytes is dropped.
        take(&mut taken, &bytes)?;
    }
    let Hashed { mut inner, hasher } = input;
    let mut rest = Vec::new();
    inner.read_to_end(&mut rest).ok()?;
    (rest == hasher.finalize().as_slice()).then_some(taken)
}

/// Bytes asked of the file at once.
const BUFFER_BYTES: usize = 64 << 10;

/// Something whose bytes are hashed as they pass.
struct Hashed<T> {
    inner: T,
    hasher: Sha256,
}

impl<R: Read> Hashed<R> {
    fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.inner.read_exact(bytes)?;
        self.hasher.update(bytes);
        Ok(())
    }

    fn block(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let mut length = [0; 4];
        self.read_exact(&mut length).ok()?;
        let length = u32::from_le_bytes(length) as usize;
        if length > limits::CACHE_BLOCK_BYTES {
            return None;
        }
        bytes.resize(length, 0);
        self.read_exact(bytes).ok()
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
