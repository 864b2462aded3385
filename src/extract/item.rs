//! What is to be written, decided before anything is.

use crate::path::ImagePath;
use crate::tree::{Entries, FileTree, NodeId, NodeKind, Stored};

use super::ExtractError;

/// Permission bits that are written. Set-user-id, set-group-id and sticky bits mean something else on another system.
const WRITTEN_MODE: u32 = 0o777;

/// Something to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where: below the directory as it is below the image's root.
    pub path: ImagePath,
    /// Which node of the image.
    pub node: NodeId,
    /// Permission bits, `0o777` at most.
    pub mode: u32,
    /// What.
    pub kind: ItemKind,
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A directory.
    Directory,
    /// A regular file. Hard links of an image become files of their own.
    File(Stored),
    /// A symbolic link with the target that it gets, which stays inside the directory.
    Symlink(Vec<u8>),
}

/// Everything to be written, and what is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    /// In the order of their paths, so that directories come before what they hold.
    pub items: Vec<Item>,
    /// Devices and fifos, which are not made.
    pub special: Vec<ImagePath>,
}

impl Items {
    /// What becomes of `entries`, which come from `tree`.
    ///
    /// # Errors
    /// [`ExtractError::OnlySpecial`] when that is nothing.
    pub fn of(tree: &FileTree, entries: &Entries) -> Result<Self, ExtractError> {
        let mut items = Self::default();
        for (path, &node) in entries {
            let kind = match &tree.node(node).kind {
                NodeKind::Directory(_) => ItemKind::Directory,
                NodeKind::Regular(stored) => ItemKind::File(*stored),
                NodeKind::Symlink(target) => ItemKind::Symlink(inside(tree, path, target)),
                NodeKind::Special => {
                    items.special.push(path.clone());
                    continue;
                }
            };
            items.items.push(Item { path: path.clone(), node, mode: tree.node(node).mode & WRITTEN_MODE, kind });
        }
        match items.special.first() {
            Some(first) if items.items.is_empty() => Err(ExtractError::OnlySpecial(first.clone())),
            _ => Ok(items),
        }
    }
}

/// The target that the link at `link` gets: as it is written where that cannot leave the directory, and otherwise the
/// way to what the link means in the image.
///
/// A target cannot leave when `..` stands at its start only, and not more often than the link has parents: those are
/// real directories, and every link met further on keeps the same rule. A `..` behind a name says nothing about how
/// far up it leads, because that name may be a link.
fn inside(tree: &FileTree, link: &ImagePath, target: &[u8]) -> Vec<u8> {
    let depth = link.components().count().saturating_sub(1);
    let names = || target.split(|&byte| byte == b'/').filter(|name| !name.is_empty() && *name != b".");
    let climbs = names().take_while(|name| *name == b"..").count();
    let dotted_later = names().skip(climbs).any(|name| name == b"..");
    if !target.is_empty() && !target.starts_with(b"/") && climbs <= depth && !dotted_later {
        return target.to_vec();
    }
    let meant = match tree.lookup(link) {
        Ok(Some(found)) => found.path,
        _ if target.starts_with(b"/") => ImagePath::clean(target),
        _ => link.parent().unwrap_or_default().join(target),
    };
    let up = std::iter::repeat_n(&b".."[..], depth);
    let way: Vec<&[u8]> = up.chain(meant.components()).collect();
    if way.is_empty() { b".".to_vec() } else { way.join(&b'/') }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Change, Entry, EntryKind, LayerIndex};
    use crate::lookup;

    fn tree(changes: &[(&str, EntryKind)]) -> FileTree {
        let put = |(path, kind): &(&str, EntryKind)| {
            Change::Put(Entry { path: ImagePath::clean(path.as_bytes()), mode: 0o6755, kind: kind.clone() })
        };
        let mut tree = FileTree::default();
        tree.apply(0, &LayerIndex { changes: changes.iter().map(put).collect(), file_bytes: 0 }).unwrap();
        tree
    }

    #[test]
    fn links_stay_inside_and_mean_what_they_mean_in_the_image() {
        let link = |target: &str| EntryKind::Symlink(target.as_bytes().to_vec());
        let table = [
            ("a/b/l", "x", "x"),
            ("a/b/l", "../../x/./y/", "../../x/./y/"),
            ("a/b/l", "/etc/passwd", "../../etc/passwd"),
            ("a/b/l", "../../../../etc/passwd", "../../etc/passwd"),
            ("a/b/l", "/usr/bin/tool", "../../usr/real/tool"),
            ("l", "..", "."),
            ("l", "/", "."),
            ("l", "/../x", "x"),
            // Through the link `here` a `..` leads further up than it looks.
            ("a/b/l", "here/here/../../../../x", "../../x"),
            ("a/b/l", "", "../.."),
            ("a/b/l", "l", "l"),
        ];
        for (path, target, expected) in table {
            let expected = if target.is_empty() { "../../a/b" } else { expected };
            let tree = tree(&[
                ("a/b/here", link(".")),
                ("usr/bin", link("real")),
                ("usr/real/tool", EntryKind::Directory),
                (path, link(target)),
            ]);
            let path = ImagePath::clean(path.as_bytes());
            let got = inside(&tree, &path, target.as_bytes());
            assert_eq!(String::from_utf8_lossy(&got), expected, "{path} -> {target}");
        }
    }

    #[test]
    fn devices_are_left_out_and_special_bits_too() {
        let tree = tree(&[("a", EntryKind::Directory), ("a/fifo", EntryKind::Special)]);
        let items = Items::of(&tree, &lookup::entries(&tree, &[]).unwrap()).unwrap();
        assert_eq!((items.items.len(), items.items[0].mode), (1, 0o755));
        assert_eq!(items.special, [ImagePath::clean(b"a/fifo")]);
        let only = lookup::entries(&tree, &[b"fifo".to_vec()]).unwrap();
        assert!(matches!(Items::of(&tree, &only), Err(ExtractError::OnlySpecial(_))));
    }
}
