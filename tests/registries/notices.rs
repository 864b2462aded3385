//! What is worth knowing and no error: warnings, and tries that are repeated.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use crate::support::artifact_registry::{Fault, Phase};
use crate::support::http::{Response, Server};
use crate::support::images::Image;
use crate::support::layers::Layer;

use super::stage::{Artifacts, NAME, User, config, files};

fn deprecated(response: Response) -> Response {
    response.header("Warning", "299 - \"this repository moves on Monday\"").header("Warning", "110 cache \"stale\"")
}

#[test]
fn a_warning_of_the_registry_is_told_once_and_changes_nothing() {
    let artifacts = Artifacts::new();
    for phase in [Phase::Manifest, Phase::Blob, Phase::Download] {
        artifacts.registry.always(phase, Fault::Change(deprecated));
    }
    let text = format!("{} says: this repository moves on Monday", artifacts.registry.host());
    let outcome = artifacts.user.verify(&artifacts.reference(), &[]);
    assert_eq!(outcome.verdict("match")["warnings"], serde_json::json!([text]));
    assert_eq!(outcome.stderr, format!("warning: {text}\n"));
    let reference = artifacts.reference();
    for arguments in [&["cat", &reference, "main.py"][..], &["ls", &reference], &["layers", &reference]] {
        let outcome = artifacts.user.run(arguments).exits(0);
        assert_eq!(outcome.stderr, format!("warning: {text}\n"), "{arguments:?}");
    }
    let outcome = artifacts.user.run(&["ls", &reference, "--quiet"]).exits(0);
    assert_eq!(outcome.stderr, "");
    for arguments in [&["ls", &reference][..], &["layers", &reference], &["grep", &reference, "main"]] {
        let report = artifacts.user.run(&[arguments, &["--format", "json"]].concat()).exits(0).json();
        assert_eq!(report["image"]["warnings"], serde_json::json!([text]), "{arguments:?}");
    }
    let outcome = artifacts.user.run(&["diff", &reference, &reference]).exits(0);
    assert_eq!(outcome.stderr, format!("warning: {text}\n"), "two images of one registry warn once");
}

#[test]
fn a_warning_before_a_failure_is_in_its_report() {
    let artifacts = Artifacts::new();
    artifacts.registry.always(Phase::Manifest, Fault::Change(deprecated));
    artifacts.registry.always(Phase::Blob, Fault::Status(404, None));
    let text = format!("{} says: this repository moves on Monday", artifacts.registry.host());
    let reference = artifacts.reference();
    for arguments in [&["verify", &reference][..], &["ls", &reference], &["identify", &reference]] {
        let report = artifacts.user.run(&[arguments, &["--format", "json"]].concat()).exits(2).json();
        assert_eq!(report["warnings"], serde_json::json!([text]), "{arguments:?}");
        assert_eq!(report["error"]["kind"], "not-found", "{arguments:?}");
    }
}

/// A registry that warns with what it was sent: nobody sees that.
#[test]
fn a_warning_that_repeats_credentials_is_told_without_them() {
    let server = Server::start(|_, request| match request.header("authorization") {
        None => Response::new(401, "").header("WWW-Authenticate", "Basic realm=\"tests\""),
        Some(sent) => Response::new(404, "").header("Warning", format!("299 - \"you sent {sent}\"")),
    });
    let login = config(&server.host(), crate::support::tokens::USER, crate::support::tokens::PASSWORD);
    let user = User::new().has(".docker/config.json", &login);
    // What the program says is searched for the password.
    let outcome = user.run(&["ls", &format!("{}/{NAME}", server.host())]).exits(2);
    assert!(outcome.stderr.starts_with("warning: "), "{outcome:#?}");
}

#[test]
fn a_password_that_everybody_can_read_is_warned_about() {
    let artifacts = Artifacts::new();
    let file = artifacts.folder.path().join("auth.json");
    let name = file.display().to_string();
    fs::write(&file, artifacts.registry.docker_config()).expect("the file can be written");
    for (mode, warned) in [(0o600, false), (0o640, false), (0o644, true)] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("it is our own");
        let outcome = artifacts.user.run(&["ls", &artifacts.reference(), "--auth-file", &name]).exits(0);
        let text =
            format!("warning: everybody on this machine can read the password in {name}; chmod 600 {name} ends that\n");
        assert_eq!(outcome.stderr, if warned { text.as_str() } else { "" }, "{mode:o}");
    }
    // Without a password in it there is nothing to hide.
    let settings = artifacts.folder.path().join("settings.json");
    fs::write(&settings, "{}").expect("the file can be written");
    let settings = settings.display().to_string();
    let outcome = artifacts.user.run(&["ls", &artifacts.reference(), "--auth-file", &settings]).exits(2);
    assert!(outcome.stderr.starts_with("error: "), "{outcome:#?}");
}

#[test]
fn repeated_tries_are_told_to_those_who_want_to_know() {
    for phase in [Phase::Manifest, Phase::Token, Phase::Download] {
        let artifacts = Artifacts::new();
        artifacts.registry.fault(phase, Fault::Status(503, None), 2);
        let outcome = artifacts.user.run(&["ls", &artifacts.reference(), "--verbose"]).exits(0);
        let told = |line: &&str| !line.contains(" layer") && !line.contains(": read, ");
        let lines: Vec<&str> = outcome.stderr.lines().filter(told).collect();
        assert_eq!(lines.len(), 2, "{outcome:#?}");
        for (line, next) in lines.iter().zip(2..) {
            assert!(line.starts_with("note: ") && line.contains("503"), "{line}");
            assert!(line.contains(&format!("; try {next} of 5 follows in ")) && line.ends_with(" s"), "{line}");
        }
        let artifacts = Artifacts::new();
        artifacts.registry.fault(phase, Fault::Status(503, None), 2);
        assert_eq!(artifacts.user.run(&["ls", &artifacts.reference()]).exits(0).stderr, "");
    }
}

/// Whoever has the long token of a download location can download.
#[test]
fn no_message_shows_a_signed_address_whole() {
    let artifacts = Artifacts::new();
    artifacts.registry.always(Phase::Download, Fault::Status(503, None));
    let outcome = artifacts.user.run(&["ls", &artifacts.reference(), "--verbose"]).exits(2);
    let token = artifacts.requests(Phase::Download)[0].request.target.rsplit('/').next().map(str::to_owned);
    let token = token.expect("a target has a slash");
    assert!(outcome.stderr.contains("/artifacts-downloads/") && !outcome.stderr.contains(&token[..12]), "{outcome:#?}");
}

/// Escape, bell, a link that is not what it shows, letters that turn round, and what the runners of CI obey.
const HOSTILE: &str = "\u{1b}[2J\u{7}\u{1b}]8;;http://evil.example\u{7}link\u{202e}txt\n::error::pwned";

fn is_harmless(text: &str) -> bool {
    let visible = |character: char| !character.is_control() && !"\u{202e}\u{200b}".contains(character);
    text.lines().all(|line| line.chars().all(visible) && !line.trim_start().starts_with("::"))
}

#[test]
fn nothing_that_a_terminal_or_a_runner_obeys_is_printed() {
    assert!(!is_harmless(HOSTILE));
    let seen = Arc::new(Mutex::new(0));
    let count = Arc::clone(&seen);
    let server = Server::start(move |_, _| {
        *count.lock().expect("nothing panics while it holds the lock") += 1;
        let body = serde_json::json!({ "errors": [{ "code": "X", "message": HOSTILE }] });
        Response::json(418, &body).header("Warning", "299 - \"\u{202e}::error::pwned\u{200b}\"")
    });
    let user = User::new();
    for format in ["text", "json"] {
        let reference = format!("{}/{NAME}", server.host());
        let outcome = user.run(&["verify", &reference, "--format", format]).exits(2);
        assert!(outcome.stderr.contains("pwned") && outcome.stderr.contains("\\u{1b}[2J"), "{outcome:#?}");
        assert!(outcome.stderr.contains("warning: ") && is_harmless(&outcome.stderr), "{outcome:#?}");
    }
    let name = HOSTILE.replace('/', "_").replace('\n', "\\n");
    let layer = Layer::text(&format!("{}f app/{name} 0644 ::error::pwned\\n\n", files("app/")));
    let image = Image::new().workdir("/app").label("org.opencontainers.image.revision", HOSTILE);
    let artifacts = Artifacts::of(&image.layer(&format!("COPY . . {HOSTILE}"), layer));
    let reference = artifacts.reference();
    let commands: [&[&str]; 7] = [
        &["verify", &reference, "--verbose"],
        &["verify", &reference, "--strict"],
        &["identify", &reference],
        &["ls", &reference],
        &["layers", &reference],
        &["grep", &reference, "pwned"],
        &["diff", &reference, "--name-only"],
    ];
    for command in commands {
        let outcome = artifacts.user.run(command);
        assert!(is_harmless(&outcome.stdout) && is_harmless(&outcome.stderr), "{command:?} {outcome:#?}");
        assert!(outcome.code.is_some(), "{outcome:#?}");
    }
}
