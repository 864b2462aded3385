//! Places that hold no image.

use std::fs;

use crate::support::cli::Shipproof;
use crate::support::daemon::Podman;
use crate::support::images::Layout;
use crate::support::images::docker_archive::{DockerArchive, docker_archive};
use crate::support::layers::{Compression, Layer, compress};

use super::stage::{NAME, members, plain_repository, refused, tar_of, whole_image, write};

#[test]
fn what_is_no_layout_and_no_archive_is_named() {
    let repo = plain_repository();
    let caller = Shipproof::new().directory(repo.path());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::create_dir(folder.path().join("empty")).expect("a new name");
    let text = write(folder.path(), "text", "this is no tar at all\n".repeat(100).as_bytes());
    let short = write(folder.path(), "short", b"short");
    let nothing = write(folder.path(), "nothing", b"");
    let tar = write(folder.path(), "other.tar", &Layer::text("f app/main.py 0644 x").tar);
    let gzip = write(folder.path(), "text.gz", &compress(b"this is no tar at all", Compression::Gzip));
    let table = [
        (format!("oci:{}", at("absent")), "read", vec![at("absent")]),
        (format!("oci:{}", at("empty")), "corrupt-image", vec![at("empty"), "it has no index.json".to_owned()]),
        (format!("oci:{tar}"), "corrupt-image", vec![tar.clone(), "oci-archive:".to_owned()]),
        (format!("oci-archive:{}", at("absent")), "read", vec![at("absent")]),
        (format!("oci-archive:{}", at("empty")), "read", vec![at("empty")]),
        (format!("oci-archive:{text}"), "corrupt-image", vec![text.clone(), "not a tar archive".to_owned()]),
        (format!("oci-archive:{short}"), "corrupt-image", vec![short, "not a tar archive".to_owned()]),
        (format!("oci-archive:{nothing}"), "corrupt-image", vec![nothing]),
        (format!("oci-archive:{gzip}"), "corrupt-image", vec![gzip, "not a tar archive".to_owned()]),
        (format!("oci-archive:{tar}"), "corrupt-image", vec![tar.clone(), "it has no index.json".to_owned()]),
        (format!("docker-archive:{text}"), "corrupt-image", vec![text, "not a tar archive".to_owned()]),
        (format!("docker-archive:{tar}"), "corrupt-image", vec![tar, "it has no manifest.json".to_owned()]),
    ];
    for (reference, kind, words) in table {
        refused(&caller, &reference, kind, &words.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn an_archive_that_is_cut_short_is_no_image() {
    let repo = plain_repository();
    let caller = Shipproof::new().directory(repo.path());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [oci, old] = archives();
    for (transport, whole) in [("oci-archive", oci), ("docker-archive", old)] {
        // In the first member, in the last one's padding, and within a header or between two members.
        let last = whole.len() - 1024 - 300;
        for (cut, word) in [(700, "cut short"), (last, "cut short"), (whole.len() / 2, " is not ")] {
            let file = write(folder.path(), "cut.tar", &whole[..cut]);
            refused(&caller, &format!("{transport}:{file}"), "corrupt-image", &[&file, word]);
        }
        let gzip = compress(&whole, Compression::Gzip);
        let file = write(folder.path(), "cut.tar.gz", &gzip[..gzip.len() / 2]);
        refused(&caller, &format!("{transport}:{file}"), "corrupt-image", &[&file]);
    }
}

/// An image in an archive of either kind.
fn archives() -> [Vec<u8>; 2] {
    [Layout::with("v1", &whole_image()).archive(), docker_archive(DockerArchive::Old, NAME, &whole_image())]
}

/// Docker and Podman take a key in any case (as Go's encoding/json does), and of several the last.
#[test]
fn a_list_with_a_key_in_two_cases_is_refused() {
    let repo = plain_repository();
    let caller = Shipproof::new().directory(repo.path());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [oci, old] = archives();
    let table = [("oci-archive", oci, "index.json", "Manifests"), ("docker-archive", old, "manifest.json", "layers")];
    for (transport, tar, list, key) in table {
        let mut members = members(&tar);
        let text = String::from_utf8(members.remove(list).expect("it has a list")).expect("it is JSON");
        members.insert(list.to_owned(), text.replacen('{', &format!("{{\"{key}\":[],"), 1).into_bytes());
        let file = write(folder.path(), "twice.tar", &tar_of(&members));
        refused(&caller, &format!("{transport}:{file}"), "corrupt-image", &[&file, list, "twice"]);
    }
}

#[test]
fn a_daemon_that_is_absent_or_lacks_the_image_is_named() {
    let Some(podman) = Podman::start() else { return };
    let repo = plain_repository();
    let socket = repo.beside("absent.sock").display().to_string();
    let caller = Shipproof::new().directory(repo.path()).variable("DOCKER_HOST", format!("unix://{socket}"));
    refused(&caller, "docker-daemon:app:v1", "daemon", &[&socket, "hint: is the daemon running?"]);
    let caller = Shipproof::new().directory(repo.path()).variable("DOCKER_HOST", "nonsense");
    refused(&caller, "docker-daemon:app:v1", "daemon", &["nonsense"]);
    let caller = Shipproof::new().directory(repo.path()).variable("DOCKER_HOST", podman.docker_host());
    refused(&caller, "docker-daemon:localhost/app:v1", "not-found", &["localhost/app:v1", "does not exist"]);
}
