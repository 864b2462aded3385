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

/// How far a walk came.
pub(super) struct Walked {
    /// The nodes from the root to the deepest one reached, with their names.
    trail: Vec<(Vec<u8>, NodeId)>,
    /// The names that were left when one was missing; empty when the path exists.
    pub(super) missing: Vec<Vec<u8>>,
}

impl Walked {
    /// The deepest node reached.
    pub(super) fn id(&self) -> NodeId {
        self.trail.last().map_or(ROOT, |(_, id)| *id)
    }

    fn path(&self) -> ImagePath {
        self.trail.iter().fold(ImagePath::root(), |path, (name, _)| path.join(name))
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

    fn find(&self, path: &ImagePath, last: Last) -> Result<Option<Found>, TreeError> {
        let walked = self.walk(path, last)?;
        Ok(walked.missing.is_empty().then(|| Found { path: walked.path(), id: walked.id() }))
    }

    pub(super) fn walk(&self, path: &ImagePath, last: Last) -> Result<Walked, TreeError> {
        let mut trail: Vec<(Vec<u8>, NodeId)> = Vec::new();
        let mut pending: VecDeque<Vec<u8>> = path.components().map(<[u8]>::to_vec).collect();
        let mut links = 0;
        while let Some(name) = pending.pop_front() {
            if name == b".." {
                trail.pop();
                continue;
            }
            let here = trail.last().map_or(ROOT, |(_, id)| *id);
            let Some(&child) = self.entries(here).and_then(|entries| entries.get(&name[..])) else {
                pending.push_front(name);
                return Ok(Walked { trail, missing: pending.into() });
            };
            match &self.node(child).kind {
                NodeKind::Symlink(target) if last == Last::Follow || !pending.is_empty() => {
                    links += 1;
                    if links > limits::SYMLINKS {
                        return Err(TreeError::Cycle(path.clone()));
                    }
                    if target.starts_with(b"/") {
                        trail.clear();
                    }
                    prepend(&mut pending, target);
                }
                _ => trail.push((name, child)),
            }
        }
        Ok(Walked { trail, missing: Vec::new() })
    }
}

fn prepend(pending: &mut VecDeque<Vec<u8>>, target: &[u8]) {
    let names = target.split(|&byte| byte == b'/').filter(|name| !name.is_empty() && *name != b".");
    for name in names.rev() {
        pending.push_front(name.to_vec());
    }
}
