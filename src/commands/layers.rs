//! `shipproof layers`

use crate::cli::{Format, Layers};
use crate::error::Error;
use crate::exit::Exit;
use crate::layer::{Change, EntryKind, LayerIndex};
use crate::report::{LayerRow, layers_json, layers_text};

use super::{Process, output, setup};

/// Lists the layers with what they put and remove.
pub(super) fn run(args: &Layers, process: &Process) -> Result<Exit, Error> {
    let inspected = setup::inspect(&args.image, &args.read, process)?;
    let row = |layer| {
        let index = inspected.indexes.get(&crate::image::Layer::digest(layer));
        let (files, whiteouts) = index.map(|index| count(index)).unwrap_or_default();
        LayerRow { layer, files, whiteouts }
    };
    let rows: Vec<LayerRow<'_>> = inspected.image.layers.iter().map(row).collect();
    let bytes = match args.output.format {
        Format::Text => layers_text(&rows),
        Format::Json => layers_json(&inspected.shown(&args.image), &rows),
    };
    output::write(&args.output, &bytes)?;
    Ok(Exit::Agrees)
}

/// Files and links put, paths removed.
fn count(index: &LayerIndex) -> (usize, usize) {
    let puts = |change: &&Change| matches!(change, Change::Put(entry) if entry.kind != EntryKind::Directory);
    let files = index.changes.iter().filter(puts).count();
    let whiteouts = index.changes.iter().filter(|change| !matches!(change, Change::Put(_))).count();
    (files, whiteouts)
}
