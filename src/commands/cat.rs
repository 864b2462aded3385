//! `shipproof cat`

use std::io::{Read, Write as _};

use crate::cli::Cat;
use crate::error::Error;
use crate::exit::Exit;
use crate::layer::{self, Kept};
use crate::lookup;
use crate::tree::Stored;

use super::Process;
use super::files;
use super::setup::{Inspected, inspect_files};

/// Prints the files in the order named. Nothing is printed unless all of them exist.
pub(super) fn run(args: &Cat, process: &Process) -> Result<Exit, Error> {
    let names = files::arguments(&args.files)?;
    let (inspected, mut kept) = inspect_files(&args.image, &args.read, process, &names)?;
    let files = names.iter().map(|name| lookup::file(&inspected.tree, name)).collect::<Result<Vec<_>, _>>()?;
    files.iter().try_for_each(|stored| print(&inspected, &mut kept, stored))?;
    Ok(Exit::Agrees)
}

/// Prints what was kept when the layer was read, or reads it again.
fn print(inspected: &Inspected, kept: &mut Kept, stored: &Stored) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    let mut copy = |contents: &mut dyn Read| {
        std::io::copy(contents, &mut stdout)?;
        stdout.flush()
    };
    match kept.reader(&stored.content).map_err(Error::Kept)? {
        Some(mut contents) => {
            copy(&mut contents).map_err(|error| Error::Stream { stream: "standard output", source: error })?
        }
        None => layer::gather(&[inspected.wanted(stored)], &mut |_, contents| copy(contents))?,
    }
    Ok(())
}
