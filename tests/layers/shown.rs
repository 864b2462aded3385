//! File systems as text: parsed from the case files, and written for messages.

use super::support::layers::digest_of;
use super::support::text::{self, Kind};
use super::support::unpacked::{Made, Tree, Unpacked};

/// A file system in the form of the images' text, every directory named.
pub(crate) fn tree_of(text: &str) -> Tree {
    text::parse(text).into_iter().map(|entry| (entry.path.clone(), unpacked(entry))).collect()
}

fn unpacked(entry: text::Entry) -> Unpacked {
    let empty = Unpacked { kind: "other", mode: entry.mode, size: 0, target: None, sha256: None };
    match entry.kind {
        Kind::Directory => Unpacked { kind: "directory", ..empty },
        Kind::Symlink(target) => Unpacked { kind: "symlink", target: Some(target), ..empty },
        Kind::File(content) => {
            Unpacked { kind: "file", size: content.len() as u64, sha256: Some(digest_of(&content)), ..empty }
        }
        Kind::Hardlink(_) | Kind::Global => panic!("a tree has files under several names, not links or headers"),
        Kind::Fifo => empty,
    }
}

/// What became of an image, as lines.
pub(crate) fn shown(made: &Made) -> String {
    match made {
        Ok(tree) => lines_of(tree),
        Err(refusal) => format!("    refused: {}\n", refusal.trim()),
    }
}

fn lines_of(tree: &Tree) -> String {
    let line = |(path, entry): (&Vec<u8>, &Unpacked)| {
        let target = entry.target.as_deref().map(|target| format!(" -> {}", target.escape_ascii())).unwrap_or_default();
        let sha256 = entry.sha256.as_deref().map(|digest| &digest[..15]).unwrap_or_default();
        format!("    {} {:04o} {}{target} {} {sha256}\n", entry.kind, entry.mode, path.escape_ascii(), entry.size)
    };
    tree.iter().map(line).collect()
}
