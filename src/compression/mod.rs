//! Compression of layers and archives. Magic bytes decide; what a media type says is not believed.

mod bounded;
mod gzip;

use std::io::{self, BufReader, Read};

use crate::limits;

use self::bounded::{BOUNDS, Bounded, Counted};
use self::gzip::Members;

/// How a stream of bytes is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, of one or more members (RFC 1952).
    Gzip,
    /// Zstandard, of one or more frames (RFC 8878).
    Zstd,
}

/// Bytes asked of the source at once; smaller reads cost inflating a sixth of its speed.
const BUFFER_BYTES: usize = 64 << 10;

/// Bytes that tell one compression from another.
const MAGIC_BYTES: u64 = 4;

impl Compression {
    /// Tells the compression from the first bytes of a stream.
    pub fn of(start: &[u8]) -> Self {
        const GZIP: &[u8] = &[0x1f, 0x8b];
        const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
        if start.starts_with(GZIP) {
            Self::Gzip
        } else if start.starts_with(ZSTD) || is_skippable_frame(start) {
            Self::Zstd
        } else {
            Self::None
        }
    }
}

/// RFC 8878 section 3.1.2: magic numbers 0x184D2A50 to 0x184D2A5F, little-endian. zstd:chunked and pzstd start so.
fn is_skippable_frame(start: &[u8]) -> bool {
    matches!(start, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Why bytes are not unpacked, or no further.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CompressionError {
    /// More than anything honest unpacks to.
    #[error("it unpacks to more than {limit} bytes, from {stored} stored ones")]
    Bomb {
        /// The cap, in bytes.
        limit: u64,
        /// Bytes read until there.
        stored: u64,
    },
    /// A frame for whose decoding too much memory is needed.
    #[error("a zstd frame needs a window of more than {} MiB", (1_u64 << limits::ZSTD_WINDOW_LOG) >> 20)]
    Window,
    /// Something that is neither gzip nor padding.
    #[error("something other than gzip follows its end")]
    TrailingBytes,
}

impl From<CompressionError> for io::Error {
    fn from(error: CompressionError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// The uncompressed bytes of `reader`, whatever its compression.
///
/// # Errors
/// What reading the first bytes fails with; corrupt data and [`CompressionError`]s come later, in the reads.
pub fn decompress<'r, R: Read + Send + 'r>(mut reader: R) -> io::Result<Box<dyn Read + Send + 'r>> {
    let mut start = Vec::with_capacity(MAGIC_BYTES as usize);
    reader.by_ref().take(MAGIC_BYTES).read_to_end(&mut start)?;
    let compression = Compression::of(&start);
    let stored = Counted::new(io::Cursor::new(start).chain(reader));
    let count = stored.count();
    let stored = BufReader::with_capacity(BUFFER_BYTES, stored);
    Ok(match compression {
        Compression::None => Box::new(stored),
        Compression::Gzip => Box::new(Bounded::new(Members::new(stored), count, BOUNDS)),
        Compression::Zstd => {
            let mut frames = zstd::stream::read::Decoder::with_buffer(stored)?;
            frames.window_log_max(limits::ZSTD_WINDOW_LOG)?;
            Box::new(Bounded::new(frames, count, BOUNDS))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd_frame(bytes: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(bytes, 1).unwrap()
    }

    #[test]
    fn all_members_and_frames_are_read() {
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9].to_vec();
        let table = [
            b"onetwo".to_vec(),
            [gzip(b"one"), gzip(b"two")].concat(),
            [zstd_frame(b"one"), skippable.clone(), zstd_frame(b"two")].concat(),
            [skippable, zstd_frame(b"onetwo")].concat(),
        ];
        for stored in table {
            let mut plain = Vec::new();
            decompress(&stored[..]).unwrap().read_to_end(&mut plain).unwrap();
            assert_eq!(plain, b"onetwo");
        }
    }

    #[test]
    fn the_first_bytes_may_come_one_by_one() {
        struct Slow(Vec<u8>);
        impl Read for Slow {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if self.0.is_empty() || buffer.is_empty() {
                    return Ok(0);
                }
                buffer[0] = self.0.remove(0);
                Ok(1)
            }
        }
        for stored in [gzip(b"onetwo"), zstd_frame(b"onetwo")] {
            let mut plain = Vec::new();
            decompress(Slow(stored)).unwrap().read_to_end(&mut plain).unwrap();
            assert_eq!(plain, b"onetwo");
        }
    }

    #[test]
    fn a_truncated_stream_is_an_error() {
        for stored in [gzip(&[7; 4096]), zstd_frame(&[7; 4096])] {
            let cut = &stored[..stored.len() - 5];
            assert!(decompress(cut).unwrap().read_to_end(&mut Vec::new()).is_err());
        }
    }

    /// What `stored` unpacks to, or the error's text.
    fn unpack(stored: &[u8]) -> Result<Vec<u8>, String> {
        let mut plain = Vec::new();
        let read = decompress(stored).and_then(|mut reader| reader.read_to_end(&mut plain));
        read.map(|_| plain).map_err(|error| error.to_string())
    }

    #[test]
    fn only_zeros_may_follow_gzip() {
        let two = [gzip(b"one"), gzip(b""), gzip(b"two")].concat();
        for zeros in [0, 1, 9, 512, 200_000] {
            assert_eq!(unpack(&[&two[..], &vec![0; zeros]].concat()), Ok(b"onetwo".to_vec()), "{zeros}");
        }
        let follows = Err("something other than gzip follows its end".to_owned());
        for trailing in [&b"x"[..], b"\0\0x", b"\0\x1f\x8b", b"PK\x03\x04"] {
            assert_eq!(unpack(&[&two[..], trailing].concat()), follows, "{}", trailing.escape_ascii());
        }
        assert_eq!(unpack(&[&two[..], &[0; 100_000], &gzip(b"three")].concat()), follows);
        for trailing in [&b"\x1f"[..], b"\x1f\x8b", b"\x1fx00000000", &gzip(b"three")[..20]] {
            assert!(unpack(&[&two[..], trailing].concat()).is_err(), "{}", trailing.escape_ascii());
        }
        assert!(unpack(&[zstd_frame(b"one"), b"x".to_vec()].concat()).is_err());
    }

    #[test]
    fn a_checksum_is_held_against_each_member() {
        let mut one = gzip(b"one");
        let crc = one.len() - 8;
        one[crc] ^= 1;
        assert!(unpack(&[one.clone(), gzip(b"two")].concat()).is_err());
        assert!(unpack(&[gzip(b"two"), one].concat()).is_err());
    }

    #[test]
    fn zstd_windows_have_a_limit() {
        let with_window = |log: u32| {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
            encoder.window_log(log).unwrap();
            encoder.include_contentsize(false).unwrap();
            encoder.write_all(b"one").unwrap();
            encoder.flush().unwrap();
            encoder.finish().unwrap()
        };
        assert_eq!(unpack(&with_window(limits::ZSTD_WINDOW_LOG)), Ok(b"one".to_vec()));
        let wide = unpack(&with_window(limits::ZSTD_WINDOW_LOG + 1));
        assert_eq!(wide, Err("a zstd frame needs a window of more than 32 MiB".to_owned()));
    }
}
