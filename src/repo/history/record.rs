//! Looking at the trees of one directory after the other, newest first, and keeping what is new.
//!
//! The directories of one level are looked through together, from the top down: what a level finds below are the trees
//! of the next. Afterwards the counts are summed up from the bottom.

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
use super::trie::{ABSENT, Change, ROOT, Target, Trie};
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

/// A tree of a directory that has not been looked at.
struct Fresh {
    directory: usize,
    tree: ObjectId,
    slot: u32,
    /// The newest commit that has it there.
    commit: CommitIndex,
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
    /// By leaf, newest first.
    versions: Vec<Vec<Version>>,
    /// By leaf, as they are numbered.
    files: Vec<Vec<VersionFile>>,
    numbers: HashMap<(usize, VersionFile), u32>,
    /// What is to be looked at, by directory, and in which directories there is something.
    fresh: Vec<Vec<Fresh>>,
    next: Vec<usize>,
    hash_len: usize,
}

impl Recorder {
    pub(super) fn new(query: &Query<'_>, hash_len: usize) -> Self {
        let trie = Trie::new(query.wanted);
        let mut recorder = Self {
            versions: vec![Vec::new(); trie.leaves.len()],
            files: vec![Vec::new(); trie.leaves.len()],
            fresh: trie.directories.iter().map(|_| Vec::new()).collect(),
            next: Vec::new(),
            trie,
            states: States::new(),
            search: Search::new(query.anywhere),
            wanted: query.wanted.iter().map(agreeing).collect(),
            numbers: HashMap::new(),
            hash_len,
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

    /// The file that a version's number stands for.
    pub(super) fn file(&self, leaf: usize, number: u32) -> Option<VersionFile> {
        (number != ABSENT).then(|| self.files[leaf][number as usize - 1])
    }

    /// The slot of the root tree of `commit`, which [`look`](Self::look) will look at if it is new.
    pub(super) fn root(&mut self, tree: ObjectId, commit: CommitIndex) -> u32 {
        self.slot(ROOT, tree, commit)
    }

    fn slot(&mut self, directory: usize, tree: ObjectId, commit: CommitIndex) -> u32 {
        let slots = &mut self.trie.directories[directory].slots;
        let next = u32::try_from(slots.len() + 1).unwrap_or(u32::MAX);
        let slot = *slots.entry(tree).or_insert(next);
        if slot == next {
            if self.fresh[directory].is_empty() {
                self.next.push(directory);
            }
            self.fresh[directory].push(Fresh { directory, tree, slot, commit });
        }
        slot
    }

    /// Forgets what was seen in all commits but the first `known`.
    pub(super) fn forget(&mut self, known: usize) {
        self.versions.iter_mut().for_each(|versions| versions.retain(|version| version.commit.position() < known));
        self.search.forget(known);
    }

    /// Looks at everything new, beginning with root trees, which come newest first.
    pub(super) fn look(&mut self, reader: &mut Reader) -> Result<(), RepoError> {
        while !self.next.is_empty() {
            let level = std::mem::take(&mut self.next);
            let fresh: Vec<Fresh> =
                level.into_iter().flat_map(|directory| std::mem::take(&mut self.fresh[directory])).collect();
            let trees: Vec<ObjectId> = fresh.iter().map(|fresh| fresh.tree).collect();
            reader.objects.trees(&trees, |position, data| self.compare(&fresh[position], data))?;
        }
        self.search.outside(&mut reader.objects, self.hash_len)?;
        for directory in (0..self.trie.directories.len()).rev() {
            self.sum_up(directory);
        }
        self.list_absences();
        Ok(())
    }

    /// Records in what the new tree of a directory differs from the one before.
    fn compare(&mut self, fresh: &Fresh, data: Vec<u8>) -> Result<(), RepoError> {
        let damaged = || unreadable(fresh.tree, Kind::Tree, "an entry is damaged");
        let old = std::mem::take(&mut self.trie.directories[fresh.directory].last);
        let (new, difference) = RawTree::after(&old, data, self.hash_len).ok_or_else(damaged)?;
        let touched = self.touched(fresh, &old, &new, &difference).ok_or_else(damaged)?;
        if fresh.slot == 1 {
            self.first_absences(fresh, &touched);
        }
        for (child, entry) in touched {
            let value = match self.trie.directories[fresh.directory].children[child].target {
                Target::Leaf(leaf) => {
                    entry.and_then(|entry| VersionFile::of(&entry)).map(|file| self.number(fresh, leaf, file))
                }
                Target::Directory(below) => entry.map(|entry| self.slot(below, entry.id.to_owned(), fresh.commit)),
            };
            if value.is_none() {
                self.absent(fresh, child);
            }
            self.trie.directories[fresh.directory].children[child].set(fresh.slot, value.unwrap_or(ABSENT));
        }
        self.trie.directories[fresh.directory].last = new;
        Ok(())
    }

    /// The children whose entries differ, in order; `None` when a tree is damaged.
    fn touched<'t>(
        &mut self,
        fresh: &Fresh,
        old: &'t RawTree,
        new: &'t RawTree,
        difference: &Difference,
    ) -> Option<Vec<Touched<'t>>> {
        let children = &self.trie.directories[fresh.directory];
        let child = |entry: &Entry<'_>| children.child(entry.name, entry.kind == EntryKind::Directory);
        let path = self.search.is_active().then(|| self.trie.path(fresh.directory));
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
                    self.search.entry(fresh.commit, path, &entry, child.is_some());
                }
            }
        }
        // Of one child the new entry counts, wherever the old one stood.
        touched.sort_by_key(|(child, entry)| (*child, entry.is_none()));
        touched.dedup_by_key(|&mut (child, _)| child);
        Some(touched)
    }

    /// The number of a version, which is recorded when it is new.
    fn number(&mut self, fresh: &Fresh, leaf: usize, file: VersionFile) -> u32 {
        let (versions, files) = (&mut self.versions[leaf], &mut self.files[leaf]);
        *self.numbers.entry((leaf, file)).or_insert_with(|| {
            versions.push(Version { file: Some(file), commit: fresh.commit });
            files.push(file);
            u32::try_from(files.len()).unwrap_or(u32::MAX)
        })
    }

    /// The first tree of a directory says for everything that is not in it that it is absent.
    fn first_absences(&mut self, fresh: &Fresh, touched: &[Touched<'_>]) {
        let mut there = vec![false; self.trie.directories[fresh.directory].children.len()];
        touched.iter().for_each(|&(child, _)| there[child] = true);
        (0..there.len()).filter(|&child| !there[child]).for_each(|child| self.absent(fresh, child));
    }

    fn absent(&mut self, fresh: &Fresh, child: usize) {
        self.trie.absence(fresh.directory, child).get_or_insert(fresh.commit);
    }

    /// Counts what agrees in the new trees of a directory, after those below have been counted.
    fn sum_up(&mut self, directory: usize) {
        let known = self.trie.directories[directory].states.len();
        let mut tally = std::mem::take(&mut self.trie.directories[directory].tally);
        let changes = self.trie.directories[directory].changes_from(known);
        let mut changes = changes.iter().peekable();
        for slot in known..=self.trie.directories[directory].slots.len() {
            while let Some(change) = changes.next_if(|change| change.slot as usize == slot) {
                self.count(&mut tally, change);
            }
            let state = self.states.number(&tally);
            self.trie.directories[directory].states.push(state);
        }
        self.trie.directories[directory].tally = tally;
    }

    fn count(&self, tally: &mut Tally, change: &Change) {
        match change.target {
            Target::Leaf(leaf) => {
                let (before, after) = (self.file(leaf, change.before), self.file(leaf, change.after));
                for &wanted in &self.trie.leaves[leaf].wanted {
                    let agreeing = &self.wanted[wanted];
                    match (agreeing.agrees(before), agreeing.agrees(after)) {
                        (false, true) => tally.add_file(wanted, agreeing.group),
                        (true, false) => tally.remove_file(wanted, agreeing.group),
                        _ => {}
                    }
                }
            }
            Target::Directory(below) => {
                let state = |slot: u32| self.states.counts(self.trie.directories[below].states[slot as usize]);
                state(change.before).iter().for_each(|&count| tally.remove(count));
                state(change.after).iter().for_each(|&count| tally.add(count));
            }
        }
    }

    /// Puts the absence of a path among its versions, the absence of a directory above being one as well.
    fn list_absences(&mut self) {
        self.trie.hand_down_absences();
        for (leaf, versions) in self.trie.leaves.iter().zip(&mut self.versions) {
            if let Some(commit) = leaf.absent {
                versions.retain(|version| version.file.is_some());
                let at = versions.partition_point(|version| version.commit < commit);
                versions.insert(at, Version { file: None, commit });
            }
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
