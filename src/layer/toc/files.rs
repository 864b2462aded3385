//! Files of a layer, read through its table: the parts that hold them and no others.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Range;

use crate::compression::decompress;
use crate::descriptor::Descriptor;
use crate::source::Source;

use super::super::content::Held;
use super::super::{FileContent, LayerFault};
use super::entries::{self, Chunk};
use super::parts::Parts;
use super::{Deliver, Table, TableError};

/// Reads the files `wanted` and hands each to `deliver` once it has the SHA-256 that is wanted. What the table does not
/// lead to comes back, for whoever reads the whole layer.
///
/// # Errors
/// [`LayerFault::Write`] with what `deliver` fails with.
pub(in crate::layer) fn contents(
    source: &dyn Source,
    layer: &Descriptor,
    wanted: &[FileContent],
    deliver: &mut Deliver<'_>,
) -> Result<Vec<FileContent>, LayerFault> {
    let mut wanted: BTreeMap<[u8; 32], FileContent> = wanted.iter().map(|content| (content.sha256, *content)).collect();
    let Ok(places) = places(source, layer, &wanted) else { return Ok(wanted.into_values().collect()) };
    let ranges = places.iter().flat_map(|place| &place.parts).map(|(_, range)| range.clone()).collect();
    let mut parts = Parts::new(source, layer, ranges);
    for place in places {
        // Whatever goes wrong here, the layer itself is still to be read.
        if let Ok(Some(mut proven)) = place.read(&mut parts) {
            deliver(&place.content, &mut proven).map_err(LayerFault::Write)?;
            wanted.remove(&place.content.sha256);
        }
    }
    Ok(wanted.into_values().collect())
}

/// Where a file is.
struct Place {
    content: FileContent,
    /// Its parts, and the stored bytes that have each of them.
    parts: Vec<(Chunk, Range<u64>)>,
}

/// Where the table says that the files `wanted` are, in the order of the layer.
fn places(
    source: &dyn Source,
    layer: &Descriptor,
    wanted: &BTreeMap<[u8; 32], FileContent>,
) -> Result<Vec<Place>, TableError> {
    let Table { json, own: _, end } = Table::fetch(source, layer)?;
    let (mut found, mut offsets) = (BTreeMap::new(), vec![end]);
    entries::walk(&json, end, |item| {
        offsets.extend(item.chunks.iter().map(|chunk| chunk.offset));
        if let Some(content) = wanted.get(&item.sha256) {
            found.entry(item.sha256).or_insert((*content, item.chunks));
        }
        Ok(())
    })?;
    offsets.sort_unstable();
    // A compressed stream ends where the next one begins at the latest.
    let end_of = |chunk: &Chunk| offsets[offsets.partition_point(|offset| *offset <= chunk.offset)];
    let place = |(content, chunks): (FileContent, Vec<Chunk>)| Place {
        content,
        parts: chunks.into_iter().map(|chunk| (chunk, chunk.offset..end_of(&chunk))).collect(),
    };
    let mut places: Vec<Place> = found.into_values().map(place).collect();
    places.sort_by_key(|place| place.parts.first().map(|(chunk, _)| (chunk.offset, chunk.skip)));
    Ok(places)
}

impl Place {
    /// The file's contents, if they are the ones wanted.
    fn read(&self, parts: &mut Parts<'_>) -> io::Result<Option<impl Read + use<>>> {
        let mut held = Held::default();
        for (chunk, range) in &self.parts {
            let mut plain = decompress(parts.reader(range.clone()))?;
            io::copy(&mut plain.by_ref().take(chunk.skip), &mut io::sink())?;
            io::copy(&mut plain.take(chunk.size), &mut held)?;
        }
        held.proven(&self.content)
    }
}
