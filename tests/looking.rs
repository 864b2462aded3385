//! Looking inside of images: `extract`, `grep` and `diff`, with names and links made to do harm.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use support::artifact_registry::{ArtifactRegistry, Phase};
use support::cli::{Outcome, Shipproof};
use support::images::{Image, Layout};
use support::layers::{Compression, Layer};

/// Images on disk, and a folder to write to.
struct Stage {
    shipproof: Shipproof,
    folder: TempDir,
}

impl Stage {
    fn with(images: &[(&str, &Image)]) -> Self {
        let mut layout = Layout::new();
        for (tag, image) in images {
            layout.tag(tag, image);
        }
        Self::of(&layout)
    }

    fn of(layout: &Layout) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        layout.write_to(&folder.path().join("layout"));
        Self { shipproof: Shipproof::new().directory(folder.path()), folder }
    }

    /// Runs `command` on the image `v1` of the layout.
    fn run(&self, command: &str, arguments: &[&str]) -> Outcome {
        let image = "oci:layout:v1";
        self.shipproof.run(&[&[command, image], arguments].concat())
    }

    fn extract(&self, arguments: &[&str]) -> Outcome {
        self.run("extract", &[arguments, &["-o", "out"]].concat())
    }

    fn out(&self, path: &str) -> PathBuf {
        self.folder.path().join("out").join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.out(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.out(path);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }

    /// Everything below the folder written to, links not followed.
    fn listing(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(&self.out(""), &self.out(""), &mut found);
        found.sort();
        found
    }
}

fn list(top: &Path, folder: &Path, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        found.push(String::from_utf8_lossy(path.strip_prefix(top).expect("below").as_os_str().as_bytes()).into_owned());
        if path.symlink_metadata().expect("it was listed").is_dir() {
            list(top, &path, found);
        }
    }
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().expect("it is there").permissions().mode() & 0o7777
}

/// An image whose second layer lies about its contents.
fn tampered() -> Layout {
    let lower = Layer::text("f app/honest.py 0644 honest\\n");
    let upper = Layer::tar(Layer::text("f app/main.py 0644 secret\\n").tar, Compression::None);
    let digest = upper.digest();
    let mut layout = Layout::with("v1", &Image::new().layer("COPY 0", lower).layer("COPY 1", upper));
    layout.corrupt(&digest, |bytes| bytes[512] = b'S');
    layout
}

// --- extract ---------------------------------------------------------------------------------------------------------

#[test]
fn files_come_out_with_their_contents_paths_and_modes() {
    let stage = Stage::with(&[(
        "v1",
        &Image::new()
            .text("d app 0750\nf app/main.py 0644 old\nf app/run.sh 4755 echo\\n\nf app/Main.py 0600 case\nf etc/x 0644 x")
            .text("f app/main.py 0640 new\nh app/hard -> app/main.py\nf app/empty 0644\nd app/sub 0555\nf app/sub/deep 0444 d"),
    )]);
    let outcome = stage.extract(&["/app", "x"]).exits(0);
    assert_eq!(
        stage.listing(),
        [
            "app",
            "app/Main.py",
            "app/empty",
            "app/hard",
            "app/main.py",
            "app/run.sh",
            "app/sub",
            "app/sub/deep",
            "etc",
            "etc/x"
        ]
    );
    assert_eq!((stage.read("app/main.py"), stage.read("app/hard")), ("new".to_owned(), "new".to_owned()));
    assert_eq!((stage.read("app/Main.py"), stage.read("app/empty")), ("case".to_owned(), String::new()));
    let modes =
        ["app", "app/main.py", "app/hard", "app/run.sh", "app/sub", "app/sub/deep"].map(|path| mode(&stage.out(path)));
    assert_eq!(modes, [0o750, 0o640, 0o640, 0o755, 0o555, 0o444]);
    assert!(outcome.stdout.contains("-rw-r-----           3   1  /app/main.py\n"), "{outcome:#?}");
    fs::write(stage.out("app/hard"), "changed").expect("it can be written");
    assert_eq!(stage.read("app/main.py"), "new", "files that share contents are files of their own");
}

#[test]
fn globs_lists_and_reports_work_as_elsewhere() {
    let stage =
        Stage::with(&[("v1", &Image::new().text("f a/x.py 0644 x\nf b/x.py 0644 y\nf b/[id].js 0644 z\nf b/c 0644"))]);
    let report = stage.extract(&["*.py", "[id].js", "--format", "json"]).exits(0).json();
    let paths: Vec<_> =
        report["entries"].as_array().expect("entries").iter().map(|entry| entry["path"].clone()).collect();
    assert_eq!(paths, ["/a/x.py", "/b/[id].js", "/b/x.py"]);
    assert_eq!(stage.listing(), ["a", "a/x.py", "b", "b/[id].js", "b/x.py"]);
}

#[test]
fn a_name_that_is_not_there_writes_nothing() {
    let stage = Stage::with(&[("v1", &Image::of("f app/main.py 0644 x\np app/fifo"))]);
    let outcome = stage.extract(&["main.py", "/app/gone", "--format", "json"]).exits(1);
    assert_eq!(outcome.json()["error"]["kind"], "no-such-file");
    let outcome = stage.extract(&["fifo"]).exits(2);
    assert!(outcome.stderr.contains("neither a file nor a directory"), "{outcome:#?}");
    assert!(!stage.out("").exists(), "the folder was not even made");
    let outcome = stage.extract(&["/app"]).exits(0);
    assert_eq!(outcome.stderr, "note: /app/fifo is a device or a fifo and was left out\n");
    assert_eq!(stage.listing(), ["app", "app/main.py"]);
}

#[test]
fn hostile_names_stay_inside_and_are_escaped() {
    let stage = Stage::with(&[(
        "v1",
        &Image::new().text(
            "f ../../escape 0644 e\nf /abs/../../up 0644 u\nf evil\\n\\x1b[31m 0644 n\nf not-\\xff-text 0644 b\nf ./dot/./x 0644 d",
        ),
    )]);
    let outcome = stage.extract(&["/"]).exits(0);
    assert_eq!(stage.listing(), ["dot", "dot/x", "escape", "evil\n\x1b[31m", "not-\u{fffd}-text", "up"]);
    assert!(stage.out("").join(OsStr::from_bytes(b"not-\xff-text")).exists());
    assert!(outcome.stdout.contains("/evil\\n\\u{1b}[31m\n") && outcome.stdout.contains("/not-\\xff-text\n"));
    assert!(!stage.folder.path().join("escape").exists());
}

#[test]
fn links_never_lead_out_of_the_folder() {
    let stage = Stage::with(&[(
        "v1",
        &Image::new().text(
            "f etc/passwd 0644 image\nl app/abs -> /etc/passwd\nl app/up -> ../../../../etc/passwd\nl app/here -> .\n\
             l app/deep -> here/here/here/../../../../etc/passwd\nl app/near -> x\nf app/x 0644 x\nl app/gone -> /dev/log",
        ),
    )]);
    let outcome = stage.extract(&["/app", "/etc"]).exits(0);
    let target = |path: &str| fs::read_link(stage.out(path)).expect("it is a link").to_string_lossy().into_owned();
    assert_eq!(["app/abs", "app/up", "app/deep"].map(target), ["../etc/passwd"; 3]);
    assert_eq!((target("app/near"), target("app/gone")), ("x".to_owned(), "../dev/log".to_owned()));
    assert_eq!(stage.read("app/deep"), "image");
    assert!(outcome.stderr.contains("/app/abs -> /etc/passwd was written as ../etc/passwd"), "{outcome:#?}");
}

#[test]
fn a_named_link_comes_with_what_it_leads_to() {
    let stage =
        Stage::with(&[("v1", &Image::new().text("f app/r2/main.py 0644 x\nl app/current -> r2\nf app/r1/old 0644"))]);
    stage.extract(&["/app/current/main.py"]).exits(0);
    assert_eq!(stage.listing(), ["app", "app/current", "app/r2", "app/r2/main.py"]);
    assert_eq!(stage.read("app/current/main.py"), "x");
}

#[test]
fn a_link_that_waits_in_the_folder_is_not_followed() {
    let stage = Stage::with(&[("v1", &Image::of("f app/main.py 0644 new\nf app/sub/x 0644 new"))]);
    let outside = tempfile::tempdir().expect("a temporary folder");
    fs::write(outside.path().join("main.py"), "precious").expect("it can be written");
    fs::create_dir(stage.out("")).expect("it can be made");
    symlink(outside.path(), stage.out("app")).expect("the link can be made");
    for force in [&[][..], &["--force"]] {
        let outcome = stage.extract(&[&["/app/main.py"], force].concat()).exits(2);
        assert!(outcome.stderr.contains("/app is a symbolic link there"), "{outcome:#?}");
        stage.extract(&[&["/app"], force].concat()).exits(2);
    }
    fs::remove_file(stage.out("app")).expect("it is a link");
    fs::create_dir(stage.out("app")).expect("it can be made");
    symlink(outside.path().join("main.py"), stage.out("app/main.py")).expect("the link can be made");
    stage.extract(&["main.py"]).exits(2);
    assert_eq!(stage.listing(), ["app", "app/main.py"]);
    stage.extract(&["main.py", "--force"]).exits(0);
    assert_eq!(stage.read("app/main.py"), "new");
    assert!(!stage.out("app/main.py").is_symlink(), "the link itself was replaced");
    assert_eq!(fs::read_to_string(outside.path().join("main.py")).expect("it is there"), "precious");
}

#[test]
fn nothing_is_overwritten_without_force() {
    let stage =
        Stage::with(&[("v1", &Image::of("f app/a 0644 new\nf app/b 0644 new\nf app/c 0644 new\nl app/l -> a"))]);
    stage.write("app/a", "old");
    stage.write("app/c", "old");
    stage.write("app/l", "old");
    let outcome = stage.extract(&["/app"]).exits(2);
    assert!(outcome.stderr.contains("/app/a and 2 others are in out already\nhint: --force"), "{outcome:#?}");
    assert_eq!((stage.read("app/a"), stage.listing().len()), ("old".to_owned(), 4));
    stage.extract(&["/app", "--force", "--quiet"]).exits(0);
    assert_eq!(
        (stage.read("app/a"), stage.read("app/c"), stage.read("app/l")),
        ("new".into(), "new".into(), "new".into())
    );
    assert!(stage.out("app/l").is_symlink());
}

#[test]
fn a_folder_and_a_file_never_take_each_others_place() {
    let stage = Stage::with(&[("v1", &Image::new().text("d a\nf a/x 0644 x\nf b 0644 b"))]);
    stage.write("b/kept", "kept");
    let outcome = stage.extract(&["b", "--force"]).exits(2);
    assert!(outcome.stderr.contains("/b is a directory there"), "{outcome:#?}");
    stage.write("a", "file");
    for name in ["/a", "/a/x"] {
        let outcome = stage.extract(&[name, "--force"]).exits(2);
        assert!(outcome.stderr.contains("/a is no directory there"), "{outcome:#?}");
    }
    assert_eq!(stage.listing(), ["a", "b", "b/kept"]);
}

#[test]
fn a_name_that_the_disk_refuses_leaves_no_partial_file() {
    let long = "n".repeat(300);
    let stage = Stage::with(&[("v1", &Image::of(&format!("f app/a 0644 a\nf app/{long} 0644 x")))]);
    let outcome = stage.extract(&["/app"]).exits(2);
    assert!(outcome.stderr.contains("cannot be written to out"), "{outcome:#?}");
    assert!(stage.listing().iter().all(|path| !path.contains("shipproof")), "{:?}", stage.listing());
}

#[test]
fn a_tampered_layer_writes_and_prints_nothing() {
    let stage = Stage::of(&tampered());
    for file in ["/app/main.py", "/app/honest.py"] {
        let outcome = stage.extract(&[file]).exits(2);
        assert!(outcome.stderr.contains("sha256"), "{outcome:#?}");
        assert_eq!(outcome.stdout, "");
        assert!(!stage.out("").exists());
    }
}

// --- grep ------------------------------------------------------------------------------------------------------------

/// The file of the story in three versions, one above the other, with a few neighbours.
fn searchable() -> Image {
    Image::new()
        .text("f z/last.py 0644 def doc_id():\\n\nf app/main.py 0644 def old():\\n")
        .text(
            "f app/main.py 0644 import os\\n\\ndef doc_id(self):\\n\\treturn 1\\n\\n# doc_id\\n\nf app/empty 0644\n\
             f app/data.bin 0644 def doc_id\\n\\x00\nl app/link -> main.py\np app/fifo",
        )
        .text("f app/copy.py 0644 def doc_id():\\n\nf app/gone.py 0644 doc_id\nf app/\\x1b.py 0644 x doc_id\\x1b[2J\\xff\\x0d\\n")
        .text("w app/.wh.gone.py")
}

#[test]
fn grep_prints_path_line_and_text_in_the_order_of_paths() {
    let stage = Stage::with(&[("v1", &searchable())]);
    let outcome = stage.run("grep", &["doc_id"]).exits(0);
    let expected = "/app/\\u{1b}.py:1:x doc_id\\u{1b}[2J\\xff\\r\n/app/copy.py:1:def doc_id():\n\
                    /app/main.py:3:def doc_id(self):\n/app/main.py:6:# doc_id\n/z/last.py:1:def doc_id():\n";
    assert_eq!(outcome.stdout, expected);
    assert_eq!(outcome.stderr, "note: 1 binary file was not searched (--verbose names it)\n");
    let outcome = stage.run("grep", &["doc_id", "--verbose", "data.bin"]).exits(1);
    assert_eq!(outcome.stderr, "note: /app/data.bin is binary and was not searched\n");
}

#[test]
fn grep_knows_the_flags_of_grep() {
    let stage = Stage::with(&[("v1", &searchable())]);
    let table: [(&[&str], i32, &str); 11] = [
        (&["DOC_ID", "/app/main.py"], 1, ""),
        (&["-i", "DOC_ID(SELF", "-F", "/app/main.py"], 0, "/app/main.py:3:def doc_id(self):\n"),
        (&["-w", "doc", "/app"], 1, ""),
        (&["-l", "doc_id", "/app/main.py", "z"], 0, "/app/main.py\n/z/last.py\n"),
        (&["-c", "doc_id", "main.py", "last.py"], 0, "/app/main.py:2\n/z/last.py:1\n"),
        (&["-N", "^def", "main.py"], 0, "/app/main.py:def doc_id(self):\n"),
        (&["-A1", "^def", "main.py"], 0, "/app/main.py:3:def doc_id(self):\n/app/main.py-4-\treturn 1\n"),
        (
            &["-B", "1", "-n", "^def|#", "main.py"],
            0,
            "/app/main.py-2-\n/app/main.py:3:def doc_id(self):\n--\n/app/main.py-5-\n/app/main.py:6:# doc_id\n",
        ),
        (&["-C1", "import", "app/*.py"], 0, "/app/main.py:1:import os\n/app/main.py-2-\n"),
        (&["doc_id", "/app/link", "/app/main.py", "--quiet"], 0, ""),
        (&["old", "/app"], 1, ""),
    ];
    for (arguments, code, expected) in table {
        let outcome = stage.run("grep", arguments).exits(code);
        assert_eq!(outcome.stdout, expected, "{arguments:?}");
    }
}

#[test]
fn a_link_and_what_it_leads_to_are_searched_once() {
    let stage = Stage::with(&[("v1", &searchable())]);
    let outcome = stage.run("grep", &["import", "/app/link", "main.py", "/app"]).exits(0);
    assert_eq!(outcome.stdout, "/app/main.py:1:import os\n");
}

#[test]
fn what_cannot_be_searched_is_no_answer() {
    let stage = Stage::with(&[("v1", &searchable())]);
    for arguments in [&["a("][..], &["doc_id", "gone.py"], &["doc_id", "/nowhere"], &["x\ny"]] {
        let outcome = stage.run("grep", arguments).exits(2);
        assert!(outcome.stdout.is_empty() && outcome.stderr.starts_with("error: "), "{outcome:#?}");
    }
    let stage = Stage::of(&tampered());
    let outcome = stage.run("grep", &["honest|secret|Secret"]).exits(2);
    assert_eq!(outcome.stdout, "");
}

#[test]
fn grep_reports_lines_without_loss() {
    let stage = Stage::with(&[("v1", &searchable())]);
    let report = stage.run("grep", &["doc_id", "/app", "-A1", "--format", "json"]).exits(0).json();
    assert_eq!(report["files"][2]["path"], "/app/main.py");
    assert_eq!((&report["files"][2]["matches"], &report["files"][2]["layer"]), (&2.into(), &1.into()));
    assert_eq!(
        report["files"][2]["lines"][1],
        serde_json::json!({ "number": 4, "match": false, "text": "\treturn 1" })
    );
    assert!(report["files"][0]["lines"][0]["text"]["bytes"].is_string(), "{report:#}");
    assert_eq!(report["binary"], serde_json::json!(["/app/data.bin"]));
    let report = stage.run("grep", &["doc_id", "gone.py", "--format", "json"]).exits(2).json();
    assert_eq!(report["error"]["kind"], "no-such-file");
}

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

// --- diff ------------------------------------------------------------------------------------------------------------

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
    let outcome = stage.run("diff", &[]).exits(2);
    assert!(outcome.stderr.contains("<OTHER>"), "{outcome:#?}");
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
    let arguments = ["diff", &references[0], &references[1], "--auth-file", "auth.json"];
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
