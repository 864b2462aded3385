//! The raw form of a tree, and which of its entries differ from those of another tree.

use std::cmp::Ordering;
use std::ops::Range;

use gix::hash::oid;

/// Bytes compared at once while looking for the first difference.
const STRIDE: usize = 64;

/// What a tree says of one name.
#[derive(Clone, Copy)]
pub(super) struct Entry<'t> {
    pub(super) kind: EntryKind,
    pub(super) name: &'t [u8],
    pub(super) id: &'t oid,
}

/// The kinds of entry as far as contents tell them apart: whether a file is executable does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    Symlink,
    Directory,
    /// The commit of a submodule.
    Commit,
}

/// A tree in its raw form (`<mode> <name>\0<id>` for each entry), with the places where entries start.
pub(super) struct RawTree {
    data: Vec<u8>,
    /// One for each entry, and the end.
    starts: Vec<usize>,
}

impl Default for RawTree {
    fn default() -> Self {
        Self { data: Vec::new(), starts: vec![0] }
    }
}

/// The entries that are left of two trees when what both begin and end with is taken away.
pub(super) struct Difference {
    pub(super) old: Range<usize>,
    pub(super) new: Range<usize>,
}

impl RawTree {
    /// The tree `data`, and where it differs from `old`. Entries that the two have in common cost a comparison of
    /// bytes and no more. `None` when the tree is damaged.
    pub(super) fn after(old: &Self, data: Vec<u8>, hash_len: usize) -> Option<(Self, Difference)> {
        let same = common_prefix(&old.data, &data);
        let first = old.starts.partition_point(|&start| start <= same) - 1;
        let begin = old.starts[first];
        let same = common_suffix(&old.data[begin..], &data[begin..]);
        let mut rest = old.starts.partition_point(|&start| start < old.data.len() - same);
        let moved = |start: usize| start + data.len() - old.data.len();
        let mut starts = old.starts[..first].to_vec();
        let mut end = begin;
        // What looks like the start of an entry from behind may be part of a name.
        while end != moved(old.starts[rest]) {
            if end > moved(old.starts[rest]) {
                rest += 1;
            } else {
                starts.push(end);
                end += length(&data[end..], hash_len)?;
            }
        }
        let difference = Difference { old: first..rest, new: first..starts.len() };
        starts.extend(old.starts[rest..].iter().map(|&start| moved(start)));
        Some((Self { data, starts }, difference))
    }

    /// The entry at a position; `None` when it is damaged.
    pub(super) fn entry(&self, position: usize, hash_len: usize) -> Option<Entry<'_>> {
        let entry = self.raw(position);
        let (head, id) = entry.split_at(entry.len() - hash_len);
        let space = head.iter().position(|&byte| byte == b' ')?;
        let kind = EntryKind::of(&head[..space])?;
        Some(Entry { kind, name: &head[space + 1..head.len() - 1], id: oid::try_from_bytes(id).ok()? })
    }

    fn raw(&self, position: usize) -> &[u8] {
        &self.data[self.starts[position]..self.starts[position + 1]]
    }
}

impl Difference {
    /// Pairs of old and new entries that differ: of one name if both trees have it, alone otherwise. Where entries are
    /// not in order, as in a damaged tree, those of one name may come alone as well.
    pub(super) fn pairs(&self, old: &RawTree, new: &RawTree) -> impl Iterator<Item = (Option<usize>, Option<usize>)> {
        let (mut before, mut after) = (self.old.clone().peekable(), self.new.clone().peekable());
        std::iter::from_fn(move || {
            loop {
                let (Some(&left), Some(&right)) = (before.peek(), after.peek()) else {
                    let rest = (before.next(), after.next());
                    return (rest != (None, None)).then_some(rest);
                };
                let (one, other) = (old.raw(left), new.raw(right));
                if one == other {
                    before.next();
                    after.next();
                    continue;
                }
                return Some(match sort_key(one).cmp(sort_key(other)) {
                    Ordering::Less => (before.next(), None),
                    Ordering::Equal => (before.next(), after.next()),
                    Ordering::Greater => (None, after.next()),
                });
            }
        })
    }
}

/// What entries are in order of, but for the slash that git appends to directories: their names.
fn sort_key(entry: &[u8]) -> &[u8] {
    let start = entry.iter().position(|&byte| byte == b' ').map_or(0, |space| space + 1);
    let length = entry[start..].iter().position(|&byte| byte == 0).unwrap_or(0);
    &entry[start..start + length]
}

impl EntryKind {
    fn of(mode: &[u8]) -> Option<Self> {
        let mode = u32::from_str_radix(std::str::from_utf8(mode).ok()?, 8).ok()?;
        match mode & 0o170_000 {
            0o100_000 => Some(Self::File),
            0o120_000 => Some(Self::Symlink),
            0o040_000 => Some(Self::Directory),
            0o160_000 => Some(Self::Commit),
            _ => None,
        }
    }
}

/// The number of bytes in the entry with which `data` begins; `None` when it is cut short.
fn length(data: &[u8], hash_len: usize) -> Option<usize> {
    let length = data.iter().position(|&byte| byte == 0)? + 1 + hash_len;
    (length <= data.len()).then_some(length)
}

fn common_prefix(old: &[u8], new: &[u8]) -> usize {
    let strides = old.chunks_exact(STRIDE).zip(new.chunks_exact(STRIDE));
    let same = strides.take_while(|(old, new)| old == new).count() * STRIDE;
    same + old[same..].iter().zip(&new[same..]).take_while(|(old, new)| old == new).count()
}

fn common_suffix(old: &[u8], new: &[u8]) -> usize {
    let strides = old.rchunks_exact(STRIDE).zip(new.rchunks_exact(STRIDE));
    let same = strides.take_while(|(old, new)| old == new).count() * STRIDE;
    let (old, new) = (&old[..old.len() - same], &new[..new.len() - same]);
    same + old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count()
}
