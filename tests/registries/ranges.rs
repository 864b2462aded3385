//! Downloads that are resumed, and servers that make of a range what they like.

use crate::support::artifact_registry::{Fault, Phase};
use crate::support::http::{Framing, Response, Tail};

use super::stage::{Artifacts, image, in_all, nothing_is_shown};

/// What a server makes of an honest answer.
type Change = fn(Response) -> Response;

/// The configuration is the first download, the layer the second.
fn in_the_layer(faults: &[Fault]) -> Artifacts {
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Download, Fault::Cut(100_000_000), 1);
    for fault in faults {
        artifacts.registry.fault(Phase::Download, fault.clone(), 1);
    }
    artifacts
}

fn ranges(artifacts: &Artifacts) -> Vec<Option<String>> {
    let downloads = artifacts.requests(Phase::Download);
    downloads[1..].iter().map(|entry| entry.request.header("range").map(str::to_owned)).collect()
}

/// `bytes=FIRST-` to the layer's last byte.
fn from(first: usize) -> Option<String> {
    Some(format!("bytes={first}-{}", image().layers()[0].blob.len() - 1))
}

fn without_content_range(mut response: Response) -> Response {
    response.headers.retain(|(name, _)| name != "Content-Range");
    response
}

/// As from a server that counts in blocks: the rest from an earlier byte on.
fn earlier(_: Response) -> Response {
    let bytes = image().layers()[0].blob.clone();
    let range = format!("bytes 65536-{}/{}", bytes.len() - 1, bytes.len());
    Response::new(206, &bytes[65_536..]).header("Content-Range", range)
}

fn whole(_: Response) -> Response {
    Response::new(200, image().layers()[0].blob.clone())
}

fn later(response: Response) -> Response {
    let size = image().layers()[0].blob.len();
    without_content_range(response).header("Content-Range", format!("bytes 100000-{}/{size}", size - 1))
}

fn unsatisfiable(_: Response) -> Response {
    Response::new(416, "no such range").framed(Framing::Says(300_032))
}

#[test]
fn what_a_server_makes_of_a_range_is_understood() {
    let cut = Fault::Cut(70_000);
    let table: [(&str, Change, usize); 6] = [
        ("200: it knows no ranges", whole, 2),
        ("206 from an earlier byte", earlier, 2),
        ("206 from a later byte", later, 3),
        ("206 that does not say from where", without_content_range, 3),
        ("206 in words", |response| without_content_range(response).header("Content-Range", "bytes all"), 3),
        ("416", unsatisfiable, 3),
    ];
    in_all(&table, |(what, change, tries)| {
        let artifacts = in_the_layer(&[cut.clone(), Fault::Change(*change)]);
        artifacts.agrees();
        // Whoever did not give the range is asked for the whole.
        assert_eq!(ranges(&artifacts), [None, from(70_000), None][..*tries], "{what}");
    });
}

#[test]
fn a_range_that_lies_about_its_beginning_is_found_out() {
    // The bytes are those of another range than Content-Range says.
    let shifted = |_| {
        let bytes = image().layers()[0].blob.clone();
        let last = bytes.len() - 1;
        Response::new(206, &bytes[1..=last - 69_999])
            .header("Content-Range", format!("bytes 70000-{last}/{}", last + 1))
    };
    let artifacts = in_the_layer(&[Fault::Cut(70_000), Fault::Change(shifted)]);
    artifacts.is_refused("corrupt-image", &[&image().layers()[0].digest(), "other contents"]);
}

#[test]
fn a_body_may_break_anywhere() {
    let size = image().layers()[0].blob.len();
    let reset = |response: Response| response.cut(70_000).tail(Tail::Reset);
    let table = [
        ("at byte 0", vec![Fault::Cut(0)], vec![None, None]),
        ("before the last byte", vec![Fault::Cut(size - 1)], vec![None, from(size - 1)]),
        (
            "four times",
            vec![Fault::Cut(50_000); 4],
            vec![None, from(50_000), from(100_000), from(150_000), from(200_000)],
        ),
        ("reset", vec![Fault::Change(reset)], vec![None]),
        ("reset at byte 0", vec![Fault::Change(|response| response.cut(0).tail(Tail::Reset))], vec![None, None]),
    ];
    in_all(&table, |(what, faults, expected)| {
        let artifacts = in_the_layer(faults);
        artifacts.agrees();
        let ranges = ranges(&artifacts);
        // How much arrives before a reset is the network's affair.
        assert_eq!(ranges[..expected.len()], expected[..], "{what}");
        assert_eq!(ranges.len(), faults.len() + 1, "{what}");
    });
    let artifacts = in_the_layer(&vec![Fault::Cut(50_000); 5]);
    artifacts.is_refused("network", &["/artifacts-downloads/", "tried 5 times"]);
}

/// A layer that brings more than a mebibyte between its failures is not given up.
#[test]
fn progress_makes_up_for_failures() {
    let artifacts = Artifacts::large(12);
    artifacts.registry.fault(Phase::Download, Fault::Cut(100_000_000), 1);
    artifacts.registry.fault(Phase::Download, Fault::Cut(1_500_000), 7);
    assert_eq!(artifacts.user.run(&["ls", &artifacts.reference()]).code, Some(0));
    assert_eq!(artifacts.requests(Phase::Download).len(), 9);
}

#[test]
fn a_length_that_is_wrong_or_missing_harms_nothing() {
    let size = image().layers()[0].blob.len() as u64;
    let framed: [(&str, Change); 4] = [
        ("chunked", |response| response.framed(Framing::Chunked)),
        ("none", |response| response.framed(Framing::Close)),
        ("too large", |response| response.framed(Framing::Says(400_000))),
        ("none, cut", |response| response.framed(Framing::Close).cut(80_000)),
    ];
    in_all(&framed, |(what, change)| {
        for phase in [Phase::Manifest, Phase::Token, Phase::Blob] {
            if !matches!(*what, "too large" | "none, cut") {
                let artifacts = Artifacts::new();
                artifacts.registry.always(phase, Fault::Change(*change));
                artifacts.agrees();
            }
        }
        let artifacts = in_the_layer(&[Fault::Change(*change)]);
        artifacts.agrees();
        let resumed = ranges(&artifacts).get(1).cloned();
        assert_eq!(resumed, (*what == "none, cut").then(|| from(80_000)), "{what}");
    });
    // A length that is too small hides the rest, which is asked for.
    let short = |response: Response| response.framed(Framing::Says(1000)).cut(1000);
    let artifacts = in_the_layer(&[Fault::Change(short)]);
    artifacts.agrees();
    assert_eq!(ranges(&artifacts), [None, from(1000)], "of {size}");
}

#[test]
fn a_body_that_does_not_end_where_it_should_is_not_read_on() {
    let endless: [fn(Response) -> Response; 3] = [
        |response| response.framed(Framing::Chunked).tail(Tail::Endless(std::time::Duration::ZERO)),
        |response| response.framed(Framing::Close).tail(Tail::Endless(std::time::Duration::ZERO)),
        |response| response.framed(Framing::Says(10 << 30)).tail(Tail::Endless(std::time::Duration::ZERO)),
    ];
    in_all(&endless, |change| {
        let artifacts = Artifacts::new();
        artifacts.registry.always(Phase::Download, Fault::Change(*change));
        nothing_is_shown(&artifacts, &["where its manifest says"]);
    });
}
