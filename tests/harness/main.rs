//! Proves that the support module does what the other tests take for granted, against the real tools.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;

mod artifact_registry;
mod builders;
mod demo;
mod images;
mod programs;
mod registries;

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use support::images::{Image, Layout};
use support::unpacked::Unpacked;

const MANIFESTS: (&str, &str) = ("Accept", "application/vnd.oci.image.manifest.v1+json");
const ANY_MANIFEST: (&str, &str) = (
    "Accept",
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json",
);

/// A layout on disk with one small image called `v1`, and the digest of its manifest.
fn small_layout() -> (tempfile::TempDir, String) {
    let mut layout = Layout::new();
    let digest = layout.tag("v1", &Image::of("d app\nf app/main.py 0644 print('x')\\n"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    layout.write_to(folder.path());
    (folder, digest)
}

fn skopeo_reference(folder: &Path, tag: &str) -> String {
    format!("oci:{}:{tag}", folder.display())
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

fn file_of<'a>(tree: &'a BTreeMap<Vec<u8>, Unpacked>, path: &str) -> &'a Unpacked {
    tree.get(path.as_bytes()).unwrap_or_else(|| panic!("{path} is not in the image"))
}
