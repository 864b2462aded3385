//! Any bytes as a layer's tar: no panic, and wherever the `tar` crate accepts the same bytes too, the same entries and
//! contents, but for the differences that `tests/support/tar_crate.rs` names.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use shipproof::compression::Compression;

#[path = "../../tests/support/tar_crate.rs"]
mod tar_crate;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    if Compression::of(bytes) != Compression::None {
        return Corpus::Reject;
    }
    // As they are, so that checksums are looked at, and with right ones, so that what follows them is.
    check(bytes);
    check(&repaired(bytes));
    Corpus::Keep
});

fn check(tar: &[u8]) {
    if tar_crate::is_slow(tar) {
        return;
    }
    if let Err(difference) = tar_crate::compare(tar) {
        panic!("{difference}");
    }
}

/// Every block that says it is a header gets its checksum.
fn repaired(bytes: &[u8]) -> Vec<u8> {
    let mut tar = bytes.to_vec();
    for block in tar.chunks_exact_mut(512).filter(|block| &block[257..262] == b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    tar
}
