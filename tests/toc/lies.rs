//! Tables that are damaged, and tables that lie.

use serde_json::{Value, json};

use crate::support::images::{Image, Layout};
use crate::support::layers::digest_of;
use crate::support::scene::findings;

use super::stage::{Stage, application, edited, set};

const SOURCE: &str =
    "f main.py 0644 print('main program')  # long\\n\nf other.py 0644 other\\n\nf modified.py 0644 as changed\\n";

fn honest() -> Image {
    application(SOURCE)
}

/// That the table is not used, and why.
fn is_read_whole(stage: &Stage, image: &Image, reason: &str) {
    stage.holds(image);
    let (read, _) = stage.verify(&[]);
    let outcome = stage.run(&["verify", "IMAGE", "--format", "json", "--verbose", "--no-cache", "--trust-toc"]);
    assert!(
        outcome.stderr.contains("is read whole: ") && outcome.stderr.contains(reason),
        "{reason}: {}",
        outcome.stderr
    );
    assert_eq!(outcome.json()["findings"], read["findings"], "{reason}");
    assert!(!outcome.stdout.contains("--trust-toc"), "{reason}");
}

/// Field of `app/main.py` in the table, its new value, and why the table is not used then.
#[test]
fn a_damaged_table_is_not_used() {
    let table = [
        ("type", json!("sock"), "is of a type that is not known"),
        ("digest", json!(""), "has no SHA-256"),
        ("digest", json!("sha256:12"), "has no SHA-256"),
        ("digest", json!(null), "is not understood"),
        ("offset", json!(1_u64 << 40), "lies outside of the layer"),
        ("chunkSize", json!(3), "has parts that do not add up"),
        ("size", json!(0), "has the digest of other contents"),
        ("name", json!("./app/other.py"), "is there twice"),
        ("name", json!("\u{fffd}"), "has a name that no tar has"),
        ("modtime", json!("yesterday"), "has a time that is none"),
    ];
    let stage = Stage::new();
    for (field, value, reason) in table {
        is_read_whole(&stage, &edited(honest(), &|table| set(table, "app/main.py", field, &value)), reason);
    }
    let bomb = "x".repeat(33 << 20);
    is_read_whole(&stage, &edited(honest(), &|table| table["comment"] = json!(bomb)), "its table is too large");
    is_read_whole(&stage, &edited(honest(), &|table| table["version"] = json!(2)), "it has no table where");
    is_read_whole(&stage, &edited(honest(), &|table| table["entries"] = json!("many")), "is not understood");
}

#[test]
fn annotations_have_to_be_there_and_right() {
    const ANNOTATION: &str = "containerd.io/snapshot/stargz/toc.digest";
    let stage = Stage::new();
    let annotated = |value: &str| {
        edited(honest(), &|_| {}).with_layers(|layer| {
            let mut layer = layer.clone();
            layer.annotations.insert(ANNOTATION.to_owned(), value.to_owned());
            layer
        })
    };
    is_read_whole(&stage, &annotated(&digest_of(b"another table")), "its table has another digest");
    is_read_whole(&stage, &annotated("sha1:12"), "its annotations do not say");
    let plain = honest().with_layers(|layer| {
        let mut layer = layer.clone();
        layer.annotations.insert(ANNOTATION.to_owned(), digest_of(b"no table"));
        layer
    });
    is_read_whole(&stage, &plain, "it has no table where");
    // Without an annotation nothing promises a table, and nothing is said.
    stage.holds(&edited(honest(), &|_| {}).with_layers(|layer| {
        let mut layer = layer.clone();
        layer.annotations.clear();
        layer
    }));
    let (report, _) = stage.verify(&["--trust-toc"]);
    assert!(!report.to_string().contains("--trust-toc"));
}

/// A file is in the report, so it is read, and is not the one that the table lists: nothing of the table is believed.
#[test]
fn contents_that_are_not_the_tables_are_found_out_where_they_are_read() {
    let stage = Stage::new();
    let lying = edited(honest(), &|table| {
        set(table, "app/modified.py", "digest", &json!(digest_of(b"something else")));
    });
    is_read_whole(&stage, &lying, "its table does not lead to the files");
}

/// What the flag means: a table that says of a changed file that it is git's is believed, and the layer itself tells.
#[test]
fn a_table_that_lies_is_believed_if_it_is_trusted_and_only_then() {
    let stage = Stage::new();
    let lying =
        edited(application("f main.py 0644 print('evil program')  # long\\n\nf run.sh 0755 #!/bin/sh\\n"), &|table| {
            let honest = b"print('main program')  # long\n";
            set(table, "app/main.py", "digest", &json!(digest_of(honest)));
            set(table, "app/main.py", "size", &json!(honest.len()));
        });
    stage.holds(&lying);
    let status = |report: &Value| findings(report).into_iter().find(|finding| finding.starts_with("main.py "));
    let (read, _) = stage.verify(&["main.py", "run.sh"]);
    assert_eq!(status(&read).as_deref(), Some("main.py modified"));
    let (trusted, _) = stage.verify(&["main.py", "run.sh", "--trust-toc"]);
    assert_eq!(status(&trusted).as_deref(), Some("main.py same"));
    assert_eq!(trusted["verdict"], "match");
    assert!(trusted["warnings"].to_string().contains("1 layer was taken by its table of contents (--trust-toc)"));
}

/// A registry that serves other bytes than the manifest promises cannot bring in another table.
#[test]
fn a_registry_that_serves_another_table_is_found_out() {
    let stage = Stage::new();
    let (image, other) = (edited(honest(), &|_| {}), edited(application(NOTHING), &|_| {}));
    let mut layout = Layout::with("v1", &image);
    let stored = other.layers()[0].blob.clone();
    layout.corrupt(&image.layers()[0].digest(), |bytes| *bytes = stored);
    layout.write_to(stage.folder());
    let outcome = stage.run(&["verify", "IMAGE", "--no-cache", "--trust-toc"]).exits(2);
    assert!(outcome.stderr.contains("its stored bytes cannot be used"), "{}", outcome.stderr);
}

const NOTHING: &str =
    "f main.py 0644 print('main program')  # long\\n\nf run.sh 0755 #!/bin/sh\\n\nf stale.py 0644 version two\\n";
