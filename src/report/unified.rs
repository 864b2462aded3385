//! Two texts against each other, in the form of `diff -u`.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::escape::escape_line;

/// Equal lines around each difference.
const CONTEXT: usize = 3;

/// Time after which the shortest description is no longer looked for; contents made to take long must not hang us.
const PATIENCE: Duration = Duration::from_secs(2);

/// A line of a unified diff, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DiffLine {
    /// What it says.
    pub(super) kind: DiffLineKind,
    /// Its text, harmless.
    pub(super) text: String,
}

/// What a line of a unified diff says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DiffLineKind {
    /// Where the lines that follow stand.
    Place,
    /// It is the same on both sides.
    Equal,
    /// Only the first side has it.
    Removed,
    /// Only the other side has it.
    Added,
}

/// The lines that differ, with the ones around them.
pub(super) fn unified(old: &[u8], new: &[u8]) -> Vec<DiffLine> {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    let mut lines = Vec::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        lines.push(DiffLine { kind: DiffLineKind::Place, text: hunk.header().to_string() });
        for change in hunk.iter_changes() {
            let (kind, sign) = match change.tag() {
                ChangeTag::Equal => (DiffLineKind::Equal, ' '),
                ChangeTag::Delete => (DiffLineKind::Removed, '-'),
                ChangeTag::Insert => (DiffLineKind::Added, '+'),
            };
            let text = change.value();
            let text = escape_line(text.strip_suffix(b"\n").unwrap_or(text));
            lines.push(DiffLine { kind, text: format!("{sign}{text}") });
            if change.missing_newline() {
                lines.push(DiffLine { kind, text: "\\ No newline at end of file".to_owned() });
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(old: &str, new: &str) -> String {
        let lines: Vec<String> = unified(old.as_bytes(), new.as_bytes()).into_iter().map(|line| line.text).collect();
        lines.join("\n")
    }

    #[test]
    fn differences_look_as_in_diff_u() {
        // diff -u <(printf …) <(printf …)
        assert_eq!(text("a\nb\nc\n", "a\nB\nc\n"), "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c");
        assert_eq!(text("", "a\n"), "@@ -0,0 +1 @@\n+a");
        assert_eq!(text("a\n", "a"), "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file");
        assert_eq!(text("a\n\tb\x1b\n", "a\n\tb\r\n"), "@@ -1,2 +1,2 @@\n a\n-\tb\\u{1b}\n+\tb\\r");
        let far: String = (0..20).map(|number| format!("{number}\n")).collect();
        let changed = far.replace("\n3\n", "\nx\n").replace("\n16\n", "\ny\n");
        assert_eq!(text(&far, &changed).matches("@@ -").count(), 2);
        assert!(unified(b"same", b"same").is_empty());
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_too() {
        let lines = unified(b"\xff\n", b"\xfe\n");
        assert_eq!((lines[1].text.as_str(), lines[2].text.as_str()), ("-\\xff", "+\\xfe"));
    }
}
