//! What is worth knowing on the way to content and is no error: tries that are repeated, and warnings.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::limits;

/// One thing worth knowing. Its text may come from a registry, and is not escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something failed and is tried again.
    Retry {
        /// What failed, and how.
        failure: String,
        /// Which try follows, from 2.
        next: usize,
        /// The pause before it.
        pause: Duration,
    },
    /// Something that people should know, and nothing acts upon.
    Warning(String),
    /// Something was done in the slower way.
    Fallback(String),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry { failure, next, pause } => {
                let (most, pause) = (limits::RETRIES + 1, pause.as_secs_f64());
                write!(f, "{failure}; try {next} of {most} follows in {pause:.1} s")
            }
            Self::Warning(text) | Self::Fallback(text) => f.write_str(text),
        }
    }
}

/// Who is told, from whatever thread it happens on.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Notice) + Send + Sync>);

impl Observer {
    /// Calls `tell` for each notice.
    pub fn new(tell: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Tells of `notice`.
    pub fn tell(&self, notice: &Notice) {
        (self.0)(notice);
    }
}

impl Default for Observer {
    /// Tells nobody.
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// The notices of one source: told as they come, warnings once each and kept for the report.
#[derive(Debug, Default)]
pub(super) struct Notices {
    observer: Observer,
    warnings: Mutex<Vec<String>>,
}

impl Notices {
    /// Notices for `observer`.
    pub(super) fn new(observer: Observer) -> Self {
        Self { observer, warnings: Mutex::default() }
    }

    /// Tells that `failure` is followed by try number `next`.
    pub(super) fn retry(&self, failure: String, next: usize, pause: Duration) {
        self.observer.tell(&Notice::Retry { failure, next, pause });
    }

    /// Tells a warning, if it is a new one and not one too many.
    pub(super) fn warn(&self, text: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if text.is_empty() || warnings.contains(&text) || warnings.len() >= limits::WARNINGS {
            return;
        }
        self.observer.tell(&Notice::Warning(text.clone()));
        warnings.push(text);
    }

    /// All warnings so far.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
