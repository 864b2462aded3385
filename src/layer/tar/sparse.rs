//! Sparse files: old GNU headers, and GNU's PAX formats 0.0, 0.1 and 1.0, read as Go's archive/tar does.
//!
//! A map lists the parts of the file that the archive holds; everything between them is zeros. Files are expanded
//! while they stream by, so that only the map is in memory.

use std::io;
use std::ops::Range;

use crate::limits;

use super::TarError;
use super::header::{BLOCK_BYTES, Block, number};
use super::pax::{Key, Records, decimal};

/// Where the old format's header says how large the file is.
const REAL_SIZE: Range<usize> = 483..495;
/// The first entry in a header, the entries' number, and the byte that says whether a block of further ones follows.
const IN_HEADER: Table = Table { start: 386, entries: 4, more: 482 };
/// The same in such a block.
const IN_EXTENSION: Table = Table { start: 0, entries: 21, more: 504 };
/// Bytes of one number in the old format.
const FIELD_BYTES: usize = 12;

struct Table {
    start: usize,
    entries: usize,
    more: usize,
}

/// The parts of a file that an archive holds: start and length in the file.
pub(super) type Parts = Vec<(i64, i64)>;

/// Reads the map in a header of the old format, and in the blocks after it, which `next_block` reads.
///
/// # Errors
/// [`TarError`], and what `next_block` fails with.
pub(super) fn old_gnu(header: &Block, mut next_block: impl FnMut() -> io::Result<Block>) -> io::Result<(Parts, i64)> {
    let size = number(&header[REAL_SIZE]).ok_or(TarError::SparseMap)?;
    let mut parts = Parts::new();
    let (mut block, mut table, mut bytes) = (*header, IN_HEADER, 0);
    loop {
        let entries = &block[table.start..][..table.entries * 2 * FIELD_BYTES];
        for entry in entries.chunks_exact(2 * FIELD_BYTES).take_while(|entry| entry[0] != 0) {
            let (start, length) = entry.split_at(FIELD_BYTES);
            parts.push(number(start).zip(number(length)).ok_or(TarError::SparseMap)?);
        }
        if block[table.more] == 0 {
            return Ok((parts, size));
        }
        bytes += BLOCK_BYTES;
        check_length(bytes)?;
        block = next_block()?;
        table = IN_EXTENSION;
    }
}

/// The PAX formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PaxFormat {
    /// 0.0 and 0.1: the map is in the extended header.
    InHeader,
    /// 1.0: it stands before the contents.
    InContents,
}

/// Which format an extended header speaks of. Go reads files of unknown ones as they are stored.
pub(super) fn pax_format(records: &Records) -> Option<PaxFormat> {
    match (records.get(Key::SparseMajor), records.get(Key::SparseMinor)) {
        (b"0", b"0" | b"1") => Some(PaxFormat::InHeader),
        (b"1", b"0") => Some(PaxFormat::InContents),
        (b"", b"") => (!records.get(Key::SparseMap).is_empty()).then_some(PaxFormat::InHeader),
        _ => None,
    }
}

/// The map in an extended header.
pub(super) fn from_records(records: &Records) -> Result<Parts, TarError> {
    let count = decimal(records.get(Key::SparseCount)).ok_or(TarError::SparseMap)?;
    let map = records.get(Key::SparseMap);
    let numbers: Vec<&[u8]> = if map.is_empty() { Vec::new() } else { map.split(|&byte| byte == b',').collect() };
    if count.checked_mul(2) != i64::try_from(numbers.len()).ok() {
        return Err(TarError::SparseMap);
    }
    numbers.chunks_exact(2).map(pair).collect()
}

/// The map before the contents: numbers in lines, how many pairs there are first, filled up to a whole block.
///
/// # Errors
/// [`TarError`], and what `next_block` fails with.
pub(super) fn from_contents(mut next_block: impl FnMut() -> io::Result<Block>) -> io::Result<Parts> {
    let (mut text, mut lines) = (Vec::new(), 0_u64);
    let mut read_lines = |text: &mut Vec<u8>, wanted: u64| {
        while lines < wanted {
            check_length(text.len() + BLOCK_BYTES)?;
            let block = next_block()?;
            lines += block.iter().filter(|&&byte| byte == b'\n').count() as u64;
            text.extend_from_slice(&block);
        }
        io::Result::Ok(())
    };
    read_lines(&mut text, 1)?;
    let count = text.split(|&byte| byte == b'\n').next().and_then(decimal);
    let count = count.and_then(|count| u64::try_from(count).ok()).ok_or(TarError::SparseMap)?;
    read_lines(&mut text, count.saturating_mul(2).saturating_add(1))?;
    let mut numbers = text.split(|&byte| byte == b'\n').skip(1);
    let mut parts = Parts::new();
    for _ in 0..count {
        let number = [numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default()];
        parts.push(pair(&number)?);
    }
    Ok(parts)
}

fn pair(numbers: &[&[u8]]) -> Result<(i64, i64), TarError> {
    match numbers {
        [start, length] => decimal(start).zip(decimal(length)).ok_or(TarError::SparseMap),
        _ => Err(TarError::SparseMap),
    }
}

fn check_length(bytes: usize) -> Result<(), TarError> {
    if bytes > limits::TAR_EXTENSION_BYTES {
        return Err(TarError::Limit { what: "bytes in a sparse map", limit: limits::TAR_EXTENSION_BYTES as u64 });
    }
    Ok(())
}

/// Where the reading of a sparse file stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expansion {
    /// What the archive holds, from the last part to the first one.
    left: Vec<Range<u64>>,
    position: u64,
    size: u64,
}

/// What comes next in a sparse file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// So many zeros.
    Hole(u64),
    /// So many bytes that the archive holds.
    Data(u64),
    /// Nothing.
    End,
}

impl Expansion {
    /// The start of a file of `size` bytes. Its parts have to ascend and must not overlap.
    pub(super) fn new(parts: &[(i64, i64)], size: i64) -> Result<Self, TarError> {
        let size = u64::try_from(size).map_err(|_| TarError::SparseMap)?;
        let (mut left, mut end) = (Vec::with_capacity(parts.len()), 0);
        for &(start, length) in parts {
            let bounds = u64::try_from(start).ok().zip(u64::try_from(length).ok());
            let part = bounds.map(|(start, length)| start..start + length).ok_or(TarError::SparseMap)?;
            if part.start < end || part.end > size {
                return Err(TarError::SparseMap);
            }
            end = part.end;
            if !part.is_empty() {
                left.push(part);
            }
        }
        left.reverse();
        Ok(Self { left, position: 0, size })
    }

    /// Bytes of the whole file.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Bytes of zeros that the archive does not hold.
    pub(super) fn holes(&self) -> u64 {
        self.size - self.left.iter().map(|part| part.end - part.start).sum::<u64>()
    }

    /// What comes next.
    pub(super) fn run(&self) -> Run {
        match self.left.last() {
            Some(part) if self.position >= part.start => Run::Data(part.end - self.position),
            Some(part) => Run::Hole(part.start - self.position),
            None if self.position < self.size => Run::Hole(self.size - self.position),
            None => Run::End,
        }
    }

    /// Goes on by `count` bytes, which are no more than [`Self::run`] has.
    pub(super) fn advance(&mut self, count: u64) {
        self.position += count;
        if self.left.last().is_some_and(|part| self.position >= part.end) {
            self.left.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(mut expansion: Expansion) -> Vec<Run> {
        let mut runs = Vec::new();
        loop {
            let run = expansion.run();
            match run {
                Run::End => return runs,
                Run::Hole(count) | Run::Data(count) => expansion.advance(count),
            }
            runs.push(run);
        }
    }

    #[test]
    fn a_map_alternates_holes_and_data() {
        use Run::{Data, Hole};
        type Case<'c> = (&'c [(i64, i64)], i64, Vec<Run>);
        let table: &[Case<'_>] = &[
            (&[], 0, vec![]),
            (&[], 5, vec![Hole(5)]),
            (&[(0, 5)], 5, vec![Data(5)]),
            (&[(2, 5), (18, 3)], 25, vec![Hole(2), Data(5), Hole(11), Data(3), Hole(4)]),
            (&[(0, 2), (2, 3), (5, 0)], 5, vec![Data(2), Data(3)]),
            (&[(0, 0), (3, 0)], 3, vec![Hole(3)]),
        ];
        for (parts, size, expected) in table {
            let expansion = Expansion::new(parts, *size).unwrap();
            let holes = expected.iter().map(|run| if let Hole(count) = run { *count } else { 0 }).sum::<u64>();
            assert_eq!(expansion.holes(), holes);
            assert_eq!(runs(expansion), *expected, "{parts:?}");
        }
    }

    #[test]
    fn maps_that_lie_are_refused() {
        // golang/go src/archive/tar, validateSparseEntries.
        let table: &[(&[(i64, i64)], i64)] = &[
            (&[], -1),
            (&[(-1, 2)], 5),
            (&[(1, -2)], 5),
            (&[(2, 4)], 5),
            (&[(6, 0)], 5),
            (&[(i64::MAX, i64::MAX)], i64::MAX),
            (&[(0, 3), (2, 1)], 5),
            (&[(3, 1), (0, 1)], 5),
        ];
        for (parts, size) in table {
            assert_eq!(Expansion::new(parts, *size), Err(TarError::SparseMap), "{parts:?}");
        }
    }

    /// Hands out the blocks of `bytes`, filled up with NULs.
    fn blocks(bytes: &[u8]) -> impl FnMut() -> io::Result<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        for chunk in bytes.chunks(BLOCK_BYTES).rev() {
            let mut block = [0; BLOCK_BYTES];
            block[..chunk.len()].copy_from_slice(chunk);
            blocks.push(block);
        }
        move || blocks.pop().ok_or_else(|| TarError::Truncated.into())
    }

    #[test]
    fn a_map_before_the_contents_is_lines() {
        let large: String = (0..300).map(|at| format!("{}\n1\n", at * 10)).collect();
        let large = format!("300\n{large}");
        assert!(
            from_contents(blocks(large.as_bytes())).is_ok_and(|parts| parts.len() == 300 && parts[299] == (2990, 1))
        );
        assert_eq!(from_contents(blocks(b"0\n")).unwrap(), []);
        assert_eq!(from_contents(blocks(b"2\n0\n1\n5\n1\n")).unwrap(), [(0, 1), (5, 1)]);
        for text in ["", "x\n", "-1\n", "1\n0\n", "1\n0\nx\n", "9223372036854775807\n", "1\n\n\n"] {
            assert!(from_contents(blocks(text.as_bytes())).is_err(), "{text:?}");
        }
        let endless = || Ok([b'1'; BLOCK_BYTES]);
        assert!(from_contents(endless).unwrap_err().to_string().contains("more than 1048576 bytes in a sparse map"));
    }

    #[test]
    fn an_old_map_goes_on_in_further_blocks() {
        let mut header = [0; BLOCK_BYTES];
        header[386..410].copy_from_slice(b"00000000000\x0000000000001\0");
        header[482] = 1;
        header[REAL_SIZE].copy_from_slice(b"00000000017\0");
        let mut more = [0; BLOCK_BYTES];
        more[..24].copy_from_slice(b"00000000010\x0000000000002\0");
        assert_eq!(old_gnu(&header, blocks(&more)).unwrap(), (vec![(0, 1), (8, 2)], 15));
        more[504] = 1;
        let endless = old_gnu(&header, || Ok(more)).unwrap_err();
        assert!(endless.to_string().contains("sparse map"), "{endless}");
        assert!(old_gnu(&header, blocks(&[])).is_err());
        header[390] = b'9';
        assert!(old_gnu(&header, blocks(&more)).is_err());
    }
}
