//! Going through commits, newest first, and passing over those that certainly change nothing wanted.

use gix::ObjectId;

use super::super::RepoError;
use super::commits::Reader;
use super::filters::{Filters, Key};
use super::record::Recorder;
use super::{CommitIndex, History};

/// How many paths a filter is asked for. Each is wrongly taken for changed in one of a hundred commits.
const MAX_KEYS: usize = 32;

/// The slot of a commit that has not been looked at.
const UNKNOWN: u32 = u32::MAX;

/// Knows commits that have the same as their first parent wherever something is wanted.
pub(super) struct Unchanged {
    filters: Option<Filters>,
    keys: Vec<Key>,
}

impl Unchanged {
    pub(super) fn new(reader: &Reader, recorder: &Recorder) -> Self {
        let paths = if recorder.search.is_active() { None } else { recorder.trie.cover(MAX_KEYS) };
        let filters = paths.as_ref().and_then(|_| reader.filters());
        Self { filters, keys: paths.unwrap_or_default().iter().map(|path| Key::new(path)).collect() }
    }

    fn knows(&self, commit: ObjectId) -> bool {
        self.filters.as_ref().is_some_and(|filters| filters.unchanged(commit, &self.keys))
    }
}

impl History {
    /// Looks at everything that `tips` reach and that has not been looked at. After an error the history is what it was
    /// before, and does not go on.
    pub(super) fn go_on(&mut self, tips: &[ObjectId]) -> Result<(), RepoError> {
        if self.has_failed {
            return Err(RepoError::HistoryBroken);
        }
        let known = self.graph.len();
        let outcome = self.look(tips, known);
        if outcome.is_err() {
            self.has_failed = true;
            self.graph.truncate(known);
            self.roots.truncate(known);
            self.recorder.forget(known);
        }
        outcome
    }

    fn look(&mut self, tips: &[ObjectId], known: usize) -> Result<(), RepoError> {
        let trees = self.graph.grow(&mut self.reader, tips)?;
        self.roots.resize(self.graph.len(), UNKNOWN);
        for position in known..self.graph.len() {
            if self.roots[position] == UNKNOWN {
                self.root(CommitIndex::new(position), &trees, known);
            }
        }
        self.recorder.look(&mut self.reader)
    }

    /// Finds the root tree of a commit, or that of an ancestor that certainly has the same where something is wanted.
    fn root(&mut self, newest: CommitIndex, trees: &[ObjectId], known: usize) {
        let mut same = vec![newest];
        let mut at = newest;
        while let Some(&parent) = self.graph.parents(at).first().filter(|_| self.unchanged.knows(self.graph.id(at))) {
            at = parent;
            if self.roots[at.position()] != UNKNOWN {
                break;
            }
            same.push(at);
        }
        if self.roots[at.position()] == UNKNOWN {
            let tree = trees[at.position() - known];
            self.roots[at.position()] = self.recorder.root(tree, newest);
        }
        let slot = self.roots[at.position()];
        same.iter().for_each(|commit| self.roots[commit.position()] = slot);
    }
}
