//! The changed-path filters of a commit-graph file: which commits certainly leave a path alone.
//!
//! These are Bloom filters, one for each commit, of the paths in which it differs from its first parent and of all
//! directories above them (`gitformat-commit-graph`, chunks `BIDX` and `BDAT`). `gix` does not read them.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use gix::{ObjectId, commitgraph};

/// Filters that are larger than this stay unread. Those of a million commits have about 60 MiB.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The seeds of the two hashes from which all others follow (`bloom.c` of git).
const SEEDS: [u32; 2] = [0x293a_e76f, 0x7e64_6e2c];

/// Magic, versions, number of chunks, number of base graphs.
const HEADER_LEN: u64 = 8;

/// A chunk's name and offset.
const CHUNK_ENTRY_LEN: usize = 12;

/// Version, number of hashes and bits for each entry, before the filters.
const DATA_HEADER_LEN: usize = 12;

/// The filters of all files of a commit-graph.
pub(super) struct Filters {
    layers: Vec<Layer>,
}

struct Layer {
    graph: commitgraph::File,
    /// Where each filter ends, four bytes for each commit.
    ends: Vec<u8>,
    data: Vec<u8>,
    version: u32,
    hashes: u32,
}

/// A path in the form in which filters know it.
pub(super) struct Key {
    hashes: [u32; 2],
    /// Version 1 hashes bytes from 128 on as the platform that wrote it has them, signed or unsigned.
    is_ascii: bool,
}

impl Key {
    pub(super) fn new(path: &[u8]) -> Self {
        Self { hashes: SEEDS.map(|seed| murmur3(seed, path)), is_ascii: path.is_ascii() }
    }
}

impl Filters {
    /// The filters in an object directory, none where there are none or they cannot be read: they only save work.
    pub(super) fn of(objects: &Path) -> Self {
        Self { layers: files(&objects.join("info")).iter().filter_map(|file| Layer::read(file)).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Whether a commit certainly has the same at every path of `keys`, and below, as its first parent.
    pub(super) fn unchanged(&self, commit: ObjectId, keys: &[Key]) -> bool {
        let position = |layer: &Layer| layer.graph.lookup(commit).map(|position| position.0 as usize);
        let found = self.layers.iter().find_map(|layer| Some((layer, position(layer)?)));
        found.is_some_and(|(layer, position)| !layer.may_change(position, keys).unwrap_or(true))
    }
}

impl Layer {
    fn read(path: &Path) -> Option<Self> {
        let graph = commitgraph::File::at(path).ok()?;
        let mut file = File::open(path).ok()?;
        let [ends, data] = chunks(&mut file, [*b"BIDX", *b"BDAT"])?;
        let number = |at: usize| Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?));
        let (version, hashes) = (number(0)?, number(4)?);
        let is_whole = ends.len() == graph.num_commits() as usize * 4 && data.len() >= DATA_HEADER_LEN;
        (is_whole && (1..=2).contains(&version)).then_some(Self { graph, ends, data, version, hashes })
    }

    /// Whether a commit may change one of `keys`; `None` without a filter for it.
    fn may_change(&self, position: usize, keys: &[Key]) -> Option<bool> {
        let start = if position == 0 { 0 } else { self.end(position - 1)? };
        let filter = self.data[DATA_HEADER_LEN..].get(start..self.end(position)?)?;
        if filter.is_empty() {
            return None;
        }
        let known = |key: &Key| key.is_ascii || self.version != 1;
        Some(keys.iter().any(|key| !known(key) || self.contains(filter, key)))
    }

    fn end(&self, position: usize) -> Option<usize> {
        let bytes = self.ends.get(position * 4..position * 4 + 4)?;
        usize::try_from(u32::from_be_bytes(bytes.try_into().ok()?)).ok()
    }

    fn contains(&self, filter: &[u8], key: &Key) -> bool {
        let [first, second] = key.hashes;
        (0..self.hashes).all(|number| {
            let hash = first.wrapping_add(number.wrapping_mul(second)) as usize % (filter.len() * 8);
            filter[hash / 8] & (1 << (hash % 8)) != 0
        })
    }
}

/// The files of a commit-graph: one, or those of a chain.
fn files(info: &Path) -> Vec<PathBuf> {
    let single = info.join("commit-graph");
    if single.is_file() {
        return vec![single];
    }
    let folder = info.join("commit-graphs");
    let chain = std::fs::read_to_string(folder.join("commit-graph-chain")).unwrap_or_default();
    chain.lines().map(|line| folder.join(format!("graph-{line}.graph"))).collect()
}

/// The contents of two chunks; `None` when one is missing, too large or outside of the file.
fn chunks(file: &mut File, names: [[u8; 4]; 2]) -> Option<[Vec<u8>; 2]> {
    let mut header = [0; HEADER_LEN as usize];
    file.read_exact(&mut header).ok()?;
    let count = usize::from(header[6]);
    // The last entry has no name and says where the last chunk ends.
    let mut table = vec![0; (count + 1) * CHUNK_ENTRY_LEN];
    file.read_exact(&mut table).ok()?;
    let entries: Vec<_> = table.chunks_exact(CHUNK_ENTRY_LEN).collect();
    let offset = |at: usize| Some(u64::from_be_bytes(entries[at][4..].try_into().ok()?));
    let mut chunk = |name: [u8; 4]| {
        let at = entries[..count].iter().position(|entry| entry[..4] == name)?;
        let size = offset(at + 1)?.checked_sub(offset(at)?).filter(|&size| size <= MAX_BYTES)?;
        file.seek(SeekFrom::Start(offset(at)?)).ok()?;
        let mut contents = Vec::new();
        file.take(size).read_to_end(&mut contents).ok()?;
        (contents.len() as u64 == size).then_some(contents)
    };
    Some([chunk(names[0])?, chunk(names[1])?])
}

/// MurmurHash3 with 32 bits, as version 2 of the filters uses it; for ASCII version 1 is the same.
fn murmur3(seed: u32, data: &[u8]) -> u32 {
    let mix = |block: u32| block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let (blocks, tail) = data.as_chunks::<4>();
    let mut hash = blocks.iter().fold(seed, |hash, &block| {
        (hash ^ mix(u32::from_le_bytes(block))).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
    });
    if !tail.is_empty() {
        let mut block = [0; 4];
        block[..tail.len()].copy_from_slice(tail);
        hash ^= mix(u32::from_le_bytes(block));
    }
    hash ^= u32::try_from(data.len()).unwrap_or(u32::MAX);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_that_git_tests_with() {
        // t/t0095-bloom.sh of git, with seed 0
        for (text, hash) in [
            ("", 0x0000_0000),
            ("Hello world!", 0x627b_0c2c),
            ("The quick brown fox jumps over the lazy dog", 0x2e4f_f723),
        ] {
            assert_eq!(murmur3(0, text.as_bytes()), hash, "{text}");
        }
    }
}
