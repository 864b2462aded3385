//! The files of the image as the checks want them: looked up as a process would, contents read in as few rounds as
//! possible.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read as _;

use crate::error::Error;
use crate::image::Image;
use crate::layer;
use crate::limits;
use crate::path::ImagePath;
use crate::source::Source;
use crate::tree::{FileTree, Found, Node, NodeKind, Stored};

/// A regular file: where it really is, and what it is.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) path: ImagePath,
    pub(super) mode: u32,
    pub(super) layer: usize,
    pub(super) stored: Stored,
}

/// An image's files.
pub(super) struct Files<'a> {
    source: &'a dyn Source,
    image: &'a Image,
    tree: &'a FileTree,
    /// What was read, by its SHA-256, and no more of it than [`limits::PREFLIGHT_BYTES`].
    contents: RefCell<BTreeMap<[u8; 32], Vec<u8>>>,
}

impl<'a> Files<'a> {
    pub(super) fn new(source: &'a dyn Source, image: &'a Image, tree: &'a FileTree) -> Self {
        Self { source, image, tree, contents: RefCell::default() }
    }

    /// What `path` leads to. Links in a circle lead to nothing.
    pub(super) fn lookup(&self, path: &ImagePath) -> Option<Found> {
        self.tree.lookup(path).ok().flatten()
    }

    pub(super) fn node(&self, found: &Found) -> &Node {
        self.tree.node(found.id)
    }

    /// The regular file that `path` leads to.
    pub(super) fn file(&self, path: &ImagePath) -> Option<File> {
        let found = self.lookup(path)?;
        let node = self.node(&found);
        Some(File { path: found.path.clone(), mode: node.mode, layer: node.layer, stored: *node.stored()? })
    }

    /// The names in the directory that `path` leads to, in byte order; `None` for what is no directory.
    pub(super) fn names(&self, path: &ImagePath) -> Option<Vec<Vec<u8>>> {
        let found = self.lookup(path)?;
        match &self.node(&found).kind {
            NodeKind::Directory(entries) => Some(entries.keys().map(|name| name.to_vec()).collect()),
            _ => None,
        }
    }

    /// Programs of this name anywhere, in directories that are for programs.
    pub(super) fn programs(&self, name: &[u8]) -> Vec<File> {
        let bins: [&[u8]; 3] = [b"bin", b"sbin", b".bin"];
        let directories = self.tree.directories().map(|(path, _)| path);
        let bins = directories.filter(|path| path.file_name().is_some_and(|name| bins.contains(&name)));
        bins.filter_map(|path| Some(File { path: path.join(name), ..self.file(&path.join(name))? })).collect()
    }

    pub(super) fn is_directory(&self, path: &ImagePath) -> bool {
        self.lookup(path).is_some_and(|found| matches!(self.node(&found).kind, NodeKind::Directory(_)))
    }

    /// Reads the beginnings of `files` in one round.
    pub(super) fn read(&self, files: &[File]) -> Result<(), Error> {
        let known = self.contents.borrow();
        let unknown = files.iter().filter(|file| !known.contains_key(&file.stored.content.sha256));
        let wanted: Vec<_> = unknown.map(|file| file.stored.wanted(self.source, self.image)).collect();
        drop(known);
        layer::gather(&wanted, &mut |content, reader| {
            let mut bytes = Vec::new();
            reader.take(limits::PREFLIGHT_BYTES).read_to_end(&mut bytes)?;
            self.contents.borrow_mut().insert(content.sha256, bytes);
            Ok(())
        })?;
        Ok(())
    }

    /// The beginning of one file, which may take another round.
    pub(super) fn head(&self, file: &File) -> Result<Vec<u8>, Error> {
        self.read(std::slice::from_ref(file))?;
        Ok(self.contents.borrow().get(&file.stored.content.sha256).cloned().unwrap_or_default())
    }

    /// A file as text; `None` where it is longer than what is read of it, or no UTF-8.
    pub(super) fn text(&self, file: &File) -> Result<Option<String>, Error> {
        if file.stored.content.size > limits::PREFLIGHT_BYTES {
            return Ok(None);
        }
        Ok(String::from_utf8(self.head(file)?).ok())
    }
}
