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

#[cfg(test)]
mod tests {
    use super::*;

    const HASH_LEN: usize = 20;

    /// A tree of files; the ids consist of one byte, which may look like the start of an entry.
    fn tree(files: &[(&str, u8)]) -> Vec<u8> {
        let entry = |(name, byte): &(&str, u8)| [b"100644 ", name.as_bytes(), b"\0", &[*byte; HASH_LEN][..]].concat();
        files.iter().flat_map(entry).collect()
    }

    fn first(data: &[u8]) -> RawTree {
        RawTree::after(&RawTree::default(), data.to_vec(), HASH_LEN).unwrap().0
    }

    /// What the difference says, as names before and after.
    fn changed(old: &[u8], new: &[u8]) -> Vec<(Option<String>, Option<String>)> {
        let old = first(old);
        let (new, difference) = RawTree::after(&old, new.to_vec(), HASH_LEN).unwrap();
        assert_eq!(new.starts, first(&new.data).starts, "entries start where a look from the front finds them");
        let name = |tree: &RawTree, position: usize| {
            String::from_utf8(tree.entry(position, HASH_LEN).unwrap().name.to_vec()).unwrap()
        };
        let pairs = difference.pairs(&old, &new);
        pairs.map(|(before, after)| (before.map(|at| name(&old, at)), after.map(|at| name(&new, at)))).collect()
    }

    #[test]
    fn only_what_differs_is_given_out() {
        let some = |name: &str| Some(name.to_owned());
        let old = tree(&[("a", 1), ("b", 2), ("c", 3), ("d", 4)]);
        assert_eq!(changed(&old, &old), []);
        let new = tree(&[("a", 9), ("b", 2), ("c", 3), ("d", 9)]);
        assert_eq!(changed(&old, &new), [(some("a"), some("a")), (some("d"), some("d"))]);
        let new = tree(&[("a", 1), ("bb", 2), ("c", 3), ("d", 4), ("e", 4)]);
        assert_eq!(changed(&old, &new), [(some("b"), None), (None, some("bb")), (None, some("e"))]);
        assert_eq!(changed(&old, &[]).len(), 4);
        assert_eq!(changed(&[], &old).len(), 4);
    }

    #[test]
    fn every_difference_between_awkward_trees_is_found() {
        // Names that end like entries, and ids of spaces and digits.
        let names = ["100644 a", "a", "aa", "b", "b100644 a", "x100644 a", "x100644 aa"];
        let ids = [b' ', b'1', b'a'];
        // Each name is absent or has one of the ids: trees are numbers to the base of four.
        let listed = |number: usize| {
            let digit = |at: usize| number / 4_usize.pow(u32::try_from(at).unwrap()) % 4;
            let file = |at: usize| (digit(at) > 0).then(|| (names[at], ids[digit(at) - 1]));
            (0..names.len()).filter_map(file).collect::<Vec<_>>()
        };
        let count = 4_usize.pow(u32::try_from(names.len()).unwrap());
        // Steps that have no divisor in common with the number of trees come by many pairs.
        for (one, other) in (0..count).map(|number| (number, number * 7_919 % count)) {
            let (old, new) = (listed(one), listed(other));
            let mut expected: Vec<&str> = names.to_vec();
            let id = |files: &[(&str, u8)], name: &str| files.iter().find(|file| file.0 == name).map(|file| file.1);
            expected.retain(|name| id(&old, name) != id(&new, name));
            let found = changed(&tree(&old), &tree(&new));
            let found: Vec<String> = found.into_iter().filter_map(|(before, after)| after.or(before)).collect();
            assert_eq!(found, expected, "{old:?} {new:?}");
        }
    }

    #[test]
    fn a_damaged_tree_is_refused() {
        let whole = tree(&[("a", 1), ("b", 2)]);
        for end in 1..whole.len() {
            let cut = RawTree::after(&RawTree::default(), whole[..end].to_vec(), HASH_LEN);
            assert_eq!(cut.is_some(), end == whole.len() / 2, "{end}");
        }
        for mode in ["100644", "10x644 ", "777777 ", "+ "] {
            let data = [mode.as_bytes(), b"a\0", &[1; HASH_LEN]].concat();
            assert!(first(&data).entry(0, HASH_LEN).is_none(), "{mode}");
        }
    }
}
