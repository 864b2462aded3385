//! What was worked out before, kept on disk under the digest of what it follows from.
//!
//! An entry is a file of its own. It is written beside its place and moved there, so that any number of processes may
//! read and write at once and none sees half of one. It says which entry it is and ends in a checksum; whatever is cut
//! short, damaged or was put under another name is no entry, and is written anew. Nothing here can make a command fail:
//! without the cache everything is worked out again.

mod entry;
mod upkeep;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use crate::blob::ObjectFormat;
use crate::digest::Digest;
use crate::limits;

pub use upkeep::{Holdings, KindHoldings};

/// A folder of entries, or none.
#[derive(Clone, Debug, Default)]
pub struct Cache(Option<Arc<Folder>>);

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Bytes that the entries may take up.
    most: u64,
    /// Bytes that they take up, as far as this process knows; [`UNKNOWN`] before it has looked.
    size: AtomicU64,
    /// Why an entry could not be written, the first time.
    trouble: OnceLock<String>,
}

const UNKNOWN: u64 = u64::MAX;

/// What an entry is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The index of a layer, with git ids of this format.
    LayerIndex(ObjectFormat),
    /// A manifest or a configuration, byte for byte.
    Document,
}

impl Kind {
    /// All there are.
    pub const ALL: [Self; 3] =
        [Self::LayerIndex(ObjectFormat::Sha1), Self::LayerIndex(ObjectFormat::Sha256), Self::Document];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LayerIndex(ObjectFormat::Sha1) => "layer-index-sha1",
            Self::LayerIndex(ObjectFormat::Sha256) => "layer-index-sha256",
            Self::Document => "document",
        }
    }

    /// The folder of its entries. The number grows with each change of their form.
    const fn folder(self) -> &'static str {
        match self {
            Self::LayerIndex(ObjectFormat::Sha1) => "layer-index-1-sha1",
            Self::LayerIndex(ObjectFormat::Sha256) => "layer-index-1-sha256",
            Self::Document => "document-1",
        }
    }
}

/// Which entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What it is of.
    pub kind: Kind,
    /// The digest of what it follows from.
    pub digest: Digest,
}

impl Key {
    fn path(&self, folder: &Path) -> PathBuf {
        // A colon is no part of a file name everywhere.
        folder.join(self.kind.folder()).join(self.digest.to_string().replace(':', "-"))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.folder(), self.digest)
    }
}

impl Cache {
    /// No cache: nothing is found, nothing is kept.
    pub fn off() -> Self {
        Self(None)
    }

    /// The cache in the folder `path`, which is made when the first entry is written, for up to `most` bytes.
    pub fn at(path: PathBuf, most: u64) -> Self {
        Self(Some(Arc::new(Folder { path, most, size: AtomicU64::new(UNKNOWN), trouble: OnceLock::new() })))
    }

    /// The folder, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.0.as_deref().map(|folder| folder.path.as_path())
    }

    /// Whether there is such an entry; it may turn out to be damaged.
    pub fn has(&self, key: &Key) -> bool {
        self.folder().is_some_and(|folder| key.path(folder).is_file())
    }

    /// What `take` makes of the blocks of an entry, one after another; `None` where there is no such entry, where it
    /// is not whole, or where `take` makes nothing of it.
    pub fn read<T: Default>(&self, key: &Key, take: impl FnMut(&mut T, &[u8]) -> Option<()>) -> Option<T> {
        let file = File::open(key.path(self.folder()?)).ok()?;
        let read = entry::read(&file, key, take)?;
        // The time of the last use decides what goes first. On a file system that cannot keep it, that of the first.
        let _ = file.set_modified(SystemTime::now());
        Some(read)
    }

    /// Writes an entry of these blocks. What goes wrong is kept for [`Cache::trouble`].
    pub fn write(&self, key: &Key, blocks: impl Iterator<Item = Vec<u8>>) {
        let Some(folder) = &self.0 else { return };
        if let Err(error) = folder.write(key, blocks) {
            let _ = folder.trouble.set(format!("{} cannot be written to: {error}", folder.path.display()));
        }
    }

    /// Why entries could not be written.
    pub fn trouble(&self) -> Option<&str> {
        self.0.as_ref()?.trouble.get().map(String::as_str)
    }
}

impl Folder {
    fn write(&self, key: &Key, blocks: impl Iterator<Item = Vec<u8>>) -> io::Result<()> {
        let path = key.path(&self.path);
        let folder = path.parent().unwrap_or(&self.path);
        if !folder.is_dir() {
            self.make(folder)?;
        }
        let new = tempfile::Builder::new().prefix(upkeep::UNFINISHED).tempfile_in(folder)?;
        let mut writer = BufWriter::new(new);
        entry::write(&mut writer, key, blocks)?;
        let new = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        let size = new.as_file().metadata()?.len();
        new.persist(&path).map_err(|error| error.error)?;
        self.grow(size)
    }

    /// Makes a folder that only its owner may look into: the names of files are nobody else's business.
    fn make(&self, folder: &Path) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt as _;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        match File::create_new(self.path.join("CACHEDIR.TAG")) {
            // Backups leave out folders with this file (bford.info/cachedir).
            Ok(mut tag) => tag.write_all(b"Signature: 8a477f597d28d172789f06886806bc55\n# A cache of shipproof\n"),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Counts a new entry, and makes room when it is one too many.
    fn grow(&self, bytes: u64) -> io::Result<()> {
        let known = self.size.load(Ordering::Relaxed);
        let size = if known == UNKNOWN { upkeep::size(&self.path)? } else { known + bytes };
        let size = match size > self.most {
            // Below the mark, or each entry that follows would make room for itself alone.
            true => upkeep::prune(&self.path, self.most / 100 * limits::CACHE_PRUNED_PERCENT)?.left,
            false => size,
        };
        self.size.store(size, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
