//! Two texts against each other, in the form of `diff -u`.

use std::io::{self, Write};

use anstyle::AnsiColor;

use crate::count::counted;
use crate::lines::{self, LineKind};

use super::Style;
use super::escape::escape_line;
use super::text::painted;

/// A line of a unified diff, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct DiffLine {
    /// The colour that tells what it says.
    color: Option<AnsiColor>,
    /// Its text, harmless.
    text: String,
}

/// Writes the lines that differ, at most `most` of them; `names` are the two sides'.
pub(super) fn write(
    names: [&str; 2],
    [old, new]: [&[u8]; 2],
    most: usize,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = unified(old, new);
    writeln!(out, "--- {}\n+++ {}", names[0], names[1])?;
    for line in lines.iter().take(most) {
        let text = line.color.map_or_else(|| line.text.clone(), |color| painted(style.colored, color, &line.text));
        writeln!(out, "{text}")?;
    }
    match lines.len().saturating_sub(most) {
        0 => Ok(()),
        more => writeln!(out, "  and {} (--max-diff-lines N shows them)", counted(more, "more line")),
    }
}

/// The lines that differ, with the ones around them.
fn unified(old: &[u8], new: &[u8]) -> Vec<DiffLine> {
    let mut all = Vec::new();
    for hunk in lines::hunks(old, new) {
        all.push(DiffLine { color: Some(AnsiColor::Cyan), text: hunk.place });
        for line in hunk.lines {
            let (color, sign) = match line.kind {
                LineKind::Equal => (None, ' '),
                LineKind::Removed => (Some(AnsiColor::Red), '-'),
                LineKind::Added => (Some(AnsiColor::Green), '+'),
            };
            all.push(DiffLine { color, text: format!("{sign}{}", escape_line(&line.bytes)) });
            if line.unended {
                all.push(DiffLine { color, text: "\\ No newline at end of file".to_owned() });
            }
        }
    }
    all
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
