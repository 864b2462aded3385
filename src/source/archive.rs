//! Members of a tar file by name, read in place.
//!
//! A layout or `docker save` output is often one tar file. Its table is read once; members are then read from
//! where they lie. A stream that cannot be sought in (compressed, or from a daemon) is spooled to an unnamed file
//! first: nothing of it ever gets a name on disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::compression::{Compression, decompress};
use crate::path::ImagePath;

use super::SourceError;

/// Members fill up whole blocks (POSIX pax, "ustar Interchange Format").
const BLOCK_BYTES: u64 = 512;

/// A tar file whose members can be read by name.
pub(super) struct Archive {
    path: PathBuf,
    file: Arc<File>,
    members: BTreeMap<ImagePath, Member>,
}

#[derive(Clone)]
enum Member {
    File {
        offset: u64,
        size: u64,
    },
    /// `docker save` of old links a repeated layer to its first copy.
    Link(ImagePath),
}

impl Archive {
    /// Opens the tar file at `path`, compressed or not.
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let fail = |source| SourceError::File { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(fail)?;
        let mut start = Vec::new();
        (&file).take(4).read_to_end(&mut start).map_err(fail)?;
        file.rewind().map_err(fail)?;
        if Compression::of(&start) == Compression::None {
            return Self::index(path, file);
        }
        let mut spool = Spool::new().map_err(fail)?;
        let copied = decompress(file).and_then(|mut tar| io::copy(&mut tar, &mut spool.0));
        copied.map_err(|error| match error.raw_os_error() {
            Some(_) => fail(error),
            // Not the system's but the decompressor's.
            None => no_tar(path, &error),
        })?;
        spool.into_archive(path)
    }

    fn index(path: &Path, file: File) -> Result<Self, SourceError> {
        let members = table(&file).map_err(|error| no_tar(path, &error))?;
        Ok(Self { path: path.to_owned(), file: Arc::new(file), members })
    }

    /// Where the archive came from, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The member `name` and its size in bytes.
    pub(super) fn member(&self, name: &str) -> Option<(Section, u64)> {
        let mut member = self.members.get(&ImagePath::clean(name.as_bytes()))?;
        // One step is all that docker writes; more could be a circle.
        if let Member::Link(target) = member {
            member = self.members.get(target)?;
        }
        match *member {
            Member::File { offset, size } => Some((Section { file: Arc::clone(&self.file), offset, left: size }, size)),
            Member::Link(_) => None,
        }
    }
}

fn no_tar(path: &Path, error: &io::Error) -> SourceError {
    SourceError::Format { path: path.to_owned(), expected: "a tar archive", reason: tar_reason(error) }
}

/// What reading a tar failed with, in one line: the `tar` crate quotes headers, which hold anything where there is none.
pub fn tar_reason(error: &io::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn table(mut file: &File) -> io::Result<BTreeMap<ImagePath, Member>> {
    file.rewind()?;
    let length = file.metadata()?.len();
    let mut members = BTreeMap::new();
    let mut archive = tar::Archive::new(file);
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        let name = ImagePath::clean(&entry.path_bytes());
        let link = entry.link_name_bytes();
        let member = match (entry.header().entry_type(), link) {
            (tar::EntryType::Symlink, Some(target)) => Member::Link(name.parent().unwrap_or_default().join(&target)),
            (tar::EntryType::Link, Some(target)) => Member::Link(ImagePath::clean(&target)),
            (kind, _) if kind.is_file() => Member::File { offset: entry.raw_file_position(), size: entry.size() },
            _ => continue,
        };
        // Contents are skipped by seeking, which reaches beyond the end without noticing.
        if matches!(member, Member::File { offset, size } if offset + size.next_multiple_of(BLOCK_BYTES) > length) {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("it is cut short in {name}")));
        }
        members.insert(name, member);
    }
    Ok(members)
}

/// A part of a file, read without moving anyone else's position.
pub(super) struct Section {
    file: Arc<File>,
    offset: u64,
    left: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = self.file.read_at(&mut buffer[..wanted], self.offset)?;
        self.offset += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

/// An unnamed file in the temporary directory that takes up a stream.
pub(super) struct Spool(File);

impl Spool {
    /// An empty spool.
    pub(super) fn new() -> io::Result<Self> {
        tempfile::tempfile().map(Self)
    }

    /// Adds the next bytes of the stream.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Reads the stream as a tar archive; `path` is what messages call it.
    pub(super) fn into_archive(self, path: &Path) -> Result<Archive, SourceError> {
        Archive::index(path, self.0)
    }
}
