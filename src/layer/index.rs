//! The index of a layer: everything it does to a file system, from one streaming pass.

use std::io::{BufRead, BufReader, Read};

use sha2::{Digest as _, Sha256};

use crate::blob::{BlobHasher, BlobId, ObjectFormat};
use crate::compression::decompress;
use crate::limits;
use crate::path::ImagePath;

use super::ahead::BUFFER_BYTES;
use super::budget::Budget;
use super::tar::{self, HeaderKind, Walk};
use super::whiteout::{self, Whiteout};
use super::{Kept, LayerFault};

/// What one layer does to the file system below it. Removals act on lower layers only, wherever in the tar they
/// stand (image-spec layer.md, "Whiteouts"), so whoever applies an index takes them first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerIndex {
    /// The changes, in the tar's order.
    pub changes: Vec<Change>,
    /// Bytes of the files, uncompressed.
    pub file_bytes: u64,
}

/// One change that a layer makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The entry is there afterwards.
    Put(Entry),
    /// The path is gone from lower layers, with everything below it.
    Remove(ImagePath),
    /// What lower layers have in the directory is gone.
    Opaque(ImagePath),
}

/// Something a layer puts into the file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where, as the tar names it, cleaned; symbolic links among its parents are not followed yet.
    pub path: ImagePath,
    /// Permission bits (`0o7777`).
    pub mode: u32,
    /// What.
    pub kind: EntryKind,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    Regular(FileContent),
    /// A directory.
    Directory,
    /// A symbolic link with its target, as written.
    Symlink(Vec<u8>),
    /// Another name for a path of the same layer.
    Hardlink(ImagePath),
    /// A device or a fifo.
    Special,
}

/// The contents of a regular file, by their hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileContent {
    /// Bytes.
    pub size: u64,
    /// The id git would store them under.
    pub blob: BlobId,
    /// Their SHA-256.
    pub sha256: [u8; 32],
    /// When they were changed by the layer's word, in seconds since 1970. Nothing is compared by it.
    pub mtime: i64,
    /// Which entry of the layer's tar holds them; [`UNPLACED`](Self::UNPLACED) where the layer's table of contents
    /// knows more.
    pub position: u32,
}

impl FileContent {
    /// The position of contents that a table of contents tells of.
    pub const UNPLACED: u32 = u32::MAX;

    /// The SHA-256 in hexadecimal.
    pub fn sha256_hex(&self) -> String {
        self.sha256.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl LayerIndex {
    /// The index of the layer whose stored bytes are `stored`, compressed or not. Whether these are the bytes that a
    /// manifest names is for the caller to know; [`index_all`](super::index_all) proves it.
    ///
    /// # Errors
    /// See [`LayerFault`].
    pub fn read(stored: impl Read + Send, format: ObjectFormat) -> Result<Self, LayerFault> {
        let plain = BufReader::with_capacity(BUFFER_BYTES, decompress(stored).map_err(LayerFault::Tar)?);
        index(plain, format, &Budget::new(limits::INDEX_BYTES), &mut Keep::nothing())
    }

    /// Adds a change, if there is one and `budget` has room for it.
    pub(super) fn extend(&mut self, change: Option<Change>, budget: &Budget) -> Result<(), LayerFault> {
        let Some(change) = change else { return Ok(()) };
        budget.take(&change)?;
        if let Change::Put(Entry { kind: EntryKind::Regular(content), .. }) = &change {
            self.file_bytes += content.size;
        }
        self.changes.push(change);
        Ok(())
    }

    /// The contents of all regular files.
    pub fn contents(&self) -> impl Iterator<Item = &FileContent> {
        self.changes.iter().filter_map(|change| match change {
            Change::Put(Entry { kind: EntryKind::Regular(content), .. }) => Some(content),
            _ => None,
        })
    }

    /// The same, to be changed.
    pub(super) fn contents_mut(&mut self) -> impl Iterator<Item = &mut FileContent> {
        self.changes.iter_mut().filter_map(|change| match change {
            Change::Put(Entry { kind: EntryKind::Regular(content), .. }) => Some(content),
            _ => None,
        })
    }
}

/// Which contents are kept while they are read, and where.
pub(super) struct Keep<'a> {
    /// Those of files with one of these names.
    pub(super) named: &'a [&'a [u8]],
    /// What was kept. Nothing of it may be shown before the layer is proven.
    pub(super) kept: Kept,
}

impl Keep<'_> {
    /// No contents.
    pub(super) fn nothing() -> Self {
        Self { named: &[], kept: Kept::default() }
    }

    fn wants(&self, path: &ImagePath) -> bool {
        path.file_name().is_some_and(|name| self.named.contains(&name))
    }
}

/// Reads the tar `plain` into an index.
pub(super) fn index(
    mut plain: impl BufRead,
    format: ObjectFormat,
    budget: &Budget,
    keep: &mut Keep<'_>,
) -> Result<LayerIndex, LayerFault> {
    let mut index = LayerIndex::default();
    tar::walk(&mut plain, |position, header, contents| {
        let change = change(header, |path, size, mtime| {
            let (blob, sha256) = hash(path, contents, size, format, keep)?;
            Ok(FileContent { size, blob, sha256, mtime, position })
        })?;
        index.extend(change, budget)?;
        Ok(Walk::GoOn)
    })?;
    // What follows the end of the archive is not looked at, but its compression must hold to the end.
    std::io::copy(&mut plain, &mut std::io::sink()).map_err(LayerFault::Tar)?;
    index.changes.shrink_to_fit();
    Ok(index)
}

/// The change that an entry makes, whose contents `content` knows by its path, size and time; `None` where it is none of
/// the file system's.
pub(super) fn change(
    header: tar::Header,
    content: impl FnOnce(&ImagePath, u64, i64) -> Result<FileContent, LayerFault>,
) -> Result<Option<Change>, LayerFault> {
    Ok(Some(match whiteout::classify(&header.path) {
        Whiteout::Removes(path) => Change::Remove(path),
        Whiteout::Empties(directory) => Change::Opaque(directory),
        Whiteout::Metadata => return Ok(None),
        Whiteout::Invalid => return Err(LayerFault::Whiteout(header.path)),
        Whiteout::No => {
            let kind = match header.kind {
                HeaderKind::Regular { size } => EntryKind::Regular(content(&header.path, size, header.mtime)?),
                HeaderKind::Directory => EntryKind::Directory,
                HeaderKind::Symlink(target) => EntryKind::Symlink(target),
                HeaderKind::Hardlink(target) => EntryKind::Hardlink(target),
                HeaderKind::Special => EntryKind::Special,
            };
            Change::Put(Entry { path: header.path, mode: header.mode, kind })
        }
    }))
}

fn hash(
    path: &ImagePath,
    contents: &mut dyn BufRead,
    size: u64,
    format: ObjectFormat,
    keep: &mut Keep<'_>,
) -> Result<(BlobId, [u8; 32]), LayerFault> {
    let (mut blob, mut sha256) = (BlobHasher::new(size, format), Sha256::new());
    let (is_kept, start) = (keep.wants(path), keep.kept.end());
    loop {
        let bytes = contents.fill_buf();
        let bytes = bytes.map_err(|source| LayerFault::Contents { path: path.clone(), source })?;
        if bytes.is_empty() {
            break;
        }
        blob.update(bytes);
        sha256.update(bytes);
        if is_kept {
            keep.kept.append(bytes).map_err(LayerFault::Write)?;
        }
        let count = bytes.len();
        contents.consume(count);
    }
    let blob = blob.finish().map_err(|_| LayerFault::Collision(path.clone()))?;
    let sha256 = sha256.finalize().into();
    if is_kept {
        keep.kept.name(sha256, start);
    }
    Ok((blob, sha256))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar_of(entries: &[(&str, tar_crate::EntryType, &str)]) -> Vec<u8> {
        let mut builder = tar_crate::Builder::new(Vec::new());
        for (name, kind, text) in entries {
            let mut header = tar_crate::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o100_644);
            if matches!(kind, tar_crate::EntryType::Regular) {
                header.set_size(text.len() as u64);
                builder.append_data(&mut header, name, text.as_bytes()).unwrap();
            } else {
                header.set_size(0);
                builder.append_link(&mut header, name, text).unwrap();
            }
        }
        builder.into_inner().unwrap()
    }

    use ::tar as tar_crate;

    #[test]
    fn one_pass_knows_everything() {
        let long = format!("{}/x", "d".repeat(180));
        let stored = tar_of(&[
            ("./app/hello", tar_crate::EntryType::Regular, "hello\n"),
            (&long, tar_crate::EntryType::Regular, ""),
            ("app/.wh.gone", tar_crate::EntryType::Regular, ""),
            ("app/link", tar_crate::EntryType::Symlink, "../x"),
            ("app/hard", tar_crate::EntryType::Link, "./app/hello"),
        ]);
        let index = LayerIndex::read(&stored[..], ObjectFormat::Sha1).unwrap();
        let path = |text: &str| ImagePath::clean(text.as_bytes());
        let Change::Put(hello) = &index.changes[0] else { panic!() };
        let EntryKind::Regular(content) = &hello.kind else { panic!() };
        assert_eq!((hello.path.clone(), hello.mode), (path("app/hello"), 0o644));
        assert_eq!((content.size, content.blob.to_string().as_str()), (6, "ce013625030ba8dba906f756967f9e9ca394464a"));
        assert!(matches!(&index.changes[1], Change::Put(entry) if entry.path == path(&long)));
        assert_eq!(index.changes[2], Change::Remove(path("app/gone")));
        assert!(matches!(&index.changes[3], Change::Put(entry) if entry.kind == EntryKind::Symlink(b"../x".to_vec())));
        assert!(
            matches!(&index.changes[4], Change::Put(entry) if entry.kind == EntryKind::Hardlink(path("app/hello")))
        );
        assert_eq!(index.file_bytes, 6);
    }

    #[test]
    fn damage_is_an_error_with_a_name() {
        let whole = tar_of(&[("a", tar_crate::EntryType::Regular, &"x".repeat(2000))]);
        let read = |stored: &[u8]| LayerIndex::read(stored, ObjectFormat::Sha1).map_err(|error| error.to_string());
        assert_eq!(read(&whole[..1024]), Err("/a cannot be read: it is cut short".to_owned()));
        assert_eq!(read(&[b'n'; 2048]), Err("its tar cannot be read: a header's checksum is wrong".to_owned()));
        let bare = tar_of(&[("d/.wh.", tar_crate::EntryType::Regular, "")]);
        assert!(read(&bare).is_err_and(|error| error.contains("names no file")));
    }
}
