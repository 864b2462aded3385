//! Any bytes as a stored blob: no panic, and whatever the decoders below accept comes out the same.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use shipproof::compression::{Compression, decompress};

/// Bytes looked at; bombs are not what this is about.
const MOST: u64 = 4 << 20;

fuzz_target!(|bytes: &[u8]| {
    let ours = decompress(bytes).and_then(all);
    match Compression::of(bytes) {
        Compression::None => assert_eq!(ours.expect("memory can be read"), bytes),
        Compression::Gzip => {
            if let Ok(plain) = all(flate2::read::MultiGzDecoder::new(bytes)) {
                assert_eq!(ours.expect("every member is gzip"), plain);
            }
        }
        Compression::Zstd => {
            if let Ok(ours) = ours {
                let plain = zstd::stream::read::Decoder::new(bytes).and_then(all);
                assert_eq!(plain.expect("every frame is zstd"), ours);
            }
        }
    }
});

fn all(reader: impl Read) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    reader.take(MOST).read_to_end(&mut plain)?;
    Ok(plain)
}
