//! What differs between two images, by their indexes; files that are equal are never read.

use std::collections::BTreeSet;
use std::io;

use crate::layer::{Kept, LayerError, Wanted};
use crate::limits;
use crate::lines;
use crate::path::ImagePath;
use crate::tree::{Entries, FileTree, Node, NodeKind, Stored};

/// How a path differs. Owners, times and device numbers are not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Only the other image has it.
    Added,
    /// Only the first image has it.
    Removed,
    /// It is a file on one side and something else on the other, or the like.
    Kind,
    /// The contents of a file, or the target of a link.
    Changed,
    /// Only the permission bits.
    Mode,
}

impl Change {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Kind => "kind",
            Self::Changed => "changed",
            Self::Mode => "mode",
        }
    }
}

/// A path that differs.
#[derive(Clone, Debug)]
pub struct Difference<'a> {
    /// Where.
    pub path: ImagePath,
    /// How.
    pub change: Change,
    /// What the first image has there.
    pub image: Option<&'a Node>,
    /// What the other image has there.
    pub other: Option<&'a Node>,
}

impl Difference<'_> {
    /// The files on both sides, where both have one.
    pub fn files(&self) -> Option<(&Stored, &Stored)> {
        Some((self.image?.stored()?, self.other?.stored()?))
    }
}

/// What differs between `image` and `other`, in the order of paths; of all paths, or of those `chosen`.
pub fn between<'a>(
    image: &'a FileTree,
    other: &'a FileTree,
    chosen: Option<&BTreeSet<ImagePath>>,
) -> Vec<Difference<'a>> {
    let [ours, theirs]: [Entries; 2] = [image, other].map(|tree| tree.all().collect());
    let paths: BTreeSet<&ImagePath> = ours.keys().chain(theirs.keys()).collect();
    let differences = paths.into_iter().filter(|path| chosen.is_none_or(|chosen| chosen.contains(path)));
    let differences = differences.filter_map(|path| {
        let ours = ours.get(path).map(|&id| image.node(id));
        let theirs = theirs.get(path).map(|&id| other.node(id));
        Some(Difference { path: path.clone(), change: change(ours, theirs)?, image: ours, other: theirs })
    });
    differences.collect()
}

fn change(image: Option<&Node>, other: Option<&Node>) -> Option<Change> {
    let (image, other) = match (image, other) {
        (Some(image), Some(other)) => (image, other),
        (image, _) => return Some(if image.is_some() { Change::Removed } else { Change::Added }),
    };
    let equal = match (&image.kind, &other.kind) {
        (NodeKind::Regular(image), NodeKind::Regular(other)) => image.content.sha256 == other.content.sha256,
        (NodeKind::Symlink(image), NodeKind::Symlink(other)) => image == other,
        (NodeKind::Directory(_), NodeKind::Directory(_)) | (NodeKind::Special, NodeKind::Special) => true,
        _ => return Some(Change::Kind),
    };
    // The mode of a link means nothing.
    let same_mode = image.mode == other.mode || matches!(image.kind, NodeKind::Symlink(_));
    match (equal, same_mode) {
        (true, true) => None,
        (true, false) => Some(Change::Mode),
        (false, _) => Some(Change::Changed),
    }
}

/// The contents of changed files, kept for showing them side by side. Files too large to be shown are not read at all.
#[derive(Debug, Default)]
pub struct Texts(Kept);

/// The contents of a changed file on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pair {
    /// Text on both.
    Text(Vec<u8>, Vec<u8>),
    /// No text on one of them at least.
    Binary,
    /// One of them is larger than [`limits::DIFF_BYTES`].
    TooLarge,
}

impl Texts {
    /// Reads the contents `wanted`, none of which is larger than [`limits::DIFF_BYTES`].
    ///
    /// # Errors
    /// See [`LayerError`].
    pub fn read(wanted: &[Wanted<'_>]) -> Result<Self, LayerError> {
        Kept::read(wanted).map(Self)
    }

    /// Whether a changed file is small enough to be shown.
    pub fn is_shown(files: (&Stored, &Stored)) -> bool {
        [files.0, files.1].into_iter().all(Self::is_small)
    }

    /// Whether one side of it is.
    pub fn is_small(stored: &Stored) -> bool {
        stored.content.size <= limits::DIFF_BYTES
    }

    /// The contents of one file; `None` if it is no text, or was not read.
    ///
    /// # Errors
    /// What reading them back fails with.
    pub fn text(&mut self, stored: &Stored) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(&stored.content)?.filter(|bytes| !lines::is_binary(bytes)))
    }

    /// The contents of a changed file.
    ///
    /// # Errors
    /// What reading them back fails with.
    pub fn pair(&mut self, files: (&Stored, &Stored)) -> io::Result<Pair> {
        Ok(match (self.0.get(&files.0.content)?, self.0.get(&files.1.content)?) {
            (Some(image), Some(other)) if lines::is_binary(&image) || lines::is_binary(&other) => Pair::Binary,
            (Some(image), Some(other)) => Pair::Text(image, other),
            _ => Pair::TooLarge,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::{BlobId, ObjectFormat};
    use crate::layer::{Change as LayerChange, Entry, EntryKind, FileContent, LayerIndex};

    fn file(number: u8) -> EntryKind {
        let blob = BlobId::of(&[number], ObjectFormat::Sha1).unwrap();
        EntryKind::Regular(FileContent { size: 1, blob, sha256: [number; 32], mtime: 0, position: 0 })
    }

    fn link(target: &str) -> EntryKind {
        EntryKind::Symlink(target.as_bytes().to_vec())
    }

    fn tree(entries: &[(&str, u32, EntryKind)]) -> FileTree {
        let put = |(path, mode, kind): &(&str, u32, EntryKind)| {
            LayerChange::Put(Entry { path: ImagePath::clean(path.as_bytes()), mode: *mode, kind: kind.clone() })
        };
        let mut tree = FileTree::default();
        tree.apply(0, &LayerIndex { changes: entries.iter().map(put).collect(), file_bytes: 0 }).unwrap();
        tree
    }

    #[test]
    fn each_way_to_differ_has_its_name() {
        let image = tree(&[
            ("same", 0o644, file(1)),
            ("contents", 0o644, file(1)),
            ("both", 0o644, file(1)),
            ("mode", 0o644, file(1)),
            ("removed", 0o644, file(1)),
            ("kind", 0o644, file(1)),
            ("link", 0o777, link("a")),
            ("link-mode", 0o777, link("a")),
            ("dir", 0o755, EntryKind::Directory),
            ("special", 0o644, EntryKind::Special),
        ]);
        let other = tree(&[
            ("added/deep", 0o644, file(1)),
            ("same", 0o644, file(1)),
            ("contents", 0o644, file(2)),
            ("both", 0o755, file(2)),
            ("mode", 0o755, file(1)),
            ("kind", 0o644, link("same")),
            ("link", 0o777, link("b")),
            ("link-mode", 0o755, link("a")),
            ("dir", 0o700, EntryKind::Directory),
            ("special", 0o644, EntryKind::Special),
        ]);
        let all: Vec<String> = between(&image, &other, None)
            .iter()
            .map(|difference| format!("{} {}", difference.change.name(), difference.path))
            .collect();
        let expected = [
            "added /added",
            "added /added/deep",
            "changed /both",
            "changed /contents",
            "mode /dir",
            "kind /kind",
            "changed /link",
            "mode /mode",
            "removed /removed",
        ];
        assert_eq!(all, expected);
        let chosen = BTreeSet::from([ImagePath::clean(b"mode"), ImagePath::clean(b"same")]);
        assert_eq!(between(&image, &other, Some(&chosen)).len(), 1);
        assert!(between(&image, &image, None).is_empty());
    }
}
