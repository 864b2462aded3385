//! The contents of files from many layers, each layer read once.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use crate::descriptor::Descriptor;
use crate::digest::LayerDigest;
use crate::source::Source;

use super::{FileContent, LayerError, LayerFault, contents};

/// Contents that are wanted, and where they lie.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// The place that has the layer.
    pub source: &'a dyn Source,
    /// The layer.
    pub layer: &'a Descriptor,
    /// The contents, from an index of that layer.
    pub content: FileContent,
}

/// Hands each of the contents `wanted` to `deliver` when they are proven to be the ones indexed. Contents that several
/// files share (the same SHA-256) come once, from the first of them; a layer that several images share is read once,
/// and empty contents cost nothing.
///
/// # Errors
/// See [`LayerError`]; whatever `deliver` fails with comes back as [`LayerFault::Write`].
pub fn gather(
    wanted: &[Wanted<'_>],
    deliver: &mut dyn FnMut(&FileContent, &mut dyn Read) -> io::Result<()>,
) -> Result<(), LayerError> {
    let mut seen = BTreeSet::new();
    let mut layers: BTreeMap<LayerDigest, Vec<&Wanted<'_>>> = BTreeMap::new();
    for one in wanted.iter().filter(|one| seen.insert(one.content.sha256)) {
        if one.content.size == 0 {
            let delivered = deliver(&one.content, &mut io::empty());
            delivered.map_err(|error| LayerError::new(one.layer, LayerFault::Write(error)))?;
        } else {
            layers.entry(one.layer.layer_digest()).or_default().push(one);
        }
    }
    for files in layers.values() {
        let Some(first) = files.first() else { continue };
        let wanted: Vec<FileContent> = files.iter().map(|one| one.content).collect();
        contents(first.source, first.layer, &wanted, deliver)?;
    }
    Ok(())
}
