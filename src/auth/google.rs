//! Google's registries: the places of Application Default Credentials, and gcloud.
//!
//! A key file of a service account is itself a password (`_json_key`); everything else ends in an access token, which
//! Artifact Registry takes as the password of `oauth2accesstoken`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::auth_files;
use super::environment::Environment;
use super::process::{self, RunError};
use super::trail::{Hit, Trail};
use super::{Attempt, AuthError, Credential, Secret, adc, metadata, text, tls};

/// What the token must permit; Artifact Registry has no narrower scope.
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Why gcloud gave no token.
#[derive(Debug, thiserror::Error)]
enum GcloudError {
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("failed: {0}")]
    Failed(String),
    #[error("did not print a token")]
    NoToken,
}

/// Looks through Google's places, if `registry` is Google's and no `--auth-file` says where to look instead.
pub(super) async fn find(
    registry: &str,
    environment: &Environment,
    trail: &mut Trail,
) -> Result<Option<Hit>, AuthError> {
    if !is_google(registry) {
        return Ok(None);
    }
    if environment.auth_file.is_some() {
        trail.missed("Google credentials", "not looked for beside --auth-file");
        return Ok(None);
    }
    tls::install_crypto_provider();
    for (source, file) in files(environment) {
        match from_file(&source, file, environment, trail).await? {
            None => {}
            hit => return Ok(hit),
        }
    }
    Ok(from_services(environment, trail).await)
}

/// Why there is no access token for Google's APIs.
#[derive(Debug, thiserror::Error)]
pub enum GoogleTokenError {
    /// A place for credentials exists and cannot be used.
    #[error(transparent)]
    Place(#[from] AuthError),
    /// No place served.
    #[error("no credentials for Google's APIs: {}", outcomes(.0))]
    None(Vec<Attempt>),
}

fn outcomes(attempts: &[Attempt]) -> String {
    attempts.iter().map(|attempt| format!("{}: {}", attempt.source, attempt.outcome)).collect::<Vec<_>>().join("; ")
}

/// An access token for Google's APIs, from the same places as for their registries.
///
/// # Errors
/// See [`GoogleTokenError`].
pub async fn google_access_token(environment: &Environment) -> Result<Secret, GoogleTokenError> {
    tls::install_crypto_provider();
    let mut trail = Trail::default();
    for (source, file) in files(environment) {
        let Some((json, _)) = parsed(&source, &file, &mut trail)? else { continue };
        match adc::access_token(json, environment).await {
            Ok(token) => return Ok(token),
            Err(error) => trail.missed(source, error),
        }
    }
    let token = token_from_services(environment, &mut trail).await;
    token.map(|(token, _)| token).ok_or_else(|| GoogleTokenError::None(trail.into_attempts()))
}

/// Whether Google's credentials are meant for this registry.
pub fn is_google(registry: &str) -> bool {
    let host = registry.split(':').next().unwrap_or_default().to_ascii_lowercase();
    host == "gcr.io" || host.ends_with(".gcr.io") || host.ends_with(".pkg.dev")
}

fn files(environment: &Environment) -> Vec<(String, PathBuf)> {
    let named = environment.google_application_credentials.clone();
    let named = named.map(|file| (format!("GOOGLE_APPLICATION_CREDENTIALS={}", environment.shown(&file)), file));
    let gcloud = environment.gcloud_file().map(|file| (environment.shown(&file), file));
    named.into_iter().chain(gcloud).collect()
}

async fn from_file(
    source: &str,
    file: PathBuf,
    environment: &Environment,
    trail: &mut Trail,
) -> Result<Option<Hit>, AuthError> {
    let Some((json, bytes)) = parsed(source, &file, trail)? else { return Ok(None) };
    match adc::credential(json, &bytes, environment).await {
        Ok(credential) => Ok(Some(Hit { source: source.to_owned(), credential })),
        Err(error) => {
            trail.missed(source, error);
            Ok(None)
        }
    }
}

/// The JSON of a file, and its bytes.
fn parsed(source: &str, file: &Path, trail: &mut Trail) -> Result<Option<(Value, Vec<u8>)>, AuthError> {
    let Some(bytes) = auth_files::read(file)? else {
        trail.missed(source, "no such file");
        return Ok(None);
    };
    let json = serde_json::from_slice(&bytes).map_err(|error| auth_files::malformed(file, &error))?;
    Ok(Some((json, bytes)))
}

async fn from_services(environment: &Environment, trail: &mut Trail) -> Option<Hit> {
    let (token, source) = token_from_services(environment, trail).await?;
    Some(Hit { source, credential: with_access_token(token) })
}

async fn token_from_services(environment: &Environment, trail: &mut Trail) -> Option<(Secret, String)> {
    let host = metadata::host(environment);
    let source = format!("metadata server {}", text::printable(host));
    match metadata::access_token(host, environment.metadata_time_limit).await {
        Ok(token) => return Some((token, source)),
        Err(error) => trail.missed(source, error),
    }
    let source = "gcloud auth print-access-token".to_owned();
    match gcloud(environment).await {
        Ok(token) => return Some((token, source)),
        Err(error) => trail.missed(source, error),
    }
    None
}

async fn gcloud(environment: &Environment) -> Result<Secret, GcloudError> {
    let answer = process::run("gcloud", &["auth", "print-access-token"], "", environment).await?;
    if !answer.status.success() {
        let said = text::first_line(&answer.stderr);
        return Err(GcloudError::Failed(if said.is_empty() { answer.status.to_string() } else { said }));
    }
    let token = answer.stdout.trim_ascii();
    let is_token = !token.is_empty() && token.iter().all(u8::is_ascii_graphic);
    if !is_token {
        return Err(GcloudError::NoToken);
    }
    Ok(Secret::new(String::from_utf8_lossy(token)))
}

/// The form in which Google's registries take an access token.
pub(super) fn with_access_token(token: Secret) -> Credential {
    Credential::Basic { username: "oauth2accesstoken".to_owned(), password: token }
}
