//! Reading many trees, on all cores, in order.
//!
//! Trees of one directory are deltas of each other. Whether the newer one is the base, as in what a server packs, or
//! the older one, as `git fast-import` has it, decides on which end a block is begun: from the wrong one each tree
//! costs its whole chain. Nothing says which it is, so the time that each takes does.

use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gix::ObjectId;
use gix::objs::{Find as _, Kind};
use gix::odb::HeaderExt as _;

use super::super::RepoError;
use super::commits::unreadable;

/// What the cache of delta bases may hold; gix's default of 64 entries makes a walk over large trees twice as slow.
const PACK_CACHE_BYTES: usize = 16 * 1024 * 1024;

/// About how much of trees is read at once and kept until it is looked at, for each core twice.
const BLOCK_BYTES: usize = 4 * 1024 * 1024;

/// How many trees that is at most. Where a block begins, chains have to be followed again.
const BLOCK_TREES: usize = if cfg!(test) { 3 } else { 256 };

/// Fewer trees are not worth a thread.
const FEW: usize = if cfg!(test) { 8 } else { 256 };

/// More threads than this bring nothing: one takes in what all of them read.
const MAX_THREADS: usize = 4;

/// While it is not known which end is the faster one, blocks are this short.
const TRIAL_TREES: usize = if cfg!(test) { 2 } else { 32 };

/// Reads objects on one thread.
pub(super) struct TreeReader {
    pub(super) git: gix::Repository,
    partial: bool,
    pub(super) buffer: Vec<u8>,
    /// All threads learn together.
    pace: Arc<Mutex<Pace>>,
}

/// Trees that are read together.
type Block = Result<Vec<Vec<u8>>, RepoError>;

impl TreeReader {
    pub(super) fn new(git: &gix::Repository, partial: bool) -> Self {
        let mut git = git.clone();
        let cache = || Box::new(gix::odb::pack::cache::lru::MemoryCappedHashmap::new(PACK_CACHE_BYTES)) as Box<_>;
        git.objects.set_pack_cache(cache);
        git.objects.unset_object_cache();
        Self { git, partial, buffer: Vec::new(), pace: Arc::default() }
    }

    /// Reads an object into the buffer.
    pub(super) fn read(&mut self, id: ObjectId, kind: Kind) -> Result<(), RepoError> {
        let found = self.git.objects.try_find(&id, &mut self.buffer).map_err(|error| unreadable(id, kind, error))?;
        match found.map(|data| data.kind) {
            Some(found) if found == kind => Ok(()),
            Some(other) => Err(unreadable(id, kind, format!("it is a {other}"))),
            None => Err(RepoError::MissingObject { id: id.to_string(), kind: kind.into(), partial: self.partial }),
        }
    }

    /// The raw form of a tree.
    pub(super) fn tree(&mut self, id: ObjectId) -> Result<Vec<u8>, RepoError> {
        if id.is_empty_tree() {
            return Ok(Vec::new());
        }
        self.read(id, Kind::Tree)?;
        // The buffer has room for a chain of deltas as well.
        Ok(self.buffer.as_slice().to_vec())
    }

    /// Hands out the raw forms of trees one after the other. Those of one directory stand together, newest first.
    pub(super) fn trees(
        &mut self,
        ids: &[ObjectId],
        mut take: impl FnMut(usize, Vec<u8>) -> Result<(), RepoError>,
    ) -> Result<(), RepoError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        let blocks = self.blocks(ids);
        let mut hand_out =
            |range: Range<usize>, block: Block| range.zip(block?).try_for_each(|(position, tree)| take(position, tree));
        if threads == 1 || ids.len() < FEW {
            return blocks.into_iter().try_for_each(|range| hand_out(range.clone(), self.block(&ids[range])));
        }
        std::thread::scope(|scope| {
            let start = |thread: usize| {
                let (sender, receiver) = sync_channel(1);
                let mut reader = Self { pace: Arc::clone(&self.pace), ..Self::new(&self.git, self.partial) };
                let own = blocks.iter().skip(thread).step_by(threads);
                scope.spawn(move || reader.work(own.map(|range| &ids[range.clone()]), &sender));
                receiver
            };
            let readers: Vec<Receiver<Block>> = (0..threads).map(start).collect();
            for (range, reader) in blocks.iter().zip(readers.iter().cycle()) {
                // A thread that is gone has panicked, and so will the scope.
                let Ok(block) = reader.recv() else { break };
                hand_out(range.clone(), block)?;
            }
            Ok(())
        })
    }

    /// Reads blocks until there are no more or nobody wants them.
    fn work<'b>(&mut self, blocks: impl Iterator<Item = &'b [ObjectId]>, sender: &SyncSender<Block>) {
        for block in blocks {
            if sender.send(self.block(block)).is_err() {
                return;
            }
        }
    }

    fn block(&mut self, ids: &[ObjectId]) -> Block {
        let start = Instant::now();
        let backward = self.pace.lock().is_ok_and(|pace| pace.backward());
        let mut trees = if backward {
            ids.iter().rev().map(|&id| self.tree(id)).collect::<Result<Vec<_>, _>>()?
        } else {
            ids.iter().map(|&id| self.tree(id)).collect::<Result<Vec<_>, _>>()?
        };
        if let Ok(mut pace) = self.pace.lock() {
            pace.took(backward, start.elapsed(), trees.len());
        }
        if backward {
            trees.reverse();
        }
        Ok(trees)
    }

    /// Divides trees so that each block has about [`BLOCK_BYTES`], judged by its first tree.
    fn blocks(&self, ids: &[ObjectId]) -> Vec<Range<usize>> {
        let mut blocks = Vec::new();
        let is_new = self.pace.lock().is_ok_and(|pace| pace.took[1].is_zero());
        let mut start = 0;
        while start < ids.len() {
            let header = self.git.objects.header(ids[start]);
            let size = header.map_or(0, |header| usize::try_from(header.size()).unwrap_or(usize::MAX));
            let is_trial = is_new && blocks.len() < MAX_THREADS * 2;
            let most = if is_trial { TRIAL_TREES } else { BLOCK_TREES };
            let trees = (BLOCK_BYTES / size.max(1)).clamp(1, most);
            blocks.push(start..(start + trees).min(ids.len()));
            start += trees;
        }
        blocks
    }
}

/// From which end blocks are read faster.
#[derive(Default)]
struct Pace {
    /// For a tree, forward and backward; zero is not known.
    took: [Duration; 2],
}

impl Pace {
    fn backward(&self) -> bool {
        self.took[1] < self.took[0]
    }

    fn took(&mut self, backward: bool, time: Duration, trees: usize) {
        self.took[usize::from(backward)] = time / u32::try_from(trees.max(1)).unwrap_or(u32::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::TestRepo;
    use super::*;

    /// The ids of trees of one file that is called by its number.
    fn trees(repo: &TestRepo, count: usize) -> Vec<ObjectId> {
        let blob = String::from_utf8(repo.git_with_input(&["hash-object", "-w", "--stdin"], b"x")).unwrap();
        let listing: String = (0..count).map(|number| format!("100644 blob {}\t{number}\n\n", blob.trim())).collect();
        let ids = String::from_utf8(repo.git_with_input(&["mktree", "--batch"], listing.as_bytes())).unwrap();
        ids.lines().map(|id| ObjectId::from_hex(id.as_bytes()).unwrap()).collect()
    }

    fn number(tree: &[u8]) -> usize {
        let name = tree.strip_prefix(b"100644 ").unwrap().split(|&byte| byte == 0).next().unwrap();
        std::str::from_utf8(name).unwrap().parse().unwrap()
    }

    #[test]
    fn trees_come_in_order_however_many_threads_read_them() {
        let repo = TestRepo::new();
        let ids = trees(&repo, 100);
        let opened = repo.open();
        for count in [0, 1, FEW - 1, FEW, 100] {
            let mut seen = Vec::new();
            let mut reader = TreeReader::new(&opened.git, false);
            let take = |position, tree: Vec<u8>| {
                seen.push((position, number(&tree)));
                Ok(())
            };
            reader.trees(&ids[..count], take).unwrap();
            assert_eq!(seen, (0..count).map(|number| (number, number)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_tree_that_is_missing_or_refused_ends_it() {
        let repo = TestRepo::new();
        let mut ids = trees(&repo, 100);
        let mut reader = TreeReader::new(&repo.open().git, false);
        let mut seen = 0;
        let refuse = |position, _| {
            seen += 1;
            if position == 50 { Err(RepoError::HistoryBroken) } else { Ok(()) }
        };
        assert!(matches!(reader.trees(&ids, refuse), Err(RepoError::HistoryBroken)));
        assert_eq!(seen, 51);
        ids[70] = ObjectId::from_hex(&[b'1'; 40]).unwrap();
        let outcome = reader.trees(&ids, |position, _| {
            assert!(position < 70);
            Ok(())
        });
        assert!(matches!(outcome, Err(RepoError::MissingObject { .. })));
    }

    #[test]
    fn the_faster_end_is_chosen_once_both_are_known() {
        let mut pace = Pace::default();
        assert!(!pace.backward());
        pace.took(false, Duration::from_millis(30), 10);
        assert!(pace.backward(), "it is not known yet");
        pace.took(true, Duration::from_millis(80), 10);
        assert!(!pace.backward());
        pace.took(false, Duration::from_millis(9), 1);
        assert!(pace.backward());
    }
}
