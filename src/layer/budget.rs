//! The memory that indexes may take up, so that an image of endless tiny entries ends in an error.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Change, EntryKind, LayerFault};

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

    /// Takes the room that `change` needs, in bytes.
    pub(super) fn take(&self, change: &Change) -> Result<usize, LayerFault> {
        let bytes = bytes_of(change);
        if self.used.fetch_add(bytes, Ordering::Relaxed) + bytes > self.most {
            self.give_back(bytes);
            return Err(LayerFault::TooLarge(self.most));
        }
        Ok(bytes)
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.most.saturating_sub(self.used.load(Ordering::Relaxed))
    }

    /// Gives back `bytes` of what was taken.
    pub(super) fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// An estimate: the change with its names, without what the allocator adds.
fn bytes_of(change: &Change) -> usize {
    let names = match change {
        Change::Remove(path) | Change::Opaque(path) => path.as_bytes().len(),
        Change::Put(entry) => {
            let target = match &entry.kind {
                EntryKind::Symlink(target) => target.len(),
                EntryKind::Hardlink(target) => target.as_bytes().len(),
                EntryKind::Regular(_) | EntryKind::Directory | EntryKind::Special => 0,
            };
            entry.path.as_bytes().len() + target
        }
    };
    size_of::<Change>() + names
}

#[cfg(test)]
mod tests {
    use crate::limits;
    use crate::path::ImagePath;

    use super::*;

    #[test]
    fn many_entries_fit_and_billions_do_not() {
        let budget = Budget::new(limits::INDEX_BYTES);
        let path = ImagePath::clean(&[b'x'; 60]);
        let fitting = (0..).take_while(|_| budget.take(&Change::Remove(path.clone())).is_ok()).count();
        assert!((500_000..1_000_000).contains(&fitting), "{fitting}");
        let error = budget.take(&Change::Opaque(path)).unwrap_err();
        assert!(error.to_string().contains("more than 134217728 bytes"), "{error}");
    }
}
