//! One file a subcommand: from what was typed, through a plan, to bytes and an exit code.

mod cache;
mod cat;
mod comparison;
mod configuration;
mod contains;
mod content;
mod deployed;
mod diff;
mod extract;
mod files;
mod grep;
mod identify;
mod init;
mod layers;
mod ls;
mod output;
mod preflight;
mod progress;
mod setup;
mod verify;

use std::io::Write as _;

use crate::cache::Cache;
use crate::cli::{Cli, Command, Format, OutputArgs};
use crate::error::Error;
use crate::exit::Exit;
use crate::report::escape::escape;
use crate::report::{self, Detail};

use progress::{Progress, Show};
pub use setup::Process;

/// Runs a command to its end.
pub fn run(cli: &Cli, process: &Process) -> Exit {
    let is_verbose = cli.command.detail() == Detail::Verbose;
    let progress = Progress::new(show(&cli.command, process), is_verbose);
    let process = &surroundings(&cli.command, &progress, process);
    let exit = run_command(cli, process);
    if is_verbose {
        let notes = progress.summary().into_iter().chain(process.cache.trouble().map(str::to_owned));
        notes.for_each(|note| progress.say(&format!("note: {}", escape(&note))));
    }
    exit
}

/// How progress is shown.
fn show(command: &Command, process: &Process) -> Show {
    match (command.detail(), process.stderr_is_terminal, process.is_ci) {
        (Detail::Quiet, ..) | (_, false, false) => Show::Nothing,
        (_, true, _) => Show::Bars,
        (_, false, true) => Show::Lines,
    }
}

/// What a command has around it, as its arguments want it.
fn surroundings(command: &Command, progress: &Progress, process: &Process) -> Process {
    let cache = match command.read() {
        Some(args) if !args.no_cache => process.cache(&args.cache),
        _ => Cache::off(),
    };
    let observer = output::observer(command.detail(), progress, &process.warnings);
    Process { observer, cache, watch: progress.watch(), ..process.clone() }
}

fn run_command(cli: &Cli, process: &Process) -> Exit {
    let done = match &cli.command {
        Command::Verify(args) => return verify::run(args, process),
        Command::Identify(args) => return identify::run(args, process),
        Command::Contains(args) => return contains::run(args, process),
        Command::Init(args) => init::run(args, process),
        Command::Deployed(args) => deployed::run(args, process),
        Command::Preflight(args) => preflight::run(args, process),
        Command::Cat(args) => cat::run(args, process),
        Command::Ls(args) => ls::run(args, process),
        Command::Grep(args) => grep::run(args, process),
        Command::Extract(args) => extract::run(args, process),
        Command::Diff(args) => diff::run(args, process),
        Command::Layers(args) => layers::run(args, process),
        Command::Cache(args) => cache::run(args, process),
    };
    done.unwrap_or_else(|error| {
        complain(&error, process.stderr_colored);
        report_failure(&cli.command, &error, process);
        match (&cli.command, error) {
            (Command::Cat(_) | Command::Ls(_) | Command::Extract(_), Error::NoMatch(_)) => Exit::Differs,
            _ => Exit::CouldNotTell,
        }
    })
}

/// Reports for programs are written whatever happens, except where writing is what failed.
fn report_failure(command: &Command, error: &Error, process: &Process) {
    if let Some(args) = command.output() {
        report_failure_in(args, error, process);
    }
}

fn report_failure_in(args: &OutputArgs, error: &Error, process: &Process) {
    if args.format == Format::Json
        && !output::is_broken(error)
        && let Err(error) = output::write(args, &report::failure_json(error, process.warnings.texts()))
    {
        complain(&error, process.stderr_colored);
    }
}

/// Says on standard error what went wrong. Where that is closed, too, the exit code has to do.
fn complain(error: &Error, colored: bool) {
    let _ = std::io::stderr().write_all(&report::error_text(error, colored));
}
