//! Looking at one root tree after the other, newest first, and keeping what is new.

use std::collections::HashMap;

use gix::ObjectId;
use gix::objs::Kind;

use super::super::RepoError;
use super::CommitIndex;
use super::commits::{Reader, unreadable};
use super::entries::{Difference, Entry, EntryKind, RawTree};
use super::query::{Query, Wanted};
use super::search::Search;
use super::tally::{States, Tally};
use super::trie::{ABSENT, ROOT, Target, Trie};
use crate::blob::BlobId;
use crate::repo::RepoFileKind;

/// One of the things that a path has been in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The file; `None` is the absence of a file (there may be a directory or a submodule).
    pub file: Option<VersionFile>,
    /// The newest commit that has it.
    pub commit: CommitIndex,
}

/// What a version of a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VersionFile {
    /// The contents; for a symbolic link its target.
    pub blob: BlobId,
    /// Whether it is a symbolic link.
    pub is_symlink: bool,
}

/// A directory whose tree has not been seen before.
struct Fresh {
    directory: usize,
    tree: ObjectId,
    slot: u32,
    /// Directories in it that have changed: which, and the slots before and after.
    moved: Vec<(usize, u32, u32)>,
}

/// A child of a directory, and the entry that the new tree has for it.
type Touched<'t> = (usize, Option<Entry<'t>>);

/// What a wanted file agrees with, and the group that it counts for.
struct Agreeing {
    files: Vec<VersionFile>,
    absent: bool,
    group: u32,
}

/// What the walk found, tree by tree.
pub(super) struct Recorder {
    pub(super) trie: Trie,
    pub(super) states: States,
    pub(super) search: Search,
    wanted: Vec<Agreeing>,
    /// By leaf, in the order in which they were seen.
    versions: Vec<Vec<Version>>,
    numbers: HashMap<(usize, VersionFile), u32>,
    hash_len: usize,
    spare: Vec<u8>,
}

impl Recorder {
    pub(super) fn new(query: &Query<'_>, hash_len: usize) -> Self {
        let trie = Trie::new(query.wanted);
        let mut recorder = Self {
            versions: vec![Vec::new(); trie.leaves.len()],
            trie,
            states: States::new(),
            search: Search::new(query.anywhere),
            wanted: query.wanted.iter().map(agreeing).collect(),
            numbers: HashMap::new(),
            hash_len,
            spare: Vec::new(),
        };
        recorder.count_absences();
        recorder
    }

    /// Before any tree is seen nothing is there, and in an absent directory neither; the lowest directories come first.
    fn count_absences(&mut self) {
        for directory in (0..self.trie.directories.len()).rev() {
            let mut tally = Tally::default();
            for child in &self.trie.directories[directory].children {
                match child.target {
                    Target::Leaf(leaf) => {
                        let wanted = self.trie.leaves[leaf].wanted.iter().filter(|&&wanted| self.wanted[wanted].absent);
                        wanted.for_each(|&wanted| tally.add_file(wanted, self.wanted[wanted].group));
                    }
                    Target::Directory(below) => {
                        let state = self.trie.directories[below].states[ABSENT as usize];
                        self.states.counts(state).iter().for_each(|&count| tally.add(count));
                    }
                }
            }
            self.trie.directories[directory].states[ABSENT as usize] = self.states.number(&tally);
            self.trie.directories[directory].tally = tally;
        }
    }

    /// Every version of a wanted path, newest first.
    pub(super) fn versions(&self, wanted: usize) -> &[Version] {
        &self.versions[self.trie.leaf_of[wanted]]
    }

    /// Whether a wanted file agrees with what a path is.
    pub(super) fn agrees(&self, wanted: usize, file: Option<VersionFile>) -> bool {
        self.wanted[wanted].agrees(file)
    }

    /// The slot of the root tree of `commit`.
    pub(super) fn look(&mut self, reader: &mut Reader, commit: CommitIndex, tree: ObjectId) -> Result<u32, RepoError> {
        if let Some(&slot) = self.trie.directories[ROOT].slots.get(&tree) {
            return Ok(slot);
        }
        let mut fresh = vec![self.fresh(ROOT, tree)];
        let slot = fresh[0].slot;
        let mut at = 0;
        while at < fresh.len() {
            let new = self.compare(reader, commit, &mut fresh[at])?;
            fresh.extend(new);
            at += 1;
        }
        // Directories count what is below them, so the lowest come first.
        for directory in fresh.iter().rev() {
            self.sum_up(directory);
        }
        self.search.outside(reader, commit, self.hash_len)?;
        Ok(slot)
    }

    fn fresh(&mut self, directory: usize, tree: ObjectId) -> Fresh {
        let slots = &mut self.trie.directories[directory].slots;
        let slot = u32::try_from(slots.len() + 1).unwrap_or(u32::MAX);
        slots.insert(tree, slot);
        Fresh { directory, tree, slot, moved: Vec::new() }
    }

    /// Records in what the new tree of a directory differs from the one before, and gives the directories in it that
    /// are new in turn.
    fn compare(
        &mut self,
        reader: &mut Reader,
        commit: CommitIndex,
        fresh: &mut Fresh,
    ) -> Result<Vec<Fresh>, RepoError> {
        let damaged = || unreadable(fresh.tree, Kind::Tree, "an entry is damaged");
        reader.tree(fresh.tree, &mut self.spare)?;
        let old = std::mem::replace(&mut self.trie.directories[fresh.directory].last, RawTree::empty());
        let data = std::mem::take(&mut self.spare);
        let (new, difference) = RawTree::after(&old, data, self.hash_len).ok_or_else(damaged)?;
        let touched = self.touched(commit, fresh.directory, &old, &new, &difference).ok_or_else(damaged)?;
        let mut below = Vec::new();
        if fresh.slot == 1 {
            self.first_absences(commit, fresh.directory, &touched);
        }
        for (child, entry) in touched {
            match self.trie.directories[fresh.directory].children[child].target {
                Target::Leaf(leaf) => self.file(commit, fresh, child, leaf, entry),
                Target::Directory(directory) => {
                    let tree = entry.map(|entry| entry.id.to_owned());
                    below.extend(self.directory(commit, fresh, child, directory, tree));
                }
            }
        }
        self.trie.directories[fresh.directory].last = new;
        self.spare = old.into_buffer();
        Ok(below)
    }

    /// The children whose entries differ, in order; `None` when a tree is damaged.
    fn touched<'t>(
        &mut self,
        commit: CommitIndex,
        directory: usize,
        old: &'t RawTree,
        new: &'t RawTree,
        difference: &Difference,
    ) -> Option<Vec<Touched<'t>>> {
        let children = &self.trie.directories[directory];
        let child = |entry: &Entry<'_>| children.child(entry.name, entry.kind == EntryKind::Directory);
        let path = self.search.is_active().then(|| self.trie.path(directory));
        let mut touched = Vec::new();
        for (before, after) in difference.pairs(old, new) {
            if let Some(position) = before {
                touched.extend(child(&old.entry(position, self.hash_len)?).map(|child| (child, None)));
            }
            if let Some(position) = after {
                let entry = new.entry(position, self.hash_len)?;
                let child = child(&entry);
                touched.extend(child.map(|child| (child, Some(entry))));
                if let Some(path) = &path {
                    self.search.entry(commit, path, &entry, child.is_some());
                }
            }
        }
        // Of one child the new entry counts, wherever the old one stood.
        touched.sort_by_key(|(child, entry)| (*child, entry.is_none()));
        touched.dedup_by_key(|&mut (child, _)| child);
        Some(touched)
    }

    fn file(&mut self, commit: CommitIndex, fresh: &Fresh, child: usize, leaf: usize, entry: Option<Entry<'_>>) {
        let file = entry.and_then(|entry| VersionFile::of(&entry));
        let number = match file {
            Some(file) => self.number(commit, leaf, file),
            None => {
                self.leaf_absent(commit, leaf);
                ABSENT
            }
        };
        let directory = &mut self.trie.directories[fresh.directory];
        let before = directory.children[child].latest();
        directory.children[child].set(fresh.slot, number);
        let before = (before != ABSENT).then(|| self.versions[leaf][before as usize - 1].file).flatten();
        for &wanted in &self.trie.leaves[leaf].wanted {
            let agreeing = &self.wanted[wanted];
            match (agreeing.agrees(before), agreeing.agrees(file)) {
                (false, true) => directory.tally.add_file(wanted, agreeing.group),
                (true, false) => directory.tally.remove_file(wanted, agreeing.group),
                _ => {}
            }
        }
    }

    /// The number of a version, which is recorded when it is new.
    fn number(&mut self, commit: CommitIndex, leaf: usize, file: VersionFile) -> u32 {
        let versions = &mut self.versions[leaf];
        *self.numbers.entry((leaf, file)).or_insert_with(|| {
            versions.push(Version { file: Some(file), commit });
            u32::try_from(versions.len()).unwrap_or(u32::MAX)
        })
    }

    fn directory(
        &mut self,
        commit: CommitIndex,
        fresh: &mut Fresh,
        child: usize,
        directory: usize,
        tree: Option<ObjectId>,
    ) -> Option<Fresh> {
        let mut new = None;
        let slot = match tree {
            Some(tree) => match self.trie.directories[directory].slots.get(&tree) {
                Some(&slot) => slot,
                None => new.insert(self.fresh(directory, tree)).slot,
            },
            None => {
                self.directory_absent(commit, directory);
                ABSENT
            }
        };
        let child = &mut self.trie.directories[fresh.directory].children[child];
        fresh.moved.push((directory, child.latest(), slot));
        child.set(fresh.slot, slot);
        new
    }

    fn sum_up(&mut self, fresh: &Fresh) {
        for &(below, before, after) in &fresh.moved {
            let states = &self.trie.directories[below].states;
            let (before, after) = (states[before as usize], states[after as usize]);
            let tally = &mut self.trie.directories[fresh.directory].tally;
            self.states.counts(before).iter().for_each(|&count| tally.remove(count));
            self.states.counts(after).iter().for_each(|&count| tally.add(count));
        }
        let directory = &mut self.trie.directories[fresh.directory];
        directory.states.push(self.states.number(&directory.tally));
    }

    /// The first tree of a directory says for everything that is not in it that it is absent.
    fn first_absences(&mut self, commit: CommitIndex, directory: usize, touched: &[Touched<'_>]) {
        let mut there = vec![false; self.trie.directories[directory].children.len()];
        touched.iter().for_each(|&(child, _)| there[child] = true);
        for (child, there) in there.into_iter().enumerate() {
            if !there {
                self.absent(commit, directory, child);
            }
        }
    }

    fn absent(&mut self, commit: CommitIndex, directory: usize, child: usize) {
        match self.trie.directories[directory].children[child].target {
            Target::Leaf(leaf) => self.leaf_absent(commit, leaf),
            Target::Directory(below) => self.directory_absent(commit, below),
        }
    }

    fn directory_absent(&mut self, commit: CommitIndex, directory: usize) {
        let mut pending = vec![directory];
        while let Some(directory) = pending.pop() {
            if std::mem::replace(&mut self.trie.directories[directory].seen_absent, true) {
                continue;
            }
            for child in 0..self.trie.directories[directory].children.len() {
                match self.trie.directories[directory].children[child].target {
                    Target::Leaf(leaf) => self.leaf_absent(commit, leaf),
                    Target::Directory(below) => pending.push(below),
                }
            }
        }
    }

    fn leaf_absent(&mut self, commit: CommitIndex, leaf: usize) {
        if !std::mem::replace(&mut self.trie.leaves[leaf].seen_absent, true) {
            self.versions[leaf].push(Version { file: None, commit });
        }
    }
}

impl VersionFile {
    fn of(entry: &Entry<'_>) -> Option<Self> {
        let is_symlink = match entry.kind {
            EntryKind::File => false,
            EntryKind::Symlink => true,
            EntryKind::Directory | EntryKind::Commit => return None,
        };
        Some(Self { blob: BlobId::from_object_id(entry.id.to_owned()), is_symlink })
    }
}

fn agreeing(wanted: &Wanted) -> Agreeing {
    let is_symlink = wanted.kind == RepoFileKind::Symlink;
    let files = wanted.blobs.iter().map(|&blob| VersionFile { blob, is_symlink }).collect();
    Agreeing { files, absent: wanted.absent, group: u32::try_from(wanted.group).unwrap_or(u32::MAX) }
}

impl Agreeing {
    fn agrees(&self, file: Option<VersionFile>) -> bool {
        file.map_or(self.absent, |file| self.files.contains(&file))
    }
}
