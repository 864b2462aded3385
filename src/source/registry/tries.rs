//! How often something is tried, how long it is waited in between, and when it is over.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

use crate::limits;
use crate::source::SourceError;
use crate::source::notice::Notices;

use super::transport::Failure;

/// The first pause before trying again; it doubles each time, with jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause that is not the server's own wish.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The tries of one request, or of one blob since it last got anywhere.
pub(super) struct Tries<'a> {
    notices: &'a Notices,
    pauses: ExponentialBackoff,
    failed: usize,
    /// Whether an address that had been signed for us was refused.
    refused: bool,
}

impl<'a> Tries<'a> {
    /// None yet; `notices` is told of each that is repeated.
    pub(super) fn new(notices: &'a Notices) -> Self {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(limits::RETRIES)
            .with_jitter();
        Self { notices, pauses: pauses.build(), failed: 0, refused: false }
    }

    /// The pause before the next try, or the error after the last one.
    pub(super) fn after(&mut self, failure: Failure) -> Result<Duration, SourceError> {
        self.failed += 1;
        let (error, wait) = match failure {
            Failure::Final(error) => return Err(error.after(self.failed)),
            // A fresh address may be good; when it is not, no other will be.
            Failure::Refused(error) if std::mem::replace(&mut self.refused, true) => {
                return Err(error.after(self.failed));
            }
            Failure::Refused(error) => (error, None),
            Failure::Transient { error, wait } => (error, wait),
        };
        if let Some(wait) = wait.filter(|wait| wait.as_secs() > limits::RETRY_AFTER_SECONDS) {
            return Err(SourceError::Busy { error: Box::new(error.after(self.failed)), wait });
        }
        let Some(pause) = self.pauses.next() else { return Err(error.after(self.failed)) };
        let pause = pause.max(wait.unwrap_or_default());
        self.notices.retry(error.to_string(), self.failed + 1, pause);
        Ok(pause)
    }
}
