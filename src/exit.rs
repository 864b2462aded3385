//! Exit codes: the contract with scripts.

use std::process::ExitCode;

use crate::deploy::Verdict;

/// What a command ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// The image agrees; what was asked for was done.
    Agrees,
    /// The image differs; what was asked for was not found.
    Differs,
    /// It could not be told: usage, credentials, network, a corrupt image, nothing to compare, a broken pipe.
    CouldNotTell,
}

impl Exit {
    /// What a verdict ends with.
    pub fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Match => Self::Agrees,
            Verdict::Mismatch => Self::Differs,
            Verdict::Unknown => Self::CouldNotTell,
        }
    }

    /// 0, 1 or 2.
    pub fn code(self) -> u8 {
        match self {
            Self::Agrees => 0,
            Self::Differs => 1,
            Self::CouldNotTell => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
