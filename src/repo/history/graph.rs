//! The commits of a walk: who is whose parent, in which order, and what is reachable from where.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix::ObjectId;

use super::super::RepoError;
use super::commits::{RawCommit, Reader};

/// A commit of a [`History`](super::History), counted from the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitIndex(u32);

impl CommitIndex {
    /// More than 4,294,967,295 commits do not fit into memory either.
    pub(super) fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The position in [`History::commits`](super::History::commits).
    pub fn position(self) -> usize {
        self.0 as usize
    }
}

/// Commits in blocks, one for each time the walk went on. In a block children stand before their parents and else
/// newer commits before older ones; parents in earlier blocks are possible.
#[derive(Default)]
pub(super) struct Graph {
    ids: Vec<ObjectId>,
    times: Vec<i64>,
    parents: Vec<CommitIndex>,
    /// Where the parents of each commit end.
    ends: Vec<u32>,
    cut: Vec<CommitIndex>,
    /// Where each block ends.
    blocks: Vec<usize>,
    index: gix::hashtable::HashMap<ObjectId, CommitIndex>,
}

impl Graph {
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn id(&self, commit: CommitIndex) -> ObjectId {
        self.ids[commit.position()]
    }

    pub(super) fn time(&self, commit: CommitIndex) -> i64 {
        self.times[commit.position()]
    }

    pub(super) fn find(&self, id: ObjectId) -> Option<CommitIndex> {
        self.index.get(&id).copied()
    }

    pub(super) fn parents(&self, commit: CommitIndex) -> &[CommitIndex] {
        let position = commit.position();
        let start = if position == 0 { 0 } else { self.ends[position - 1] };
        &self.parents[start as usize..self.ends[position] as usize]
    }

    /// The commits whose parents a shallow clone left out.
    pub(super) fn cut(&self) -> &[CommitIndex] {
        &self.cut
    }

    /// All commits, each after its parents.
    pub(super) fn parents_first(&self) -> impl Iterator<Item = CommitIndex> {
        let starts = std::iter::once(0).chain(self.blocks.iter().copied());
        starts.zip(&self.blocks).flat_map(|(start, &end)| (start..end).rev().map(CommitIndex::new))
    }

    /// Adds everything that `tips` reach and that is not here yet, and gives its trees in the order of the commits.
    pub(super) fn grow(&mut self, reader: &mut Reader, tips: &[ObjectId]) -> Result<Vec<ObjectId>, RepoError> {
        let block = self.discover(reader, tips)?;
        let order = block.order();
        let first = self.len();
        for (place, &at) in order.iter().enumerate() {
            self.index.insert(block.ids[at], CommitIndex::new(first + place));
        }
        let mut trees = Vec::with_capacity(order.len());
        for at in order {
            let commit = &block.commits[at];
            if commit.cut {
                self.cut.push(CommitIndex::new(self.len()));
            }
            self.ids.push(block.ids[at]);
            self.times.push(commit.time);
            self.parents.extend(commit.parents.iter().map(|parent| self.index[parent]));
            self.ends.push(u32::try_from(self.parents.len()).unwrap_or(u32::MAX));
            trees.push(commit.tree);
        }
        self.blocks.push(self.len());
        Ok(trees)
    }

    /// Forgets all commits but the first `known`, which are whole blocks.
    pub(super) fn truncate(&mut self, known: usize) {
        self.ids.truncate(known);
        self.times.truncate(known);
        self.ends.truncate(known);
        self.parents.truncate(self.ends.last().map_or(0, |&end| end as usize));
        self.cut.retain(|commit| commit.position() < known);
        self.blocks.retain(|&end| end <= known);
        self.index.retain(|_, commit| commit.position() < known);
    }

    fn discover(&self, reader: &mut Reader, tips: &[ObjectId]) -> Result<Block, RepoError> {
        let mut block = Block::default();
        let mut pending: Vec<ObjectId> = tips.iter().rev().copied().collect();
        while let Some(id) = pending.pop() {
            if self.index.contains_key(&id) || block.index.contains_key(&id) {
                continue;
            }
            let commit = reader.commit(id)?;
            pending.extend(commit.parents.iter().rev());
            block.index.insert(id, block.ids.len());
            block.ids.push(id);
            block.commits.push(commit);
        }
        Ok(block)
    }

    /// How many commits `from` reaches, itself included, and `without` does not.
    pub(super) fn count(&self, from: CommitIndex, without: CommitIndex) -> usize {
        let mut seen = self.reached(without);
        self.mark(from, &mut seen)
    }

    /// Whether each commit is reached from `from`.
    pub(super) fn reached(&self, from: CommitIndex) -> Vec<bool> {
        let mut seen = vec![false; self.len()];
        self.mark(from, &mut seen);
        seen
    }

    /// Marks what is reached from `from` and not marked yet, and counts it.
    fn mark(&self, from: CommitIndex, seen: &mut [bool]) -> usize {
        let mut marked = 0;
        let mut pending = vec![from];
        while let Some(commit) = pending.pop() {
            if !std::mem::replace(&mut seen[commit.position()], true) {
                marked += 1;
                pending.extend(self.parents(commit));
            }
        }
        marked
    }
}

/// Newly found commits, in no order.
#[derive(Default)]
struct Block {
    ids: Vec<ObjectId>,
    commits: Vec<RawCommit>,
    index: gix::hashtable::HashMap<ObjectId, usize>,
}

impl Block {
    /// As `git rev-list --date-order` has it: children first, and of those that are ready the newest.
    fn order(&self) -> Vec<usize> {
        let mut children = vec![0_usize; self.ids.len()];
        for parent in self.commits.iter().flat_map(|commit| self.parents(commit)) {
            children[parent] += 1;
        }
        let ready = |at: usize| (self.commits[at].time, Reverse(at));
        let mut queue: BinaryHeap<_> = (0..self.ids.len()).filter(|&at| children[at] == 0).map(ready).collect();
        let mut order = Vec::with_capacity(self.ids.len());
        while let Some((_, Reverse(at))) = queue.pop() {
            order.push(at);
            for parent in self.parents(&self.commits[at]) {
                children[parent] -= 1;
                if children[parent] == 0 {
                    queue.push(ready(parent));
                }
            }
        }
        // Grafts and replacements can make a commit its own ancestor.
        let mut placed = vec![false; self.ids.len()];
        order.iter().for_each(|&at| placed[at] = true);
        order.extend((0..self.ids.len()).filter(|&at| !placed[at]));
        order
    }

    fn parents(&self, commit: &RawCommit) -> impl Iterator<Item = usize> {
        commit.parents.iter().filter_map(|parent| self.index.get(parent).copied())
    }
}
