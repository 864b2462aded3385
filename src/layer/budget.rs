//! The memory that indexes and the file system merged from them may take up, so that an image of endless tiny entries
//! ends in an error.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::path::ImagePath;

use super::{Change, EntryKind, LayerFault};

/// Bytes that an entry takes up in the merged file system, measured: its node, its name, and its place among others.
const NODE_BYTES: usize = 200;

/// What is used of the memory by layers that are read together.
pub(super) struct Budget {
    used: AtomicUsize,
    most: usize,
}

impl Budget {
    /// Room for `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { used: AtomicUsize::new(0), most }
    }

    /// Takes the room that `change` needs, which follows `before` in its layer.
    pub(super) fn take(&self, before: Option<&Change>, change: &Change) -> Result<(), LayerFault> {
        let bytes = bytes_of(change) + implied(before.map(path_of), path_of(change)) * NODE_BYTES;
        if self.used.fetch_add(bytes, Ordering::Relaxed) + bytes > self.most {
            return Err(LayerFault::TooLarge(self.most));
        }
        Ok(())
    }
}

/// An estimate: the change with its names and what it makes of the file system, without what the allocator adds.
fn bytes_of(change: &Change) -> usize {
    let more = match change {
        Change::Remove(_) | Change::Opaque(_) => 0,
        Change::Put(entry) => {
            let target = match &entry.kind {
                EntryKind::Symlink(target) => target.len(),
                EntryKind::Hardlink(target) => target.as_bytes().len(),
                EntryKind::Regular(_) | EntryKind::Directory | EntryKind::Special => 0,
            };
            target + NODE_BYTES
        }
    };
    size_of::<Change>() + path_of(change).as_bytes().len() + more
}

/// The directories above a path that an entry may be the first to need. Layers list directories and files of one place
/// one after another, so those above the entry before are there.
fn implied(before: Option<&ImagePath>, path: &ImagePath) -> usize {
    let above = path.components().count().saturating_sub(1);
    let before = before.into_iter().flat_map(ImagePath::components);
    let shared = path.components().zip(before).take_while(|(name, before)| name == before).count();
    above.saturating_sub(shared)
}

fn path_of(change: &Change) -> &ImagePath {
    match change {
        Change::Remove(path) | Change::Opaque(path) => path,
        Change::Put(entry) => &entry.path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Entry;
    use crate::limits;

    fn directory(path: &str) -> Change {
        Change::Put(Entry { path: ImagePath::clean(path.as_bytes()), mode: 0o755, kind: EntryKind::Directory })
    }

    fn fitting(change: &Change) -> usize {
        let budget = Budget::new(limits::INDEX_BYTES);
        let fitting = (0..).take_while(|_| budget.take(None, change).is_ok()).count();
        let error = budget.take(None, change).unwrap_err();
        assert!(error.to_string().contains("more than 268435456 bytes"), "{error}");
        fitting
    }

    #[test]
    fn many_entries_fit_and_billions_do_not() {
        let path = "x".repeat(60);
        assert!((600_000..1_000_000).contains(&fitting(&directory(&path))));
        assert!((1_000_000..2_000_000).contains(&fitting(&Change::Remove(ImagePath::clean(path.as_bytes())))));
        // Sixteen directories for each entry.
        assert!((50_000..100_000).contains(&fitting(&directory(&"d/".repeat(17)))));
    }

    #[test]
    fn directories_count_where_they_are_first_needed() {
        let path = |text: &str| ImagePath::clean(text.as_bytes());
        let table = [
            ("a", None, 0),
            ("a/b/c", None, 2),
            ("a/b/c", Some("a/b"), 0),
            ("a/b/c", Some("a/x/y"), 1),
            ("b/c", Some("a"), 1),
        ];
        for (entry, before, expected) in table {
            assert_eq!(implied(before.map(path).as_ref(), &path(entry)), expected, "{entry} after {before:?}");
        }
    }
}
