//! Which files a layer's step may have brought, as far as its words tell.

use std::collections::BTreeMap;

use crate::compare::Finding;
use crate::image::Image;
use crate::mapping::history::{self, Sources};
use crate::path::ImagePath;

/// What the copying steps of an image say of themselves, by layer. A step that says nothing may have brought anything.
pub(super) struct Steps(BTreeMap<usize, Copied>);

struct Copied {
    /// Where it put everything, if what it brought bears that out: variables and the base image's working directory are
    /// not known.
    destination: Option<ImagePath>,
    /// What it copied, if it named file by file.
    files: Option<Vec<Vec<u8>>>,
}

impl Steps {
    /// The steps of `image`, which brought the `findings`.
    pub(super) fn of(image: &Image, findings: &[Finding]) -> Self {
        let texts = image.config.history().iter().map(|entry| entry.created_by.as_deref().unwrap_or_default());
        let mut brought: BTreeMap<usize, Vec<&Finding>> = BTreeMap::new();
        for finding in findings.iter().filter(|finding| finding.status.is_comparison()) {
            finding.layer.into_iter().for_each(|layer| brought.entry(layer).or_default().push(finding));
        }
        let copies = history::copy_steps(texts, &ImagePath::root()).into_iter().filter_map(|located| {
            let step =
                |layer: &&crate::image::Layer| layer.step.as_ref().is_some_and(|step| step.history == located.index);
            let layer = image.layers.iter().find(step)?.index;
            let brought = brought.get(&layer)?;
            let is_below = |path: &ImagePath| brought.iter().all(|finding| finding.image.starts_with(path));
            let destination = located.destination.map(|destination| destination.path).filter(is_below);
            let files = match located.copy.sources {
                Sources::Named(sources) => Some(sources).filter(|sources| are_files(sources, brought)),
                Sources::Hashed | Sources::Unresolved => None,
            };
            Some((layer, Copied { destination, files }))
        });
        Self(copies.collect())
    }

    /// Whether the step of `layer` may have brought a file that is not there.
    pub(super) fn may_bring(&self, layer: usize, missing: &Finding) -> bool {
        let Some(copied) = self.0.get(&layer) else { return true };
        copied.destination.as_ref().is_none_or(|destination| missing.image.starts_with(destination))
            && copied.files.as_ref().is_none_or(|files| files.iter().any(|file| is_called(missing, file)))
    }
}

/// Whether each of the sources is a file that was brought, and nothing else was.
fn are_files(sources: &[Vec<u8>], brought: &[&Finding]) -> bool {
    let is_there = |source: &Vec<u8>| brought.iter().any(|finding| is_called(finding, source));
    sources.len() == brought.len() && sources.iter().all(is_there)
}

/// Whether git's file is the one that a source means, in whatever context directory.
fn is_called(finding: &Finding, source: &[u8]) -> bool {
    let Some((path, _)) = &finding.repo else { return false };
    let above = path.as_bytes().strip_suffix(source);
    !source.is_empty() && above.is_some_and(|above| above.is_empty() || above.ends_with(b"/"))
}
