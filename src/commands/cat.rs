//! `shipproof cat`

use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use crate::cli::Cat;
use crate::error::Error;
use crate::exit::Exit;
use crate::layer;
use crate::path::ImagePath;
use crate::report::escape::escape_bytes;
use crate::tree::{FileTree, NodeKind, Stored};

use super::Process;
use super::setup::{Inspected, inspect};

/// Prints the files in the order named. Nothing is printed unless all of them exist.
pub(super) fn run(args: &Cat, process: &Process) -> Result<Exit, Error> {
    let inspected = inspect(&args.image, &args.read, process)?;
    let find = |name: &std::ffi::OsString| find(&inspected.tree, name.as_bytes());
    let files = args.files.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    files.iter().try_for_each(|stored| print(&inspected, stored))?;
    Ok(Exit::Agrees)
}

fn print(inspected: &Inspected, stored: &Stored) -> Result<(), Error> {
    let Some(layer) = inspected.image.layers.get(stored.layer) else { return Ok(()) };
    let mut stdout = std::io::stdout().lock();
    let source = inspected.source.as_ref();
    layer::contents(source, &layer.descriptor, &[stored.content], &mut |_, contents| {
        std::io::copy(contents, &mut stdout)?;
        stdout.flush()
    })?;
    Ok(())
}

/// The file at an absolute path, or the only one whose path ends in `name`.
fn find(tree: &FileTree, name: &[u8]) -> Result<Stored, Error> {
    if name.starts_with(b"/") {
        let found = tree.lookup(&ImagePath::clean(name))?;
        let stored = found.map(|found| regular(tree, found.id).ok_or_else(|| not_a_file(name))).transpose()?;
        return stored.ok_or_else(|| no_match(name));
    }
    let wanted = ImagePath::clean(name);
    let ends_so = |path: &ImagePath| {
        let mut names = path.components().rev();
        wanted.components().rev().all(|wanted| names.next() == Some(wanted))
    };
    let all = tree.all().into_iter().filter(|(path, _)| ends_so(path));
    let files: Vec<(ImagePath, Stored)> = all.filter_map(|(path, id)| Some((path, regular(tree, id)?))).collect();
    let (_, first) = files.first().ok_or_else(|| no_match(name))?;
    if files.iter().all(|(_, stored)| stored.content.sha256 == first.content.sha256) {
        return Ok(*first);
    }
    let paths = files.iter().map(|(path, _)| escape_bytes(&[b"/", path.as_bytes()].concat())).collect();
    Err(Error::AmbiguousName { name: escape_bytes(name), paths })
}

fn regular(tree: &FileTree, id: crate::tree::NodeId) -> Option<Stored> {
    match &tree.node(id).kind {
        NodeKind::Regular(stored) => Some(*stored),
        _ => None,
    }
}

fn no_match(name: &[u8]) -> Error {
    Error::NoMatch(escape_bytes(name))
}

fn not_a_file(name: &[u8]) -> Error {
    Error::Usage(format!("{} is no regular file", escape_bytes(name)))
}
