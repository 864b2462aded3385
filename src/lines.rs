//! Two texts against each other, line by line.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

/// Equal lines around each difference, as `diff -u` has it.
const CONTEXT: usize = 3;

/// Time after which the shortest description is no longer looked for; contents made to take long must not hang us.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bytes in which a NUL byte makes contents binary, as git has it (`xdiff-interface.c`, `FIRST_FEW_BYTES`).
const SNIFFED_BYTES: usize = 8000;

/// Whether contents are no text.
pub fn is_binary(contents: &[u8]) -> bool {
    contents.iter().take(SNIFFED_BYTES).any(|&byte| byte == 0)
}

/// What a line of a unified diff says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// It is the same on both sides.
    Equal,
    /// Only the first side has it.
    Removed,
    /// Only the other side has it.
    Added,
}

/// A line of one of the texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which side has it.
    pub kind: LineKind,
    /// Its bytes, without the line's end.
    pub bytes: Vec<u8>,
    /// Whether it is the last one, and has no end.
    pub unended: bool,
}

/// Lines that differ, with the ones around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// Where they stand on both sides: `@@ -1,3 +1,3 @@`.
    pub place: String,
    /// The lines.
    pub lines: Vec<Line>,
}

/// The lines that differ, in the form of `diff -u`.
pub fn hunks(old: &[u8], new: &[u8]) -> Vec<Hunk> {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    let mut unified = diff.unified_diff();
    let hunks = unified.context_radius(CONTEXT).iter_hunks().map(|hunk| Hunk {
        place: hunk.header().to_string(),
        lines: hunk
            .iter_changes()
            .map(|change| {
                let text = change.value();
                let bytes = text.strip_suffix(b"\n").unwrap_or(text).to_vec();
                Line { kind: kind(change.tag()), bytes, unended: change.missing_newline() }
            })
            .collect(),
    });
    hunks.collect()
}

/// How many lines one of the texts has and the other has not.
pub fn changed(old: &[u8], new: &[u8]) -> usize {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal).count()
}

fn kind(tag: ChangeTag) -> LineKind {
    match tag {
        ChangeTag::Equal => LineKind::Equal,
        ChangeTag::Delete => LineKind::Removed,
        ChangeTag::Insert => LineKind::Added,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_either_side_are_counted() {
        let table = [("", "", 0), ("a\n", "a\n", 0), ("a\nb\n", "a\nc\n", 2), ("a\n", "a\nb\nc\n", 2), ("a", "a\n", 2)];
        for (old, new, expected) in table {
            assert_eq!(changed(old.as_bytes(), new.as_bytes()), expected, "{old:?} {new:?}");
        }
    }
}
