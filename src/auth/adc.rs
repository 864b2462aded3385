//! Google's credential files: what `gcloud auth application-default login`, a key download, or workload identity
//! federation leave on a disk.
//!
//! The exchange for an access token is the work of `google-cloud-auth`. It is handed the file's JSON, so that it need
//! not look for files itself, and it is held to a time limit, because it retries impersonation for a minute.

use std::error::Error;
use std::io;
use std::iter::successors;
use std::time::Duration;

use google_cloud_auth::build_errors::Error as BuildError;
use google_cloud_auth::credentials::service_account::AccessSpecifier;
use google_cloud_auth::credentials::{
    AccessTokenCredentials, external_account, impersonated, service_account, user_account,
};
use google_cloud_auth::errors::CredentialsError;
use serde_json::Value;

use super::environment::Environment;
use super::google::{SCOPE, with_access_token};
use super::{Credential, Secret, text};

/// Why a credential file gave no credential.
#[derive(Debug, thiserror::Error)]
pub(super) enum AdcError {
    #[error("it does not say its type")]
    NoType,
    #[error("credentials of type `{0}` are not supported")]
    UnknownType(String),
    #[error("identities of AWS are not supported")]
    Aws,
    #[error("it runs a program, which needs GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1")]
    Executable,
    #[error("it is not complete")]
    Incomplete,
    #[error("no token within {0:?}")]
    TimedOut(Duration),
    #[error("{0}")]
    Refused(String),
}

/// The credential that a file with this content stands for.
pub(super) async fn credential(json: Value, bytes: &[u8], environment: &Environment) -> Result<Credential, AdcError> {
    if kind(&json)? == "service_account" {
        // Documented for Artifact Registry; whether it takes a token that the key itself signed is not.
        let password = Secret::new(String::from_utf8_lossy(bytes));
        return Ok(Credential::Basic { username: "_json_key".to_owned(), password });
    }
    access_token(json, environment).await.map(with_access_token)
}

/// The access token that such a file stands for; of a service account's key one that the key itself signs, which
/// Google's APIs take (AIP-4111).
pub(super) async fn access_token(json: Value, environment: &Environment) -> Result<Secret, AdcError> {
    let limit = environment.time_limit;
    let credentials = build(json, environment)?;
    let token = tokio::time::timeout(limit, credentials.access_token()).await;
    match token.map_err(|_| AdcError::TimedOut(limit))? {
        Ok(token) => Ok(Secret::new(token.token)),
        Err(error) => Err(AdcError::Refused(reason(&error))),
    }
}

fn kind(json: &Value) -> Result<&str, AdcError> {
    json.get("type").and_then(Value::as_str).ok_or(AdcError::NoType)
}

fn build(json: Value, environment: &Environment) -> Result<AccessTokenCredentials, AdcError> {
    refuse_environment(&json, environment)?;
    let kind = kind(&json)?.to_owned();
    let scopes = [SCOPE];
    let built = match kind.as_str() {
        "service_account" => service_account::Builder::new(json)
            .with_access_specifier(AccessSpecifier::from_scopes(scopes))
            .build_access_token_credentials(),
        "authorized_user" => user_account::Builder::new(json).with_scopes(scopes).build_access_token_credentials(),
        "external_account" => external_account::Builder::new(json).with_scopes(scopes).build_access_token_credentials(),
        "impersonated_service_account" => {
            impersonated::Builder::new(json).with_scopes(scopes).build_access_token_credentials()
        }
        _ => return Err(AdcError::UnknownType(text::printable(&kind))),
    };
    // The builder's message may quote the file.
    built.map_err(|_: BuildError| AdcError::Incomplete)
}

/// Refuses what would make the crate look into the process environment or run a program that nobody permitted, in the
/// file itself and in the source credentials that impersonation starts from.
fn refuse_environment(json: &Value, environment: &Environment) -> Result<(), AdcError> {
    let source = json.get("credential_source");
    let has = |name| source.is_some_and(|source| source.get(name).is_some());
    if has("environment_id") {
        return Err(AdcError::Aws);
    }
    if has("executable") && !environment.google_allow_executables {
        return Err(AdcError::Executable);
    }
    json.get("source_credentials").map_or(Ok(()), |inner| refuse_environment(inner, environment))
}

/// What went wrong, in words of our own: the crate's messages quote whole answers, and those may hold tokens.
fn reason(error: &CredentialsError) -> String {
    let first: &(dyn Error + 'static) = error;
    let chain: Vec<_> = successors(Some(first), |error| (*error).source()).collect();
    let code = chain.iter().find_map(|error| error_code(&error.to_string()));
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    if let Some(http) = chain.iter().find_map(|error| error.downcast_ref::<reqwest::Error>()) {
        return format!("{}{code}", http_reason(http));
    }
    if let Some(io) = chain.iter().find_map(|error| error.downcast_ref::<io::Error>()) {
        return format!("the identity token cannot be had: {}", io.kind());
    }
    format!("no access token was issued{code}")
}

fn http_reason(error: &reqwest::Error) -> String {
    match error.status() {
        Some(status) => format!("the token endpoint answered {status}"),
        None if error.is_decode() => "the token endpoint did not answer with the JSON of a token".to_owned(),
        None => "the token endpoint cannot be reached".to_owned(),
    }
}

/// The value of `"error"` (RFC 6749, section 5.2) or `"status"` (google.rpc.Code) in a text that quotes JSON, if it is
/// a plain word. A word of letters and underscores is a code; a secret is none.
fn error_code(text: &str) -> Option<String> {
    ["\"error\"", "\"status\""].iter().find_map(|key| {
        let (_, rest) = text.split_once(key)?;
        let value = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        let (word, _) = value.split_once('"')?;
        let is_code = (1..=40).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        is_code.then(|| word.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::json;

    use super::super::testing::{Home, Request, Server, reply};
    use super::super::tls::install_crypto_provider;
    use super::*;

    async fn exchange(json: &Value, environment: &Environment) -> Result<Credential, AdcError> {
        install_crypto_provider();
        credential(json.clone(), json.to_string().as_bytes(), environment).await
    }

    fn issued(token: &str) -> Credential {
        Credential::Basic { username: "oauth2accesstoken".to_owned(), password: Secret::new(token) }
    }

    fn user(token_uri: &str) -> Value {
        json!({
            "type": "authorized_user", "client_id": "id", "client_secret": "hunter2",
            "refresh_token": "hunter2-refresh", "token_uri": token_uri,
        })
    }

    fn federated(token_url: &str, source: &Value) -> Value {
        json!({
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": token_url,
            "credential_source": source,
        })
    }

    /// Plays Google's token endpoint, its STS, its IAM credentials service and an identity provider.
    fn google(request: &Request) -> String {
        let path = request.target.split('?').next().unwrap_or_default();
        let body = match path {
            "/token" => r#"{"access_token": "user-token", "token_type": "Bearer", "expires_in": 3600}"#,
            "/sts" => {
                r#"{"access_token": "sts-token", "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                    "token_type": "Bearer", "expires_in": 3600}"#
            }
            "/identity" => r#"{"value": "subject-from-url"}"#,
            _ => r#"{"accessToken": "impersonated-token", "expireTime": "2999-01-01T00:00:00Z"}"#,
        };
        reply("200 OK", &["Content-Type: application/json"], body)
    }

    #[tokio::test]
    async fn a_service_account_key_is_the_password_itself() {
        let key = r#"{"type": "service_account", "private_key": "hunter2"} "#;
        let json = serde_json::from_str(key).unwrap();
        let credential = credential(json, key.as_bytes(), &Environment::default()).await.unwrap();
        let expected = Credential::Basic { username: "_json_key".to_owned(), password: Secret::new(key) };
        assert_eq!(credential, expected);
    }

    #[tokio::test]
    async fn a_user_is_exchanged_for_an_access_token() {
        let server = Server::start(google);
        let credential = exchange(&user(&server.url("/token")), &Environment::default()).await.unwrap();
        assert_eq!(credential, issued("user-token"));
        let body: Value = serde_json::from_str(&server.seen()[0].body).unwrap();
        assert_eq!(body["grant_type"], "refresh_token");
        assert_eq!(body["refresh_token"], "hunter2-refresh");
        assert_eq!(body["scopes"], SCOPE);
    }

    #[tokio::test]
    async fn a_federated_identity_comes_from_a_file_or_an_address() {
        let home = Home::new();
        let file = home.write("subject", "subject-from-file");
        let server = Server::start(google);
        let format = json!({"type": "json", "subject_token_field_name": "value"});
        let sources = [
            (json!({"file": file}), "subject-from-file"),
            (
                json!({"url": server.url("/identity"), "headers": {"Authorization": "x"}, "format": format}),
                "subject-from-url",
            ),
        ];
        for (source, subject) in sources {
            let credential = exchange(&federated(&server.url("/sts"), &source), &home.environment()).await.unwrap();
            assert_eq!(credential, issued("sts-token"));
            let asked = server.seen().pop().unwrap();
            assert_eq!(asked.parameter("subject_token").as_deref(), Some(subject));
            assert_eq!(asked.parameter("scope").as_deref(), Some(SCOPE));
        }
    }

    /// The crate asks the process environment for its own permission to run a program, so this test runs itself again.
    #[tokio::test]
    async fn a_federated_identity_may_come_from_a_program() {
        const NAME: &str = "auth::adc::tests::a_federated_identity_may_come_from_a_program";
        const PERMISSION: &str = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";
        if std::env::var_os(PERMISSION).is_none() {
            let mut again = std::process::Command::new(std::env::current_exe().unwrap());
            assert!(again.args(["--exact", NAME]).env(PERMISSION, "1").status().unwrap().success());
            return;
        }
        let home = Home::new();
        let answer = json!({
            "version": 1, "success": true, "token_type": "urn:ietf:params:oauth:token-type:jwt", "id_token": "subject",
        });
        home.program("identity", &format!("printf '%s' '{answer}'"));
        let server = Server::start(google);
        let json = federated(&server.url("/sts"), &json!({"executable": {"command": home.path("bin/identity")}}));
        let environment = Environment { google_allow_executables: true, ..home.environment() };
        assert_eq!(exchange(&json, &environment).await.unwrap(), issued("sts-token"));
        assert_eq!(server.seen()[0].parameter("subject_token").as_deref(), Some("subject"));

        home.program("identity", "echo hunter2 >&2; exit 1");
        let error = exchange(&json, &environment).await.unwrap_err();
        assert_eq!(error.to_string(), "no access token was issued");
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn impersonation_starts_from_a_user_or_a_federated_identity() {
        let home = Home::new();
        let server = Server::start(google);
        let url = server.url("/v1/projects/-/serviceAccounts/sa@p.iam.gserviceaccount.com:generateAccessToken");
        let impersonated = json!({
            "type": "impersonated_service_account",
            "service_account_impersonation_url": url,
            "source_credentials": user(&server.url("/token")),
        });
        let source = json!({"file": home.write("subject", "x")});
        let mut federated = federated(&server.url("/sts"), &source);
        federated["service_account_impersonation_url"] = url.into();
        for (json, first) in [(impersonated, "Bearer user-token"), (federated, "Bearer sts-token")] {
            assert_eq!(exchange(&json, &home.environment()).await.unwrap(), issued("impersonated-token"));
            let asked = server.seen().pop().unwrap();
            assert_eq!(asked.header("authorization"), Some(first));
            assert!(asked.body.contains(SCOPE), "{}", asked.body);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_exchanged_says_so() {
        let url = "http://127.0.0.1:1/";
        let program = json!({"executable": {"command": "/bin/true"}});
        let aws = json!({"environment_id": "aws1"});
        let nested = json!({
            "type": "impersonated_service_account", "source_credentials": federated(url, &aws),
            "service_account_impersonation_url": url,
        });
        let missing = federated(url, &json!({"file": "/nowhere/hunter2"}));
        let table = [
            (json!({}), "it does not say its type"),
            (json!([]), "it does not say its type"),
            (json!({"type": "gdch\u{1b}"}), "credentials of type `gdch\\u{1b}` are not supported"),
            (json!({"type": "authorized_user", "client_id": "hunter2"}), "it is not complete"),
            (json!({"type": "authorized_user", "client_id": ["hunter2"]}), "it is not complete"),
            (json!({"type": "external_account"}), "it is not complete"),
            (federated(url, &aws), "identities of AWS are not supported"),
            (nested, "identities of AWS are not supported"),
            (federated(url, &program), "it runs a program, which needs GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1"),
            (missing, "the identity token cannot be had: entity not found"),
            (user(url), "the token endpoint cannot be reached"),
        ];
        for (json, expected) in table {
            let error = exchange(&json, &Environment::default()).await.unwrap_err();
            assert_eq!(error.to_string(), expected, "{json}");
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }

    #[tokio::test]
    async fn refusals_are_told_without_what_was_sent() {
        let table = [
            (
                "400 Bad Request",
                r#"{"error": "invalid_grant", "error_description": "hunter2-refresh"}"#,
                "the token endpoint answered 400 Bad Request (invalid_grant)",
            ),
            ("400 Bad Request", r#"{"error": "hunter2-refresh"}"#, "the token endpoint answered 400 Bad Request"),
            ("403 Forbidden", "<html>hunter2-refresh", "the token endpoint answered 403 Forbidden"),
            ("503 Busy", "hunter2-refresh", "the token endpoint answered 503 Service Unavailable"),
            ("200 OK", "hunter2-refresh", "the token endpoint did not answer with the JSON of a token"),
        ];
        for (status, body, expected) in table {
            let server = Server::start(move |_| reply(status, &[], body));
            let error = exchange(&user(&server.url("/token")), &Environment::default()).await.unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert!(!format!("{error:?}").contains("hunter2"));
            assert_eq!(server.seen().len(), 1, "asked again");
        }
    }

    #[tokio::test]
    async fn a_refused_impersonation_names_its_code() {
        let server = Server::start(|request| match request.target.as_str() {
            "/token" => google(request),
            _ => reply(
                "403 Forbidden",
                &[],
                r#"{"error": {"code": 403, "message": "hunter2", "status": "PERMISSION_DENIED"}}"#,
            ),
        });
        let json = json!({
            "type": "impersonated_service_account", "source_credentials": user(&server.url("/token")),
            "service_account_impersonation_url": server.url("/v1/projects/-/serviceAccounts/sa@p:generateAccessToken"),
        });
        let error = exchange(&json, &Environment::default()).await.unwrap_err();
        assert_eq!(error.to_string(), "no access token was issued (PERMISSION_DENIED)");
    }

    #[tokio::test]
    async fn nothing_is_retried_beyond_the_time_limit() {
        let limit = Duration::from_millis(300);
        let environment = Environment { time_limit: limit, ..Environment::default() };
        let busy = Server::start(|request| match request.target.as_str() {
            "/token" => google(request),
            _ => reply("503 Busy", &[], ""),
        });
        let silent = Server::start(|_| {
            std::thread::sleep(Duration::from_secs(5));
            String::new()
        });
        let impersonated = json!({
            "type": "impersonated_service_account", "source_credentials": user(&busy.url("/token")),
            "service_account_impersonation_url": busy.url("/v1/projects/-/serviceAccounts/sa@p:generateAccessToken"),
        });
        for json in [impersonated, user(&silent.url("/token"))] {
            let start = Instant::now();
            let error = exchange(&json, &environment).await.unwrap_err();
            assert_eq!(error.to_string(), "no token within 300ms");
            assert!(start.elapsed() < Duration::from_secs(4));
        }
    }
}
