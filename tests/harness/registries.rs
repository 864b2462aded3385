//! Registries on loopback.

use std::fs;

use crate::support::http::get;
use crate::support::images::{Format, Image, Layout};
use crate::support::layers::digest_of;
use crate::support::registry::{Mode, Registry};
use crate::support::tokens::{PASSWORD, SERVICE, USER};
use crate::support::tools;
use crate::{ANY_MANIFEST, MANIFESTS, basic, skopeo_reference, small_layout};

#[test]
fn a_plain_registry_serves_what_was_pushed_and_what_lies_on_its_disk() {
    let Some(registry) = Registry::start(Mode::Plain) else { return };
    let image = Image::of("f app/a 0644 a").format(Format::Docker);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut layout = Layout::new();
    let digest = layout.tag("v1", &image);
    layout.write_skopeo_dir(&digest, folder.path());
    assert_eq!(registry.push(&format!("dir:{}", folder.path().display()), "team/app:v1"), digest);
    let manifest = get(registry.host(), "/v2/team/app/manifests/v1", &[ANY_MANIFEST]);
    assert_eq!((manifest.status, digest_of(&manifest.body)), (200, digest));
    assert_eq!(manifest.header("content-type"), "application/vnd.docker.distribution.manifest.v2+json");
    let layer = image.layers()[0].digest();
    fs::write(registry.blob_file(&layer), "changed").expect("the registry's file can be changed");
    let blob = get(registry.host(), &format!("/v2/team/app/blobs/{layer}"), &[]);
    assert_ne!(digest_of(&blob.body), layer);
}

#[test]
fn a_registry_with_htpasswd_wants_the_password() {
    let Some(registry) = Registry::start(Mode::Htpasswd) else { return };
    let (folder, digest) = small_layout();
    assert_eq!(registry.push(&skopeo_reference(folder.path(), "v1"), "team/app:v1"), digest);
    let target = "/v2/team/app/manifests/v1";
    let without = get(registry.host(), target, &[MANIFESTS]);
    assert_eq!((without.status, without.header("www-authenticate")), (401, "Basic realm=\"shipproof tests\""));
    let wrong = basic(USER, "wrong");
    assert_eq!(get(registry.host(), target, &[MANIFESTS, ("Authorization", &wrong)]).status, 401);
    let right = basic(USER, PASSWORD);
    assert_eq!(get(registry.host(), target, &[MANIFESTS, ("Authorization", &right)]).status, 200);
}

#[test]
fn a_registry_with_a_private_ca_is_reached_with_it_only() {
    let Some(registry) = Registry::start(Mode::Tls) else { return };
    let (folder, digest) = small_layout();
    assert_eq!(registry.push(&skopeo_reference(folder.path(), "v1"), "team/app:v1"), digest);
    let verify = |options: &[&str]| {
        let mut command = tools::command("openssl", folder.path());
        command.args(["s_client", "-verify_return_error", "-connect", registry.host()]).args(options);
        tools::output(command.stdin(std::process::Stdio::null())).status.success()
    };
    let ca = registry.ca_file().display().to_string();
    assert!(verify(&["-CAfile", &ca, "-verify_ip", "127.0.0.1"]));
    assert!(verify(&["-CAfile", &ca, "-verify_hostname", "localhost"]));
    assert!(!verify(&[]));
    assert!(registry.url().starts_with("https://"));
}

#[test]
fn a_registry_with_tokens_takes_those_of_its_realm() {
    let Some(registry) = Registry::start(Mode::Token) else { return };
    let (folder, digest) = small_layout();
    assert_eq!(registry.push(&skopeo_reference(folder.path(), "v1"), "team/app:v1"), digest);
    let realm = registry.realm().expect("the token mode has a realm");
    let target = "/v2/team/app/manifests/v1";
    let without = get(registry.host(), target, &[MANIFESTS]);
    let challenge = format!("Bearer realm=\"{realm}\",service=\"{SERVICE}\",scope=\"repository:team/app:pull\"");
    assert_eq!((without.status, without.header("www-authenticate")), (401, challenge.as_str()));
    let (host, path) = realm.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("an http URL");
    let path = format!("/{path}?service={SERVICE}&scope=repository%3Ateam%2Fapp%3Apull");
    assert_eq!(get(host, &path, &[]).status, 401);
    let answer = get(host, &path, &[("Authorization", &basic(USER, PASSWORD))]).json();
    let bearer = format!("Bearer {}", answer["token"].as_str().expect("a token"));
    assert_eq!(get(registry.host(), target, &[MANIFESTS, ("Authorization", &bearer)]).status, 200);
    let elsewhere = get(registry.host(), "/v2/team/other/manifests/v1", &[MANIFESTS, ("Authorization", &bearer)]);
    assert_eq!(elsewhere.status, 401);
}
