//! The token exchange of the distribution token specification: a credential against a token for one repository.
//!
//! Registries name the server that issues the tokens themselves; the module `realm` says which may be asked.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};

use super::body::{self, BodyError};
use super::challenge::Bearer;
use super::realm::{checked_realm, without_query};
use super::{Credential, Secret, again, text};

/// How long a token server may take.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// The name by which this program introduces itself to token servers.
const CLIENT_ID: &str = "shipproof";

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The registry's own address is not a URL.
    #[error("`{0}` is not the address of a registry")]
    Registry(String),
    /// Credentials are not sent where the registry wants them sent.
    #[error("the registry {registry} wants credentials sent to {realm}, which is refused: {reason}")]
    RealmRefused {
        /// The registry.
        registry: String,
        /// The address it names, without its query.
        realm: String,
        /// The rule that forbids it.
        reason: &'static str,
    },
    /// The token server cannot be reached, or the answer broke off.
    #[error("no answer from the token server {realm}")]
    Unreachable {
        /// The token server.
        realm: String,
        /// What the client says.
        source: reqwest::Error,
    },
    /// The token server refused.
    #[error("the token server {realm} answered {status}{}", shown(message))]
    Status {
        /// The token server.
        realm: String,
        /// Its answer's status.
        status: StatusCode,
        /// Its explanation, without secrets and control characters; empty if it gave none.
        message: String,
        /// How long it asks to be left alone.
        wait: Option<Duration>,
    },
    /// The answer is larger than any token.
    #[error("the token server {realm} answered more than {} KiB", body::LIMIT / 1024)]
    TooLarge {
        /// The token server.
        realm: String,
    },
    /// The answer holds no token.
    #[error("the token server {realm} did not answer with the JSON of a token")]
    NoToken {
        /// The token server.
        realm: String,
    },
}

impl TokenError {
    /// Whether the server did not say no, but nothing, or "later".
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, .. } => again::is_transient(*status),
            Self::Unreachable { .. } => true,
            _ => false,
        }
    }
}

#[derive(serde::Deserialize)]
struct Reply {
    token: Option<Secret>,
    access_token: Option<Secret>,
}

/// Fetches a token that permits pulling `repository`, whatever scope the challenge names.
///
/// `registry_base` is the registry's address, `https://host[:port]`. `client` must not follow redirects
/// (`redirect::Policy::none()`): the rules above hold for the address that was checked, not for where it points.
/// A redirect is then a [`TokenError::Status`].
///
/// # Errors
///
/// Fails if the realm is refused, before anything is sent there, and if the server issues no token. No error's text
/// holds a secret.
pub async fn exchange(
    client: &Client,
    registry_base: &str,
    bearer: &Bearer,
    repository: &str,
    credential: &Credential,
) -> Result<Secret, TokenError> {
    if let Credential::RegistryToken(token) = credential {
        return Ok(token.clone());
    }
    let url = checked_realm(registry_base, &bearer.realm)?;
    let realm = without_query(&url);
    let request = request(client, url, bearer, repository, credential).timeout(TIME_LIMIT);
    let unreachable =
        |error: reqwest::Error| TokenError::Unreachable { realm: realm.clone(), source: error.without_url() };
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let wait = again::retry_after(response.headers());
    let body = read(response, &realm).await?;
    if !status.is_success() {
        return Err(TokenError::Status { realm, status, message: explanation(&body, credential), wait });
    }
    issued_token(&body).ok_or(TokenError::NoToken { realm })
}

fn request(client: &Client, url: Url, bearer: &Bearer, repository: &str, credential: &Credential) -> RequestBuilder {
    let scope = format!("repository:{repository}:pull");
    let service = bearer.service.as_deref().map(|service| ("service", service));
    let parameters: Vec<(&str, &str)> = service.into_iter().chain([("scope", scope.as_str())]).collect();
    match credential {
        Credential::IdentityToken(token) => {
            let grant = [("grant_type", "refresh_token"), ("client_id", CLIENT_ID), ("refresh_token", token.expose())];
            client.post(url).form(&[&grant[..], &parameters].concat())
        }
        Credential::Basic { username, password } => {
            client.get(url).query(&parameters).basic_auth(username, Some(password.expose()))
        }
        Credential::Anonymous | Credential::RegistryToken(_) => client.get(url).query(&parameters),
    }
}

async fn read(response: Response, realm: &str) -> Result<Vec<u8>, TokenError> {
    body::read(response).await.map_err(|error| match error {
        BodyError::TooLarge => TokenError::TooLarge { realm: realm.to_owned() },
        BodyError::Broken(source) => TokenError::Unreachable { realm: realm.to_owned(), source },
    })
}

/// The token in an answer; servers write `token`, OAuth `access_token`. It must fit into a header.
fn issued_token(body: &[u8]) -> Option<Secret> {
    let reply: Reply = serde_json::from_slice(body).ok()?;
    let token = [reply.token, reply.access_token].into_iter().flatten().find(|token| !token.is_empty())?;
    token.expose().bytes().all(|byte| byte.is_ascii_graphic()).then_some(token)
}

/// What an answer of an error says for itself: the registry's error list, OAuth's or a plain message. Pages of HTML say
/// nothing. A server may repeat what it was sent, so the credential is cut out.
fn explanation(body: &[u8], credential: &Credential) -> String {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let places = ["/errors/0/message", "/error_description", "/error/message", "/error", "/message", "/details"];
    let said = places.iter().find_map(|place| json.pointer(place)?.as_str()).unwrap_or_default();
    text::printable(&credential.concealed(said.to_owned()))
}

fn shown(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

#[cfg(test)]
mod tests {
    use reqwest::redirect::Policy;

    use super::super::testing::{Server, reply};
    use super::super::tls::install_crypto_provider;
    use super::*;

    const ISSUED: &str = r#"{"token": "issued"}"#;

    fn bearer(realm: &str) -> Bearer {
        Bearer {
            realm: realm.to_owned(),
            service: Some("the service".to_owned()),
            scope: Some("registry:catalog:*".into()),
        }
    }

    fn basic() -> Credential {
        Credential::Basic { username: "user".to_owned(), password: Secret::new("hunter2:x") }
    }

    /// Asks the token server `server`, which is the registry as well.
    async fn ask(server: &Server, credential: &Credential) -> Result<Secret, TokenError> {
        install_crypto_provider();
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        exchange(&client, &server.url(""), &bearer(&server.url("/token?a=b")), "project/image", credential).await
    }

    #[tokio::test]
    async fn the_token_server_is_asked_for_pulling_one_repository() {
        for credential in [Credential::Anonymous, basic()] {
            let server = Server::start(|_| reply("200 OK", &[], ISSUED));
            assert_eq!(ask(&server, &credential).await.unwrap().expose(), "issued");
            let asked = &server.seen()[0];
            assert_eq!(asked.method, "GET");
            assert!(asked.target.starts_with("/token?a=b&"), "{}", asked.target);
            assert_eq!(asked.parameter("service").as_deref(), Some("the service"));
            assert_eq!(asked.parameter("scope").as_deref(), Some("repository:project/image:pull"));
            let header = matches!(credential, Credential::Basic { .. }).then_some("Basic dXNlcjpodW50ZXIyOng=");
            assert_eq!(asked.header("authorization"), header);
        }
    }

    #[tokio::test]
    async fn an_identity_token_is_exchanged_by_oauth() {
        let server = Server::start(|_| reply("200 OK", &[], r#"{"access_token": "issued", "expires_in": 300}"#));
        let token = ask(&server, &Credential::IdentityToken(Secret::new("a+b&c"))).await.unwrap();
        assert_eq!(token.expose(), "issued");
        let asked = &server.seen()[0];
        let parameter = |name| url_form(&asked.body, name);
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/token?a=b"));
        assert_eq!(parameter("grant_type").as_deref(), Some("refresh_token"));
        assert_eq!(parameter("refresh_token").as_deref(), Some("a+b&c"));
        assert_eq!(parameter("client_id").as_deref(), Some("shipproof"));
        assert_eq!(parameter("service").as_deref(), Some("the service"));
        assert_eq!(parameter("scope").as_deref(), Some("repository:project/image:pull"));
        assert_eq!(asked.header("authorization"), None);
    }

    fn url_form(body: &str, name: &str) -> Option<String> {
        let url = Url::parse(&format!("http://x/?{body}")).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    #[tokio::test]
    async fn a_registry_token_needs_no_exchange() {
        let server = Server::start(|_| reply("500 No", &[], ""));
        let token = Credential::RegistryToken(Secret::new("as it is"));
        assert_eq!(ask(&server, &token).await.unwrap().expose(), "as it is");
        assert!(server.seen().is_empty());
    }

    #[tokio::test]
    async fn failures_say_what_the_server_said() {
        let errors = r#"{"errors": [{"message": "Permission \"x\" denied\u001b[2J for dXNlcjpodW50ZXIyOng="}]}"#;
        let oauth = r#"{"error": "invalid_grant", "error_description": "hunter2:x is wrong"}"#;
        let table = [
            (
                reply("403 Forbidden", &[], errors),
                "answered 403 Forbidden: Permission \"x\" denied\\u{1b}[2J for [secret]",
            ),
            (reply("400 Bad Request", &[], oauth), "answered 400 Bad Request: [secret] is wrong"),
            (reply("401 Unauthorized", &[], r#"{"details": "incorrect"}"#), "answered 401 Unauthorized: incorrect"),
            (reply("403 Forbidden", &[], "<html>hunter2:x</html>"), "answered 403 Forbidden"),
            (reply("302 Found", &["Location: https://evil.example/"], ""), "answered 302 Found"),
            (reply("429 Slow", &[], "{}"), "answered 429 Too Many Requests"),
            (reply("200 OK", &[], "<html>login</html>"), "did not answer with the JSON of a token"),
            (reply("200 OK", &[], r#"{"token": "", "access_token": null}"#), "did not answer with the JSON of a token"),
            (reply("200 OK", &[], r#"{"token": "a\nb"}"#), "did not answer with the JSON of a token"),
            (reply("200 OK", &[], &"x".repeat(70_000)), "answered more than 64 KiB"),
            (reply("500 No", &[], &"x".repeat(10_000_000)), "answered more than 64 KiB"),
        ];
        for (text, expected) in table {
            let server = Server::start(move |_| text.clone());
            let error = ask(&server, &basic()).await.unwrap_err();
            assert_eq!(error.to_string(), format!("the token server {} {expected}", server.url("/token")));
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn nothing_is_sent_to_a_refused_realm() {
        install_crypto_provider();
        let server = Server::start(|_| reply("200 OK", &[], ISSUED));
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let realm = bearer(&server.url("/token?secret=1"));
        let error = exchange(&client, "https://registry.example", &realm, "a", &basic()).await.unwrap_err();
        let expected = format!(
            "the registry https://registry.example/ wants credentials sent to {}, which is refused: it is not https",
            server.url("/token")
        );
        assert_eq!(error.to_string(), expected);
        assert!(server.seen().is_empty());
    }

    #[tokio::test]
    async fn an_unreachable_server_is_named_without_its_query() {
        install_crypto_provider();
        let client = Client::builder().no_proxy().build().unwrap();
        let base = "http://127.0.0.1:1";
        let error = exchange(&client, base, &bearer("http://127.0.0.1:1/t?q=s3cret"), "a", &basic()).await.unwrap_err();
        assert_eq!(error.to_string(), "no answer from the token server http://127.0.0.1:1/t");
        let text = format!("{error:?}");
        assert!(!text.contains("hunter2") && !text.contains("s3cret"), "{text}");
    }
}
