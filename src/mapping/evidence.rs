//! What is known of an image and a repository before anything is compared.

use std::collections::BTreeMap;

use crate::blob::BlobId;
use crate::image::ImageConfig;
use crate::path::{ImagePath, RepoPath};
use crate::repo::{RepoFile, RepoFileKind};
use crate::tree::{FileTree, NodeKind};

use super::dockerignore::{self, Dockerignore};
use super::infer::{ImageFile, is_common_name, is_distinctive_size};
use super::plan::{Expected, Mapping};

/// What is known of an image and a repository before anything is compared.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The image's files.
    pub tree: &'a FileTree,
    /// What the image says of its making.
    pub config: &'a ImageConfig,
    /// Git's files.
    pub files: &'a BTreeMap<RepoPath, RepoFile>,
    /// The contents of a small file of git; `None` when it cannot be had.
    pub read: &'a dyn Fn(&RepoPath) -> Option<Vec<u8>>,
}

impl Evidence<'_> {
    /// The blob at a path of the image, links followed.
    pub(super) fn image_blob(&self, path: &ImagePath) -> Option<BlobId> {
        let found = self.tree.lookup(path).ok()??;
        match &self.tree.node(found.id).kind {
            NodeKind::Regular(stored) => Some(stored.content.blob),
            _ => None,
        }
    }

    /// Whether the file of the image at a path, if it is one of git's, tells that the image has to do with it.
    pub(super) fn is_telling(&self, path: &ImagePath) -> bool {
        let size = self.tree.lookup(path).ok().flatten().map(|found| match &self.tree.node(found.id).kind {
            NodeKind::Regular(stored) => stored.content.size,
            _ => 0,
        });
        size.is_some_and(is_distinctive_size) && path.file_name().is_some_and(|name| !is_common_name(name))
    }

    /// The telling files right in an image directory.
    pub(super) fn telling_files_in(&self, directory: &ImagePath) -> Vec<ImagePath> {
        let found = self.tree.lookup(directory).ok().flatten();
        let below = found.iter().flat_map(|found| self.tree.below(found));
        let inside = below.map(|(path, _)| path).filter(|path| path.parent().as_ref() == Some(directory));
        inside.filter(|path| self.is_telling(path)).collect()
    }

    /// Whether the image has a directory at a path, links followed.
    pub(super) fn is_directory(&self, path: &ImagePath) -> bool {
        let found = self.tree.lookup(path).ok().flatten();
        found.is_some_and(|found| matches!(self.tree.node(found.id).kind, NodeKind::Directory(_)))
    }

    /// Whether the image has the very contents of a file of git at `image`.
    pub(super) fn equal(&self, image: &ImagePath, repo: &RepoPath) -> bool {
        self.files.get(repo).is_some_and(|file| self.image_blob(image) == Some(file.blob))
    }

    /// How many expected files of a mapping are in the image, and how many of them are equal.
    pub(super) fn support(&self, expected: &BTreeMap<ImagePath, Expected>, mapping: &Mapping) -> (usize, usize) {
        let below = expected.iter().filter(|(path, expected)| {
            let (image, repo) = (path.strip_prefix(&mapping.image), expected.repo.strip_prefix(&mapping.repo));
            image.is_some() && image == repo
        });
        let present = below.filter(|(path, _)| self.image_blob(path).is_some());
        let equal = present.clone().filter(|(path, expected)| self.equal(path, &expected.repo)).count();
        (present.count(), equal)
    }

    /// The `.dockerignore` of a context directory; an empty one where there is none.
    pub(super) fn dockerignore(&self, context: &RepoPath) -> Dockerignore {
        let path = context.join(b".dockerignore");
        let text = if self.files.contains_key(&path) { (self.read)(&path) } else { None };
        dockerignore::parse(&text.unwrap_or_default())
    }

    /// The blobs of git's files; links have none worth comparing.
    pub(super) fn blobs(&self) -> BTreeMap<RepoPath, BlobId> {
        let regular = self.files.iter().filter(|(_, file)| file.kind != RepoFileKind::Symlink);
        regular.map(|(path, file)| (path.clone(), file.blob)).collect()
    }

    /// The regular files of the image.
    pub(super) fn image_files(&self) -> Vec<ImageFile> {
        let regular = self.tree.all().filter_map(|(path, id)| match &self.tree.node(id).kind {
            NodeKind::Regular(stored) => Some(ImageFile { path, blob: stored.content.blob, size: stored.content.size }),
            _ => None,
        });
        regular.collect()
    }

    /// Where a path of the image really is, links followed.
    pub(super) fn real(&self, path: &ImagePath) -> Option<ImagePath> {
        Some(self.tree.lookup(path).ok()??.path)
    }
}
