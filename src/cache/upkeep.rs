//! How much the cache holds, and making it less.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Cache, Kind};

/// What the names of entries begin with that are being written.
pub(super) const UNFINISHED: &str = ".new-";

/// How long an entry may be in the writing before it counts as left behind by a process that was killed.
const ABANDONED: Duration = Duration::from_secs(3600);

/// What a cache holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// By kind, in the order of [`Kind::ALL`].
    pub kinds: Vec<KindHoldings>,
    /// Bytes of all entries that may be used.
    pub bytes: u64,
    /// Bytes of what no process of this version can use.
    pub unusable: u64,
}

/// The entries of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindHoldings {
    /// Which.
    pub kind: Kind,
    /// How many.
    pub entries: usize,
    /// Bytes of them.
    pub bytes: u64,
}

/// What came of pruning.
pub(super) struct Pruned {
    /// Bytes that are left.
    pub(super) left: u64,
    /// Bytes that went.
    pub(super) removed: u64,
}

impl Cache {
    /// What it holds.
    ///
    /// # Errors
    /// What reading its folder fails with.
    pub fn holdings(&self) -> io::Result<Holdings> {
        let Some(folder) = self.folder() else { return Ok(Holdings::default()) };
        let files = all_files(folder)?;
        let of_kind = |&kind: &Kind| {
            let own = folder.join(kind.folder());
            let sizes = files.iter().filter(|file| file.path.parent() == Some(&own) && !is_unfinished(file));
            let sizes: Vec<u64> = sizes.map(|file| file.size).collect();
            KindHoldings { kind, entries: sizes.len(), bytes: sizes.iter().sum() }
        };
        let kinds: Vec<_> = Kind::ALL.iter().map(of_kind).collect();
        let bytes = kinds.iter().map(|kind| kind.bytes).sum();
        Ok(Holdings { kinds, bytes, unusable: sum(&files) - bytes })
    }

    /// Removes the entries used longest ago until at most `most` bytes are left; says how many bytes went.
    ///
    /// # Errors
    /// What reading its folder or removing a file fails with.
    pub fn prune(&self, most: u64) -> io::Result<u64> {
        self.folder().map_or(Ok(0), |folder| Ok(prune(folder, most)?.removed))
    }
}

/// A file of the cache.
struct Held {
    path: PathBuf,
    size: u64,
    used: SystemTime,
}

/// Bytes of all files, of old kinds and unfinished ones too.
pub(super) fn size(folder: &Path) -> io::Result<u64> {
    Ok(sum(&all_files(folder)?))
}

fn sum(files: &[Held]) -> u64 {
    files.iter().map(|file| file.size).sum()
}

/// Removes what was left behind, then the files used longest ago until at most `most` bytes are left.
pub(super) fn prune(folder: &Path, most: u64) -> io::Result<Pruned> {
    let mut files = all_files(folder)?;
    files.sort_by_key(|file| (!is_abandoned(file), file.used));
    let mut pruned = Pruned { left: sum(&files), removed: 0 };
    for file in files {
        if pruned.left <= most && !is_abandoned(&file) {
            break;
        }
        match fs::remove_file(&file.path) {
            // Another process made room at the same time.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
        pruned.left -= file.size;
        pruned.removed += file.size;
    }
    Ok(pruned)
}

fn is_unfinished(file: &Held) -> bool {
    file.path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED))
}

fn is_abandoned(file: &Held) -> bool {
    is_unfinished(file) && file.used.elapsed().is_ok_and(|age| age > ABANDONED)
}

/// The entries of all kinds, whatever version made them. Other files are somebody else's: `--cache-dir` may name any
/// folder.
fn all_files(folder: &Path) -> io::Result<Vec<Held>> {
    let mut files = Vec::new();
    for entry in entries(folder)? {
        if entry.file_type()?.is_dir() && begins(&entry, &["layer-index-", "document-"]) {
            files.extend(files_in(&entry.path())?);
        }
    }
    Ok(files)
}

fn files_in(folder: &Path) -> io::Result<Vec<Held>> {
    let mut files = Vec::new();
    for entry in entries(folder)?.iter().filter(|entry| begins(entry, &["sha256-", "sha512-", UNFINISHED])) {
        match entry.metadata() {
            Ok(metadata) if metadata.is_file() => {
                files.push(Held { path: entry.path(), size: metadata.len(), used: metadata.modified()? });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

fn begins(entry: &fs::DirEntry, beginnings: &[&str]) -> bool {
    let name = entry.file_name();
    beginnings.iter().any(|beginning| name.to_string_lossy().starts_with(beginning))
}

fn entries(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
