//! Why a file is not in the image, as far as its layers and `.dockerignore` tell.

use std::collections::BTreeMap;

use crate::compare::{Finding, Status};
use crate::path::ImagePath;
use crate::tree::Removed;
use crate::verify::PlatformResult;
use crate::verify::job::Job;

use super::steps::Steps;

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

    /// The layer for a file that is missing, among those whose step may have brought it.
    pub(super) fn layer(&self, missing: &Finding, steps: &Steps) -> Option<usize> {
        let mut next = missing.image.parent();
        while let Some(directory) = next {
            let layers = self.directories.get(&directory).into_iter().flatten();
            let layers = layers.filter(|(layer, _)| steps.may_bring(**layer, missing));
            let most = layers.max_by_key(|&(layer, neighbourhood)| (neighbourhood, layer));
            if let Some((layer, _)) = most {
                return Some(*layer);
            }
            next = directory.parent();
        }
        None
    }
}

/// Says of missing files what the layers did with them, or what kept them out of the build.
pub(super) fn explain(job: &Job<'_>, result: &mut PlatformResult) {
    let tree = &result.tree;
    for finding in result.findings.iter_mut().filter(|finding| finding.status == Status::Missing) {
        if let Some(Removed { put, removed }) = tree.removed(&finding.image) {
            finding.layer = Some(removed);
            finding.note = Some(format!("layer {put} put it there and layer {removed} removed it"));
        } else if let Some(file) = finding.repo.as_ref().and_then(|(path, _)| job.ignored_by(path)) {
            finding.note = Some(format!("no layer has it: {file} of {} keeps it out of builds", job.revision()));
        }
    }
}
