//! One image in every place and form.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::builders::{Buildah, skopeo_copy, skopeo_recompress};
use crate::support::cli::{Shipproof, statuses};
use crate::support::daemon::Podman;
use crate::support::git::Repo;
use crate::support::http::{Response, Server};
use crate::support::images::Layout;
use crate::support::images::docker_archive::{DockerArchive, docker_archive};
use crate::support::layers::{Compression, compress, digest_of};
use crate::support::registry::{Mode, Registry};

use super::stage::{FILES, NAME, comparable, image, refused, repository, verify, write};

/// Where one image lies, by a name for messages; the first place is the one that the others are held against.
type Places = Vec<(&'static str, String)>;

/// Runs a command in all places, asserts that the answers and exit codes are the same, and gives the one answer.
fn same_json(caller: &Shipproof, places: &Places, command: &str, more: &[&str]) -> (Value, Option<i32>) {
    let answers = places.iter().map(|(place, reference)| {
        let outcome = caller.run(&[&[command, reference, "--format", "json"], more].concat());
        (place, (comparable(outcome.json()), outcome.code))
    });
    let answers: Vec<_> = answers.collect();
    let (_, first) = &answers[0];
    for (place, answer) in &answers {
        assert_eq!(answer, first, "{command} in {place}");
    }
    first.clone()
}

/// Runs `cat` in all places and asserts that each prints `expected`.
fn same_bytes(caller: &Shipproof, places: &Places, file: &str, expected: &str) {
    for (place, reference) in places {
        let outcome = caller.run(&["cat", reference, file]).exits(0);
        assert_eq!(outcome.stdout, expected, "cat {file} in {place}");
    }
}

/// [`image`] in every place and form.
fn places(folder: &Path, registry: &Registry, podman: &Podman) -> Places {
    let layout = Layout::with("v1", &image());
    layout.write_to(&folder.join("layout"));
    let skopeo = format!("oci:{}:v1", folder.join("layout").display());
    registry.push(&skopeo, NAME);
    podman.load(&skopeo, "localhost/team/app:v1");
    let (old, new) = [DockerArchive::Old, DockerArchive::New].map(|style| docker_archive(style, NAME, &image())).into();
    let file = |name: &str, bytes: &[u8], compression| write(folder, name, &compress(bytes, compression));
    let oci = |name, compression| format!("oci-archive:{}", file(name, &layout.archive(), compression));
    let docker = |name, bytes, compression| format!("docker-archive:{}:{NAME}", file(name, bytes, compression));
    vec![
        ("a layout", format!("oci:{}", folder.join("layout").display())),
        ("a registry", registry.reference(NAME)),
        ("an OCI archive", oci("oci.tar", Compression::None)),
        ("a gzipped OCI archive", oci("oci.tar.gz", Compression::Gzip)),
        ("an OCI archive of gzip members", oci("oci.tar.pigz", Compression::GzipMembers(3))),
        ("an OCI archive with zstd", oci("oci.tar.zst", Compression::Zstd)),
        ("an old docker archive", docker("old.tar", &old, Compression::None)),
        ("a gzipped old docker archive", docker("old.tar.gz", &old, Compression::Gzip)),
        ("a new docker archive", docker("new.tar", &new, Compression::None)),
        ("a gzipped new docker archive", docker("new.tar.gz", &new, Compression::Gzip)),
        ("a daemon", "docker-daemon:localhost/team/app:v1".to_owned()),
    ]
}

#[test]
fn an_image_is_the_same_in_every_place() {
    let (Some(registry), Some(podman)) = (Registry::start(Mode::Plain), Podman::start()) else { return };
    let (folder, repo) = (tempfile::tempdir().expect("a temporary folder"), repository());
    let caller = Shipproof::new().directory(repo.path()).variable("DOCKER_HOST", podman.docker_host());
    let places = places(folder.path(), &registry, &podman);

    let (report, code) = same_json(&caller, &places, "verify", &[]);
    let expected = [("shared/absent.py", "missing"), ("shared/beat.py", "modified")];
    assert_eq!(statuses(&report), expected.map(|(path, status)| (path.to_owned(), status.to_owned())));
    assert_eq!((&report["verdict"], code), (&json!("mismatch"), Some(1)));
    assert_eq!(report["counts"], json!({ "compared": 6, "same": 5, "modified": 1, "missing": 1 }));
    assert_eq!(report["findings"][1]["layer"]["index"], 3);
    assert_eq!(report["findings"][1]["layer"]["step"], "COPY shared shared");

    let (listing, _) = same_json(&caller, &places, "ls", &[]);
    let paths: Vec<&Value> =
        listing["entries"].as_array().expect("a listing has entries").iter().map(|entry| &entry["path"]).collect();
    assert!(paths.contains(&&json!("/app/shared/beat.py")) && paths.contains(&&json!("/etc/again")), "{paths:?}");
    assert!(!paths.contains(&&json!("/app/shared/gone.py")), "{paths:?}");
    let (layers, _) = same_json(&caller, &places, "layers", &[]);
    assert_eq!(layers["layers"].as_array().map(Vec::len), Some(5));
    assert_eq!(layers["layers"][3]["diff_id"], image().layers()[3].diff_id());
    same_bytes(&caller, &places, "/app/shared/beat.py", "def doc_id(name):\n  return name\n");
    same_bytes(&caller, &places, "/app/latest/util.py", "def first(items):\n  return items[0]\n");
}

#[test]
fn an_image_is_named_by_the_digest_that_its_place_keeps() {
    let (Some(registry), Some(podman)) = (Registry::start(Mode::Plain), Podman::start()) else { return };
    let (folder, repo) = (tempfile::tempdir().expect("a temporary folder"), repository());
    let caller = Shipproof::new().directory(repo.path()).variable("DOCKER_HOST", podman.docker_host());
    let manifest = Layout::new().tag("v1", &image());
    let image_id = digest_of(&image().config_bytes());
    for (place, reference) in places(folder.path(), &registry, &podman) {
        let report = verify(&caller, &reference, &[]).verdict("mismatch");
        assert_eq!(report["image"]["reference"], reference.as_str());
        let (digest, pinned) = (&report["image"]["digest"], &report["image"]["pinned"]);
        if place.contains("old docker") || place == "a daemon" {
            assert_eq!((digest, pinned), (&json!(image_id), &json!(image_id)), "{place}");
            continue;
        }
        if !place.contains("new docker") {
            assert_eq!(digest, &json!(manifest), "{place}");
        }
        // The pinned name leads to the same image again.
        let pinned = pinned.as_str().expect("a pinned name is a text");
        assert!(pinned.ends_with(digest.as_str().expect("a digest is a text")), "{place}: {pinned}");
        let again = verify(&caller, pinned, &[]).verdict("mismatch");
        assert_eq!(comparable(again), comparable(report), "{place}");
    }
}

/// A checkout that buildah builds, and the same checkout one commit later.
fn build(buildah: &Buildah) -> (Repo, String) {
    let dockerfile = "FROM scratch\\nWORKDIR /srv/app\\nCOPY requirements.txt .\\nCOPY shared shared\\nCOPY . .\\n\
                      CMD [\\x22main.py\\x22]\\n";
    let mut repo =
        Repo::with(&format!("{FILES}\nf Dockerfile 0644 {dockerfile}\nf .dockerignore 0644 .git\\ntests\\n"));
    repo.write("f tests/test_main.py 0644 assert True\\n");
    repo.commit("Add a test");
    let layout = buildah.build(&repo.path(), "app", &[]);
    repo.write("f shared/beat.py 0644 def\\sdoc_id(name):\\n\\s\\sreturn\\sname\\s+\\s'-fixed-again'\\n");
    repo.commit("Fix the beat again");
    (repo, layout)
}

#[test]
fn what_buildah_built_is_the_same_in_every_place() {
    let (Some(registry), Some(podman)) = (Registry::start(Mode::Plain), Podman::start()) else { return };
    let Some(buildah) = Buildah::new() else { return };
    let (repo, layout) = build(&buildah);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let caller = Shipproof::new().directory(repo.path()).variable("DOCKER_HOST", podman.docker_host());
    registry.push(&layout, NAME);
    let oci_archive = format!("oci-archive:{}:app", at("oci.tar"));
    let docker_archive = format!("docker-archive:{}:localhost/app:v1", at("docker.tar"));
    let zstd = format!("oci:{}:app", at("zstd"));
    skopeo_copy(&layout, &oci_archive, &[]);
    skopeo_copy(&layout, &docker_archive, &[]);
    skopeo_recompress(&layout, &zstd, "zstd");
    registry.push(&zstd, "team/app:zstd");
    podman.load(&layout, "localhost/app:v1");
    podman.save("localhost/app:v1", &folder.path().join("podman.tar"));
    let places = vec![
        ("a layout", layout),
        ("a registry", registry.reference(NAME)),
        ("a registry, as zstd", registry.reference("team/app:zstd")),
        ("skopeo's OCI archive", oci_archive),
        ("skopeo's docker archive", docker_archive),
        ("podman's docker archive", format!("docker-archive:{}", at("podman.tar"))),
        ("a daemon", "docker-daemon:localhost/app:v1".to_owned()),
    ];
    let (report, code) = same_json(&caller, &places, "verify", &[]);
    assert_eq!(statuses(&report), [("shared/beat.py".to_owned(), "stale".to_owned())]);
    assert_eq!((&report["verdict"], code), (&json!("mismatch"), Some(1)));
    let (report, code) = same_json(&caller, &places, "verify", &["--rev", "HEAD^"]);
    assert_eq!((&report["verdict"], code), (&json!("match"), Some(0)));
    same_json(&caller, &places, "ls", &["/srv"]);
    same_bytes(&caller, &places, "beat.py", "def doc_id(name):\n  return name + '-fixed'\n");
}

/// Docker 25 and later behind `DOCKER_HOST=tcp://…`: what it exports is an OCI layout.
#[test]
fn a_daemon_may_export_what_docker_saves_today() {
    let archive = docker_archive(DockerArchive::New, NAME, &image());
    let server = Server::start(move |_, request| match request.path() {
        path if path.ends_with("/images/team/app:v1/get") => Response::new(200, archive.clone()),
        _ => Response::json(404, &json!({ "message": "no such image" })),
    });
    let repo = repository();
    let caller = Shipproof::new().directory(repo.path()).variable("DOCKER_HOST", format!("tcp://{}", server.host()));
    let report = verify(&caller, &format!("docker-daemon:{NAME}"), &[]).verdict("mismatch");
    assert_eq!(report["counts"]["modified"], 1);
    let digest = &report["image"]["digest"];
    assert_eq!(&report["image"]["pinned"], digest, "a daemon's image is pinned by its digest");
    refused(&caller, "docker-daemon:team/other:v1", "not-found", &["team/other:v1", "no such image"]);
}
