//! Real builders, and podman as a daemon.

use std::fs;
use std::os::unix::net::UnixStream;

use crate::support::builders::{Buildah, skopeo_recompress};
use crate::support::daemon::Podman;
use crate::support::git::Repo;
use crate::support::http::{exchange, get};
use crate::support::registry::{Mode, Registry};
use crate::support::unpacked::umoci_unpack;
use crate::{MANIFESTS, skopeo_reference, small_layout};

#[test]
fn buildah_builds_a_checkout_and_skopeo_makes_it_zstd() {
    let Some(buildah) = Buildah::new() else { return };
    let dockerfile = r"FROM scratch\nWORKDIR /srv/app\nCOPY . .\nCMD [\x22main\x22]\n";
    let repo = Repo::with(&format!(
        "f Dockerfile 0644 {dockerfile}\nf .dockerignore 0644 tests\\n\nf main.py 0644 x\nf tests/a 0644 a"
    ));
    let layout = buildah.build(&repo.path(), "app", &["--label", "revision=1"]);
    let Some(tree) = umoci_unpack(&buildah.layout(), "app") else { return };
    assert!(tree.contains_key(b"srv/app/main.py".as_slice()) && !tree.contains_key(b"srv/app/tests".as_slice()));
    let zstd = repo.beside("zstd");
    skopeo_recompress(&layout, &skopeo_reference(&zstd, "app"), "zstd");
    let Some(registry) = Registry::start(Mode::Plain) else { return };
    registry.push(&skopeo_reference(&zstd, "app"), "team/app:zstd");
    let manifest = get(registry.host(), "/v2/team/app/manifests/zstd", &[MANIFESTS]).json();
    let last = manifest["layers"].as_array().and_then(|layers| layers.last()).expect("an image has layers").clone();
    assert_eq!(last["mediaType"], "application/vnd.oci.image.layer.v1.tar+zstd");
}

#[test]
fn podman_is_a_daemon() {
    let Some(podman) = Podman::start() else { return };
    let socket = UnixStream::connect(podman.socket()).expect("the service listens");
    let answer = exchange(socket, "d", "/_ping", &[]);
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"OK"[..]));
    let (folder, _) = small_layout();
    podman.load(&skopeo_reference(folder.path(), "v1"), "localhost/team/app:v1");
    let socket = UnixStream::connect(podman.socket()).expect("the service listens");
    assert_eq!(exchange(socket, "d", "/v1.41/images/localhost/team/app:v1/json", &[]).status, 200);
    let file = folder.path().join("saved.tar");
    podman.save("localhost/team/app:v1", &file);
    assert!(fs::metadata(&file).expect("podman wrote it").len() > 0);
    assert!(podman.docker_host().starts_with("unix:///"));
}
