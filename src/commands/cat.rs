//! `shipproof cat`

use std::io::Write as _;

use crate::cli::Cat;
use crate::error::Error;
use crate::exit::Exit;
use crate::layer;
use crate::lookup;
use crate::tree::Stored;

use super::Process;
use super::files;
use super::setup::{Inspected, inspect};

/// Prints the files in the order named. Nothing is printed unless all of them exist.
pub(super) fn run(args: &Cat, process: &Process) -> Result<Exit, Error> {
    let names = files::arguments(&args.files)?;
    let inspected = inspect(&args.image, &args.read, process)?;
    let files = names.iter().map(|name| lookup::file(&inspected.tree, name)).collect::<Result<Vec<_>, _>>()?;
    files.iter().try_for_each(|stored| print(&inspected, stored))?;
    Ok(Exit::Agrees)
}

fn print(inspected: &Inspected, stored: &Stored) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    layer::gather(&[inspected.wanted(stored)], &mut |_, contents| {
        std::io::copy(contents, &mut stdout)?;
        stdout.flush()
    })?;
    Ok(())
}
