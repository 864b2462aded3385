//! Bytes kept for later in bounded memory: what exceeds it lies in an unnamed temporary file.

use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;

use tempfile::SpooledTempFile;

use crate::limits;

/// Bytes appended one after another, and read again by where they lie.
#[derive(Debug)]
pub struct Spool {
    file: SpooledTempFile,
    end: u64,
    /// Whether the file stands at its end, so that appending needs no seek.
    at_end: bool,
}

impl Default for Spool {
    fn default() -> Self {
        Self { file: SpooledTempFile::new(limits::SPOOL_BYTES), end: 0, at_end: true }
    }
}

impl Spool {
    /// Where the next bytes will lie.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// What writing the temporary file fails with.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.at_end {
            self.file.seek(SeekFrom::Start(self.end))?;
        }
        self.at_end = false;
        self.file.write_all(bytes)?;
        self.at_end = true;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Forgets everything from `end` on; the room is used again.
    pub fn truncate(&mut self, end: u64) {
        self.end = self.end.min(end);
        self.at_end = false;
    }

    /// A reader of the bytes in `range`.
    ///
    /// # Errors
    /// What seeking in the temporary file fails with.
    pub fn reader(&mut self, range: &Range<u64>) -> io::Result<BufReader<io::Take<&mut SpooledTempFile>>> {
        self.at_end = false;
        self.file.seek(SeekFrom::Start(range.start))?;
        Ok(BufReader::new((&mut self.file).take(range.end - range.start)))
    }

    /// The bytes in `range`.
    ///
    /// # Errors
    /// What reading the temporary file fails with.
    pub fn read(&mut self, range: &Range<u64>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.reader(range)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_where_they_lie() {
        let mut spool = Spool::default();
        spool.append(b"first").unwrap();
        let kept = 0..spool.end();
        spool.append(b"dropped").unwrap();
        spool.truncate(kept.end);
        assert_eq!(spool.read(&kept).unwrap(), b"first");
        spool.append(b"second").unwrap();
        assert_eq!(spool.read(&(5..spool.end())).unwrap(), b"second");
        assert_eq!(spool.read(&kept).unwrap(), b"first");
    }
}
