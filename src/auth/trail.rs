//! The way a search went: what was found, and why each earlier place did not serve.

use super::{Attempt, Credential, Found};

/// A credential and the place it came from.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) source: String,
    pub(super) credential: Credential,
}

/// The places that did not serve, in the order they were asked, and what is unsafe about the one that did.
#[derive(Debug, Default)]
pub(super) struct Trail {
    attempts: Vec<Attempt>,
    warnings: Vec<String>,
}

impl Trail {
    /// Notes that `source` did not serve, because of `outcome`.
    pub(super) fn missed(&mut self, source: impl Into<String>, outcome: impl ToString) {
        self.attempts.push(Attempt { source: source.into(), outcome: outcome.to_string() });
    }

    /// Notes what people should know of the place that served.
    pub(super) fn warned(&mut self, warning: Option<String>) {
        self.warnings.extend(warning);
    }

    /// Ends a search that found nothing.
    pub(super) fn into_attempts(self) -> Vec<Attempt> {
        self.attempts
    }

    /// Ends the search.
    pub(super) fn end(self, hit: Hit) -> Found {
        Found { credential: hit.credential, source: hit.source, attempts: self.attempts, warnings: self.warnings }
    }
}
