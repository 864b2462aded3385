//! What is worth telling while a source is read: it comes as it happens, and changes nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Something worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A request failed and is made again after a pause.
    Retry {
        /// What happened, with the address.
        reason: String,
        /// The number of the try that failed, from 1.
        tries: usize,
        /// Tries there are.
        of: usize,
        /// The pause.
        pause: Duration,
    },
    /// The registry has something to say to people (distribution-spec, "Warnings").
    Warning(String),
}

type Listener = dyn Fn(&Notice) + Send + Sync;

/// Who is told. By default nobody.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Listener>>);

impl Observer {
    /// Tells `listener`.
    pub fn new(listener: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Tells of `notice`.
    pub(super) fn tell(&self, notice: &Notice) {
        if let Some(listener) = &self.0 {
            listener(notice);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer(…)" } else { "Observer(nobody)" })
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry { reason, tries, of, pause } => {
                write!(f, "{reason}; try {tries} of {of}, again in {:.1} s", pause.as_secs_f64())
            }
            Self::Warning(text) => write!(f, "the registry warns: {text}"),
        }
    }
}
