//! Images against git, line by line.

use crate::story::{Story, built};
use crate::support::cli::Shipproof;
use crate::support::git::Repo;
use crate::support::scene::{Scene, untold};

#[test]
fn lines_are_shown_as_git_shows_them() {
    let story = Story::new();
    let image = story.scene.image(&story.image(&story.ids[4], &story.ids[5]));
    let diff = "--- a/shared/a.py\n+++ b/app/shared/a.py\n@@ -1 +1 @@\n-# this is version 3 of shared/a.py\n\
                +# this is version 2 of shared/a.py\n";
    assert_eq!(story.run(&["diff", &image]).exits(1).stdout, diff);
    assert_eq!(story.run(&["diff", &image, "shared/a.py"]).exits(1).stdout, diff);
    assert_eq!(story.run(&["diff", &image, "main.py"]).exits(0).stdout, "");
    assert_eq!(story.run(&["diff", &image, "--name-only"]).exits(1).stdout, "shared/a.py\n");
    story.run(&["diff", &image, "nowhere.py"]).exits(2);
    story.run(&["diff", &image, "web/@types/x.ts"]).exits(2);
    let verified = story.run(&["verify", &image, "--diff"]).exits(1).stdout;
    assert!(verified.ends_with(&format!("\n\n{diff}")), "{verified}");
    let short = story.run(&["diff", &image, "--max-diff-lines", "1"]).exits(1).stdout;
    assert!(short.ends_with("@@ -1 +1 @@\n  and 2 more lines (--max-diff-lines N shows them)\n"), "{short}");
    let current = story.scene.image(&story.image("HEAD", "HEAD"));
    assert_eq!(story.run(&["diff", &current]).exits(0).stdout, "");
}

#[test]
fn what_is_no_text_and_what_is_on_one_side_only_is_a_line() {
    let story = Story::new();
    let shared = story.lines("HEAD", "shared");
    let main = story.lines("HEAD", "main.py");
    let binary = shared.replace("# this is version 3 of shared/a.py", "\\x00\\x01");
    let missing = binary.replace("f app/shared/c.py", "f app/shared/z.pyc");
    let image = story.scene.image(&built(&(missing + &story.lines(&story.ids[0], "shared/b.py")), &main));
    let shown = story.run(&["diff", &image]).exits(1).stdout;
    let expected = "a/shared/a.py and b/app/shared/a.py differ, and are no text or too large to be shown\n\
                    only in the image: /app/shared/b.py\nonly in git: shared/c.py\n";
    assert_eq!(shown, expected);
    let hostile = shared.replace("# this is version 3 of shared/a.py", "\\x1b[31mred\\x07");
    let shown = story.run(&["diff", &story.scene.image(&built(&hostile, &main))]).exits(1).stdout;
    assert!(shown.contains("+\\u{1b}[31mred\\u{7}\n") && !shown.contains('\x1b'), "{shown:?}");
}

/// The hunks of a diff without the names before them, and without the words that git adds to the places.
fn hunks(diff: &str) -> Vec<String> {
    let place = |line: &str| match line.strip_prefix("@@ ").and_then(|rest| rest.split_once(" @@")) {
        Some((place, _)) => format!("@@ {place} @@"),
        None => line.to_owned(),
    };
    diff.lines().skip_while(|line| !line.starts_with("@@ ")).map(place).collect()
}

#[test]
fn git_shows_the_same_lines() {
    let lines: Vec<String> = (1..=30).map(|number| format!("line {number}")).collect();
    let all = lines.join("\n") + "\n";
    let table = [
        all.replace("line 15\n", "changed\n"),
        all.replace("line 5\n", "").replace("line 20\n", "line 20\nadded\nadded again\n"),
        all.replace("line 10\n", "changed\n").replace("line 17\n", "changed\n"),
        format!("first\n{all}"),
        all.trim_end().to_owned(),
        format!("{all}last"),
        all.replace("line 30\n", ""),
    ];
    let text = |content: &str| content.replace('\n', "\\n");
    let scene = Scene::of(Repo::with(&format!("f a.txt 0644 {}\n", text(&all))));
    for content in table {
        scene.repo.write(&format!("f a.txt 0644 {}\n", text(&content)));
        let expected = scene.repo.git(&["diff", "--no-color", "--no-ext-diff", "--diff-algorithm=myers", "HEAD"]);
        let image = scene.image(&untold(&format!("f app/a.txt 0644 {}\n", text(&content))));
        let shown = Shipproof::new().directory(scene.repo.path());
        let shown = shown.run(&["diff", &image, "--map", "/app=."]).exits(1).stdout;
        assert_eq!(hunks(&shown), hunks(&expected), "{content}");
    }
}

#[test]
fn what_is_no_text_in_git_is_not_shown_either() {
    let scene = Scene::new("f a.txt 0644 \\x00\\x01\nf b.txt 0644 text\\n\n");
    let image = scene.image(&untold("f app/a.txt 0644 text\\n\nf app/b.txt 0644 text\\n\n"));
    let shown = Shipproof::new().directory(scene.repo.path());
    let shown = shown.run(&["diff", &image, "--map", "/app=."]).exits(1).stdout;
    assert_eq!(shown, "a/a.txt and b/app/a.txt differ, and are no text or too large to be shown\n");
}

#[test]
fn modes_are_differences_only_where_they_count() {
    let story = Story::new();
    let main = story.lines("HEAD", "main.py").replace(" 0644 ", " 0755 ");
    let image = story.scene.image(&built(&story.lines("HEAD", "shared"), &main));
    assert_eq!(story.run(&["diff", &image]).exits(0).stdout, "");
    let strict = story.run(&["diff", &image, "--strict"]).exits(1).stdout;
    assert_eq!(strict, "executable on one side only: main.py\n");
}

#[test]
fn line_endings_of_a_checkout_are_no_changes() {
    let lines = |end: &str| format!("one{end}two{end}three{end}");
    let scene = Scene::new(&format!(
        "f .gitattributes 0644 kept.txt -text\\n\nf a.txt 0644 {0}\nf kept.txt 0644 {0}\n",
        lines("\\n")
    ));
    let changed = lines("\\x0d\\n").replace("two", "2");
    let files = format!("f app/a.txt 0644 {changed}\nf app/kept.txt 0644 {changed}\n");
    let image = scene.image(&untold(&files));
    let shipproof = Shipproof::new().directory(scene.repo.path());
    let run = |command: &str, more: &[&str]| {
        let map = ["--map", "/app=."];
        shipproof.run(&[&[command, &image][..], &map, more].concat()).exits(1).stdout
    };
    let header = "--- a/a.txt\n+++ b/app/a.txt\n@@ -1,3 +1,3 @@\n";
    let expected = format!("{header} one\n-two\n+2\n three\n");
    assert_eq!(run("diff", &["a.txt"]), expected);
    assert!(run("verify", &["a.txt", "--diff"]).ends_with(&expected));
    assert!(run("verify", &["a.txt"]).contains("2 lines added or removed"));
    // Where git takes every byte as it is, each line differs.
    assert!(run("diff", &["kept.txt"]).contains("-one\n-two\n-three\n+one"));
    // The work tree may be the one that was converted.
    scene.repo.write(&format!("f a.txt 0644 {}\n", lines("\\x0d\\n")));
    assert_eq!(run("diff", &["a.txt", "--worktree"]), expected);
}
