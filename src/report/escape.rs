//! Making names harmless where they are printed.
//!
//! File names, labels, build steps and registry messages come from whoever made the image. A terminal would obey
//! the escape sequences in them, and bidirectional or invisible characters make one name look like another.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::path::ImagePath;

/// `text` with every character that a terminal would act on, or an eye would miss, written as `\u{…}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\r' => escaped.push_str("\\r"),
            hostile if is_hostile(hostile) => {
                write!(escaped, "\\u{{{:x}}}", u32::from(hostile)).expect("writing to a String cannot fail");
            }
            harmless => escaped.push(harmless),
        }
    }
    Cow::Owned(escaped)
}

/// Bytes that need not be text, escaped likewise; what is not UTF-8 is written as `\xNN`.
pub fn escape_bytes(bytes: &[u8]) -> String {
    let mut escaped = String::new();
    for chunk in bytes.utf8_chunks() {
        escaped.push_str(&escape(chunk.valid()));
        for byte in chunk.invalid() {
            write!(escaped, "\\x{byte:02x}").expect("writing to a String cannot fail");
        }
    }
    escaped
}

/// A line of a file, escaped likewise but for its tabs, which are part of how code looks and do no harm.
pub fn escape_line(bytes: &[u8]) -> String {
    bytes.split(|&byte| byte == b'\t').map(escape_bytes).collect::<Vec<_>>().join("\t")
}

/// A path of an image, from its root.
pub fn escape_path(path: &ImagePath) -> String {
    escape_bytes(&[b"/", path.as_bytes()].concat())
}

fn is_hostile(character: char) -> bool {
    let invisible = matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    character.is_control() || invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_spelled_out() {
        let table = [
            ("plain/näme 日本.py", "plain/näme 日本.py"),
            ("a\x1b[31mred", "a\\u{1b}[31mred"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("evil\u{202e}yp.txt", "evil\\u{202e}yp.txt"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("\u{9b}31m", "\\u{9b}31m"),
        ];
        for (text, expected) in table {
            assert_eq!(escape(text), expected);
        }
    }

    #[test]
    fn bytes_that_are_no_text_stay_visible() {
        assert_eq!(escape_bytes(b"a\xff\x1bb"), "a\\xff\\u{1b}b");
        assert_eq!(escape_line(b"\tif x:\x1b\t\xff\r"), "\tif x:\\u{1b}\t\\xff\\r");
    }
}
