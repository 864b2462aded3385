//! Indexes kept in the [`Cache`] under the digest of their layer.
//!
//! An entry begins with a block on the layer as a whole; the other blocks are the changes in their order. A path is
//! written as what differs from the one before.

use serde::{Deserialize, Serialize};

use crate::blob::{BlobId, ObjectFormat};
use crate::cache::{Cache, Key, Kind};
use crate::descriptor::Descriptor;
use crate::path::ImagePath;

use super::budget::Budget;
use super::{Change, Entry, EntryKind, FileContent, LayerIndex};

/// Bytes after which a block ends.
const BLOCK_BYTES: usize = 64 << 10;

/// Changes that room is made for at once; more come as they come.
const MOST_RESERVED: usize = 200_000;

/// What the first block says.
#[derive(Serialize, Deserialize)]
struct Whole {
    /// Bytes of the layer as stored. The digest is proven for these; a manifest that says otherwise is wrong.
    stored: u64,
    changes: u64,
    file_bytes: u64,
}

/// A change as it is written.
#[derive(Serialize, Deserialize)]
enum Written<'a> {
    Remove(WrittenPath<'a>),
    Opaque(WrittenPath<'a>),
    Regular {
        path: WrittenPath<'a>,
        mode: u32,
        size: u64,
        #[serde(borrow)]
        blob: &'a [u8],
        sha256: &'a [u8],
        mtime: i64,
        position: u32,
    },
    Directory(WrittenPath<'a>, u32),
    Symlink(WrittenPath<'a>, u32, &'a [u8]),
    Hardlink(WrittenPath<'a>, u32, &'a [u8]),
    Special(WrittenPath<'a>, u32),
}

/// A path: so many bytes of the one before, then others.
#[derive(Serialize, Deserialize)]
struct WrittenPath<'a> {
    shared: usize,
    #[serde(borrow)]
    rest: &'a [u8],
}

fn key(layer: &Descriptor, format: ObjectFormat) -> Key {
    Key { kind: Kind::LayerIndex(format), digest: layer.digest.clone() }
}

/// Whether there is an entry for the layer; whether it can be used is not known yet.
pub(super) fn has(cache: &Cache, layer: &Descriptor, format: ObjectFormat) -> bool {
    cache.has(&key(layer, format))
}

/// The index of the layer, if the cache has it whole and `budget` has room for it.
pub(super) fn read(cache: &Cache, layer: &Descriptor, format: ObjectFormat, budget: &Budget) -> Option<LayerIndex> {
    let mut taken = 0;
    let reader = cache.read(&key(layer, format), |reader: &mut Reader, block| match &reader.whole {
        None => reader.begin(block, layer),
        Some(_) => reader.changes(block, |change| {
            taken += budget.take(change).ok()?;
            Some(())
        }),
    });
    let index = reader.and_then(Reader::finish);
    if index.is_none() {
        budget.give_back(taken);
    }
    index
}

/// Keeps the index of a layer that is proven.
pub(super) fn write(cache: &Cache, layer: &Descriptor, format: ObjectFormat, index: &LayerIndex) {
    let whole = Whole { stored: layer.size, changes: index.changes.len() as u64, file_bytes: index.file_bytes };
    let Ok(first) = postcard::to_stdvec(&whole) else { return };
    let changes = Blocks { changes: index.changes.iter(), previous: b"" };
    cache.write(&key(layer, format), std::iter::once(first).chain(changes));
}

/// The blocks of an index's changes.
struct Blocks<'a> {
    changes: std::slice::Iter<'a, Change>,
    previous: &'a [u8],
}

impl Iterator for Blocks<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut block = Vec::with_capacity(BLOCK_BYTES + 1024);
        while block.len() < BLOCK_BYTES {
            let Some(change) = self.changes.next() else { break };
            let written = written(change, self.previous);
            self.previous = path_of(change).as_bytes();
            block = postcard::to_extend(&written, block).expect("every change can be written to memory");
        }
        (!block.is_empty()).then_some(block)
    }
}

fn path_of(change: &Change) -> &ImagePath {
    match change {
        Change::Remove(path) | Change::Opaque(path) | Change::Put(Entry { path, .. }) => path,
    }
}

fn written<'a>(change: &'a Change, previous: &[u8]) -> Written<'a> {
    let path = path_of(change).as_bytes();
    let shared = path.iter().zip(previous).take_while(|(a, b)| a == b).count();
    let path = WrittenPath { shared, rest: &path[shared..] };
    let Entry { mode, kind, .. } = match change {
        Change::Remove(_) => return Written::Remove(path),
        Change::Opaque(_) => return Written::Opaque(path),
        Change::Put(entry) => entry,
    };
    match kind {
        EntryKind::Regular(FileContent { size, blob, sha256, mtime, position }) => Written::Regular {
            path,
            mode: *mode,
            size: *size,
            blob: blob.as_bytes(),
            sha256,
            mtime: *mtime,
            position: *position,
        },
        EntryKind::Directory => Written::Directory(path, *mode),
        EntryKind::Symlink(target) => Written::Symlink(path, *mode, target),
        EntryKind::Hardlink(target) => Written::Hardlink(path, *mode, target.as_bytes()),
        EntryKind::Special => Written::Special(path, *mode),
    }
}

/// What has been read of an entry.
#[derive(Default)]
struct Reader {
    whole: Option<Whole>,
    changes: Vec<Change>,
    previous: Vec<u8>,
}

impl Reader {
    fn begin(&mut self, block: &[u8], layer: &Descriptor) -> Option<()> {
        let whole: Whole = postcard::from_bytes(block).ok()?;
        let is_right = whole.stored == layer.size;
        // Nothing is proven yet, and the room for changes that do not come must not be all there is.
        self.changes.reserve(usize::try_from(whole.changes).unwrap_or_default().min(MOST_RESERVED));
        is_right.then(|| self.whole = Some(whole))
    }

    fn finish(self) -> Option<LayerIndex> {
        let whole = self.whole?;
        let complete = usize::try_from(whole.changes).is_ok_and(|count| count == self.changes.len());
        complete.then_some(LayerIndex { changes: self.changes, file_bytes: whole.file_bytes })
    }

    fn changes(&mut self, mut block: &[u8], mut take: impl FnMut(&Change) -> Option<()>) -> Option<()> {
        while !block.is_empty() {
            let (written, rest) = postcard::take_from_bytes::<Written<'_>>(block).ok()?;
            let change = self.change(&written)?;
            take(&change)?;
            self.changes.push(change);
            block = rest;
        }
        Some(())
    }

    fn change(&mut self, written: &Written<'_>) -> Option<Change> {
        let (path, mode, kind) = match written {
            Written::Remove(path) => return self.path(path).map(Change::Remove),
            Written::Opaque(path) => return self.path(path).map(Change::Opaque),
            Written::Regular { path, mode, size, blob, sha256, mtime, position } => {
                let (blob, sha256) = (BlobId::from_bytes(blob)?, (*sha256).try_into().ok()?);
                let content = FileContent { size: *size, blob, sha256, mtime: *mtime, position: *position };
                (path, mode, EntryKind::Regular(content))
            }
            Written::Directory(path, mode) => (path, mode, EntryKind::Directory),
            Written::Symlink(path, mode, target) => (path, mode, EntryKind::Symlink(target.to_vec())),
            Written::Hardlink(path, mode, target) => (path, mode, EntryKind::Hardlink(ImagePath::clean(target))),
            Written::Special(path, mode) => (path, mode, EntryKind::Special),
        };
        Some(Change::Put(Entry { path: self.path(path)?, mode: *mode, kind }))
    }

    fn path(&mut self, written: &WrittenPath<'_>) -> Option<ImagePath> {
        (written.shared <= self.previous.len()).then(|| {
            self.previous.truncate(written.shared);
            self.previous.extend_from_slice(written.rest);
            ImagePath::clean(&self.previous)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::digest::Digest;
    use crate::limits;

    use super::*;

    fn layer(size: u64) -> Descriptor {
        let digest = Digest::of(b"a layer");
        Descriptor { media_type: String::new(), digest, size, platform: None, annotations: BTreeMap::new() }
    }

    fn path(text: &str) -> ImagePath {
        ImagePath::clean(text.as_bytes())
    }

    /// Every kind of change, and enough of them for several blocks.
    fn index(format: ObjectFormat) -> LayerIndex {
        let put = |at: &str, kind| Change::Put(Entry { path: path(at), mode: 0o4755, kind });
        let mut changes = vec![
            Change::Remove(path("app/old")),
            Change::Opaque(path("app/cache")),
            put("", EntryKind::Directory),
            put("app/link", EntryKind::Symlink(b"../\xff".to_vec())),
            put("app/hard", EntryKind::Hardlink(path("app/file 7"))),
            put("dev/null", EntryKind::Special),
        ];
        changes.extend((0..2000_u32).map(|number| {
            let text = number.to_string();
            let content = FileContent {
                size: u64::from(number) << 30,
                blob: BlobId::of(text.as_bytes(), format).unwrap(),
                sha256: [number as u8; 32],
                mtime: -i64::from(number),
                position: number,
            };
            put(&format!("app/file {text}"), EntryKind::Regular(content))
        }));
        LayerIndex { changes, file_bytes: 12_345 }
    }

    fn stored(format: ObjectFormat) -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().to_owned(), limits::CACHE_BYTES);
        write(&cache, &layer(9), format, &index(format));
        assert_eq!(cache.trouble(), None);
        (folder, cache)
    }

    #[test]
    fn an_index_comes_back_as_it_was() {
        for format in [ObjectFormat::Sha1, ObjectFormat::Sha256] {
            let (_folder, cache) = stored(format);
            let budget = Budget::new(limits::INDEX_BYTES);
            assert_eq!(read(&cache, &layer(9), format, &budget), Some(index(format)));
            let other = if format == ObjectFormat::Sha1 { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 };
            assert_eq!(read(&cache, &layer(9), other, &budget), None);
            let size = cache.holdings().unwrap().bytes;
            assert!(size < 2000 * if format == ObjectFormat::Sha1 { 80 } else { 92 }, "{size} bytes");
        }
    }

    #[test]
    fn a_manifest_with_another_size_is_not_helped() {
        let (_folder, cache) = stored(ObjectFormat::Sha1);
        let budget = Budget::new(limits::INDEX_BYTES);
        assert_eq!(read(&cache, &layer(10), ObjectFormat::Sha1, &budget), None);
    }

    #[test]
    fn what_does_not_fit_takes_no_memory() {
        let (_folder, cache) = stored(ObjectFormat::Sha1);
        let room = 100_000;
        let budget = Budget::new(room);
        assert_eq!(read(&cache, &layer(9), ObjectFormat::Sha1, &budget), None);
        let small = Change::Remove(path("a"));
        let each = budget.take(&small).unwrap();
        let fitting = (0..).take_while(|_| budget.take(&small).is_ok()).count();
        assert_eq!(fitting + 1, room / each, "all of it is free again");
    }

    #[test]
    fn an_entry_that_says_something_else_than_an_index_is_none() {
        let (_folder, cache) = stored(ObjectFormat::Sha1);
        let budget = Budget::new(limits::INDEX_BYTES);
        let whole = Whole { stored: 9, changes: 1, file_bytes: 0 };
        let first = postcard::to_stdvec(&whole).unwrap();
        let far = postcard::to_stdvec(&Written::Remove(WrittenPath { shared: 5, rest: b"a" })).unwrap();
        let short = Written::Remove(WrittenPath { shared: 0, rest: b"a" });
        let short = postcard::to_stdvec(&short).unwrap();
        let table = [vec![], vec![first.clone()], vec![first.clone(), far], vec![first, [&short[..], &short].concat()]];
        for blocks in table {
            cache.write(&key(&layer(9), ObjectFormat::Sha1), blocks.clone().into_iter());
            assert_eq!(read(&cache, &layer(9), ObjectFormat::Sha1, &budget), None, "{blocks:?}");
        }
    }
}
