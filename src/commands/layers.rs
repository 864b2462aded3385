//! `shipproof layers`

use crate::cli::{Format, Layers};
use crate::error::Error;
use crate::exit::Exit;
use crate::identify::LayerIdentity;
use crate::image::Image;
use crate::layer::{Change, EntryKind, Indexes, LayerIndex};
use crate::repo::RepoError;
use crate::report::{LayerRow, OneImage, layers_in_history_text, layers_json, layers_text};
use crate::verify::Depth;

use super::comparison::{Compared, Typed};
use super::{Process, output, setup};

/// Lists the layers with what they put and remove and, where a repository knows their files, with their commits.
pub(super) fn run(args: &Layers, process: &Process) -> Result<Exit, Error> {
    match in_history(args, process)? {
        Some(compared) => with_commits(args, &compared)?,
        None => {
            let inspected = setup::inspect(&args.image, &args.read, process)?;
            let rows = rows(&inspected.image, &inspected.indexes, &[]);
            let bytes = match args.output.format {
                Format::Text => layers_text(&rows),
                Format::Json => layers_json(&inspected.shown(&args.image), &rows),
            };
            output::write(&args.output, &bytes)?;
        }
    }
    Ok(Exit::Agrees)
}

/// The comparison with the repository; `None` where there is none, or none that has to do with the image.
fn in_history(args: &Layers, process: &Process) -> Result<Option<Compared>, Error> {
    let (compare, read) = (&args.compare, &args.read);
    let typed = Typed { image: &args.image, files: &[], compare, read, depth: Depth::History, said: &[] };
    let repository = match typed.repository() {
        // Nobody asked for one.
        Err(RepoError::NotARepository(_)) if compare.repo.is_none() => return Ok(None),
        other => other?,
    };
    match typed.compare_with(repository, process) {
        Ok(compared) => Ok(Some(compared)),
        Err(error @ (Error::Mapping(_) | Error::NothingCompared { .. } | Error::OnlyUntracked)) => {
            output::note(&args.output, &format!("the repository tells nothing of these layers: {}", error.chain()));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn with_commits(args: &Layers, compared: &Compared) -> Result<(), Error> {
    let verification = &compared.verification;
    let revision = verification.git.commit.as_ref().map_or("work tree", |commit| commit.short.as_str());
    let mut report = Vec::new();
    if let Some(trust) = &verification.trust {
        output::note(&args.output, trust);
    }
    for (position, result) in verification.platforms.iter().enumerate() {
        let rows = rows(&result.image, &verification.indexes, &result.layers);
        let pinned = &verification.opened.pinned;
        let platform = &result.image.platform;
        let warnings = compared.source.warnings().into_iter().chain(verification.trust.clone()).collect();
        let shown = OneImage { reference: &args.image, pinned, platform, warnings };
        match args.output.format {
            // One document holds one image, as without a repository.
            Format::Json if position > 0 => {}
            Format::Json => report.extend(layers_json(&shown, &rows)),
            Format::Text => {
                let several = verification.platforms.len() > 1;
                if several {
                    report.extend(format!("{}\n", result.image.platform).bytes());
                }
                report.extend(layers_in_history_text(&rows, revision));
            }
        }
    }
    output::write(&args.output, &report)
}

fn rows<'a>(image: &'a Image, indexes: &Indexes, identities: &'a [LayerIdentity]) -> Vec<LayerRow<'a>> {
    let row = |layer: &'a crate::image::Layer| {
        let (files, whiteouts) = indexes.get(&layer.digest()).map(|index| count(index)).unwrap_or_default();
        let brought = identities.iter().find(|identity| identity.layer == layer.index);
        LayerRow { layer, files, whiteouts, brought: brought.map(|brought| &brought.identity) }
    };
    image.layers.iter().map(row).collect()
}

/// Files and links put, paths removed.
fn count(index: &LayerIndex) -> (usize, usize) {
    let puts = |change: &&Change| matches!(change, Change::Put(entry) if entry.kind != EntryKind::Directory);
    let files = index.changes.iter().filter(puts).count();
    let whiteouts = index.changes.iter().filter(|change| !matches!(change, Change::Put(_))).count();
    (files, whiteouts)
}
