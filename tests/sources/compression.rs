//! Layers in every form.

use serde_json::json;
use tempfile::TempDir;

use crate::support::artifact_registry::ArtifactRegistry;
use crate::support::cli::{Shipproof, statuses};
use crate::support::images::{Image, Layout};
use crate::support::layers::{Compression, Layer, compress};

use super::stage::{FILES, OLD_BEAT, in_app, plain_repository, verify, write};

/// The same tar as `layer`, behind a zstd frame that decoders pass over.
fn skippable_first(layer: &Layer) -> Layer {
    let mut blob = vec![0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, b'x', b'y', b'z'];
    blob.extend(compress(&layer.tar, Compression::Zstd));
    Layer { blob, ..layer.clone().stored(Compression::Zstd) }
}

/// One layer in many forms; the second part says what the manifest calls each.
fn stored_layers() -> Vec<(&'static str, Layer)> {
    let layer = Layer::text(&FILES.lines().map(in_app).collect::<String>());
    let stored = |compression| layer.clone().stored(compression);
    let called =
        |compression, kind| stored(compression).called(&format!("application/vnd.oci.image.layer.v1.tar{kind}"));
    vec![
        ("plain", stored(Compression::None)),
        ("gzip", stored(Compression::Gzip)),
        ("members", stored(Compression::GzipMembers(4))),
        ("zstd", stored(Compression::Zstd)),
        ("frames", stored(Compression::ZstdFrames(3))),
        ("skippable", skippable_first(&layer)),
        ("gzip-as-zstd", called(Compression::Gzip, "+zstd")),
        ("gzip-as-plain", called(Compression::Gzip, "")),
        ("zstd-as-gzip", called(Compression::Zstd, "+gzip")),
        ("plain-as-gzip", called(Compression::None, "+gzip")),
        ("plain-as-zstd", called(Compression::None, "+zstd")),
    ]
}

#[test]
fn the_bytes_tell_how_a_layer_is_compressed() {
    let repo = plain_repository();
    let mut layout = Layout::new();
    for (tag, layer) in stored_layers() {
        layout.tag(tag, &Image::new().workdir("/app").layer("COPY . . # buildkit", layer));
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    layout.write_to(folder.path());
    let registry = ArtifactRegistry::serve(folder.path());
    let caller = Shipproof::new().directory(repo.path());
    registry.log_in(&caller);
    for (tag, _) in stored_layers() {
        for reference in [registry.reference(tag), format!("oci:{}:{tag}", folder.path().display())] {
            let report = verify(&caller, &reference, &[]).verdict("match");
            assert_eq!(report["counts"], json!({ "compared": 7, "same": 7 }), "{tag}");
        }
    }
}

/// Only a layer that agrees to its last byte is believed, so a second gzip member cannot be left unread.
#[test]
fn what_stands_in_the_last_gzip_member_counts() {
    let repo = plain_repository();
    let caller = Shipproof::new().directory(repo.path());
    let text = FILES.lines().map(in_app).collect::<String>() + &format!("f app/shared/beat.py 0644 {OLD_BEAT}");
    let folder: TempDir = tempfile::tempdir().expect("a temporary folder");
    for compression in [Compression::GzipMembers(9), Compression::ZstdFrames(9)] {
        let image = Image::new().workdir("/app").layer("COPY . . # buildkit", Layer::text(&text).stored(compression));
        let archive = write(folder.path(), "late.tar", &Layout::with("v1", &image).archive());
        let report = verify(&caller, &format!("oci-archive:{archive}"), &[]).verdict("mismatch");
        assert_eq!(statuses(&report), [("shared/beat.py".to_owned(), "modified".to_owned())]);
    }
}
