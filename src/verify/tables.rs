//! The layers of a comparison: read, or taken by their tables of contents where the user trusts those.
//!
//! A table has the SHA-256 of each file and no git id. Files that git has are known by their SHA-256, so that most of
//! them need not be read; the others have an id that equals none, until a finding is about them and they are read.

use std::collections::{BTreeMap, BTreeSet};

use crate::blob::{BlobId, ObjectFormat};
use crate::count::counted;
use crate::descriptor::Descriptor;
use crate::digest::LayerDigest;
use crate::error::{self, Error};
use crate::layer::{self, Effort, FileContent, Indexes};
use crate::limits;
use crate::python::Installed;
use crate::repo::{Repository, Snapshot};
use crate::source::Source;
use crate::tree::Stored;

use super::{Options, PlatformResult};

/// What layers say, and how that is known.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) indexes: Indexes,
    /// Layers that were taken by their tables.
    pub(super) tabled: BTreeSet<LayerDigest>,
    /// Why others were not.
    pub(super) refused: Vec<String>,
}

/// A file whose git id is asked for.
pub(super) type Unknown = (Descriptor, FileContent);

impl Layers {
    /// Reads `layers`, but for those whose tables are trusted.
    pub(super) fn read(
        source: &dyn Source,
        layers: &[&Descriptor],
        format: ObjectFormat,
        options: &Options,
    ) -> Result<Self, Error> {
        let mut effort = options.effort.clone();
        let mut all = Self::default();
        if options.trust_tables {
            let tabled = layer::index_by_tables(source, layers, format, &effort);
            effort.memory = tabled.room;
            let refused = tabled.refused.iter();
            all.refused = refused.map(|(layer, error)| refusal(layer, &error::chain(error))).collect();
            (all.indexes, all.tabled) = (tabled.indexes, tabled.trusted);
        }
        let is_read = |layer: &Descriptor| all.indexes.contains_key(&layer.layer_digest());
        let unread: Vec<_> = layers.iter().copied().filter(|layer| !is_read(layer)).collect();
        all.indexes.extend(layer::index_all(source, &unread, format, &effort)?);
        Ok(all)
    }

    /// Names the files that `snapshot` has. Where those cannot be told, no table is used.
    pub(super) fn name(
        &mut self,
        source: &dyn Source,
        layers: &[&Descriptor],
        repository: &Repository,
        snapshot: &Snapshot,
        effort: &Effort,
    ) -> Result<(), Error> {
        if self.tabled.is_empty() {
            return Ok(());
        }
        if let Some(known) = known(&self.indexes, repository, snapshot) {
            layer::name_contents(&mut self.indexes, &known);
            return Ok(());
        }
        let tabled = std::mem::take(&mut self.tabled);
        let why = "not all files of git are here to be hashed";
        self.refused.extend(tabled.iter().map(|layer| refusal(layer, why)));
        let is_tabled = |layer: &&&Descriptor| tabled.contains(&layer.layer_digest());
        let layers: Vec<_> = layers.iter().filter(is_tabled).copied().collect();
        self.indexes.extend(layer::index_all(source, &layers, repository.object_format(), effort)?);
        Ok(())
    }

    /// The same indexes with the files of another snapshot named.
    pub(super) fn named(indexes: &Indexes, repository: &Repository, snapshot: &Snapshot) -> Indexes {
        let mut indexes = indexes.clone();
        if let Some(known) = known(&indexes, repository, snapshot) {
            layer::name_contents(&mut indexes, &known);
        }
        indexes
    }

    /// The files of `results` whose git ids matter and are not known.
    pub(super) fn unknown(&self, results: &[PlatformResult]) -> Vec<Unknown> {
        if self.tabled.is_empty() {
            return Vec::new();
        }
        let of_result = |result: &PlatformResult| {
            let installed = Installed::of(&result.tree);
            let copies = result.findings.iter().flat_map(|finding| installed.copies(&result.tree, finding));
            let files = result.findings.iter().filter_map(|finding| finding.file);
            unknown(result, files.chain(copies.map(|copy| copy.stored)))
        };
        results.iter().flat_map(of_result).collect()
    }

    /// Finds out the git ids of `unknown`. A layer whose table does not lead to them is read whole.
    pub(super) fn settle(
        &mut self,
        source: &dyn Source,
        unknown: &[Unknown],
        repository: &Repository,
        effort: &Effort,
    ) -> Result<(), Error> {
        let format = repository.object_format();
        let mut by_layer: BTreeMap<LayerDigest, (&Descriptor, Vec<FileContent>)> = BTreeMap::new();
        for (layer, content) in unknown {
            let entry = by_layer.entry(layer.layer_digest());
            entry.or_insert((layer, Vec::new())).1.push(*content);
        }
        for (digest, (layer, wanted)) in by_layer {
            let known = layer::identify_contents(source, layer, &wanted, format)?;
            if wanted.iter().all(|content| known.contains_key(&content.sha256)) {
                layer::name_contents(&mut self.indexes, &known);
                continue;
            }
            self.tabled.remove(&digest);
            self.refused.push(refusal(&digest, "its table does not lead to the files that it lists"));
            self.indexes.extend(layer::index_all(source, &[layer], format, effort)?);
        }
        Ok(())
    }

    /// What a report has to say of trust.
    pub(super) fn warning(&self) -> Option<String> {
        let count = self.tabled.len();
        let layers = counted(count, "layer");
        let (was, table) = if count == 1 { ("was", "its table") } else { ("were", "their tables") };
        (count > 0).then(|| {
            format!(
                "{layers} {was} taken by {table} of contents (--trust-toc), which the builder wrote: \
                 what a runtime unpacks was not read and is not proven"
            )
        })
    }
}

/// Those of `files` whose git id is not known.
pub(super) fn unknown(result: &PlatformResult, files: impl Iterator<Item = Stored>) -> Vec<Unknown> {
    let files = files.filter(|stored| stored.content.blob.is_unknown());
    files
        .filter_map(|stored| Some((result.image.layers.get(stored.layer)?.descriptor.clone(), stored.content)))
        .collect()
}

fn refusal(layer: &LayerDigest, why: &str) -> String {
    format!("layer {layer} is read whole: {why}")
}

/// The git ids of the files of `snapshot` by their SHA-256, of those that have the size of a file without an id. `None`
/// when one of them cannot be read.
fn known(indexes: &Indexes, repository: &Repository, snapshot: &Snapshot) -> Option<BTreeMap<[u8; 32], BlobId>> {
    use sha2::Digest as _;
    let contents = indexes.values().flat_map(|index| index.contents());
    let sizes: BTreeSet<u64> =
        contents.filter(|content| content.blob.is_unknown()).map(|content| content.size).collect();
    let (mut known, mut seen) = (BTreeMap::new(), BTreeSet::new());
    for (path, file) in snapshot.files.iter().filter(|(_, file)| seen.insert(file.blob)) {
        let size = file.size.or_else(|| repository.blob_size(file.blob).ok().flatten())?;
        if !sizes.contains(&size) {
            continue;
        }
        let bytes = repository.read(snapshot, path, limits::NAMED_BYTES).ok()?;
        // A file on disk may have changed since.
        if BlobId::of(&bytes, repository.object_format()) != Ok(file.blob) {
            return None;
        }
        known.insert(sha2::Sha256::digest(&bytes).into(), file.blob);
    }
    Some(known)
}
