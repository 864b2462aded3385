//! Will it start? Reads what an image would run, and whether all of that is there: the program with its interpreters,
//! the modules and packages it asks for, its user and its port.
//!
//! Nothing of the image is ever run. What reading alone cannot decide is a note, and never a finding: a false alarm is
//! worse than a failure that was not foreseen.

mod elf;
mod files;
mod finding;
mod launch;
mod lock;
mod node;
mod port;
mod program;
mod python;
mod settings;
mod shell;

use std::collections::BTreeMap;

use crate::error::Error;
use crate::image::Image;
use crate::path::ImagePath;
use crate::platform::Platform;
use crate::source::Source;
use crate::tree::FileTree;

use files::{File, Files};

pub use finding::{Finding, Kind, Weight};

/// What is known beside the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Files of requirements that are not in the image: name and text.
    pub requirements: Vec<(String, Vec<u8>)>,
    /// What it has to start on.
    pub platform: Platform,
}

impl Default for Options {
    /// Cloud Run: `linux/amd64` (its container runtime contract).
    fn default() -> Self {
        let platform = Platform::linux_amd64();
        Self { requirements: Vec::new(), platform }
    }
}

/// What the image would run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// Entrypoint and command together.
    pub argv: Vec<String>,
    /// The program that does the work, as the command names it, behind shells and wrappers.
    pub program: Option<String>,
    /// Where that program really is.
    pub executable: Option<ImagePath>,
    /// What the system starts to run it: the interpreter of the script, that one's loader, and so on.
    pub interpreters: Vec<ImagePath>,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preflight {
    /// What would run.
    pub command: Command,
    /// What was found, errors first.
    pub findings: Vec<Finding>,
    /// What reading could not decide.
    pub notes: Vec<String>,
}

/// Whether it will start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found that stands in the way.
    Ready,
    /// Something was.
    NotReady,
    /// Reading did not lead to the program that does the work.
    Unknown,
}

impl Verdict {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NotReady => "not-ready",
            Self::Unknown => "unknown",
        }
    }
}

impl Preflight {
    /// Whether it will start.
    pub fn verdict(&self) -> Verdict {
        if self.findings.iter().any(|finding| finding.weight == Weight::Error) {
            return Verdict::NotReady;
        }
        if self.command.executable.is_some() { Verdict::Ready } else { Verdict::Unknown }
    }

    /// Whether nothing stands in the way.
    pub fn is_ready(&self) -> bool {
        self.verdict() == Verdict::Ready
    }
}

/// Looks at what `image`, whose layers make `tree`, would run.
///
/// # Errors
/// [`Error::Layer`] when files of the image cannot be read.
pub fn check(source: &dyn Source, image: &Image, tree: &FileTree, options: &Options) -> Result<Preflight, Error> {
    let files = Files::new(source, image, tree);
    let argv = [image.config.entrypoint(), image.config.cmd()].concat();
    let mut preflight = Preflight { command: Command { argv, ..Command::default() }, ..Preflight::default() };
    preflight.findings.extend(settings::platform(image, &options.platform));
    if image.platform.os == "windows" {
        preflight.notes.push("not judged: an image for Windows".to_owned());
        return Ok(preflight);
    }
    preflight.settings(&files, image)?;
    if preflight.command.argv.is_empty() {
        let summary = "the image has neither an entrypoint nor a command".to_owned();
        let finding = Finding::error(Kind::NoCommand, summary).fix("CMD [\"PROGRAM\", \"ARGUMENT\"] in the Dockerfile");
        preflight.findings.push(finding);
    } else {
        preflight.start(&files, image, options)?;
    }
    preflight.findings.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    Ok(preflight)
}

impl Preflight {
    fn settings(&mut self, files: &Files<'_>, image: &Image) -> Result<(), Error> {
        self.findings.extend(settings::user(files, image)?);
        self.findings.extend(settings::directory(files, image));
        if image.platform.os == "unknown" {
            self.notes.push("not judged: the platform, which the image does not name".to_owned());
        }
        Ok(())
    }

    /// What runs, and what that needs.
    fn start(&mut self, files: &Files<'_>, image: &Image, options: &Options) -> Result<(), Error> {
        let mut variables = image.config.env().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut variables: BTreeMap<String, String> = variables.by_ref().collect();
        variables.entry("PATH".to_owned()).or_insert_with(|| program::USUAL_PATH.to_owned());
        let directory = ImagePath::clean(image.config.working_dir().as_bytes());
        files.read(&likely(files, &self.command.argv, &directory, &variables["PATH"]))?;
        let architecture = &image.platform.architecture;
        let mut launch = launch::follow(files, &self.command.argv, &directory, &variables, architecture)?;
        self.notes.append(&mut launch.notes);
        let app = python::App { files, directory: &directory, extra: &options.requirements, image };
        if let Some(name) = &launch.failed {
            for finding in launch.findings.iter_mut().filter(|finding| finding.kind == Kind::ProgramMissing) {
                if !is_elsewhere(files, name, finding) {
                    app.explain(name, finding)?;
                }
            }
            self.command.program = Some(name.clone());
        }
        self.findings.append(&mut launch.findings);
        let Some(work) = launch.work else { return Ok(()) };
        self.command.program = Some(work.name.clone());
        self.command.executable = Some(work.program.file.path.clone());
        self.command.interpreters = work.program.interpreters.clone();
        port::check(&work, self);
        self.notes.extend(port::exposed(image));
        app.check(&work, self)?;
        node::check(files, &work, architecture, self)
    }
}

/// Whether PATH only lacks the directory of the program, as with a virtual environment that is not in it.
fn is_elsewhere(files: &Files<'_>, name: &str, finding: &mut Finding) -> bool {
    let found = if name.contains('/') { Vec::new() } else { files.programs(name.as_bytes()) };
    let Some(file) = found.first() else { return false };
    let directory = file.path.parent().unwrap_or_default();
    finding.summary.push_str(&format!("; it is in {directory}"));
    finding.fix = Some(format!("ENV PATH={directory}:$PATH"));
    (finding.file, finding.layer) = (Some(file.path.clone()), Some(file.layer));
    true
}

/// The files that the checks are likely to want, so that each layer is read once for them.
fn likely(files: &Files<'_>, argv: &[String], directory: &ImagePath, path: &str) -> Vec<File> {
    let around = program::Surroundings { path: path.to_owned(), directory: directory.clone() };
    let words = argv.iter().flat_map(|word| word.split(|character: char| " ;&'\"".contains(character)));
    let usual = ["sh", "env", "bash", "python", "python3", "node", "/etc/passwd", "/etc/group"];
    let words = words.filter(|word| !word.is_empty() && !word.starts_with('-')).chain(usual);
    let programs = words.clone().flat_map(|word| around.candidates(word.as_bytes()));
    let named = words.map(|word| around.absolute(word.as_bytes()));
    let modules = argv.iter().flat_map(|word| word.split([' ', ':'])).filter(|word| !word.contains('/'));
    let modules = modules.map(|module| directory.join(format!("{}.py", module.replace('.', "/")).as_bytes()));
    let beside = ["requirements.txt", "pyproject.toml", "package.json", "package-lock.json", "gunicorn.conf.py"];
    let beside = beside.iter().map(|name| directory.join(name.as_bytes()));
    programs.chain(named).chain(modules).chain(beside).filter_map(|path| files.file(&path)).collect()
}
