//! Why Cloud Run or Firestore could not be asked.

use std::io;

use crate::auth::GoogleTokenError;

/// Why it is not known what is deployed.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// Nothing says in which project or region to look.
    #[error("nothing says which {0} to look in")]
    NoPlace(&'static str),
    /// Something that is not the name of a service.
    #[error("`{0}` is not the name of a service, or jobs/ and that of a job")]
    Name(String),
    /// Nobody is logged in.
    #[error(transparent)]
    Token(#[from] GoogleTokenError),
    /// The HTTP client cannot be made.
    #[error("cannot set up https")]
    Setup(#[source] reqwest::Error),
    /// An address that a token must not be sent to.
    #[error("{0} is not https, and no address of this machine: no token is sent there")]
    Insecure(String),
    /// No answer came.
    #[error("no answer from {host}")]
    Network {
        /// Who was asked.
        host: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The answer is a refusal.
    #[error("{host} answered {status}: {message}")]
    Refused {
        /// Who was asked.
        host: String,
        /// The status code.
        status: u16,
        /// What it says.
        message: String,
    },
    /// The answer is larger than any real one.
    #[error("{0} answered with more than can be")]
    TooLarge(String),
    /// Something that should be JSON of Cloud Run's.
    #[error("{what} is not what Cloud Run says of a service, a revision or a job")]
    Form {
        /// The answer or the file.
        what: String,
        /// What is wrong with it.
        source: Option<serde_json::Error>,
    },
    /// A file that cannot be read.
    #[error("{path} cannot be read")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A service that is not there.
    #[error("there is no {kind} `{name}` in {place}")]
    NotFound {
        /// `service` or `job`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Where it was looked for.
        place: String,
    },
    /// A region without services.
    #[error("there are no services in {0}")]
    Nothing(String),
    /// A revision of which only the name is known.
    #[error("the revision {0} serves, and the saved answers do not say what it runs")]
    UnknownRevision(String),
    /// A service that serves nothing.
    #[error("{0} serves no traffic: no revision of it ever came up")]
    ServesNothing(String),
    /// What was waited for did not happen.
    #[error("{name} has not settled within {seconds} s: {doing}")]
    Unsettled {
        /// The service.
        name: String,
        /// How long it was waited.
        seconds: u64,
        /// What it was doing.
        doing: String,
    },
    /// A pattern of configuration that is no regular expression.
    #[error("`{0}` is no regular expression")]
    Pattern(String),
}

impl DeployError {
    /// What kind of failure this is, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NoPlace(_) | Self::Name(_) | Self::Pattern(_) => "usage",
            Self::Token(_) | Self::Insecure(_) => "auth",
            Self::Refused { status: 401 | 403, .. } => "auth",
            Self::Setup(_) | Self::Network { .. } | Self::Refused { .. } | Self::TooLarge(_) => "cloud-run",
            Self::Form { .. } | Self::UnknownRevision(_) => "cloud-run",
            Self::File { .. } => "io",
            Self::NotFound { .. } | Self::Nothing(_) | Self::ServesNothing(_) => "no-such-service",
            Self::Unsettled { .. } => "unsettled",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoPlace(what) => {
                return Some(format!(
                    "--{what} sets it, and so do shipproof.toml and gcloud config set {}",
                    property(what)
                ));
            }
            Self::Name(_) => "project and region are told by --project and --region",
            Self::Token(_) | Self::Refused { status: 401, .. } => {
                "gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS with a credential file"
            }
            Self::Refused { status: 403, .. } => "reading takes the role roles/run.viewer in that project",
            Self::NotFound { .. } | Self::Nothing(_) => {
                "is it the right --project and --region? gcloud run services list"
            }
            Self::UnknownRevision(name) => {
                return Some(format!(
                    "gcloud run revisions describe {name} --format json > FILE, and give it with --service-json, too"
                ));
            }
            Self::Form { .. } => "gcloud run services describe SERVICE --format json prints what is read",
            Self::Unsettled { .. } => "wait longer (--wait=SECONDS), or look without --wait at what it serves now",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

fn property(what: &str) -> String {
    format!("{}/{what}", if what == "region" { "run" } else { "core" })
}
