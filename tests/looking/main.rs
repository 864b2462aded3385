//! Looking inside of images: `extract`, `grep` and `diff`, with names and links made to do harm.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;

mod diff;
mod extract;
mod grep;
mod stage;

use stage::Stage;
use support::images::Image;

#[test]
fn a_reader_that_went_away_is_an_error() {
    let many = "x\\n".repeat(100_000);
    let stage = Stage::with(&[
        ("v1", &Image::of(&format!("f app/a 0644 {many}"))),
        ("v2", &Image::of(&format!("f app/a 0644 {many}y"))),
    ]);
    for arguments in [
        &["grep", "oci:layout:v1", "x"][..],
        &["grep", "oci:layout:v1", "x", "--format", "json"],
        &["diff", "oci:layout:v1", "oci:layout:v2"],
        &["extract", "oci:layout:v1", "/", "-o", "out"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = stage.shipproof.command();
        let output = command.args(arguments).stdout(writer).output().expect("it starts");
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {output:?}");
    }
}

#[test]
fn a_flood_of_entries_ends_with_the_memory_that_is_allowed() {
    let names: String = (0..6000).map(|number| format!("d some/directory/with/entries/{number}\n")).collect();
    let stage = stage::Stage::with(&[("v1", &Image::of(&names))]);
    let listed = stage.run("ls", &["--memory", "4"]).exits(0);
    assert_eq!(listed.stdout.lines().count(), 6004);
    let refused = stage.run("ls", &["--memory", "1"]).exits(2);
    assert_eq!(refused.stdout, "");
    assert!(refused.stderr.contains("up more than 1048576 bytes"), "{refused:#?}");
    assert!(refused.stderr.contains("hint: --memory MIB allows more"), "{refused:#?}");
}
