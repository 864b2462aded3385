//! Registries that give other content than they promise: none of it is shown.

use std::fs;

use crate::support::artifact_registry::{Fault, Phase};
use crate::support::images::Layout;

use super::stage::{Artifacts, image, nothing_is_shown};

#[test]
fn bytes_that_were_tampered_with_are_never_shown() {
    let artifacts = Artifacts::new();
    let layer = image().layers()[0].digest();
    let path = artifacts.folder.path().join("blobs/sha256").join(&layer["sha256:".len()..]);
    let right = fs::read(&path).expect("the layer is there");
    let spoil = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = right.clone();
        change(&mut bytes);
        fs::write(&path, bytes).expect("the file can be written");
    };
    let middle = right.len() / 2;
    spoil(&|bytes| bytes[middle] ^= 1);
    nothing_is_shown(&artifacts, &["error: ", &layer, "other contents"]);
    // Behind the end of the tar.
    spoil(&|bytes| *bytes.last_mut().expect("it is not empty") = 1);
    nothing_is_shown(&artifacts, &["error: ", &layer, "other contents"]);
    spoil(&|bytes| bytes.extend([0; 512]));
    nothing_is_shown(&artifacts, &["error: ", &layer, "where its manifest says"]);
    spoil(&|_| {});
    artifacts.agrees();
}

#[test]
fn manifests_are_what_their_digest_says() {
    let artifacts = Artifacts::new();
    // A header that lies about right content is not believed either way.
    artifacts.registry.always(Phase::Manifest, Fault::WrongDigestHeader);
    artifacts.agrees();
    let artifacts = Artifacts::new();
    let digest = Layout::new().tag("v1", &image());
    let reference = artifacts.reference().replace(":v1", &format!("@{digest}"));
    artifacts.user.agrees(&reference, &[]);
    let other = Layout::with("v1", &image().label("another", "image"));
    let other = other.blob(&Layout::new().tag("v1", &image().label("another", "image"))).to_vec();
    artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
    artifacts.registry.always(Phase::Manifest, Fault::Body(other));
    artifacts.user.is_refused(&reference, &[], "corrupt-image", &[&digest, "other contents"]);
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
    artifacts.registry.always(Phase::Manifest, Fault::Body(b"<html>Please log in</html>".to_vec()));
    artifacts.is_refused("corrupt-image", &["the manifest is malformed"]);
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
    artifacts.registry.always(Phase::Manifest, Fault::Body(vec![b' '; 5 << 20]));
    artifacts.is_refused("corrupt-image", &["is larger than 4194304 bytes"]);
    let artifacts = Artifacts::new();
    artifacts.registry.always(Phase::Token, Fault::Body(b"<html>Please log in</html>".to_vec()));
    artifacts.is_refused("unauthorized", &["did not answer with the JSON of a token"]);
}
