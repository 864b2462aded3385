//! Where reports go.

use std::io::Write as _;

use crate::cli::{Color, OutputArgs};
use crate::error::Error;
use crate::report::{Detail, Style};

use super::Process;

/// How the report is to look.
pub(super) fn style(args: &OutputArgs, process: &Process) -> Style {
    let detail = match (args.quiet, args.verbose) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Verbose,
        _ => Detail::Normal,
    };
    let colored = match args.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => process.stdout_colored && args.output.is_none(),
    };
    Style { detail, colored }
}

/// Writes a report to where the user wants it.
pub(super) fn write(args: &OutputArgs, bytes: &[u8]) -> Result<(), Error> {
    match &args.output {
        None => print(bytes),
        Some(path) => {
            std::fs::write(path, bytes).map_err(|source| Error::File { path: path.clone(), verb: "written", source })
        }
    }
}

/// Writes to standard output. A reader that went away is an error: whoever checks must not take silence for a pass.
pub(super) fn print(bytes: &[u8]) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    written.map_err(|source| Error::Stream { stream: "standard output", source })
}
