//! Whether a file system holds together: what is true of it after any layers, whatever they say.

use crate::path::ImagePath;

use super::{FileTree, Found, NodeId, NodeKind, ROOT};

/// Permission bits, with those for set-user-id, set-group-id and sticky.
const MODE_BITS: u32 = 0o7777;

/// What does not hold together. No layer can bring it about; it is a mistake of this program.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Inconsistency {
    /// The root is something else than a directory.
    #[error("the root is not a directory")]
    Root,
    /// An entry leads to no node.
    #[error("{0} has no node")]
    NoNode(ImagePath),
    /// An entry's node has another name already: a circle, or a part that two directories share.
    #[error("the node of {0} has another name, too")]
    Shared(ImagePath),
    /// An entry has a name that a path cannot have.
    #[error("{directory} has an entry called `{}`", name.escape_ascii())]
    Name {
        /// The directory.
        directory: ImagePath,
        /// The name.
        name: Vec<u8>,
    },
    /// A node is of a layer that was not applied, or has its contents from a layer above its own.
    #[error("{path} is of layer {layer}, of which there are {layers}")]
    Layer {
        /// The node's path.
        path: ImagePath,
        /// The layer's position.
        layer: usize,
        /// The layers that it may be of.
        layers: usize,
    },
    /// A node's mode has bits that are no permissions.
    #[error("{path} has the mode {mode:o}")]
    Mode {
        /// The node's path.
        path: ImagePath,
        /// The mode.
        mode: u32,
    },
    /// A path is listed, and looking it up finds something else.
    #[error("{0} is listed, and its lookup finds something else")]
    Lookup(ImagePath),
    /// The list of a directory is not the part of the whole list that stands below it.
    #[error("what is listed below {0} is not what the whole list has there")]
    Listing(ImagePath),
}

impl FileTree {
    /// Checks the file system after the layers at positions below `layers` were applied, whether the last of them
    /// failed or not:
    ///
    /// - The root is a directory, and every entry leads to a node.
    /// - Every node has one name: directories form a tree, and hard links are nodes of their own.
    /// - No name is empty, `.` or `..`, or has a `/` in it.
    /// - No node is of a layer that was not applied, and none has its contents from a layer above its own.
    /// - Modes are permission bits.
    /// - Every path that [`FileTree::all`] lists is found by [`FileTree::entry`] and, unless it is a symbolic link, by
    ///   [`FileTree::lookup`]; [`FileTree::below`] lists the same.
    ///
    /// # Errors
    /// The first [`Inconsistency`] found.
    pub fn fsck(&self, layers: usize) -> Result<(), Inconsistency> {
        let mut named = vec![false; self.nodes.len()];
        named[ROOT.0] = true;
        self.entries(ROOT).ok_or(Inconsistency::Root)?;
        let mut pending = vec![(ImagePath::root(), ROOT)];
        while let Some((path, id)) = pending.pop() {
            self.check_node(&path, id, layers)?;
            for (name, &child) in self.entries(id).into_iter().flatten() {
                check_name(&path, name)?;
                let path = path.join(name);
                match named.get_mut(child.0) {
                    None => return Err(Inconsistency::NoNode(path)),
                    Some(true) => return Err(Inconsistency::Shared(path)),
                    Some(named) => *named = true,
                }
                pending.push((path, child));
            }
        }
        // Only now is it certain that a listing comes to an end.
        self.check_listing()
    }

    fn check_node(&self, path: &ImagePath, id: NodeId, layers: usize) -> Result<(), Inconsistency> {
        let node = self.node(id);
        let wrong = |layer, layers| Err(Inconsistency::Layer { path: path.clone(), layer, layers });
        // The root is there before any layer.
        if node.layer >= layers.max(1) {
            return wrong(node.layer, layers);
        }
        if node.mode & !MODE_BITS != 0 {
            return Err(Inconsistency::Mode { path: path.clone(), mode: node.mode });
        }
        match node.stored() {
            Some(stored) if stored.layer > node.layer => wrong(stored.layer, node.layer + 1),
            _ => Ok(()),
        }
    }

    fn check_listing(&self) -> Result<(), Inconsistency> {
        let listed: Vec<_> = self.all().collect();
        for (position, (path, id)) in listed.iter().enumerate() {
            let found = Ok(Some(Found { path: path.clone(), id: *id }));
            let is_link = matches!(self.node(*id).kind, NodeKind::Symlink(_));
            if self.entry(path) != found || !is_link && self.lookup(path) != found {
                return Err(Inconsistency::Lookup(path.clone()));
            }
            // Of the directories at the top alone: of all of them it would take the square of the depth.
            if path.components().count() == 1 {
                let rest = &listed[position + 1..];
                let inside = rest.iter().take_while(|(other, _)| other.starts_with(path)).count();
                if !self.below(&Found { path: path.clone(), id: *id }).eq(rest[..inside].iter().cloned()) {
                    return Err(Inconsistency::Listing(path.clone()));
                }
            }
        }
        Ok(())
    }
}

fn check_name(directory: &ImagePath, name: &[u8]) -> Result<(), Inconsistency> {
    if matches!(name, b"" | b"." | b"..") || name.contains(&b'/') {
        return Err(Inconsistency::Name { directory: directory.clone(), name: name.to_vec() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Node;
    use super::*;

    fn node(kind: NodeKind) -> Node {
        Node { kind, mode: 0o755, layer: 0 }
    }

    fn directory(entries: &[(&str, usize)]) -> Node {
        let entries = entries.iter().map(|&(name, id)| (name.as_bytes().into(), NodeId(id)));
        node(NodeKind::Directory(entries.collect::<BTreeMap<Box<[u8]>, _>>()))
    }

    #[test]
    fn every_inconsistency_is_found() {
        let special = || node(NodeKind::Special);
        let top = |name| directory(&[(name, 1)]);
        let above = Node { layer: 2, ..special() };
        let odd = Node { mode: 0o100_644, ..special() };
        let table = [
            (vec![top("a"), special()], Ok(())),
            (vec![directory(&[("a", 1), ("b", 2)]), directory(&[("c", 3)]), special(), special()], Ok(())),
            (vec![special()], Err("the root is not a directory")),
            (vec![top("a")], Err("/a has no node")),
            (vec![directory(&[("a", 1), ("b", 1)]), special()], Err("the node of /b has another name, too")),
            (vec![top("a"), directory(&[("b", 0)])], Err("the node of /a/b has another name, too")),
            (vec![top("a"), directory(&[("b", 1)])], Err("the node of /a/b has another name, too")),
            (vec![top(""), special()], Err("/ has an entry called ``")),
            (vec![top(".."), special()], Err("/ has an entry called `..`")),
            (vec![top("a/b"), special()], Err("/ has an entry called `a/b`")),
            (vec![top("a"), above], Err("/a is of layer 2, of which there are 2")),
            (vec![top("a"), odd], Err("/a has the mode 100644")),
        ];
        for (nodes, expected) in table {
            let found =
                FileTree { nodes, gone: BTreeMap::new(), bytes: 0, most: 0 }.fsck(2).map_err(|error| error.to_string());
            assert_eq!(found, expected.map_err(str::to_owned));
        }
    }
}
