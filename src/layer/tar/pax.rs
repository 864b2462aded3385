//! Extended headers: records of `<length> <key>=<value>\n`, as strict as Go's archive/tar (`parsePAX`, `mergePAX`).
//!
//! A malformed record is an error. Passing over it would keep the plain header's size and name, and the rest of the
//! archive would be read as something else than what a runtime unpacks (RUSTSEC-2026-0068 is of that kind).

use std::ops::Range;

use super::TarError;

/// The keys that change what is unpacked, or that Go refuses when their value is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Path,
    LinkPath,
    Size,
    User,
    Group,
    AccessTime,
    ChangeTime,
    Time,
    SparseMap,
    SparseCount,
    SparseName,
    SparseMajor,
    SparseMinor,
    SparseSize,
    SparseRealSize,
}

const KEYS: usize = Key::SparseRealSize as usize + 1;

/// The records of one extended header. Of records with the same key the last one counts.
pub(super) struct Records {
    bytes: Vec<u8>,
    values: [Range<usize>; KEYS],
    /// The map of sparse format 0.0, whose records repeat, written as that of 0.1.
    sparse_pairs: Option<Vec<u8>>,
}

impl Records {
    /// Reads the contents of an extended header.
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, TarError> {
        let mut values = [const { 0..0 }; KEYS];
        let (mut pairs, mut count) = (Vec::new(), 0_usize);
        let mut start = 0;
        while start < bytes.len() {
            let record = Record::first(&bytes[start..]).ok_or(TarError::Record)?;
            if let Some(turn) = record.sparse_pair() {
                if count % 2 != turn || record.value.contains(&b',') {
                    return Err(TarError::Record);
                }
                if count > 0 {
                    pairs.push(b',');
                }
                pairs.extend_from_slice(record.value);
                count += 1;
            } else if let Some(key) = record.known_key() {
                let end = start + record.length - 1;
                values[key as usize] = end - record.value.len()..end;
            }
            start += record.length;
        }
        Ok(Self { bytes, values, sparse_pairs: (count > 0).then_some(pairs) })
    }

    /// The value of `key`; empty where it is not there, which Go takes for the same.
    pub(super) fn get(&self, key: Key) -> &[u8] {
        match (key, &self.sparse_pairs) {
            (Key::SparseMap, Some(pairs)) => pairs,
            _ => &self.bytes[self.values[key as usize].clone()],
        }
    }

    /// The number under `key`.
    pub(super) fn number(&self, key: Key) -> Result<Option<i64>, TarError> {
        match self.get(key) {
            b"" => Ok(None),
            value => decimal(value).map(Some).ok_or(TarError::Record),
        }
    }

    /// When the contents were changed, in whole seconds since 1970.
    pub(super) fn mtime(&self) -> Option<i64> {
        let time = self.get(Key::Time);
        decimal(time.split(|&byte| byte == b'.').next().unwrap_or_default())
    }

    /// Whether the values that this program does not use are ones that Go reads.
    pub(super) fn check_others(&self) -> Result<(), TarError> {
        self.number(Key::User)?;
        self.number(Key::Group)?;
        let times = [Key::AccessTime, Key::ChangeTime, Key::Time];
        if times.iter().all(|&key| self.get(key).is_empty() || is_time(self.get(key))) {
            return Ok(());
        }
        Err(TarError::Record)
    }
}

/// One record.
struct Record<'b> {
    key: &'b [u8],
    value: &'b [u8],
    /// Bytes of all of it.
    length: usize,
}

impl<'b> Record<'b> {
    /// The record at the start of `bytes`.
    fn first(bytes: &'b [u8]) -> Option<Self> {
        let space = bytes.iter().position(|&byte| byte == b' ')?;
        let length = usize::try_from(decimal(&bytes[..space])?).ok()?;
        let (newline, record) = bytes.get(space + 1..length)?.split_last()?;
        let equals = record.iter().position(|&byte| byte == b'=')?;
        let found = Self { key: &record[..equals], value: &record[equals + 1..], length };
        (*newline == b'\n' && found.is_valid()).then_some(found)
    }

    /// Go takes a NUL in any value but those that become C strings (`validPAXRecord`).
    fn is_valid(&self) -> bool {
        let free_of_nul = match self.key {
            b"path" | b"linkpath" | b"uname" | b"gname" => self.value,
            key => key,
        };
        !self.key.is_empty() && !free_of_nul.contains(&0)
    }

    /// For the records that make up a map of sparse format 0.0: whether it is an offset's turn or a length's.
    fn sparse_pair(&self) -> Option<usize> {
        match self.key {
            b"GNU.sparse.offset" => Some(0),
            b"GNU.sparse.numbytes" => Some(1),
            _ => None,
        }
    }

    fn known_key(&self) -> Option<Key> {
        Some(match self.key {
            b"path" => Key::Path,
            b"linkpath" => Key::LinkPath,
            b"size" => Key::Size,
            b"uid" => Key::User,
            b"gid" => Key::Group,
            b"atime" => Key::AccessTime,
            b"ctime" => Key::ChangeTime,
            b"mtime" => Key::Time,
            b"GNU.sparse.map" => Key::SparseMap,
            b"GNU.sparse.numblocks" => Key::SparseCount,
            b"GNU.sparse.name" => Key::SparseName,
            b"GNU.sparse.major" => Key::SparseMajor,
            b"GNU.sparse.minor" => Key::SparseMinor,
            b"GNU.sparse.size" => Key::SparseSize,
            b"GNU.sparse.realsize" => Key::SparseRealSize,
            _ => return None,
        })
    }
}

/// A decimal number with or without a sign, and nothing else.
pub(super) fn decimal(digits: &[u8]) -> Option<i64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Seconds, and perhaps a fraction.
fn is_time(value: &[u8]) -> bool {
    let dot = value.iter().position(|&byte| byte == b'.').unwrap_or(value.len());
    decimal(&value[..dot]).is_some() && value[dot..].iter().skip(1).all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Records, TarError> {
        Records::parse(bytes.to_vec())
    }

    /// A record with its length.
    fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
        let rest = [b" ", key, b"=", value, b"\n"].concat();
        let mut length = rest.len();
        while length != rest.len() + length.to_string().len() {
            length = rest.len() + length.to_string().len();
        }
        [length.to_string().as_bytes(), &rest].concat()
    }

    #[test]
    fn records_are_strict() {
        // golang/go src/archive/tar/strconv_test.go, TestParsePAXRecord, and more.
        let malformed: &[&[u8]] = &[
            b"0 k=1\n",
            b"6 k=1\n\n",
            b"6 k~1\n",
            b"6_k=1\n",
            b"6 k=1 ",
            b"632 k=1\n",
            b"16 longkeyname=hahaha\n",
            b"3 somelongkey=\n",
            b"50 tooshort=\n",
            b"-6 k=1\n",
            b" 6 k=1\n",
            b"6  k=1\n",
            b"4 =\n",
            b"5 =1\n",
            b"99999999999999999999 k=1\n",
            b"6",
            b"6 ",
            b"\0",
            b"6 k=1\n\0\0",
        ];
        for bytes in malformed {
            assert!(parse(bytes).is_err(), "{}", bytes.escape_ascii());
        }
        for bytes in [&b""[..], b"6 k=1\n", b"+7 k=1\n", b"008 k=1\n", b"5 k=\n"] {
            assert!(parse(bytes).is_ok(), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn only_names_are_kept_free_of_nul() {
        for (key, fine) in [("path", false), ("linkpath", false), ("uname", false), ("gname", false), ("k", true)] {
            assert_eq!(parse(&record(key.as_bytes(), b"a\0b")).is_ok(), fine, "{key}");
        }
        assert!(parse(&record(b"k\0", b"1")).is_err());
        assert!(
            parse(&record(b"path", b"\xff\n/\xe6\x97\xa5=")).is_ok_and(|it| it.get(Key::Path).starts_with(b"\xff\n"))
        );
    }

    #[test]
    fn the_last_of_a_key_counts_even_when_it_is_empty() {
        let all: [(&[u8], &[u8]); 5] =
            [(b"path", b"a"), (b"path", b"b"), (b"size", b"77"), (b"size", b""), (b"linkpath", b"a=b\nc")];
        let records = parse(&all.map(|(key, value)| record(key, value)).concat()).unwrap();
        assert_eq!(records.get(Key::Path), b"b");
        assert_eq!(records.number(Key::Size), Ok(None));
        assert_eq!(records.get(Key::LinkPath), b"a=b\nc");
    }

    #[test]
    fn numbers_and_times_are_checked() {
        let table = [("5", Ok(Some(5))), ("-5", Ok(Some(-5))), ("+5", Ok(Some(5))), ("5x", Err(())), (" 5", Err(()))];
        for (value, expected) in table {
            let records = parse(&record(b"size", value.as_bytes())).unwrap();
            assert_eq!(records.number(Key::Size).map_err(drop), expected, "{value}");
        }
        let times = ["1350244992.023960108", "-1.5", "1.", "5", ".5", "1.-5", "1e5", "-"];
        let fine: Vec<&str> = times.into_iter().filter(|time| is_time(time.as_bytes())).collect();
        assert_eq!(fine, times[..4]);
        for key in [&b"uid"[..], b"gid", b"mtime", b"atime", b"ctime"] {
            assert!(parse(&record(key, b"x")).unwrap().check_others().is_err());
            assert!(parse(&record(key, b"7")).unwrap().check_others().is_ok());
        }
    }

    #[test]
    fn maps_of_format_0_0_become_those_of_0_1() {
        let (start, length) = (record(b"GNU.sparse.offset", b"5"), record(b"GNU.sparse.numbytes", b"6"));
        let pairs = parse(&[&start[..], &length, &start].concat()).unwrap();
        assert_eq!(pairs.get(Key::SparseMap), b"5,6,5");
        assert!(parse(&length).is_err(), "a length first");
        assert!(parse(&[&start[..], &start].concat()).is_err());
        assert!(parse(&record(b"GNU.sparse.offset", b"5,6")).is_err());
    }
}
