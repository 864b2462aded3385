//! Passwords: where they are kept, and what is said where they are missing or wrong.

use serde_json::json;

use crate::support::images::Layout;
use crate::support::registry::Mode;
use crate::support::tokens::{PASSWORD, USER};

use super::stage::{NAME, User, WRONG_PASSWORD, config, helper, image, registry};

#[test]
fn a_plain_registry_on_this_machine_needs_no_flag() {
    let Some(registry) = registry(Mode::Plain) else { return };
    let (user, reference) = (User::new(), registry.reference(NAME));
    user.agrees(&reference, &[]);
    user.agrees(&format!("docker://{reference}"), &[]);
    user.agrees(&reference, &["--plain-http"]);
    user.agrees(&reference.replace("127.0.0.1", "localhost"), &[]);
    let digest = Layout::new().tag("v1", &image());
    user.agrees(&registry.reference(&format!("team/app@{digest}")), &[]);
    let report = user.verify(&reference, &[]).verdict("match");
    assert_eq!(report["image"]["digest"], digest);
    assert_eq!(report["image"]["pinned"], registry.reference(&format!("team/app@{digest}")));
    user.is_refused(&registry.reference("team/app:v2"), &[], "not-found", &["manifest v2 of", "team/app", "hint: "]);
    user.is_refused(&registry.reference("team/other:v1"), &[], "not-found", &["team/other"]);
}

#[test]
fn a_password_is_found_wherever_docker_and_podman_keep_it() {
    let Some(registry) = registry(Mode::Htpasswd) else { return };
    let (host, reference) = (registry.host(), registry.reference(NAME));
    let right = config(host, USER, PASSWORD);
    User::new().has(".docker/config.json", &right).agrees(&reference, &[]);
    User::new().has("containers/auth.json", &right).agrees(&reference, &[]);
    User::new().has(".config/containers/auth.json", &right).agrees(&reference, &[]);
    User::new().has("other/config.json", &right).variable("DOCKER_CONFIG", "other").is_refused(
        &reference,
        &[],
        "unauthorized",
        &["other/config.json"],
    );
    let user = User::new().has("other/config.json", &right);
    let folder = user.caller.home().join("other");
    user.variable("DOCKER_CONFIG", folder).agrees(&reference, &[]);
    let auth_file = registry.auth_file().display().to_string();
    User::new().variable("REGISTRY_AUTH_FILE", auth_file.clone()).agrees(&reference, &[]);
    User::new().agrees(&reference, &["--auth-file", &auth_file]);
    // The file that was named is the only one looked at.
    let user = User::new().has(".docker/config.json", &config(host, USER, WRONG_PASSWORD));
    user.agrees(&reference, &["--auth-file", &auth_file]);
    let empty = User::new().has(".docker/config.json", &right).has("empty.json", "{}");
    let file = empty.caller.home().join("empty.json").display().to_string();
    empty.is_refused(&reference, &["--auth-file", &file], "unauthorized", &["empty.json: no entry for"]);
    let absent = empty.caller.home().join("absent.json").display().to_string();
    empty.is_refused(&reference, &["--auth-file", &absent], "unauthorized", &["absent.json"]);
}

#[test]
fn a_password_is_asked_of_a_credential_helper() {
    let Some(registry) = registry(Mode::Htpasswd) else { return };
    let (host, reference) = (registry.host(), registry.reference(NAME));
    for settings in [json!({ "credHelpers": { host: "tests" } }), json!({ "credsStore": "tests" })] {
        let user = User::new().has(".docker/config.json", &settings.to_string());
        user.has_program("docker-credential-tests", &helper(host, USER, PASSWORD)).agrees(&reference, &[]);
        let user = User::new().has(".docker/config.json", &settings.to_string());
        let words = ["docker-credential-tests", "no program", "docker login"];
        user.is_refused(&reference, &[], "unauthorized", &words);
        let user = User::new().has(".docker/config.json", &settings.to_string());
        let user = user.has_program("docker-credential-tests", &helper("another.example", USER, PASSWORD));
        user.is_refused(&reference, &[], "unauthorized", &["docker-credential-tests", "no entry"]);
        let user = User::new().has(".docker/config.json", &settings.to_string());
        let user = user.has_program("docker-credential-tests", &helper(host, USER, WRONG_PASSWORD));
        user.is_refused(&reference, &[], "unauthorized", &["docker-credential-tests", "refused"]);
        let user = User::new().has(".docker/config.json", &settings.to_string());
        let broken = format!("echo '{{\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"'; exit 3");
        let user = user.has_program("docker-credential-tests", &broken);
        user.is_refused(&reference, &[], "unauthorized", &["docker-credential-tests", "failed"]);
    }
}

#[test]
fn a_missing_or_wrong_password_is_told_with_what_was_tried() {
    let Some(registry) = registry(Mode::Htpasswd) else { return };
    let (host, reference) = (registry.host(), registry.reference(NAME));
    let places = ["~/.docker/config.json: no such file", "containers/auth.json: no such file", "docker login"];
    User::new().is_refused(&reference, &[], "unauthorized", &places);
    let user = User::new().has(".docker/config.json", &config(host, USER, WRONG_PASSWORD));
    user.is_refused(&reference, &[], "unauthorized", &[host, "team/app", "~/.docker/config.json: refused"]);
    let file = user.caller.home().join(".docker/config.json").display().to_string();
    user.is_refused(&reference, &["--auth-file", &file], "unauthorized", &["~/.docker/config.json: refused"]);
    let user = User::new().has(".docker/config.json", &config("another.example", USER, PASSWORD));
    user.is_refused(&reference, &[], "unauthorized", &[&format!("~/.docker/config.json: no entry for {host}")]);
    // What cannot be understood is no reason to go on without a password.
    let broken = config(host, USER, PASSWORD).replace("}}}", "}");
    let user = User::new().has(".docker/config.json", &broken);
    user.is_refused(&reference, &[], "unauthorized", &[".docker/config.json is not a valid credentials file"]);
    let torn = json!({ "auths": { host: { "auth": "no base64!" } } }).to_string();
    let user = User::new().has(".docker/config.json", &torn);
    user.is_refused(&reference, &[], "unauthorized", &[".docker/config.json"]);
}
