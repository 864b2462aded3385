//! Makes what other programs and servers say fit for one line of an error message.

/// Characters kept of a foreign text: enough for a sentence, too few to flood a terminal.
const LIMIT: usize = 200;

/// The first line of `bytes` that says something, in the form of [`printable`].
pub(super) fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    printable(text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default())
}

/// `text` cut to a sentence's length, its control, bidi and invisible characters written as escapes.
pub(super) fn printable(text: &str) -> String {
    let mut characters = text.chars();
    let mut line: String = characters.by_ref().take(LIMIT).map(escaped).collect();
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

/// `escape_debug` knows which characters are invisible, but quotes and backslashes may stay as they are.
fn escaped(character: char) -> String {
    match character {
        '"' | '\'' | '\\' => character.to_string(),
        other => other.escape_debug().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_becomes_one_harmless_line() {
        let table: [(&[u8], &str); 5] = [
            (b"", ""),
            (b"\n\n  it's \"gone\"  \nmore", "it's \"gone\""),
            (b"\x1b[31mred", "\\u{1b}[31mred"),
            ("a\u{202e}b\u{200b}c".as_bytes(), "a\\u{202e}b\\u{200b}c"),
            (b"\xffok", "\u{fffd}ok"),
        ];
        for (bytes, line) in table {
            assert_eq!(first_line(bytes), line);
        }
        assert_eq!(printable(&"x".repeat(5000)).chars().count(), LIMIT + 1);
    }
}
