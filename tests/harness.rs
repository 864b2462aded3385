//! Proves that the support module does what the other tests take for granted, against the real tools.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use support::artifact_registry::{ACCESS_TOKEN, ArtifactRegistry, Fault, KEY_EMAIL, Phase, REPOSITORY};
use support::builders::{Buildah, skopeo_copy, skopeo_recompress};
use support::cli::Shipproof;
use support::daemon::Podman;
use support::git::Repo;
use support::http::{Answer, exchange, get};
use support::images::{DockerArchive, Format, Image, Layout, docker_archive};
use support::layers::{Compression, Layer, compress, digest_of};
use support::registry::{Mode, Registry};
use support::tokens::{PASSWORD, SERVICE, USER};
use support::tools::{self, Missing};
use support::unpacked::{Unpacked, umoci_unpack};

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

// --- programs --------------------------------------------------------------------------------------------------------

#[test]
fn a_missing_program_is_a_failure_in_ci_and_a_line_elsewhere() {
    let judge = |ci: Option<&str>| tools::missing("t", "skopeo", "apt-get install skopeo", ci.map(AsRef::as_ref));
    assert_eq!(judge(Some("true")), Missing::Fail("t needs skopeo (apt-get install skopeo)".to_owned()));
    for ci in [None, Some(""), Some("false")] {
        let line = "left out: t needs skopeo (apt-get install skopeo)\n";
        assert_eq!(judge(ci), Missing::LeaveOut(line.to_owned()));
    }
}

#[test]
fn the_program_runs_in_a_private_home() {
    let outcome = Shipproof::new().variable("NO_COLOR", "1").run(&["--version"]);
    assert!(outcome.code.is_some(), "{outcome:?}");
}

// --- git -------------------------------------------------------------------------------------------------------------

#[test]
fn the_same_text_gives_the_same_commit() {
    let text = "f run.sh 0755 echo\\n\nl link -> run.sh\nf name\\swith\\sspaces 0644 x";
    let (one, two) = (Repo::with(text), Repo::with(text));
    assert_eq!(one.git(&["rev-parse", "HEAD"]), two.git(&["rev-parse", "HEAD"]));
    let listing = one.git(&["ls-tree", "-r", "HEAD"]);
    assert!(listing.contains("100755 blob") && listing.contains("120000 blob"), "{listing}");
    assert!(listing.contains("\tname with spaces"), "{listing}");
}

#[test]
fn files_change_and_go_from_commit_to_commit() {
    let mut repo = Repo::with("f a 0644 1\nf b/c 0644 2");
    let first = repo.blob_id("HEAD", "a");
    repo.write("f a 0644 3").remove("b");
    let commit = repo.commit("Second");
    assert_eq!(repo.git(&["ls-tree", "-r", "--name-only", &commit]), "a");
    assert_ne!(repo.blob_id("HEAD", "a"), first);
    let second_of_january = 1_767_312_000;
    assert_eq!(repo.git(&["log", "-1", "--format=%ct"]), second_of_january.to_string());
}

#[test]
fn a_repository_can_have_sha256_objects() {
    let mut repo = Repo::init(&["--object-format=sha256"]);
    repo.write("f a 0644 1");
    assert_eq!(repo.commit("Start").len(), 64);
}

// --- images ----------------------------------------------------------------------------------------------------------

#[test]
fn umoci_understands_what_the_builder_writes() {
    let long = format!("app/{}/deep.py", "n".repeat(150));
    let lower = format!(
        "d app 0755\nf app/main.py 0640 print('x')\\n\nf app/old 0644 x\nf {long} 0644 long\nd app/dir\nf app/dir/a 0644 a"
    );
    let upper = "w app/.wh.old\nw app/dir/.wh..wh..opq\nf ./app/dir/b 0600 b\nl app/link -> main.py\n\
                 f app/first 0644 same\nh app/hard -> app/first\npax f app/in-pax\\xc3\\xa9 0644 p";
    let image = Image::new().text(&lower).text(upper);
    let folder = tempfile::tempdir().expect("a temporary folder");
    Layout::with("v1", &image).write_to(folder.path());
    let Some(tree) = umoci_unpack(folder.path(), "v1") else { return };
    let paths: Vec<_> = tree.keys().map(|path| String::from_utf8_lossy(path).into_owned()).collect();
    let parent = long.strip_suffix("/deep.py").expect("the suffix is there");
    let expected = [
        "app",
        "app/dir",
        "app/dir/b",
        "app/first",
        "app/hard",
        "app/in-paxé",
        "app/link",
        "app/main.py",
        parent,
        &long,
    ];
    assert_eq!(paths, expected);
    assert_eq!(file_of(&tree, "app/main.py").mode, 0o640);
    assert_eq!(file_of(&tree, "app/main.py").sha256.as_deref(), Some(&*digest_of(b"print('x')\n")));
    assert_eq!(file_of(&tree, "app/hard").sha256, file_of(&tree, "app/first").sha256);
    assert_eq!(file_of(&tree, "app/link").target.as_deref(), Some(&b"main.py"[..]));
}

#[test]
fn every_compression_holds_the_same_tar() {
    let tar = Layer::text("f a 0644 some content\nf b 0644 more").tar;
    let gunzip = |bytes: &[u8]| {
        let mut out = Vec::new();
        std::io::copy(&mut flate2::read::MultiGzDecoder::new(bytes), &mut out).expect("it is gzip");
        out
    };
    assert_eq!(gunzip(&compress(&tar, Compression::Gzip)), tar);
    assert_eq!(gunzip(&compress(&tar, Compression::GzipMembers(3))), tar);
    assert_eq!(zstd::decode_all(&*compress(&tar, Compression::Zstd)).expect("it is zstd"), tar);
    assert_eq!(zstd::decode_all(&*compress(&tar, Compression::ZstdFrames(3))).expect("it is zstd"), tar);
    assert_eq!(compress(&tar, Compression::GzipMembers(3)).windows(3).filter(|w| w == b"\x1f\x8b\x08").count(), 3);
    assert_eq!(compress(&tar, Compression::None), tar);
}

#[test]
fn skopeo_reads_every_archive_and_finds_the_same_layers() {
    // skopeo unpacks an oci-archive with its owners.
    if tools::require(tools::SKOPEO).is_none() || !tools::require_root() {
        return;
    }
    let same = Layer::text("f app/a 0644 a");
    let image =
        Image::of("f app/main.py 0644 x").layer("COPY a .", same.clone()).layer("COPY a .", same).label("k", "v");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archives = [
        ("docker-archive", "old.tar", docker_archive(DockerArchive::Old, "team/app:v1", &image)),
        ("docker-archive", "new.tar", docker_archive(DockerArchive::New, "team/app:v1", &image)),
        ("oci-archive", "oci.tar", Layout::with("v1", &image).archive()),
    ];
    for (transport, name, bytes) in archives {
        let file = folder.path().join(name);
        fs::write(&file, bytes).expect("the file can be written");
        let result = folder.path().join(format!("{name}.layout"));
        skopeo_copy(&format!("{transport}:{}", file.display()), &skopeo_reference(&result, "v1"), &[]);
        let Some(tree) = umoci_unpack(&result, "v1") else { return };
        assert_eq!(tree.keys().map(Vec::as_slice).collect::<Vec<_>>(), [b"app".as_slice(), b"app/a", b"app/main.py"]);
    }
}

#[test]
fn an_index_has_its_platforms_and_attestations() {
    let images = ["linux/amd64", "linux/arm64/v8"].map(|platform| Image::of("f app/a 0644 a").platform(platform));
    let mut layout = Layout::new();
    let digest = layout.tag_index("v1", &images, Some(("v0.2", &json!({ "builder": { "id": "" } }))));
    let index: serde_json::Value = serde_json::from_slice(layout.blob(&digest)).expect("an index is JSON");
    let platforms: Vec<_> =
        index["manifests"].as_array().expect("an array").iter().map(|m| m["platform"].clone()).collect();
    let unknown = json!({ "os": "unknown", "architecture": "unknown" });
    let arm = json!({ "os": "linux", "architecture": "arm64", "variant": "v8" });
    assert_eq!(platforms, [json!({ "os": "linux", "architecture": "amd64" }), arm, unknown.clone(), unknown]);
    let Some(registry) = Registry::start(Mode::Plain) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    layout.write_to(folder.path());
    assert_eq!(registry.push(&skopeo_reference(folder.path(), "v1"), "team/app:v1"), digest);
}

// --- registries ------------------------------------------------------------------------------------------------------

#[test]
fn a_plain_registry_serves_what_was_pushed_and_what_lies_on_its_disk() {
    let Some(registry) = Registry::start(Mode::Plain) else { return };
    let image = Image::of("f app/a 0644 a").format(Format::Docker);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut layout = Layout::new();
    let digest = layout.tag("v1", &image);
    layout.write_skopeo_dir(&digest, folder.path());
    assert_eq!(registry.push(&format!("dir:{}", folder.path().display()), "team/app:v1"), digest);
    let manifest = get(registry.host(), "/v2/team/app/manifests/v1", &[ANY_MANIFEST]);
    assert_eq!((manifest.status, digest_of(&manifest.body)), (200, digest));
    assert_eq!(manifest.header("content-type"), "application/vnd.docker.distribution.manifest.v2+json");
    let layer = image.layers()[0].digest();
    fs::write(registry.blob_file(&layer), "changed").expect("the registry's file can be changed");
    let blob = get(registry.host(), &format!("/v2/team/app/blobs/{layer}"), &[]);
    assert_ne!(digest_of(&blob.body), layer);
}

#[test]
fn a_registry_with_htpasswd_wants_the_password() {
    let Some(registry) = Registry::start(Mode::Htpasswd) else { return };
    let (folder, digest) = small_layout();
    assert_eq!(registry.push(&skopeo_reference(folder.path(), "v1"), "team/app:v1"), digest);
    let target = "/v2/team/app/manifests/v1";
    let without = get(registry.host(), target, &[MANIFESTS]);
    assert_eq!((without.status, without.header("www-authenticate")), (401, "Basic realm=\"shipproof tests\""));
    let wrong = basic(USER, "wrong");
    assert_eq!(get(registry.host(), target, &[MANIFESTS, ("Authorization", &wrong)]).status, 401);
    let right = basic(USER, PASSWORD);
    assert_eq!(get(registry.host(), target, &[MANIFESTS, ("Authorization", &right)]).status, 200);
}

#[test]
fn a_registry_with_a_private_ca_is_reached_with_it_only() {
    let Some(registry) = Registry::start(Mode::Tls) else { return };
    let (folder, digest) = small_layout();
    assert_eq!(registry.push(&skopeo_reference(folder.path(), "v1"), "team/app:v1"), digest);
    let verify = |options: &[&str]| {
        let mut command = tools::command("openssl", folder.path());
        command.args(["s_client", "-verify_return_error", "-connect", registry.host()]).args(options);
        tools::output(command.stdin(std::process::Stdio::null())).status.success()
    };
    let ca = registry.ca_file().display().to_string();
    assert!(verify(&["-CAfile", &ca, "-verify_ip", "127.0.0.1"]));
    assert!(verify(&["-CAfile", &ca, "-verify_hostname", "localhost"]));
    assert!(!verify(&[]));
    assert!(registry.url().starts_with("https://"));
}

#[test]
fn a_registry_with_tokens_takes_those_of_its_realm() {
    let Some(registry) = Registry::start(Mode::Token) else { return };
    let (folder, digest) = small_layout();
    assert_eq!(registry.push(&skopeo_reference(folder.path(), "v1"), "team/app:v1"), digest);
    let realm = registry.realm().expect("the token mode has a realm");
    let target = "/v2/team/app/manifests/v1";
    let without = get(registry.host(), target, &[MANIFESTS]);
    let challenge = format!("Bearer realm=\"{realm}\",service=\"{SERVICE}\",scope=\"repository:team/app:pull\"");
    assert_eq!((without.status, without.header("www-authenticate")), (401, challenge.as_str()));
    let (host, path) = realm.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("an http URL");
    let path = format!("/{path}?service={SERVICE}&scope=repository%3Ateam%2Fapp%3Apull");
    assert_eq!(get(host, &path, &[]).status, 401);
    let answer = get(host, &path, &[("Authorization", &basic(USER, PASSWORD))]).json();
    let bearer = format!("Bearer {}", answer["token"].as_str().expect("a token"));
    assert_eq!(get(registry.host(), target, &[MANIFESTS, ("Authorization", &bearer)]).status, 200);
    let elsewhere = get(registry.host(), "/v2/team/other/manifests/v1", &[MANIFESTS, ("Authorization", &bearer)]);
    assert_eq!(elsewhere.status, 401);
}

// --- Artifact Registry -----------------------------------------------------------------------------------------------

fn token(registry: &ArtifactRegistry, user: &str, password: &str) -> Answer {
    let target = format!("/v2/token?service={}&scope=repository:{REPOSITORY}:pull", registry.host());
    get(&registry.host(), &target, &[("Authorization", &basic(user, password))])
}

fn bearer(registry: &ArtifactRegistry) -> String {
    let answer = token(registry, "oauth2accesstoken", ACCESS_TOKEN).json();
    format!("Bearer {}", answer["token"].as_str().expect("a token"))
}

#[test]
fn artifact_registry_gives_tokens_to_known_users() {
    let (folder, _) = small_layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let key = json!({ "type": "service_account", "client_email": KEY_EMAIL }).to_string();
    assert_eq!(token(&registry, "oauth2accesstoken", ACCESS_TOKEN).status, 200);
    assert_eq!(token(&registry, "_json_key", &key).status, 200);
    assert_eq!(token(&registry, "_json_key_base64", &STANDARD.encode(&key)).status, 200);
    assert_eq!(token(&registry, "oauth2accesstoken", "stale").status, 401);
    let anonymous = get(&registry.host(), "/v2/token?service=x", &[]);
    assert_eq!(anonymous.status, 403);
    assert!(anonymous.json()["errors"][0]["message"].as_str().expect("a text").ends_with("(or it may not exist)"));
}

#[test]
fn artifact_registry_redirects_blobs_to_a_long_relative_place() {
    let (folder, digest) = small_layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let host = registry.host();
    let target = format!("/v2/{REPOSITORY}/manifests/v1");
    let challenge = get(&host, &target, &[]);
    let expected =
        format!("Bearer realm=\"http://{host}/v2/token\",service=\"{host}\",scope=\"repository:{REPOSITORY}:pull\"");
    assert_eq!((challenge.status, challenge.header("www-authenticate")), (401, expected.as_str()));
    let bearer = bearer(&registry);
    let authorization = ("Authorization", bearer.as_str());
    let manifest = get(&host, &target, &[authorization]);
    assert_eq!((manifest.status, manifest.header("docker-content-digest")), (200, digest.as_str()));
    let layer = manifest.json()["layers"][0]["digest"].as_str().expect("a digest").to_owned();
    let redirect = get(&host, &format!("/v2/{REPOSITORY}/blobs/{layer}"), &[authorization]);
    let location = redirect.header("location");
    assert_eq!(redirect.status, 302);
    assert!(location.starts_with("/artifacts-downloads/namespaces/") && location.len() > 4_000, "{location}");
    let blob = get(&host, location, &[]);
    assert_eq!((blob.status, digest_of(&blob.body)), (200, layer));
    let part = get(&host, location, &[("Range", "bytes=2-5")]);
    assert_eq!((part.status, part.body.as_slice()), (206, &blob.body[2..6]));
    assert_eq!(get(&host, location, &[("Range", "bytes=2-")]).status, 200);
    let recorded = registry.recorded_for(Phase::Download);
    assert!(recorded.iter().all(|entry| entry.request.header("authorization").is_none()));
    assert_eq!(recorded.len(), 3);
}

#[test]
fn artifact_registry_misbehaves_as_often_as_asked() {
    let (folder, digest) = small_layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let bearer = bearer(&registry);
    let manifest =
        || get(&registry.host(), &format!("/v2/{REPOSITORY}/manifests/{digest}"), &[("Authorization", &bearer)]);
    let honest = manifest().body;
    registry.fault(Phase::Manifest, Fault::Status(429, Some(1)), 2);
    registry.fault(Phase::Manifest, Fault::Cut(7), 1);
    registry.fault(Phase::Manifest, Fault::WrongBytes, 1);
    registry.fault(Phase::Manifest, Fault::WrongDigestHeader, 1);
    registry.fault(Phase::Manifest, Fault::Stall(Duration::from_millis(120)), 1);
    registry.fault(Phase::Manifest, Fault::Redirect("http://127.0.0.2:9/".to_owned()), 1);
    registry.fault(Phase::Manifest, Fault::Expired, 1);
    for _ in 0..2 {
        let busy = manifest();
        assert_eq!((busy.status, busy.header("retry-after")), (429, "1"));
    }
    assert_eq!(manifest().body, honest[..7]);
    assert_ne!(manifest().body, honest);
    assert_eq!(manifest().header("docker-content-digest"), digest_of(b"other content"));
    let start = Instant::now();
    assert_eq!(manifest().body, honest);
    assert!(start.elapsed() >= Duration::from_millis(120));
    assert_eq!(manifest().header("location"), "http://127.0.0.2:9/");
    assert_eq!(manifest().status, 401);
    assert_eq!(manifest().body, honest);
    registry.expire_tokens();
    assert_eq!(manifest().status, 401);
    registry.always(Phase::Manifest, Fault::Status(503, None));
    assert_eq!((manifest().status, manifest().status), (503, 503));
}

#[test]
fn skopeo_pulls_from_the_artifact_registry_of_the_tests() {
    if tools::require(tools::SKOPEO).is_none() {
        return;
    }
    let (folder, _) = small_layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let credentials = format!("oauth2accesstoken:{ACCESS_TOKEN}");
    let copy = folder.path().join("copy");
    let options = ["--src-tls-verify=false", "--src-creds", &credentials];
    skopeo_copy(&format!("docker://{}", registry.reference("v1")), &skopeo_reference(&copy, "v1"), &options);
    let Some(tree) = umoci_unpack(&copy, "v1") else { return };
    assert!(tree.contains_key(b"app/main.py".as_slice()));
    assert!(registry.docker_config().contains(&registry.host()));
}

// --- builders --------------------------------------------------------------------------------------------------------

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

// --- the demo --------------------------------------------------------------------------------------------------------

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/demo").join(name)
}

/// git in the demo's repository, or in one that was just made.
fn demo_git(repository: &Path, arguments: &[&str]) -> String {
    let mut command = tools::command("git", Path::new("/nonexistent"));
    // The checkout may belong to another user than the tests' (a container in CI).
    command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
    tools::run_text(command.env("GIT_DIR", repository).args(arguments))
}

/// The files below /app whose git blob is not the one of `revision`.
fn differing(tag: &str, revision: &str) -> Option<Vec<String>> {
    let tree = umoci_unpack(&demo("image"), tag)?;
    let repository = demo("repo.git");
    let files = tree.iter().filter(|(_, node)| node.kind == "file");
    let app = files.filter_map(|(path, node)| {
        let path = std::str::from_utf8(path).expect("the demo's names are UTF-8").strip_prefix("app/")?;
        Some((path.to_owned(), node.sha256.clone()))
    });
    let content = |path: &str| {
        let mut command = tools::command("git", Path::new("/nonexistent"));
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
        tools::run(command.env("GIT_DIR", &repository).args(["cat-file", "blob", &format!("{revision}:{path}")]))
    };
    Some(
        app.filter(|(path, sha256)| sha256.as_deref() != Some(&*digest_of(&content(path))))
            .map(|(path, _)| path)
            .collect(),
    )
}

#[test]
fn the_demo_tells_its_story() {
    let heartbeat = "shared/monitoring/processor_heartbeat.py";
    let Some(stale) = differing("phase3", "main") else { return };
    assert_eq!(stale, [heartbeat]);
    assert_eq!(differing("good", "main"), Some(Vec::new()));
    let fix = demo_git(&demo("repo.git"), &["log", "--format=%H", "-1", "main", "--", heartbeat]);
    let before_fix = differing("phase3", &format!("{fix}^")).expect("umoci is there");
    assert_eq!(before_fix, ["main.py"]);
}

#[test]
fn the_demo_is_what_its_script_makes() {
    if !tools::require_all(&[tools::GIT, tools::UMOCI]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = folder.path().join("demo");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/make-demo.sh");
    tools::run(tools::command(script, folder.path()).arg(&made));
    let head = |repository: &Path| demo_git(repository, &["rev-parse", "main"]);
    assert_eq!(head(&made.join("repo.git")), head(&demo("repo.git")));
    for tag in ["phase3", "good"] {
        assert_eq!(umoci_unpack(&made.join("image"), tag), umoci_unpack(&demo("image"), tag));
    }
}
