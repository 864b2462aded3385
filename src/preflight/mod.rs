//! Will it start? Reads what an image would run, and whether all of that is there: the program with its interpreters,
//! the modules and packages it asks for, its user and its port.
//!
//! Nothing of the image is ever run. What reading alone cannot decide is a note, and never a finding: a false alarm is
//! worse than a failure that was not foreseen.

mod finding;

use crate::error::Error;
use crate::image::Image;
use crate::path::ImagePath;
use crate::platform::Platform;
use crate::source::Source;
use crate::tree::FileTree;

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
        let platform = Platform { os: "linux".into(), architecture: "amd64".into(), variant: None };
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

impl Preflight {
    /// Whether nothing stands in the way.
    pub fn is_ready(&self) -> bool {
        self.findings.iter().all(|finding| finding.weight == Weight::Warning)
    }
}

/// Looks at what `image`, whose layers make `tree`, would run.
///
/// # Errors
/// [`Error::Layer`] when files of the image cannot be read.
pub fn check(_source: &dyn Source, _image: &Image, _tree: &FileTree, _options: &Options) -> Result<Preflight, Error> {
    Ok(Preflight::default())
}
