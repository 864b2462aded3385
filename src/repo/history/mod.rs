//! The history of files: which commits agree with what was found, and where each version of a path comes from.
//!
//! [`History::walk`] looks at every commit once and answers everything afterwards from memory. The commits are ordered
//! first; then their trees are looked through directory by directory, each distinct one once, on all cores, and of two
//! trees that follow each other only the entries that differ. Memory grows with what changes, not with commits times
//! files.
//!
//! A merge counts with its own tree, as any commit. `refs/replace` and `info/grafts` alter parents as they do for git.
//! A shallow clone's history ends at its boundary, which is told ([`History::boundary`]); a clone without blobs will
//! do, one without trees is an error. Modes are not compared, only contents and whether something is a link.

mod changes;
mod commits;
mod entries;
mod filters;
mod graph;
mod names;
mod query;
mod record;
mod runs;
mod search;
mod tally;
mod trees;
mod trie;
mod walk;

use std::cell::RefCell;
use std::sync::Arc;

use gix::ObjectId;

use super::{Commit, RepoError, Repository, revision};
use crate::blob::BlobId;
use crate::path::RepoPath;
pub use changes::Deletion;
use changes::Line;
use commits::Reader;
pub use graph::CommitIndex;
use graph::Graph;
pub use names::Names;
pub use query::{Query, Wanted};
use record::Recorder;
pub use record::{Version, VersionFile};
pub use runs::{Best, Run};
use walk::Unchanged;

/// Commits, and what a [`Query`] found in them.
pub struct History {
    reader: Reader,
    graph: Graph,
    recorder: Recorder,
    /// The slot of each commit's root tree.
    roots: Vec<u32>,
    unchanged: Unchanged,
    line: RefCell<Option<(usize, Arc<Line>)>>,
    has_failed: bool,
}

impl History {
    /// Looks through everything that `tip` reaches.
    ///
    /// # Errors
    /// When a commit or a tree is damaged or not here.
    pub fn walk(repository: &Repository, tip: &Commit, query: &Query<'_>) -> Result<Self, RepoError> {
        let reader = Reader::new(repository)?;
        let recorder = Recorder::new(query, repository.git.object_hash().len_in_bytes());
        let unchanged = Unchanged::new(&reader, &recorder);
        let mut history = Self {
            reader,
            graph: Graph::default(),
            recorder,
            roots: Vec::new(),
            unchanged,
            line: RefCell::new(None),
            has_failed: false,
        };
        history.go_on(&[repository.id_of(tip)?])?;
        Ok(history)
    }

    /// Looks through what all branches and tags reach and what is not here yet. Commits keep their index; versions that
    /// are known already keep their commit.
    ///
    /// # Errors
    /// When a commit or a tree is damaged or not here.
    pub fn extend(&mut self, names: &Names) -> Result<(), RepoError> {
        self.go_on(&names.tips())
    }

    /// Like [`extend`](Self::extend), with what `tip` reaches; gives its index.
    ///
    /// # Errors
    /// When a commit or a tree is damaged or not here.
    pub fn include(&mut self, repository: &Repository, tip: &Commit) -> Result<CommitIndex, RepoError> {
        let id = repository.id_of(tip)?;
        self.go_on(&[id])?;
        // What was just looked through is found.
        Ok(self.graph.find(id).unwrap_or(CommitIndex::new(0)))
    }

    /// The commits of the first walk, children before parents and else the newest first; then, in the same order, what
    /// each extension added.
    pub fn commits(&self) -> impl DoubleEndedIterator<Item = CommitIndex> + ExactSizeIterator + use<> {
        (0..self.graph.len()).map(CommitIndex::new)
    }

    /// The commit as it is shown, which is read for that.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn commit(&self, commit: CommitIndex) -> Result<Commit, RepoError> {
        revision::shown_by_id(&self.reader.objects.git, self.graph.id(commit))
    }

    /// Where `commit` is in this history.
    pub fn find(&self, commit: &Commit) -> Option<CommitIndex> {
        self.graph.find(ObjectId::from_hex(commit.id.as_bytes()).ok()?)
    }

    /// The parents that are here, first parent first.
    pub fn parents(&self, commit: CommitIndex) -> &[CommitIndex] {
        self.graph.parents(commit)
    }

    /// When it was committed, in seconds since 1970.
    pub fn time(&self, commit: CommitIndex) -> i64 {
        self.graph.time(commit)
    }

    /// The commits whose parents a shallow clone left out. While there are any, nothing can be said of what is before.
    pub fn boundary(&self) -> &[CommitIndex] {
        self.graph.cut()
    }

    /// How many wanted files agree in a commit.
    pub fn matched(&self, commit: CommitIndex) -> usize {
        self.counts(commit).iter().map(|count| count.files as usize).sum()
    }

    /// How many wanted files of a group agree in a commit.
    pub fn matched_in(&self, commit: CommitIndex, group: usize) -> usize {
        let found = self.counts(commit).iter().find(|count| count.group as usize == group);
        found.map_or(0, |count| count.files as usize)
    }

    /// Every version of a wanted path, newest first, its absence among them.
    pub fn versions(&self, wanted: usize) -> &[Version] {
        self.recorder.versions(wanted)
    }

    /// What a wanted path is in a commit.
    pub fn file_at(&self, wanted: usize, commit: CommitIndex) -> Option<VersionFile> {
        let leaf = self.recorder.trie.leaf_of[wanted];
        self.recorder.file(leaf, self.recorder.trie.version(leaf, self.roots[commit.position()]))
    }

    /// Whether a wanted file agrees in a commit.
    pub fn agrees(&self, wanted: usize, commit: CommitIndex) -> bool {
        self.recorder.agrees(wanted, self.file_at(wanted, commit))
    }

    /// Where contents of [`Query::anywhere`] are, and the newest commit that has them there.
    pub fn elsewhere(&self, blob: BlobId) -> Option<(&RepoPath, CommitIndex)> {
        self.recorder.search.found(blob).map(|(path, commit)| (path, *commit))
    }

    /// How many commits `commit` is behind `tip`: those that `tip` reaches and `commit` does not.
    pub fn distance(&self, tip: CommitIndex, commit: CommitIndex) -> usize {
        self.graph.count(tip, commit)
    }

    /// Whether each commit is reached from `tip`, which reaches itself.
    pub fn reached(&self, tip: CommitIndex) -> Vec<bool> {
        self.graph.reached(tip)
    }

    /// Whether `descendant` reaches `ancestor`; a commit reaches itself.
    pub fn is_ancestor(&self, ancestor: CommitIndex, descendant: CommitIndex) -> bool {
        self.graph.reached(descendant)[ancestor.position()]
    }

    fn counts(&self, commit: CommitIndex) -> &[tally::Count] {
        let slot = self.roots[commit.position()];
        self.recorder.states.counts(self.recorder.trie.directories[trie::ROOT].states[slot as usize])
    }
}

#[cfg(test)]
mod tests;
