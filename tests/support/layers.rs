//! Layers from text: a tar, its end, and the compression that a test asks for.
//!
//! Words say how a layer departs from one gzip member with an archive that ends properly:
//!
//! | word | meaning |
//! |---|---|
//! | `compression=none`, `gzip`, `gzip-members:N`, `zstd`, `zstd-frames:N` | how the tar is stored |
//! | `media-type=tar`, `gzip`, `zstd` | what the manifest says about that, true or not |
//! | `end=none`, `half`, `padded`, `cut:N` | no blocks of zeros at the end, one, up to 10 KiB; N bytes too few |
//! | `then=BYTES` | what follows the archive's end inside the compression |
//! | `then-layer=ENTRY` | what follows is an archive with this entry, its spaces written as `\s` |
//! | `leading=BYTES`, `trailing=BYTES` | what stands before and behind the compression |
//! | `stored-cut=N` | bytes missing at the end of the compression |

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use super::archive::{BLOCK, entries_of};
use super::escapes::unescape;
use super::text::{self, Entry};

/// How a layer's tar is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    /// As it is.
    None,
    /// One gzip member.
    Gzip,
    /// Several gzip members one after another, as pigz and estargz write them; cut at any byte of the tar.
    GzipMembers(usize),
    /// One zstd frame.
    Zstd,
    /// Several zstd frames, with a skippable frame between them as zstd:chunked has.
    ZstdFrames(usize),
}

/// A layer: the tar, and what a registry stores.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// The uncompressed tar, whose digest is the diff id.
    pub(crate) tar: Vec<u8>,
    /// The stored bytes, whose digest is the layer digest.
    pub(crate) blob: Vec<u8>,
    /// The OCI media type said in the manifest.
    pub(crate) media_type: String,
    /// What else the manifest says of it.
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Layer {
    /// The entries of `text` (see [`super::text`]) in that order, as one gzip member.
    pub(crate) fn text(text: &str) -> Self {
        Self::tar(tar_of(&text::parse(text)), Compression::Gzip)
    }

    /// The entries of `text`, written as `words` (see above) say.
    pub(crate) fn described(words: &str, text: &str) -> Self {
        let mut description = Description::default();
        words.split_whitespace().for_each(|word| description.add(word));
        let tar = description.tar(&text::parse(text));
        let mut layer = Self::tar(tar, description.compression);
        layer.blob.truncate(layer.blob.len() - description.stored_cut);
        layer.blob = [description.leading, layer.blob, description.trailing].concat();
        match description.media_type {
            Some(honest) => layer.called(media_type(honest)),
            None => layer,
        }
    }

    /// A tar made elsewhere.
    pub(crate) fn tar(tar: Vec<u8>, compression: Compression) -> Self {
        let blob = compress(&tar, compression);
        Self { tar, blob, media_type: media_type(compression).to_owned(), annotations: BTreeMap::new() }
    }

    /// The same tar, stored in another way.
    pub(crate) fn stored(self, compression: Compression) -> Self {
        Self::tar(self.tar, compression)
    }

    /// Says another media type in the manifest, true or not.
    pub(crate) fn called(mut self, media_type: &str) -> Self {
        media_type.clone_into(&mut self.media_type);
        self
    }

    /// The digest of the uncompressed tar.
    pub(crate) fn diff_id(&self) -> String {
        digest_of(&self.tar)
    }

    /// The digest of the stored bytes.
    pub(crate) fn digest(&self) -> String {
        digest_of(&self.blob)
    }
}

/// How a layer is written.
struct Description {
    compression: Compression,
    media_type: Option<Compression>,
    /// Bytes of zeros at the end of the archive.
    end: usize,
    /// Bytes missing from the last entry.
    cut: usize,
    /// A multiple that the archive's length is brought to.
    record: usize,
    then: Vec<u8>,
    leading: Vec<u8>,
    trailing: Vec<u8>,
    /// Bytes missing at the end of the compression.
    stored_cut: usize,
}

impl Default for Description {
    fn default() -> Self {
        Self {
            compression: Compression::Gzip,
            media_type: None,
            end: 2 * BLOCK,
            cut: 0,
            record: 1,
            then: Vec::new(),
            leading: Vec::new(),
            trailing: Vec::new(),
            stored_cut: 0,
        }
    }
}

impl Description {
    fn add(&mut self, word: &str) {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match (key, value) {
            ("compression", kind) => self.compression = compression(kind),
            ("media-type", kind) => self.media_type = Some(compression(kind)),
            ("end", "none") => self.end = 0,
            ("end", "half") => self.end = BLOCK,
            ("end", "padded") => self.record = 20 * BLOCK,
            ("end", cut) => (self.end, self.cut) = (0, count(cut.trim_start_matches("cut:"))),
            ("then", bytes) => self.then = unescape(bytes),
            ("then-layer", text) => self.then = tar_of(&text::parse(&text.replace("\\s", " "))),
            ("leading", bytes) => self.leading = unescape(bytes),
            ("stored-cut", bytes) => self.stored_cut = count(bytes),
            ("trailing", bytes) => self.trailing = unescape(bytes),
            _ => panic!("`{word}` says nothing about a layer"),
        }
    }

    fn tar(&self, entries: &[Entry]) -> Vec<u8> {
        let mut tar = entries_of(entries);
        tar.truncate(tar.len() - self.cut);
        tar.extend(vec![0; self.end]);
        tar.resize(tar.len().next_multiple_of(self.record), 0);
        tar.extend(&self.then);
        tar
    }
}

fn compression(kind: &str) -> Compression {
    let (kind, pieces) = kind.split_once(':').unwrap_or((kind, "1"));
    let count = count(pieces);
    match kind {
        "none" | "tar" => Compression::None,
        "gzip" => Compression::Gzip,
        "gzip-members" => Compression::GzipMembers(count),
        "zstd" => Compression::Zstd,
        "zstd-frames" => Compression::ZstdFrames(count),
        _ => panic!("`{kind}` is no compression"),
    }
}

fn count(digits: &str) -> usize {
    digits.parse().unwrap_or_else(|_| panic!("`{digits}` is no number"))
}

/// A tar with `entries`, in their order and with their names as they are.
pub(crate) fn tar_of(entries: &[Entry]) -> Vec<u8> {
    [entries_of(entries), vec![0; 2 * BLOCK]].concat()
}

/// The OCI media type of a layer stored so.
pub(super) fn media_type(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "application/vnd.oci.image.layer.v1.tar",
        Compression::Gzip | Compression::GzipMembers(_) => "application/vnd.oci.image.layer.v1.tar+gzip",
        Compression::Zstd | Compression::ZstdFrames(_) => "application/vnd.oci.image.layer.v1.tar+zstd",
    }
}

/// `sha256:<hex>` of `bytes`; not the crate's own function, which is under test.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Compresses `bytes`.
pub(crate) fn compress(bytes: &[u8], compression: Compression) -> Vec<u8> {
    match compression {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => gzip(bytes),
        Compression::GzipMembers(count) => pieces(bytes, count).flat_map(gzip).collect(),
        Compression::Zstd => zstd(bytes),
        Compression::ZstdFrames(count) => {
            pieces(bytes, count).flat_map(|piece| [zstd(piece), skippable()].concat()).collect()
        }
    }
}

fn pieces(bytes: &[u8], count: usize) -> std::slice::Chunks<'_, u8> {
    bytes.chunks(bytes.len().div_ceil(count).max(1))
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("reading from memory does not fail")
}

/// A zstd frame that decoders pass over (RFC 8878, 3.1.2).
fn skippable() -> Vec<u8> {
    [&[0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0][..], b"skip"].concat()
}
