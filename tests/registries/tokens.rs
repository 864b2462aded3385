//! Tokens: how they are had and renewed, and who sees what they are had for.

use serde_json::json;

use crate::support::artifact_registry::{Fault, Phase};
use crate::support::http::{Response, Server};
use crate::support::registry::Mode;
use crate::support::tokens::{PASSWORD, USER};

use super::stage::{Artifacts, NAME, User, WRONG_PASSWORD, config, forward, registry};

#[test]
fn a_token_is_fetched_with_the_password() {
    let Some(registry) = registry(Mode::Token) else { return };
    let (host, reference) = (registry.host(), registry.reference(NAME));
    let realm = registry.realm().expect("the token mode has a realm");
    User::new().has(".docker/config.json", &config(host, USER, PASSWORD)).agrees(&reference, &[]);
    let words = ["gave no token", &realm, "incorrect username or password", "~/.docker/config.json", "docker login"];
    User::new().is_refused(&reference, &[], "unauthorized", &words);
    let user = User::new().has(".docker/config.json", &config(host, USER, WRONG_PASSWORD));
    user.is_refused(&reference, &[], "unauthorized", &["incorrect username", "~/.docker/config.json: refused"]);
}

/// Public images of Docker Hub and ghcr.io want a token, too, which everybody gets.
#[test]
fn a_token_is_fetched_without_a_password_where_everybody_gets_one() {
    let Some(registry) = registry(Mode::Plain) else { return };
    let inner = registry.host().to_owned();
    let server = Server::start(move |host, request| match request.path() {
        "/token" if request.header("authorization").is_some() => Response::new(400, "nobody asked for a password"),
        "/token" => Response::json(200, &json!({ "access_token": "opaque.anonymous" })),
        _ if request.bearer() == Some("opaque.anonymous") => forward(&inner, request, &[]),
        _ => {
            let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"tests\",scope=\"unused\"");
            Response::json(401, &json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "token please" }] }))
                .header("WWW-Authenticate", challenge)
        }
    });
    User::new().agrees(&format!("{}/{NAME}", server.host()), &[]);
}

/// A registry that sends credentials elsewhere gets none, and one that repeats them is not quoted.
#[test]
fn credentials_go_to_no_address_of_the_registrys_choice() {
    for (realm, reason) in [
        ("http://registry.example/token", "it is not https"),
        ("https://169.254.169.254/token", "an address of a private network"),
        ("ftp://127.0.0.1/token", "it is not https"),
    ] {
        let challenge = format!("Bearer realm=\"{realm}\",service=\"tests\"");
        let server = Server::start(move |_, _| Response::new(401, "").header("WWW-Authenticate", challenge.clone()));
        let user = User::new().has(".docker/config.json", &config(&server.host(), USER, PASSWORD));
        let reference = format!("{}/{NAME}", server.host());
        user.is_refused(&reference, &[], "unauthorized", &[realm, "which is refused", reason]);
    }
}

#[test]
fn a_refusal_that_repeats_the_credentials_is_quoted_without_them() {
    let servers = [("Basic realm=\"tests\"", 401), ("Basic realm=\"tests\"", 403), ("Bearer realm=\"TOKEN\"", 403)];
    for (challenge, status) in servers {
        let server = Server::start(move |host, request| {
            let challenge = challenge.replace("TOKEN", &format!("http://{host}/token"));
            match request.header("authorization") {
                _ if request.path() == "/token" => Response::json(200, &json!({ "token": "opaque.x" })),
                None => Response::new(401, "").header("WWW-Authenticate", challenge),
                Some(sent) => {
                    let password = request.basic().map(|(_, password)| password).unwrap_or_default();
                    let message = format!("you sent {sent}, which is {password}, and that will not do");
                    Response::json(status, &json!({ "errors": [{ "code": "DENIED", "message": message }] }))
                }
            }
        });
        let user = User::new().has(".docker/config.json", &config(&server.host(), USER, PASSWORD));
        let outcome = user.verify(&format!("{}/{NAME}", server.host()), &[]);
        outcome.verdict("unknown");
        assert!(outcome.stderr.contains("and that will not do"), "{outcome:#?}");
    }
}

#[test]
fn a_token_that_expires_is_renewed() {
    for phase in [Phase::Manifest, Phase::Blob] {
        let artifacts = Artifacts::new();
        // The first request goes without a token anyway.
        artifacts.registry.fault(phase, Fault::Expired, 1);
        artifacts.agrees();
    }
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Blob, Fault::Expired, 1);
    artifacts.agrees();
    assert_eq!(artifacts.requests(Phase::Token).len(), 2);
    let artifacts = Artifacts::new();
    artifacts.registry.always(Phase::Blob, Fault::Expired);
    artifacts.is_refused("unauthorized", &["Unauthenticated request"]);
}
