//! Git's *clean* conversion: what a checkout's bytes become when git stores them.
//!
//! An image holds the bytes of a checkout, and a checkout may differ from git in line endings, in `$Id$`, in encoding,
//! or by holding a large file where git holds a pointer. Files are brought into git's form and compared there. The
//! conversions are git's own in their order (convert.c, `convert_to_git`), but for drivers: a `filter=…` is a program
//! of the repository's choice, and no program is ever run.
//!
//! `core.autocrlf` of the machine that built the image is not known here, so `input` is assumed: CRLF becomes LF in
//! what looks like text, unless an attribute says otherwise.

use std::borrow::Cow;
use std::fmt;

use gix::bstr::ByteSlice;
use gix::filter::plumbing::{eol, ident};

use super::attributes::{Attributes, LineEndings, Rules};
use super::lfs::{LfsPointer, MAX_POINTER_BYTES};
use super::{Cause, Origin, RepoError, RepoFileKind, Repository, Snapshot, encoding};
use crate::blob::BlobId;
use crate::path::RepoPath;

/// The value of the `filter` attribute that `git lfs track` writes.
const LFS_FILTER: &[u8] = b"lfs";

/// Compares files with those of a snapshot in git's own form.
pub struct Normalizer<'r> {
    repository: &'r Repository,
    snapshot: &'r Snapshot,
    attributes: Attributes<'r>,
    /// What `git add` would look at; only a work tree has one.
    index: Option<gix::worktree::Index>,
}

/// What might explain that a file differs from git, by its attributes and sizes alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// Nothing: other bytes are other contents.
    None,
    /// The git blob may be an LFS pointer: its contents decide, the image's are not needed.
    Lfs,
    /// A conversion without programs: the image's contents decide.
    NeedsContents,
    /// A program of the repository's choice, which is never run: nothing can be said. This is its `filter` name.
    Program(String),
}

/// A conversion that changed a file's bytes, in the order in which git applies them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConversionKind {
    /// The attribute `working-tree-encoding`.
    Encoding,
    /// CRLF to LF.
    LineEndings,
    /// `$Id: …$` to `$Id$`.
    Ident,
}

/// A file in git's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleaned {
    /// The id under which git would store it.
    pub blob: BlobId,
    /// What git would store.
    pub bytes: Vec<u8>,
    /// What changed it, in order; never empty.
    pub by: Vec<ConversionKind>,
}

impl<'r> Normalizer<'r> {
    /// A normalizer that takes the attributes from where `snapshot` was taken: the tree of the revision, or the disk.
    ///
    /// # Errors
    /// When attributes cannot be read; a partial clone may have left them with its remote.
    pub fn new(repository: &'r Repository, snapshot: &'r Snapshot) -> Result<Self, RepoError> {
        let attributes = Attributes::of(repository, snapshot)?;
        let unreadable = |error: gix::Error| {
            let directory = repository.path().to_owned();
            RepoError::Index { directory, source: error.into() }
        };
        let index = match snapshot.origin {
            Origin::Revision => None,
            Origin::WorkTree => Some(repository.git.index_or_empty().map_err(unreadable)?),
        };
        Ok(Self { repository, snapshot, attributes, index })
    }

    /// Whether a conversion could explain that the image's file at `path` is not git's, before anyone fetches contents.
    ///
    /// `git_size` is the size of the file in the snapshot, where it is known.
    ///
    /// # Errors
    /// When attributes cannot be read.
    pub fn plausible(
        &mut self,
        path: &RepoPath,
        image_size: u64,
        git_size: Option<u64>,
    ) -> Result<Conversion, RepoError> {
        if self.snapshot.files.get(path).is_none_or(|file| file.kind == RepoFileKind::Symlink) {
            return Ok(Conversion::None);
        }
        let rules = self.attributes.rules(path)?;
        Ok(match &rules.filter {
            Some(name) if name == LFS_FILTER && git_size.is_none_or(|size| size < MAX_POINTER_BYTES) => Conversion::Lfs,
            // A checkout has the filter's result, and so has the image: there is nothing to undo.
            Some(name) if name != LFS_FILTER && self.snapshot.origin == Origin::WorkTree => Conversion::None,
            Some(name) if name != LFS_FILTER => Conversion::Program(String::from_utf8_lossy(name).into_owned()),
            _ if git_size.is_none_or(|size| self.sizes_allow(&rules, image_size, size)) => Conversion::NeedsContents,
            _ => Conversion::None,
        })
    }

    fn sizes_allow(&self, rules: &Rules, image_size: u64, git_size: u64) -> bool {
        let (stored, checked_out) = match self.snapshot.origin {
            Origin::Revision => (git_size, image_size),
            // Either may be the one that was converted.
            Origin::WorkTree => (git_size.min(image_size), git_size.max(image_size)),
        };
        if rules.encoding.is_some() {
            return checked_out > 0;
        }
        // At most every byte is a line feed, and a carriage return stands before each. `$Id: …$` has no such bound.
        let line_endings = rules.line_endings != LineEndings::Keep && checked_out <= stored.saturating_mul(2);
        checked_out > stored && (line_endings || rules.ident)
    }

    /// The LFS pointer that a git blob holds, if it is one.
    pub fn lfs_pointer(&self, contents: &[u8]) -> Option<LfsPointer> {
        LfsPointer::parse(contents)
    }

    /// Whether `contents` are the snapshot's file at `path` in another form, and by which conversions.
    ///
    /// A file of a work tree is brought into git's form too, so it does not matter on which side the conversion was.
    ///
    /// # Errors
    /// When there is no such file, or when it or what decides on conversions cannot be read.
    pub fn agrees(&mut self, path: &RepoPath, contents: &[u8]) -> Result<Option<Vec<ConversionKind>>, RepoError> {
        let file = self.snapshot.files.get(path).ok_or_else(|| RepoError::NoSuchFile(path.clone()))?;
        let cleaned = self.clean(path, contents)?;
        let mut expected = file.blob;
        let mut by = Vec::new();
        if self.snapshot.origin == Origin::WorkTree {
            let on_disk = self.repository.read(self.snapshot, path, file.size.unwrap_or(u64::MAX))?;
            if let Some(cleaned) = self.clean(path, &on_disk)? {
                (expected, by) = (cleaned.blob, cleaned.by);
            }
        }
        let blob = match cleaned {
            Some(cleaned) => {
                by.extend(cleaned.by);
                cleaned.blob
            }
            None => self.hash(path, contents)?,
        };
        by.sort_unstable();
        by.dedup();
        Ok((blob == expected).then_some(by))
    }

    /// What git would store for `contents` at `path`; `None` when that is `contents` themselves.
    ///
    /// # Errors
    /// When attributes cannot be read, or the result carries a collision attack.
    pub fn clean(&mut self, path: &RepoPath, contents: &[u8]) -> Result<Option<Cleaned>, RepoError> {
        let rules = self.attributes.rules(path)?;
        let mut bytes = Cow::Borrowed(contents);
        let mut by = Vec::new();
        let encoded = rules.encoding.and_then(|label| encoding::to_utf8(&bytes, &label));
        if let Some(utf8) = encoded.filter(|utf8| *utf8 != *bytes) {
            bytes = Cow::Owned(utf8);
            by.push(ConversionKind::Encoding);
        }
        if let Some(line_feeds) = self.line_feeds(path, &bytes, rules.line_endings)? {
            bytes = Cow::Owned(line_feeds);
            by.push(ConversionKind::LineEndings);
        }
        if let Some(plain) = without_ids(path, &bytes, rules.ident)? {
            bytes = Cow::Owned(plain);
            by.push(ConversionKind::Ident);
        }
        if by.is_empty() {
            return Ok(None);
        }
        Ok(Some(Cleaned { blob: self.hash(path, &bytes)?, bytes: bytes.into_owned(), by }))
    }

    fn line_feeds(&self, path: &RepoPath, bytes: &[u8], how: LineEndings) -> Result<Option<Vec<u8>>, RepoError> {
        let options = eol::convert_to_git::Options::default();
        let mut converted = Vec::new();
        let mut stored = |buffer: &mut Vec<u8>| Ok(self.stored(path, buffer));
        let changed = eol::convert_to_git(bytes, how.digest(), &mut converted, &mut stored, options)
            .map_err(|error| failed(path, error))?;
        Ok(changed.then_some(converted))
    }

    /// What git has at `path`, because text with CRLF in git is left alone (git's "safe autocrlf").
    ///
    /// Where it is not to be had, as in a partial clone, text is converted: with CRLF in git that cannot agree.
    fn stored(&self, path: &RepoPath, buffer: &mut Vec<u8>) -> Option<()> {
        let id = match &self.index {
            Some(index) => index.entry_by_path(path.as_bytes().as_bstr())?.id,
            None => self.snapshot.files.get(path)?.blob.object_id(),
        };
        *buffer = self.repository.object(id, gix::objs::Kind::Blob).ok()?.detach().data;
        Some(())
    }

    fn hash(&self, path: &RepoPath, bytes: &[u8]) -> Result<BlobId, RepoError> {
        let collision = |source| RepoError::Collision { path: path.clone(), source };
        BlobId::of(bytes, self.repository.object_format()).map_err(collision)
    }
}

fn without_ids(path: &RepoPath, bytes: &[u8], enabled: bool) -> Result<Option<Vec<u8>>, RepoError> {
    let mut plain = Vec::new();
    let changed = enabled && ident::undo(bytes, &mut plain).map_err(|error| failed(path, error))?;
    Ok((changed && plain != bytes).then_some(plain))
}

fn failed(path: &RepoPath, error: impl Into<Cause>) -> RepoError {
    RepoError::Convert { path: path.clone(), source: error.into() }
}

impl fmt::Display for ConversionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoding => "working-tree-encoding",
            Self::LineEndings => "line endings",
            Self::Ident => "ident",
        })
    }
}

#[cfg(test)]
mod tests;
