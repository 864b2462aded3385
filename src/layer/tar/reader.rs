//! Entry after entry of a tar, with their contents: the loop of Go's archive/tar (`Reader.next`), decision by
//! decision.
//!
//! Contents are handed out of the buffer in which they come, so no byte is copied on its way to the hashes.

use std::io::{self, BufRead, Read};

use crate::limits;

use super::TarError;
use super::header::{self, BLOCK_BYTES, Block, Format, text};
use super::pax::{Key, Records};
use super::sparse::{self, Expansion, PaxFormat, Run};

/// What holes are made of.
static ZEROS: [u8; 16 << 10] = [0; 16 << 10];

/// An entry, with everything that extended headers say about it.
pub(super) struct Member {
    /// The type. `0` and NUL are told apart into `0` and `5`.
    pub(super) typeflag: u8,
    /// The path, as written.
    pub(super) name: Vec<u8>,
    /// The target of a link, as written.
    pub(super) link: Vec<u8>,
    /// Permissions, and whatever a builder wrote above them.
    pub(super) mode: i64,
    /// When the contents were changed, in seconds since 1970.
    pub(super) mtime: i64,
    /// Bytes of the contents, holes included.
    pub(super) size: u64,
}

/// A tar. As a reader it is the contents of the entry that was last asked for.
pub(super) struct Reader<R> {
    input: R,
    /// Bytes of the entry's contents that are still to come.
    left: u64,
    /// Bytes that fill its last block.
    padding: u64,
    /// Where the holes are, in a sparse file.
    sparse: Option<Expansion>,
    /// Headers seen.
    headers: u32,
    /// Bytes of holes seen.
    holes: u64,
}

/// What headers before an entry say about it.
#[derive(Default)]
struct Extensions {
    records: Option<Records>,
    name: Vec<u8>,
    link: Vec<u8>,
}

impl<R: BufRead> Reader<R> {
    /// Reads a tar from its beginning.
    pub(super) fn new(tar: R) -> Self {
        Self { input: tar, left: 0, padding: 0, sparse: None, headers: 0, holes: 0 }
    }

    /// The next entry; `None` at the end of the archive, whether it is marked or not.
    ///
    /// # Errors
    /// [`TarError`], and what reading fails with.
    pub(super) fn next_member(&mut self) -> io::Result<Option<Member>> {
        let mut extensions = Extensions::default();
        loop {
            // As in Go, headers that speak of an entry which does not come are no error.
            if !self.skip_contents()? {
                return Ok(None);
            }
            let Some(block) = self.header_block()? else { return Ok(None) };
            let header = header::parse(&block)?;
            self.begin(header.typeflag, header.size)?;
            match header.typeflag {
                // The last one counts, whole: records of an earlier one are forgotten.
                b'x' => extensions.records = Some(Records::parse(self.extension()?)?),
                b'L' => extensions.name = text(&self.extension()?).to_vec(),
                b'K' => extensions.link = text(&self.extension()?).to_vec(),
                // POSIX applies the records of a global header to all entries that follow. Go hands it out as an
                // entry of its own and applies nothing, not even the headers that stood before it.
                b'g' => return self.global(header).map(Some),
                _ => return self.member(header, &block, &extensions).map(Some),
            }
        }
    }

    fn global(&mut self, header: header::Header) -> io::Result<Member> {
        Records::parse(self.extension()?)?;
        let header::Header { typeflag, name, link, mode, mtime, .. } = header;
        Ok(Member { typeflag, name, link, mode, mtime, size: 0 })
    }

    /// Puts the header and its extensions together (Go: `mergePAX`; a GNU name goes before a PAX one, wherever they
    /// stand).
    fn member(&mut self, header: header::Header, block: &Block, extensions: &Extensions) -> io::Result<Member> {
        let header::Header { mut typeflag, mut name, mut link, mut size, mode, mut mtime, format } = header;
        if let Some(records) = &extensions.records {
            records.check_others()?;
            replace(&mut name, records.get(Key::Path));
            replace(&mut link, records.get(Key::LinkPath));
            size = records.number(Key::Size)?.unwrap_or(size);
            mtime = records.mtime().unwrap_or(mtime);
        }
        replace(&mut name, &extensions.name);
        replace(&mut link, &extensions.link);
        if typeflag == 0 {
            // Tars of old had no type for directories (POSIX.1-1988 ustar, "typeflag").
            typeflag = if name.ends_with(b"/") { b'5' } else { b'0' };
        }
        self.begin(typeflag, size)?;
        let mut member = Member { typeflag, name, link, mode, mtime, size: self.left };
        if let Some(expansion) = self.expansion(&mut member, size, block, format, extensions.records.as_ref())? {
            member.size = expansion.size();
            self.add_holes(expansion.holes())?;
            self.sparse = Some(expansion);
        }
        check_length(&member.name)?;
        check_length(&member.link)?;
        Ok(member)
    }

    /// The holes of a sparse file (Go: `handleSparseFile`).
    fn expansion(
        &mut self,
        member: &mut Member,
        size: i64,
        block: &Block,
        format: Format,
        records: Option<&Records>,
    ) -> io::Result<Option<Expansion>> {
        let (parts, size) = if member.typeflag == b'S' {
            if format != Format::Gnu {
                return Err(TarError::SparseMap.into());
            }
            // These blocks are not counted in the size.
            sparse::old_gnu(block, || self.block()?.ok_or_else(|| TarError::Truncated.into()))?
        } else {
            let Some(records) = records else { return Ok(None) };
            let Some(format) = sparse::pax_format(records) else { return Ok(None) };
            replace(&mut member.name, records.get(Key::SparseName));
            let has_size = !records.get(Key::SparseSize).is_empty();
            let real = records.number(if has_size { Key::SparseSize } else { Key::SparseRealSize })?;
            let parts = match format {
                PaxFormat::InHeader => sparse::from_records(records)?,
                PaxFormat::InContents => sparse::from_contents(|| self.contents_block())?,
            };
            (parts, real.unwrap_or(size))
        };
        if has_no_contents(member.typeflag) {
            return Err(TarError::SparseMap.into());
        }
        Ok(Some(Expansion::new(&parts, size)?))
    }

    fn add_holes(&mut self, count: u64) -> Result<(), TarError> {
        self.holes = self.holes.saturating_add(count);
        if self.holes > limits::TAR_HOLE_BYTES {
            return Err(TarError::Limit { what: "bytes of holes in sparse files", limit: limits::TAR_HOLE_BYTES });
        }
        Ok(())
    }

    /// Notes how many bytes of contents follow. Links and the like have none, whatever their size says.
    fn begin(&mut self, typeflag: u8, size: i64) -> Result<(), TarError> {
        let size = if has_no_contents(typeflag) { 0 } else { size };
        self.left = u64::try_from(size).map_err(|_| TarError::NegativeSize(size))?;
        self.padding = self.left.wrapping_neg() % BLOCK_BYTES as u64;
        self.sparse = None;
        Ok(())
    }

    /// The contents of a header that speaks of another.
    fn extension(&mut self) -> io::Result<Vec<u8>> {
        let limit = limits::TAR_EXTENSION_BYTES;
        let length = usize::try_from(self.left).ok().filter(|&length| length <= limit);
        let length = length.ok_or(TarError::Limit { what: "bytes in an extended header", limit: limit as u64 })?;
        let mut bytes = vec![0; length];
        self.input.read_exact(&mut bytes).map_err(cut_short)?;
        self.left = 0;
        Ok(bytes)
    }

    /// A block of the contents, which holds a part of a sparse map.
    fn contents_block(&mut self) -> io::Result<Block> {
        self.left = self.left.checked_sub(BLOCK_BYTES as u64).ok_or(TarError::Truncated)?;
        self.block()?.ok_or_else(|| TarError::Truncated.into())
    }

    /// Passes over what was not read of the last entry; `false` at the end of the archive. Some builders leave out
    /// the padding of the last entry with the end, which Go accepts.
    fn skip_contents(&mut self) -> io::Result<bool> {
        if self.skip(self.left)? > 0 {
            return Err(TarError::Truncated.into());
        }
        Ok(self.skip(self.padding)? == 0)
    }

    /// Passes over `count` bytes, and says how many of them were not there.
    fn skip(&mut self, mut count: u64) -> io::Result<u64> {
        while count > 0 {
            let step = bounded(self.input.fill_buf()?.len(), count);
            if step == 0 {
                break;
            }
            self.input.consume(step);
            count -= step as u64;
        }
        Ok(count)
    }

    /// The next header; `None` at the end, which is two blocks of zeros. Go makes do with one before the end of the
    /// bytes, or none; what stands behind two of them is nobody's business.
    fn header_block(&mut self) -> io::Result<Option<Block>> {
        const ZERO: Block = [0; BLOCK_BYTES];
        match self.block()? {
            Some(ZERO) => {}
            Some(block) => return self.count_header().map(|()| Some(block)).map_err(Into::into),
            None => return Ok(None),
        }
        match self.block()? {
            Some(ZERO) | None => Ok(None),
            Some(_) => Err(TarError::ZeroBlock.into()),
        }
    }

    fn count_header(&mut self) -> Result<(), TarError> {
        self.headers += 1;
        if self.headers > limits::TAR_HEADERS {
            return Err(TarError::Limit { what: "headers", limit: limits::TAR_HEADERS.into() });
        }
        Ok(())
    }

    fn block(&mut self) -> io::Result<Option<Block>> {
        if self.input.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut block = [0; BLOCK_BYTES];
        self.input.read_exact(&mut block).map_err(cut_short)?;
        Ok(Some(block))
    }
}

/// Go's `isHeaderOnlyType`. The `tar` crate goes by the size instead.
fn has_no_contents(typeflag: u8) -> bool {
    matches!(typeflag, b'1'..=b'6')
}

/// Go keeps the header's text where an extension's is empty.
fn replace(text: &mut Vec<u8>, better: &[u8]) {
    if !better.is_empty() {
        text.clear();
        text.extend_from_slice(better);
    }
}

fn check_length(path: &[u8]) -> Result<(), TarError> {
    if path.len() > limits::TAR_PATH_BYTES {
        return Err(TarError::Limit { what: "bytes in a path", limit: limits::TAR_PATH_BYTES as u64 });
    }
    Ok(())
}

fn cut_short(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { TarError::Truncated.into() } else { error }
}

fn bounded(length: usize, limit: u64) -> usize {
    length.min(usize::try_from(limit).unwrap_or(usize::MAX))
}

impl<R: BufRead> BufRead for Reader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let wanted = match self.sparse.as_ref().map(Expansion::run) {
            None if self.left == 0 => return Ok(&[]),
            None => self.left,
            Some(Run::Hole(count)) => return Ok(&ZEROS[..bounded(ZEROS.len(), count)]),
            Some(Run::Data(_)) if self.left == 0 => return Err(TarError::SparseMissing.into()),
            Some(Run::Data(count)) => count.min(self.left),
            Some(Run::End) if self.left > 0 => return Err(TarError::SparseLeftOver.into()),
            Some(Run::End) => return Ok(&[]),
        };
        match self.input.fill_buf()? {
            [] => Err(TarError::Truncated.into()),
            bytes => Ok(&bytes[..bounded(bytes.len(), wanted)]),
        }
    }

    fn consume(&mut self, count: usize) {
        let in_hole = self.sparse.as_ref().is_some_and(|sparse| matches!(sparse.run(), Run::Hole(_)));
        if let Some(sparse) = &mut self.sparse {
            sparse.advance(count as u64);
        }
        if !in_hole {
            self.input.consume(count);
            self.left -= count as u64;
        }
    }
}

impl<R: BufRead> Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
