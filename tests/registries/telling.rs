//! What goes wrong and does no harm, and what is told of it: retries, warnings, expired signatures.

use serde_json::json;

use crate::support::artifact_registry::{Fault, Phase};

use super::stage::Artifacts;

fn broken(phase: Phase, fault: Fault) -> Artifacts {
    let artifacts = Artifacts::new();
    artifacts.registry.always(phase, fault);
    artifacts
}

/// A part that begins before the byte asked for is used from that byte on; one that begins after it is no use.
#[test]
fn a_resumed_download_may_bring_more_than_was_asked_for() {
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Download, Fault::Cut(100_000_000), 1);
    artifacts.registry.fault(Phase::Download, Fault::Cut(70_000), 1);
    artifacts.registry.fault(Phase::Download, Fault::LargerRange, 1);
    artifacts.agrees();
    assert!(artifacts.requests(Phase::Download)[2].request.header("range").is_some());
}

/// A signed location serves for minutes; the registry gives another one.
#[test]
fn a_signed_location_that_has_expired_is_asked_for_again() {
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Download, Fault::Status(403, None), 2);
    artifacts.agrees();
    assert_eq!(artifacts.requests(Phase::Blob).len(), 4, "two blobs, one of them three times");
    let artifacts = broken(Phase::Download, Fault::Status(403, None));
    artifacts.is_refused("network", &["answered 403", "tried 5 times"]);
}

#[test]
fn retries_are_told_to_who_wants_to_know() {
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
    artifacts.registry.fault(Phase::Manifest, Fault::Status(503, None), 2);
    let outcome = artifacts.user.verify(&artifacts.reference(), &["--verbose"]);
    let told: Vec<&str> = outcome.stderr.lines().filter(|line| line.contains("answered 503")).collect();
    assert_eq!(told.len(), 2, "{outcome:#?}");
    assert!(told[0].starts_with("note: http://") && told[0].contains("; try 1 of 5, again in "), "{outcome:#?}");
    assert!(told[1].contains("; try 2 of 5, again in "), "{outcome:#?}");
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
    artifacts.registry.fault(Phase::Manifest, Fault::Status(503, None), 1);
    assert_eq!(artifacts.user.verify(&artifacts.reference(), &[]).stderr, "");
}

/// distribution-spec, "Warnings": shown to people, each once, and nothing more.
#[test]
fn what_a_registry_warns_of_is_shown_once() {
    let artifacts = Artifacts::new();
    for phase in [Phase::Manifest, Phase::Download] {
        artifacts.registry.always(phase, Fault::Warning("this image is ::error::old"));
    }
    let outcome = artifacts.user.verify(&artifacts.reference(), &[]);
    assert_eq!(outcome.stderr, "note: the registry warns: this image is ::error::old\n");
    let report = outcome.verdict("match");
    assert_eq!(report["warnings"], json!(["the registry warns: this image is ::error::old"]));
    assert_eq!(artifacts.user.verify(&artifacts.reference(), &["--quiet"]).stderr, "");
}
