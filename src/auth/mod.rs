//! Credentials for a registry: where they are kept, and how they become a token.
//!
//! [`find`] looks through the places where people keep credentials, as docker, podman and Google's tools do, and says
//! of every place why it did not serve. [`challenge`] and [`token`] are the registry's side. Nothing here reads the
//! process environment but [`Environment::from_process`], and no error, `Debug` or `Display` text holds a secret.
//!
//! A place that has nothing is passed over; a place that exists and cannot be understood is an error, because the
//! anonymous pull that would follow hides the mistake.

use std::io;
use std::path::PathBuf;

mod adc;
pub mod again;
mod auth_files;
mod body;
pub mod challenge;
pub mod docker_config;
mod environment;
mod google;
mod helper;
mod metadata;
mod process;
pub mod realm;
mod secret;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text;
mod tls;
pub mod token;
mod trail;

pub use environment::Environment;
pub use google::{GoogleTokenError, google_access_token, is_google};
pub use metadata::metadata_text;
pub use secret::Secret;
pub use tls::install_crypto_provider;

use docker_config::Target;
use trail::{Hit, Trail};

/// What a registry or its token server is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Nothing.
    Anonymous,
    /// A user name and a password.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token, exchanged at the token server (`identitytoken` of docker's configuration).
    IdentityToken(Secret),
    /// A token for the registry itself, sent as it is (`registrytoken` of docker's configuration).
    RegistryToken(Secret),
}

/// A place that did not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The place, such as `~/.docker/config.json`.
    pub source: String,
    /// Why it did not serve, such as `no such file`.
    pub outcome: String,
}

/// The end of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What was found; [`Credential::Anonymous`] if no place served.
    pub credential: Credential,
    /// The place it came from.
    pub source: String,
    /// The places that did not serve, in order.
    pub attempts: Vec<Attempt>,
    /// What is unsafe about the place it came from.
    pub warnings: Vec<String>,
}

impl Found {
    /// All places, after what the last one gave was refused.
    pub fn refused(&self) -> Vec<Attempt> {
        let last = Attempt { source: self.source.clone(), outcome: "refused".to_owned() };
        self.attempts.iter().cloned().chain([last]).collect()
    }
}

/// A place for credentials that exists and cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The file cannot be read.
    #[error("cannot read the credentials in {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not the JSON that it should be.
    #[error("{} is not a valid credentials file (line {line}, column {column})", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Where reading it ended, from 1.
        line: usize,
        /// Where reading it ended, from 1.
        column: usize,
    },
    /// The file's entry for the registry cannot be understood.
    #[error("cannot use the entry for `{}` in {}", source.key, file.display())]
    Entry {
        /// The file.
        file: PathBuf,
        /// What is wrong with the entry.
        source: docker_config::EntryError,
    },
}

/// Finds the credentials for `repository` at `registry` (`host[:port]`).
///
/// The order is: `--auth-file` alone; or `REGISTRY_AUTH_FILE`, or else the files of docker and podman, each with the
/// helpers it names; then, for Google's registries, the places of [Application Default Credentials] and `gcloud`;
/// then nothing at all, [`Credential::Anonymous`].
///
/// # Errors
///
/// Fails if a file exists but cannot be read or understood, and if `--auth-file` does not exist.
///
/// [Application Default Credentials]: https://cloud.google.com/docs/authentication/application-default-credentials
pub async fn find(registry: &str, repository: &str, environment: &Environment) -> Result<Found, AuthError> {
    let mut trail = Trail::default();
    let target = Target { registry, repository };
    if let Some(hit) = auth_files::find(target, environment, &mut trail).await? {
        return Ok(trail.end(hit));
    }
    if let Some(hit) = google::find(registry, environment, &mut trail).await? {
        return Ok(trail.end(hit));
    }
    Ok(trail.end(Hit { source: "anonymous".to_owned(), credential: Credential::Anonymous }))
}
