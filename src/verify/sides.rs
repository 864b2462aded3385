//! Both sides of a comparison, read at the same time: the image's waits for the network, git's for the disk.

use std::panic::resume_unwind;
use std::thread;

use crate::blob::ObjectFormat;
use crate::descriptor::Descriptor;
use crate::error::Error;
use crate::image::{self, Opened};
use crate::repo::{self, Repository};
use crate::source::Source;

use super::tables::Layers;
use super::{Against, GitSide, Options};

/// What both sides have.
pub(super) struct Sides {
    pub(super) git: GitSide,
    pub(super) opened: Opened,
    pub(super) layers: Layers,
}

/// Reads both sides. A revision that is not there costs no request.
pub(super) fn read(source: &dyn Source, repository: &Repository, options: &Options) -> Result<Sides, Error> {
    let commit = match &options.against {
        Against::Revision(revision) => Some(repository.resolve(revision)?),
        Against::Worktree => repository.resolve("HEAD").ok(),
    };
    let format = repository.object_format();
    let (snapshot, image) = thread::scope(|scope| {
        let image = scope.spawn(|| read_image(source, options, format));
        let snapshot = match (&options.against, &commit) {
            (Against::Revision(_), Some(commit)) => repo::of_revision(repository, commit),
            _ => repo::of_worktree(repository),
        };
        (snapshot, image.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let (snapshot, (opened, mut layers)) = (snapshot?, image?);
    layers.name(source, &descriptors(&opened), repository, &snapshot, &options.effort)?;
    Ok(Sides { git: GitSide { commit, snapshot }, opened, layers })
}

fn read_image(source: &dyn Source, options: &Options, format: ObjectFormat) -> Result<(Opened, Layers), Error> {
    let opened = image::open(source, &options.platforms)?;
    let layers = Layers::read(source, &descriptors(&opened), format, options)?;
    Ok((opened, layers))
}

fn descriptors(opened: &Opened) -> Vec<&Descriptor> {
    opened.images.iter().flat_map(|image| &image.layers).map(|layer| &layer.descriptor).collect()
}
