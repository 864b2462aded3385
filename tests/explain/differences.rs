//! Images against git, line by line.

use crate::story::{Story, built};

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
