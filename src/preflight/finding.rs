//! What a check says: what stands in the way, how sure that is, where it lies and what helps.

use crate::path::ImagePath;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Odd, and may be fine.
    Warning,
    /// The container will not start, or what it starts will fail at once.
    Error,
}

impl Weight {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The image says nothing to run.
    NoCommand,
    /// The image is for another platform than the one asked for.
    WrongPlatform,
    /// A program that is not in the image.
    ProgramMissing,
    /// A program without its exec bit.
    NotExecutable,
    /// A file that the system cannot run: a directory, an empty file, neither ELF nor script.
    NotAProgram,
    /// A program for another processor.
    WrongArchitecture,
    /// A script's or a program's interpreter that is not in the image.
    InterpreterMissing,
    /// A `#!` line that ends in a carriage return.
    CrlfShebang,
    /// A script, or another file that the command names, that is not in the image.
    FileMissing,
    /// A Python module that is not in the image.
    ModuleMissing,
    /// A Python module without the name that the command wants of it.
    AttributeMissing,
    /// A declared package that is not installed.
    PackageMissing,
    /// An installed package of another version than declared.
    PackageVersion,
    /// A program in use whose package nothing declares.
    Undeclared,
    /// A user or group that the image does not know.
    UnknownUser,
    /// A working directory that is not in the image, or no directory.
    WorkingDirectory,
    /// A variable that nothing puts a value in for.
    UnexpandedVariable,
    /// A port other than the one that requests are sent to.
    FixedPort,
    /// An address on which no request arrives.
    LocalAddress,
    /// A script of `package.json` that it does not have.
    ScriptMissing,
}

impl Kind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoCommand => "no-command",
            Self::WrongPlatform => "wrong-platform",
            Self::ProgramMissing => "program-missing",
            Self::NotExecutable => "not-executable",
            Self::NotAProgram => "not-a-program",
            Self::WrongArchitecture => "wrong-architecture",
            Self::InterpreterMissing => "interpreter-missing",
            Self::CrlfShebang => "crlf-shebang",
            Self::FileMissing => "file-missing",
            Self::ModuleMissing => "module-missing",
            Self::AttributeMissing => "attribute-missing",
            Self::PackageMissing => "package-missing",
            Self::PackageVersion => "package-version",
            Self::Undeclared => "undeclared",
            Self::UnknownUser => "unknown-user",
            Self::WorkingDirectory => "working-directory",
            Self::UnexpandedVariable => "unexpanded-variable",
            Self::FixedPort => "fixed-port",
            Self::LocalAddress => "local-address",
            Self::ScriptMissing => "script-missing",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// How much it weighs.
    pub weight: Weight,
    /// One sentence; names in it come from the image as they are.
    pub summary: String,
    /// The file that it is about.
    pub file: Option<ImagePath>,
    /// The position of the layer that holds the file.
    pub layer: Option<usize>,
    /// What helps.
    pub fix: Option<String>,
}

impl Finding {
    pub(super) fn error(kind: Kind, summary: String) -> Self {
        Self { kind, weight: Weight::Error, summary, file: None, layer: None, fix: None }
    }

    pub(super) fn warning(kind: Kind, summary: String) -> Self {
        Self { weight: Weight::Warning, ..Self::error(kind, summary) }
    }

    pub(super) fn at(self, file: &ImagePath, layer: usize) -> Self {
        Self { file: Some(file.clone()), layer: Some(layer), ..self }
    }

    pub(super) fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }
}
