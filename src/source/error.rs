//! What can go wrong with a source, and what to do next.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::token::TokenError;
use crate::auth::{Attempt, AuthError};
use crate::descriptor::Descriptor;

use super::BlobError;

/// Why content could not be had. URLs in messages carry no query, which may hold signatures.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The registry does not know who is asking.
    #[error("{registry} refused to show {repository}: not logged in ({message})")]
    Unauthorized {
        /// The registry's host.
        registry: String,
        /// The repository asked for.
        repository: String,
        /// What the registry said.
        message: String,
        /// Where credentials were looked for.
        attempts: Vec<Attempt>,
    },
    /// The registry knows who is asking and says no; some say so where the repository does not exist.
    #[error("{registry} denied access to {repository}: {message}")]
    Denied {
        /// The registry's host.
        registry: String,
        /// The repository asked for.
        repository: String,
        /// What the registry said.
        message: String,
        /// Where credentials were looked for.
        attempts: Vec<Attempt>,
    },
    /// There is no such manifest or blob.
    #[error("{what} does not exist{}", detail(.message))]
    NotFound {
        /// What was asked for.
        what: String,
        /// What the other side said.
        message: String,
    },
    /// The registry answered something else.
    #[error("{url} answered {status}{}{}", detail(.message), after(.tries))]
    Status {
        /// The address.
        url: String,
        /// How often it was tried.
        tries: usize,
        /// The HTTP status.
        status: u16,
        /// What the registry said.
        message: String,
    },
    /// The server wants to be left alone for longer than anybody waits.
    #[error("{error}; it asks to be left alone for {} s", wait.as_secs())]
    Busy {
        /// What it answered.
        error: Box<SourceError>,
        /// How long.
        wait: Duration,
    },
    /// No answer, or a broken one.
    #[error("{url} cannot be read: {reason}{}", after(.tries))]
    Network {
        /// The address.
        url: String,
        /// How often it was tried.
        tries: usize,
        /// What happened the last time.
        reason: String,
    },
    /// A body in a coding that nobody asked for, in which it cannot be the content.
    #[error("{url} answered with the content coding `{coding}`, which was not asked for")]
    Coding {
        /// The address.
        url: String,
        /// The value of `Content-Encoding`.
        coding: String,
    },
    /// A redirect that must not be followed.
    #[error("{url} redirects to {target}, which is refused: {reason}")]
    Redirect {
        /// The address asked for.
        url: String,
        /// Where it led.
        target: String,
        /// Why not.
        reason: &'static str,
    },
    /// Credentials that exist and cannot be read.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The registry's token server refused.
    #[error("{registry} gave no token: {source}{}{}", after(.tries), tried(.attempts))]
    Token {
        /// How often it was tried.
        tries: usize,
        /// The registry's host.
        registry: String,
        /// Where credentials were looked for.
        attempts: Vec<Attempt>,
        /// What the token server said.
        source: Box<TokenError>,
    },
    /// More bytes than anything honest has.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The cap, in bytes.
        limit: u64,
    },
    /// Content that is not what was promised.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A file that cannot be read.
    #[error("{} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is not what its transport says.
    #[error("{} is not {expected}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A layout or archive without the image asked for, or with several where none was asked for.
    #[error("{} holds {offered}; {reason}", path.display())]
    Choice {
        /// The file.
        path: PathBuf,
        /// Which images are there.
        offered: String,
        /// What is missing.
        reason: String,
    },
    /// The Docker daemon did not answer, or not as it should.
    #[error("docker daemon at {host}: {reason}")]
    Daemon {
        /// The daemon's address.
        host: String,
        /// What happened.
        reason: String,
    },
    /// A download that failed while it was read.
    #[error(transparent)]
    Download(Arc<SourceError>),
    /// Content that broke off in the middle.
    #[error("{what} cannot be read")]
    Read {
        /// Which content.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// An option that cannot be used.
    #[error("{0}")]
    Setup(String),
}

fn detail(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(" ({message})") }
}

fn after(count: &usize) -> String {
    if *count < 2 { String::new() } else { format!(" (tried {count} times)") }
}

fn tried(attempts: &[Attempt]) -> String {
    if attempts.is_empty() {
        return String::new();
    }
    let list: Vec<String> = attempts.iter().map(|attempt| format!("{}: {}", attempt.source, attempt.outcome)).collect();
    format!("; credentials tried: {}", list.join("; "))
}

impl SourceError {
    /// The same after `count` tries.
    pub(super) fn after(mut self, count: usize) -> Self {
        if let Self::Network { tries, .. } | Self::Status { tries, .. } | Self::Token { tries, .. } = &mut self {
            *tries = count;
        }
        self
    }

    /// What a reader of `descriptor` failed with; the errors of this module travel inside I/O errors.
    pub(super) fn read(descriptor: &Descriptor, error: io::Error) -> Self {
        let unpacked = error.downcast::<Arc<Self>>().map(Self::Download);
        let unpacked = unpacked.or_else(|error| error.downcast::<BlobError>().map(Self::Blob));
        unpacked.unwrap_or_else(|source| Self::Read { what: descriptor.digest.to_string(), source })
    }

    /// The failed download inside the I/O error of a reader.
    pub fn in_reader(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref::<Arc<Self>>().map(Arc::as_ref)
    }

    /// What kind of failure this is, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Token { source, .. } if source.may_pass() => "network",
            Self::Unauthorized { .. } | Self::Auth(_) | Self::Token { .. } => "unauthorized",
            Self::Download(error) => error.kind(),
            Self::Busy { error, .. } => error.kind(),
            Self::Denied { .. } => "denied",
            Self::NotFound { .. } | Self::Choice { .. } => "not-found",
            Self::Status { .. } | Self::Network { .. } | Self::Redirect { .. } | Self::Coding { .. } => "network",
            Self::TooLarge { .. } | Self::Blob(_) | Self::Format { .. } => "corrupt-image",
            Self::File { .. } | Self::Read { .. } => "read",
            Self::Daemon { .. } => "daemon",
            Self::Setup(_) => "usage",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Download(error) => error.hint(),
            Self::Busy { wait, .. } => Some(format!("try again in {} s", wait.as_secs())),
            Self::Unauthorized { registry, attempts, .. } | Self::Denied { registry, attempts, .. } => {
                Some(format!("{}{}", login(registry), tried(attempts)))
            }
            Self::Token { source, .. } if source.may_pass() => Some("check the network, and try again later".into()),
            Self::Token { registry, .. } => Some(login(registry)),
            Self::NotFound { .. } => {
                Some("check the name and the tag; a tag may have been deleted or never pushed".into())
            }
            Self::Network { reason, .. } if reason.contains("ertificate") => {
                Some("for a private certificate authority pass --ca-file FILE".into())
            }
            // What Go's servers say, and nginx (`The plain HTTP request was sent to HTTPS port`).
            Self::Status { status: 400, message, .. } if message.contains("HTTPS") => Some(
                "the registry wants https, which is spoken to this machine with --ca-file FILE or \
                 --insecure-skip-tls-verify, and to others without --plain-http"
                    .into(),
            ),
            Self::Network { .. } => {
                Some("check the host name and the network; --plain-http is for registries without TLS".into())
            }
            Self::Coding { .. } => {
                Some("a proxy on the way packs what it passes on; it must leave images alone".into())
            }
            Self::Blob(error) => Some(error.hint().to_owned()),
            Self::Choice { .. } => Some("name one of them after a colon".into()),
            Self::Daemon { .. } => Some("is the daemon running? DOCKER_HOST names its socket".into()),
            _ => None,
        }
    }
}

fn login(registry: &str) -> String {
    if crate::auth::is_google(registry) {
        format!("gcloud auth configure-docker {registry}")
    } else {
        format!("docker login {registry}")
    }
}
