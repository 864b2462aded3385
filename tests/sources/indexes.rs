//! Images of several platforms.

use serde_json::{Value, json};

use crate::support::artifact_registry::{ArtifactRegistry, Phase};
use crate::support::cli::Shipproof;
use crate::support::images::{Format, Layout, OCI_INDEX};
use crate::support::registry::{Mode, Registry};

use super::stage::{
    NAME, comparable, index_of, members, plain_repository, platforms, platforms_of, refused, tar_of, verify,
    whole_image, write,
};

#[test]
fn all_platforms_are_looked_at_unless_one_is_asked_for() {
    let Some(registry) = Registry::start(Mode::Plain) else { return };
    let repo = plain_repository();
    let caller = Shipproof::new().directory(repo.path());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut layout = Layout::new();
    let digest = layout.tag_index("oci", &platforms(), None);
    layout.tag_index("docker", &platforms().map(|image| image.format(Format::Docker)), None);
    layout.write_to(folder.path());
    registry.push(&format!("oci:{}:oci", folder.path().display()), NAME);
    for reference in [registry.reference(NAME), format!("oci:{}:docker", folder.path().display())] {
        let report = verify(&caller, &reference, &[]).verdict("mismatch");
        assert_eq!(platforms_of(&report), ["linux/amd64", "linux/arm64/v8"]);
        assert_eq!(report["counts"], json!({ "compared": 14, "same": 13, "modified": 1 }));
        assert_eq!(report["findings"][0]["platform"], "linux/arm64/v8");
        let report = verify(&caller, &reference, &["--platform", "linux/amd64"]).verdict("match");
        assert_eq!(platforms_of(&report), ["linux/amd64"]);
        let report = verify(&caller, &reference, &["--platform", "linux/arm64"]).verdict("mismatch");
        assert_eq!(platforms_of(&report), ["linux/arm64/v8"]);
        let both = ["--platform", "linux/arm64", "--platform", "linux/amd64"];
        verify(&caller, &reference, &both).verdict("mismatch");
        let absent = verify(&caller, &reference, &["--platform", "linux/s390x"]);
        assert_eq!(absent.verdict("unknown")["error"]["kind"], "no-platform");
        assert!(absent.stderr.contains("linux/s390x (on offer: linux/amd64, linux/arm64/v8)"), "{absent:#?}");
    }
    let report = verify(&caller, &registry.reference(NAME), &["--platform", "linux/amd64"]).verdict("match");
    assert_eq!(report["image"]["digest"], digest, "the index is what is deployed");
}

#[test]
fn attestations_are_no_images_and_read_for_what_they_claim() {
    let repo = plain_repository();
    let mut layout = Layout::new();
    let both = [whole_image(), whole_image().platform("linux/arm64/v8")];
    let digest = layout.tag_index("v1", &both, Some(("v0.2", &json!({ "builder": { "id": "the tests" } }))));
    let folder = tempfile::tempdir().expect("a temporary folder");
    layout.write_to(folder.path());
    let registry = ArtifactRegistry::serve(folder.path());
    let caller = Shipproof::new().directory(repo.path());
    let auth_file = write(folder.path(), "auth.json", registry.docker_config().as_bytes());
    let report =
        verify(&caller, &registry.reference("v1"), &["--auth-file", &auth_file, "--no-cache"]).verdict("match");
    assert_eq!(platforms_of(&report), ["linux/amd64", "linux/arm64/v8"]);
    assert_eq!((&report["counts"]["compared"], &report["warnings"]), (&json!(14), &json!([])));
    let index: Value = serde_json::from_slice(layout.blob(&digest)).expect("an index is JSON");
    let asked = |digest: &Value| {
        let digest = digest.as_str().expect("a digest is a text");
        registry.recorded_for(Phase::Manifest).iter().any(|entry| entry.request.target.ends_with(digest))
    };
    let asked: Vec<bool> = (0..4).map(|entry| asked(&index["manifests"][entry]["digest"])).collect();
    assert_eq!(asked, [true; 4]);
}

/// An index over [`platforms`] within `depth` more indexes.
fn nested(depth: usize) -> Layout {
    let mut layout = Layout::new();
    let digest = layout.tag_index("inner", &platforms(), None);
    let bytes = layout.blob(&digest).to_vec();
    let mut descriptor = layout.add_blob(OCI_INDEX, bytes);
    for _ in 0..depth {
        descriptor = index_of(&mut layout, &[descriptor]);
    }
    layout.add_tag("v1", descriptor);
    layout
}

#[test]
fn an_index_may_hold_an_index_but_not_without_end() {
    let Some(registry) = Registry::start(Mode::Plain) else { return };
    let repo = plain_repository();
    let caller = Shipproof::new().directory(repo.path());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archive = format!("oci-archive:{}:v1", write(folder.path(), "nested.tar", &nested(1).archive()));
    nested(0).write_to(&folder.path().join("plain"));
    registry.push(&format!("oci:{}:v1", folder.path().join("plain").display()), NAME);
    let flat = verify(&caller, &registry.reference(NAME), &[]).verdict("mismatch");
    let report = verify(&caller, &archive, &[]).verdict("mismatch");
    assert_eq!(platforms_of(&report), ["linux/amd64", "linux/arm64/v8"]);
    assert_eq!(comparable(report), comparable(flat));
    let endless = format!("oci-archive:{}:v1", write(folder.path(), "deep.tar", &nested(9).archive()));
    refused(&caller, &endless, "corrupt-image", &["nested too deeply"]);
}

#[test]
fn a_platform_that_an_archive_lists_and_lacks_is_said() {
    let repo = plain_repository();
    let caller = Shipproof::new().directory(repo.path());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut layout = Layout::new();
    let digest = layout.tag_index("v1", &platforms(), None);
    let index: Value = serde_json::from_slice(layout.blob(&digest)).expect("an index is JSON");
    let blob = |entry: usize| {
        let digest = index["manifests"][entry]["digest"].as_str().expect("a digest is a text");
        format!("blobs/{}", digest.replace(':', "/"))
    };
    let mut files = members(&layout.archive());
    files.remove(&blob(1)).expect("the second platform's manifest was there");
    let archive = format!("oci-archive:{}:v1", write(folder.path(), "one.tar", &tar_of(&files)));
    let report = verify(&caller, &archive, &[]).verdict("match");
    assert_eq!(platforms_of(&report), ["linux/amd64"]);
    let warning = report["warnings"][0].as_str().expect("a warning is a text");
    assert!(warning.starts_with("linux/arm64/v8 is listed in the index but not in this archive"), "{warning}");
    let outcome = verify(&caller, &archive, &["--platform", "linux/arm64"]);
    assert_eq!(outcome.verdict("unknown")["error"]["kind"], "no-platform");
    files.remove(&blob(0)).expect("the first platform's manifest was there");
    let archive = format!("oci-archive:{}:v1", write(folder.path(), "none.tar", &tar_of(&files)));
    refused(&caller, &archive, "not-an-image", &["holds no image"]);
}
