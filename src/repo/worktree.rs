//! The files of a work tree as they lie on disk, which is what `COPY` takes.
//!
//! One walk over the directories finds tracked and untracked files alike. It never follows a symbolic link and never
//! looks into another repository or, unless something in it is tracked, into an ignored directory.

use std::fs::{DirEntry, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;
use gix::index::entry::Mode;
use gix::worktree::stack::state::ignore;

use super::{Origin, RepoError, RepoFile, RepoFileKind, Repository, Snapshot};
use crate::blob::{BlobHasher, BlobId, ObjectFormat};
use crate::path::RepoPath;

/// Bytes read at a time: large enough that the hash, not the system call, takes the time.
const CHUNK: usize = 64 * 1024;

/// The files of the work tree: tracked ones as they are on disk, and untracked ones that are not ignored.
///
/// Contents are hashed as they are, without conversion. What is deleted is absent.
///
/// # Errors
/// When the repository is bare, when something cannot be read, or when a file changes while it is read.
pub fn of_worktree(repository: &Repository) -> Result<Snapshot, RepoError> {
    let top = repository.work_tree()?;
    let unreadable = |error: gix::Error| RepoError::Index { directory: top.clone(), source: error.into() };
    let index = repository.git.index_or_empty().map_err(unreadable)?;
    let source = ignore::Source::WorktreeThenIdMappingIfNotSkipped;
    let ignored = repository.git.excludes(&index, Some(top_is_never_ignored()), source);
    let ignored = ignored.map_err(|error| rules(&RepoPath::root(), error))?;
    let format = repository.object_format();
    let mut walk = Walk { top: top.clone(), format, index: &index, ignored, snapshot: Snapshot::new(Origin::WorkTree) };
    walk.run()?;
    Ok(walk.finish())
}

/// A rule that no file can have: the top itself is not ignored.
///
/// Without it, a `*` in `info/exclude` or in the user's rules matches the top in gix 0.90, and no `!` of a
/// `.gitignore` brings anything back.
fn top_is_never_ignored() -> gix::ignore::Search {
    use gix::glob::{Pattern, pattern::Mode, search::pattern};
    let pattern = Pattern { text: "".into(), mode: Mode::NEGATIVE | Mode::ABSOLUTE, first_wildcard_pos: None };
    let rule = pattern::Mapping { pattern, value: gix::ignore::Kind::Expendable, sequence_number: 0 };
    let list = pattern::List { patterns: vec![rule], source: None, base: None };
    gix::ignore::Search { patterns: vec![list] }
}

struct Walk<'r> {
    top: PathBuf,
    format: ObjectFormat,
    index: &'r gix::index::State,
    ignored: gix::AttributeStack<'r>,
    snapshot: Snapshot,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), RepoError> {
        let mut pending = vec![RepoPath::root()];
        while let Some(directory) = pending.pop() {
            for entry in list(&self.top, &directory)? {
                let (path, is_directory) = describe(&directory, &entry)?;
                if path.file_name() == Some(b".git") {
                    continue;
                }
                if !is_directory {
                    self.file(path, &entry)?;
                } else if self.is_worth_entering(&path)? {
                    pending.push(path);
                }
            }
        }
        Ok(())
    }

    fn is_worth_entering(&mut self, path: &RepoPath) -> Result<bool, RepoError> {
        if self.is_gitlink(path) {
            return Ok(false);
        }
        if self.index.path_is_directory(path.as_bytes().as_bstr()) {
            return Ok(true);
        }
        if self.is_ignored(path, Mode::DIR)? {
            return Ok(false);
        }
        let is_repository = gix::discover::is_git(&on_disk(&self.top, path)?.join(".git")).is_ok();
        if is_repository {
            self.snapshot.submodules.push(path.clone());
        }
        Ok(!is_repository)
    }

    fn file(&mut self, path: RepoPath, entry: &DirEntry) -> Result<(), RepoError> {
        let tracked = self.index.entry_range(path.as_bytes().as_bstr()).is_some();
        if !tracked && self.is_ignored(&path, Mode::FILE)? {
            return Ok(());
        }
        let file = match self.hashed(&path, entry) {
            Err(RepoError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
            hashed => hashed?,
        };
        if let Some(file) = file {
            if !tracked {
                self.snapshot.untracked.insert(path.clone());
            }
            self.snapshot.files.insert(path, file);
        }
        Ok(())
    }

    /// The file, or `None` for what git cannot hold, such as a socket.
    fn hashed(&self, path: &RepoPath, entry: &DirEntry) -> Result<Option<RepoFile>, RepoError> {
        let metadata = entry.metadata().map_err(|source| read_error(path, source))?;
        let collision = |source| RepoError::Collision { path: path.clone(), source };
        if metadata.is_symlink() {
            let target = link_target(&self.top, path)?;
            let blob = BlobId::of(&target, self.format).map_err(collision)?;
            return Ok(Some(RepoFile { kind: RepoFileKind::Symlink, blob, size: Some(target.len() as u64) }));
        }
        if !metadata.is_file() {
            return Ok(None);
        }
        let mut hasher = BlobHasher::new(metadata.len(), self.format);
        stream(&entry.path(), path, metadata.len(), |bytes| hasher.update(bytes))?;
        let blob = hasher.finish().map_err(collision)?;
        Ok(Some(RepoFile { kind: self.regular_kind(path, &metadata), blob, size: Some(metadata.len()) }))
    }

    /// Whether the path or a directory above it is ignored.
    fn is_ignored(&mut self, path: &RepoPath, mode: Mode) -> Result<bool, RepoError> {
        let rules_there =
            self.ignored.at_entry(path.as_bytes().as_bstr(), Some(mode)).map_err(|error| rules(path, error))?;
        Ok(rules_there.is_excluded())
    }

    fn is_gitlink(&self, path: &RepoPath) -> bool {
        self.index.entry_by_path(path.as_bytes().as_bstr()).is_some_and(|entry| entry.mode == Mode::COMMIT)
    }

    #[cfg(unix)]
    fn regular_kind(&self, _path: &RepoPath, metadata: &Metadata) -> RepoFileKind {
        use std::os::unix::fs::MetadataExt as _;
        // Like git, which asks for the owner's bit alone.
        if metadata.mode() & 0o100 != 0 { RepoFileKind::Executable } else { RepoFileKind::Regular }
    }

    /// Where files have no executable bit, the index knows it.
    #[cfg(not(unix))]
    fn regular_kind(&self, path: &RepoPath, _metadata: &Metadata) -> RepoFileKind {
        let entry = self.index.entry_by_path(path.as_bytes().as_bstr());
        match entry.map(|entry| entry.mode) {
            Some(Mode::FILE_EXECUTABLE) => RepoFileKind::Executable,
            _ => RepoFileKind::Regular,
        }
    }

    fn finish(mut self) -> Snapshot {
        let gitlinks = self.index.entries().iter().filter(|entry| entry.mode == Mode::COMMIT);
        self.snapshot.submodules.extend(gitlinks.map(|entry| RepoPath::clean(entry.path(self.index))));
        self.snapshot.submodules.retain(|path| !self.snapshot.files.contains_key(path));
        self.snapshot.submodules.sort();
        self.snapshot.submodules.dedup();
        self.snapshot
    }
}

/// The contents of a file of the work tree, of at most `limit` bytes.
pub(super) fn contents(top: &Path, path: &RepoPath, limit: u64) -> Result<Vec<u8>, RepoError> {
    let location = on_disk(top, path)?;
    let size = location.symlink_metadata().map_err(|source| read_error(path, source))?.len();
    if size > limit {
        return Err(RepoError::TooLarge { what: format!("`{path}`"), size, limit });
    }
    let mut contents = Vec::new();
    stream(&location, path, size, |bytes| contents.extend_from_slice(bytes))?;
    Ok(contents)
}

/// The target of a symbolic link of the work tree.
pub(super) fn link_target(top: &Path, path: &RepoPath) -> Result<Vec<u8>, RepoError> {
    let target = std::fs::read_link(on_disk(top, path)?).map_err(|source| read_error(path, source))?;
    let target = gix::path::into_bstr(target).map_err(|error| read_error(path, io::Error::other(error)))?;
    Ok(gix::path::to_unix_separators_on_windows(target).into_owned().into())
}

/// Hands out the `size` bytes of a file piece by piece.
fn stream(location: &Path, path: &RepoPath, size: u64, mut take: impl FnMut(&[u8])) -> Result<(), RepoError> {
    let failed = |source| read_error(path, source);
    // One byte more than promised shows that the file has grown.
    let mut file = File::open(location).map_err(failed)?.take(size.saturating_add(1));
    let mut chunk = vec![0; CHUNK.min(usize::try_from(size).unwrap_or(CHUNK).saturating_add(1))];
    let mut seen = 0;
    loop {
        match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => {
                seen += count as u64;
                take(&chunk[..count]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    if seen == size { Ok(()) } else { Err(RepoError::Changed(path.clone())) }
}

fn list(top: &Path, directory: &RepoPath) -> Result<Vec<DirEntry>, RepoError> {
    let failed = |source| read_error(directory, source);
    std::fs::read_dir(on_disk(top, directory)?).and_then(Iterator::collect).map_err(failed)
}

fn describe(directory: &RepoPath, entry: &DirEntry) -> Result<(RepoPath, bool), RepoError> {
    let failed = |source| read_error(directory, source);
    let name = gix::path::os_string_into_bstring(entry.file_name()).map_err(|error| failed(io::Error::other(error)))?;
    Ok((directory.join(&name), entry.file_type().map_err(failed)?.is_dir()))
}

fn on_disk(top: &Path, path: &RepoPath) -> Result<PathBuf, RepoError> {
    let relative = gix::path::from_bstr(path.as_bytes().as_bstr());
    Ok(top.join(relative.map_err(|error| read_error(path, io::Error::other(error)))?))
}

fn read_error(path: &RepoPath, source: io::Error) -> RepoError {
    RepoError::Read { path: path.clone(), source }
}

fn rules(path: &RepoPath, error: gix::Error) -> RepoError {
    RepoError::Attributes { path: path.clone(), source: error.into() }
}

#[cfg(test)]
mod tests;
