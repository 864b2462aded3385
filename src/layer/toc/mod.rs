//! Layers with a table of contents: what is in them is told without reading them, if the table is trusted.
//!
//! A table is the builder's word about the tar beside it. Runtimes unpack the tar and mostly never look at the table, and
//! that both say the same is proven by reading the tar alone. So an index from a table is made only for whoever asks for
//! it by name, and is never kept under the layer's digest. Contents that are read through a table are held against
//! their SHA-256 like any others.
//!
//! Two forms are known: eStargz (containerd/stargz-snapshotter, docs/estargz.md) and zstd:chunked (containers/storage,
//! pkg/chunked). Both keep the digest of the table in an annotation of the layer, so that the manifest proves the table.

mod chunked;
mod entries;
mod error;
mod estargz;
mod files;
mod parts;
#[cfg(test)]
mod tests;
mod time;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::Arc;

use crate::blob::{BlobId, ObjectFormat};
use crate::descriptor::Descriptor;
use crate::digest::{Digest, LayerDigest};
use crate::limits;
use crate::source::{self, Source};

use super::budget::Budget;
use super::{Effort, Event, FileContent, Indexes, LayerError, LayerFault, LayerIndex, cache, index};

pub use error::TableError;
pub(super) use files::contents;

/// Indexes made from tables of contents, and from the cache.
#[derive(Debug, Default)]
pub struct Tabled {
    /// The indexes. The git ids of files are not known yet in those from tables.
    pub indexes: Indexes,
    /// Which layers were taken by their tables.
    pub trusted: BTreeSet<LayerDigest>,
    /// Bytes of [`Effort::memory`] that are left for the other layers.
    pub room: usize,
    /// Why tables of other layers were not used.
    pub refused: Vec<(LayerDigest, TableError)>,
}

/// Takes those of `layers` that have a table of contents by it, unless the cache has them. No layer is read; what cannot
/// be taken is left out.
pub fn index_by_tables(source: &dyn Source, layers: &[&Descriptor], format: ObjectFormat, effort: &Effort) -> Tabled {
    let budget = Budget::new(effort.memory);
    let (mut tabled, mut seen) = (Tabled::default(), BTreeSet::new());
    for layer in layers.iter().filter(|layer| has_table(layer) && seen.insert(&layer.digest)) {
        let digest = layer.layer_digest();
        if let Some(index) = cache::read(&effort.cache, layer, format, &budget) {
            effort.watch.tell(layer, Event::Cached);
            tabled.indexes.insert(digest, Arc::new(index));
            continue;
        }
        match Table::fetch(source, layer).and_then(|table| table.index(format, &budget)) {
            Ok(index) => {
                effort.watch.tell(layer, Event::Tabled);
                tabled.trusted.insert(digest.clone());
                tabled.indexes.insert(digest, Arc::new(index));
            }
            Err(error) => tabled.refused.push((digest, error)),
        }
    }
    tabled.room = budget.left();
    tabled
}

/// Puts git ids in the place of unknown ones, for files whose SHA-256 `known` has.
pub fn name_contents(indexes: &mut Indexes, known: &BTreeMap<[u8; 32], BlobId>) {
    for index in indexes.values_mut() {
        let is_affected = |content: &FileContent| content.blob.is_unknown() && known.contains_key(&content.sha256);
        if !index.contents().any(is_affected) {
            continue;
        }
        for content in Arc::make_mut(index).contents_mut().filter(|content| content.blob.is_unknown()) {
            if let Some(blob) = known.get(&content.sha256) {
                content.blob = *blob;
            }
        }
    }
}

/// Reads the files `wanted` of a layer through its table, and nothing else, for the git ids of their contents. Files
/// that the table does not lead to are left out.
///
/// # Errors
/// [`LayerFault::Collision`] for contents made to deceive.
pub fn identify_contents(
    source: &dyn Source,
    layer: &Descriptor,
    wanted: &[FileContent],
    format: ObjectFormat,
) -> Result<BTreeMap<[u8; 32], BlobId>, LayerError> {
    let mut known = BTreeMap::new();
    let mut collision = false;
    let delivered = contents(source, layer, wanted, &mut |content, reader| {
        let mut hasher = crate::blob::BlobHasher::new(content.size, format);
        let mut buffer = vec![0; 64 << 10];
        loop {
            match reader.read(&mut buffer)? {
                0 => break,
                count => hasher.update(&buffer[..count]),
            }
        }
        match hasher.finish() {
            Ok(blob) => drop(known.insert(content.sha256, blob)),
            Err(_) => collision = true,
        }
        Ok(())
    });
    let wrap = |fault| LayerError::new(layer, fault);
    delivered.map_err(wrap)?;
    if collision { Err(wrap(LayerFault::Deceit)) } else { Ok(known) }
}

/// Whether the annotations promise a table.
fn has_table(layer: &Descriptor) -> bool {
    chunked::is_promised(layer) || estargz::is_promised(layer)
}

/// A table of contents, whose digest is the one in the layer's annotation.
struct Table {
    /// As JSON.
    json: Vec<u8>,
    /// The entry of the tar that holds the table itself, where one does.
    own: Option<Own>,
    /// The bytes of the layer before the table.
    end: u64,
}

/// The table as a file of the layer.
struct Own {
    header: super::tar::Header,
    sha256: [u8; 32],
}

impl Table {
    /// Fetches and proves the table of a layer.
    fn fetch(source: &dyn Source, layer: &Descriptor) -> Result<Self, TableError> {
        if chunked::is_promised(layer) {
            return chunked::fetch(source, layer);
        }
        if estargz::is_promised(layer) { estargz::fetch(source, layer) } else { Err(TableError::Annotation) }
    }

    /// What the layer does to the file system, by the table's word.
    fn index(self, format: ObjectFormat, budget: &Budget) -> Result<LayerIndex, TableError> {
        let mut layer = LayerIndex::default();
        entries::walk(&self.json, self.end, |item| {
            let change = index::change(item.header, |_, size, mtime| {
                let sha256 = item.sha256;
                Ok(FileContent { size, blob: blob(size, format), sha256, mtime, position: FileContent::UNPLACED })
            })?;
            Ok(layer.extend(change, budget)?)
        })?;
        if let Some(own) = self.own {
            let id = BlobId::of(&self.json, format).map_err(|_| LayerFault::Deceit)?;
            let change = index::change(own.header, |_, size, mtime| {
                let sha256 = own.sha256;
                Ok(FileContent { size, blob: id, sha256, mtime, position: FileContent::UNPLACED })
            })?;
            layer.extend(change, budget)?;
        }
        layer.changes.shrink_to_fit();
        Ok(layer)
    }
}

/// Of empty files the id is known.
fn blob(size: u64, format: ObjectFormat) -> BlobId {
    let empty = (size == 0).then(|| BlobId::of(b"", format).ok()).flatten();
    empty.unwrap_or_else(|| BlobId::unknown(format))
}

/// The digest in the annotation `key`.
fn digest_in(layer: &Descriptor, key: &str) -> Result<Digest, TableError> {
    layer.annotations.get(key).and_then(|text| text.parse().ok()).ok_or(TableError::Annotation)
}

/// A part of the layer's stored bytes.
fn part(source: &dyn Source, layer: &Descriptor, start: u64, end: u64) -> Result<Vec<u8>, TableError> {
    if start >= end || end > layer.size {
        return Err(TableError::Outside);
    }
    source::range(source, layer, &(start..end))?.ok_or(TableError::NoParts)
}

/// All of `reader`, if it is no more than a table may have.
fn bounded(reader: impl Read) -> Result<Vec<u8>, TableError> {
    let mut bytes = Vec::new();
    let count = reader.take(limits::TABLE_BYTES + 1).read_to_end(&mut bytes).map_err(TableError::Unreadable)?;
    if count as u64 > limits::TABLE_BYTES { Err(TableError::TooLarge) } else { Ok(bytes) }
}

/// The SHA-256 of `bytes`.
fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

/// Whoever is handed contents.
type Deliver<'a> = dyn FnMut(&FileContent, &mut dyn Read) -> io::Result<()> + 'a;
