//! `grep`

use super::stage::{Stage, tampered};
use super::support::images::Image;

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
    assert!(outcome.stderr.contains("note: /app/data.bin is binary and was not searched\n"), "{outcome:#?}");
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
