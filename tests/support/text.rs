//! File trees as text: one entry a line, for layers and for repositories.
//!
//! ```text
//! d app 0755
//! f app/main.py 0644 print("x")\n
//! l app/link -> target
//! h app/hard -> app/main.py
//! w app/.wh.old
//! p app/fifo
//! g comment=a\sglobal\sPAX\sheader
//! pax f app/name-in-a-pax-record.py 0644 x
//! ```
//!
//! Escapes (see [`super::escapes`]) work everywhere, so that any byte can be written. A file's content ends where its
//! line ends; leading white space of a line and empty lines mean nothing, and `#` starts a comment line.
//!
//! Words before the letter say how a tar writes the entry:
//!
//! | word | meaning |
//! |---|---|
//! | `pax` | path and target are in PAX records, whatever their length; the header names something else |
//! | `pax:KEY=VALUE` | this PAX record, true or not |
//! | `size=N` | the header's size, true or not |
//! | `base256` | the header's size is a number in base 256 |
//! | `mode=OCTAL` | the header's mode, for what has no mode in its line |
//! | `type=C` | the header's type |
//! | `v7`, `ustar` | the dialect, GNU without it; `ustar` splits a long path at a slash |
//! | `sparse=old`, `0.0`, `0.1`, `1.0` | blocks of zeros are holes, in GNU's four formats |
//! | `archive` | the contents are entries themselves, a tar without an end |

use super::archive::entries_of;
use super::escapes::unescape;

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
    /// A global PAX header, of which the entry's records are the contents.
    Global,
}

/// A PAX record.
pub(crate) type Record = (Vec<u8>, Vec<u8>);

/// Where an entry's name is stored in a tar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Naming {
    /// In the header, or in a GNU `L` entry when it is longer than 100 bytes.
    #[default]
    Header,
    /// In PAX `path` and `linkpath` records, whatever their length; the header names something else.
    Pax,
}

/// Whose header an entry has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Dialect {
    #[default]
    Gnu,
    Ustar,
    V7,
}

/// How holes are written (GNU tar manual, "Storing Sparse Files").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sparse {
    /// Type `S` with the map in the header and blocks after it.
    Old,
    /// A PAX record for each offset and length.
    Pax00,
    /// The map in one PAX record.
    Pax01,
    /// The map before the contents.
    Pax10,
}

/// How a tar writes an entry, where that is not the plain way.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Written {
    /// Where the name goes.
    pub(crate) naming: Naming,
    /// Records of a PAX header before the entry.
    pub(crate) records: Vec<Record>,
    /// The size in the header.
    pub(crate) size: Option<u64>,
    /// Whether that is in base 256.
    pub(crate) base256: bool,
    /// The type in the header.
    pub(crate) typeflag: Option<u8>,
    /// Whose header it is.
    pub(crate) dialect: Dialect,
    /// How holes are written.
    pub(crate) sparse: Option<Sparse>,
    /// Whether the contents are a tar of the entries that stand there.
    pub(crate) archive: bool,
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
    /// How a tar writes it.
    pub(crate) written: Written,
}

/// Reads all lines of `text`; a line that makes no sense is a panic that shows it.
pub(crate) fn parse(text: &str) -> Vec<Entry> {
    let lines = text.lines().map(str::trim_start);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(parse_line).collect()
}

fn parse_line(line: &str) -> Entry {
    let (mut written, mut mode, mut rest) = (Written::default(), None, line);
    loop {
        let (word, after) = rest.split_once(' ').unwrap_or_else(|| panic!("no path in `{line}`"));
        if word.len() == 1 {
            let entry = parse_entry(word, after, written);
            return Entry { mode: mode.unwrap_or(entry.mode), ..entry };
        }
        match word.strip_prefix("mode=") {
            Some(digits) => mode = Some(octal(digits)),
            None => modify(&mut written, word),
        }
        rest = after;
    }
}

fn modify(written: &mut Written, word: &str) {
    let (name, value) = word.split_once([':', '=']).unwrap_or((word, ""));
    match name {
        "pax" if value.is_empty() => written.naming = Naming::Pax,
        "pax" => written.records.push(record(value)),
        "size" => written.size = Some(value.parse().unwrap_or_else(|_| panic!("`{word}` is no size"))),
        "base256" => written.base256 = true,
        "type" => written.typeflag = unescape(value).first().copied(),
        "ustar" => written.dialect = Dialect::Ustar,
        "v7" => written.dialect = Dialect::V7,
        "archive" => written.archive = true,
        "sparse" => written.sparse = Some(sparse(value)),
        _ => panic!("`{word}` says nothing about an entry"),
    }
}

fn sparse(format: &str) -> Sparse {
    match format {
        "old" => Sparse::Old,
        "0.0" => Sparse::Pax00,
        "0.1" => Sparse::Pax01,
        "1.0" => Sparse::Pax10,
        _ => panic!("`{format}` is no format of sparse files"),
    }
}

fn record(text: &str) -> Record {
    let (key, value) = text.split_once('=').unwrap_or_else(|| panic!("no `=` in the PAX record `{text}`"));
    (unescape(key), unescape(value))
}

fn parse_entry(letter: &str, rest: &str, mut written: Written) -> Entry {
    let (path, kind, mode) = match letter {
        "f" => file(rest),
        "d" => directory(rest),
        "l" => link(rest, Kind::Symlink, 0o777),
        "h" => link(rest, Kind::Hardlink, 0o644),
        "w" => (rest, Kind::File(Vec::new()), 0o600),
        "p" => (rest, Kind::Fifo, 0o644),
        "g" => {
            written.records.extend(rest.split(' ').map(record));
            ("pax_global_header", Kind::Global, 0o644)
        }
        _ => panic!("`{letter}` is no kind of entry before `{rest}`"),
    };
    let kind = match kind {
        Kind::File(entries) if written.archive => {
            let text = String::from_utf8(entries).expect("entries of an archive are text");
            Kind::File(entries_of(&parse(&text)))
        }
        kind => kind,
    };
    Entry { path: unescape(path), kind, mode, written }
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
