//! The files of the image: where a path leads, and what is in it.

use std::io::Read as _;

use crate::error::Error;
use crate::image::Image;
use crate::layer::Kept;
use crate::limits;
use crate::path::ImagePath;
use crate::source::Source;
use crate::tree::{FileTree, Found, NodeKind, Stored};

/// The files of one image.
pub(super) struct Files<'a> {
    source: &'a dyn Source,
    image: &'a Image,
    tree: &'a FileTree,
    kept: Kept,
}

/// A regular file.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// Where it really is.
    pub(super) path: ImagePath,
    /// Permission bits.
    pub(super) mode: u32,
    /// The layer that set it.
    pub(super) layer: usize,
    /// Its contents.
    pub(super) stored: Stored,
}

/// A path as people write it, from the root.
pub(super) fn path(text: &str) -> ImagePath {
    ImagePath::clean(text.as_bytes())
}

/// `name` in `directory`, unless it is a path from the root itself.
pub(super) fn join(directory: &str, name: &str) -> String {
    if name.starts_with('/') { name.to_owned() } else { format!("{}/{name}", directory.trim_end_matches('/')) }
}

impl<'a> Files<'a> {
    pub(super) fn new(source: &'a dyn Source, image: &'a Image, tree: &'a FileTree) -> Self {
        Self { source, image, tree, kept: Kept::default() }
    }

    pub(super) fn tree(&self) -> &'a FileTree {
        self.tree
    }

    /// Where a path leads, through links; nothing for links that lead in a circle, as for the kernel.
    pub(super) fn lookup(&self, path: &ImagePath) -> Option<Found> {
        self.tree.lookup(path).ok().flatten()
    }

    /// The regular file at a path.
    pub(super) fn file(&self, path: &ImagePath) -> Option<File> {
        let found = self.lookup(path)?;
        let node = self.tree.node(found.id);
        Some(File { path: found.path, mode: node.mode, layer: node.layer, stored: *node.stored()? })
    }

    pub(super) fn is_directory(&self, text: &str) -> bool {
        let found = self.lookup(&path(text));
        found.is_some_and(|found| matches!(self.tree.node(found.id).kind, NodeKind::Directory(_)))
    }

    /// Reads files that will be asked for, each layer once. Those that are read already cost nothing.
    pub(super) fn want(&mut self, files: &[File]) -> Result<(), Error> {
        let small = files.iter().filter(|file| file.stored.content.size <= limits::PREFLIGHT_BYTES);
        let wanted: Vec<_> = small.map(|file| file.stored.wanted(self.source, self.image)).collect();
        Ok(self.kept.add(&wanted)?)
    }

    /// The first bytes of a file, at most `most`; `None` for files that are too large to be read.
    pub(super) fn head(&mut self, file: &File, most: u64) -> Result<Option<Vec<u8>>, Error> {
        self.want(std::slice::from_ref(file))?;
        let mut head = Vec::new();
        let Some(contents) = self.kept.reader(&file.stored.content).map_err(Error::Kept)? else { return Ok(None) };
        contents.take(most).read_to_end(&mut head).map_err(Error::Kept)?;
        Ok(Some(head))
    }

    /// A text file, whole; `None` where there is none, or one that is no text.
    pub(super) fn text(&mut self, path: &ImagePath) -> Result<Option<String>, Error> {
        let Some(file) = self.file(path) else { return Ok(None) };
        let bytes = self.head(&file, limits::REPO_TEXT_BYTES)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }
}
