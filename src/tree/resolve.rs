//! Looking up paths: symbolic links are followed inside the image, as a process in its root would.

use std::collections::VecDeque;

use crate::limits;
use crate::path::ImagePath;

use super::{FileTree, NodeId, NodeKind, ROOT, TreeError};

/// What a lookup found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it really is, with no symbolic link on the way.
    pub path: ImagePath,
    /// What is there.
    pub id: NodeId,
}

/// Whether the last name of a path is followed when it is a symbolic link.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Follow,
    Keep,
}

/// Where a walk ended.
#[derive(Default)]
pub(super) struct Walked<'w> {
    /// The names from the root down, with their nodes as far as there are any.
    trail: Vec<(&'w [u8], Option<NodeId>)>,
    /// Whether a `..` led out of something that is no directory, which no process gets through.
    leapt: bool,
    /// The symbolic links followed, in that order.
    links: Vec<Found>,
}

impl<'w> Walked<'w> {
    /// The deepest node reached.
    pub(super) fn id(&self) -> NodeId {
        self.trail.iter().rev().find_map(|(_, id)| *id).unwrap_or(ROOT)
    }

    /// The names after the deepest node reached; empty when the path exists.
    pub(super) fn missing(&self) -> impl Iterator<Item = &'w [u8]> {
        self.trail.iter().filter(|(_, id)| id.is_none()).map(|(name, _)| *name)
    }

    /// All names from the root down.
    pub(super) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.trail.iter().map(|(name, _)| *name)
    }

    /// The path of the deepest node reached.
    pub(super) fn path(&self) -> ImagePath {
        let there = self.trail.iter().filter(|(_, id)| id.is_some());
        let names: Vec<&[u8]> = there.map(|(name, _)| *name).collect();
        ImagePath::clean(&names.join(&b'/'))
    }

    /// The bytes of that path, each name with its slash.
    pub(super) fn path_bytes(&self) -> usize {
        self.trail.iter().filter(|(_, id)| id.is_some()).map(|(name, _)| name.len() + 1).sum()
    }

    /// What the whole path names to a process; `None` when there is nothing.
    fn end(&self) -> Option<Found> {
        if self.leapt { None } else { self.named() }
    }

    /// What the whole path names to a layer: umoci goes by the names alone through what is no directory (`no/../srv`),
    /// for what it puts there and for everything else.
    pub(super) fn named(&self) -> Option<Found> {
        let exists = self.missing().next().is_none();
        exists.then(|| Found { path: self.path(), id: self.id() })
    }

    /// The node at the end of the trail; `None` below something missing.
    fn here(&self) -> Option<NodeId> {
        self.trail.last().map_or(Some(ROOT), |(_, id)| *id)
    }
}

impl FileTree {
    /// What `path` names, its last component followed if it is a symbolic link; `None` when there is nothing.
    ///
    /// # Errors
    /// [`TreeError::Cycle`].
    pub fn lookup(&self, path: &ImagePath) -> Result<Option<Found>, TreeError> {
        self.find(path, Last::Follow)
    }

    /// What `path` itself is, be it a symbolic link; `None` when there is nothing.
    ///
    /// # Errors
    /// [`TreeError::Cycle`], for symbolic links among the parents.
    pub fn entry(&self, path: &ImagePath) -> Result<Option<Found>, TreeError> {
        self.find(path, Last::Keep)
    }

    /// The symbolic links that `path` leads through, its last component included, and what it leads to in the end;
    /// of a path that leads to nothing, only the links.
    ///
    /// # Errors
    /// [`TreeError::Cycle`].
    pub fn trail(&self, path: &ImagePath) -> Result<Vec<Found>, TreeError> {
        let walked = self.walk(path, Last::Follow)?;
        let end = walked.end();
        Ok(walked.links.into_iter().chain(end).collect())
    }

    fn find(&self, path: &ImagePath, last: Last) -> Result<Option<Found>, TreeError> {
        match self.direct(path, last) {
            Some(id) => Ok(id.map(|id| Found { path: path.clone(), id })),
            None => Ok(self.walk(path, last)?.end()),
        }
    }

    /// What is at the end of a path that leads through no symbolic link, as most do; `None` where there is one.
    fn direct(&self, path: &ImagePath, last: Last) -> Option<Option<NodeId>> {
        let mut here = ROOT;
        let mut names = path.components().peekable();
        while let Some(name) = names.next() {
            let Some(&child) = self.entries(here).and_then(|entries| entries.get(name)) else { return Some(None) };
            let is_link = matches!(self.node(child).kind, NodeKind::Symlink(_));
            if is_link && (last == Last::Follow || names.peek().is_some()) {
                return None;
            }
            here = child;
        }
        Some(Some(here))
    }

    /// Goes as far as there are nodes, and on by the names alone.
    pub(super) fn walk<'w>(&'w self, path: &'w ImagePath, last: Last) -> Result<Walked<'w>, TreeError> {
        let mut walked = Walked::default();
        let mut pending: VecDeque<&[u8]> = path.components().collect();
        while let Some(name) = pending.pop_front() {
            let entries = walked.here().and_then(|here| self.entries(here));
            if name == b".." {
                walked.leapt |= entries.is_none();
                walked.trail.pop();
                continue;
            }
            let child = entries.and_then(|entries| entries.get(name)).copied();
            match child.map(|child| (child, &self.node(child).kind)) {
                Some((id, NodeKind::Symlink(target))) if last == Last::Follow || !pending.is_empty() => {
                    walked.links.push(Found { path: walked.path().join(name), id });
                    if walked.links.len() > limits::SYMLINKS {
                        return Err(TreeError::Cycle(path.clone()));
                    }
                    if target.starts_with(b"/") {
                        walked.trail.clear();
                    }
                    prepend(&mut pending, target);
                }
                _ => walked.trail.push((name, child)),
            }
        }
        Ok(walked)
    }
}

/// Puts the names of a link's target before those that are `pending`.
pub(super) fn prepend<'w>(pending: &mut VecDeque<&'w [u8]>, target: &'w [u8]) {
    let names = target.split(|&byte| byte == b'/').filter(|name| !name.is_empty() && *name != b".");
    for name in names.rev() {
        pending.push_front(name);
    }
}
