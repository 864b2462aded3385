//! eStargz (containerd/stargz-snapshotter, docs/estargz.md): the table is the last file of the tar, in a gzip member of
//! its own, and an empty gzip member at the end says where that begins.

use std::io::BufReader;

use crate::compression::decompress;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::limits;
use crate::path::ImagePath;
use crate::source::Source;

use super::super::tar::{self, HeaderKind, Walk};
use super::{Own, Table, TableError, bounded, digest_in, part, sha256};

/// The digest of the table, uncompressed.
const DIGEST: &str = "containerd.io/snapshot/stargz/toc.digest";

/// The table's name in the tar.
const NAME: &[u8] = b"stargz.index.json";

/// Bytes of the last gzip member.
const FOOTER_BYTES: usize = 51;

/// Whether the annotations promise such a table.
pub(super) fn is_promised(layer: &Descriptor) -> bool {
    layer.annotations.contains_key(DIGEST)
}

/// Fetches and proves the table.
pub(super) fn fetch(source: &dyn Source, layer: &Descriptor) -> Result<Table, TableError> {
    let promised = digest_in(layer, DIGEST)?;
    let end = layer.size.checked_sub(FOOTER_BYTES as u64).ok_or(TableError::Outside)?;
    if let Some(kept) = source.kept(&promised)
        && let Some(start) = end.checked_sub(kept.len() as u64)
        && let Ok(table) = read(&kept, &promised, start)
    {
        return Ok(table);
    }
    let start = table_start(&part(source, layer, end, layer.size)?).ok_or(TableError::NoTable)?;
    if start < end && end - start > limits::RANGE_BYTES {
        return Err(TableError::TooLarge);
    }
    let stored = part(source, layer, start, end)?;
    let table = read(&stored, &promised, start)?;
    source.keep(&promised, &stored);
    Ok(table)
}

/// Where the footer says the table begins.
fn table_start(footer: &[u8]) -> Option<u64> {
    const BEFORE: &[u8] = &[26, 0, b'S', b'G', 22, 0];
    let (magic, extra) = (footer.get(..10)?, footer.get(10..16)?);
    let (digits, name) = (footer.get(16..32)?, footer.get(32..38)?);
    let is_footer = footer.len() == FOOTER_BYTES
        && magic.starts_with(&[0x1f, 0x8b, 8, 4])
        && extra == BEFORE
        && name == b"STARGZ"
        && digits.iter().all(u8::is_ascii_hexdigit);
    is_footer.then(|| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())?
}

/// The table in the member that begins at `start`.
fn read(stored: &[u8], promised: &Digest, start: u64) -> Result<Table, TableError> {
    let plain = BufReader::new(decompress(stored).map_err(TableError::Unreadable)?);
    let mut found = None;
    tar::walk(plain, |_, header, contents| {
        let is_table = header.path == ImagePath::clean(NAME) && matches!(header.kind, HeaderKind::Regular { .. });
        if is_table {
            found = Some((header, bounded(contents)));
        }
        Ok(Walk::Stop)
    })?;
    let (header, json) = found.ok_or(TableError::NoTable)?;
    let json = json?;
    if Digest::of(&json) != *promised {
        return Err(TableError::Digest);
    }
    let own = Own { header, sha256: sha256(&json) };
    Ok(Table { json, own: Some(own), end: start })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn footer(start: u64) -> Vec<u8> {
        let head = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 26, 0, b'S', b'G', 22, 0];
        [&head[..], format!("{start:016x}STARGZ").as_bytes(), &[1, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]].concat()
    }

    #[test]
    fn a_footer_says_where_the_table_begins() {
        let good = footer(0xabc);
        assert_eq!(table_start(&good), Some(0xabc));
        for position in [0, 3, 12, 14, 16, 32] {
            let mut bad = good.clone();
            bad[position] = b'!';
            assert_eq!(table_start(&bad), None, "{position}");
        }
        assert_eq!(table_start(&good[1..]), None);
        assert_eq!(table_start(b""), None);
    }
}
