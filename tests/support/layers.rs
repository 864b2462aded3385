//! Layers from text: tar entries byte by byte, then the compression that a test asks for.

use std::io::Write as _;

use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

use super::text::{self, Entry, Kind, Naming};

/// 2026-01-01T00:00:00Z, the time stamp of every entry.
const MTIME: u64 = 1_767_225_600;
/// Longer names do not fit into a tar header.
const NAME_LENGTH: usize = 100;
const BLOCK: usize = 512;

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
}

impl Layer {
    /// The entries of `text` (see [`super::text`]) in that order, as one gzip member.
    pub(crate) fn text(text: &str) -> Self {
        Self::tar(tar_of(&text::parse(text)), Compression::Gzip)
    }

    /// A tar made elsewhere.
    pub(crate) fn tar(tar: Vec<u8>, compression: Compression) -> Self {
        let blob = compress(&tar, compression);
        Self { tar, blob, media_type: media_type(compression).to_owned() }
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

fn gzip(bytes: &[u8]) -> Vec<u8> {
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

/// A tar with `entries`, in their order and with their names as they are.
pub(crate) fn tar_of(entries: &[Entry]) -> Vec<u8> {
    let mut tar: Vec<u8> = entries.iter().flat_map(entry_bytes).collect();
    tar.extend([0; 2 * BLOCK]);
    tar
}

fn entry_bytes(entry: &Entry) -> Vec<u8> {
    let target = match &entry.kind {
        Kind::Symlink(target) | Kind::Hardlink(target) => target.as_slice(),
        _ => b"",
    };
    let mut bytes = long_names(entry, target);
    let content = match &entry.kind {
        Kind::File(content) => content.as_slice(),
        _ => b"",
    };
    let mut header = Header::new_gnu();
    header.set_entry_type(entry_type(&entry.kind));
    header.set_mode(entry.mode);
    let shown: &[u8] = if entry.naming == Naming::Pax { b"the-name-is-in-the-pax-record" } else { &entry.path };
    place(&mut header.as_old_mut().name, shown);
    place(&mut header.as_old_mut().linkname, target);
    push(&mut bytes, header, content);
    bytes
}

fn entry_type(kind: &Kind) -> EntryType {
    match kind {
        Kind::File(_) => EntryType::Regular,
        Kind::Directory => EntryType::Directory,
        Kind::Symlink(_) => EntryType::Symlink,
        Kind::Hardlink(_) => EntryType::Link,
        Kind::Fifo => EntryType::Fifo,
    }
}

/// The extra entries before one whose names do not fit, or are to be in PAX records.
fn long_names(entry: &Entry, target: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if entry.naming == Naming::Pax {
        let mut records = pax_record(b"path", &entry.path);
        if !target.is_empty() {
            records.extend(pax_record(b"linkpath", target));
        }
        push_extra(&mut bytes, EntryType::XHeader, b"PaxHeaders/0", &records);
        return bytes;
    }
    for (kind, name) in [(EntryType::GNULongLink, target), (EntryType::GNULongName, &entry.path)] {
        if name.len() > NAME_LENGTH {
            push_extra(&mut bytes, kind, b"././@LongLink", &[name, b"\0"].concat());
        }
    }
    bytes
}

/// `<length> <key>=<value>\n`, where the length counts itself (POSIX pax).
fn pax_record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key, b"=", value, b"\n"].concat();
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    [length.to_string().as_bytes(), &rest].concat()
}

fn push_extra(bytes: &mut Vec<u8>, kind: EntryType, name: &[u8], content: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    place(&mut header.as_old_mut().name, name);
    push(bytes, header, content);
}

fn push(bytes: &mut Vec<u8>, mut header: Header, content: &[u8]) {
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(MTIME);
    header.set_size(u64::try_from(content.len()).expect("test files are small"));
    header.set_cksum();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
}

/// Copies as much of `name` as fits into a header field.
fn place(field: &mut [u8; NAME_LENGTH], name: &[u8]) {
    let length = name.len().min(NAME_LENGTH);
    field[..length].copy_from_slice(&name[..length]);
}
