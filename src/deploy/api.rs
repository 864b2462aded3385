//! Requests to Google's APIs: who is asking, how much may come back, what is tried again.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use reqwest::{Client, Method, RequestBuilder, Response, Url, redirect};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::auth::{self, Secret, again};
use crate::limits;

use super::error::DeployError;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// An API at one address.
pub(super) struct Api {
    client: Client,
    base: Url,
    login: Login,
    runtime: tokio::runtime::Handle,
    token: Mutex<Option<Secret>>,
}

/// Who is asking.
pub(super) enum Login {
    /// Whoever Google's credentials of this machine say.
    Google(Box<auth::Environment>),
    /// The owner of an emulator, which takes no other.
    Emulator,
}

/// Why one attempt failed.
enum Failure {
    Transient(DeployError),
    Final(DeployError),
}

impl Failure {
    fn into_error(self) -> DeployError {
        let (Self::Transient(error) | Self::Final(error)) = self;
        error
    }
}

impl Api {
    /// The API at `base`, which is asked with tokens only by https or on this machine.
    pub(super) fn new(
        base: &str,
        login: Login,
        timeout: Duration,
        runtime: tokio::runtime::Handle,
    ) -> Result<Self, DeployError> {
        auth::install_crypto_provider();
        let insecure = || DeployError::Insecure(base.to_owned());
        let base = Url::parse(base).map_err(|_| insecure())?;
        let is_here = base.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
        let is_safe = base.scheme() == "https" || is_here || matches!(login, Login::Emulator);
        if !is_safe {
            return Err(insecure());
        }
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .user_agent(concat!("shipproof/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(timeout);
        let client = client.build().map_err(DeployError::Setup)?;
        Ok(Self { client, base, login, runtime, token: Mutex::default() })
    }

    /// The answer to a GET of `path`, below the address.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, DeployError> {
        self.ask(Method::GET, path, |request| request.query(query))
    }

    /// The answer to a POST of `body`; only of those that change nothing.
    pub(super) fn query<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, DeployError> {
        self.ask(Method::POST, path, |request| request.json(body))
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        with: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<T, DeployError> {
        let url = self.base.join(path.trim_start_matches('/')).map_err(|_| DeployError::Insecure(path.to_owned()))?;
        let attempt = || async { self.attempt(with(self.client.request(method.clone(), url.clone()))).await };
        let tries = attempt
            .retry(ExponentialBuilder::default().with_max_times(limits::RETRIES).with_jitter())
            .when(|failure| matches!(failure, Failure::Transient(_)));
        let body = self.runtime.block_on(tries).map_err(Failure::into_error)?;
        serde_json::from_slice(&body)
            .map_err(|error| DeployError::Form { what: format!("the answer of {}", self.host()), source: Some(error) })
    }

    fn host(&self) -> String {
        self.base.host_str().unwrap_or_default().to_owned()
    }

    async fn attempt(&self, request: RequestBuilder) -> Result<Vec<u8>, Failure> {
        let again = request.try_clone();
        let response = self.send(request).await?;
        // A token that was good an hour ago may have expired; another one is asked for once.
        let expired = response.status().as_u16() == 401 && self.token.lock().await.take().is_some();
        let response = match again.filter(|_| expired) {
            Some(request) => self.send(request).await?,
            None => response,
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let body = self.body(response).await?;
        if status.is_success() {
            return Ok(body);
        }
        let error = DeployError::Refused { host: self.host(), status: status.as_u16(), message: message(&body) };
        let wait = again::retry_after(&headers).unwrap_or_default();
        if !again::is_transient(status) || wait.as_secs() > limits::RETRY_AFTER_SECONDS {
            return Err(Failure::Final(error));
        }
        tokio::time::sleep(wait).await;
        Err(Failure::Transient(error))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let request = match &self.login {
            Login::Emulator => request.bearer_auth("owner"),
            Login::Google(environment) => request.bearer_auth(self.token(environment).await?.expose()),
        };
        request.send().await.map_err(|error| self.broken(error))
    }

    async fn token(&self, environment: &auth::Environment) -> Result<Secret, Failure> {
        let mut token = self.token.lock().await;
        if token.is_none() {
            let new = auth::google_access_token(environment).await;
            *token = Some(new.map_err(|error| Failure::Final(error.into()))?);
        }
        Ok(token.clone().unwrap_or_else(|| Secret::new("")))
    }

    fn broken(&self, error: reqwest::Error) -> Failure {
        Failure::Transient(DeployError::Network { host: self.host(), source: error.without_url() })
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(error))? {
            if body.len() + chunk.len() > limits::API_BYTES {
                return Err(Failure::Final(DeployError::TooLarge(self.host())));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// What a refusal says (<https://cloud.google.com/apis/design/errors>); Firestore puts it into a list.
fn message(body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = json.get(0).unwrap_or(&json).get("error");
    let said = error.and_then(|error| error.get("message")).and_then(Value::as_str);
    said.map_or_else(|| String::from_utf8_lossy(&body[..body.len().min(200)]).trim().to_owned(), str::to_owned)
}
