//! Applying a layer: its removals first, then what it puts, in the tar's order.
//!
//! OCI image specification, layer.md: whiteouts "MUST only apply to resources in lower/parent layers"; an existing
//! path is replaced unless both are directories, which keep their entries and take the new attributes.

use std::collections::BTreeMap;

use crate::layer::{Change, Entry, EntryKind, LayerIndex};
use crate::path::ImagePath;

use super::resolve::Last;
use super::{FileTree, Node, NodeId, NodeKind, ROOT, Stored, TreeError};

/// Permission bits of every symbolic link (`man 7 symlink`), whatever a tar says.
const SYMLINK_MODE: u32 = 0o777;

/// Permission bits of a directory that a tar implies and does not list, as runtimes create it.
const IMPLIED_DIRECTORY_MODE: u32 = 0o755;

/// Bytes that a directory takes up for its first entry (a leaf of a `BTreeMap` has room for eleven).
const DIRECTORY_BYTES: usize = 288;

/// The bit of a directory that directories made in it take over, unless their mode is set (`man 2 mkdir`).
const SET_GROUP_ID: u32 = 0o2000;

/// A directory that was put something into.
struct Recent<'e> {
    /// By which path.
    parent: &'e [u8],
    directory: NodeId,
    /// Bytes of its real path.
    length: usize,
}

impl FileTree {
    /// Applies the layer at position `layer`.
    ///
    /// # Errors
    /// See [`TreeError`]: symbolic links in a circle, hard links to nothing.
    pub fn apply(&mut self, layer: usize, index: &LayerIndex) -> Result<(), TreeError> {
        for change in &index.changes {
            match change {
                Change::Remove(path) => self.remove(layer, path)?,
                Change::Opaque(directory) => self.empty(layer, directory)?,
                Change::Put(_) => {}
            }
        }
        // Some builders write a hard link before its target; it gets a second chance when all else is there.
        let mut early = Vec::new();
        let mut recent = None;
        for change in &index.changes {
            if let Change::Put(entry) = change
                && !self.put(layer, entry, &mut recent)?
            {
                early.push(entry);
            }
        }
        for entry in early {
            if !self.put(layer, entry, &mut None)? {
                return Err(dangling(layer, entry));
            }
        }
        Ok(())
    }

    fn remove(&mut self, layer: usize, path: &ImagePath) -> Result<(), TreeError> {
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
        if let Some(found) = self.walk(&directory, Last::Follow)?.named()
            && let NodeKind::Directory(entries) = &mut self.nodes[found.id.0].kind
            && let Some((name, id)) = entries.remove_entry(name)
        {
            self.note_removal(layer, found.id, name, id)?;
        }
        Ok(())
    }

    fn empty(&mut self, layer: usize, directory: &ImagePath) -> Result<(), TreeError> {
        if let Some(found) = self.walk(directory, Last::Follow)?.named()
            && let NodeKind::Directory(entries) = &mut self.nodes[found.id.0].kind
        {
            for (name, id) in std::mem::take(entries) {
                self.note_removal(layer, found.id, name, id)?;
            }
        }
        Ok(())
    }

    /// Puts one entry; `false` for a hard link whose target is not there (yet). `recent` is the directory of the entry
    /// before, which is mostly the one of this entry, too.
    fn put<'e>(&mut self, layer: usize, entry: &'e Entry, recent: &mut Option<Recent<'e>>) -> Result<bool, TreeError> {
        let Some((parent, name)) = entry.path.split_last() else {
            // The root's own entry carries attributes only.
            if entry.kind != EntryKind::Directory {
                return Err(TreeError::Root { layer });
            }
            self.nodes[ROOT.0].mode = entry.mode;
            return Ok(true);
        };
        let Some(node) = self.node_of(layer, entry)? else { return Ok(false) };
        let Recent { directory, length, .. } = match recent.take().filter(|recent| recent.parent == parent) {
            Some(recent) => recent,
            None => self.directory(layer, parent)?,
        };
        let existing = self.entries(directory).and_then(|entries| entries.get(name)).copied();
        match existing.filter(|existing| self.entries(*existing).is_some()) {
            Some(existing) if matches!(node.kind, NodeKind::Directory(_)) => {
                let kept = &mut self.nodes[existing.0];
                (kept.mode, kept.layer) = (node.mode, layer);
            }
            replaced => {
                if let Some(replaced) = replaced {
                    // What is no directory takes the place of one with all that is in it.
                    self.note_removal(layer, directory, name.into(), replaced)?;
                }
                self.insert(directory, name, length + 1 + name.len(), node)?;
            }
        }
        // What takes the place of something else may have been on the way to the directory.
        *recent = existing.is_none().then_some(Recent { parent, directory, length });
        Ok(true)
    }

    fn node_of(&self, layer: usize, entry: &Entry) -> Result<Option<Node>, TreeError> {
        let kind = match &entry.kind {
            EntryKind::Directory => NodeKind::Directory(BTreeMap::new()),
            EntryKind::Regular(content) => NodeKind::Regular(Stored { layer, content: *content }),
            EntryKind::Symlink(target) => {
                let kind = NodeKind::Symlink(target.clone().into_boxed_slice());
                return Ok(Some(Node { kind, mode: SYMLINK_MODE, layer }));
            }
            EntryKind::Special => NodeKind::Special,
            EntryKind::Hardlink(target) => {
                let Some(found) = self.walk(target, Last::Keep)?.named() else { return Ok(None) };
                let linked = self.node(found.id);
                // A link shares the attributes of what it links to.
                return match &linked.kind {
                    NodeKind::Directory(_) => Ok(None),
                    kind => Ok(Some(Node { kind: kind.clone(), mode: linked.mode, layer })),
                };
            }
        };
        Ok(Some(Node { kind, mode: entry.mode, layer }))
    }

    /// The directory `parent`, a clean path. It is created where it is missing, as every runtime does
    /// for entries without parents.
    fn directory<'e>(&mut self, layer: usize, parent: &'e [u8]) -> Result<Recent<'e>, TreeError> {
        let path = &ImagePath::clean(parent);
        let walked = self.walk(path, Last::Follow)?;
        let (mut here, mut length) = (walked.id(), walked.path_bytes());
        let missing: Vec<Box<[u8]>> = walked.missing().map(Box::from).collect();
        if self.entries(here).is_none() {
            // A file stands where a directory must be; it gives way where it is the one named, not behind a link.
            let there = walked.path();
            if !path.starts_with(&there) {
                return Err(TreeError::NotADirectory { path: path.clone(), there, layer });
            }
            let parent = there.parent().unwrap_or_default();
            let parent = self.entry(&parent)?.map_or(ROOT, |found| found.id);
            self.nodes[here.0] = self.implied_directory(layer, parent);
        }
        for name in &missing {
            length += 1 + name.len();
            here = self.insert(here, name, length, self.implied_directory(layer, here))?;
        }
        Ok(Recent { parent, directory: here, length })
    }

    fn implied_directory(&self, layer: usize, parent: NodeId) -> Node {
        let mode = IMPLIED_DIRECTORY_MODE | self.node(parent).mode & SET_GROUP_ID;
        Node { kind: NodeKind::Directory(BTreeMap::new()), mode, layer }
    }

    /// Puts a node whose path has `length` bytes.
    fn insert(&mut self, directory: NodeId, name: &[u8], length: usize, node: Node) -> Result<NodeId, TreeError> {
        let entries = if matches!(node.kind, NodeKind::Directory(_)) { DIRECTORY_BYTES } else { 0 };
        self.take_up(node.layer, size_of::<Node>() + length + entries)?;
        let id = NodeId(self.nodes.len());
        self.nodes.push(node);
        if let NodeKind::Directory(entries) = &mut self.nodes[directory.0].kind {
            entries.insert(name.into(), id);
        }
        Ok(id)
    }

    /// Counts what `layer` adds to the memory taken up.
    pub(super) fn take_up(&mut self, layer: usize, bytes: usize) -> Result<(), TreeError> {
        self.bytes += bytes;
        if self.bytes > self.most { Err(TreeError::TooLarge { layer, most: self.most }) } else { Ok(()) }
    }
}

fn dangling(layer: usize, entry: &Entry) -> TreeError {
    let target = match &entry.kind {
        EntryKind::Hardlink(target) => target.clone(),
        _ => ImagePath::root(),
    };
    TreeError::DanglingHardlink { link: entry.path.clone(), target, layer }
}
