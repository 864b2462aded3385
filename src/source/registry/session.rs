//! A session with one registry: who is asking, and asking again.

use std::ops::Range;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::sync::Mutex;

use crate::auth::challenge::{self, Challenge};
use crate::auth::token::TokenError;
use crate::auth::{self, Credential, Found, again};
use crate::digest::Digest;
use crate::limits;
use crate::reference::RegistryRef;
use crate::source::notice::Notices;
use crate::source::{Options, SourceError};

use super::transport::{self, Failure};
use super::tries::Tries;
use super::warning;

/// Everything needed to ask one registry about one repository.
pub(super) struct Session {
    client: OnceLock<Client>,
    options: Options,
    base: String,
    registry: String,
    repository: String,
    notices: Notices,
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

impl Login {
    /// `text` without what was sent to the registry or its token server.
    fn concealed(&self, text: String) -> String {
        let header = self.authorization.as_ref().and_then(|header| header.to_str().ok());
        let sent = header.and_then(|header| header.split_once(' ')).map(|(_, sent)| sent);
        let text = sent.map_or_else(|| text.clone(), |sent| text.replace(sent, "[secret]"));
        match &self.found {
            Some(found) => found.credential.concealed(text),
            None => text,
        }
    }
}

impl Session {
    /// A session that has sent nothing yet.
    pub(super) fn new(base: String, name: &RegistryRef, options: &Options) -> Self {
        Self {
            client: OnceLock::new(),
            options: options.clone(),
            base,
            registry: name.host.clone(),
            repository: name.repository.clone(),
            notices: Notices::new(options.observer.clone()),
            login: Mutex::default(),
        }
    }

    /// The client, which is made when the first request is: reading the system's certificates takes longer than opening
    /// a repository, and both can be done at once.
    fn client(&self) -> Result<&Client, SourceError> {
        match self.client.get() {
            Some(client) => Ok(client),
            None => transport::client(&self.options).map(|client| self.client.get_or_init(|| client)),
        }
    }

    /// Who is told what is worth knowing.
    pub(super) fn notices(&self) -> &Notices {
        &self.notices
    }

    /// How long a body may keep us waiting for [`limits::PROGRESS_BYTES`].
    pub(super) fn patience(&self) -> Duration {
        self.options.timeout * limits::PROGRESS_TIMEOUTS
    }

    /// Scheme, host and port.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// A whole body of at most `limit` bytes, and the digest that the registry says it has.
    pub(super) async fn read(
        &self,
        url: &str,
        headers: &HeaderMap,
        what: &str,
        limit: u64,
    ) -> Result<(Vec<u8>, Option<Digest>), SourceError> {
        self.retried(async || {
            let response = self.get(url, headers, what).await?;
            // Storage that a redirect leads to knows nothing of such digests.
            let digest = response.headers().get("docker-content-digest").filter(|_| self.is_own(response.url()));
            let digest = digest.and_then(|digest| digest.to_str().ok()?.parse().ok());
            Ok((self.body(response, what, limit).await?, digest))
        })
        .await
    }

    /// A part of a body; `None` where the answer is not that part.
    pub(super) async fn read_range(
        &self,
        url: &str,
        range: &Range<u64>,
        what: &str,
    ) -> Result<Option<Vec<u8>>, SourceError> {
        let headers = transport::range(range);
        self.retried(async || {
            let response = match self.get(url, &headers, what).await {
                Err(Failure::Final(SourceError::Status { status: 416, .. })) => return Ok(None),
                answer => answer?,
            };
            let is_part = response.status() == StatusCode::PARTIAL_CONTENT
                && transport::first_byte(&response) == Some(range.start)
                && transport::coding(&response).is_none();
            match is_part {
                true => self.body(response, what, range.end - range.start).await.map(Some),
                false => Ok(None),
            }
        })
        .await
    }

    /// What `attempt` comes to, as often as it takes and is worth it.
    async fn retried<T>(&self, attempt: impl AsyncFn() -> Result<T, Failure>) -> Result<T, SourceError> {
        let mut tries = Tries::new(&self.notices);
        loop {
            match attempt().await {
                Ok(done) => return Ok(done),
                Err(failure) => tokio::time::sleep(tries.after(failure)?).await,
            }
        }
    }

    async fn body(&self, response: Response, what: &str, limit: u64) -> Result<Vec<u8>, Failure> {
        let from = response.url().clone();
        let body = transport::bounded_body(response, what, limit);
        tokio::time::timeout(self.patience(), body).await.map_err(|_| transport::too_slow(&from))?
    }

    /// One successful answer; a login that is missing or has expired is made good once.
    pub(super) async fn get(&self, url: &str, headers: &HeaderMap, what: &str) -> Result<Response, Failure> {
        let (generation, authorization) = {
            let login = self.login.lock().await;
            (login.generation, login.authorization.clone())
        };
        let response = transport::get(self.client()?, url, headers, authorization.as_ref()).await?;
        let challenges = self.challenges(&response, generation).await?;
        if challenges.is_empty() {
            return self.judge(url, response, what).await;
        }
        let authorization = match self.log_in(&challenges, generation).await {
            Ok(Some(authorization)) => authorization,
            Ok(None) => return self.judge(url, response, what).await,
            // To a stranger who asked for what is not there, the answer that came first says more.
            Err(failure) if failure.is_refused_token() && response.status() != StatusCode::UNAUTHORIZED => {
                return self.judge(url, response, what).await;
            }
            Err(failure) => return Err(failure),
        };
        let response = transport::get(self.client()?, url, headers, Some(&authorization)).await?;
        self.judge(url, response, what).await
    }

    /// How the registry wants to be asked, when that may be why it refused: a 401 says so itself. To strangers some
    /// registries answer 403 or 404 for what they may not see, so before anyone has logged in those are followed up
    /// by asking the API's root, which says 401 wherever there is a login (distribution-spec, "Determining Support").
    async fn challenges(&self, refused: &Response, generation: u64) -> Result<Vec<Challenge>, Failure> {
        if !self.is_own(refused.url()) {
            return Ok(Vec::new());
        }
        match refused.status() {
            StatusCode::UNAUTHORIZED => Ok(challenges_in(refused)),
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND if generation == 0 => {
                let url = format!("{}/v2/", self.base);
                let root = transport::get(self.client()?, &url, &HeaderMap::new(), None).await?;
                Ok(if root.status() == StatusCode::UNAUTHORIZED { challenges_in(&root) } else { Vec::new() })
            }
            _ => Ok(Vec::new()),
        }
    }

    fn is_own(&self, url: &Url) -> bool {
        Url::parse(&self.base).is_ok_and(|base| base.origin() == url.origin())
    }

    /// Answers the challenge of a refused request, unless another request has done so since `generation`.
    async fn log_in(&self, challenges: &[Challenge], generation: u64) -> Result<Option<HeaderValue>, Failure> {
        let mut login = self.login.lock().await;
        if login.generation != generation {
            return Ok(login.authorization.clone());
        }
        let found =
            auth::find(&self.registry, &self.repository, &self.options.credentials).await.map_err(SourceError::from)?;
        // What was tried is worth knowing even when it comes to nothing.
        login.found = Some(found.clone());
        found.warnings.iter().for_each(|warning| self.notices.warn(warning.clone()));
        login.authorization = self.authorize(challenges, &found).await?;
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
                auth::token::exchange(self.client()?, &self.base, bearer, &self.repository, &found.credential).await;
            let token = token.map_err(|source| self.no_token(source, found))?;
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

    fn no_token(&self, source: TokenError, found: &Found) -> Failure {
        let hopeless = matches!(&source, TokenError::Unreachable { source, .. } if transport::is_hopeless(source));
        let wait = if let TokenError::Status { wait, .. } = &source { *wait } else { None };
        let may_pass = source.may_pass();
        let attempts = if may_pass { found.attempts.clone() } else { found.refused() };
        let error =
            SourceError::Token { registry: self.registry.clone(), tries: 1, attempts, source: Box::new(source) };
        match may_pass && !hopeless {
            true => Failure::Transient { error: Box::new(error), wait },
            false => Failure::Final(error),
        }
    }

    /// Passes on the registry's warnings; like its refusals, they may repeat what it was sent.
    async fn pass_on_warnings(&self, response: &Response) {
        let texts = warning::texts(response.headers());
        if !texts.is_empty() && self.is_own(response.url()) {
            let login = self.login.lock().await;
            for text in texts {
                self.notices.warn(format!("{} says: {}", self.registry, login.concealed(text)));
            }
        }
    }

    /// Turns an answer to the request for `asked` that is no success into what it means.
    async fn judge(&self, asked: &str, response: Response, what: &str) -> Result<Response, Failure> {
        self.pass_on_warnings(&response).await;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let url = transport::shown(response.url());
        let wait = again::retry_after(response.headers());
        let from_registry = self.is_own(response.url());
        let redirected = Url::parse(asked).is_ok_and(|asked| asked != *response.url());
        let (attempts, message) = {
            let login = self.login.lock().await;
            let attempts = login.found.as_ref().map(Found::refused).unwrap_or_default();
            (attempts, transport::message(response, |text| login.concealed(text)).await)
        };
        if again::is_transient(status) {
            let error = SourceError::Status { url, tries: 1, status: status.as_u16(), message };
            return Err(Failure::Transient { error: Box::new(error), wait });
        }
        // Amazon and Artifact Registry say 403 of a signature that has expired, Google's storage 400, some others 401.
        if redirected && matches!(status.as_u16(), 400 | 401 | 403) {
            let error = SourceError::Status { url, tries: 1, status: status.as_u16(), message };
            return Err(Failure::Refused(Box::new(error)));
        }
        let (registry, repository) = (self.registry.clone(), self.repository.clone());
        Err(Failure::Final(match status.as_u16() {
            401 if from_registry => SourceError::Unauthorized { registry, repository, message, attempts },
            403 if from_registry => SourceError::Denied { registry, repository, message, attempts },
            404 => SourceError::NotFound { what: what.to_owned(), message },
            status => SourceError::Status { url, tries: 1, status, message },
        }))
    }
}

fn challenges_in(response: &Response) -> Vec<Challenge> {
    let values = response.headers().get_all(WWW_AUTHENTICATE);
    challenge::parse(values.iter().filter_map(|value| value.to_str().ok()))
}

fn header(value: &str) -> Result<Option<HeaderValue>, Failure> {
    let mut header = HeaderValue::from_str(value)
        .map_err(|_| SourceError::Setup(format!("a credential cannot be sent as the {AUTHORIZATION} header")))?;
    header.set_sensitive(true);
    Ok(Some(header))
}
