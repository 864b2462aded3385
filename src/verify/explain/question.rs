//! The image's files as history is asked about them.

use std::collections::BTreeMap;

use crate::blob::{BlobId, ObjectFormat};
use crate::compare::{Finding, Status};
use crate::mapping::Mapping;
use crate::path::{ImagePath, RepoPath};
use crate::repo::{LfsPointer, RepoFile};
use crate::tree::{FileTree, NodeKind, Stored};
use crate::verify::PlatformResult;
use crate::verify::job::Job;

/// A file that history is asked about.
#[derive(Clone, Debug)]
pub(super) struct Looked {
    /// Its finding's position.
    pub(super) finding: usize,
    /// Where git has it, or had it.
    pub(super) path: RepoPath,
    /// The blobs that are its contents, as they are or in git's own form; none for a file that is not there.
    pub(super) blobs: Vec<BlobId>,
    /// Whether the image lacks it, so that a commit without it agrees.
    pub(super) absent: bool,
    /// Whether git does not have it now, so that it takes part only if history knows it.
    pub(super) candidate: bool,
}

impl Looked {
    /// Whether any commit can agree: what a later step removed or put there, none has.
    pub(super) fn may_agree(&self) -> bool {
        self.absent || !self.blobs.is_empty()
    }

    /// Whether a commit that has `file` at the path has what the image has.
    pub(super) fn agrees(&self, file: Option<&RepoFile>) -> bool {
        file.map_or(self.absent, |file| self.blobs.contains(&file.blob))
    }
}

/// The files of `result` that history is asked about. `cleaned` has the contents of some findings in git's own form.
pub(super) fn look(job: &Job<'_>, result: &PlatformResult, cleaned: &BTreeMap<usize, BlobId>) -> Vec<Looked> {
    let one = |(position, finding): (usize, &Finding)| {
        let (path, candidate) = match &finding.repo {
            Some((path, _)) => (path.clone(), false),
            None => (place_in_git(&result.plan.mappings, &finding.image)?, true),
        };
        let absent = is_absent(&result.tree, finding);
        let mut blobs = blobs(job, result, finding);
        blobs.extend(cleaned.get(&position));
        // That git's own version is another one is settled; a pointer to the bytes need not stand for them.
        if finding.status == Status::Modified {
            blobs.retain(|blob| finding.repo.as_ref().is_none_or(|(_, file)| file.blob != *blob));
        }
        Some(Looked { finding: position, path, blobs, absent, candidate })
    };
    result.findings.iter().enumerate().filter_map(one).collect()
}

/// Whether a commit without the file has what the image has. A file that the image's layers brought and removed again
/// was there when it was built.
fn is_absent(tree: &FileTree, finding: &Finding) -> bool {
    match finding.status {
        Status::Missing => finding.layer.is_none(),
        Status::Kind => tree
            .entry(&finding.image)
            .is_ok_and(|found| found.is_some_and(|found| matches!(tree.node(found.id).kind, NodeKind::Directory(_)))),
        _ => false,
    }
}

fn blobs(job: &Job<'_>, result: &PlatformResult, finding: &Finding) -> Vec<BlobId> {
    let gits = finding.repo.as_ref().map(|(_, file)| file.blob);
    match finding.status {
        Status::Same | Status::Mode => gits.into_iter().collect(),
        Status::SameNormalized => gits.into_iter().chain(finding.file.map(|stored| stored.content.blob)).collect(),
        Status::Missing => Vec::new(),
        _ => blobs_of(&result.tree, &finding.image, finding.file.as_ref(), job.repository.object_format()),
    }
}

/// The blobs that the image's `file` may be in git: its bytes, or the pointer of LFS to them. Without a file it is the
/// symbolic link at `path`, if there is one.
pub(in crate::verify) fn blobs_of(
    tree: &FileTree,
    path: &ImagePath,
    file: Option<&Stored>,
    format: ObjectFormat,
) -> Vec<BlobId> {
    match file {
        Some(stored) => {
            let pointer = LfsPointer::text(&stored.content.sha256_hex(), stored.content.size);
            [Some(stored.content.blob), BlobId::of(&pointer, format).ok()].into_iter().flatten().collect()
        }
        None => link_target(tree, path).and_then(|target| BlobId::of(target, format).ok()).into_iter().collect(),
    }
}

/// The target of a symbolic link, which is what git stores of it.
fn link_target<'t>(tree: &'t FileTree, path: &ImagePath) -> Option<&'t [u8]> {
    tree.node(tree.entry(path).ok()??.id).link()
}

/// Where git would have the file at `image`, by the narrowest mapping.
pub(super) fn place_in_git(mappings: &[Mapping], image: &ImagePath) -> Option<RepoPath> {
    let narrowest = mappings.iter().filter(|mapping| image.starts_with(&mapping.image));
    let mapping = narrowest.max_by_key(|mapping| mapping.image.components().count())?;
    Some(mapping.repo.join(image.strip_prefix(&mapping.image)?))
}
