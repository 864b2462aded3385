//! The end of streams that unpack to more than they should.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;

use crate::limits;

use super::CompressionError;

/// A reader that counts what is taken from it.
pub(super) struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    /// Counts from here on.
    pub(super) fn new(inner: R) -> Self {
        Self { inner, count: Arc::default() }
    }

    /// The count, which goes on.
    pub(super) fn count(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.count)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// How much may come out.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Bytes, whatever goes in.
    pub(super) free: u64,
    /// Times what went in.
    pub(super) ratio: u64,
    /// Bytes at the most.
    pub(super) most: u64,
}

/// What [`limits`] has.
pub(super) const BOUNDS: Bounds =
    Bounds { free: limits::UNPACKED_BYTES_FREE, ratio: limits::UNPACKED_RATIO, most: limits::UNPACKED_BYTES };

/// A decoder that ends in an error when more comes out of it than what went in allows.
pub(super) struct Bounded<R> {
    decoder: R,
    bounds: Bounds,
    stored: Arc<AtomicU64>,
    unpacked: u64,
}

impl<R> Bounded<R> {
    /// Bounds `decoder`, which reads what `stored` counts.
    pub(super) fn new(decoder: R, stored: Arc<AtomicU64>, bounds: Bounds) -> Self {
        Self { decoder, bounds, stored, unpacked: 0 }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.decoder.read(buffer).map_err(named)?;
        self.unpacked += count as u64;
        let stored = self.stored.load(Ordering::Relaxed);
        let limit = self.bounds.free.max(stored.saturating_mul(self.bounds.ratio)).min(self.bounds.most);
        if self.unpacked > limit {
            return Err(CompressionError::Bomb { limit, stored }.into());
        }
        Ok(count)
    }
}

fn named(error: io::Error) -> io::Error {
    let zstd = error.get_ref().and_then(|error| error.downcast_ref::<zstd::Error>());
    match zstd {
        Some(zstd) if zstd.is(ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge) => {
            CompressionError::Window.into()
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_streams_may_grow_and_endless_ones_end() {
        let table = [
            (10, 0, Ok(10)),
            (100, 0, Ok(100)),
            (101, 0, Err("more than 100 bytes, from 1 stored")),
            (300, 30, Ok(300)),
            (301, 30, Err("more than 300 bytes, from 30 stored")),
            (1000, 1000, Ok(1000)),
            (1001, 1000, Err("more than 1000 bytes, from 1000 stored")),
        ];
        for (unpacked, stored, expected) in table {
            let mut counted = Counted::new(io::repeat(0).take(stored.max(1)));
            let count = counted.count();
            io::copy(&mut counted, &mut io::sink()).unwrap();
            let bounds = Bounds { free: 100, ratio: 10, most: 1000 };
            let mut bounded = Bounded::new(io::repeat(7).take(unpacked), count, bounds);
            let outcome = io::copy(&mut bounded, &mut io::sink()).map_err(|error| error.to_string());
            match expected {
                Ok(count) => assert_eq!(outcome, Ok(count)),
                Err(part) => assert!(outcome.is_err_and(|error| error.contains(part)), "{part}"),
            }
        }
    }

    #[test]
    fn ten_gigabytes_of_zeros_are_no_bomb() {
        let fits = |stored: u64, unpacked: u64| unpacked <= BOUNDS.free.max(stored * BOUNDS.ratio).min(BOUNDS.most);
        assert!(fits(10_000_000, 10_000_000_000), "gzip");
        assert!(fits(330_000, 10_000_000_000), "zstd");
        assert!(fits(60_000_000, 60_000_000 * 1032), "as much as DEFLATE can");
        assert!(!fits(10_000_000, 10_000_000 * 32_000));
        assert!(!fits(1 << 40, u64::MAX));
    }
}
