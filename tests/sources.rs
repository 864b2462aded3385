//! One image, every place it can lie in: the answer may not depend on the place.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use support::artifact_registry::{ArtifactRegistry, Phase};
use support::builders::{Buildah, skopeo_copy, skopeo_recompress};
use support::cli::{Outcome, Shipproof, statuses};
use support::daemon::Podman;
use support::git::Repo;
use support::http::{Response, Server};
use support::images::{DockerArchive, Format, Image, Layout, docker_archive};
use support::layers::{Compression, Layer, compress, digest_of};
use support::registry::{Mode, Registry};

const NAME: &str = "team/app:v1";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What git has. Each file is long enough to tell which directory is which.
const FILES: &str = "
    f requirements.txt 0644 flask==3.1.0\\nrequests==2.32.3\\n
    f main.py 0644 import\\sshared.beat\\n\\nprint('the main program of the tests')\\n
    f run.sh 0755 #!/bin/sh\\nexec\\spython3\\smain.py\\n
    f shared/beat.py 0644 def\\sdoc_id(name):\\n\\s\\sreturn\\sname\\s+\\s'-fixed'\\n
    f shared/util.py 0644 def\\sfirst(items):\\n\\s\\sreturn\\sitems[0]\\n
    f shared/absent.py 0644 print('this one never reaches the image')\\n
    l latest -> shared
";
const OLD_BEAT: &str = "def\\sdoc_id(name):\\n\\s\\sreturn\\sname\\n";

/// An image of several layers, one of them there twice, that differs from [`FILES`] in two files.
fn image() -> Image {
    let base = Layer::text(
        "d etc\nf etc/os-release 0644 ID=tests\\n\nd app\nf app/shared/gone.py 0644 old\\n\nl lib -> usr/lib",
    );
    let again = Layer::text("f etc/again 0644 twice\\n");
    let shared = format!(
        "d app/shared\nf app/shared/beat.py 0644 {OLD_BEAT}\nf app/shared/util.py 0644 \
         def\\sfirst(items):\\n\\s\\sreturn\\sitems[0]\\n\nw app/shared/.wh.gone.py"
    );
    let files: String = FILES.lines().filter(|line| !line.contains("shared/")).map(in_app).collect();
    Image::new()
        .layer("/bin/sh -c #(nop) ADD file:0123 in / ", base)
        .layer("RUN /bin/sh -c echo twice > /etc/again # buildkit", again.clone())
        .empty_step("WORKDIR /app")
        .layer("RUN /bin/sh -c echo twice > /etc/again # buildkit", again)
        .layer("COPY shared shared # buildkit", Layer::text(&shared))
        .layer("COPY requirements.txt main.py run.sh latest ./ # buildkit", Layer::text(&files))
        .workdir("/app")
}

/// A line of [`FILES`] with its path below `/app`.
fn in_app(line: &str) -> String {
    let line = line.trim_start();
    line.split_once(' ').map_or(String::new(), |(kind, rest)| format!("{kind} app/{rest}\n"))
}

/// A repository with [`FILES`] and the Dockerfile of [`image`].
fn repository() -> Repo {
    let dockerfile =
        "FROM base\\nWORKDIR /app\\nCOPY shared shared\\nCOPY requirements.txt main.py run.sh latest ./\\n";
    Repo::with(&format!("{FILES}\nf Dockerfile 0644 {dockerfile}"))
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let file = folder.join(name);
    fs::write(&file, bytes).expect("the file can be written");
    // Credentials that everybody may read are warned of.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("it is ours");
    file.display().to_string()
}

/// An image of one layer that has all of [`FILES`] in `/app`.
fn whole_image() -> Image {
    Image::of(&FILES.lines().map(in_app).collect::<String>())
}

/// A repository with [`FILES`] and nothing else.
fn plain_repository() -> Repo {
    Repo::with(FILES)
}

fn verify(caller: &Shipproof, image: &str, more: &[&str]) -> Outcome {
    caller.run(&[&["verify", image, "--format", "json"], more].concat())
}

/// Asserts that `image` cannot be opened, that the report has `kind`, and that people are told all of `words`.
fn refused(caller: &Shipproof, image: &str, kind: &str, words: &[&str]) {
    let outcome = verify(caller, image, &[]);
    let report = outcome.verdict("unknown");
    assert_eq!(report["error"]["kind"], kind, "{image}: {outcome:#?}");
    assert!(outcome.stderr.lines().any(|line| line.starts_with("error: ")), "{image}: {outcome:#?}");
    for word in words {
        assert!(outcome.stderr.contains(word), "{image}: no `{word}` in {outcome:#?}");
    }
}

// --- the same everywhere ---------------------------------------------------------------------------------------------

/// Where one image lies, by a name for messages; the first place is the one that the others are held against.
type Places = Vec<(&'static str, String)>;

/// Removes what has to differ from place to place: how the image was asked for, and digests of manifests and layers,
/// which an archive of Docker does not keep.
fn comparable(mut report: Value) -> Value {
    for field in ["reference", "digest", "pinned"] {
        report["image"][field] = Value::Null;
    }
    let empty = &mut Vec::new();
    for platform in report["image"]["platforms"].as_array_mut().unwrap_or(empty) {
        platform["digest"] = Value::Null;
    }
    for finding in report["findings"].as_array_mut().unwrap_or(empty) {
        if finding["layer"].is_object() {
            finding["layer"]["digest"] = Value::Null;
        }
    }
    for identity in report["identities"].as_array_mut().unwrap_or(empty) {
        for layer in identity["layers"].as_array_mut().expect("an identity has layers") {
            layer["digest"] = Value::Null;
        }
    }
    for layer in report["layers"].as_array_mut().unwrap_or(empty) {
        for field in ["digest", "media_type", "size"] {
            layer[field] = Value::Null;
        }
    }
    report
}

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

// --- which image -----------------------------------------------------------------------------------------------------

/// The members of a tar of plain files.
fn members(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().expect("it is a tar");
    let entries = entries.map(|entry| {
        let mut entry = entry.expect("it is a tar");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("it is a tar");
        (entry.path().expect("the name is text").display().to_string(), bytes)
    });
    entries.collect()
}

fn tar_of(members: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, bytes.as_slice()).expect("writing to memory does not fail");
    }
    builder.into_inner().expect("writing to memory does not fail")
}

/// What `docker save` writes for several images, out of what it writes for each.
fn saved_together(archives: &[Vec<u8>]) -> Vec<u8> {
    let mut together = BTreeMap::new();
    let (mut saved, mut index) = (Vec::new(), None::<Value>);
    for archive in archives {
        let mut files = members(archive);
        let parse = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).expect("it is JSON");
        let list = files.remove("manifest.json").map(parse).expect("an archive of docker has a manifest.json");
        saved.extend(list.as_array().expect("manifest.json is an array").clone());
        if let Some(next) = files.remove("index.json").map(parse) {
            let all = index.get_or_insert_with(|| json!({ "schemaVersion": 2, "manifests": [] }));
            let next = next["manifests"].as_array().expect("an index has manifests").clone();
            all["manifests"].as_array_mut().expect("an index has manifests").extend(next);
        }
        together.extend(files);
    }
    together.insert("manifest.json".to_owned(), json!(saved).to_string().into_bytes());
    together.extend(index.map(|index| ("index.json".to_owned(), index.to_string().into_bytes())));
    tar_of(&together)
}

/// A repository, and two images of which only the first agrees with it.
fn right_and_wrong() -> (Repo, Image, Image) {
    let wrong = whole_image().text(&format!("f app/shared/beat.py 0644 {OLD_BEAT}"));
    (plain_repository(), whole_image(), wrong)
}

#[test]
fn one_of_several_images_in_a_layout_is_chosen_by_its_tag() {
    let (repo, right, wrong) = right_and_wrong();
    let mut layout = Layout::new();
    let digest = layout.tag("v1", &right);
    layout.tag("v2", &wrong);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let directory = format!("oci:{}", folder.path().join("layout").display());
    layout.write_to(&folder.path().join("layout"));
    let archive = format!("oci-archive:{}", write(folder.path(), "oci.tar", &layout.archive()));
    let caller = Shipproof::new().directory(repo.path());
    for place in [directory, archive] {
        verify(&caller, &format!("{place}:v1"), &[]).verdict("match");
        verify(&caller, &format!("{place}:v2"), &[]).verdict("mismatch");
        verify(&caller, &format!("{place}@{digest}"), &[]).verdict("match");
        refused(&caller, &place, "not-found", &["v1, v2; none was chosen", "hint: name one of them"]);
        refused(&caller, &format!("{place}:v3"), "not-found", &["v1, v2; none is called v3"]);
        let other = digest_of(b"another");
        refused(&caller, &format!("{place}@{other}"), "not-found", &[&other]);
    }
}

#[test]
fn one_of_several_images_in_a_docker_archive_is_chosen_by_its_name() {
    let (repo, right, wrong) = right_and_wrong();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let caller = Shipproof::new().directory(repo.path());
    for style in [DockerArchive::Old, DockerArchive::New] {
        let images = [("team/app:v1", &right), ("app:latest", &wrong), ("team/other:v1", &wrong)];
        let archives = images.map(|(name, image)| docker_archive(style, name, image));
        let place = format!("docker-archive:{}", write(folder.path(), "docker.tar", &saved_together(&archives)));
        verify(&caller, &format!("{place}:team/app:v1"), &[]).verdict("match");
        verify(&caller, &format!("{place}:docker.io/team/app:v1"), &[]).verdict("match");
        verify(&caller, &format!("{place}:app"), &[]).verdict("mismatch");
        verify(&caller, &format!("{place}:team/other:v1"), &[]).verdict("mismatch");
        refused(&caller, &place, "not-found", &["team/app:v1", "team/other:v1", "none was chosen"]);
        refused(&caller, &format!("{place}:team/app:v9"), "not-found", &["team/app:v1", "none is called team/app:v9"]);
        // Two images have this tag, and nobody said which is meant.
        let outcome = verify(&caller, &format!("{place}:v1"), &[]);
        assert_eq!(outcome.verdict("unknown")["error"]["kind"], "not-found", "{style:?}");
    }
}

#[test]
fn an_image_of_two_names_needs_no_choice() {
    let (repo, right, _) = right_and_wrong();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let caller = Shipproof::new().directory(repo.path());
    let archives = ["team/app:v1", "team/app:latest"].map(|name| docker_archive(DockerArchive::New, name, &right));
    let place = format!("docker-archive:{}", write(folder.path(), "docker.tar", &saved_together(&archives)));
    verify(&caller, &place, &[]).verdict("match");
    let mut layout = Layout::new();
    layout.tag("v1", &right);
    layout.tag("v2", &right);
    verify(&caller, &format!("oci-archive:{}", write(folder.path(), "oci.tar", &layout.archive())), &[])
        .verdict("match");
}

// --- places that are none --------------------------------------------------------------------------------------------

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
    let oci = Layout::with("v1", &whole_image()).archive();
    let old = docker_archive(DockerArchive::Old, NAME, &whole_image());
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

/// Docker and Podman take a key in any case (as Go's encoding/json does), and of several the last.
#[test]
fn a_list_with_a_key_in_two_cases_is_refused() {
    let repo = plain_repository();
    let caller = Shipproof::new().directory(repo.path());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let oci = Layout::with("v1", &whole_image()).archive();
    let old = docker_archive(DockerArchive::Old, NAME, &whole_image());
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

// --- indexes ---------------------------------------------------------------------------------------------------------

/// [`FILES`] for amd64, and an old file for arm64.
fn platforms() -> [Image; 2] {
    let (_, right, wrong) = right_and_wrong();
    [right.platform("linux/amd64"), wrong.platform("linux/arm64/v8")]
}

fn platforms_of(report: &Value) -> Vec<&str> {
    let platforms = report["image"]["platforms"].as_array().expect("a report has platforms");
    platforms.iter().filter_map(|platform| platform["platform"].as_str()).collect()
}

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
    let digest = layout.tag_index("v1", &both, Some(&json!({ "builder": { "id": "the tests" } })));
    let folder = tempfile::tempdir().expect("a temporary folder");
    layout.write_to(folder.path());
    let registry = ArtifactRegistry::serve(folder.path());
    let caller = Shipproof::new().directory(repo.path());
    let auth_file = write(folder.path(), "auth.json", registry.docker_config().as_bytes());
    let report = verify(&caller, &registry.reference("v1"), &["--auth-file", &auth_file]).verdict("match");
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

/// An index that lists `entries`, as a blob of `layout`.
fn index_of(layout: &mut Layout, entries: &[Value]) -> Value {
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries });
    layout.add_blob(OCI_INDEX, index.to_string().into_bytes())
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

// --- what is no image ------------------------------------------------------------------------------------------------

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
    fs::create_dir(caller.home().join(".docker")).expect("an empty home");
    write(&caller.home().join(".docker"), "config.json", registry.docker_config().as_bytes());
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

// --- compression -----------------------------------------------------------------------------------------------------

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
    fs::create_dir(caller.home().join(".docker")).expect("an empty home");
    write(&caller.home().join(".docker"), "config.json", registry.docker_config().as_bytes());
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
