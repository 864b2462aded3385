//! Where reports go.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::{Color, OutputArgs};
use crate::error::Error;
use crate::report::escape::escape;
use crate::report::{Detail, Style};
use crate::source::{Notice, Observer};

use super::Process;
use super::progress::Progress;

/// How the report is to look.
pub(super) fn style(args: &OutputArgs, process: &Process) -> Style {
    let colored = match args.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => process.stdout_colored && args.output.is_none(),
    };
    Style { detail: args.detail(), colored }
}

/// Writes a report to where the user wants it.
pub(super) fn write(args: &OutputArgs, bytes: &[u8]) -> Result<(), Error> {
    stream(args, |out| out.write_all(bytes))
}

/// The same for a report that is too large for the memory. A reader that went away is an error: whoever checks must not
/// take silence for a pass.
pub(super) fn stream(args: &OutputArgs, report: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let through = |out: &mut dyn Write| {
        let mut out = BufWriter::new(out);
        report(&mut out)?;
        out.flush()
    };
    match &args.output {
        None => {
            let written = through(&mut io::stdout().lock());
            written.map_err(|source| Error::Stream { stream: "standard output", source })
        }
        Some(path) => {
            let written = File::create(path).and_then(|mut file| through(&mut file));
            written.map_err(|source| Error::File { path: path.clone(), verb: "written", source })
        }
    }
}

/// Whether writing a report is what failed.
pub(super) fn is_broken(error: &Error) -> bool {
    matches!(error, Error::Stream { .. } | Error::File { verb: "written", .. })
}

/// The warnings of a run, for the report of its failure.
#[derive(Clone, Debug, Default)]
pub struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// Whether the warning is a new one: two images may be of the same registry.
    fn add(&self, text: &str) -> bool {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !texts.iter().any(|known| known == text);
        texts.extend(is_new.then(|| text.to_owned()));
        is_new
    }

    /// All so far.
    pub(super) fn texts(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Says on standard error what happens while images are read: warnings unless nobody wants to know, repeated tries to
/// those who want to know everything.
pub(super) fn observer(detail: Detail, progress: &Progress, warnings: &Warnings) -> Observer {
    let (progress, warnings) = (progress.clone(), warnings.clone());
    Observer::new(move |notice| {
        let (label, wanted) = match notice {
            Notice::Warning(text) => ("warning", warnings.add(text) && detail != Detail::Quiet),
            Notice::Retry { .. } | Notice::Fallback(_) => ("note", detail == Detail::Verbose),
        };
        if wanted {
            progress.say(&format!("{label}: {}", escape(&notice.to_string())));
        }
    })
}

/// Says something worth knowing on standard error, unless nobody wants to know.
pub(super) fn note(args: &OutputArgs, text: &str) {
    if !args.quiet {
        let _ = writeln!(io::stderr(), "note: {}", escape(text));
    }
}
