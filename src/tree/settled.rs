//! What the upper layers of an image settle, whatever lies below them.
//!
//! A path of the upper layers may mean another place when a directory on its way is a symbolic link in a layer below. It
//! is certain only where each of these directories was put as a directory by an upper layer, before. Whatever an upper
//! layer does in a place that is not certain may have been done anywhere, so that it makes everything uncertain that has
//! one of its names. Real builders list the parents of all entries, so that this takes away next to nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crate::layer::{Change, Entry, EntryKind, LayerIndex};
use crate::limits;
use crate::path::ImagePath;

use super::resolve::prepend;

/// Whether each of `paths` means the same file, or nothing, on any layers below `upper` (lowest first). A path that
/// means a directory is never settled: what is below it may come from anywhere.
pub fn settles(upper: &[Arc<LayerIndex>], paths: &[ImagePath]) -> bool {
    let mut names: BTreeSet<Vec<u8>> =
        paths.iter().flat_map(|path| path.components().map(<[u8]>::to_vec).collect::<Vec<_>>()).collect();
    for _ in 0..limits::SYMLINKS {
        let known = Known::of(upper, &names);
        let mut more = BTreeSet::new();
        // All of them, so that all names are found at once.
        let open = paths.iter().filter(|path| !known.settles(path, &mut more)).count();
        if open == 0 {
            return true;
        }
        let count = names.len();
        names.append(&mut more);
        if names.len() == count {
            return false;
        }
    }
    false
}

/// What is at a place for certain.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sure {
    /// A directory, in which there is nothing of lower layers if it is `whole`.
    Directory { whole: bool },
    /// Something else that is no link.
    File,
    /// A symbolic link with its target.
    Link(Vec<u8>),
    /// Nothing.
    Gone,
}

/// A number for each change, in the order in which they count.
type Moment = u64;

/// What is certain after some layers, of the directories and of everything with one of `names`.
struct Known<'a> {
    names: &'a BTreeSet<Vec<u8>>,
    /// With the moment since when it is so.
    sure: BTreeMap<Vec<u8>, (Sure, Moment)>,
    /// When something with this name was last done in an uncertain place.
    loose: HashMap<Vec<u8>, Moment>,
    /// When any of it was.
    last_loose: Moment,
    /// When an uncertain directory was emptied.
    emptied: Moment,
    now: Moment,
}

/// The directory that a path leads to.
enum Place<'p> {
    /// It is certain.
    Sure,
    /// These names on the way to the path's last one, and that one, are done to something uncertain.
    Loose(Vec<&'p [u8]>),
}

impl<'a> Known<'a> {
    fn of(upper: &[Arc<LayerIndex>], names: &'a BTreeSet<Vec<u8>>) -> Self {
        let mut known = Self { names, sure: BTreeMap::new(), loose: HashMap::new(), last_loose: 0, emptied: 0, now: 1 };
        for layer in upper {
            // As they are applied: removals first.
            layer.changes.iter().for_each(|change| known.remove(change));
            let late: Vec<_> = layer.changes.iter().filter(|change| known.put(change)).collect();
            late.into_iter().for_each(|change| known.put_late(change));
        }
        known
    }

    fn remove(&mut self, change: &Change) {
        self.now += 1;
        match change {
            Change::Put(_) => {}
            Change::Remove(path) => match self.place(path) {
                Place::Sure => self.set(path, Some(Sure::Gone)),
                Place::Loose(_) => self.loosen(path.file_name()),
            },
            Change::Opaque(path) if path.is_root() || self.is_directory(path) => {
                self.clear_below(path);
                self.sure.insert(path.as_bytes().to_vec(), (Sure::Directory { whole: true }, self.now));
            }
            Change::Opaque(_) => self.emptied = self.now,
        }
    }

    fn is_directory(&self, path: &ImagePath) -> bool {
        matches!(self.place(path), Place::Sure) && matches!(self.get(path), Some(Sure::Directory { .. }))
    }

    /// Whether what was put may be put once more when all else is there: a hard link whose target may be missing.
    fn put(&mut self, change: &Change) -> bool {
        self.now += 1;
        let Change::Put(Entry { path, kind, .. }) = change else { return false };
        if path.is_root() {
            return false;
        }
        if let Place::Loose(names) = self.place(path) {
            self.loosen(names);
            return matches!(kind, EntryKind::Hardlink(_));
        }
        let sure = match kind {
            EntryKind::Directory => {
                self.put_directory(path);
                return false;
            }
            EntryKind::Regular(_) | EntryKind::Special => Some(Sure::File),
            EntryKind::Symlink(target) => Some(Sure::Link(target.clone())),
            // Its target may be below.
            EntryKind::Hardlink(target) => {
                let is_file = matches!(self.place(target), Place::Sure) && self.get(target) == Some(&Sure::File);
                is_file.then_some(Sure::File)
            }
        };
        let is_open = sure.is_none();
        self.set(path, sure);
        is_open
    }

    fn put_late(&mut self, change: &Change) {
        self.now += 1;
        let Change::Put(Entry { path, .. }) = change else { return };
        match self.place(path) {
            Place::Sure => self.loosen(path.file_name()),
            Place::Loose(names) => self.loosen(names),
        }
    }

    fn put_directory(&mut self, path: &ImagePath) {
        let whole = match self.get(path) {
            Some(Sure::Directory { whole }) => *whole && self.is_whole(path),
            Some(Sure::File | Sure::Link(_) | Sure::Gone) => true,
            None => false,
        };
        self.sure.insert(path.as_bytes().to_vec(), (Sure::Directory { whole }, self.now));
    }

    /// Something takes the place of `path` and of all that was below it; `None` for what is not certain.
    fn set(&mut self, path: &ImagePath, sure: Option<Sure>) {
        self.clear_below(path);
        let is_named = path.file_name().is_some_and(|name| self.names.contains(name));
        match sure.filter(|_| is_named) {
            Some(sure) => self.sure.insert(path.as_bytes().to_vec(), (sure, self.now)),
            None => self.sure.remove(path.as_bytes()),
        };
        if is_named && !self.sure.contains_key(path.as_bytes()) {
            // Whatever a directory is certain to have or not, this name is open.
            self.loosen(path.file_name());
        }
    }

    fn clear_below(&mut self, path: &ImagePath) {
        let (mut from, mut to) = (path.as_bytes().to_vec(), path.as_bytes().to_vec());
        if path.is_root() {
            return self.sure.clear();
        }
        from.push(b'/');
        to.push(b'/' + 1);
        let below: Vec<_> = self.sure.range(from..to).map(|(path, _)| path.clone()).collect();
        below.iter().for_each(|path| drop(self.sure.remove(path)));
    }

    fn loosen<'n>(&mut self, names: impl IntoIterator<Item = &'n [u8]>) {
        self.last_loose = self.now;
        for name in names {
            self.loose.insert(name.to_vec(), self.now);
        }
    }

    /// Whether the directory of `path` is certain.
    fn place<'p>(&self, path: &'p ImagePath) -> Place<'p> {
        let names: Vec<&[u8]> = path.components().collect();
        let mut here = Vec::new();
        let mut newest = self.emptied;
        for (position, name) in names.iter().enumerate().take(names.len().saturating_sub(1)) {
            newest = newest.max(self.loosened(name));
            step(&mut here, name);
            match self.sure.get(&here) {
                Some((Sure::Directory { .. }, since)) if *since > newest => {}
                // The link stays what it is.
                Some((Sure::Link(_), since)) if *since > newest => return Place::Loose(names[position + 1..].to_vec()),
                _ => return Place::Loose(names[position..].to_vec()),
            }
        }
        Place::Sure
    }

    fn loosened(&self, name: &[u8]) -> Moment {
        self.loose.get(name).copied().unwrap_or_default()
    }

    /// What is at `path`, whose directory is certain. Something put behind a link to nothing makes what the link names, so
    /// that nothing is certain to be gone after it.
    fn get(&self, path: &ImagePath) -> Option<&Sure> {
        let (sure, since) = self.sure.get(path.as_bytes())?;
        let newest = path.components().map(|name| self.loosened(name)).fold(self.emptied, Moment::max);
        let newest = if *sure == Sure::Gone { newest.max(self.last_loose) } else { newest };
        (*since > newest).then_some(sure)
    }

    /// Whether nothing uncertain happened since the directory was known to be whole.
    fn is_whole(&self, path: &ImagePath) -> bool {
        self.sure.get(path.as_bytes()).is_some_and(|(sure, since)| {
            *sure == Sure::Directory { whole: true } && *since > self.last_loose && *since > self.emptied
        })
    }

    /// Follows `path`. Names that may be on its way and were not looked at are added to `more`.
    fn settles(&self, path: &ImagePath, more: &mut BTreeSet<Vec<u8>>) -> bool {
        let mut names: VecDeque<&[u8]> = path.components().collect();
        let mut here = ImagePath::root();
        let mut links = 0;
        while let Some(name) = names.pop_front() {
            if name == b".." {
                here = here.parent().unwrap_or_default();
                continue;
            }
            let there = here.join(name);
            match self.get(&there) {
                Some(Sure::Directory { .. }) => here = there,
                Some(Sure::File | Sure::Gone) => return true,
                Some(Sure::Link(target)) => {
                    links += 1;
                    if links > limits::SYMLINKS {
                        return false;
                    }
                    if target.starts_with(b"/") {
                        here = ImagePath::root();
                    }
                    prepend(&mut names, target);
                    more.extend(names.iter().filter(|name| !self.names.contains(**name)).map(|name| name.to_vec()));
                }
                None => return self.names.contains(name) && self.is_whole(&here),
            }
        }
        false
    }
}

fn step(here: &mut Vec<u8>, name: &[u8]) {
    if !here.is_empty() {
        here.push(b'/');
    }
    here.extend_from_slice(name);
}
