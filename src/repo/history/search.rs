//! Contents that are looked for wherever they are.

use gix::hashtable::{HashMap, HashSet};
use gix::{ObjectId, objs::Kind};

use super::super::RepoError;
use super::CommitIndex;
use super::commits::{Reader, unreadable};
use super::entries::{Entry, EntryKind, RawTree};
use crate::blob::BlobId;
use crate::path::RepoPath;

/// Looks through every tree once.
pub(super) struct Search {
    wanted: HashSet<ObjectId>,
    found: HashMap<ObjectId, (RepoPath, CommitIndex)>,
    looked_through: HashSet<ObjectId>,
    /// Trees outside of the wanted directories, and where they are.
    pending: Vec<(ObjectId, Vec<u8>)>,
    buffer: Vec<u8>,
}

impl Search {
    pub(super) fn new(anywhere: &[BlobId]) -> Self {
        Self {
            wanted: anywhere.iter().map(|blob| blob.object_id()).collect(),
            found: HashMap::default(),
            looked_through: HashSet::default(),
            pending: Vec::new(),
            buffer: Vec::new(),
        }
    }

    pub(super) fn is_active(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Where the contents are, and the newest commit that has them there.
    pub(super) fn found(&self, blob: BlobId) -> Option<&(RepoPath, CommitIndex)> {
        self.found.get(&blob.object_id())
    }

    /// Looks at an entry of `directory`; what is wanted in it, if it is a directory, is seen elsewhere when `covered`.
    pub(super) fn entry(&mut self, commit: CommitIndex, directory: &[u8], entry: &Entry<'_>, covered: bool) {
        match entry.kind {
            EntryKind::File | EntryKind::Symlink => {
                if self.wanted.contains(entry.id) && !self.found.contains_key(entry.id) {
                    let path = below(directory, entry.name);
                    let clean = RepoPath::clean(&path);
                    // No checkout could hold such a path.
                    if clean.as_bytes() == path {
                        self.found.insert(entry.id.to_owned(), (clean, commit));
                    }
                }
            }
            EntryKind::Directory => {
                if !covered && !self.looked_through.contains(entry.id) {
                    self.looked_through.insert(entry.id.to_owned());
                    self.pending.push((entry.id.to_owned(), below(directory, entry.name)));
                }
            }
            EntryKind::Commit => {}
        }
    }

    /// Looks through the trees outside of the wanted directories that have come up.
    pub(super) fn outside(
        &mut self,
        reader: &mut Reader,
        commit: CommitIndex,
        hash_len: usize,
    ) -> Result<(), RepoError> {
        while let Some((id, path)) = self.pending.pop() {
            reader.tree(id, &mut self.buffer)?;
            let damaged = || unreadable(id, Kind::Tree, "an entry is damaged");
            let data = std::mem::take(&mut self.buffer);
            let (tree, all) = RawTree::after(&RawTree::empty(), data, hash_len).ok_or_else(damaged)?;
            for position in all.new {
                let entry = tree.entry(position, hash_len).ok_or_else(damaged)?;
                self.entry(commit, &path, &entry, false);
            }
            self.buffer = tree.into_buffer();
        }
        Ok(())
    }
}

fn below(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() { name.to_owned() } else { [directory, b"/", name].concat() }
}
