//! gzip with all that real layers have of it: several members, and zeros after the last one.
//!
//! Runtimes do not agree about what follows the last member. `unpigz`, which Docker and containerd prefer, warns and
//! ignores anything; Go's compress/gzip, which Podman and umoci use, fails on anything (both measured). Layers with
//! trailing NULs are found in the wild (opencontainers/umoci#358). They cannot be taken for content by anybody, so
//! they are accepted; everything else is an error, because it may be content to somebody.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::CompressionError;

/// The first byte of a member.
const MEMBER: u8 = 0x1f;

/// The contents of all members, one after another.
pub(super) struct Members<R> {
    decoder: GzDecoder<Slot<R>>,
}

impl<R: BufRead> Members<R> {
    /// Reads the first member's header.
    pub(super) fn new(stored: R) -> Self {
        Self { decoder: GzDecoder::new(Slot(Some(stored))) }
    }

    /// After a member: whether another one follows, which is begun then.
    fn next_member(&mut self) -> io::Result<bool> {
        let stored = self.decoder.get_mut();
        match stored.fill_buf()?.first() {
            None => Ok(false),
            Some(&MEMBER) => {
                let stored = self.decoder.reset(Slot(None));
                self.decoder.reset(stored);
                Ok(true)
            }
            Some(_) => only_zeros(stored).map(|()| false),
        }
    }
}

fn only_zeros(rest: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = rest.fill_buf()?;
        if bytes.iter().any(|&byte| byte != 0) {
            return Err(CompressionError::TrailingBytes.into());
        }
        let count = bytes.len();
        if count == 0 {
            return Ok(());
        }
        rest.consume(count);
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() || !self.next_member()? {
                return Ok(count);
            }
        }
    }
}

/// A reader that can be taken out of the decoder and put back, which begins a member without a new decoder.
struct Slot<R>(Option<R>);

impl<R: BufRead> Read for Slot<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.as_mut().map_or(Ok(0), |reader| reader.read(buffer))
    }
}

impl<R: BufRead> BufRead for Slot<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.as_mut().map_or(Ok(&[]), BufRead::fill_buf)
    }

    fn consume(&mut self, count: usize) {
        if let Some(reader) = &mut self.0 {
            reader.consume(count);
        }
    }
}
