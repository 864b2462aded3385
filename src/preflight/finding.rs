//! What is wrong with an image, and what mends it.

use crate::path::ImagePath;

/// What kind of obstacle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Neither an entrypoint nor a command is set.
    NoCommand,
    /// The program is not in the image.
    ProgramMissing,
    /// Nobody may execute it.
    NotExecutable,
    /// It is neither a program nor a script that names its interpreter.
    NoProgram,
    /// The first line ends as Windows ends lines, and the interpreter's name with it.
    CrlfShebang,
    /// The interpreter is not in the image.
    InterpreterMissing,
    /// It is a program for other processors.
    Architecture,
    /// A script or a file that the command names is not there.
    FileMissing,
    /// A module that the command names is not there.
    ModuleMissing,
    /// The module does not have what the command names in it.
    AttributeMissing,
    /// A package that is required is not installed, or in another version.
    Requirement,
    /// The command's program is installed, but required nowhere.
    Undeclared,
    /// Requests will not arrive.
    Port,
    /// The user is not in the image.
    User,
    /// The working directory is not in the image.
    Workdir,
}

impl Kind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoCommand => "no-command",
            Self::ProgramMissing => "program-missing",
            Self::NotExecutable => "not-executable",
            Self::NoProgram => "no-program",
            Self::CrlfShebang => "crlf-shebang",
            Self::InterpreterMissing => "interpreter-missing",
            Self::Architecture => "architecture",
            Self::FileMissing => "file-missing",
            Self::ModuleMissing => "module-missing",
            Self::AttributeMissing => "attribute-missing",
            Self::Requirement => "requirement",
            Self::Undeclared => "undeclared",
            Self::Port => "port",
            Self::User => "user",
            Self::Workdir => "workdir",
        }
    }
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The container does not start.
    Error,
    /// It may be meant.
    Warning,
}

impl Weight {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// An obstacle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub kind: Kind,
    /// What follows from it.
    pub weight: Weight,
    /// The same in a sentence.
    pub summary: String,
    /// The file, where there is one.
    pub file: Option<ImagePath>,
    /// The layer that set it, base layer 0.
    pub layer: Option<usize>,
    /// What mends it.
    pub fix: Option<String>,
}

impl Finding {
    pub(super) fn error(kind: Kind, summary: impl Into<String>) -> Self {
        Self { kind, weight: Weight::Error, summary: summary.into(), file: None, layer: None, fix: None }
    }

    pub(super) fn warning(kind: Kind, summary: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, ..Self::error(kind, summary) }
    }

    pub(super) fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    pub(super) fn at(self, file: &ImagePath, layer: usize) -> Self {
        Self { file: Some(file.clone()), layer: Some(layer), ..self }
    }
}
