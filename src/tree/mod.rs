//! The merged file system of an image: layers applied one on the other, and lookups inside the result.
//!
//! Nothing is ever written to a disk: the file system is a table of nodes, names are bytes, and a symbolic link
//! leads nowhere but inside the image. Each node knows which layer set it.

mod apply;
mod fsck;
mod removed;
mod resolve;
mod settled;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::image::Image;
use crate::layer::{FileContent, LayerIndex, Wanted};
use crate::limits;
use crate::path::ImagePath;
use crate::source::Source;

pub use fsck::Inconsistency;
use removed::GoneFrom;
pub use removed::Removed;
pub use resolve::Found;
pub use settled::settles;

/// A file system.
#[derive(Clone, Debug)]
pub struct FileTree {
    /// Node 0 is the root. Nodes that a layer removed stay in the table, out of reach.
    nodes: Vec<Node>,
    /// What layers removed, by directory.
    gone: BTreeMap<NodeId, GoneFrom>,
    /// What the nodes and their names take up, those out of reach counted, too.
    bytes: usize,
    /// What they may take up.
    most: usize,
}

/// The number of a node in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(usize);

const ROOT: NodeId = NodeId(0);

/// Some of the nodes, by where they are; the root is not among them.
pub type Entries = BTreeMap<ImagePath, NodeId>;

/// A file, a directory, or something else with a name.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Permission bits (`0o7777`).
    pub mode: u32,
    /// The layer that set it, base layer 0.
    pub layer: usize,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// A directory with its entries.
    Directory(BTreeMap<Box<[u8]>, NodeId>),
    /// A regular file.
    Regular(Stored),
    /// A symbolic link with its target, as written.
    Symlink(Box<[u8]>),
    /// A device or a fifo.
    Special,
}

/// Where a file's contents lie. For a hard link that is not where its name was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The layer whose tar holds the contents.
    pub layer: usize,
    /// The contents.
    pub content: FileContent,
}

impl Stored {
    /// The contents as something to be read from `source`.
    ///
    /// # Panics
    /// When this does not come from the tree of `image`.
    pub fn wanted<'a>(&self, source: &'a dyn Source, image: &'a Image) -> Wanted<'a> {
        let layer = image.layers.get(self.layer).expect("a tree is merged from the layers of its image");
        Wanted { source, layer: &layer.descriptor, content: self.content }
    }
}

impl Node {
    /// Where the contents lie, if this is a regular file.
    pub fn stored(&self) -> Option<&Stored> {
        match &self.kind {
            NodeKind::Regular(stored) => Some(stored),
            _ => None,
        }
    }

    /// The target as written, if this is a symbolic link.
    pub fn link(&self) -> Option<&[u8]> {
        match &self.kind {
            NodeKind::Symlink(target) => Some(target),
            _ => None,
        }
    }
}

/// What a lookup or a layer ran into.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TreeError {
    /// Symbolic links that lead in a circle, or through too many steps.
    #[error("{0} leads through too many symbolic links (a cycle?)")]
    Cycle(ImagePath),
    /// A hard link to something that no layer up to its own has.
    #[error("{link} in layer {layer} is a hard link to {target}, which does not exist")]
    DanglingHardlink {
        /// The link.
        link: ImagePath,
        /// Its target.
        target: ImagePath,
        /// The layer's position.
        layer: usize,
    },
    /// An entry below a symbolic link that leads to a file.
    #[error("layer {layer} puts entries into {path}, which leads to {there}, no directory")]
    NotADirectory {
        /// The directory that the layer's entry needs.
        path: ImagePath,
        /// Where symbolic links lead to.
        there: ImagePath,
        /// The layer's position.
        layer: usize,
    },
    /// More files than the memory allowed for them holds.
    #[error("with layer {layer} the file system takes up more than {most} bytes")]
    TooLarge {
        /// The layer's position.
        layer: usize,
        /// The bytes allowed.
        most: usize,
    },
    /// A root that is no directory.
    #[error("layer {layer} makes the root of the file system something else than a directory")]
    Root {
        /// The layer's position.
        layer: usize,
    },
}

impl Default for FileTree {
    /// An empty file system that may grow to [`limits::TREE_BYTES`].
    fn default() -> Self {
        Self::with_memory(limits::TREE_BYTES)
    }
}

impl FileTree {
    /// An empty file system that may grow to `most` bytes.
    pub fn with_memory(most: usize) -> Self {
        let root = Node { kind: NodeKind::Directory(BTreeMap::new()), mode: 0o755, layer: 0 };
        Self { nodes: vec![root], gone: BTreeMap::new(), bytes: 0, most }
    }

    /// The file system of at most `most` bytes that `layers` make, of which the first is the layer at position `lowest`.
    ///
    /// # Errors
    /// See [`TreeError`].
    pub fn of(lowest: usize, layers: &[Arc<LayerIndex>], most: usize) -> Result<Self, TreeError> {
        let mut tree = Self::with_memory(most);
        layers.iter().enumerate().try_for_each(|(position, layer)| tree.apply(lowest + position, layer))?;
        Ok(tree)
    }

    /// The node with this number.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Everything below `directory` (itself excluded), directories before their entries, names in byte order.
    /// Symbolic links are listed, not followed.
    pub fn below(&self, directory: &Found) -> Below<'_> {
        let mut below = Below { tree: self, of: Listed::Everything, pending: Vec::new() };
        below.push(&directory.path, directory.id);
        below
    }

    /// The directories of the file system, in that order. Files, of which there are many more, are not named for it.
    pub fn directories(&self) -> Below<'_> {
        let mut below = Below { tree: self, of: Listed::Directories, pending: Vec::new() };
        below.push(&ImagePath::root(), ROOT);
        below
    }

    /// Everything in the file system; see [`FileTree::below`].
    pub fn all(&self) -> Below<'_> {
        self.below(&Found { path: ImagePath::root(), id: ROOT })
    }

    /// Whether the directory `id` has an entry `name`.
    pub fn has_entry(&self, id: NodeId, name: &[u8]) -> bool {
        self.entries(id).is_some_and(|entries| entries.contains_key(name))
    }

    fn entries(&self, id: NodeId) -> Option<&BTreeMap<Box<[u8]>, NodeId>> {
        match &self.node(id).kind {
            NodeKind::Directory(entries) => Some(entries),
            _ => None,
        }
    }
}

/// Which entries are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listed {
    Everything,
    Directories,
}

/// The entries below a directory, one after another.
#[derive(Clone, Debug)]
pub struct Below<'t> {
    tree: &'t FileTree,
    of: Listed,
    pending: Vec<(ImagePath, NodeId)>,
}

impl Below<'_> {
    fn push(&mut self, path: &ImagePath, id: NodeId) {
        if let Some(entries) = self.tree.entries(id) {
            let is_listed = |id: NodeId| self.of == Listed::Everything || self.tree.entries(id).is_some();
            let listed = entries.iter().rev().filter(|&(_, &child)| is_listed(child));
            self.pending.extend(listed.map(|(name, &child)| (path.join(name), child)));
        }
    }
}

impl Iterator for Below<'_> {
    type Item = (ImagePath, NodeId);

    fn next(&mut self) -> Option<Self::Item> {
        let (path, id) = self.pending.pop()?;
        self.push(&path, id);
        Some((path, id))
    }
}
