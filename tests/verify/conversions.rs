//! What a checkout makes of git's files, and what no program may be run to find out.

use serde_json::json;

use crate::scene::{Scene, below, findings, text, untold};
use crate::support::git::Repo;
use crate::support::layers::digest_of;

/// Holds the image's `app` directory against the repository, all of it.
fn judge(repo: &str, image: &str, verdict: &str) -> Vec<String> {
    let scene = Scene::new(repo);
    let image = scene.image(&untold(&below("app", image)));
    findings(&scene.report(&image, &["--map", "/app=."], verdict))
}

#[test]
fn line_endings_of_a_checkout_agree_unless_attributes_forbid() {
    let unix = "one\\ntwo\\nthree\\n";
    let dos = "one\\x0d\\ntwo\\x0d\\nthree\\x0d\\n";
    let mixed = "one\\x0d\\ntwo\\nthree\\x0d\\n";
    let table = [
        ("* text=auto", unix, dos, "same-normalized"),
        ("* text=auto eol=crlf", unix, dos, "same-normalized"),
        ("* text", unix, dos, "same-normalized"),
        ("* text=auto", unix, mixed, "same-normalized"),
        ("# no attributes at all", unix, dos, "same-normalized"),
        ("* -text", unix, dos, "modified"),
        ("* binary", unix, dos, "modified"),
        ("*.txt -text", unix, dos, "modified"),
        ("*.md -text", unix, dos, "same-normalized"),
        // CRLF that git itself holds stays as it is, and LF in its place is another file.
        ("# none", dos, unix, "modified"),
        ("# none", "\\x00bin\\nary\\n", "\\x00bin\\x0d\\nary\\x0d\\n", "modified"),
        // More than the line endings is different.
        ("* text=auto", unix, "one\\x0d\\ntwo\\x0d\\nthrew\\x0d\\n", "modified"),
        ("* text=auto", unix, "one\\x0d\\x0d\\ntwo\\x0d\\nthree\\x0d\\n", "modified"),
        ("* text=auto", unix, "one\\n\\x0d\\ntwo\\nthree\\n", "modified"),
    ];
    for (attributes, git, image, status) in table {
        let attributes = format!("f .gitattributes 0644 {attributes}\\n\n");
        let repo = format!("{attributes}f a.txt 0644 {git}\n");
        let verdict = if status == "modified" { "mismatch" } else { "match" };
        let found = judge(&repo, &format!("{attributes}f a.txt 0644 {image}\n"), verdict);
        assert_eq!(found, [format!("a.txt {status}")], "{repo} {image}");
    }
}

#[test]
fn the_report_says_that_and_how_a_file_was_converted() {
    let scene = Scene::new("f .gitattributes 0644 *.py ident\\n\nf a.py 0644 # $Id$\\nx = 1\\n\nf b.txt 0644 b\\n\n");
    let layer = "f app/.gitattributes 0644 *.py ident\\n
        f app/a.py 0644 # $Id: 0123456789abcdef0123456789abcdef01234567 $\\nx = 1\\n
        f app/b.txt 0644 b\\x0d\\n";
    let image = scene.image(&untold(layer));
    let report = scene.report(&image, &["--map", "/app=."], "match");
    assert_eq!(findings(&report), ["a.py same-normalized", "b.txt same-normalized"]);
    assert_eq!(report["counts"], json!({ "compared": 3, "same": 1, "same-normalized": 2 }));
    let notes = report["findings"].as_array().expect("an array").iter().map(|one| text(&one["note"]));
    assert_eq!(notes.collect::<Vec<_>>(), ["equal but for $Id$ keywords", "equal but for line endings"]);
    let outcome = scene.verify(&image, &["--map", "/app=."]).exits(0);
    assert!(outcome.stdout.contains("same-normalized  a.py"), "{outcome:?}");
    let other = scene.image(&untold(&layer.replace("x = 1", "x = 2")));
    assert_eq!(findings(&scene.report(&other, &["a.py"], "mismatch")), ["a.py modified"]);
}

const BYTES: &str = "these are the real bytes of the model";

fn pointer() -> String {
    let digest = digest_of(BYTES.as_bytes());
    format!("version https://git-lfs.github.com/spec/v1\\noid {digest}\\nsize {}\\n", BYTES.len())
}

#[test]
fn an_lfs_pointer_stands_for_its_bytes() {
    let attributes = "f .gitattributes 0644 *.bin filter=lfs diff=lfs merge=lfs -text\\n\n";
    let with = |content: &str| format!("{attributes}f model.bin 0644 {content}\n");
    let repo = with(&pointer());
    assert_eq!(judge(&repo, &with(BYTES), "match"), ["model.bin same-normalized"]);
    assert_eq!(judge(&repo, &with(&BYTES.replace("real", "rael")), "mismatch"), ["model.bin modified"]);
    assert_eq!(judge(&repo, &with("short"), "mismatch"), ["model.bin modified"]);
    // A file that only looks like a pointer is none without the attribute.
    let plain = format!("f model.bin 0644 {}\n", pointer());
    assert_eq!(judge(&plain, &format!("f model.bin 0644 {BYTES}\n"), "mismatch"), ["model.bin modified"]);
}

#[test]
fn an_lfs_file_in_the_work_tree_is_compared_as_it_lies_there() {
    let attributes = "f .gitattributes 0644 *.bin filter=lfs diff=lfs merge=lfs -text\\n\n";
    let scene = Scene::new(&format!("{attributes}f model.bin 0644 {}\n", pointer()));
    let image =
        |content: &str| scene.image(&untold(&below("app", &format!("{attributes}f model.bin 0644 {content}\n"))));
    let flags = ["--worktree", "--map", "/app=."];
    // Not fetched here, but where the image was built.
    assert_eq!(findings(&scene.report(&image(BYTES), &flags, "match")), ["model.bin same-normalized"]);
    scene.repo.write(&format!("f model.bin 0644 {BYTES}"));
    assert_eq!(findings(&scene.report(&image(BYTES), &flags, "match")), [] as [&str; 0]);
    assert_eq!(findings(&scene.report(&image("other bytes"), &flags, "mismatch")), ["model.bin modified"]);
}

#[test]
fn a_filter_is_a_program_and_never_run() {
    let attributes = "f .gitattributes 0644 *.key filter=vault\\n\n";
    let repo = Repo::with(&format!("{attributes}f a.key 0644 encrypted\nf b.txt 0644 plain\\n\n"));
    let marker = repo.beside("it-ran");
    for direction in ["clean", "smudge", "process"] {
        let command = format!("touch '{}'; cat", marker.display());
        repo.git(&["config", &format!("filter.vault.{direction}"), &command]);
    }
    let scene = Scene::of(repo);
    let image = |key: &str, plain: &str| {
        let layer = format!("{attributes}f a.key 0644 {key}\nf b.txt 0644 {plain}\\n\n");
        scene.image(&untold(&below("app", &layer)))
    };
    let map = ["--map", "/app=."];
    let report = scene.report(&image("decrypted", "plain"), &map, "unknown");
    assert_eq!(report["error"]["kind"], "filtered");
    assert_eq!(
        report["error"]["message"],
        "a.key could not be judged: the git filter `vault` is a program, and none is run"
    );
    let outcome = scene.verify(&image("decrypted", "plain"), &map).exits(2);
    assert!(outcome.stderr.contains("hint: --worktree compares with the checkout"), "{outcome:?}");
    // The same bytes need no judgement, and a file that surely differs settles it.
    scene.report(&image("encrypted", "plain"), &map, "match");
    let report = scene.report(&image("decrypted", "edited"), &map, "mismatch");
    assert_eq!(findings(&report), ["b.txt modified"]);
    assert!(text(&report["warnings"]).contains("a.key could not be judged"), "{report}");
    // As the hint says: in the checkout the filter has been applied.
    scene.repo.write("f a.key 0644 decrypted");
    let flags = ["--worktree", "--map", "/app=."];
    scene.report(&image("decrypted", "plain"), &flags, "match");
    assert_eq!(findings(&scene.report(&image("other", "plain"), &flags, "mismatch")), ["a.key modified"]);
    assert!(!marker.exists(), "the filter was run");
}
