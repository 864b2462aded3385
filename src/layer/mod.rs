//! What a layer says: its entries, read in one pass, and only believed when the whole layer is proven.

mod budget;
mod content;
mod error;
mod gather;
mod index;
mod tar;
mod whiteout;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::blob::ObjectFormat;
use crate::descriptor::Descriptor;
use crate::digest::LayerDigest;
use crate::limits;
use crate::source::{self, Source};

use self::budget::Budget;

pub use content::contents;
pub use error::{LayerError, LayerFault, MORE_MEMORY};
pub use gather::{Wanted, gather};
pub use index::{Change, Entry, EntryKind, FileContent, LayerIndex};
pub use tar::TarError;

/// Indexes by the digest of their layer.
pub type Indexes = BTreeMap<LayerDigest, Arc<LayerIndex>>;

/// How much of the machine reading layers may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Layers read at once.
    pub jobs: usize,
    /// Bytes that the indexes may take up, and again the file system merged from them.
    pub memory: usize,
}

impl Default for Effort {
    /// One layer after the other, and [`limits::INDEX_BYTES`].
    fn default() -> Self {
        Self { jobs: 1, memory: limits::INDEX_BYTES }
    }
}

/// Reads every layer among `layers` once, however often it is listed.
///
/// # Errors
/// The [`LayerError`] of a layer that failed; the others are not begun then.
pub fn index_all(
    source: &dyn Source,
    layers: &[&Descriptor],
    format: ObjectFormat,
    effort: Effort,
) -> Result<Indexes, LayerError> {
    let mut unique: Vec<&Descriptor> = Vec::new();
    for layer in layers {
        if !unique.iter().any(|other| other.digest == layer.digest) {
            unique.push(layer);
        }
    }
    let (next, budget) = (AtomicUsize::new(0), Budget::new(effort.memory));
    let results = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..effort.jobs.clamp(1, unique.len().max(1)) {
            scope.spawn(|| {
                while let Some(layer) = unique.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = index_one(source, layer, format, &budget);
                    let failed = result.is_err();
                    let key = LayerDigest(layer.digest.clone());
                    results.lock().unwrap_or_else(PoisonError::into_inner).insert(key, result);
                    if failed {
                        next.store(unique.len(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().map(|(digest, result)| Ok((digest, Arc::new(result?)))).collect()
}

fn index_one(
    source: &dyn Source,
    layer: &Descriptor,
    format: ObjectFormat,
    budget: &Budget,
) -> Result<LayerIndex, LayerError> {
    let wrap = |fault: LayerFault| LayerError { digest: LayerDigest(layer.digest.clone()), fault: Box::new(fault) };
    let mut stored = source::blob(source, layer).map_err(|error| wrap(error.into()))?;
    let outcome = index::index(&mut stored, format, budget);
    // A layer with other bytes is the cause of whatever its tar failed with, so the proof speaks first.
    match stored.finish() {
        Err(error) => Err(wrap(LayerFault::Stored(error))),
        Ok(()) => outcome.map_err(wrap),
    }
}
