//! The same answers with far fewer bytes.

use std::io::{self, Write as _};

use serde_json::{Value, json};

use crate::support::artifact_registry::{Fault, Phase};
use crate::support::git::Repo;
use crate::support::images::Image;
use crate::support::registry::{Mode, Registry};
use crate::support::scene::{below, files, findings, untold};

use super::stage::{Stage, estargz, image};

/// A report without what names the image and its layers, and without warnings of trust.
fn answer(report: &Value) -> Value {
    let mut report = report.clone();
    report["warnings"] = json!(warnings(&report, false));
    forget_names(&mut report);
    report
}

fn forget_names(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !["digest", "pinned", "image"].contains(&name.as_str()));
            fields.values_mut().for_each(forget_names);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_names),
        _ => {}
    }
}

fn warnings(report: &Value, of_trust: bool) -> Vec<String> {
    let warnings = report["warnings"].as_array().expect("a report has warnings");
    let texts = warnings.iter().map(|text| text.as_str().expect("a text").to_owned());
    texts.filter(|text| text.contains("--trust-toc") == of_trust).collect()
}

/// What the image of the stage has to come to.
const EXPECTED: [&str; 13] = [
    ".gitattributes same",
    "absent.py missing",
    "crlf.txt same-normalized",
    "empty.py same",
    "hard.py same",
    "/app/hard2.py untracked",
    "link.py same",
    "main.py same",
    "modified.py modified",
    "moved/here.py same",
    "run.sh same",
    "stale.py stale",
    "/app/untracked.py untracked",
];

/// Checks an image in the registry against the answer for gzip, and gives the bytes it took.
fn holds_up(stage: &Stage, name: &str, gzip: &Value, layers: usize) -> usize {
    let (read, _) = stage.verify(&[]);
    assert_eq!(answer(&read), answer(gzip), "{name} read whole");
    let (trusted, bytes) = stage.verify(&["--trust-toc"]);
    assert_eq!(answer(&trusted), answer(&read), "{name} by its tables");
    let said = warnings(&trusted, true);
    assert!(said.len() == 1 && said[0].starts_with(&format!("{layers} layers were taken by their tables")), "{said:?}");
    assert_eq!(trusted["verdict"], "mismatch");
    assert!(!trusted.to_string().contains(&"0".repeat(40)), "an unknown id is in the report");
    bytes
}

/// Says how many bytes were saved, too; the README has the figures.
fn is_a_fifth(form: &str, bytes: usize, whole: usize) {
    let said = writeln!(io::stderr(), "{form}: {bytes} bytes, as gzip {whole}: {} times as many", whole / bytes);
    said.expect("standard error is open");
    assert!(bytes * 5 < whole, "{bytes} of {whole}");
}

#[test]
fn a_table_answers_as_the_layer_does_with_a_fifth_of_the_bytes() {
    let stage = Stage::new();
    let (gzip, whole) = stage.holds(&image()).verify(&[]);
    assert_eq!(findings(&gzip), EXPECTED);
    assert!(gzip.to_string().contains("dist-packages/main.py is another version of /app/main.py"), "{gzip}");
    stage.holds(&estargz(image()));
    let bytes = holds_up(&stage, "estargz", &gzip, 4);
    is_a_fifth("estargz", bytes, whole);
    if stage.holds_chunked(&image()) {
        let bytes = holds_up(&stage, "zstd:chunked", &gzip, 4);
        is_a_fifth("zstd:chunked", bytes, whole);
    }
}

#[test]
fn other_questions_are_answered_alike() {
    let stage = Stage::new();
    let commands: [&[&str]; 6] = [
        &["identify", "IMAGE"],
        &["identify", "IMAGE", "--format", "json"],
        &["contains", "IMAGE", "HEAD"],
        &["contains", "IMAGE", "HEAD", "--format", "json"],
        &["diff", "IMAGE"],
        &["verify", "IMAGE", "--diff", "modified.py", "--strict"],
    ];
    let trust = |line: &&str| line.contains("--trust-toc");
    for form in ["estargz", "chunked"] {
        if form == "estargz" {
            stage.holds(&estargz(image()));
        } else if !stage.holds_chunked(&image()) {
            continue;
        }
        for command in commands {
            let read = stage.run(&[command, &["--no-cache"]].concat());
            let trusted = stage.run(&[command, &["--no-cache", "--trust-toc"]].concat());
            assert_eq!(trusted.code, read.code, "{command:?} {}", trusted.stderr);
            let without = |text: &str| {
                let mut lines = text.lines().filter(|line| !trust(line)).collect::<Vec<_>>().join("\n");
                if let Ok(mut json) = serde_json::from_str::<Value>(text) {
                    json["warnings"] = json!(null);
                    lines = json.to_string();
                }
                lines.trim().replace("\n\n\n", "\n\n")
            };
            assert_eq!(without(&trusted.stdout), without(&read.stdout), "{command:?}");
        }
    }
}

#[test]
fn the_work_tree_is_compared_alike() {
    let stage = Stage::new();
    stage.repo.write("f modified.py 0644 as changed by hand\\n");
    stage.holds(&estargz(image()));
    let (read, _) = stage.verify(&["--worktree"]);
    assert!(findings(&read).contains(&"modified.py same".to_owned()), "{:?}", findings(&read));
    assert_eq!(answer(&stage.verify(&["--worktree", "--trust-toc"]).0), answer(&read));
}

#[test]
fn repositories_with_sha256_are_compared_alike() {
    let stage = Stage::of(Repo::init(&["--object-format=sha256"]));
    stage.holds(&estargz(image()));
    let (read, _) = stage.verify(&[]);
    assert_eq!(findings(&read), EXPECTED);
    assert_eq!(answer(&stage.verify(&["--trust-toc"]).0), answer(&read));
}

/// Without the blobs of git there is nothing to know files by.
#[test]
fn a_clone_without_blobs_reads_layers_whole() {
    let stage = Stage::new();
    stage.holds(&estargz(image()));
    let origin = format!("file://{}", stage.repo.path().display());
    let clone = stage.repo.beside("clone");
    stage.repo.git(&["config", "uploadpack.allowFilter", "true"]);
    stage.repo.git(&["clone", "--quiet", "--bare", "--filter=blob:none", &origin, &clone.display().to_string()]);
    let repo = clone.display().to_string();
    stage.repo.git(&["-C", &repo, "cat-file", "-e", "HEAD:.gitattributes"]);
    let command = ["verify", "IMAGE", "main.py", "--repo", &repo, "--no-cache", "--verbose", "--map", "/app=."];
    let read = stage.run(&command);
    let trusted = stage.run(&[&command[..], &["--trust-toc"]].concat());
    assert!(trusted.stderr.contains("not all files of git are here"), "{}", trusted.stderr);
    assert_eq!((trusted.code, &trusted.stdout), (read.code, &read.stdout));
}

#[test]
fn a_table_is_not_kept_for_the_layer_and_a_layer_that_is_known_is_not_taken_by_it() {
    let stage = Stage::new();
    stage.holds(&estargz(image()));
    let verify = |more: &[&str]| stage.run(&[&["verify", "IMAGE", "--format", "json"], more].concat()).json();
    let trusted = verify(&["--trust-toc"]);
    assert_eq!(warnings(&trusted, true).len(), 1);
    stage.bytes();
    // The table was kept, under its own digest.
    verify(&["--trust-toc"]);
    let again = stage.bytes();
    let read = verify(&[]);
    let whole = stage.bytes();
    assert!(again < 2_000 && whole > 2_000_000, "{again} {whole}");
    assert!(warnings(&read, true).is_empty());
    let known = verify(&["--trust-toc"]);
    assert!(warnings(&known, true).is_empty(), "{known}");
}

/// What cannot be asked for in parts is read whole, and the answer does not say that a table was trusted.
#[test]
fn a_server_without_ranges_is_read_whole() {
    let stage = Stage::new();
    let image: Image = estargz(image());
    stage.holds(&image);
    let (read, _) = stage.verify(&[]);
    stage.registry.always(Phase::Download, Fault::Whole);
    stage.bytes();
    let outcome = stage.run(&["verify", "IMAGE", "--format", "json", "--verbose", "--no-cache", "--trust-toc"]);
    assert!(outcome.stderr.contains("is read whole: no parts of it can be had"), "{}", outcome.stderr);
    assert_eq!(answer(&outcome.json()), answer(&read));
    assert!(warnings(&outcome.json(), true).is_empty());
}

#[test]
fn a_real_registry_hands_out_parts() {
    let Some(registry) = Registry::start(Mode::Plain) else { return };
    let stage = Stage::new();
    stage.holds(&estargz(image()));
    registry.push(&format!("oci:{}:v1", stage.folder().display()), "app:estargz");
    if stage.holds_chunked(&image()) {
        registry.push(&format!("oci:{}:v1", stage.folder().display()), "app:chunked");
    }
    for tag in ["estargz", "chunked"] {
        let reference = registry.reference(&format!("app:{tag}"));
        let command = ["verify", &reference, "--format", "json", "--no-cache", "--verbose"];
        let read = stage.run(&command).exits(1).json();
        let trusted = stage.run(&[&command[..], &["--trust-toc"]].concat()).exits(1);
        assert!(trusted.stderr.contains("0 read (0 B), 0 in the cache, 0 not needed, 4 taken"), "{}", trusted.stderr);
        assert_eq!(answer(&trusted.json()), answer(&read), "{tag}");
    }
}

#[test]
fn two_images_are_not_compared_by_their_tables() {
    let stage = Stage::new();
    let outcome = stage.run(&["diff", "IMAGE", "IMAGE", "--trust-toc"]).exits(2);
    assert!(outcome.stderr.contains("`--trust-toc` is for comparisons with git"), "{}", outcome.stderr);
}

/// Where a file belongs that git does not have any more is told by the files of the commit that had it, and these are
/// known by their contents alone.
#[test]
fn files_of_other_commits_are_found_by_their_contents() {
    let mut repo = Repo::with(&files(&["main.py", "lib/util.py"]));
    repo.write(&files(&["tool/run.py", "tool/parse.py", "tool/write.py"]));
    let commit = repo.commit("A tool");
    repo.remove("tool");
    repo.commit("No tool");
    let stage = Stage::around(repo);
    let app = below("srv/app", &files(&["main.py", "lib/util.py"]));
    let tool = files(&["tool/run.py", "tool/parse.py", "tool/write.py"]).replace("f tool/", "f opt/other/");
    stage.holds(&estargz(untold(&format!("{app}\n{tool}"))));
    let command = ["contains", "IMAGE", &commit, "--no-cache"];
    let read = stage.run(&command).exits(0);
    assert!(read.stdout.contains("/opt/other/run.py"), "{}", read.stdout);
    let trusted = stage.run(&[&command[..], &["--trust-toc"]].concat()).exits(0);
    assert!(trusted.stdout.starts_with(read.stdout.trim_end()), "{}", trusted.stdout);
}
