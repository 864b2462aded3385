//! `shipproof extract`

use crate::cli::{Extract, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::extract::{self, Existing, Item, ItemKind, Items};
use crate::lookup;
use crate::report::{ListedEntry, listing_json, listing_text};
use crate::tree::NodeKind;

use super::setup::{Inspected, inspect};
use super::{Process, files, output};

/// Writes the files, and lists them as `ls` does. Nothing is written unless everything named exists.
pub(super) fn run(args: &Extract, process: &Process) -> Result<Exit, Error> {
    let names = files::arguments(&args.files)?;
    let inspected = inspect(&args.image, &args.read, process)?;
    let Items { items, special } = Items::of(&inspected.tree, &lookup::entries(&inspected.tree, &names)?)?;
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    extract::extract(inspected.source.as_ref(), &inspected.image, &items, &args.directory, existing)?;
    for path in &special {
        output::note(&args.output, &format!("{path} is a device or a fifo and was left out"));
    }
    for item in &items {
        say_rewritten(args, &inspected, item);
    }
    report(args, &inspected, &items)?;
    Ok(Exit::Agrees)
}

fn say_rewritten(args: &Extract, inspected: &Inspected, item: &Item) {
    if let (ItemKind::Symlink(written), NodeKind::Symlink(target)) = (&item.kind, &inspected.tree.node(item.node).kind)
        && written[..] != target[..]
    {
        let [target, written] = [target, written.as_slice()].map(String::from_utf8_lossy);
        output::note(&args.output, &format!("{} -> {target} was written as {written}, which stays inside", item.path));
    }
}

fn report(args: &Extract, inspected: &Inspected, items: &[Item]) -> Result<(), Error> {
    if args.output.quiet && args.output.format == Format::Text {
        return Ok(());
    }
    let entry = |item: &Item| ListedEntry { path: item.path.clone(), node: inspected.tree.node(item.node) };
    let entries = items.iter().map(entry);
    let shown = inspected.shown(&args.image);
    output::stream(&args.output, |out| match args.output.format {
        Format::Text => listing_text(entries, out),
        Format::Json => listing_json(&shown, entries, out),
    })
}
