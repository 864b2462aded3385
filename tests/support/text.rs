//! File trees as text: one entry a line, for layers and for repositories.
//!
//! ```text
//! d app 0755
//! f app/main.py 0644 print("x")\n
//! l app/link -> target
//! h app/hard -> app/main.py
//! w app/.wh.old
//! p app/fifo
//! pax f app/name-in-a-pax-record.py 0644 x
//! ```
//!
//! `\n`, `\t`, `\s` (a space), `\\` and `\xNN` are escapes everywhere, so that any byte can be written. A file's
//! content ends where its line ends; leading white space of a line and empty lines mean nothing, and `#` starts a
//! comment line.

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file with its content.
    File(Vec<u8>),
    /// A directory.
    Directory,
    /// A symbolic link to a target.
    Symlink(Vec<u8>),
    /// A hard link to another entry's path.
    Hardlink(Vec<u8>),
    /// A named pipe.
    Fifo,
}

/// Where an entry's name is stored in a tar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// In the header, or in a GNU `L` entry when it is longer than 100 bytes.
    Header,
    /// In PAX `path` and `linkpath` records, whatever their length; the header names something else.
    Pax,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The path exactly as written, which may be one that no honest tool writes.
    pub(crate) path: Vec<u8>,
    /// What it is.
    pub(crate) kind: Kind,
    /// Permission bits.
    pub(crate) mode: u32,
    /// Where the name goes.
    pub(crate) naming: Naming,
}

/// Reads all lines of `text`; a line that makes no sense is a panic that shows it.
pub(crate) fn parse(text: &str) -> Vec<Entry> {
    let lines = text.lines().map(str::trim_start);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(parse_line).collect()
}

fn parse_line(line: &str) -> Entry {
    let (naming, line) = match line.strip_prefix("pax ") {
        Some(rest) => (Naming::Pax, rest),
        None => (Naming::Header, line),
    };
    let (letter, rest) = line.split_once(' ').unwrap_or_else(|| panic!("no path in `{line}`"));
    let (path, kind, mode) = match letter {
        "f" => file(rest),
        "d" => directory(rest),
        "l" => link(rest, Kind::Symlink, 0o777),
        "h" => link(rest, Kind::Hardlink, 0o644),
        "w" => (rest, Kind::File(Vec::new()), 0o600),
        "p" => (rest, Kind::Fifo, 0o644),
        _ => panic!("`{letter}` is no kind of entry in `{line}`"),
    };
    Entry { path: unescape(path), kind, mode, naming }
}

fn file(rest: &str) -> (&str, Kind, u32) {
    let mut parts = rest.splitn(3, ' ');
    let path = parts.next().unwrap_or_default();
    let mode = parts.next().map_or(0o644, octal);
    (path, Kind::File(unescape(parts.next().unwrap_or_default())), mode)
}

fn directory(rest: &str) -> (&str, Kind, u32) {
    let (path, mode) = rest.split_once(' ').unwrap_or((rest, "0755"));
    (path, Kind::Directory, octal(mode))
}

fn link(rest: &str, kind: fn(Vec<u8>) -> Kind, mode: u32) -> (&str, Kind, u32) {
    let (path, target) = rest.split_once(" -> ").unwrap_or_else(|| panic!("no ` -> ` in `{rest}`"));
    (path, kind(unescape(target)), mode)
}

fn octal(digits: &str) -> u32 {
    u32::from_str_radix(digits, 8).unwrap_or_else(|_| panic!("`{digits}` is no octal mode"))
}

/// Replaces the escapes of the module's text form by the bytes they stand for.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let (value, used) = if byte == b'\\' { escape(tail, text) } else { (byte, 0) };
        bytes.push(value);
        rest = &tail[used..];
    }
    bytes
}

/// The byte that an escape stands for, and how many bytes after the backslash it took.
fn escape(tail: &[u8], text: &str) -> (u8, usize) {
    match tail {
        [b'n', ..] => (b'\n', 1),
        [b't', ..] => (b'\t', 1),
        [b's', ..] => (b' ', 1),
        [b'\\', ..] => (b'\\', 1),
        [b'x', high, low, ..] => (nibble(*high) * 16 + nibble(*low), 3),
        _ => panic!("unknown escape in `{text}`"),
    }
}

fn nibble(digit: u8) -> u8 {
    let value = char::from(digit).to_digit(16).expect("a hexadecimal digit after \\x");
    u8::try_from(value).expect("a hexadecimal digit is below 16")
}
