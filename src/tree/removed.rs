//! What layers removed: kept aside by directory and name, so that a path that is not there can be asked about.
//!
//! Only what a whiteout or an entry named is recorded. What was below it is still there in the nodes out of reach.

use std::collections::BTreeMap;

use crate::path::ImagePath;

use super::resolve::Last;
use super::{FileTree, NodeId, NodeKind, ROOT, TreeError};

/// What happened to a file that the file system does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The layer that put it.
    pub put: usize,
    /// The layer that removed it.
    pub removed: usize,
}

/// An entry of a directory that was removed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone {
    id: NodeId,
    layer: usize,
}

/// All of them, by name and in the order of the layers, for one directory.
pub(super) type GoneFrom = BTreeMap<Box<[u8]>, Vec<Gone>>;

impl FileTree {
    /// Notes that `layer` took `name` out of `directory`.
    pub(super) fn note_removal(
        &mut self,
        layer: usize,
        directory: NodeId,
        name: Box<[u8]>,
        id: NodeId,
    ) -> Result<(), TreeError> {
        self.take_up(layer, size_of::<Gone>() + size_of::<Vec<Gone>>() + size_of::<Box<[u8]>>() + name.len())?;
        self.gone.entry(directory).or_default().entry(name).or_default().push(Gone { id, layer });
        Ok(())
    }

    /// The layers that put and removed the file or link at `path`; `None` where there never was one. The path may lead
    /// through symbolic links of today.
    pub fn removed(&self, path: &ImagePath) -> Option<Removed> {
        let (parent, name) = (path.parent()?, path.file_name()?);
        let walked = self.walk(&parent, Last::Follow).ok();
        let real = walked.map(|walked| walked.names().fold(ImagePath::root(), |path, name| path.join(name)).join(name));
        let found = [Some(path), real.as_ref().filter(|real| *real != path)].into_iter().flatten().filter_map(|path| {
            let names: Vec<&[u8]> = path.components().collect();
            self.removed_below(ROOT, &names, None)
        });
        found.max_by_key(|found| found.removed)
    }

    /// The same below a directory that is there, or that a layer removed.
    fn removed_below(&self, directory: NodeId, names: &[&[u8]], by: Option<usize>) -> Option<Removed> {
        let (name, rest) = names.split_first()?;
        let there = self.entries(directory).and_then(|entries| entries.get(*name)).map(|&id| (id, by));
        let gone = self.gone.get(&directory).and_then(|gone| gone.get(*name)).into_iter().flatten();
        let found = there.into_iter().chain(gone.map(|gone| (gone.id, Some(gone.layer)))).filter_map(|(id, by)| {
            if !rest.is_empty() {
                return self.removed_below(id, rest, by);
            }
            let node = self.node(id);
            let is_file = matches!(node.kind, NodeKind::Regular(_) | NodeKind::Symlink(_));
            by.filter(|_| is_file).map(|removed| Removed { put: node.layer, removed })
        });
        found.max_by_key(|found| found.removed)
    }
}
