//! Docker credential helpers: programs named `docker-credential-NAME` that know passwords.
//!
//! The protocol is that of docker-credential-helpers: argument `get`, the server's name on standard input, JSON with
//! `Username` and `Secret` on standard output, and a sentence and exit code 1 if there is nothing.

use super::environment::Environment;
use super::process::{self, Answer, RunError};
use super::text;
use super::{Credential, Secret};

/// How every helper says that it has nothing (`credentials.NewErrCredentialsNotFound`).
const NOT_FOUND: &[u8] = b"credentials not found in native keychain";

/// The user name that makes the secret an identity token.
const TOKEN_USER: &str = "<token>";

/// Why a helper gave no credential.
#[derive(Debug, thiserror::Error)]
pub(super) enum HelperError {
    #[error("no entry")]
    NotFound,
    #[error("not the name of a helper")]
    Name,
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("failed: {0}")]
    Failed(String),
    #[error("did not answer with the JSON of a credential")]
    Garbage,
}

#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Reply {
    username: String,
    secret: Option<Secret>,
}

/// Asks helper `name` for the first of `servers` that it knows.
pub(super) async fn get(name: &str, servers: &[&str], environment: &Environment) -> Result<Credential, HelperError> {
    let program = program(name)?;
    for server in servers {
        let answer = process::run(&program, &["get"], server, environment).await?;
        match credential(&answer) {
            Err(HelperError::NotFound) => {}
            known => return known,
        }
    }
    Err(HelperError::NotFound)
}

/// The program of a helper; a name that could lead to another directory has none.
fn program(name: &str) -> Result<String, HelperError> {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || !name.bytes().all(safe) {
        return Err(HelperError::Name);
    }
    Ok(format!("docker-credential-{name}"))
}

fn credential(answer: &Answer) -> Result<Credential, HelperError> {
    if !answer.status.success() {
        return Err(failure(answer));
    }
    let reply: Reply = serde_json::from_slice(&answer.stdout).map_err(|_| HelperError::Garbage)?;
    let secret = reply.secret.filter(|secret| !secret.is_empty()).ok_or(HelperError::NotFound)?;
    if reply.username == TOKEN_USER {
        return Ok(Credential::IdentityToken(secret));
    }
    Ok(Credential::Basic { username: reply.username, password: secret })
}

fn failure(answer: &Answer) -> HelperError {
    let says_not_found = |bytes: &[u8]| bytes.windows(NOT_FOUND.len()).any(|window| window == NOT_FOUND);
    if says_not_found(&answer.stdout) || says_not_found(&answer.stderr) {
        return HelperError::NotFound;
    }
    // Helpers report errors on standard output; an answer in JSON there may hold the secret all the same.
    let is_answer = answer.stdout.trim_ascii_start().starts_with(b"{");
    let said = if is_answer { String::new() } else { text::first_line(&answer.stdout) };
    let said = if said.is_empty() { text::first_line(&answer.stderr) } else { said };
    HelperError::Failed(if said.is_empty() { answer.status.to_string() } else { said })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::testing::Home;
    use super::*;

    async fn ask(script: &str, servers: &[&str]) -> Result<Credential, HelperError> {
        let home = Home::new();
        home.program("docker-credential-test", script);
        get("test", servers, &home.environment()).await
    }

    fn basic(username: &str, password: &str) -> Credential {
        Credential::Basic { username: username.to_owned(), password: Secret::new(password) }
    }

    #[tokio::test]
    async fn answers_become_credentials() {
        let table = [
            (r#"{"ServerURL": "h", "Username": "u", "Secret": "p:q"}"#, basic("u", "p:q")),
            (r#"{"Username": "_dcgcloud_token", "Secret": "ya29.x"}"#, basic("_dcgcloud_token", "ya29.x")),
            (r#"{"Username": "<token>", "Secret": "t"}"#, Credential::IdentityToken(Secret::new("t"))),
        ];
        for (reply, expected) in table {
            assert_eq!(ask(&format!("printf '%s\\n' '{reply}'"), &["h"]).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn the_helper_is_asked_on_standard_input() {
        let script = r#"read -r server; [ "$#:$1:$server" = 1:get:us-docker.pkg.dev ] || exit 7
            printf '{"Username": "u", "Secret": "p"}'"#;
        assert_eq!(ask(script, &["us-docker.pkg.dev"]).await.unwrap(), basic("u", "p"));
    }

    #[tokio::test]
    async fn every_name_of_the_server_is_tried() {
        let script = r#"read -r server
            [ "$server" = second ] || { echo 'credentials not found in native keychain'; exit 1; }
            printf '{"Username": "u", "Secret": "p"}'"#;
        assert_eq!(ask(script, &["first", "second"]).await.unwrap(), basic("u", "p"));
        assert!(matches!(ask(script, &["first"]).await, Err(HelperError::NotFound)));
    }

    #[tokio::test]
    async fn failures_say_why_and_nothing_more() {
        let table = [
            ("echo 'credentials not found in native keychain' >&2; exit 1", "no entry"),
            ("printf 'credentials not found in native keychain'; exit 1", "no entry"),
            (r#"printf '{"Username": "u", "Secret": ""}'"#, "no entry"),
            ("printf '{}'", "no entry"),
            ("echo; echo 'the vault is sealed'; echo more; exit 1", "failed: the vault is sealed"),
            ("printf '\\033[31mred' >&2; exit 3", "failed: \\u{1b}[31mred"),
            (r#"printf '{"Secret": "hunter2"}'; echo oops >&2; exit 1"#, "failed: oops"),
            ("exit 3", "failed: exit status: 3"),
            ("echo hunter2", "did not answer with the JSON of a credential"),
            (r#"printf '{"Username": "u", "Secret": ["hunter2"]}'"#, "did not answer with the JSON of a credential"),
            ("exec /bin/cat /dev/zero", "answered more than 64 KiB"),
            ("exec /bin/cat /dev/zero >&2", "answered more than 64 KiB"),
        ];
        for (script, expected) in table {
            let error = ask(script, &["h"]).await.unwrap_err();
            assert_eq!(error.to_string(), expected, "{script}");
            assert!(!format!("{error:?}").contains("hunter2"), "{script}");
        }
    }

    #[tokio::test]
    async fn a_helper_that_hangs_is_killed() {
        let home = Home::new();
        let marker = home.path("alive");
        home.program(
            "docker-credential-test",
            &format!("echo $$ > {}; while :; do read -r _ || /bin/sleep 0.05; done", marker.display()),
        );
        let environment = Environment { time_limit: Duration::from_secs(1), ..home.environment() };
        let start = Instant::now();
        let error = get("test", &["h"], &environment).await.unwrap_err();
        assert_eq!(error.to_string(), "no answer within 1s");
        assert!(start.elapsed() < Duration::from_secs(5));
        let process = format!("/proc/{}", std::fs::read_to_string(marker).unwrap().trim());
        while std::fs::exists(&process).unwrap() {
            assert!(start.elapsed() < Duration::from_secs(5), "{process} lives");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn what_is_not_a_helper_is_not_run() {
        let home = Home::new();
        let environment = home.environment();
        for name in ["", "../evil", "a/b", "a b", "a\0", "ä"] {
            assert!(matches!(get(name, &["h"], &environment).await, Err(HelperError::Name)), "{name}");
        }
        let error = get("absent", &["h"], &environment).await.unwrap_err();
        assert_eq!(error.to_string(), "no program `docker-credential-absent` on PATH");
        home.write("bin/docker-credential-data", "not executable");
        assert!(get("data", &["h"], &environment).await.is_err());
    }
}
