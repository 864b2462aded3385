//! `shipproof preflight`

use std::path::PathBuf;

use crate::cli::{Format, Preflight};
use crate::error::Error;
use crate::exit::Exit;
use crate::preflight::{self, Options};
use crate::report;

use super::setup::{self, inspect};
use super::{Process, output};

/// Runs the command.
pub(super) fn run(args: &Preflight, process: &Process) -> Result<Exit, Error> {
    let requirements = args.requirements.iter().map(list).collect::<Result<_, _>>()?;
    let inspected = inspect(&args.image, &args.read, process)?;
    let options = Options { requirements };
    let found = preflight::check(inspected.source.as_ref(), &inspected.image, &inspected.tree, &options)?;
    let (shown, image) = (inspected.shown(&args.image), &inspected.image);
    match args.output.format {
        Format::Json => output::write(&args.output, &report::preflight_json(&shown, image, &found))?,
        Format::Text => {
            let style = output::style(&args.output, process);
            output::write(&args.output, &report::preflight_text(&shown, image, &found, style))?;
        }
    }
    Ok(if found.is_ready() { Exit::Agrees } else { Exit::Differs })
}

fn list(path: &PathBuf) -> Result<(String, String), Error> {
    let text = String::from_utf8_lossy(&setup::read_file(path)?).into_owned();
    Ok((path.display().to_string(), text))
}
