//! A session with one registry: who is asking, and asking again.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::sync::Mutex;

use crate::auth::challenge::{self, Challenge};
use crate::auth::{self, Credential, Found};
use crate::limits;
use crate::reference::RegistryRef;
use crate::source::SourceError;

use super::transport::{self, Failure};

/// The first pause before trying again; it doubles each time, with jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause that is not the server's own wish.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Everything needed to ask one registry about one repository.
pub(super) struct Session {
    client: Client,
    base: String,
    registry: String,
    repository: String,
    credentials: auth::Environment,
    /// Held while logging in, so that several layers started together log in once.
    login: Mutex<Login>,
}

/// What has been found out about who is asking.
#[derive(Default)]
struct Login {
    /// Grows with each login, so that a refused request can tell whether its header is still the newest.
    generation: u64,
    authorization: Option<HeaderValue>,
    found: Option<Found>,
}

impl Session {
    /// A session that has sent nothing yet.
    pub(super) fn new(client: Client, base: String, name: &RegistryRef, credentials: auth::Environment) -> Self {
        let (registry, repository) = (name.host.clone(), name.repository.clone());
        Self { client, base, registry, repository, credentials, login: Mutex::default() }
    }

    /// Scheme, host and port.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// A whole body of at most `limit` bytes.
    pub(super) async fn read(
        &self,
        url: &str,
        headers: &HeaderMap,
        what: &str,
        limit: u64,
    ) -> Result<Vec<u8>, SourceError> {
        let attempt = || async {
            let response = self.get(url, headers, what).await?;
            transport::bounded_body(response, what, limit).await
        };
        retrying(attempt).await
    }

    /// One successful answer; a login that is missing or has expired is made good once.
    pub(super) async fn get(&self, url: &str, headers: &HeaderMap, what: &str) -> Result<Response, Failure> {
        let (generation, authorization) = {
            let login = self.login.lock().await;
            (login.generation, login.authorization.clone())
        };
        let response = transport::get(&self.client, url, headers, authorization.as_ref()).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !self.is_own(response.url()) {
            return self.judge(response, what).await;
        }
        let authorization = self.log_in(&response, generation).await?;
        let response = transport::get(&self.client, url, headers, authorization.as_ref()).await?;
        self.judge(response, what).await
    }

    fn is_own(&self, url: &Url) -> bool {
        Url::parse(&self.base).is_ok_and(|base| base.origin() == url.origin())
    }

    /// Answers the challenge of a refused request, unless another request has done so since `generation`.
    async fn log_in(&self, refused: &Response, generation: u64) -> Result<Option<HeaderValue>, Failure> {
        let mut login = self.login.lock().await;
        if login.generation != generation {
            return Ok(login.authorization.clone());
        }
        let found = auth::find(&self.registry, &self.repository, &self.credentials).await.map_err(SourceError::from)?;
        let challenges = challenge::parse(
            refused.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()),
        );
        login.authorization = self.authorize(&challenges, &found).await?;
        login.found = Some(found);
        login.generation += 1;
        Ok(login.authorization.clone())
    }

    async fn authorize(&self, challenges: &[Challenge], found: &Found) -> Result<Option<HeaderValue>, Failure> {
        let bearer = challenges.iter().find_map(|challenge| match challenge {
            Challenge::Bearer(bearer) => Some(bearer),
            Challenge::Basic => None,
        });
        if let Some(bearer) = bearer {
            let token =
                auth::token::exchange(&self.client, &self.base, bearer, &self.repository, &found.credential).await;
            let token = token.map_err(|source| SourceError::Token {
                registry: self.registry.clone(),
                attempts: found.attempts.clone(),
                source,
            })?;
            return header(&format!("Bearer {}", token.expose()));
        }
        match &found.credential {
            Credential::Basic { username, password } => {
                use base64::Engine as _;
                let pair = format!("{username}:{}", password.expose());
                header(&format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
            }
            Credential::RegistryToken(token) => header(&format!("Bearer {}", token.expose())),
            Credential::Anonymous | Credential::IdentityToken(_) => Ok(None),
        }
    }

    /// Turns an answer that is no success into what it means.
    async fn judge(&self, response: Response, what: &str) -> Result<Response, Failure> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let url = transport::shown(response.url());
        if transport::is_transient(status) {
            let wait = transport::retry_after(&response);
            let error =
                SourceError::Status { url, status: status.as_u16(), message: transport::message(response).await };
            return Err(Failure::Transient { error: Box::new(error), wait });
        }
        let from_registry = self.is_own(response.url());
        let message = transport::message(response).await;
        let attempts = self.login.lock().await.found.as_ref().map(|found| found.attempts.clone()).unwrap_or_default();
        let (registry, repository) = (self.registry.clone(), self.repository.clone());
        Err(Failure::Final(match status.as_u16() {
            401 if from_registry => SourceError::Unauthorized { registry, repository, message, attempts },
            403 if from_registry => SourceError::Denied { registry, repository, message, attempts },
            404 => SourceError::NotFound { what: what.to_owned(), message },
            status => SourceError::Status { url, status, message },
        }))
    }
}

fn header(value: &str) -> Result<Option<HeaderValue>, Failure> {
    let mut header = HeaderValue::from_str(value)
        .map_err(|_| SourceError::Setup(format!("a credential cannot be sent as the {AUTHORIZATION} header")))?;
    header.set_sensitive(true);
    Ok(Some(header))
}

/// Tries until it succeeds, fails for good, or [`limits::RETRIES`] is reached.
async fn retrying<T, F: Future<Output = Result<T, Failure>>>(attempt: impl FnMut() -> F) -> Result<T, SourceError> {
    let mut tries = 1;
    let result = attempt.retry(pauses()).when(may_retry).notify(|_, _| tries += 1).adjust(longer).await;
    result.map_err(|failure| give_up(failure, tries))
}

/// Growing pauses with jitter, one for each further try.
pub(super) fn pauses() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_max_times(limits::RETRIES)
        .with_jitter()
}

/// Whether another try makes sense: the failure may pass, and not only after longer than anyone would wait.
pub(super) fn may_retry(failure: &Failure) -> bool {
    match failure {
        Failure::Transient { wait, .. } => wait.is_none_or(|wait| wait.as_secs() <= limits::RETRY_AFTER_SECONDS),
        Failure::Final(_) => false,
    }
}

/// The pause, or the server's wish where that is longer.
pub(super) fn longer(failure: &Failure, pause: Option<Duration>) -> Option<Duration> {
    match failure {
        Failure::Transient { wait: Some(wait), .. } => pause.map(|pause| pause.max(*wait)),
        _ => pause,
    }
}

/// The error to show after `tries` tries.
pub(super) fn give_up(failure: Failure, tries: usize) -> SourceError {
    match failure {
        Failure::Final(error) => error,
        Failure::Transient { error, .. } => match *error {
            SourceError::Network { url, reason, .. } => SourceError::Network { url, tries, reason },
            other => other,
        },
    }
}
