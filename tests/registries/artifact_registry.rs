//! Artifact Registry, and where credentials for it come from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::stage;
use crate::support::artifact_registry::{ACCESS_TOKEN, ArtifactRegistry, Fault, KEY_EMAIL, Phase};
use crate::support::http::{Response, Server};

use super::stage::{Artifacts, PRIVATE_KEY, User, config, forward, layout};

#[test]
fn artifact_registry_is_read_through_its_long_redirects() {
    let artifacts = Artifacts::new();
    artifacts.agrees();
    let downloads = artifacts.requests(Phase::Download);
    assert_eq!(downloads.len(), 2, "a configuration and a layer");
    for download in &downloads {
        assert!(download.request.target.len() > 8000, "{download:?}");
        assert_eq!((download.status, download.request.header("authorization")), (200, None));
    }
    assert_eq!(artifacts.requests(Phase::Token).len(), 1, "one token serves for everything");
    for request in artifacts.requests(Phase::Blob) {
        assert!(request.request.bearer().is_some(), "{request:?}");
    }
}

#[test]
fn a_key_file_is_a_password() {
    let folder = layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let key = json!({ "type": "service_account", "client_email": KEY_EMAIL, "private_key": PRIVATE_KEY }).to_string();
    for (user, password) in [("_json_key", key.clone()), ("_json_key_base64", STANDARD.encode(&key))] {
        let user = User::new().has(".docker/config.json", &config(&registry.host(), user, &password));
        user.agrees(&registry.reference("v1"), &[]);
    }
}

const GOOGLE: &str = "us-west2-docker.pkg.dev";

/// A proxy behind which [`GOOGLE`]'s registry is the one of the tests, in plain http.
fn google(registry: &ArtifactRegistry) -> Server {
    let inner = registry.host();
    let start = format!("http://{GOOGLE}/");
    Server::start(move |_, request| match request.target.starts_with(&start) {
        true => forward(&inner, request, &[(&inner, GOOGLE)]),
        false => Response::new(502, "nobody is there"),
    })
}

fn google_reference() -> String {
    format!("{GOOGLE}/{}:v1", crate::support::artifact_registry::REPOSITORY)
}

#[test]
fn googles_credentials_are_found_where_googles_tools_keep_them() {
    let folder = layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let proxy = google(&registry);
    let user = || User::new().variable("http_proxy", format!("http://{}", proxy.host()));
    let reference = google_reference();
    let key = json!({ "type": "service_account", "client_email": KEY_EMAIL, "private_key": PRIVATE_KEY }).to_string();
    let gcloud = |token: &str| format!("[ \"$*\" = 'auth print-access-token' ] && echo {token}");

    user().has_program("gcloud", &gcloud(ACCESS_TOKEN)).agrees(&reference, &["--plain-http"]);
    let default = ".config/gcloud/application_default_credentials.json";
    user().has(default, &key).agrees(&reference, &["--plain-http"]);
    let named = user().has("key.json", &key);
    let file = named.caller.home().join("key.json");
    named.variable("GOOGLE_APPLICATION_CREDENTIALS", file).agrees(&reference, &["--plain-http"]);
    // What docker was told goes first.
    let docker = user().has(".docker/config.json", &config(GOOGLE, "oauth2accesstoken", ACCESS_TOKEN));
    docker.has_program("gcloud", &gcloud("ya29.stale")).agrees(&reference, &["--plain-http"]);
    let helper = user().has(".docker/config.json", &json!({ "credHelpers": { GOOGLE: "gcloud" } }).to_string());
    let script = stage::helper(GOOGLE, "oauth2accesstoken", ACCESS_TOKEN);
    helper.has_program("docker-credential-gcloud", &script).agrees(&reference, &["--plain-http"]);
}

#[test]
fn a_refusal_of_google_names_all_places_and_the_next_step() {
    let folder = layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let proxy = google(&registry);
    let user = || User::new().variable("http_proxy", format!("http://{}", proxy.host()));
    let next_step = format!("hint: gcloud auth configure-docker {GOOGLE}");
    let places = [
        "~/.docker/config.json: no such file",
        "~/.config/gcloud/application_default_credentials.json: no such file",
        "metadata server",
        "gcloud auth print-access-token: no program `gcloud` on PATH",
        "artifactregistry.repositories.downloadArtifacts",
        &next_step,
    ];
    user().variable("PATH", "/nonexistent").is_refused(&google_reference(), &["--plain-http"], "unauthorized", &places);
    let stale = user().has_program("gcloud", "echo ya29.stale");
    let words = ["authentication failed", "gcloud auth print-access-token: refused", &next_step];
    let outcome = stale.is_refused(&google_reference(), &["--plain-http"], "unauthorized", &words);
    assert!(!outcome.stderr.contains("ya29.stale"), "{outcome:#?}");
    let failing = user().has_program("gcloud", "echo 'ERROR: no active account' >&2; exit 1");
    let words = ["ERROR: no active account", &next_step];
    failing.is_refused(&google_reference(), &["--plain-http"], "unauthorized", &words);
}

#[test]
fn a_denial_is_shown_in_the_registrys_words() {
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
    artifacts.registry.always(Phase::Manifest, Fault::Status(403, None));
    let words = ["Permission \"artifactregistry.repositories.downloadArtifacts\" denied", "(or it may not exist)"];
    artifacts.is_refused("denied", &words);
    artifacts.is_refused("denied", &["hint: docker login", &artifacts.registry.host()]);
    // Nobody is logged in: the token server says no.
    let artifacts = Artifacts::new();
    let user = User::new();
    user.is_refused(
        &artifacts.reference(),
        &[],
        "unauthorized",
        &["403", "(or it may not exist)", "hint: docker login"],
    );
}
