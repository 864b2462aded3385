//! Contents that are looked for wherever they are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix::hashtable::{HashMap, HashSet};
use gix::{ObjectId, objs::Kind};

use super::super::RepoError;
use super::super::snapshot::below;
use super::CommitIndex;
use super::commits::unreadable;
use super::entries::{Entry, EntryKind, RawTree};
use super::trees::TreeReader;
use crate::blob::BlobId;
use crate::path::RepoPath;

/// Looks through every tree once.
pub(super) struct Search {
    wanted: HashSet<ObjectId>,
    found: HashMap<ObjectId, (RepoPath, CommitIndex)>,
    looked_through: HashSet<ObjectId>,
    /// Trees outside of the wanted directories, the newest commits that have them, and where.
    pending: BinaryHeap<Reverse<(CommitIndex, ObjectId, Vec<u8>)>>,
}

impl Search {
    pub(super) fn new(anywhere: &[BlobId]) -> Self {
        Self {
            wanted: anywhere.iter().map(|blob| blob.object_id()).collect(),
            found: HashMap::default(),
            looked_through: HashSet::default(),
            pending: BinaryHeap::new(),
        }
    }

    pub(super) fn is_active(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Where the contents are, and the newest commit that has them there.
    pub(super) fn found(&self, blob: BlobId) -> Option<&(RepoPath, CommitIndex)> {
        self.found.get(&blob.object_id())
    }

    /// Forgets what was found in all commits but the first `known`.
    pub(super) fn forget(&mut self, known: usize) {
        self.found.retain(|_, (_, commit)| commit.position() < known);
    }

    /// Looks at an entry of `directory`; what is wanted in it, if it is a directory, is seen elsewhere when `covered`.
    pub(super) fn entry(&mut self, commit: CommitIndex, directory: &[u8], entry: &Entry<'_>, covered: bool) {
        match entry.kind {
            EntryKind::File | EntryKind::Symlink => {
                if self.wanted.contains(entry.id) {
                    self.hit(commit, entry.id.to_owned(), &below(directory, entry.name));
                }
            }
            EntryKind::Directory => {
                if !covered && !self.looked_through.contains(entry.id) {
                    self.pending.push(Reverse((commit, entry.id.to_owned(), below(directory, entry.name))));
                }
            }
            EntryKind::Commit => {}
        }
    }

    fn hit(&mut self, commit: CommitIndex, blob: ObjectId, path: &[u8]) {
        let clean = RepoPath::clean(path);
        let is_newer = self.found.get(&blob).is_none_or(|&(_, known)| commit < known);
        // No checkout could hold a path that is not clean.
        if is_newer && clean.as_bytes() == path {
            self.found.insert(blob, (clean, commit));
        }
    }

    /// Looks through the trees outside of the wanted directories that have come up, those of newer commits first.
    pub(super) fn outside(&mut self, objects: &mut TreeReader, hash_len: usize) -> Result<(), RepoError> {
        while let Some(Reverse((commit, id, path))) = self.pending.pop() {
            if !self.looked_through.insert(id) {
                continue;
            }
            let damaged = || unreadable(id, Kind::Tree, "an entry is damaged");
            let data = objects.tree(id)?;
            let (tree, all) = RawTree::after(&RawTree::default(), data, hash_len).ok_or_else(damaged)?;
            for position in all.new {
                let entry = tree.entry(position, hash_len).ok_or_else(damaged)?;
                self.entry(commit, &path, &entry, false);
            }
        }
        Ok(())
    }
}
