//! Servers and networks that fail: what passes is waited for, and what does not is told.

use std::time::{Duration, Instant, SystemTime};
use std::{fs, thread};

use crate::support::artifact_registry::{Fault, Phase};
use crate::support::http::{Framing, Response, Tail};

use super::stage::{Artifacts, image, in_all};

const PHASES: [Phase; 4] = [Phase::Manifest, Phase::Token, Phase::Blob, Phase::Download];

#[test]
fn a_server_that_is_unwell_is_asked_again() {
    in_all(&PHASES, |&phase| {
        let artifacts = Artifacts::new();
        let unwell = [500, 502, 503, 504];
        unwell.iter().for_each(|&status| artifacts.registry.fault(phase, Fault::Status(status, None), 1));
        artifacts.agrees();
        let seen: Vec<u16> = artifacts.requests(phase).iter().map(|entry| entry.status).take(4).collect();
        assert_eq!(seen, unwell, "{phase:?}");
    });
}

/// The same in the other form of `Retry-After`, which counts whole seconds.
#[test]
fn a_server_may_name_the_time_until_which_it_wants_to_be_left_alone() {
    in_all(&PHASES, |&phase| {
        let busy = |_: Response| {
            let until = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
            Response::new(429, "").header("Retry-After", until)
        };
        let artifacts = Artifacts::new();
        artifacts.registry.fault(phase, Fault::Change(busy), 1);
        let started = Instant::now();
        artifacts.agrees();
        assert!(started.elapsed() >= Duration::from_secs(2), "{phase:?} was asked again too early");
    });
}

/// Signed addresses expire, and caches hand out old ones.
#[test]
fn a_signed_address_that_has_expired_is_asked_for_again_once() {
    let refusals: [fn(Response) -> Response; 3] = [
        |_| Response::new(403, "<Error><Code>AccessDenied</Code></Error>"),
        |_| Response::new(400, "ExpiredToken"),
        |_| Response::new(401, "Unauthorized"),
    ];
    in_all(&refusals, |refusal| {
        let artifacts = Artifacts::new();
        artifacts.registry.fault(Phase::Download, Fault::Change(*refusal), 1);
        artifacts.agrees();
        assert_eq!((artifacts.requests(Phase::Blob).len(), artifacts.requests(Phase::Token).len()), (3, 1));
    });
    let artifacts = Artifacts::new();
    artifacts.registry.always(Phase::Download, Fault::Change(refusals[0]));
    let outcome = artifacts.is_refused("network", &["/artifacts-downloads/", "answered 403 (tried 2 times)"]);
    assert!(!outcome.stderr.contains("docker login"), "{outcome:#?}");
    assert_eq!(artifacts.requests(Phase::Download).len(), 2);
    for request in artifacts.requests(Phase::Download) {
        assert_eq!(request.request.header("authorization"), None);
    }
}

/// A few bytes before every time limit would do for ever, if there were no limit to all of them.
#[test]
fn bytes_that_only_drip_are_given_up() {
    let drip = |response: Response| {
        response.cut(1000).framed(Framing::Says(300_032)).tail(Tail::Endless(Duration::from_millis(700)))
    };
    in_all(&[Phase::Manifest, Phase::Download], |&phase| {
        let artifacts = Artifacts::new();
        artifacts.registry.fault(phase, Fault::Cut(100_000_000), 1);
        artifacts.registry.always(phase, Fault::Change(drip));
        let words = ["sends too little to ever end", "--timeout"];
        artifacts.user.is_refused(&artifacts.reference(), &["--timeout", "1"], "network", &words);
    });
}

#[test]
fn no_answer_of_an_error_is_read_to_an_end_that_never_comes() {
    let endless = |_: Response| {
        Response::new(404, "there is no end to what is not there ")
            .framed(Framing::Chunked)
            .tail(Tail::Endless(Duration::ZERO))
    };
    let token = |_: Response| Response::new(200, "{").framed(Framing::Chunked).tail(Tail::Endless(Duration::ZERO));
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
    artifacts.registry.always(Phase::Manifest, Fault::Change(endless));
    let outcome = artifacts.is_refused("not-found", &["no end to what is not there"]);
    assert!(outcome.stderr.len() < 2000, "{outcome:#?}");
    for answer in [endless, token] {
        let artifacts = Artifacts::new();
        artifacts.registry.always(Phase::Token, Fault::Change(answer));
        artifacts.is_refused("unauthorized", &["answered more than 64 KiB"]);
    }
}

#[test]
fn a_server_that_asks_for_patience_gets_it() {
    in_all(&PHASES, |&phase| {
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
    let words = ["answered 429", "Quota exceeded", "asks to be left alone for 3600 s", "try again in 3600 s"];
    artifacts.is_refused("network", &words);
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
        (
            with_fault(Phase::Manifest, Fault::Status(503, None)),
            vec!["answered 503", "the server is not well", "tried 5 times"],
        ),
        (with_fault(Phase::Token, Fault::Status(503, None)), vec!["503", "the server is not well", "tried 5 times"]),
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
