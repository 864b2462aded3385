//! Arguments that make no sense, and outputs that take nothing.

use std::fs::{self, File};

use serde_json::{Value, json};

use crate::support::cli::Shipproof;

use super::stage::{good, repository};

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
