//! Which image of several is meant.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::cli::Shipproof;
use crate::support::images::Layout;
use crate::support::images::docker_archive::{DockerArchive, docker_archive};
use crate::support::layers::digest_of;

use super::stage::{members, refused, right_and_wrong, tar_of, verify, write};

/// What `docker save` writes for several images, out of what it writes for each.
fn saved_together(archives: &[Vec<u8>]) -> Vec<u8> {
    let mut together = BTreeMap::new();
    let (mut saved, mut index) = (Vec::new(), None::<Value>);
    for archive in archives {
        let mut files = members(archive);
        let parse = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).expect("it is JSON");
        let list = files.remove("manifest.json").map(parse).expect("an archive of docker has a manifest.json");
        saved.extend(list.as_array().expect("manifest.json is an array").clone());
        if let Some(next) = files.remove("index.json").map(parse) {
            let all = index.get_or_insert_with(|| json!({ "schemaVersion": 2, "manifests": [] }));
            let next = next["manifests"].as_array().expect("an index has manifests").clone();
            all["manifests"].as_array_mut().expect("an index has manifests").extend(next);
        }
        together.extend(files);
    }
    together.insert("manifest.json".to_owned(), json!(saved).to_string().into_bytes());
    together.extend(index.map(|index| ("index.json".to_owned(), index.to_string().into_bytes())));
    tar_of(&together)
}

#[test]
fn one_of_several_images_in_a_layout_is_chosen_by_its_tag() {
    let (repo, right, wrong) = right_and_wrong();
    let mut layout = Layout::new();
    let digest = layout.tag("v1", &right);
    layout.tag("v2", &wrong);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let directory = format!("oci:{}", folder.path().join("layout").display());
    layout.write_to(&folder.path().join("layout"));
    let archive = format!("oci-archive:{}", write(folder.path(), "oci.tar", &layout.archive()));
    let caller = Shipproof::new().directory(repo.path());
    for place in [directory, archive] {
        verify(&caller, &format!("{place}:v1"), &[]).verdict("match");
        verify(&caller, &format!("{place}:v2"), &[]).verdict("mismatch");
        verify(&caller, &format!("{place}@{digest}"), &[]).verdict("match");
        refused(&caller, &place, "not-found", &["v1, v2; none was chosen", "hint: name one of them"]);
        refused(&caller, &format!("{place}:v3"), "not-found", &["v1, v2; none is called v3"]);
        let other = digest_of(b"another");
        refused(&caller, &format!("{place}@{other}"), "not-found", &[&other]);
    }
}

#[test]
fn one_of_several_images_in_a_docker_archive_is_chosen_by_its_name() {
    let (repo, right, wrong) = right_and_wrong();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let caller = Shipproof::new().directory(repo.path());
    for style in [DockerArchive::Old, DockerArchive::New] {
        let images = [("team/app:v1", &right), ("app:latest", &wrong), ("team/other:v1", &wrong)];
        let archives = images.map(|(name, image)| docker_archive(style, name, image));
        let place = format!("docker-archive:{}", write(folder.path(), "docker.tar", &saved_together(&archives)));
        verify(&caller, &format!("{place}:team/app:v1"), &[]).verdict("match");
        verify(&caller, &format!("{place}:docker.io/team/app:v1"), &[]).verdict("match");
        verify(&caller, &format!("{place}:app"), &[]).verdict("mismatch");
        verify(&caller, &format!("{place}:team/other:v1"), &[]).verdict("mismatch");
        refused(&caller, &place, "not-found", &["team/app:v1", "team/other:v1", "none was chosen"]);
        refused(&caller, &format!("{place}:team/app:v9"), "not-found", &["team/app:v1", "none is called team/app:v9"]);
        // Two images have this tag, and nobody said which is meant.
        let outcome = verify(&caller, &format!("{place}:v1"), &[]);
        assert_eq!(outcome.verdict("unknown")["error"]["kind"], "not-found", "{style:?}");
    }
}

#[test]
fn an_image_of_two_names_needs_no_choice() {
    let (repo, right, _) = right_and_wrong();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let caller = Shipproof::new().directory(repo.path());
    let archives = ["team/app:v1", "team/app:latest"].map(|name| docker_archive(DockerArchive::New, name, &right));
    let place = format!("docker-archive:{}", write(folder.path(), "docker.tar", &saved_together(&archives)));
    verify(&caller, &place, &[]).verdict("match");
    let mut layout = Layout::new();
    layout.tag("v1", &right);
    layout.tag("v2", &right);
    verify(&caller, &format!("oci-archive:{}", write(folder.path(), "oci.tar", &layout.archive())), &[])
        .verdict("match");
}
