//! The registry that behaves, and misbehaves, as Artifact Registry does.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::artifact_registry::{ACCESS_TOKEN, ArtifactRegistry, Fault, KEY_EMAIL, Phase, REPOSITORY};
use crate::support::builders::skopeo_copy;
use crate::support::http::{Answer, get};
use crate::support::layers::digest_of;
use crate::support::tools;
use crate::support::unpacked::umoci_unpack;
use crate::{basic, skopeo_reference, small_layout};

fn token(registry: &ArtifactRegistry, user: &str, password: &str) -> Answer {
    let target = format!("/v2/token?service={}&scope=repository:{REPOSITORY}:pull", registry.host());
    get(&registry.host(), &target, &[("Authorization", &basic(user, password))])
}

fn bearer(registry: &ArtifactRegistry) -> String {
    let answer = token(registry, "oauth2accesstoken", ACCESS_TOKEN).json();
    format!("Bearer {}", answer["token"].as_str().expect("a token"))
}

#[test]
fn artifact_registry_gives_tokens_to_known_users() {
    let (folder, _) = small_layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let key = json!({ "type": "service_account", "client_email": KEY_EMAIL }).to_string();
    assert_eq!(token(&registry, "oauth2accesstoken", ACCESS_TOKEN).status, 200);
    assert_eq!(token(&registry, "_json_key", &key).status, 200);
    assert_eq!(token(&registry, "_json_key_base64", &STANDARD.encode(&key)).status, 200);
    assert_eq!(token(&registry, "oauth2accesstoken", "stale").status, 401);
    let anonymous = get(&registry.host(), "/v2/token?service=x", &[]);
    assert_eq!(anonymous.status, 403);
    assert!(anonymous.json()["errors"][0]["message"].as_str().expect("a text").ends_with("(or it may not exist)"));
}

#[test]
fn artifact_registry_redirects_blobs_to_a_long_relative_place() {
    let (folder, digest) = small_layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let host = registry.host();
    let target = format!("/v2/{REPOSITORY}/manifests/v1");
    let challenge = get(&host, &target, &[]);
    let expected =
        format!("Bearer realm=\"http://{host}/v2/token\",service=\"{host}\",scope=\"repository:{REPOSITORY}:pull\"");
    assert_eq!((challenge.status, challenge.header("www-authenticate")), (401, expected.as_str()));
    let bearer = bearer(&registry);
    let authorization = ("Authorization", bearer.as_str());
    let manifest = get(&host, &target, &[authorization]);
    assert_eq!((manifest.status, manifest.header("docker-content-digest")), (200, digest.as_str()));
    let layer = manifest.json()["layers"][0]["digest"].as_str().expect("a digest").to_owned();
    let redirect = get(&host, &format!("/v2/{REPOSITORY}/blobs/{layer}"), &[authorization]);
    let location = redirect.header("location");
    assert_eq!(redirect.status, 302);
    assert!(location.starts_with("/artifacts-downloads/namespaces/") && location.len() > 4_000, "{location}");
    let blob = get(&host, location, &[]);
    assert_eq!((blob.status, digest_of(&blob.body)), (200, layer));
    let part = get(&host, location, &[("Range", "bytes=2-5")]);
    assert_eq!((part.status, part.body.as_slice()), (206, &blob.body[2..6]));
    assert_eq!(get(&host, location, &[("Range", "bytes=2-")]).status, 200);
    let recorded = registry.recorded_for(Phase::Download);
    assert!(recorded.iter().all(|entry| entry.request.header("authorization").is_none()));
    assert_eq!(recorded.len(), 3);
}

#[test]
fn artifact_registry_misbehaves_as_often_as_asked() {
    let (folder, digest) = small_layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let bearer = bearer(&registry);
    let manifest =
        || get(&registry.host(), &format!("/v2/{REPOSITORY}/manifests/{digest}"), &[("Authorization", &bearer)]);
    let honest = manifest().body;
    registry.fault(Phase::Manifest, Fault::Status(429, Some(1)), 2);
    registry.fault(Phase::Manifest, Fault::Cut(7), 1);
    registry.fault(Phase::Manifest, Fault::WrongBytes, 1);
    registry.fault(Phase::Manifest, Fault::WrongDigestHeader, 1);
    registry.fault(Phase::Manifest, Fault::Stall(Duration::from_millis(120)), 1);
    registry.fault(Phase::Manifest, Fault::Redirect("http://127.0.0.2:9/".to_owned()), 1);
    registry.fault(Phase::Manifest, Fault::Expired, 1);
    for _ in 0..2 {
        let busy = manifest();
        assert_eq!((busy.status, busy.header("retry-after")), (429, "1"));
    }
    assert_eq!(manifest().body, honest[..7]);
    assert_ne!(manifest().body, honest);
    assert_eq!(manifest().header("docker-content-digest"), digest_of(b"other content"));
    let start = Instant::now();
    assert_eq!(manifest().body, honest);
    assert!(start.elapsed() >= Duration::from_millis(120));
    assert_eq!(manifest().header("location"), "http://127.0.0.2:9/");
    assert_eq!(manifest().status, 401);
    assert_eq!(manifest().body, honest);
    registry.expire_tokens();
    assert_eq!(manifest().status, 401);
    registry.always(Phase::Manifest, Fault::Status(503, None));
    assert_eq!((manifest().status, manifest().status), (503, 503));
}

#[test]
fn skopeo_pulls_from_the_artifact_registry_of_the_tests() {
    if tools::require(tools::SKOPEO).is_none() {
        return;
    }
    let (folder, _) = small_layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let credentials = format!("oauth2accesstoken:{ACCESS_TOKEN}");
    let copy = folder.path().join("copy");
    let options = ["--src-tls-verify=false", "--src-creds", &credentials];
    skopeo_copy(&format!("docker://{}", registry.reference("v1")), &skopeo_reference(&copy, "v1"), &options);
    let Some(tree) = umoci_unpack(&copy, "v1") else { return };
    assert!(tree.contains_key(b"app/main.py".as_slice()));
    assert!(registry.docker_config().contains(&registry.host()));
}
