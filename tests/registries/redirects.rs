//! Redirects: which are followed, and what goes along.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::support::artifact_registry::{Fault, Phase};
use crate::support::http::{Request, Response, Server};
use crate::support::layers::digest_of;

use super::stage::{Artifacts, image};

/// A storage server that gives blobs to everybody, and remembers what it was asked.
fn storage(folder: PathBuf) -> (Server, Arc<Mutex<Vec<Request>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let remembered = Arc::clone(&seen);
    let server = Server::start(move |_, request| {
        remembered.lock().expect("nothing panics while it holds the lock").push(request.clone());
        let name = request.path().rsplit('/').next().unwrap_or_default();
        match fs::read(folder.join("blobs/sha256").join(name)) {
            Ok(bytes) => Response::new(200, bytes),
            Err(_) => Response::new(404, "no such object"),
        }
    });
    (server, seen)
}

#[test]
fn a_redirect_to_another_host_carries_no_credentials() {
    let artifacts = Artifacts::new();
    let (storage, seen) = storage(artifacts.folder.path().to_owned());
    let hex = |digest: String| digest.replace("sha256:", "");
    let (layer, config) = (hex(image().layers()[0].digest()), hex(digest_of(&image().config_bytes())));
    let elsewhere = storage.host().replace("127.0.0.1", "localhost");
    for (host, name) in [(&storage.host(), config), (&elsewhere, layer)] {
        let location = format!("http://{host}/bucket/{name}?X-Signature=opaque.signature");
        artifacts.registry.fault(Phase::Blob, Fault::Redirect(location), 1);
    }
    artifacts.agrees();
    let seen = seen.lock().expect("nothing panics while it holds the lock");
    assert_eq!(seen.len(), 2);
    for request in seen.iter() {
        assert_eq!((request.header("authorization"), request.header("cookie")), (None, None), "{request:?}");
    }
    assert!(seen.iter().all(|request| request.target.ends_with("?X-Signature=opaque.signature")));
    assert!(artifacts.requests(Phase::Blob).iter().all(|entry| entry.request.bearer().is_some()));
}

#[test]
fn a_redirect_that_leads_nowhere_is_named_without_its_signature() {
    let artifacts = Artifacts::new();
    let (storage, _) = storage(artifacts.folder.path().to_owned());
    let location = format!("http://{}/bucket/none?X-Signature=opaque.signature", storage.host());
    artifacts.registry.always(Phase::Blob, Fault::Redirect(location));
    artifacts.is_refused("not-found", &["does not exist", "no such object"]);
    let table = [
        ("ftp://127.0.0.1/blob?X-Signature=opaque.signature", "its scheme is not http"),
        ("http://[/?X-Signature=opaque.signature", "its location is not an address"),
    ];
    for (location, reason) in table {
        let artifacts = Artifacts::new();
        artifacts.registry.always(Phase::Blob, Fault::Redirect(location.to_owned()));
        artifacts.is_refused("network", &["which is refused", reason]);
    }
    let artifacts = Artifacts::new();
    artifacts.registry.always(Phase::Download, Fault::Redirect("/artifacts-downloads/again".to_owned()));
    artifacts.is_refused("network", &["too many redirects"]);
}
