//! Will a container of the image start? Everything is read and nothing is ever run.
//!
//! An error is said only of what surely keeps the container from starting; what is odd and may be meant is a warning,
//! and what cannot be decided by reading is a note. Programs are resolved as `execvp(3)` does, inside the image.

mod command;
mod elf;
mod files;
mod finding;
mod installed;
mod node;
mod port;
mod program;
mod python;
mod requirements;
mod server;
#[cfg(test)]
mod tests;

use crate::error::Error;
use crate::image::Image;
use crate::source::Source;
use crate::tree::FileTree;

pub use command::Command;
pub use finding::{Finding, Kind, Weight};
pub use program::Program;

use files::Files;

/// What is known beyond the image.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Requirement files from elsewhere, by name: what they list has to be installed.
    pub requirements: Vec<(String, String)>,
}

/// What was found out.
#[derive(Debug)]
pub struct Preflight {
    /// What a container runs.
    pub command: Command,
    /// The programs that this leads to, each started by the one before, with their interpreters.
    pub programs: Vec<Program>,
    /// What is wrong, errors first.
    pub findings: Vec<Finding>,
    /// What could not be judged.
    pub notes: Vec<String>,
}

impl Preflight {
    /// Whether nothing is known that keeps a container from starting.
    pub fn is_ready(&self) -> bool {
        !self.findings.iter().any(|finding| finding.weight == Weight::Error)
    }
}

/// Looks at the image whose merged file system is `tree`.
///
/// # Errors
/// See [`Error`]; contents that cannot be read are one.
pub fn check(source: &dyn Source, image: &Image, tree: &FileTree, options: &Options) -> Result<Preflight, Error> {
    let mut look = Look {
        files: Files::new(source, image, tree),
        image,
        options,
        programs: Vec::new(),
        findings: Vec::new(),
        notes: Vec::new(),
    };
    let command = Command::of(image);
    look.surroundings();
    look.command(&command)?;
    let mut findings = look.findings;
    findings.sort_by_key(|finding| finding.weight);
    Ok(Preflight { command, programs: look.programs, findings, notes: look.notes })
}

/// A look at an image, and what it has brought so far.
struct Look<'a> {
    files: Files<'a>,
    image: &'a Image,
    options: &'a Options,
    programs: Vec<Program>,
    findings: Vec<Finding>,
    notes: Vec<String>,
}

impl Look<'_> {
    fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    fn find(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// What does not depend on the command: its user and its working directory.
    fn surroundings(&mut self) {
        let workdir = command::workdir(self.image);
        if !self.files.is_directory(&workdir) {
            let text = format!("the working directory {workdir} is not in the image; runtimes make an empty one");
            self.find(Finding::warning(Kind::Workdir, text).fix(format!("COPY the application to {workdir}")));
        }
        let user = self.image.config.user().to_owned();
        for (name, file) in user.split(':').zip(["/etc/passwd", "/etc/group"]) {
            self.account(name, file);
        }
    }

    /// A name of a user or a group has to be in the image; a number need not.
    fn account(&mut self, name: &str, file: &str) {
        if name.is_empty() || name.bytes().all(|byte| byte.is_ascii_digit()) {
            return;
        }
        let text = self.files.text(&files::path(file)).ok().flatten().unwrap_or_default();
        if !text.lines().any(|line| line.split(':').next() == Some(name)) {
            let what = format!("the image runs as {name}, which {file} does not have");
            self.find(Finding::error(Kind::User, what).fix(format!("add {name} in the Dockerfile, or use a number")));
        }
    }
}
