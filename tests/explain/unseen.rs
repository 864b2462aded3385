//! What the builder did not see: changes that leave size and time as they were, and files that `.dockerignore` hides.

use serde_json::Value;

use crate::rows::{NONE, hold, row};
use crate::story::{Story, built, file};
use crate::support::scene::text;

fn evidence(report: &Value) -> Vec<String> {
    report["cause"]["evidence"].as_array().expect("a cause has evidence").iter().map(text).collect()
}

#[test]
fn a_change_of_neither_size_nor_time_goes_unseen() {
    let mut story = Story::new();
    story.scene.repo.write("f shared/util.py 0644 # this is a longer version 2 of shared/util.py\\n\n");
    story.ids.push(story.scene.repo.commit("Lengthen util"));
    let (shared, main) = (story.lines("HEAD", "shared"), story.lines("HEAD", "main.py"));
    // The cache has the step of the first commit, and takes over from it what it takes for unchanged.
    let old = |lines: &str, path: &str| lines.replace(&story.lines("HEAD", path), &story.lines(&story.ids[0], path));
    let equal = old(&shared, "shared/a.py");
    let both = old(&equal, "shared/util.py");
    let report = story.scene.report(&story.scene.image(&built(&equal, &main)), &[], "mismatch");
    let short = &story.ids[6][..7];
    let expected = [
        format!("shared/a.py is an earlier version, beside files of {short} in the same layer"),
        "shared/a.py has the same size in both versions; a builder that compares size and time alone does not see such \
         a change"
            .to_owned(),
    ];
    assert_eq!(evidence(&report), expected);
    assert_eq!(
        text(&report["cause"]["hint"]),
        "touch the files and build again without the cache (docker build --no-cache)"
    );
    let identity = &["partial 6 6", "1: partial 6 6", "2: exact 6 4"];
    hold(
        &story,
        vec![
            row("of equal size", built(&equal, &main), ("cached-layer", NONE), &["shared/a.py stale 0 6"], identity),
            // A cache would have seen one of the two.
            row(
                "one of equal size and one of another",
                built(&both, &main),
                ("dirty-build", NONE),
                &["shared/a.py stale 0 6", "shared/util.py stale 5 1"],
                &["partial 5 4", "1: partial 5 2", "2: exact 6 4"],
            ),
        ],
    );
}

#[test]
fn what_dockerignore_hides_is_missing_and_that_is_why() {
    let mut story = Story::new();
    story.scene.repo.write("f shared/.dockerignore 0644 c.py\\n.dockerignore\\n\n");
    story.ids.push(story.scene.repo.commit("Ignore c"));
    // By the repository's top nothing is ignored, but the directory was built by itself.
    let shared = story.lines("HEAD", "shared").replace(&story.lines("HEAD", "shared/c.py"), "");
    let shared = shared.replace(&story.lines("HEAD", "shared/.dockerignore"), "");
    let image = built(&shared, &story.lines("HEAD", "main.py"));
    let findings = &["shared/.dockerignore missing", "shared/c.py missing"];
    // Before the last commit there was one file less to miss.
    let identity = &["partial 5 5", "1: partial 5 5", "2: exact 6 4"];
    let report = story.scene.report(&story.scene.image(&image), &[], "mismatch");
    let notes = report["findings"].as_array().expect("a report has findings").iter().map(|one| text(&one["note"]));
    // An image of an older commit may have been built by another file of that name.
    let note = format!("no layer has it: shared/.dockerignore of {} keeps it out of builds", &story.ids[6][..7]);
    assert_eq!(notes.collect::<Vec<_>>(), [note.as_str(); 2]);
    assert_eq!(evidence(&report), [format!("shared/.dockerignore: {note}")]);
    hold(&story, vec![row("hidden by its directory", image, ("missing-files", NONE), findings, identity)]);
}

#[test]
fn a_file_that_was_named_and_is_hidden_is_not_asked_to_be_mapped() {
    let mut story = Story::new();
    story.scene.repo.write("f .dockerignore 0644 **/util.py\\n.dockerignore\\n\n");
    story.ids.push(story.scene.repo.commit("Ignore util"));
    let shared = story.lines("HEAD", "shared").replace(&story.lines("HEAD", "shared/util.py"), "");
    let image = story.scene.image(&built(&shared, &story.lines("HEAD", "main.py")));
    story.scene.report(&image, &[], "match");
    for arguments in [&["shared/util.py"][..], &["util.py"], &["shared/util.py", "--map", "/app=."]] {
        let outcome = story.scene.verify(&image, arguments).exits(2);
        let expected =
            format!("error: `{}` is in the repository, but .dockerignore keeps it out of builds\n", arguments[0]);
        assert_eq!((outcome.stdout.as_str(), outcome.stderr), ("", expected));
    }
}

#[test]
fn a_step_that_copies_other_files_is_not_blamed_for_one_that_is_missing() {
    let mut story = Story::new();
    story.scene.repo.write(&(file("top.py", 1) + &file("shared/a.py", 4)));
    story.ids.push(story.scene.repo.commit("Add top and change a"));
    let image = story.scene.image(&story.image("HEAD", "HEAD"));
    let report = story.scene.report(&image, &["--map", "/app=."], "mismatch");
    assert_eq!(story.findings(&report), ["top.py missing"]);
    assert_eq!(report["cause"]["kind"], "missing-files", "{report:#}");
    assert_eq!(story.identity(&image, &["--map", "/app=."]), ["partial 6 6", "1: exact 6 6", "2: exact 6 4"]);
}
