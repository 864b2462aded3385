//! The wanted paths as a tree of directories, with what every tree seen there said of them.
//!
//! Each distinct tree of a directory gets a *slot*, numbered in the order in which they are seen; slot 0 is the
//! absence of the directory. A child keeps the slots at which its value changes, so the value at any commit is found
//! from the commit's root tree down, and memory grows with changes and not with commits.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::hashtable::HashMap;

use super::CommitIndex;
use super::entries::RawTree;
use super::query::Wanted;
use super::tally::Tally;

/// The value of a child that is not there: no file, or slot 0 of a directory.
pub(super) const ABSENT: u32 = 0;

/// The top directory.
pub(super) const ROOT: usize = 0;

/// The directories and files above and at the wanted paths.
pub(super) struct Trie {
    pub(super) directories: Vec<Directory>,
    pub(super) leaves: Vec<Leaf>,
    /// The leaf of each wanted path.
    pub(super) leaf_of: Vec<usize>,
}

/// A directory with something wanted below it.
pub(super) struct Directory {
    /// The directory above, and which of its children this is.
    above: Option<(usize, usize)>,
    /// By name and kind, with what they are.
    pub(super) children: Vec<Child>,
    pub(super) slots: HashMap<ObjectId, u32>,
    /// The state for each slot, see [`Tally`].
    pub(super) states: Vec<u32>,
    pub(super) last: RawTree,
    pub(super) tally: Tally,
    /// The newest commit without this directory.
    absent: Option<CommitIndex>,
}

/// Something wanted in a directory.
pub(super) struct Child {
    name: Vec<u8>,
    pub(super) target: Target,
    /// From which slot of the directory on which value holds; for a file the number of its version, counted from 1, for
    /// a directory its slot.
    changes: Vec<(u32, u32)>,
}

/// What a child is; a name can be wanted as both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    Leaf(usize),
    Directory(usize),
}

/// A child's value that is another one from a slot on.
pub(super) struct Change {
    pub(super) slot: u32,
    pub(super) target: Target,
    pub(super) before: u32,
    pub(super) after: u32,
}

/// A wanted path.
pub(super) struct Leaf {
    directory: usize,
    child: usize,
    /// Which of the wanted entries name this path.
    pub(super) wanted: Vec<usize>,
    /// The newest commit without a file here.
    pub(super) absent: Option<CommitIndex>,
}

impl Child {
    pub(super) fn set(&mut self, slot: u32, value: u32) {
        if self.latest() != value {
            self.changes.push((slot, value));
        }
    }

    /// The value at the last slot.
    pub(super) fn latest(&self) -> u32 {
        self.changes.last().map_or(ABSENT, |&(_, value)| value)
    }

    fn changes_from(&self, slot: usize) -> impl Iterator<Item = Change> {
        let start = self.changes.partition_point(|&(from, _)| (from as usize) < slot);
        let before = if start == 0 { ABSENT } else { self.changes[start - 1].1 };
        self.changes[start..].iter().scan(before, |before, &(slot, after)| {
            let before = std::mem::replace(before, after);
            Some(Change { slot, target: self.target, before, after })
        })
    }

    pub(super) fn at(&self, slot: u32) -> u32 {
        let after = self.changes.partition_point(|&(from, _)| from <= slot);
        if after == 0 || slot == ABSENT { ABSENT } else { self.changes[after - 1].1 }
    }
}

impl Directory {
    fn new(above: Option<(usize, usize)>) -> Self {
        Self {
            above,
            children: Vec::new(),
            slots: HashMap::default(),
            states: vec![0],
            last: RawTree::default(),
            tally: Tally::default(),
            absent: None,
        }
    }

    /// How the children change from a slot on, in the order of the slots.
    pub(super) fn changes_from(&self, slot: usize) -> Vec<Change> {
        let mut changes: Vec<Change> = self.children.iter().flat_map(|child| child.changes_from(slot)).collect();
        changes.sort_by_key(|change| change.slot);
        changes
    }

    /// The child that an entry of this name is.
    pub(super) fn child(&self, name: &[u8], is_directory: bool) -> Option<usize> {
        let key = (name, is_directory);
        self.children.binary_search_by(|child| child.key().cmp(&key)).ok()
    }
}

impl Child {
    fn key(&self) -> (&[u8], bool) {
        (&self.name, matches!(self.target, Target::Directory(_)))
    }
}

impl Trie {
    pub(super) fn new(wanted: &[Wanted]) -> Self {
        let mut by_path: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, wanted) in wanted.iter().enumerate() {
            by_path.entry(&wanted.path).or_default().push(index);
        }
        let mut trie =
            Self { directories: vec![Directory::new(None)], leaves: Vec::new(), leaf_of: vec![0; wanted.len()] };
        // Names already made, so that siblings need no search.
        let mut made: BTreeMap<(usize, Vec<u8>), usize> = BTreeMap::new();
        for (path, indices) in by_path {
            let mut directory = ROOT;
            let above = path.parent().unwrap_or_default();
            for name in above.components() {
                let next = trie.directories.len();
                directory = *made.entry((directory, name.to_vec())).or_insert_with(|| {
                    trie.add(directory, name, Target::Directory(next));
                    next
                });
            }
            let leaf = trie.leaves.len();
            indices.iter().for_each(|&index| trie.leaf_of[index] = leaf);
            trie.add(directory, path.file_name().unwrap_or_default(), Target::Leaf(leaf));
            trie.leaves.push(Leaf { directory, child: 0, wanted: indices, absent: None });
        }
        trie.sort();
        trie
    }

    fn add(&mut self, directory: usize, name: &[u8], target: Target) {
        self.directories[directory].children.push(Child { name: name.to_vec(), target, changes: Vec::new() });
        if let Target::Directory(_) = target {
            self.directories.push(Directory::new(Some((directory, 0))));
        }
    }

    fn sort(&mut self) {
        for directory in 0..self.directories.len() {
            self.directories[directory].children.sort_by(|one, other| one.key().cmp(&other.key()));
            for child in 0..self.directories[directory].children.len() {
                match self.directories[directory].children[child].target {
                    Target::Leaf(leaf) => self.leaves[leaf].child = child,
                    Target::Directory(below) => self.directories[below].above = Some((directory, child)),
                }
            }
        }
    }

    /// The newest commit without a child, as far as its directory says.
    pub(super) fn absence(&mut self, directory: usize, child: usize) -> &mut Option<CommitIndex> {
        match self.directories[directory].children[child].target {
            Target::Leaf(leaf) => &mut self.leaves[leaf].absent,
            Target::Directory(below) => &mut self.directories[below].absent,
        }
    }

    /// Without a directory there is nothing below it. Directories stand after the one above them.
    pub(super) fn hand_down_absences(&mut self) {
        for directory in ROOT..self.directories.len() {
            let Some(commit) = self.directories[directory].absent else { continue };
            for child in 0..self.directories[directory].children.len() {
                let absence = self.absence(directory, child);
                *absence = Some(absence.map_or(commit, |newest| newest.min(commit)));
            }
        }
    }

    /// The version of a leaf, counted from 1, under a root tree; [`ABSENT`] without a file.
    pub(super) fn version(&self, leaf: usize, root_slot: u32) -> u32 {
        let (directory, child) = self.place(leaf);
        child.at(self.slot(directory, root_slot))
    }

    /// The slot of a directory under a root tree.
    fn slot(&self, directory: usize, root_slot: u32) -> u32 {
        self.way(directory).iter().fold(root_slot, |slot, child| child.at(slot))
    }

    /// What to look up, one after the other from a root tree's slot down, to get to a directory's.
    pub(super) fn way(&self, directory: usize) -> Vec<&Child> {
        let mut way = Vec::new();
        let mut at = directory;
        while let Some((above, child)) = self.directories[at].above {
            way.push(&self.directories[above].children[child]);
            at = above;
        }
        way.reverse();
        way
    }

    /// The directory of a leaf, and the child that it is there.
    pub(super) fn place(&self, leaf: usize) -> (usize, &Child) {
        let Leaf { directory, child, .. } = self.leaves[leaf];
        (directory, &self.directories[directory].children[child])
    }

    /// The path of a directory.
    pub(super) fn path(&self, directory: usize) -> Vec<u8> {
        let names: Vec<&[u8]> = self.way(directory).iter().map(|child| child.name.as_slice()).collect();
        names.join(&b'/')
    }

    /// At most `limit` paths that hold everything wanted at or below them, as far down as that goes; `None` when there
    /// are more directories and files at the top.
    pub(super) fn cover(&self, limit: usize) -> Option<Vec<Vec<u8>>> {
        let mut paths = Vec::new();
        let mut directories = vec![ROOT];
        while let Some(directory) = directories.pop() {
            let children = &self.directories[directory].children;
            if paths.len() + directories.len() + children.len() > limit {
                if directory == ROOT {
                    return None;
                }
                paths.push(self.path(directory));
                continue;
            }
            for child in children {
                match child.target {
                    Target::Leaf(leaf) => paths.push(self.leaf_path(leaf)),
                    Target::Directory(below) => directories.push(below),
                }
            }
        }
        Some(paths)
    }

    fn leaf_path(&self, leaf: usize) -> Vec<u8> {
        let (directory, child) = self.place(leaf);
        let mut path = self.path(directory);
        if directory != ROOT {
            path.push(b'/');
        }
        path.extend(&child.name);
        path
    }
}
