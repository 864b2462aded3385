//! The command line tool: parse, build the runtime, run, exit code.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use shipproof::{cli::Cli, commands, exit::Exit};

/// Threads for network requests; everything else runs on threads of its own.
const NETWORK_THREADS: usize = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(NETWORK_THREADS).enable_all().build();
    match runtime {
        Ok(runtime) => commands::run(&cli, &commands::Process::here(runtime.handle().clone())).into(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: cannot start threads: {error}");
            Exit::CouldNotTell.into()
        }
    }
}
