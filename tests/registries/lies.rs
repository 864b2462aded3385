//! Registries that give other content than they promise: none of it is shown.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::artifact_registry::{Fault, Phase};
use crate::support::http::{Framing, Response, Server, Tail};
use crate::support::images::{Image, Layout};
use crate::support::layers::{Compression, compress, digest_of};

use super::stage::{Artifacts, NAME, User, files, image, in_all, nothing_is_shown};

/// The blob with a digest as the registry keeps it, to be tampered with.
struct Kept {
    path: PathBuf,
    right: Vec<u8>,
}

impl Kept {
    fn by(artifacts: &Artifacts, digest: &str) -> Self {
        let path = artifacts.folder.path().join("blobs/sha256").join(&digest["sha256:".len()..]);
        let right = fs::read(&path).expect("the blob is there");
        Self { path, right }
    }

    fn spoil(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.right.clone();
        change(&mut bytes);
        fs::write(&self.path, bytes).expect("the file can be written");
    }
}

#[test]
fn bytes_that_were_tampered_with_are_never_shown() {
    let artifacts = Artifacts::new();
    let digest = image().layers()[0].digest();
    let layer = Kept::by(&artifacts, &digest);
    let middle = layer.right.len() / 2;
    for early in [100, middle] {
        layer.spoil(|bytes| bytes[early] ^= 1);
        nothing_is_shown(&artifacts, &["error: ", &digest, "other contents"]);
    }
    // Behind the end of the tar.
    layer.spoil(|bytes| *bytes.last_mut().expect("it is not empty") = 1);
    nothing_is_shown(&artifacts, &["error: ", &digest, "other contents"]);
    layer.spoil(|bytes| bytes.extend([0; 512]));
    nothing_is_shown(&artifacts, &["error: ", &digest, "where its manifest says"]);
    layer.spoil(|_| {});
    artifacts.agrees();
}

#[test]
fn a_configuration_that_was_tampered_with_is_not_believed() {
    let artifacts = Artifacts::new();
    let digest = digest_of(&image().config_bytes());
    let config = Kept::by(&artifacts, &digest);
    // Another working directory, of the same length.
    config.spoil(|bytes| *bytes = String::from_utf8_lossy(bytes).replace("/app", "/srv").into_bytes());
    assert_ne!(fs::read(&config.path).expect("it is there"), config.right);
    nothing_is_shown(&artifacts, &["error: ", &digest, "other contents"]);
    config.spoil(|bytes| bytes.push(b' '));
    nothing_is_shown(&artifacts, &["error: ", &digest, "where its manifest says"]);
}

#[test]
fn manifests_are_what_their_digest_says() {
    let artifacts = Artifacts::new();
    // A header that lies about right content is not believed either way, but told of.
    artifacts.registry.always(Phase::Manifest, Fault::WrongDigestHeader);
    let outcome = artifacts.user.verify(&artifacts.reference(), &[]);
    let warning = outcome.verdict("match")["warnings"][0].as_str().map(str::to_owned).unwrap_or_default();
    assert!(warning.contains(&digest_of(b"other content")), "{outcome:#?}");
    assert_eq!(outcome.stderr, format!("warning: {warning}\n"));
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
    let endless: [fn(Response) -> Response; 2] = [
        |response| response.framed(Framing::Chunked).tail(Tail::Endless(Duration::ZERO)),
        // Nothing of it comes, so whoever waits for it waits in vain.
        |response| Response { stall: Some(Duration::from_secs(60)), ..response.framed(Framing::Says(10 << 30)).cut(0) },
    ];
    for change in endless {
        let artifacts = Artifacts::new();
        artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
        artifacts.registry.always(Phase::Manifest, Fault::Change(change));
        artifacts.is_refused("corrupt-image", &["is larger than 4194304 bytes"]);
    }
    let artifacts = Artifacts::new();
    artifacts.registry.always(Phase::Token, Fault::Body(b"<html>Please log in</html>".to_vec()));
    artifacts.is_refused("unauthorized", &["did not answer with the JSON of a token"]);
}

fn packed(response: Response) -> Response {
    let body = compress(&response.body, Compression::Gzip);
    Response { body, ..response }.header("Content-Encoding", "gzip")
}

/// Proxies pack what they pass on, if they are set up badly.
#[test]
fn a_coding_that_nobody_asked_for_is_named_and_never_taken_for_the_content() {
    in_all(&[Phase::Manifest, Phase::Download], |&phase| {
        let artifacts = Artifacts::new();
        if phase == Phase::Manifest {
            artifacts.registry.fault(phase, Fault::Expired, 1);
        }
        artifacts.registry.always(phase, Fault::Change(packed));
        nothing_is_shown(&artifacts, &["answered with the content coding `gzip`", "hint: a proxy"]);
    });
    for entry in Artifacts::new().registry.recorded() {
        assert_eq!(entry.request.header("accept-encoding"), None);
    }
    // Storage that was told of a layer that it is packed says so; the digest is that of the packed bytes.
    let artifacts = Artifacts::of(&Image::of(&files("app/")));
    let labelled = |response: Response| response.header("Content-Encoding", "gzip");
    artifacts.registry.always(Phase::Download, Fault::Change(labelled));
    artifacts.user.run(&["ls", &artifacts.reference()]).exits(0);
}

/// A server that counts its visitors.
fn trap() -> (Server, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let visitors = Arc::clone(&seen);
    let server = Server::start(move |_, request| {
        visitors.lock().expect("nothing panics while it holds the lock").push(request.target.clone());
        Response::new(200, image().layers()[0].blob.clone())
    });
    (server, seen)
}

#[test]
fn addresses_that_an_image_or_a_header_names_are_not_visited() {
    let (server, seen) = trap();
    let mut layout = Layout::new();
    let digest = layout.tag("plain", &image());
    let mut manifest: Value = serde_json::from_slice(layout.blob(&digest)).expect("a manifest is JSON");
    manifest["layers"][0]["urls"] = json!([format!("http://{}/layer", server.host())]);
    manifest["layers"][0]["mediaType"] = json!("application/vnd.oci.image.layer.nondistributable.v1.tar");
    manifest["config"]["urls"] = json!([format!("http://{}/config", server.host())]);
    let bytes = manifest.to_string().into_bytes();
    let descriptor = layout.add_blob("application/vnd.oci.image.manifest.v1+json", bytes);
    layout.add_tag("v1", descriptor);
    let artifacts = Artifacts::holding(&layout);
    artifacts.agrees();
    artifacts.registry.always(Phase::Blob, Fault::Status(404, None));
    let anew = ["--no-cache"];
    artifacts.user.is_refused(&artifacts.reference(), &anew, "not-found", &["does not exist"]);
    let elsewhere = format!("http://{}", server.host());
    let answer = Server::start(move |_, _| {
        Response::new(200, "{}")
            .header("Location", format!("{elsewhere}/location"))
            .header("Link", format!("<{elsewhere}/link>; rel=\"next\""))
            .header("Refresh", format!("0; url={elsewhere}/refresh"))
    });
    User::new().is_refused(&format!("{}/{NAME}", answer.host()), &[], "corrupt-image", &[]);
    assert_eq!(*seen.lock().expect("nothing panics while it holds the lock"), Vec::<String>::new());
}
