//! The directory that is written to. No link in it is ever followed, and no name of an image leads out of it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, Permissions, PermissionsExt as _};

use crate::path::ImagePath;

use super::staging::Staging;
use super::{Existing, ExtractError, Item, ItemKind};

/// The directory, opened.
pub(super) struct Place {
    directory: PathBuf,
    /// The handle through which all is done.
    pub(super) top: Dir,
    /// Whether it was made for this, so that it can go again if nothing comes to lie in it.
    made: bool,
}

impl Place {
    pub(super) fn open(directory: &Path) -> Result<Self, ExtractError> {
        let failed = |source| ExtractError::Directory { directory: directory.to_owned(), source };
        let made = !directory.exists();
        std::fs::create_dir_all(directory).map_err(failed)?;
        let top = Dir::open_ambient_dir(directory, ambient_authority()).map_err(failed)?;
        Ok(Self { directory: directory.to_owned(), top, made })
    }

    pub(super) fn unusable(&self, source: io::Error) -> ExtractError {
        ExtractError::Directory { directory: self.directory.clone(), source }
    }

    /// Finds everything that is in the way.
    pub(super) fn check(&self, items: &[Item], existing: Existing) -> Result<(), ExtractError> {
        let mut there = Vec::new();
        let mut missing = BTreeSet::new();
        for item in items {
            if item.path.parent().is_some_and(|parent| missing.contains(&parent)) {
                missing.insert(item.path.clone());
                continue;
            }
            match self.stand(&item.path).map_err(|source| self.failed(&item.path, source))? {
                Stand::Free => {
                    missing.insert(item.path.clone());
                }
                Stand::Taken(kind) => {
                    if self.replaceable(item, kind)? {
                        there.push(&item.path);
                    }
                }
                Stand::Under { obstacle, kind } => return Err(self.blocked(&item.path, obstacle, kind)),
            }
        }
        match there.first() {
            Some(first) if existing == Existing::Keep => Err(ExtractError::Exists {
                directory: self.directory.clone(),
                first: (*first).clone(),
                count: there.len(),
            }),
            _ => Ok(()),
        }
    }

    /// Whether what stands where `item` goes counts as existing; a directory where one goes does not.
    fn replaceable(&self, item: &Item, kind: FileType) -> Result<bool, ExtractError> {
        match (&item.kind, kind.is_dir()) {
            (ItemKind::Directory, true) => Ok(false),
            (ItemKind::Directory, false) | (_, true) => Err(self.blocked(&item.path, item.path.clone(), kind)),
            _ => Ok(true),
        }
    }

    fn stand(&self, path: &ImagePath) -> io::Result<Stand> {
        let mut here = self.top.try_clone()?;
        let mut walked = ImagePath::root();
        for name in path.components() {
            walked = walked.join(name);
            let kind = match here.symlink_metadata(os(name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stand::Free),
                other => other?.file_type(),
            };
            if walked == *path {
                return Ok(Stand::Taken(kind));
            }
            if !kind.is_dir() {
                return Ok(Stand::Under { obstacle: walked, kind });
            }
            here = here.open_dir(os(name))?;
        }
        Ok(Stand::Free)
    }

    /// Puts everything where it belongs.
    pub(super) fn write(&self, items: &[Item], existing: Existing, staging: &Staging<'_>) -> Result<(), ExtractError> {
        let mut made = Vec::new();
        for (position, item) in items.iter().enumerate() {
            let written =
                self.put(position, item, existing, staging).map_err(|source| self.failed(&item.path, source))?;
            if written == Written::Directory {
                made.push(item);
            }
        }
        // Last and from the bottom up, because a directory's mode may forbid to write in it.
        for item in made.iter().rev() {
            self.set_mode(item).map_err(|source| self.failed(&item.path, source))?;
        }
        Ok(())
    }

    fn put(&self, position: usize, item: &Item, existing: Existing, staging: &Staging<'_>) -> io::Result<Written> {
        let (Some(parent), Some(name)) = (item.path.parent(), item.path.file_name()) else { return Ok(Written::Other) };
        let (parent, name) = (self.directory(&parent)?, os(name));
        let staged = position.to_string();
        match &item.kind {
            ItemKind::Directory => {
                return match parent.create_dir(name) {
                    Ok(()) => Ok(Written::Directory),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Written::Other),
                    Err(error) => Err(error),
                };
            }
            ItemKind::Symlink(target) if existing == Existing::Keep => parent.symlink(os(target), name)?,
            ItemKind::Symlink(target) => {
                staging.folder.symlink(os(target), &staged)?;
                staging.folder.rename(&staged, &parent, name)?;
            }
            ItemKind::File(_) => {
                staging.folder.set_permissions(&staged, Permissions::from_mode(item.mode))?;
                appear(&staging.folder, &staged, &parent, name, existing)?;
            }
        }
        Ok(Written::Other)
    }

    /// The directory at `path`, made where it is missing; a link in its place is not followed.
    fn directory(&self, path: &ImagePath) -> io::Result<Dir> {
        let mut here = self.top.try_clone()?;
        for name in path.components().map(os) {
            match here.create_dir(name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                other => other?,
            }
            if !here.symlink_metadata(name)?.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            here = here.open_dir(name)?;
        }
        Ok(here)
    }

    fn set_mode(&self, item: &Item) -> io::Result<()> {
        let (Some(parent), Some(name)) = (item.path.parent(), item.path.file_name()) else { return Ok(()) };
        self.directory(&parent)?.set_permissions(os(name), Permissions::from_mode(item.mode))
    }

    fn failed(&self, path: &ImagePath, source: io::Error) -> ExtractError {
        ExtractError::Write { directory: self.directory.clone(), path: path.clone(), source }
    }

    fn blocked(&self, path: &ImagePath, obstacle: ImagePath, kind: FileType) -> ExtractError {
        let what = match kind {
            kind if kind.is_symlink() => "a symbolic link",
            kind if kind.is_dir() => "a directory",
            _ => "no directory",
        };
        ExtractError::Blocked { directory: self.directory.clone(), path: path.clone(), obstacle, what }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.made {
            // Fails when something was written, as it should.
            let _ = std::fs::remove_dir(&self.directory);
        }
    }
}

/// How things stand where something is to be written.
enum Stand {
    /// Nothing is there.
    Free,
    /// Something is.
    Taken(FileType),
    /// One of its parents is no directory.
    Under { obstacle: ImagePath, kind: FileType },
}

/// What was written.
#[derive(PartialEq, Eq)]
enum Written {
    /// A directory that was not there before.
    Directory,
    /// Anything else.
    Other,
}

/// Moves a complete file to its name. A link is what fails where the name is taken, so that nothing is overwritten
/// that came after the check; file systems without hard links have to do with looking once more.
fn appear(folder: &Dir, staged: &str, parent: &Dir, name: &OsStr, existing: Existing) -> io::Result<()> {
    if existing == Existing::Keep {
        match folder.hard_link(staged, parent, name) {
            Ok(()) => return folder.remove_file(staged),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) if parent.symlink_metadata(name).is_ok() => return Err(io::ErrorKind::AlreadyExists.into()),
            Err(_) => {}
        }
    }
    folder.rename(staged, parent, name)
}

fn os(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}
