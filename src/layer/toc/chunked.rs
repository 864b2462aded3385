//! zstd:chunked (containers/storage, pkg/chunked/internal/minimal/compression.go): the table is a zstd frame inside of a
//! skippable one, and an annotation says where.

use crate::compression::decompress;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::limits;
use crate::source::Source;

use super::{Table, TableError, bounded, digest_in, part};

/// The digest of the table as it is stored; the second name is the older one.
const CHECKSUM: [&str; 2] =
    ["io.github.containers.zstd-chunked.manifest-checksum", "io.containers.zstd-chunked.manifest-checksum"];

/// `<offset>:<bytes stored>:<bytes>:<type>`.
const POSITION: [&str; 2] =
    ["io.github.containers.zstd-chunked.manifest-position", "io.containers.zstd-chunked.manifest-position"];

/// The only type there is.
const CRFS: u64 = 1;

fn key(layer: &Descriptor, keys: [&'static str; 2]) -> Option<&'static str> {
    keys.into_iter().find(|key| layer.annotations.contains_key(*key))
}

/// Whether the annotations promise such a table.
pub(super) fn is_promised(layer: &Descriptor) -> bool {
    key(layer, CHECKSUM).is_some()
}

/// Fetches and proves the table.
pub(super) fn fetch(source: &dyn Source, layer: &Descriptor) -> Result<Table, TableError> {
    let promised = digest_in(layer, key(layer, CHECKSUM).ok_or(TableError::Annotation)?)?;
    let position = key(layer, POSITION).and_then(|key| Position::parse(layer.annotations.get(key)?));
    let position = position.ok_or(TableError::Annotation)?;
    if position.stored > limits::RANGE_BYTES || position.plain > limits::TABLE_BYTES {
        return Err(TableError::TooLarge);
    }
    let stored = match source.kept(&promised).filter(|kept| Digest::of(kept) == promised) {
        Some(kept) => kept,
        None => {
            let end = position.start.checked_add(position.stored).ok_or(TableError::Outside)?;
            let stored = part(source, layer, position.start, end)?;
            if Digest::of(&stored) != promised {
                return Err(TableError::Digest);
            }
            source.keep(&promised, &stored);
            stored
        }
    };
    let json = bounded(decompress(&stored[..]).map_err(TableError::Unreadable)?)?;
    if json.len() as u64 != position.plain {
        return Err(TableError::NoTable);
    }
    Ok(Table { json, own: None, end: position.start })
}

/// Where a table is.
#[derive(Debug, PartialEq, Eq)]
struct Position {
    start: u64,
    stored: u64,
    plain: u64,
}

impl Position {
    fn parse(text: &str) -> Option<Self> {
        let numbers: Option<Vec<u64>> = text.split(':').map(|number| number.parse().ok()).collect();
        match numbers?[..] {
            [start, stored, plain, CRFS] => Some(Self { start, stored, plain }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_four_numbers() {
        assert_eq!(Position::parse("10:20:30:1"), Some(Position { start: 10, stored: 20, plain: 30 }));
        for text in ["", "10:20:30", "10:20:30:2", "10:20:30:1:1", "a:20:30:1", "-1:20:30:1"] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
    }
}
