//! Whatever is wrong: exit code 2, a message that names it, and nothing that looks like a verdict.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
mod support;

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;

use support::artifact_registry::{ArtifactRegistry, Fault, Phase};
use support::cli::Shipproof;
use support::git::Repo;
use support::http::{Response, Server};
use support::images::{Image, Layout};
use support::layers::{Compression, Layer, compress, digest_of};
use support::tools;

/// What git and a good image have.
const FILES: [(&str, &str); 3] = [
    ("main.py", "print('the main program of the tests')\\n"),
    ("shared/beat.py", "print('a beat of the tests')\\n"),
    ("shared/util.py", "print('something useful for the tests')\\n"),
];

fn files(prefix: &str) -> String {
    FILES.map(|(path, content)| format!("f {prefix}{path} 0644 {content}\n")).concat()
}

fn repository() -> Repo {
    Repo::with(&files(""))
}

fn image() -> Image {
    Image::of(&files("app/"))
}

/// One bad call of `verify`.
struct Case {
    /// What is wrong, for messages.
    what: &'static str,
    image: String,
    flags: Vec<String>,
    /// Where the call is made, if not in the repository.
    directory: Option<PathBuf>,
    /// The expected `error.kind`.
    kind: &'static str,
    /// What the message has to name.
    names: Vec<String>,
}

impl Case {
    fn new(what: &'static str, image: impl Into<String>, kind: &'static str) -> Self {
        Self { what, image: image.into(), flags: Vec::new(), directory: None, kind, names: Vec::new() }
    }

    fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    fn names(mut self, names: &[&str]) -> Self {
        self.names.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    fn inside(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Asserts that people and programs are told the same: nothing but the reason.
    fn check(&self, repo: &Repo) {
        let caller = Shipproof::new().directory(self.directory.clone().unwrap_or_else(|| repo.path()));
        let mut arguments = vec!["verify", &self.image];
        arguments.extend(self.flags.iter().map(String::as_str));
        let json = [&arguments[..], &["--format", "json"]].concat();
        // Both at once: a refused connection is tried for seconds.
        let (text, json) = thread::scope(|scope| {
            let json = scope.spawn(|| caller.run(&json));
            (caller.run(&arguments), json.join().expect("running the program does not panic"))
        });
        let context = format!("{}: {text:#?}", self.what);
        assert_eq!((text.code, text.stdout.as_str()), (Some(2), ""), "{context}");
        assert!(text.stderr.starts_with("error: "), "{context}");
        for name in &self.names {
            assert!(text.stderr.contains(name), "no `{name}` for {context}");
        }
        self.check_report(&json.verdict("unknown"), &json.stderr);
    }

    fn check_report(&self, report: &Value, stderr: &str) {
        let context = format!("{}: {report:#}", self.what);
        assert_eq!(report["error"]["kind"], self.kind, "{context}");
        assert_eq!(
            (&report["schema_version"], &report["image"]["reference"]),
            (&json!(1), &json!(self.image)),
            "{context}"
        );
        let nothing = (json!({}), json!([]), json!(null));
        assert_eq!((&report["counts"], &report["findings"], &report["cause"]), (&nothing.0, &nothing.1, &nothing.2));
        let message = report["error"]["message"].as_str().expect("an error has a message");
        let hint = report["error"]["hint"].as_str().map_or(String::new(), |hint| format!("hint: {hint}\n"));
        assert_eq!(stderr, format!("error: {message}\n{hint}"), "{context}");
        assert!(!message.ends_with('.') && !message.contains('\n'), "{context}");
    }
}

/// Checks all cases at once: some of them wait.
fn check_all(repo: &Repo, cases: &[Case]) {
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| case.check(repo));
        }
    });
}

/// A layout folder with the tag `v1`, and its reference.
fn laid_out(layout: &Layout) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    layout.write_to(folder.path());
    let reference = format!("oci:{}:v1", folder.path().display());
    (folder, reference)
}

fn good() -> (TempDir, String) {
    laid_out(&Layout::with("v1", &image()))
}

#[test]
fn what_the_refusals_start_from_is_fine() {
    let (_folder, reference) = good();
    let repo = repository();
    let report = Shipproof::new().directory(repo.path()).run(&["verify", &reference, "--format", "json"]);
    assert_eq!(report.verdict("match")["counts"], json!({ "compared": 3, "same": 3 }));
}

// --- registries ------------------------------------------------------------------------------------------------------

/// `127.0.0.1:PORT` where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").to_string()
}

#[test]
fn registries_that_do_not_give_the_image() {
    let (folder, _) = good();
    let artifacts = ArtifactRegistry::serve(folder.path());
    let refusing = ArtifactRegistry::serve(folder.path());
    refusing.always(Phase::Manifest, Fault::Status(403, None));
    let closed = Server::start(|_, _| Response::new(401, "").header("WWW-Authenticate", "Basic realm=\"tests\""));
    let login = folder.path().join("auth.json");
    tools::write_private(&login, artifacts.docker_config());
    let login = ["--auth-file", login.to_str().expect("the folder's name is UTF-8")];
    let nobody = nobody();
    let other = digest_of(b"another image");
    let lying = Server::start(|_, _| Response::json(200, &json!({})));
    let pinned = artifacts.reference("v1").replace(":v1", &format!("@{other}"));
    let cases = [
        Case::new("an unknown host", "registry.invalid/team/app:v1", "network").names(&["registry.invalid", "dns"]),
        Case::new("a refused connection", format!("{nobody}/app:v1"), "network").names(&[&nobody, "refused", "hint: "]),
        Case::new("401", format!("{}/team/app:v1", closed.host()), "unauthorized").names(&[
            &closed.host(),
            "team/app",
            "~/.docker/config.json",
            "hint: docker login",
        ]),
        Case::new("403", refusing.reference("v1"), "denied").names(&[
            &refusing.host(),
            "services/phase3",
            "artifactregistry.repositories.downloadArtifacts",
        ]),
        Case::new("403 of the token server", artifacts.reference("v1"), "unauthorized").names(&[
            &artifacts.host(),
            "403",
            "anonymous: refused",
        ]),
        Case::new("a tag that is not there", artifacts.reference("v9"), "not-found").flags(&login).names(&[
            "manifest v9",
            &artifacts.host(),
            "does not exist",
            "hint: check the name and the tag",
        ]),
        Case::new("a digest that is not there", pinned, "not-found").flags(&login).names(&[&other]),
        Case::new("a digest with other content", format!("{}/team/app@{other}", lying.host()), "corrupt-image")
            .names(&[&other, "other contents"]),
        Case::new("a platform that is not there", artifacts.reference("v1"), "no-platform")
            .flags(&login)
            .flags(&["--platform", "linux/s390x"])
            .names(&["linux/s390x", "on offer: linux/amd64", "hint: --platform linux/amd64"]),
    ];
    check_all(&repository(), &cases);
}

// --- images ----------------------------------------------------------------------------------------------------------

/// An image whose last layer is stored as `blob`, with a manifest that says so truthfully.
fn with_blob(blob: Vec<u8>) -> Layout {
    let layer = Layer { blob, ..Layer::text(&files("app/")) };
    Layout::with("v1", &Image::new().workdir("/app").layer("COPY . . # buildkit", layer))
}

/// The good image, and a layer or its configuration changed after the manifest was written.
fn corrupted(digest: &str, change: impl FnOnce(&mut Vec<u8>)) -> Layout {
    let mut layout = Layout::with("v1", &image());
    layout.corrupt(digest, change);
    layout
}

#[test]
fn images_that_are_not_what_their_manifest_says() {
    let layer = image().layers()[0].digest();
    let config = digest_of(&image().config_bytes());
    let manifest = Layout::new().tag("v1", &image());
    let flip = |bytes: &mut Vec<u8>| bytes[20] ^= 1;
    let table = [
        ("a layer with other bytes", corrupted(&layer, flip), &layer, "other contents"),
        ("a layer that is too long", corrupted(&layer, |bytes| bytes.push(0)), &layer, "where its manifest says"),
        ("a layer that is too short", corrupted(&layer, |bytes| bytes.truncate(50)), &layer, "has 50 bytes where"),
        ("an empty layer file", corrupted(&layer, Vec::clear), &layer, "has 0 bytes where"),
        ("a configuration with other bytes", corrupted(&config, flip), &config, "other contents"),
        ("a configuration that is too long", corrupted(&config, |bytes| bytes.push(b' ')), &config, "has"),
        ("a manifest with other bytes", corrupted(&manifest, flip), &manifest, "other contents"),
    ];
    let laid: Vec<_> = table.iter().map(|(_, layout, ..)| laid_out(layout)).collect();
    let cases = table.iter().zip(&laid).map(|((what, _, digest, words), (_, reference))| {
        Case::new(what, reference, "corrupt-image").names(&[digest, words])
    });
    check_all(&repository(), &cases.collect::<Vec<_>>());
    for (_, reference) in &laid {
        nothing_is_shown(reference);
    }
}

/// Asserts that no command prints anything of an image that cannot be believed.
fn nothing_is_shown(reference: &str) {
    let caller = Shipproof::new();
    for command in [&["cat", reference, "/app/main.py"][..], &["ls", reference], &["layers", reference]] {
        let outcome = caller.run(command).exits(2);
        assert_eq!(outcome.stdout, "", "{command:?} {outcome:#?}");
        assert!(outcome.stderr.starts_with("error: "), "{command:?} {outcome:#?}");
    }
}

#[test]
fn layers_that_are_no_readable_tar() {
    let tar = Layer::text(&files("app/")).tar;
    let gzip = compress(&tar, Compression::Gzip);
    let zstd = compress(&tar, Compression::Zstd);
    let mut checksum = gzip.clone();
    let end = checksum.len() - 6;
    checksum[end] ^= 1;
    let header_only = &Layer::text("f app/long.py 0644 more than nothing").tar[..520];
    let table = [
        ("a truncated gzip", gzip[..gzip.len() / 2].to_vec()),
        ("a gzip without its end", gzip[..gzip.len() - 4].to_vec()),
        ("a gzip with a wrong checksum", checksum),
        ("a gzip with rubbish behind it", [&gzip[..], b"rubbish"].concat()),
        ("a truncated zstd", zstd[..zstd.len() / 2].to_vec()),
        ("a gzip of a text", compress(&b"this is not a tar\n".repeat(100), Compression::Gzip)),
        ("a text", b"this is not a tar\n".repeat(100)),
        ("a page of HTML", b"<html>Please log in</html>".to_vec()),
        ("a tar that ends within a file", compress(header_only, Compression::Gzip)),
        ("a tar that ends within a header", tar[..tar.len() - 1024 - 700].to_vec()),
        ("a whiteout of nothing", Layer::text("w app/.wh.").blob),
    ];
    let laid: Vec<_> = table.iter().map(|(_, blob)| (digest_of(blob), laid_out(&with_blob(blob.clone())))).collect();
    let cases = table.iter().zip(&laid).map(|((what, _), (digest, (_, reference)))| {
        Case::new(what, reference, "corrupt-image").names(&["error: layer ", digest])
    });
    check_all(&repository(), &cases.collect::<Vec<_>>());
    for (_, (_, reference)) in &laid {
        nothing_is_shown(reference);
    }
}

/// Permissions do not stop root, who may run the tests; a folder in place of a file stops everybody.
#[test]
fn files_that_cannot_be_read() {
    let repo = repository();
    let blob = |folder: &Path, digest: &str| folder.join("blobs").join(digest.replace(':', "/"));
    let replaced = |path: PathBuf| {
        fs::remove_file(&path).expect("the file is there");
        fs::create_dir(&path).expect("the name is free");
    };
    let (layer, config) = (image().layers()[0].digest(), digest_of(&image().config_bytes()));
    let folders = [good(), good(), good(), good(), good()];
    replaced(blob(folders[0].0.path(), &layer));
    replaced(blob(folders[1].0.path(), &config));
    replaced(folders[2].0.path().join("index.json"));
    fs::remove_file(blob(folders[3].0.path(), &layer)).expect("the file is there");
    let text = folders[4].0.path().join("index.json");
    fs::write(&text, "{\"manifests\":").expect("the file can be written");
    let absent = repo.beside("absent").display().to_string();
    let cases = [
        Case::new("a layer that is a folder", &folders[0].1, "read").names(&[&layer]),
        Case::new("a configuration that is a folder", &folders[1].1, "read").names(&[&config]),
        Case::new("an index that is a folder", &folders[2].1, "read").names(&["index.json"]),
        Case::new("a layer that is missing", &folders[3].1, "not-found").names(&[&layer, "does not exist"]),
        Case::new("an index that is torn", &folders[4].1, "corrupt-image").names(&["index.json"]),
        Case::new("a layout that is missing", format!("oci:{absent}"), "read").names(&[&absent]),
        Case::new("an archive that is missing", format!("oci-archive:{absent}"), "read").names(&[&absent]),
        Case::new("a docker archive that is missing", format!("docker-archive:{absent}"), "read").names(&[&absent]),
    ];
    check_all(&repo, &cases);
}

#[test]
fn references_that_make_no_sense() {
    let table = [
        ("", "image reference"),
        ("UPPER/case:v1", "UPPER/case:v1"),
        ("registry.example/app@sha256:12", "registry.example/app@sha256:12"),
        ("registry.example/app@md5:d41d8cd98f00b204e9800998ecf8427e", "md5"),
        ("registry.example/../app:v1", "registry.example/../app:v1"),
        ("https://registry.example/app:v1", "leave out the scheme"),
        ("docker:app", "docker: is followed by //"),
        ("docker-daemon:", "docker-daemon: needs an image name"),
        ("oci:", "oci: needs a directory"),
        ("oci-archive:", "oci-archive: needs a file"),
        ("dir:/tmp/app", "not supported"),
        ("containers-storage:app", "not supported"),
        ("registry.example/app:v1 && true", "registry.example/app:v1 && true"),
    ];
    let cases = table.map(|(text, name)| Case::new("a reference", text, "usage").names(&[name]));
    check_all(&repository(), &cases);
}

// --- repositories ----------------------------------------------------------------------------------------------------

#[test]
fn repositories_that_cannot_answer() {
    let repo = repository();
    let (outside, reference) = good();
    let unborn = Repo::new();
    let absent = repo.beside("absent").display().to_string();
    let linked = tempfile::tempdir().expect("a temporary folder");
    fs::write(linked.path().join(".git"), "gitdir: /nonexistent/here\n").expect("the file can be written");
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let case = |what, kind| Case::new(what, &reference, kind);
    let outside_name = outside.path().display().to_string();
    let cases = [
        case("not a repository", "no-repository").inside(outside.path()).names(&["not in a git repository", "--repo"]),
        case("not a repository, named", "no-repository").flags(&["--repo", &outside_name]).names(&[&outside_name]),
        case("no such folder", "no-repository").flags(&["--repo", &absent]).names(&[&absent]),
        case("a file", "no-repository").flags(&["--repo", "main.py"]).names(&["main.py"]),
        case("a link that leads nowhere", "repository").inside(linked.path()).names(&["git directory"]),
        case("an unknown branch", "unknown-revision").flags(&["--rev", "feature/none"]).names(&["feature/none"]),
        case("an unknown commit", "unknown-revision").flags(&["--rev", "0123abcd"]).names(&["0123abcd"]),
        case("an empty revision", "unknown-revision").flags(&["--rev", ""]).names(&["revision"]),
        case("a revision that is a flag", "unknown-revision").flags(&["--rev=--all"]).names(&["--all"]),
        case("a tree for a commit", "unknown-revision").flags(&["--rev", &tree]).names(&[&tree, "not a commit"]),
        case("no commits yet", "unknown-revision").inside(unborn.path()).names(&["no commits yet"]),
    ];
    check_all(&repo, &cases);
}

#[test]
fn an_object_that_is_missing_is_named() {
    let repo = repository();
    let (_folder, reference) = good();
    let tree = repo.git(&["rev-parse", "HEAD:shared"]);
    let object = repo.path().join(".git/objects").join(&tree[..2]).join(&tree[2..]);
    fs::remove_file(object).expect("a small repository has loose objects");
    Case::new("a missing tree", reference, "missing-object").names(&[&tree]).check(&repo);
}

// --- nothing to compare ----------------------------------------------------------------------------------------------

#[test]
fn comparisons_that_would_be_of_nothing() {
    let repo = repository();
    let (_folder, reference) = good();
    let (_other, other) = laid_out(&Layout::with("v1", &Image::of("f srv/other.rb 0644 puts 'another program'\\n")));
    let (_empty, empty) = laid_out(&Layout::with("v1", &Image::new()));
    let (_alike, alike) = laid_out(&Layout::with("v1", &Image::of("f srv/__init__.py 0644 \nf srv/LICENSE 0644 MIT")));
    let case = |what, kind| Case::new(what, &reference, kind);
    let cases = [
        Case::new("an image of another program", &other, "no-mapping").names(&["no directory of the image", "--map"]),
        Case::new("an image without files", &empty, "no-mapping").names(&["no directory of the image"]),
        Case::new("an image with what everybody has", &alike, "no-mapping").names(&["no directory of the image"]),
        Case::new("a mapping to nothing", &other, "nothing-compared")
            .flags(&["--map", "/srv=."])
            .names(&["none of the 3"]),
        case("a mapping without a sign", "usage")
            .flags(&["--map", "/app"])
            .names(&["--map /app", "IMAGE_DIR=REPO_DIR"]),
        case("a mapping from nothing", "usage").flags(&["--map", "=."]).names(&["--map =."]),
        case("a mapping of nothing", "usage").flags(&["--map", "/app="]).names(&["--map /app="]),
        case("a mapping of no folder", "no-mapping").flags(&["--map", "/app=nowhere"]).names(&["nowhere"]),
        case("a Dockerfile that is not there", "no-mapping")
            .flags(&["--dockerfile", "no.Dockerfile"])
            .names(&["no.Dockerfile"]),
        case("a file that matches nothing", "no-such-file").flags(&["absent.py"]).names(&["`absent.py`"]),
        case("a path that matches nothing", "no-such-file").flags(&["shared/absent.py"]).names(&["`shared/absent.py`"]),
        case("an image path that matches nothing", "no-such-file")
            .flags(&["/app/absent.py"])
            .names(&["`/app/absent.py`"]),
        case("a glob that matches nothing", "no-such-file").flags(&["*.rb"]).names(&["`*.rb`"]),
        case("one of two that matches nothing", "no-such-file")
            .flags(&["main.py", "absent.py"])
            .names(&["`absent.py`"]),
        case("a glob that is none", "usage").flags(&["shared/[a"]).names(&["shared/[a"]),
        case("a file that is not mapped", "no-mapping")
            .flags(&["./main.py", "--map", "/app/shared=shared"])
            .names(&["`./main.py`"]),
    ];
    check_all(&repo, &cases);
}

#[test]
fn an_empty_list_of_files_is_not_all_of_them() {
    let repo = repository();
    let (_folder, reference) = good();
    let caller = Shipproof::new().directory(repo.path());
    for (list, code) in [("", 2), ("\n\n", 2), ("absent.py\n", 2), ("main.py\r\n", 0)] {
        let mut command = caller.command();
        command.args(["verify", &reference, "-", "--quiet"]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the program starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(list.as_bytes()).expect("the program reads its list");
        drop(stdin);
        let output = child.wait_with_output().expect("the program ends");
        assert_eq!(output.status.code(), Some(code), "{list:?} {output:?}");
        assert!(code == 0 || output.stdout.is_empty() && output.stderr.starts_with(b"error: "), "{list:?} {output:?}");
    }
}

// --- arguments and outputs -------------------------------------------------------------------------------------------

#[test]
fn arguments_that_make_no_sense_are_no_difference() {
    let repo = repository();
    let (_folder, reference) = good();
    let caller = Shipproof::new().directory(repo.path());
    let table: [&[&str]; 11] = [
        &[],
        &["verify"],
        &["explode", &reference],
        &["verify", &reference, "--no-such-flag"],
        &["verify", &reference, "--format", "yaml"],
        &["verify", &reference, "--platform", "linux"],
        &["verify", &reference, "--timeout", "0"],
        &["verify", &reference, "--jobs", "none"],
        &["verify", &reference, "--worktree", "--rev", "HEAD"],
        &["verify", &reference, "--plain-http", "--insecure-skip-tls-verify"],
        &["cat", &reference],
    ];
    for arguments in table {
        let outcome = caller.run(arguments).exits(2);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(outcome.stderr.contains("error: ") || arguments.is_empty(), "{arguments:?} {outcome:#?}");
    }
    // Looking inside an image for what is not there is an answer: no.
    for arguments in [["cat", &reference, "absent.py"], ["ls", &reference, "/absent"]] {
        let outcome = caller.run(&arguments).exits(1);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(outcome.stderr.starts_with("error: ") && outcome.stderr.contains("absent"), "{outcome:#?}");
    }
    // One file that is there does not excuse another that is not.
    let outcome = caller.run(&["cat", &reference, "main.py", "absent.py"]).exits(1);
    assert_eq!(outcome.stdout, "");
}

/// Every command that writes, for a good image.
fn writers(reference: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["verify", reference],
        vec!["verify", reference, "--quiet"],
        vec!["verify", reference, "--format", "json"],
        vec!["verify", "oci:/nonexistent", "--format", "json"],
        vec!["cat", reference, "main.py"],
        vec!["ls", reference],
        vec!["ls", reference, "--format", "json"],
        vec!["layers", reference],
    ]
}

#[test]
fn a_reader_that_went_away_is_no_pass() {
    let repo = repository();
    let (_folder, reference) = good();
    let caller = Shipproof::new().directory(repo.path());
    for arguments in writers(&reference) {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = caller.command().args(&arguments).stdout(writer).output().expect("the program starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains("roken pipe"), "{arguments:?} {stderr}");
    }
}

#[test]
fn a_full_disk_is_no_pass() {
    // Linux has a device that is always full.
    let Ok(_) = File::options().write(true).open("/dev/full") else { return };
    let repo = repository();
    let (_folder, reference) = good();
    let caller = Shipproof::new().directory(repo.path());
    for arguments in writers(&reference) {
        let full = File::options().write(true).open("/dev/full").expect("it was there a moment ago");
        let output = caller.command().args(&arguments).stdout(full).output().expect("the program starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains("No space left"), "{arguments:?} {stderr}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_no_pass() {
    let repo = repository();
    let (folder, reference) = good();
    let caller = Shipproof::new().directory(repo.path());
    let absent = folder.path().join("absent/report.json").display().to_string();
    let directory = folder.path().display().to_string();
    for place in [absent.as_str(), &directory, "/dev/full"] {
        for command in ["verify", "ls", "layers"] {
            for format in ["text", "json"] {
                let outcome = caller.run(&[command, &reference, "--format", format, "--output", place]).exits(2);
                assert_eq!(outcome.stdout, "", "{command} {format} {place}");
                assert!(outcome.stderr.starts_with("error: "), "{outcome:#?}");
                assert!(outcome.stderr.contains(place) && outcome.stderr.contains("cannot be written"), "{outcome:#?}");
            }
        }
    }
}

#[test]
fn a_report_of_a_failure_goes_where_reports_go() {
    let repo = repository();
    let caller = Shipproof::new().directory(repo.path());
    let file = repo.beside("report.json");
    let name = file.display().to_string();
    let outcome = caller.run(&["verify", "oci:/nonexistent", "--format", "json", "--output", &name]).exits(2);
    assert_eq!(outcome.stdout, "");
    let report: Value = serde_json::from_slice(&fs::read(file).expect("the report was written")).expect("it is JSON");
    assert_eq!((&report["verdict"], &report["error"]["kind"]), (&json!("unknown"), &json!("read")));
}
