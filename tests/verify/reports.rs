//! The reports: every field of the JSON, and the text for each verdict on the demo, to the letter.

use std::path::Path;

use serde_json::Value;

use crate::scene::{Scene, below, buildkit, files, untold};
use crate::support::cli::{Outcome, Shipproof};
use crate::support::images::Image;

const MATCH: &str = include_str!("snapshots/match.txt");
const MISMATCH: &str = include_str!("snapshots/mismatch.txt");
const UNKNOWN: &str = include_str!("snapshots/unknown.txt");

/// `shipproof` in the crate's own directory, as the README runs it.
fn in_crate(arguments: &[&str]) -> Outcome {
    Shipproof::new().directory(env!("CARGO_MANIFEST_DIR")).run(arguments)
}

/// A call and everything that came of it.
fn snapshot(arguments: &[&str]) -> String {
    let Outcome { stdout, stderr, code } = in_crate(arguments);
    let code = code.map_or_else(|| "none".to_owned(), |code| code.to_string());
    format!("$ shipproof {}\n--- stdout\n{stdout}--- stderr\n{stderr}--- exit {code}\n", arguments.join(" "))
}

#[test]
fn the_text_of_each_verdict_is_this() {
    let demo = ["--repo", "testdata/demo/repo.git"];
    let table: [(&[&str], &str); 3] = [
        (&["verify", "oci:testdata/demo/image:good"], MATCH),
        (&["verify", "oci:testdata/demo/image:phase3"], MISMATCH),
        (&["verify", "oci:testdata/demo/image:phase3", "--rev", "phase4"], UNKNOWN),
    ];
    for (arguments, expected) in table {
        assert_eq!(snapshot(&[arguments, &demo].concat()), expected);
    }
}

#[test]
fn the_readme_shows_what_the_program_says() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("a README");
    let (command, stdout) = MISMATCH.split_once("\n--- stdout\n").expect("a snapshot has parts");
    let (stdout, _) = stdout.split_once("--- stderr").expect("a snapshot has parts");
    let shown = command.replace("$ shipproof", "$ cargo run --quiet --");
    assert!(readme.contains(&format!("{shown}\n{stdout}")), "{shown}\n{stdout}");
}

/// JSON Pointers and the types they lead to, `|` for either.
const FIELDS: [(&str, &str); 22] = [
    ("/schema_version", "number"),
    ("/tool/name", "string"),
    ("/tool/version", "string"),
    ("/image/reference", "string"),
    ("/image/digest", "string|null"),
    ("/image/pinned", "string|null"),
    ("/image/platforms", "array"),
    ("/repo/path", "string|null"),
    ("/repo/revision", "string|null"),
    ("/repo/commit", "string|null"),
    ("/repo/worktree", "bool"),
    ("/repo/shallow", "bool|null"),
    ("/verdict", "string"),
    ("/cause", "object|null"),
    ("/counts", "object"),
    ("/mappings", "array"),
    ("/findings", "array"),
    ("/claims", "array"),
    ("/warnings", "array"),
    ("/error", "object|null"),
    ("", "object"),
    ("/nowhere", "absent"),
];
const PLATFORM: [(&str, &str); 3] = [("/platform", "string"), ("/digest", "string"), ("/created", "string")];
const MAPPING: [(&str, &str); 3] = [("/image", "string"), ("/repo", "string"), ("/origin", "string")];
const FINDING: [(&str, &str); 14] = [
    ("/status", "string"),
    ("/platform", "string"),
    ("/repo_path", "string|null"),
    ("/image_path", "string"),
    ("/image_blob", "string|null"),
    ("/repo_blob", "string|null"),
    ("/sha256", "string|null"),
    ("/size", "number|null"),
    ("/layer", "object|null"),
    ("/commit", "object|null"),
    ("/note", "string|null"),
    ("/layer/index", "number|absent"),
    ("/layer/digest", "string|absent"),
    ("/layer/step", "string|absent"),
];

fn kind(value: Option<&Value>) -> &'static str {
    match value {
        None => "absent",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "bool",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    }
}

fn has(value: &Value, fields: &[(&str, &str)]) {
    for (pointer, expected) in fields {
        let found = kind(value.pointer(pointer));
        assert!(expected.split('|').any(|one| one == found), "{pointer} is {found}, not {expected}, in {value:#}");
    }
}

fn each(report: &Value, list: &str, fields: &[(&str, &str)]) -> usize {
    let list = report.pointer(list).and_then(Value::as_array).expect("an array");
    list.iter().for_each(|one| has(one, fields));
    list.len()
}

#[test]
fn the_json_has_every_field_whatever_the_verdict() {
    let scene = Scene::new(&files(&["main.py", "lib/a.py", "lib/b.py", "lib/c.py", "lib/d.py"]));
    let files = files(&["lib/a.py", "lib/b.py", "lib/c.py"]) + "f main.py 0644 other\nf lib/new.py 0755 new\n";
    let mismatch = scene.image(&buildkit(&[("COPY . .", &below("app", &files))]));
    let good = in_crate(&[
        "verify",
        "oci:testdata/demo/image:good",
        "--repo",
        "testdata/demo/repo.git",
        "--format",
        "json",
        "-v",
    ]);
    let reports = [
        (good.verdict("match"), 8),
        (scene.report(&mismatch, &[], "mismatch"), 3),
        (scene.report(&scene.image(&Image::new()), &[], "unknown"), 0),
        (scene.report(&scene.image(&untold("f x 0644 x")), &["--worktree"], "unknown"), 0),
        (scene.report("not a reference", &[], "unknown"), 0),
        (scene.report("oci:/nonexistent", &[], "unknown"), 0),
    ];
    for (report, expected) in &reports {
        has(report, &FIELDS);
        let known = report["verdict"] != "unknown";
        assert_eq!(each(report, "/image/platforms", &PLATFORM) > 0, known);
        assert_eq!(each(report, "/mappings", &MAPPING) > 0, known);
        assert_eq!(each(report, "/findings", &FINDING), *expected, "{report:#}");
        assert_eq!(report["error"].is_null(), known);
        if !known {
            has(&report["error"], &[("/kind", "string"), ("/message", "string"), ("/hint", "string|null")]);
        }
    }
}

#[test]
fn the_json_says_what_is_true() {
    let scene = Scene::new(&files(&["main.py", "lib/a.py", "lib/b.py"]));
    let layer = files(&["lib/a.py"]) + "f main.py 0644 other\\n\nf lib/new.py 0755 new\n";
    let image = buildkit(&[("COPY . .", &below("app", &layer))]);
    let reference = scene.image(&image);
    let report = scene.report(&reference, &[], "mismatch");
    let head = scene.repo.git(&["rev-parse", "HEAD"]);
    let digest = report["image"]["digest"].as_str().expect("a digest");
    let expected = serde_json::json!({
        "schema_version": 1,
        "tool": { "name": "shipproof", "version": env!("CARGO_PKG_VERSION") },
        "image": {
            "reference": reference, "digest": digest,
            "pinned": format!("{}@{digest}", reference.strip_suffix(":v1").expect("it has a tag")),
            "platforms": [{ "platform": "linux/amd64", "digest": digest, "created": "2026-01-31T14:02:11Z" }],
        },
        "repo": { "path": scene.repo.path(), "revision": "HEAD", "commit": head, "worktree": false, "shallow": false },
        "verdict": "mismatch", "claims": [],
        "cause": {
            "kind": "mixed", "parts": ["dirty-build", "missing-files"],
            "summary": "1 file is in no commit: built from a work tree with uncommitted changes; 1 file is missing from \
                        the image",
            "evidence": [
                "main.py has bytes that no commit looked at has there", "lib/b.py: no layer has it: it was not copied",
            ],
            "hint": "commit what is in the image, or build again from a clean checkout (git status --short shows what is \
                     not committed); look for them in .dockerignore, in the COPY instructions, and in what later steps \
                     delete",
        },
        "warnings": [], "error": null,
        "counts": { "compared": 2, "missing": 1, "modified": 1, "same": 1, "untracked": 1 },
        "mappings": [{ "platform": "linux/amd64", "image": "/app", "repo": ".", "origin": "history", "files": 2, "equal": 1 }],
        "findings": [
            finding(&image, "missing", "lib/b.py", &scene.repo.blob_id("HEAD", "lib/b.py"), None),
            finding(&image, "untracked", "lib/new.py", "", Some("new")),
            finding(&image, "modified", "main.py", &scene.repo.blob_id("HEAD", "main.py"), Some("other\n")),
        ],
    });
    let mut expected = with_blobs_of(&scene, expected);
    expected["findings"][0]["note"] = "no layer has it: it was not copied".into();
    let nearest = format!("in no commit; nearest to that of {}, 2 lines added or removed", &head[..7]);
    expected["findings"][2]["note"] = nearest.into();
    // What these are, `identify` is held to.
    assert_eq!(
        (&report["identities"][0]["match"], &report["identities"][0]["matched"]),
        (&"partial".into(), &1.into())
    );
    expected["identities"] = report["identities"].clone();
    assert_eq!(report, expected);
}

/// A finding at a path below `/app`, without the image's blob id.
fn finding(image: &Image, status: &str, path: &str, repo_blob: &str, content: Option<&str>) -> Value {
    let layer = image.layers().last().expect("there is one");
    let sha256 = content.map(|content| crate::support::layers::digest_of(content.as_bytes()).replace("sha256:", ""));
    let git = |text: &str| if repo_blob.is_empty() { Value::Null } else { text.into() };
    serde_json::json!({
        "status": status, "platform": "linux/amd64", "repo_path": git(path), "image_path": format!("/app/{path}"),
        "image_blob": content, "repo_blob": git(repo_blob), "sha256": sha256,
        "size": content.map(str::len),
        "layer": content.map(|_| serde_json::json!({
            "index": 1, "digest": layer.digest(), "step": "COPY . .", "created": "2026-01-31T14:02:11Z",
        })),
        "commit": null, "note": null,
    })
}

/// Puts git's own id of the contents where `finding` put the contents.
fn with_blobs_of(scene: &Scene, mut report: Value) -> Value {
    let file = scene.repo.beside("content");
    for finding in report["findings"].as_array_mut().expect("an array") {
        if let Some(content) = finding["image_blob"].as_str() {
            std::fs::write(&file, content).expect("the file can be written");
            finding["image_blob"] = scene.repo.git(&["hash-object", &file.display().to_string()]).into();
        }
    }
    report
}
