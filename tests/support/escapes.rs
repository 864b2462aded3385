//! Any bytes as text: how the text form of layers and repositories spells what does not print.
//!
//! `\n`, `\t`, `\s` (a space), `\\` and `\xNN`; `\{300*ab}` is `ab` three hundred times.

/// Replaces the escapes by the bytes they stand for.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let used = if byte == b'\\' { escape(tail, text, &mut bytes) } else { 0 };
        if byte != b'\\' {
            bytes.push(byte);
        }
        rest = &tail[used..];
    }
    bytes
}

/// Adds what an escape stands for, and says how many bytes after the backslash it took.
fn escape(tail: &[u8], text: &str, bytes: &mut Vec<u8>) -> usize {
    let (value, used) = match tail {
        [b'n', ..] => (b'\n', 1),
        [b't', ..] => (b'\t', 1),
        [b's', ..] => (b' ', 1),
        [b'\\', ..] => (b'\\', 1),
        [b'x', high, low, ..] => (nibble(*high) * 16 + nibble(*low), 3),
        [b'{', ..] => return repetition(tail, text, bytes),
        _ => panic!("unknown escape in `{text}`"),
    };
    bytes.push(value);
    used
}

fn nibble(digit: u8) -> u8 {
    let value = char::from(digit).to_digit(16).expect("a hexadecimal digit after \\x");
    u8::try_from(value).expect("a hexadecimal digit is below 16")
}

fn repetition(tail: &[u8], text: &str, bytes: &mut Vec<u8>) -> usize {
    let end = tail.iter().position(|byte| *byte == b'}').unwrap_or_else(|| panic!("no `}}` in `{text}`"));
    let inner = std::str::from_utf8(&tail[1..end]).expect("a part of a text between two ASCII characters");
    let parts = inner.split_once('*').and_then(|(count, what)| Some((count.parse().ok()?, what)));
    let (count, what): (usize, &str) = parts.unwrap_or_else(|| panic!("no `\\{{COUNT*TEXT}}` in `{text}`"));
    bytes.extend(unescape(what).repeat(count));
    end + 1
}
