//! `shipproof ls`

use std::os::unix::ffi::OsStrExt as _;

use crate::cli::{Format, Ls};
use crate::error::Error;
use crate::exit::Exit;
use crate::path::ImagePath;
use crate::report::escape::escape_bytes;
use crate::report::{ListedEntry, listing_json, listing_text};
use crate::tree::NodeKind;

use super::{Process, output, setup};

/// Lists everything below a directory, or one file.
pub(super) fn run(args: &Ls, process: &Process) -> Result<Exit, Error> {
    let inspected = setup::inspect(&args.image, &args.read, process)?;
    let tree = &inspected.tree;
    let name = args.directory.as_bytes();
    let found = tree.lookup(&ImagePath::clean(name))?.ok_or_else(|| Error::NoMatch(escape_bytes(name)))?;
    let itself = match tree.node(found.id).kind {
        NodeKind::Directory(_) => None,
        _ => Some((found.path.clone(), found.id)),
    };
    let nodes = tree.below(&found).chain(itself);
    let entries = nodes.map(|(path, id)| ListedEntry { path, node: tree.node(id) });
    let shown = inspected.shown(&args.image);
    output::stream(&args.output, |out| match args.output.format {
        Format::Text => listing_text(entries, out),
        Format::Json => listing_json(&shown, entries, out),
    })?;
    Ok(Exit::Agrees)
}
