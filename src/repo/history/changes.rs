//! Which commit made a path what it is.

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
        self.back(from, |commit, parent| path.at(commit) == path.at(parent))
    }

    /// The commit since which there has been a file at a wanted path, seen from `from`; `None` when there is none, or
    /// when it was added before the boundary of a shallow clone.
    pub fn added(&self, wanted: usize, from: CommitIndex) -> Option<CommitIndex> {
        let path = self.trace(wanted);
        path.exists(from).then(|| self.back(from, |_, parent| path.exists(parent))).flatten()
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
        let by = self.back(from, |_, parent| !path.exists(parent));
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
    fn back(&self, from: CommitIndex, same: impl Fn(CommitIndex, CommitIndex) -> bool) -> Option<CommitIndex> {
        let mut commit = from;
        // Grafts can make a commit its own ancestor.
        for _ in 0..self.graph.len() {
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
        Trace { history: self, leaf: self.recorder.trie.leaf_of[wanted] }
    }
}

/// What one path is in every commit.
struct Trace<'h> {
    history: &'h History,
    leaf: usize,
}

impl Trace<'_> {
    /// The number of its version, 0 without a file.
    fn at(&self, commit: CommitIndex) -> u32 {
        self.history.recorder.trie.version(self.leaf, self.history.roots[commit.position()])
    }

    fn exists(&self, commit: CommitIndex) -> bool {
        self.at(commit) != super::trie::ABSENT
    }
}
