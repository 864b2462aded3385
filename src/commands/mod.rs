//! One file a subcommand: from what was typed, through a plan, to bytes and an exit code.

mod cat;
mod files;
mod layers;
mod ls;
mod output;
mod setup;
mod verify;

use std::io::Write as _;

use crate::cli::{Cli, Command};
use crate::error::Error;
use crate::exit::Exit;
use crate::report;

pub use setup::Process;

/// Runs a command to its end.
pub fn run(cli: &Cli, process: &Process) -> Exit {
    let done = match &cli.command {
        Command::Verify(args) => return verify::run(args, process),
        Command::Cat(args) => cat::run(args, process),
        Command::Ls(args) => ls::run(args, process),
        Command::Layers(args) => layers::run(args, process),
    };
    done.unwrap_or_else(|error| {
        complain(&error, process.stderr_colored);
        match error {
            Error::NoMatch(_) => Exit::Differs,
            _ => Exit::CouldNotTell,
        }
    })
}

/// Says on standard error what went wrong. Where that is closed, too, the exit code has to do.
fn complain(error: &Error, colored: bool) {
    let _ = std::io::stderr().write_all(&report::error_text(error, colored));
}
