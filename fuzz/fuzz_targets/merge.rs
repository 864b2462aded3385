//! Any stack of layers, written as text: the merged file system holds together after every layer
//! ([`FileTree::fsck`]), it does not matter where in a layer its whiteouts stand, and where there are no symbolic links
//! it is what a list of paths makes of the same changes.
//!
//! A line is a change as the tests of `src/tree` write it: `d PATH`, `f PATH=TEXT`, `s PATH`, `l PATH>TARGET`,
//! `h PATH>TARGET`, `- PATH`, `opq PATH`; `--` begins the next layer.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use shipproof::blob::{BlobId, ObjectFormat};
use shipproof::layer::{Change, Entry, EntryKind, FileContent, LayerIndex};
use shipproof::path::ImagePath;
use shipproof::tree::{FileTree, NodeKind};

fuzz_target!(|bytes: &[u8]| {
    let layers = layers(bytes);
    let mut tree = FileTree::default();
    let mut listed = Some(Listed::default());
    for (position, layer) in layers.iter().enumerate() {
        let before = tree.clone();
        let applied = tree.apply(position, layer);
        if let Err(wrong) = tree.fsck(position + 1) {
            panic!("after layer {position}: {wrong}");
        }
        for moved in [whiteouts(layer, End::First), whiteouts(layer, End::Last)] {
            let mut other = before.clone();
            assert_eq!(other.apply(position, &moved), applied);
            assert_eq!(shown(&other), shown(&tree), "after layer {position}, its whiteouts moved");
        }
        let links = |change: &Change| matches!(change, Change::Put(Entry { kind: EntryKind::Symlink(_), .. }));
        listed = listed.filter(|_| !layer.changes.iter().any(links));
        if let Some(listed) = &mut listed {
            assert_eq!(listed.apply(layer), applied.is_ok(), "layer {position}: {applied:?}");
            if applied.is_ok() {
                assert_eq!(listed.0, shown(&tree), "after layer {position}");
            }
        }
        if applied.is_err() {
            return;
        }
    }
});

fn layers(bytes: &[u8]) -> Vec<LayerIndex> {
    let mut layers = vec![LayerIndex::default()];
    for line in bytes.split(|&byte| byte == b'\n') {
        if line == b"--" {
            layers.push(LayerIndex::default());
        } else if let (Some(change), Some(layer)) = (change(line), layers.last_mut()) {
            layer.changes.push(change);
        }
    }
    layers
}

fn change(line: &[u8]) -> Option<Change> {
    let clean = ImagePath::clean;
    let (what, rest) = split(line, b' ')?;
    let put = |path: &[u8], mode, kind| Some(Change::Put(Entry { path: clean(path), mode, kind }));
    match what {
        b"-" => Some(Change::Remove(clean(rest))),
        b"opq" => Some(Change::Opaque(clean(rest))),
        b"d" => put(rest, 0o755, EntryKind::Directory),
        b"s" => put(rest, 0o600, EntryKind::Special),
        b"f" => {
            let (path, text) = split(rest, b'=')?;
            let blob = BlobId::of(text, ObjectFormat::Sha1).expect("no collision");
            let content = FileContent { size: text.len() as u64, blob, sha256: [0; 32], mtime: 0, position: 0 };
            put(path, 0o644, EntryKind::Regular(content))
        }
        b"l" => split(rest, b'>').and_then(|(path, target)| put(path, 0o777, EntryKind::Symlink(target.to_vec()))),
        b"h" => split(rest, b'>').and_then(|(path, target)| put(path, 0, EntryKind::Hardlink(clean(target)))),
        _ => None,
    }
}

fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == at)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

enum End {
    First,
    Last,
}

/// The layer with its whiteouts at one end, in their own order.
fn whiteouts(layer: &LayerIndex, end: End) -> LayerIndex {
    let mut moved = layer.clone();
    moved.changes.sort_by_key(|change| matches!(change, Change::Put(_)) == matches!(end, End::First));
    moved
}

/// What stands at a path, without its place in the table of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shown {
    Directory,
    Regular(BlobId),
    Symlink(Vec<u8>),
    Special,
}

fn shown(tree: &FileTree) -> BTreeMap<ImagePath, Shown> {
    let what = |(path, id)| {
        let shown = match &tree.node(id).kind {
            NodeKind::Directory(_) => Shown::Directory,
            NodeKind::Regular(stored) => Shown::Regular(stored.content.blob),
            NodeKind::Symlink(target) => Shown::Symlink(target.to_vec()),
            NodeKind::Special => Shown::Special,
        };
        (path, shown)
    };
    tree.all().into_iter().map(what).collect()
}

/// A file system without symbolic links, as a list of paths.
#[derive(Default)]
struct Listed(BTreeMap<ImagePath, Shown>);

impl Listed {
    /// Whether the layer can be applied.
    fn apply(&mut self, layer: &LayerIndex) -> bool {
        for change in &layer.changes {
            match change {
                Change::Remove(gone) if gone.is_root() => {}
                Change::Remove(gone) => self.0.retain(|path, _| !path.starts_with(gone)),
                Change::Opaque(top) => self.0.retain(|path, _| !path.starts_with(top) || path == top),
                Change::Put(_) => {}
            }
        }
        let mut puts: Vec<&Entry> = Vec::new();
        for change in &layer.changes {
            let Change::Put(entry) = change else { continue };
            match self.put(entry) {
                None => return false,
                Some(true) => {}
                Some(false) => puts.push(entry),
            }
        }
        puts.into_iter().all(|entry| self.put(entry) == Some(true))
    }

    /// `Some(false)` for a hard link to nothing, `None` for what cannot be.
    fn put(&mut self, entry: &Entry) -> Option<bool> {
        if entry.path.is_root() {
            return (entry.kind == EntryKind::Directory).then_some(true);
        }
        let shown = match &entry.kind {
            EntryKind::Directory => Shown::Directory,
            EntryKind::Regular(content) => Shown::Regular(content.blob),
            EntryKind::Symlink(target) => Shown::Symlink(target.clone()),
            EntryKind::Special => Shown::Special,
            EntryKind::Hardlink(target) => match self.0.get(target) {
                None | Some(Shown::Directory) => return Some(false),
                Some(other) => other.clone(),
            },
        };
        let mut parents = entry.path.parent();
        while let Some(parent) = parents.filter(|parent| !parent.is_root()) {
            self.0.insert(parent.clone(), Shown::Directory);
            parents = parent.parent();
        }
        if shown != Shown::Directory || self.0.get(&entry.path) != Some(&Shown::Directory) {
            self.0.retain(|path, _| !path.starts_with(&entry.path));
        }
        self.0.insert(entry.path.clone(), shown);
        Some(true)
    }
}
