//! The files of a build context, in the order in which a builder walks them.

use std::cmp::Ordering;

use crate::mapping::dockerignore::Dockerignore;
use crate::mapping::glob::{Dialect, Glob};
use crate::path::RepoPath;

/// Files by their path in the context, sorted name by name, so that every directory is one range.
pub(super) struct Files<'f> {
    sorted: Vec<File<'f>>,
}

/// A file, by its path in the context and in the repository.
#[derive(Clone, Copy)]
pub(super) struct File<'f> {
    pub(super) relative: &'f [u8],
    pub(super) path: &'f RepoPath,
}

/// What a source pattern finds.
pub(super) enum Found<'a, 'f> {
    /// A file.
    File(File<'f>),
    /// A directory, by its path in the context, and all files below it.
    Directory(&'a [u8], &'a [File<'f>]),
}

impl<'f> Files<'f> {
    pub(super) fn new(files: impl IntoIterator<Item = &'f RepoPath>, directory: &RepoPath) -> Self {
        let file = |path: &'f RepoPath| path.strip_prefix(directory).map(|relative| File { relative, path });
        let mut sorted: Vec<File<'f>> = files.into_iter().filter_map(file).collect();
        sorted.sort_by(|one, other| walk_order(one.relative, other.relative));
        Self { sorted }
    }

    /// The files that reach the builder.
    pub(super) fn without(&self, ignore: &Dockerignore) -> Self {
        let visible = |file: &&File<'f>| !ignore.excludes_bytes(file.relative);
        Self { sorted: self.sorted.iter().filter(visible).copied().collect() }
    }

    /// Everything that `pattern` names: itself, or what its wildcards match. Nothing below a matched directory is
    /// matched again.
    pub(super) fn find<'a>(&'a self, pattern: &'a [u8]) -> Vec<Found<'a, 'f>> {
        let (directory, wildcards) = split_wildcards(pattern);
        if wildcards.is_empty() {
            return self.named(pattern).into_iter().collect();
        }
        // As in BuildKit, a malformed pattern matches nothing.
        let Some(glob) = Glob::new(wildcards, Dialect::Match) else { return Vec::new() };
        let mut found = Vec::new();
        let mut rest = below(&self.sorted, directory);
        while let Some((file, following)) = rest.split_first() {
            let start = if directory.is_empty() { 0 } else { directory.len() + 1 };
            let Some(length) = glob.shortest_match(&file.relative[start..]) else {
                rest = following;
                continue;
            };
            let matched = &file.relative[..start + length];
            let files = below(rest, matched);
            rest = &rest[files.len().max(1)..];
            found.push(if files.is_empty() { Found::File(*file) } else { Found::Directory(matched, files) });
        }
        found
    }

    fn named<'a>(&'a self, path: &'a [u8]) -> Option<Found<'a, 'f>> {
        let files = below(&self.sorted, path);
        if !files.is_empty() {
            return Some(Found::Directory(path, files));
        }
        let index = self.sorted.binary_search_by(|file| walk_order(file.relative, path)).ok()?;
        Some(Found::File(self.sorted[index]))
    }
}

/// The part of `files` below `directory`; all of them for the top.
fn below<'a, 'f>(files: &'a [File<'f>], directory: &[u8]) -> &'a [File<'f>] {
    if directory.is_empty() {
        return files;
    }
    let inside = |file: &File<'_>| file.relative.strip_prefix(directory).is_some_and(|rest| rest.starts_with(b"/"));
    let start = files.partition_point(|file| walk_order(file.relative, directory).is_le());
    let length = files[start..].partition_point(inside);
    &files[start..start + length]
}

/// Names before other characters: `a/b` comes before `a.txt`, although `.` is the smaller byte.
fn walk_order(one: &[u8], other: &[u8]) -> Ordering {
    let key = |&byte: &u8| if byte == b'/' { 0 } else { byte };
    one.iter().map(key).cmp(other.iter().map(key))
}

/// The leading directories without wildcards, and the rest from the first name with one.
fn split_wildcards(pattern: &[u8]) -> (&[u8], &[u8]) {
    let mut start = 0;
    for name in pattern.split(|&byte| byte == b'/') {
        if has_wildcard(name) {
            return (&pattern[..start.max(1) - 1], &pattern[start..]);
        }
        start += name.len() + 1;
    }
    (pattern, b"")
}

fn has_wildcard(name: &[u8]) -> bool {
    let mut bytes = name.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' | b'?' | b'[' => return true,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_ranges() {
        let paths = ["a.txt", "a/b", "a-b", "a/b.c/d", "a/b/c", "b"].map(|path| RepoPath::clean(path.as_bytes()));
        let files = Files::new(&paths, &RepoPath::root());
        let order: Vec<_> = files.sorted.iter().map(|file| String::from_utf8_lossy(file.relative)).collect();
        assert_eq!(order, ["a/b", "a/b/c", "a/b.c/d", "a-b", "a.txt", "b"]);
        assert_eq!(below(&files.sorted, b"a").len(), 3);
        assert_eq!(below(&files.sorted, b"a/b.c").len(), 1);
        assert_eq!(below(&files.sorted, b"b").len(), 0);
        assert_eq!(below(&files.sorted, b"c").len(), 0);
    }

    #[test]
    fn wildcards_begin_at_a_name() {
        let table: [(&str, &str, &str); 6] = [
            ("a/b", "a/b", ""),
            ("*", "", "*"),
            ("a/b*/c", "a", "b*/c"),
            ("a/b/[c]", "a/b", "[c]"),
            ("a\\*b", "a\\*b", ""),
            ("", "", ""),
        ];
        for (pattern, directory, wildcards) in table {
            assert_eq!(split_wildcards(pattern.as_bytes()), (directory.as_bytes(), wildcards.as_bytes()), "{pattern}");
        }
    }
}
