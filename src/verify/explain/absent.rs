//! Why a file is not in the image, as far as its layers and `.dockerignore` tell.

use std::collections::BTreeMap;

use crate::compare::{Finding, Status};
use crate::image::Image;
use crate::layer::{Change, EntryKind, Indexes};
use crate::path::ImagePath;
use crate::verify::PlatformResult;
use crate::verify::job::Job;

/// What happened to a file that the image does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deleted {
    /// The layer that put it.
    pub(super) put: usize,
    /// The layer that removed it.
    pub(super) removed: usize,
}

/// The layers that put and removed the file at `path`, if some did.
pub(super) fn deleted(image: &Image, indexes: &Indexes, path: &ImagePath) -> Option<Deleted> {
    let (mut put, mut deleted) = (None, None);
    for layer in &image.layers {
        let changes = indexes.get(&layer.digest()).map_or(&[][..], |index| &index.changes);
        // Removals act on the layers below, wherever in the tar they stand.
        if let (Some(before), true) = (put, changes.iter().any(|change| removes(change, path))) {
            (put, deleted) = (None, Some(Deleted { put: before, removed: layer.index }));
        }
        if changes.iter().any(|change| matches!(change, Change::Put(entry) if entry.path == *path)) {
            (put, deleted) = (Some(layer.index), None);
        }
    }
    deleted
}

fn removes(change: &Change, path: &ImagePath) -> bool {
    match change {
        Change::Remove(removed) => path.starts_with(removed),
        Change::Opaque(directory) => path != directory && path.starts_with(directory),
        // What is no directory takes the place of one with all that is in it.
        Change::Put(entry) => {
            entry.kind != EntryKind::Directory && path != &entry.path && path.starts_with(&entry.path)
        }
    }
}

/// Which layer a file that is not there would have come with: that of most files in the directory where it should be.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    directories: BTreeMap<ImagePath, BTreeMap<usize, Neighbourhood>>,
}

/// How many files of one layer are in a directory itself, and how many below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Neighbourhood {
    inside: usize,
    below: usize,
}

impl Neighbours {
    /// What the files that are there tell.
    pub(super) fn of(findings: &[Finding]) -> Self {
        let mut directories: BTreeMap<ImagePath, BTreeMap<usize, Neighbourhood>> = BTreeMap::new();
        for finding in findings.iter().filter(|finding| finding.status.is_comparison()) {
            let (mut next, mut inside) = (finding.image.parent(), 1);
            while let (Some(directory), Some(layer)) = (next, finding.layer) {
                next = directory.parent();
                let neighbourhood = directories.entry(directory).or_default().entry(layer).or_default();
                neighbourhood.inside += std::mem::take(&mut inside);
                neighbourhood.below += 1;
            }
        }
        Self { directories }
    }

    /// The layer for `path`.
    pub(super) fn layer(&self, path: &ImagePath) -> Option<usize> {
        let mut next = path.parent();
        while let Some(directory) = next {
            if let Some(layers) = self.directories.get(&directory) {
                let most = layers.iter().max_by_key(|&(layer, neighbourhood)| (neighbourhood, layer));
                return most.map(|(layer, _)| *layer);
            }
            next = directory.parent();
        }
        None
    }
}

/// Says of missing files what the layers did with them, or what kept them out of the build.
pub(super) fn explain(job: &Job<'_>, result: &mut PlatformResult) {
    let image = &result.image;
    for finding in result.findings.iter_mut().filter(|finding| finding.status == Status::Missing) {
        if let Some(deleted) = deleted(image, job.indexes, &finding.image) {
            finding.layer = Some(deleted.removed);
            finding.note = Some(format!("layer {} put it there and layer {} removed it", deleted.put, deleted.removed));
        } else if let Some(file) = finding.repo.as_ref().and_then(|(path, _)| job.ignored_by(path)) {
            finding.note = Some(format!("no layer has it: {file} keeps it out of builds"));
        }
    }
}
