//! `diff` between two images

use std::fs;

use super::stage::{Stage, tampered};
use super::support::artifact_registry::{ArtifactRegistry, Phase};
use super::support::images::{Image, Layout};
use super::support::layers::Layer;

const BASE: &str = "f usr/lib/base.so 0644 base\nf app/gone.py 0644 gone\nf app/run.sh 0644 run\nf app/kind 0644 x";
const OLD: &str = "f app/main.py 0644 a\\nb\\nc\\n\nf app/data 0644 \\x00one\nl app/link -> main.py";
const NEW: &str = "f app/main.py 0644 a\\n\\tB\\x1b[2J\\nc\\n\nf app/data 0644 \\x00two\nl app/link -> data\n\
                   w app/.wh.gone.py\nf app/run.sh 0755 run\nl app/kind -> data\nf app/n\\new 0640 hello";

fn two() -> Stage {
    Stage::with(&[("v1", &Image::new().text(BASE).text(OLD)), ("v2", &Image::new().text(BASE).text(NEW))])
}

#[test]
fn diff_tells_each_way_to_differ() {
    let outcome = two().run("diff", &["oci:layout:v2"]).exits(1);
    let expected = "\
changed  /app/data  4 B, other bytes
  binary, contents differ
removed  /app/gone.py  file 0644 4 B
kind     /app/kind  file -> symlink, 1 B -> to data
changed  /app/link  to main.py -> to data
changed  /app/main.py  6 B -> 11 B
--- a/app/main.py
+++ b/app/main.py
@@ -1,3 +1,3 @@
 a
-b
+\tB\\u{1b}[2J
 c
added    /app/n\\new  file 0640 5 B
mode     /app/run.sh  0644 -> 0755
different: 1 added, 1 removed, 1 kind, 3 changed, 1 mode
";
    assert_eq!(outcome.stdout, expected);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn equal_images_are_equal_however_their_layers_are_cut() {
    let stage = Stage::with(&[
        ("v1", &Image::new().text("f a/x 0644 1\nf b 0600 2")),
        ("v2", &Image::new().text("f a/x 0644 0\nf a/y 0644 y").text("w a/.wh.y\nf a/x 0644 1").text("f b 0600 2")),
        ("empty", &Image::new().text("")),
    ]);
    assert_eq!(stage.run("diff", &["oci:layout:v2"]).exits(0).stdout, "equal\n");
    assert_eq!(stage.run("diff", &["oci:layout:v2", "--name-only"]).exits(0).stdout, "");
    let report = stage.run("diff", &["oci:layout:v2", "--format", "json"]).exits(0).json();
    assert_eq!((&report["verdict"], &report["differences"]), (&"equal".into(), &serde_json::json!([])));
    let outcome = stage.shipproof.run(&["diff", "oci:layout:empty", "oci:layout:empty"]).exits(2);
    assert!(outcome.stderr.contains("nothing was compared"), "{outcome:#?}");
}

#[test]
fn diff_looks_at_the_files_named_on_either_side() {
    let stage = two();
    let table: [(&[&str], i32, &str); 6] = [
        (&["run.sh"], 1, "/app/run.sh\n"),
        (&["gone.py", "/app/link"], 1, "/app/data\n/app/gone.py\n/app/link\n/app/main.py\n"),
        (&["*.py"], 1, "/app/gone.py\n/app/main.py\n"),
        (&["/usr"], 0, ""),
        (&["nowhere"], 2, ""),
        (&["base.so", "nowhere"], 2, ""),
    ];
    for (files, code, expected) in table {
        let outcome = stage.run("diff", &[&["oci:layout:v2", "--name-only"], files].concat()).exits(code);
        assert_eq!(outcome.stdout, expected, "{files:?}");
    }
    // Without another image it is git's files that are compared.
    let outcome = stage.run("diff", &["run.sh"]).exits(2);
    assert!(outcome.stderr.contains("not in a git repository"), "{outcome:#?}");
}

#[test]
fn diff_shows_no_more_lines_than_asked_for() {
    let text = |word: &str| (0..50).map(|line| format!("{word}{line}\\n")).collect::<String>();
    let image = |word: &str| Image::of(&format!("f a 0644 {}", text(word)));
    let stage = Stage::with(&[("v1", &image("x")), ("v2", &image("y"))]);
    let lines = |arguments: &[&str]| {
        let outcome = stage.run("diff", &[&["oci:layout:v2"], arguments].concat()).exits(1);
        outcome.stdout.lines().count()
    };
    assert_eq!(lines(&[]), 1 + 2 + 101 + 1);
    assert_eq!(lines(&["--max-diff-lines", "10"]), 1 + 2 + 10 + 1 + 1);
    assert_eq!(lines(&["--max-diff-lines", "0"]), 2);
    assert_eq!(lines(&["--quiet"]), 2);
    assert_eq!(lines(&["--verbose"]), 1 + 2 + 2 + 101 + 1);
}

#[test]
fn diff_reports_both_sides() {
    let report = two().run("diff", &["oci:layout:v2", "main.py", "gone.py", "--format", "json"]).exits(1).json();
    assert_eq!(report["verdict"], "different");
    assert_eq!(report["counts"], serde_json::json!({ "changed": 1, "removed": 1 }));
    assert_eq!(report["differences"][0]["other"], serde_json::Value::Null);
    let main = &report["differences"][1];
    assert_eq!((&main["status"], &main["path"]), (&"changed".into(), &"/app/main.py".into()));
    assert_eq!((&main["image"]["size"], &main["other"]["size"]), (&6.into(), &11.into()));
    assert_eq!((&main["image"]["layer"]["index"], &main["other"]["mode"]), (&1.into(), &"0644".into()));
    // printf 'a\nb\nc\n' | git hash-object --stdin
    assert_eq!(main["image"]["blob"], "de980441c3ab03a8c07dda1ad27b8a11f39deb1e");
}

#[test]
fn layers_that_images_share_are_read_once_and_equal_files_never_again() {
    let stage = two();
    let registry = ArtifactRegistry::serve(&stage.folder.path().join("layout"));
    fs::write(stage.folder.path().join("auth.json"), registry.docker_config()).expect("it can be written");
    let references = ["v1", "v2"].map(|tag| registry.reference(tag));
    let arguments = ["diff", &references[0], &references[1], "--auth-file", "auth.json", "--no-cache"];
    stage.shipproof.run(&arguments).exits(1);
    let times = |layer: &str| {
        let digest = Layer::text(layer).digest();
        registry.recorded_for(Phase::Blob).iter().filter(|recorded| recorded.request.target.contains(&digest)).count()
    };
    assert_eq!([BASE, OLD, NEW].map(times), [1, 2, 2]);
}

#[test]
fn images_for_other_platforms_are_not_compared() {
    let mut layout = Layout::new();
    let [arm, amd] = ["linux/arm64", "linux/amd64"].map(|platform| Image::of("f a 0644 1").platform(platform));
    layout.tag("v1", &amd);
    layout.tag("v2", &arm);
    layout.tag_index("v3", &[arm, Image::of("f a 0644 2")], None);
    let stage = Stage::of(&layout);
    let outcome = stage.run("diff", &["oci:layout:v2"]).exits(2);
    assert!(outcome.stderr.contains("linux/arm64"), "{outcome:#?}");
    stage.run("diff", &["oci:layout:v3"]).exits(1);
    stage.shipproof.run(&["diff", "oci:layout:v2", "oci:layout:v3"]).exits(0);
}

#[test]
fn a_tampered_layer_is_no_difference() {
    let mut layout = tampered();
    layout.tag("v2", &Image::of("f app/main.py 0644 secret\\n"));
    let stage = Stage::of(&layout);
    for pair in [["oci:layout:v1", "oci:layout:v2"], ["oci:layout:v2", "oci:layout:v1"]] {
        let outcome = stage.shipproof.run(&["diff", pair[0], pair[1]]).exits(2);
        assert_eq!(outcome.stdout, "");
    }
}
