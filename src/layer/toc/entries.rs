//! What a table says, entry by entry. Both forms write the same JSON.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use serde::Deserialize;

use crate::digest::{Algorithm, Digest};
use crate::json;
use crate::limits;
use crate::path::ImagePath;

use super::super::tar::{Header, HeaderKind, permissions};
use super::{TableError, sha256, time};

/// What stands for bytes that are no UTF-8, so that the name is not known.
const REPLACEMENT: char = '\u{fffd}';

/// An entry of the layer's tar.
pub(super) struct Item {
    pub(super) header: Header,
    /// Of a regular file's contents.
    pub(super) sha256: [u8; 32],
    /// Where those are, in their order; none for empty files.
    pub(super) chunks: Vec<Chunk>,
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Where in the layer a compressed stream begins.
    pub(super) offset: u64,
    /// Bytes of that stream, uncompressed, that come before.
    pub(super) skip: u64,
    /// Bytes of the file.
    pub(super) size: u64,
}

#[derive(Deserialize)]
struct Toc<'a> {
    version: u32,
    #[serde(borrow)]
    entries: Vec<Raw<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Raw<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    link_name: Cow<'a, str>,
    mode: i64,
    size: u64,
    #[serde(borrow)]
    modtime: Cow<'a, str>,
    #[serde(borrow)]
    digest: Cow<'a, str>,
    offset: u64,
    inner_offset: u64,
    chunk_offset: u64,
    chunk_size: u64,
}

impl Raw<'_> {
    fn error(&self, what: &'static str) -> TableError {
        TableError::Entry { name: self.name.escape_debug().to_string(), what }
    }
}

/// Hands the entries of the table `json`, whose files lie before `end` in the layer, to `visit` one by one.
pub(super) fn walk(
    json: &[u8],
    end: u64,
    mut visit: impl FnMut(Item) -> Result<(), TableError>,
) -> Result<(), TableError> {
    json::check_keys(json)?;
    let toc: Toc<'_> = serde_json::from_slice(json)?;
    if toc.version != 1 || toc.entries.len() > limits::TAR_HEADERS as usize {
        return Err(TableError::NoTable);
    }
    // Hashes of the paths take less than these. Two that are the same by chance cost a full read.
    let (mut paths, hasher) = (HashSet::new(), RandomState::new());
    let (mut entries, mut bytes) = (&toc.entries[..], 0_u64);
    while let [first, rest @ ..] = entries {
        let count = rest.iter().take_while(|entry| entry.kind == "chunk").count();
        let (more, others) = rest.split_at(count);
        let item = item(first, more, end)?;
        // Of two, a tar has the last, and a table has no order that could be relied on.
        if !paths.insert(hasher.hash_one(item.header.path.as_bytes())) {
            return Err(first.error("is there twice"));
        }
        bytes = bytes.saturating_add(first.size);
        if bytes > limits::UNPACKED_BYTES {
            return Err(TableError::TooLarge);
        }
        visit(item)?;
        entries = others;
    }
    Ok(())
}

fn item(first: &Raw<'_>, more: &[Raw<'_>], end: u64) -> Result<Item, TableError> {
    for text in [&first.name, &first.link_name] {
        if text.contains([REPLACEMENT, '\0']) || text.len() > limits::TAR_PATH_BYTES {
            return Err(first.error("has a name that no tar has"));
        }
    }
    if first.name.is_empty() {
        return Err(first.error("has no name"));
    }
    let kind = match &*first.kind {
        "reg" => HeaderKind::Regular { size: first.size },
        "dir" => HeaderKind::Directory,
        "symlink" => HeaderKind::Symlink(first.link_name.as_bytes().to_vec()),
        "hardlink" => HeaderKind::Hardlink(ImagePath::clean(first.link_name.as_bytes())),
        "char" | "block" | "fifo" => HeaderKind::Special,
        _ => return Err(first.error("is of a type that is not known")),
    };
    let (sha256, chunks) = match kind {
        HeaderKind::Regular { .. } => (contents_digest(first)?, chunks(first, more, end)?),
        _ if more.is_empty() => ([0; 32], Vec::new()),
        _ => return Err(first.error("has contents and is no file")),
    };
    let mtime = if first.modtime.is_empty() { Some(0) } else { time::seconds(&first.modtime) };
    let mtime = mtime.ok_or_else(|| first.error("has a time that is none"))?;
    let (path, mode) = (ImagePath::clean(first.name.as_bytes()), permissions(first.mode));
    Ok(Item { header: Header { path, mode, mtime, kind }, sha256, chunks })
}

/// The SHA-256 of a file's contents, which empty files may leave out.
fn contents_digest(file: &Raw<'_>) -> Result<[u8; 32], TableError> {
    let empty = sha256(b"");
    if file.size == 0 && file.digest.is_empty() {
        return Ok(empty);
    }
    let digest: Option<Digest> = file.digest.parse().ok();
    let digest = digest.filter(|digest| digest.algorithm() == Algorithm::Sha256);
    let digest = digest.and_then(|digest| bytes_of(digest.hex())).ok_or_else(|| file.error("has no SHA-256"))?;
    if (file.size == 0) != (digest == empty) {
        return Err(file.error("has the digest of other contents"));
    }
    Ok(digest)
}

fn bytes_of(hex: &str) -> Option<[u8; 32]> {
    let byte = |start: usize| u8::from_str_radix(hex.get(start..start + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
    bytes?.try_into().ok()
}

/// The parts of a file, which have to add up to it.
fn chunks(first: &Raw<'_>, more: &[Raw<'_>], end: u64) -> Result<Vec<Chunk>, TableError> {
    if first.size == 0 && more.is_empty() {
        return Ok(Vec::new());
    }
    let mut chunks = Vec::new();
    let mut at = 0;
    for (position, raw) in std::iter::once(first).chain(more).enumerate() {
        let left = first.size - at;
        // The last one need not say how long it is.
        let is_last = position == more.len();
        let size = if is_last && raw.chunk_size == 0 { left } else { raw.chunk_size };
        if raw.name != first.name || raw.chunk_offset != at || size == 0 || size > left {
            return Err(first.error("has parts that do not add up"));
        }
        if raw.offset >= end {
            return Err(first.error("lies outside of the layer"));
        }
        chunks.push(Chunk { offset: raw.offset, skip: raw.inner_offset, size });
        at += size;
    }
    if at == first.size { Ok(chunks) } else { Err(first.error("has parts that do not add up")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

    /// What the entries come to, or why to nothing.
    fn read(entries: &str) -> Result<Vec<String>, String> {
        let mut shown = Vec::new();
        let walked = walk(format!(r#"{{"version":1,"entries":[{entries}]}}"#).as_bytes(), 1000, |item| {
            let size = if let HeaderKind::Regular { size } = item.header.kind { size } else { 0 };
            shown.push(format!("{} {:o} {size} {}", item.header.path, item.header.mode, item.chunks.len()));
            Ok(())
        });
        walked.map(|()| shown).map_err(|error| error.to_string())
    }

    fn file(more: &str) -> String {
        format!(r#"{{"name":"a","type":"reg","size":6,"mode":33261,"digest":"{HELLO}","offset":9{more}}}"#)
    }

    #[test]
    fn entries_are_read() {
        assert_eq!(read(&file("")), Ok(vec!["/a 755 6 1".to_owned()]));
        let parts =
            format!(r#"{},{{"name":"a","type":"chunk","chunkOffset":4,"offset":99}}"#, file(r#","chunkSize":4"#));
        assert_eq!(read(&parts), Ok(vec!["/a 755 6 2".to_owned()]));
        let others =
            r#"{"name":"d/","type":"dir"},{"name":"e","type":"reg"},{"name":"l","type":"symlink","linkName":"e"}"#;
        let expected = ["/d 0 0 0", "/e 0 0 0", "/l 0 0 0"].map(str::to_owned).to_vec();
        assert_eq!(read(others), Ok(expected));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let part = |text: &str| format!(r#"{},{{"name":"a","type":"chunk",{text}}}"#, file(r#","chunkSize":4"#));
        let table = [
            (r#"{"name":"a","type":"reg","size":6,"offset":9}"#.to_owned(), "has no SHA-256"),
            (file("").replace("sha256:58", "sha512:58"), "has no SHA-256"),
            (file("").replace("\"size\":6", "\"size\":0"), "has the digest of other contents"),
            (file("").replace("\"offset\":9", "\"offset\":1000"), "lies outside of the layer"),
            (file(r#","chunkSize":7"#), "has parts that do not add up"),
            (file(r#","chunkSize":5"#), "has parts that do not add up"),
            (file(r#","chunkOffset":1"#), "has parts that do not add up"),
            (part(r#""chunkOffset":5,"offset":99"#), "has parts that do not add up"),
            (part(r#""chunkOffset":4,"chunkSize":3,"offset":99"#), "has parts that do not add up"),
            (part(r#""chunkOffset":4,"offset":1001"#), "lies outside of the layer"),
            (r#"{"name":"a","type":"chunk","offset":9}"#.to_owned(), "is of a type that is not known"),
            (r#"{"name":"a","type":"socket"}"#.to_owned(), "is of a type that is not known"),
            (r#"{"name":"","type":"dir"}"#.to_owned(), "has no name"),
            (r#"{"name":"\ufffd","type":"dir"}"#.to_owned(), "has a name that no tar has"),
            (r#"{"name":"a","type":"dir","modtime":"now"}"#.to_owned(), "has a time that is none"),
            (r#"{"name":"a","type":"dir"},{"name":"./a/","type":"dir"}"#.to_owned(), "is there twice"),
            (r#"{"name":"a","type":"dir","Type":"reg"}"#.to_owned(), "is not understood"),
            (r#"{"name":"a","type":"dir","size":-1}"#.to_owned(), "is not understood"),
        ];
        for (entries, expected) in table {
            let error = read(&entries).expect_err(&entries);
            assert!(error.contains(expected), "{entries}: {error}");
        }
    }

    #[test]
    fn files_are_not_larger_than_a_layer_may_unpack_to() {
        let large =
            |name: &str| file("").replace("\"a\"", name).replace("\"size\":6", &format!("\"size\":{}", 1_u64 << 37));
        assert!(read(&[large("\"a\""), large("\"b\"")].join(",")).is_ok());
        let all = [large("\"a\""), large("\"b\""), large("\"c\"")].join(",");
        assert_eq!(read(&all), Err("its table is too large".to_owned()));
        let endless = file("").replace("\"size\":6", &format!("\"size\":{}", u64::MAX));
        assert_eq!(read(&endless), Err("its table is too large".to_owned()));
    }

    #[test]
    fn only_the_first_version_is_known() {
        let read = |json: &[u8]| walk(json, 9, |_| Ok(()));
        assert!(read(br#"{"version":1,"entries":[]}"#).is_ok());
        assert!(read(br#"{"version":2,"entries":[]}"#).is_err());
        assert!(read(br#"{"entries":[]}"#).is_err());
    }
}
