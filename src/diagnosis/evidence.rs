//! What speaks for a cause, in words.

use crate::compare::{Finding, Status};
use crate::image::{Image, Layer};
use crate::mapping::history;

/// When the image was built, by its own word.
pub(super) fn built(image: &Image) -> String {
    match image.config.created.as_deref().filter(|time| !time.is_empty()) {
        Some(time) => format!("the image says that it was built at {time}"),
        None => "the image does not say when it was built".to_owned(),
    }
}

/// A file of the report: by its path in git, or in the image where git has none.
pub(super) fn path_of(finding: &Finding) -> String {
    finding.repo.as_ref().map_or_else(|| finding.image.to_string(), |(path, _)| path.to_string())
}

/// A layer with its step.
pub(super) fn step(image: &Image, layer: usize) -> String {
    let step = image.layers.get(layer).and_then(|layer| layer.step.as_ref());
    step.map_or_else(
        || format!("layer {layer}"),
        |step| format!("layer {layer}, `{}`,", history::parse(&step.created_by).text),
    )
}

/// How old a layer is beside the newest one. Builders keep the time of a step's first run when they take its result
/// from the cache; times that are equal, or set by `SOURCE_DATE_EPOCH`, say nothing.
pub(super) fn age(image: &Image, layer: usize) -> Option<String> {
    let created = |layer: &Layer| layer.step.as_ref()?.created.clone();
    let time = created(image.layers.get(layer)?)?;
    let newest = image.layers.iter().filter_map(created).max()?;
    (time < newest).then(|| format!("layer {layer} was made at {time}, the newest one at {newest}"))
}

/// BuildKit looks at size and time of a file to see whether it has changed, so a change of neither goes unseen.
pub(super) fn equal_sizes<'f>(stale: impl Iterator<Item = &'f Finding>) -> Option<String> {
    let mut paths = Vec::new();
    for finding in stale.filter(|finding| finding.status == Status::Stale) {
        let (image, git) = (finding.file?.content.size, finding.repo.as_ref()?.1.size?);
        if image != git {
            return None;
        }
        paths.push(path_of(finding));
    }
    let first = paths.first()?;
    Some(format!(
        "{first} has the same size in both versions; a builder that compares size and time alone does not see such a \
         change"
    ))
}
