//! What lies beside images, and in their place.

use serde_json::json;

use crate::support::artifact_registry::ArtifactRegistry;
use crate::support::cli::Shipproof;
use crate::support::images::{Layout, OCI_MANIFEST};
use crate::support::layers::{Layer, digest_of};

use super::stage::{index_of, plain_repository, platforms_of, refused, verify, whole_image, write};

#[test]
fn schema_1_and_artifacts_are_refused_by_name() {
    let repo = plain_repository();
    let mut layout = Layout::new();
    let signed = json!({
        "schemaVersion": 1, "mediaType": "application/vnd.docker.distribution.manifest.v1+prettyjws", "name": "app",
        "tag": "v1", "architecture": "amd64", "fsLayers": [{ "blobSum": digest_of(b"x") }],
        "history": [{ "v1Compatibility": "{}" }],
    });
    let schema1 =
        layout.add_blob("application/vnd.docker.distribution.manifest.v1+prettyjws", signed.to_string().into());
    layout.add_tag("schema1", schema1);
    let config = layout.add_blob("application/vnd.cncf.helm.config.v1+json", b"{\"name\":\"chart\"}".to_vec());
    let chart = Layer::text("f chart/Chart.yaml 0644 name: chart\\n");
    let chart = layout.add_blob("application/vnd.cncf.helm.chart.content.v1.tar+gzip", chart.blob);
    let helm = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [chart] });
    let helm = layout.add_blob(OCI_MANIFEST, helm.to_string().into());
    layout.add_tag("helm", helm);
    let folder = tempfile::tempdir().expect("a temporary folder");
    layout.write_to(folder.path());
    let registry = ArtifactRegistry::serve(folder.path());
    let caller = Shipproof::new().directory(repo.path());
    registry.log_in(&caller);
    for place in [registry.reference(""), format!("oci:{}:", folder.path().display())] {
        refused(&caller, &format!("{place}schema1"), "not-an-image", &["schema 1", "hint: "]);
        let words = ["application/vnd.cncf.helm.config.v1+json", "not a container image"];
        refused(&caller, &format!("{place}helm"), "not-an-image", &words);
    }
}

#[test]
fn a_signature_beside_the_images_is_passed_over() {
    let repo = plain_repository();
    let caller = Shipproof::new().directory(repo.path());
    let mut layout = Layout::new();
    let digest = layout.tag("image", &whole_image());
    let bytes = layout.blob(&digest).to_vec();
    let mut image = layout.add_blob(OCI_MANIFEST, bytes);
    image["platform"] = json!({ "os": "linux", "architecture": "amd64" });
    let config = layout.add_blob("application/vnd.dev.cosign.simplesigning.v1+json", b"{}".to_vec());
    let signature = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [] });
    let signature = layout.add_blob(OCI_MANIFEST, signature.to_string().into());
    let index = index_of(&mut layout, &[signature, image]);
    layout.add_tag("v1", index);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archive = format!("oci-archive:{}:v1", write(folder.path(), "signed.tar", &layout.archive()));
    assert_eq!(platforms_of(&verify(&caller, &archive, &[]).verdict("match")), ["linux/amd64"]);
}
