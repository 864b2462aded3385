//! Reading layers: several at once, the ones in the cache not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::blob::ObjectFormat;
use crate::cache::Cache;
use crate::compression::decompress;
use crate::descriptor::Descriptor;
use crate::digest::LayerDigest;
use crate::limits;
use crate::source::{self, Source, Verified};

use super::ahead::{self, Pump};
use super::budget::Budget;
use super::index::{self, Keep};
use super::watch::Watched;
use super::{Event, Kept, LayerError, LayerFault, LayerIndex, Watch, cache};

/// Indexes by the digest of their layer.
pub type Indexes = BTreeMap<LayerDigest, Arc<LayerIndex>>;

/// How much of the machine reading layers may take, and what they need not be read for.
#[derive(Clone, Debug)]
pub struct Effort {
    /// Layers read at once.
    pub jobs: usize,
    /// Bytes that the indexes may take up, and again the file system merged from them.
    pub memory: usize,
    /// Where indexes are kept.
    pub cache: Cache,
    /// Who is told what happens.
    pub watch: Watch,
}

impl Default for Effort {
    /// One layer after the other, and [`limits::INDEX_BYTES`]; nothing is kept, and nobody is told.
    fn default() -> Self {
        Self { jobs: 1, memory: limits::INDEX_BYTES, cache: Cache::off(), watch: Watch::default() }
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
    effort: &Effort,
) -> Result<Indexes, LayerError> {
    index_keeping(source, layers, format, effort, &[]).map(|(indexes, _)| indexes)
}

/// The same, and the contents of files with one of the names `keep`, from the layers that are not in the cache.
///
/// # Errors
/// See [`index_all`].
pub fn index_keeping(
    source: &dyn Source,
    layers: &[&Descriptor],
    format: ObjectFormat,
    effort: &Effort,
    keep: &[&[u8]],
) -> Result<(Indexes, Kept), LayerError> {
    let layers = in_order(layers, |layer| cache::has(&effort.cache, layer, format));
    Reader { source, format, effort, budget: Budget::new(effort.memory) }.all(&layers, keep)
}

/// What reading from the top down led to.
#[derive(Debug)]
pub struct Upper {
    /// The indexes of the layers that were needed, lowest first.
    pub layers: Vec<Arc<LayerIndex>>,
    /// The contents of files with the names that were asked for, from those that were not in the cache.
    pub kept: Kept,
}

/// Reads `layers` (lowest first) from the top down, until `enough` says of the indexes so far (lowest first) that no
/// other is needed. Contents of files with one of the names `keep` are kept when they come by. The more layers did not
/// suffice, the more are read at once, as far as [`Effort::jobs`] allows.
///
/// # Errors
/// The [`LayerError`] of a layer that failed.
pub fn index_down(
    source: &dyn Source,
    layers: &[&Descriptor],
    format: ObjectFormat,
    effort: &Effort,
    keep: &[&[u8]],
    mut enough: impl FnMut(&[Arc<LayerIndex>]) -> bool,
) -> Result<Upper, LayerError> {
    let reader = Reader { source, format, effort, budget: Budget::new(effort.memory) };
    let (mut known, mut kept) = (Indexes::new(), Kept::default());
    let (mut upper, mut lowest) = (Vec::new(), layers.len());
    while lowest > 0 && (upper.is_empty() || !enough(&upper)) {
        let count = upper.len().clamp(1, effort.jobs.max(1)).min(lowest);
        let next = &layers[lowest - count..lowest];
        let new: Vec<_> = next.iter().copied().filter(|layer| !known.contains_key(&layer.layer_digest())).collect();
        let (indexes, more) = reader.all(&in_order(&new, |_| false), keep)?;
        known.extend(indexes);
        kept.join(more);
        let index = |layer: &&Descriptor| known.get(&layer.layer_digest()).map(Arc::clone);
        upper.splice(0..0, next.iter().filter_map(index));
        lowest -= count;
    }
    layers[..lowest].iter().for_each(|layer| effort.watch.tell(layer, Event::Skipped));
    Ok(Upper { layers: upper, kept })
}

/// Each layer once: first those that have to be read, the largest before the others, so that no long one is left to
/// trail when all else is done.
fn in_order<'a>(layers: &[&'a Descriptor], is_cached: impl Fn(&Descriptor) -> bool) -> Vec<&'a Descriptor> {
    let mut seen = BTreeSet::new();
    let mut layers: Vec<_> = layers.iter().copied().filter(|layer| seen.insert(&layer.digest)).collect();
    layers.sort_by_cached_key(|layer| (is_cached(layer), u64::MAX - layer.size));
    layers
}

/// What reading one layer takes.
struct Reader<'a> {
    source: &'a dyn Source,
    format: ObjectFormat,
    effort: &'a Effort,
    budget: Budget,
}

impl Reader<'_> {
    /// The indexes of `layers`, as many at once as allowed, begun in their order.
    fn all(&self, layers: &[&Descriptor], keep: &[&[u8]]) -> Result<(Indexes, Kept), LayerError> {
        let next = AtomicUsize::new(0);
        let work = || {
            let (mut keep, mut indexes) = (Keep { named: keep, kept: Kept::default() }, Indexes::new());
            while let Some(layer) = layers.get(next.fetch_add(1, Ordering::Relaxed)) {
                let index =
                    self.index(layer, &mut keep).inspect_err(|_| next.store(layers.len(), Ordering::Relaxed))?;
                indexes.insert(layer.layer_digest(), Arc::new(index));
            }
            Ok((indexes, keep.kept))
        };
        std::thread::scope(|scope| {
            let count = self.effort.jobs.clamp(1, layers.len().max(1));
            let workers: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
            let done = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
            done.reduce(|one, other| {
                let ((mut indexes, mut kept), (more_indexes, more_kept)) = (one?, other?);
                indexes.extend(more_indexes);
                kept.join(more_kept);
                Ok((indexes, kept))
            })
            .unwrap_or_else(|| Ok(Default::default()))
        })
    }

    /// The index of a layer, from the cache or from its bytes, which are proven.
    fn index(&self, layer: &Descriptor, keep: &mut Keep<'_>) -> Result<LayerIndex, LayerError> {
        let Effort { cache, watch, .. } = self.effort;
        if let Some(index) = cache::read(cache, layer, self.format, &self.budget) {
            watch.tell(layer, Event::Cached);
            return Ok(index);
        }
        let index = self.read(layer, keep).inspect_err(|_| watch.tell(layer, Event::Failed))?;
        watch.tell(layer, Event::Read);
        cache::write(cache, layer, self.format, &index);
        Ok(index)
    }

    /// Reads a layer: its bytes are proven and uncompressed on one thread, its entries hashed on another.
    fn read(&self, layer: &Descriptor, keep: &mut Keep<'_>) -> Result<LayerIndex, LayerError> {
        let wrap = |fault| LayerError::new(layer, fault);
        let stored = source::blob(self.source, layer).map_err(|error| wrap(error.into()))?;
        let watch = &self.effort.watch;
        let (pump, ahead) = ahead::ends();
        let (outcome, proof) = std::thread::scope(|scope| {
            let unpacking = scope.spawn(move || unpack(stored, pump, layer, watch));
            let outcome = index::index(ahead, self.format, &self.budget, keep);
            (outcome, unpacking.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        // A layer with other bytes is the cause of whatever its tar failed with, so the proof speaks first.
        match proof {
            Err(error) => Err(wrap(LayerFault::Stored(error))),
            Ok(()) => outcome.map_err(wrap),
        }
    }
}

/// Uncompresses what `stored` has into `pump`; whether it is the layer is known at its end, which is reached whatever its
/// tar is like.
fn unpack(mut stored: Verified<impl Read + Send>, pump: Pump, layer: &Descriptor, watch: &Watch) -> io::Result<()> {
    match decompress(Watched { inner: &mut stored, layer, watch }) {
        Ok(plain) => pump.run(plain),
        Err(error) => pump.fail(error),
    }
    stored.finish()
}

#[cfg(test)]
mod tests {
    use crate::digest::Digest;

    use super::*;

    #[test]
    fn large_layers_come_first_and_cached_ones_last() {
        let layer = |name: &str, size| Descriptor {
            media_type: String::new(),
            digest: Digest::of(name.as_bytes()),
            size,
            platform: None,
            annotations: BTreeMap::new(),
        };
        let [small, large, cached, middle] =
            [layer("small", 1), layer("large", 9), layer("cached", 20), layer("middle", 5)];
        let listed = [&small, &large, &cached, &middle, &large];
        let sizes = in_order(&listed, |layer| layer.digest == cached.digest).into_iter().map(|layer| layer.size);
        assert_eq!(sizes.collect::<Vec<_>>(), [9, 5, 1, 20]);
    }
}
