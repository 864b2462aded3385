//! What `ls` shows.

use std::cell::Cell;
use std::io::{self, Write};

use serde::{Serialize, Serializer};

use crate::blob::BlobId;
use crate::path::ImagePath;
use crate::tree::{Node, NodeKind};

use super::escape::{escape_bytes, escape_path};
use super::head::{SCHEMA_VERSION, Tool};
use super::json::{OneImage, Path};

/// One entry of an image's file system.
#[derive(Clone, Debug)]
pub struct ListedEntry<'a> {
    /// Where.
    pub path: ImagePath,
    /// What.
    pub node: &'a Node,
}

#[derive(Serialize)]
struct Report<'a, I: Iterator<Item = ListedEntry<'a>>> {
    schema_version: u32,
    tool: Tool,
    image: &'a OneImage<'a>,
    #[serde(serialize_with = "one_by_one")]
    entries: Cell<Option<I>>,
}

/// A list is written while it is made, because the largest would not be held in memory twice.
fn one_by_one<'a, S: Serializer, I: Iterator<Item = ListedEntry<'a>>>(
    entries: &Cell<Option<I>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(entries.take().into_iter().flatten().map(|entry| entry_report(&entry)))
}

#[derive(Serialize)]
struct EntryReport {
    path: Path,
    kind: &'static str,
    mode: String,
    size: Option<u64>,
    link: Option<Path>,
    blob: Option<BlobId>,
    sha256: Option<String>,
    layer: usize,
}

/// One line an entry: mode, size in bytes, layer, path.
///
/// # Errors
/// What writing fails with.
pub fn listing_text<'a>(entries: impl Iterator<Item = ListedEntry<'a>>, out: &mut dyn Write) -> io::Result<()> {
    for entry in entries {
        let size = size(entry.node).map_or_else(|| "-".to_owned(), |size| size.to_string());
        let path = escape_path(&entry.path);
        let link = link(entry.node).map(|target| format!(" -> {}", escape_bytes(target))).unwrap_or_default();
        let (mode, layer) = (mode(entry.node), entry.node.layer);
        writeln!(out, "{mode} {size:>11} {layer:>3}  {path}{link}")?;
    }
    Ok(())
}

/// The same for programs.
///
/// # Errors
/// What writing fails with.
pub fn listing_json<'a>(
    image: &'a OneImage<'a>,
    entries: impl Iterator<Item = ListedEntry<'a>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let entries = Cell::new(Some(entries));
    serde_json::to_writer_pretty(
        &mut *out,
        &Report { schema_version: SCHEMA_VERSION, tool: Tool::OWN, image, entries },
    )?;
    writeln!(out)
}

fn entry_report(entry: &ListedEntry<'_>) -> EntryReport {
    let content = match &entry.node.kind {
        NodeKind::Regular(stored) => Some(stored.content),
        _ => None,
    };
    EntryReport {
        path: Path::in_image(&entry.path),
        kind: kind(entry.node),
        mode: format!("{:04o}", entry.node.mode),
        size: size(entry.node),
        link: link(entry.node).map(Path::new),
        blob: content.map(|content| content.blob),
        sha256: content.map(|content| content.sha256_hex()),
        layer: entry.node.layer,
    }
}

pub(super) fn kind(node: &Node) -> &'static str {
    match node.kind {
        NodeKind::Directory(_) => "directory",
        NodeKind::Regular(_) => "file",
        NodeKind::Symlink(_) => "symlink",
        NodeKind::Special => "special",
    }
}

pub(super) fn size(node: &Node) -> Option<u64> {
    match &node.kind {
        NodeKind::Regular(stored) => Some(stored.content.size),
        _ => None,
    }
}

pub(super) fn link(node: &Node) -> Option<&[u8]> {
    match &node.kind {
        NodeKind::Symlink(target) => Some(target),
        _ => None,
    }
}

/// The mode as `ls -l` writes it.
fn mode(node: &Node) -> String {
    let first = match node.kind {
        NodeKind::Directory(_) => 'd',
        NodeKind::Regular(_) => '-',
        NodeKind::Symlink(_) => 'l',
        NodeKind::Special => '?',
    };
    let bit = |position: u32, letter: char| if node.mode >> position & 1 == 1 { letter } else { '-' };
    let execute =
        |position: u32, special: u32, both: char, alone: char| match (node.mode >> special & 1, bit(position, 'x')) {
            (1, 'x') => both,
            (1, _) => alone,
            (_, letter) => letter,
        };
    [
        first,
        bit(8, 'r'),
        bit(7, 'w'),
        execute(6, 11, 's', 'S'),
        bit(5, 'r'),
        bit(4, 'w'),
        execute(3, 10, 's', 'S'),
        bit(2, 'r'),
        bit(1, 'w'),
        execute(0, 9, 't', 'T'),
    ]
    .into_iter()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_look_as_in_ls() {
        let table = [
            (0o644, "?rw-r--r--"),
            (0o755, "?rwxr-xr-x"),
            (0o4755, "?rwsr-xr-x"),
            (0o1777, "?rwxrwxrwt"),
            (0o2644, "?rw-r-Sr--"),
        ];
        for (bits, expected) in table {
            assert_eq!(mode(&Node { kind: NodeKind::Special, mode: bits, layer: 0 }), expected, "{bits:o}");
        }
    }
}
