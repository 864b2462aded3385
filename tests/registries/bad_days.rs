//! Servers and networks that fail: what passes is waited for, and what does not is told.

use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::support::artifact_registry::{Fault, Phase};

use super::stage::{Artifacts, image};

const PHASES: [Phase; 4] = [Phase::Manifest, Phase::Token, Phase::Blob, Phase::Download];

/// Runs `test` for all phases at once: they wait more than they work.
fn in_each(phases: &[Phase], test: impl Fn(Phase) + Sync) {
    thread::scope(|scope| {
        for &phase in phases {
            let test = &test;
            scope.spawn(move || test(phase));
        }
    });
}

#[test]
fn a_server_that_is_unwell_is_asked_again() {
    in_each(&PHASES, |phase| {
        let artifacts = Artifacts::new();
        artifacts.registry.fault(phase, Fault::Status(503, None), 1);
        artifacts.agrees();
        assert_eq!(artifacts.requests(phase)[0].status, 503, "{phase:?}");
    });
}

#[test]
fn a_server_that_asks_for_patience_gets_it() {
    in_each(&PHASES, |phase| {
        let artifacts = Artifacts::new();
        artifacts.registry.fault(phase, Fault::Status(429, Some(1)), 1);
        let started = Instant::now();
        artifacts.agrees();
        assert!(started.elapsed() >= Duration::from_secs(1), "{phase:?} was asked again too early");
    });
    // Nobody waits for an hour.
    let artifacts = Artifacts::new();
    artifacts.registry.always(Phase::Manifest, Fault::Status(429, Some(3600)));
    let started = Instant::now();
    artifacts.is_refused("network", &["answered 429", "Quota exceeded"]);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_download_that_breaks_off_is_resumed() {
    let artifacts = Artifacts::new();
    let size = image().layers()[0].blob.len();
    // The configuration is the first download, the layer the second.
    artifacts.registry.fault(Phase::Download, Fault::Cut(100_000_000), 1);
    artifacts.registry.fault(Phase::Download, Fault::Cut(70_000), 2);
    artifacts.agrees();
    let ranges: Vec<_> = artifacts.requests(Phase::Download);
    let ranges: Vec<_> = ranges.iter().map(|entry| entry.request.header("range")).collect();
    let (second, third) = (format!("bytes=70000-{}", size - 1), format!("bytes=140000-{}", size - 1));
    assert_eq!(ranges, [None, None, Some(second.as_str()), Some(third.as_str())]);

    // The rest is another one than before.
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Download, Fault::Cut(100_000_000), 1);
    artifacts.registry.fault(Phase::Download, Fault::Cut(70_000), 1);
    artifacts.registry.fault(Phase::Download, Fault::WrongBytes, 1);
    artifacts.is_refused("corrupt-image", &[&image().layers()[0].digest(), "other contents"]);
}

/// A registry in which the layer ends in its middle, though every answer is complete.
fn with_half_a_layer() -> Artifacts {
    let artifacts = Artifacts::new();
    let image = image();
    let layer = &image.layers()[0];
    let path = artifacts.folder.path().join("blobs/sha256").join(&layer.digest()["sha256:".len()..]);
    fs::write(path, &layer.blob[..layer.blob.len() / 2]).expect("the file can be written");
    artifacts
}

fn with_fault(phase: Phase, fault: Fault) -> Artifacts {
    let artifacts = Artifacts::new();
    artifacts.registry.always(phase, fault);
    artifacts
}

#[test]
fn what_stays_broken_is_given_up() {
    let stall = || Fault::Stall(Duration::from_secs(60));
    let still = "no data within the time limit";
    let table = [
        (with_fault(Phase::Manifest, stall()), vec![still]),
        (with_fault(Phase::Token, stall()), vec!["no answer from the token server"]),
        (with_fault(Phase::Download, stall()), vec![still, "/artifacts-downloads/", "tried 5 times"]),
        (with_fault(Phase::Manifest, Fault::Status(503, None)), vec!["answered 503", "the server is not well"]),
        (with_fault(Phase::Token, Fault::Status(503, None)), vec!["503", "the server is not well"]),
        (with_fault(Phase::Download, Fault::Cut(0)), vec!["/artifacts-downloads/", "tried 5 times"]),
        (with_half_a_layer(), vec!["it ended after 150016 of 300032 bytes"]),
    ];
    // All at once: they wait more than they work.
    thread::scope(|scope| {
        for (artifacts, words) in &table {
            scope.spawn(move || {
                let started = Instant::now();
                let timeout = ["--timeout", "1"];
                let outcome = artifacts.user.is_refused(&artifacts.reference(), &timeout, "network", words);
                // One second for each of five tries, and the pauses between them.
                assert!(started.elapsed() < Duration::from_secs(20), "{:?} for {outcome:#?}", started.elapsed());
            });
        }
    });
}

#[test]
fn a_download_that_stands_still_once_goes_on() {
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Download, Fault::Stall(Duration::from_secs(60)), 2);
    artifacts.user.agrees(&artifacts.reference(), &["--timeout", "1"]);
}
