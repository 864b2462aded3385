//! Which commit made a path what it is.

use std::sync::Arc;

use super::trie::{ABSENT, Child};
use super::{CommitIndex, History};

/// A commit that deleted a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The commit without the file.
    pub commit: CommitIndex,
    /// Its parent, which has the file still.
    pub before: CommitIndex,
}

impl History {
    /// The commit that made a wanted path what it is in `from`: the first one, going back, whose parents all have
    /// something else there. `None` when it lies before the boundary of a shallow clone.
    ///
    /// Where several parents have the same, the first of them is followed, as `git log -- PATH` does.
    pub fn introduced(&self, wanted: usize, from: CommitIndex) -> Option<CommitIndex> {
        let path = self.trace(wanted);
        self.back(&path, from, |commit, parent| path.at(commit) == path.at(parent))
    }

    /// The commit since which there has been a file at a wanted path, seen from `from`; `None` when there is none, or
    /// when it was added before the boundary of a shallow clone.
    pub fn added(&self, wanted: usize, from: CommitIndex) -> Option<CommitIndex> {
        let path = self.trace(wanted);
        path.exists(from).then(|| self.back(&path, from, |_, parent| path.exists(parent))).flatten()
    }

    /// The commit that deleted a wanted path, seen from `from`; `None` when there is a file or never was one.
    ///
    /// When the way back never meets the file, because a merge left out a branch with all that it brought, then that
    /// merge deleted it.
    pub fn deleted(&self, wanted: usize, from: CommitIndex) -> Option<Deletion> {
        let path = self.trace(wanted);
        if path.exists(from) {
            return None;
        }
        let by = self.back(&path, from, |_, parent| !path.exists(parent));
        let before = by.and_then(|commit| self.parents(commit).first().copied());
        by.zip(before).map(|(commit, before)| Deletion { commit, before }).or_else(|| self.left_out(wanted, from))
    }

    /// The newest commit that `from` reaches and that lacks the file while a parent has it.
    fn left_out(&self, wanted: usize, from: CommitIndex) -> Option<Deletion> {
        let reached = self.graph.reached(from);
        let path = self.trace(wanted);
        let lacking = self.commits().filter(|&commit| reached[commit.position()] && !path.exists(commit));
        let with = |commit: CommitIndex| self.parents(commit).iter().find(|&&parent| path.exists(parent)).copied();
        lacking.filter_map(|commit| Some(Deletion { commit, before: with(commit)? })).next()
    }

    /// Goes back from `from` along parents that are `same`, and gives the commit where that ends.
    fn back(
        &self,
        path: &Trace<'_>,
        from: CommitIndex,
        same: impl Fn(CommitIndex, CommitIndex) -> bool,
    ) -> Option<CommitIndex> {
        let mut commit = from;
        // Grafts can make a commit its own ancestor.
        for _ in 0..self.graph.len() {
            commit = path.line.starts[commit.position()];
            match self.parents(commit).iter().find(|&&parent| same(commit, parent)) {
                Some(&parent) => commit = parent,
                None => return (!self.boundary().contains(&commit)).then_some(commit),
            }
        }
        None
    }

    /// The wanted files that a commit has otherwise than each of its parents.
    pub fn touched(&self, commit: CommitIndex) -> Vec<usize> {
        let here = |wanted: &usize| {
            let file = self.file_at(*wanted, commit);
            let parents = self.parents(commit);
            let differs = |&parent: &CommitIndex| self.file_at(*wanted, parent) != file;
            if parents.is_empty() { file.is_some() } else { parents.iter().all(differs) }
        };
        (0..self.recorder.trie.leaf_of.len()).filter(here).collect()
    }

    fn trace(&self, wanted: usize) -> Trace<'_> {
        let (directory, child) = self.recorder.trie.place(self.recorder.trie.leaf_of[wanted]);
        Trace { child, line: self.line(directory) }
    }

    /// The line of a directory; that of the last one is kept, because files of a directory are asked for together.
    fn line(&self, directory: usize) -> Arc<Line> {
        let mut last = self.line.borrow_mut();
        match &*last {
            Some((kept, line)) if *kept == directory && line.slots.len() == self.graph.len() => Arc::clone(line),
            _ => {
                let line = Arc::new(Line::new(self, directory));
                *last = Some((directory, Arc::clone(&line)));
                line
            }
        }
    }
}

/// What one directory is in every commit.
pub(super) struct Line {
    slots: Vec<u32>,
    /// How far back the directory is the same along first parents.
    starts: Vec<CommitIndex>,
}

impl Line {
    fn new(history: &History, directory: usize) -> Self {
        let way = history.recorder.trie.way(directory);
        let slots: Vec<u32> =
            history.roots.iter().map(|&root| way.iter().fold(root, |slot, child| child.at(slot))).collect();
        let mut starts: Vec<CommitIndex> = history.commits().collect();
        for commit in history.graph.parents_first() {
            if let Some(&parent) = history.parents(commit).first()
                && slots[parent.position()] == slots[commit.position()]
            {
                starts[commit.position()] = starts[parent.position()];
            }
        }
        Self { slots, starts }
    }
}

/// What one path is in every commit.
struct Trace<'h> {
    child: &'h Child,
    line: Arc<Line>,
}

impl Trace<'_> {
    /// The number of its version, [`ABSENT`] without a file.
    fn at(&self, commit: CommitIndex) -> u32 {
        self.child.at(self.line.slots[commit.position()])
    }

    fn exists(&self, commit: CommitIndex) -> bool {
        self.at(commit) != ABSENT
    }
}
