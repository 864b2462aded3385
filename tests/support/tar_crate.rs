//! The `tar` crate as an oracle for shipproof's own reader, with the places where the two are known to differ.
//! The fuzz targets use this file too.

use std::io::Read as _;
use std::ops::Range;

use sha2::{Digest as _, Sha256};
use shipproof::blob::ObjectFormat;
use shipproof::layer::{Change, EntryKind, LayerIndex};
use shipproof::path::ImagePath;

/// What a tar says of one path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Listed {
    /// The path, cleaned.
    pub(crate) path: Vec<u8>,
    /// Permission bits.
    pub(crate) mode: u32,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A file with its size and SHA-256.
    File(u64, [u8; 32]),
    /// A directory.
    Directory,
    /// A symbolic link with its target.
    Symlink(Vec<u8>),
    /// A hard link with its target, cleaned.
    Hardlink(Vec<u8>),
    /// A device or a fifo.
    Special,
}

/// What shipproof reads, without whiteouts; `None` where it refuses.
pub(crate) fn by_shipproof(tar: &[u8]) -> Option<Vec<Listed>> {
    let index = LayerIndex::read(tar, ObjectFormat::Sha1).ok()?;
    let puts = index.changes.into_iter().filter_map(|change| match change {
        Change::Put(entry) => Some(entry),
        Change::Remove(_) | Change::Opaque(_) => None,
    });
    let listed = puts.map(|entry| {
        let kind = match entry.kind {
            EntryKind::Regular(content) => Kind::File(content.size, content.sha256),
            EntryKind::Directory => Kind::Directory,
            EntryKind::Symlink(target) => Kind::Symlink(target),
            EntryKind::Hardlink(target) => Kind::Hardlink(target.as_bytes().to_vec()),
            EntryKind::Special => Kind::Special,
        };
        Listed { path: entry.path.as_bytes().to_vec(), mode: entry.mode, kind }
    });
    Some(listed.collect())
}

/// What the `tar` crate reads, without whiteouts and global headers; `None` where it refuses.
pub(crate) fn by_tar_crate(tar: &[u8]) -> Option<Vec<Listed>> {
    let mut listed = Vec::new();
    for entry in tar::Archive::new(tar).entries().ok()? {
        let mut entry = entry.ok()?;
        let path = ImagePath::clean(&entry.path_bytes());
        let target = entry.link_name_bytes().unwrap_or_default().into_owned();
        let typeflag = entry.header().as_bytes()[156];
        let kind = match typeflag {
            0 if entry.path_bytes().ends_with(b"/") => Kind::Directory,
            0 | b'0' | b'7' | b'S' => {
                let mut contents = Vec::new();
                entry.read_to_end(&mut contents).ok()?;
                if contents.len() as u64 != entry.size() {
                    return None;
                }
                Kind::File(entry.size(), Sha256::digest(&contents).into())
            }
            b'1' => Kind::Hardlink(ImagePath::clean(&target).as_bytes().to_vec()),
            b'2' => Kind::Symlink(target),
            b'5' => Kind::Directory,
            b'3' | b'4' | b'6' => Kind::Special,
            _ => continue,
        };
        let mode = entry.header().mode().ok()? & 0o7777;
        if !path.file_name().is_some_and(|name| name.starts_with(b".wh.")) {
            listed.push(Listed { path: path.as_bytes().to_vec(), mode, kind });
        }
    }
    Some(listed)
}

/// What became of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Both read the same.
    Same,
    /// At least one of them refuses.
    Refused,
    /// The archive has something that they are known to read differently.
    Excepted(&'static str),
}

/// Reads `tar` in both ways.
///
/// # Errors
/// What differs, when both accept it and read something different without a known reason.
pub(crate) fn compare(tar: &[u8]) -> Result<Outcome, String> {
    let Some(ours) = by_shipproof(tar) else { return Ok(Outcome::Refused) };
    let Some(theirs) = by_tar_crate(tar) else { return Ok(Outcome::Refused) };
    if ours == theirs {
        return Ok(Outcome::Same);
    }
    let different = || format!("both accept it and differ:\nshipproof: {ours:?}\ntar crate: {theirs:?}");
    exception(tar).map(Outcome::Excepted).ok_or_else(different)
}

/// Whether expanding the sparse files of `tar` takes long.
pub(crate) fn is_slow(tar: &[u8]) -> bool {
    let sparse = tar.windows(10).any(|bytes| bytes == b"GNU.sparse");
    headers(tar).any(|(_, block)| {
        let is_large = |field: Range<usize>| !matches!(number(&block[field]), Some(..=0x10_0000));
        (sparse && is_large(124..136)) || (block[156] == b'S' && is_large(483..495))
    }) || (sparse && tar.split(|byte| !byte.is_ascii_digit()).any(|digits| digits.len() > 6 && tar.len() < 1 << 20))
}

/// The blocks that may be headers: those with a right checksum, signed or not.
fn headers(tar: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    tar.chunks_exact(512).enumerate().filter(|(_, block)| {
        let others = || block[..148].iter().chain(&block[156..]);
        let unsigned: i64 = others().map(|&byte| i64::from(byte)).sum();
        let signed: i64 = others().map(|&byte| i64::from(byte.cast_signed())).sum();
        let field: Vec<u8> = block[148..156].iter().copied().filter(u8::is_ascii_digit).collect();
        let written = i64::from_str_radix(&String::from_utf8_lossy(&field), 8).unwrap_or_default();
        [unsigned, signed].map(|sum| sum + 8 * 32).contains(&written)
    })
}

/// An ordinary number: octal digits between padding, or a small base-256 one.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] == 0x80 && field.len() == 12 && field[1..5] == [0; 4] && field[5] < 0x80 {
        return Some(field[5..].iter().fold(0, |value, byte| value << 8 | u64::from(*byte)));
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    if text.is_empty() || text.starts_with('+') {
        return text.is_empty().then_some(0);
    }
    u64::from_str_radix(text, 8).ok()
}

/// The first reason why the two may read `tar` differently. All were looked into, and shipproof is with Go in them.
fn exception(tar: &[u8]) -> Option<&'static str> {
    let sized = tar.windows(5).any(|bytes| bytes == b"size=");
    headers(tar).find_map(|(at, block)| {
        let fields = [100..108, 108..116, 116..124, 124..136, 136..148];
        let numbers: Option<Vec<u64>> = fields.into_iter().map(|field| number(&block[field])).collect();
        let Some(numbers) = numbers else { return Some("numbers: shipproof is strict, the crate cuts them") };
        let is_gnu = &block[257..265] == b"ustar  \0";
        let is_ustar = &block[257..265] == b"ustar\x0000" && &block[508..] != b"tar\0";
        if !is_gnu && !is_ustar {
            return Some("dialects: the crate does not know star, and takes v7's extended headers for files");
        }
        if is_gnu && block[345..369].iter().any(|byte| *byte != 0) {
            return Some("times of GNU headers that are a prefix");
        }
        let after = tar.get((at + 1) * 512..).unwrap_or_default();
        let contents = after.get(..usize::try_from(numbers[3]).unwrap_or(usize::MAX)).unwrap_or_default();
        match block[156] {
            b'1'..=b'6' if numbers[3] != 0 || sized => Some("links and directories with a size: the crate skips it"),
            b'L' | b'K' if !is_plain_name(contents) => Some("GNU names with NULs: the crate cuts one at the end"),
            b'x' if !has_plain_records(contents) => Some("PAX records: the crate goes by lines, and takes the first"),
            _ => None,
        }
    })
}

fn is_plain_name(contents: &[u8]) -> bool {
    let name = contents.strip_suffix(b"\0").unwrap_or(contents);
    !name.is_empty() && !name.contains(&0)
}

fn has_plain_records(contents: &[u8]) -> bool {
    let mut keys = Vec::new();
    let mut lines: Vec<&[u8]> = contents.split(|byte| *byte == b'\n').collect();
    lines.pop().is_some_and(<[u8]>::is_empty)
        && lines.iter().all(|line| {
            let text = String::from_utf8_lossy(line);
            let Some((key, value)) = text.split_once(' ').and_then(|(_, record)| record.split_once('=')) else {
                return false;
            };
            keys.push(key.to_owned());
            !value.is_empty()
                && !value.contains('\u{fffd}')
                && !key.starts_with("GNU.sparse")
                && keys.iter().filter(|other| *other == key).count() == 1
        })
}
