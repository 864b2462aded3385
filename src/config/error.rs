//! What is wrong with a configuration file, and what was probably meant.

use std::io;
use std::path::{Path, PathBuf};

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file says something that means nothing.
    #[error("{}{}: {message}", path.display(), at(*line))]
    Misunderstood {
        /// The file.
        path: PathBuf,
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong.
        message: String,
        /// The name that was probably meant.
        meant: Option<String>,
    },
    /// A service that the file does not have.
    #[error("{} has no service `{name}`", path.display())]
    NoService {
        /// The file.
        path: PathBuf,
        /// The service.
        name: String,
        /// The name that was probably meant.
        meant: Option<String>,
    },
    /// There is no such file.
    #[error("there is no {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file without services.
    #[error("{} names no services{}", path.display(), only_with.map(|what| format!(" with {what}")).unwrap_or_default())]
    NoServices {
        /// The file.
        path: PathBuf,
        /// What the services would have to have.
        only_with: Option<&'static str>,
    },
}

fn at(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

impl ConfigError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Misunderstood { meant, .. } | Self::NoService { meant, .. } => {
                meant.as_ref().map(|name| format!("did you mean `{name}`?"))
            }
            Self::Missing { .. } => Some("shipproof init writes a first one".to_owned()),
            Self::NoServices { .. } => {
                Some("a service is a table such as [services.NAME] with image = \"HOST/NAME:TAG\"".to_owned())
            }
            Self::Unreadable { .. } => None,
        }
    }
}

/// What a text says that means nothing.
#[derive(Debug)]
pub(super) struct Misunderstood {
    line: Option<usize>,
    message: String,
    meant: Option<String>,
}

impl Misunderstood {
    /// What the parser says of `text`.
    pub(super) fn new(text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map(|before| before.matches('\n').count() + 1);
        Self { line, message: error.message().to_owned(), meant: meant(error.message()) }
    }

    /// Something wrong with a service.
    pub(super) fn of_service(name: &str, message: String) -> Self {
        Self { line: None, message: format!("service `{name}`: {message}"), meant: None }
    }

    pub(super) fn within(self, path: &Path) -> ConfigError {
        let Self { line, message, meant } = self;
        ConfigError::Misunderstood { path: path.to_owned(), line, message, meant }
    }
}

/// The known name nearest to an unknown one: serde's message quotes first the one and then the others.
fn meant(message: &str) -> Option<String> {
    if !message.starts_with("unknown field") {
        return None;
    }
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    nearest(unknown, names)
}

/// The one of `names` that is nearest to `unknown`, if one is near.
pub fn nearest<'a>(unknown: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    /// As clap has it for subcommands and flags.
    const NEAR: f64 = 0.7;
    let scored = names.map(|name| (strsim::jaro_winkler(unknown, name), name));
    let best = scored.filter(|(score, _)| *score > NEAR).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, name)| name.to_owned())
}
