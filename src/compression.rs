//! Compression of layers and archives. Magic bytes decide; what a media type says is not believed.

use std::io::{self, BufReader, Read};

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

/// The uncompressed bytes of `reader`, whatever its compression.
///
/// # Errors
/// What reading the first bytes fails with; corrupt data fails later, in the reads.
pub fn decompress<'r, R: Read + Send + 'r>(mut reader: R) -> io::Result<Box<dyn Read + Send + 'r>> {
    let mut start = Vec::with_capacity(MAGIC_BYTES as usize);
    reader.by_ref().take(MAGIC_BYTES).read_to_end(&mut start)?;
    let compression = Compression::of(&start);
    let reader = BufReader::with_capacity(BUFFER_BYTES, io::Cursor::new(start).chain(reader));
    Ok(match compression {
        Compression::None => Box::new(reader),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(reader)?),
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
}
