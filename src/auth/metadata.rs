//! The metadata server of Google's machines, which hands out access tokens of the machine's service account.
//!
//! Asked with a client of our own: the answer must come soon, from the machine's own network and never through a
//! proxy, and only from a server that says it is Google's.

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{StatusCode, Url, redirect};

use super::Secret;
use super::body::{self, BodyError};
use super::environment::Environment;
use super::google::SCOPE;

/// The address of the server. The number is asked instead of `metadata.google.internal`, because looking up a name
/// can take many seconds where it does not exist.
const ADDRESS: &str = "169.254.169.254";

/// The header that both sides send to show that they mean this protocol.
const FLAVOR: &str = "Metadata-Flavor";

/// Why the metadata server gave no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetadataError {
    #[error("GCE_METADATA_HOST is not a host")]
    Host,
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    #[error("not reachable")]
    Unreachable,
    #[error("not a metadata server of Google's")]
    Stranger,
    #[error("answered {0}")]
    Status(StatusCode),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("did not answer with the JSON of a token")]
    NoToken,
}

#[derive(serde::Deserialize)]
struct Reply {
    access_token: Secret,
}

/// Host and port to ask.
pub(super) fn host(environment: &Environment) -> &str {
    environment.gce_metadata_host.as_deref().unwrap_or(ADDRESS)
}

/// An access token of the machine's default service account.
pub(super) async fn access_token(host: &str, limit: Duration) -> Result<Secret, MetadataError> {
    let path = "instance/service-accounts/default/token";
    let body = ask(host, path, &[("scopes", SCOPE)], limit).await?;
    let reply: Reply = serde_json::from_slice(&body).map_err(|_| MetadataError::NoToken)?;
    Some(reply.access_token).filter(|token| !token.is_empty()).ok_or(MetadataError::NoToken)
}

/// What the metadata server says of the machine under a path such as `project/project-id`; `None` where there is no
/// such server, or it does not say.
pub async fn metadata_text(path: &str, environment: &Environment) -> Option<String> {
    super::install_crypto_provider();
    let body = ask(host(environment), path, &[], environment.metadata_time_limit).await.ok()?;
    String::from_utf8(body).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

async fn ask(host: &str, path: &str, query: &[(&str, &str)], limit: Duration) -> Result<Vec<u8>, MetadataError> {
    tokio::time::timeout(limit, get(url(host, path)?, query)).await.unwrap_or(Err(MetadataError::TimedOut(limit)))
}

fn url(host: &str, path: &str) -> Result<Url, MetadataError> {
    let base = Url::parse(&format!("http://{host}/")).map_err(|_| MetadataError::Host)?;
    if base.path() != "/" || !base.username().is_empty() || base.query().is_some() || base.fragment().is_some() {
        return Err(MetadataError::Host);
    }
    base.join(&format!("computeMetadata/v1/{path}")).map_err(|_| MetadataError::Host)
}

async fn get(url: Url, query: &[(&str, &str)]) -> Result<Vec<u8>, MetadataError> {
    let unreachable = |_| MetadataError::Unreachable;
    let client = reqwest::Client::builder().no_proxy().redirect(redirect::Policy::none());
    let client = client.build().map_err(unreachable)?;
    let response = client.get(url).query(query).header(FLAVOR, "Google").send().await.map_err(unreachable)?;
    if response.headers().get(FLAVOR) != Some(&HeaderValue::from_static("Google")) {
        return Err(MetadataError::Stranger);
    }
    if !response.status().is_success() {
        return Err(MetadataError::Status(response.status()));
    }
    Ok(body::read(response).await?)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::testing::{Server, reply};
    use super::super::tls::install_crypto_provider;
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);
    const GOOGLE: &str = "Metadata-Flavor: Google";

    async fn answer(text: String) -> Result<Secret, MetadataError> {
        install_crypto_provider();
        let server = Server::start(move |_| text.clone());
        access_token(&server.host(), LIMIT).await
    }

    #[tokio::test]
    async fn a_token_is_asked_for_in_the_documented_way() {
        install_crypto_provider();
        let body = r#"{"access_token": "ya29.x", "expires_in": 3599, "token_type": "Bearer"}"#;
        let server = Server::start(move |_| reply("200 OK", &[GOOGLE], body));
        assert_eq!(access_token(&server.host(), LIMIT).await.unwrap().expose(), "ya29.x");
        let seen = server.seen();
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        assert_eq!(seen[0].target.split('?').next(), Some(path));
        assert_eq!(seen[0].header("metadata-flavor"), Some("Google"));
        assert_eq!(seen[0].parameter("scopes").as_deref(), Some(SCOPE));
    }

    #[tokio::test]
    async fn other_answers_are_no_tokens() {
        let table = [
            (reply("200 OK", &[], r#"{"access_token": "x"}"#), "not a metadata server of Google's"),
            (reply("302 Found", &[GOOGLE, "Location: http://127.0.0.1:1/"], ""), "answered 302 Found"),
            (reply("404 Not Found", &[GOOGLE], "hunter2"), "answered 404 Not Found"),
            (reply("200 OK", &[GOOGLE], "hunter2"), "did not answer with the JSON of a token"),
            (reply("200 OK", &[GOOGLE], r#"{"access_token": ""}"#), "did not answer with the JSON of a token"),
            (reply("200 OK", &[GOOGLE], &"x".repeat(70_000)), "answered more than 64 KiB"),
            ("HTTP/1.1 200 OK\r\nMetadata-Flavor: Google\r\nContent-Length: 9\r\n\r\n{".into(), "the answer broke off"),
        ];
        for (text, expected) in table {
            let error = answer(text).await.unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }

    #[tokio::test]
    async fn silence_is_not_waited_for() {
        install_crypto_provider();
        let server = Server::start(|_| {
            std::thread::sleep(LIMIT);
            String::new()
        });
        let start = Instant::now();
        let error = access_token(&server.host(), Duration::from_millis(100)).await.unwrap_err();
        assert_eq!(error.to_string(), "no answer within 100ms");
        assert!(start.elapsed() < LIMIT);
    }

    #[tokio::test]
    async fn only_hosts_are_asked() {
        install_crypto_provider();
        for host in ["", "a/b", "u@h", "h?q", "h#f", "a b", "h:port"] {
            assert!(matches!(access_token(host, LIMIT).await, Err(MetadataError::Host)), "{host}");
        }
        assert!(matches!(access_token("127.0.0.1:1", LIMIT).await, Err(MetadataError::Unreachable)));
    }
}
