//! Images and what is to be said of them: cause, findings with their commits, the commits of the image and its layers.

use crate::rows::{NONE, Row, hold, row};
use crate::story::{Story, built};
use crate::support::images::Image;
use crate::support::scene::{buildkit, text};

#[test]
fn images_of_one_commit() {
    let story = Story::new();
    let at = |number: usize| story.image(&story.ids[number], &story.ids[number]);
    let mut rows = vec![
        row("current", at(5), ("", NONE), &[], &["exact 5 5", "1: exact 5 5", "2: exact 5 4"]),
        row(
            "before the last change",
            at(4),
            ("old-image", NONE),
            &["shared/a.py stale 4 1"],
            &["exact 4 4", "1: exact 4 3", "2: exact 5 4"],
        ),
        row(
            "before a file was deleted",
            at(2),
            ("old-image", NONE),
            &["main.py stale 3 2", "shared/a.py stale 4 1", "/app/shared/b.py leftover 2 3"],
            &["exact 2 2", "1: exact 2 2", "2: exact 3 0"],
        ),
        row(
            "before a file was added",
            at(1),
            ("old-image", NONE),
            &["main.py stale 3 2", "shared/a.py stale 4 1", "/app/shared/b.py leftover 2 3", "shared/c.py missing"],
            &["exact 1 1", "1: exact 1 1", "2: exact 3 0"],
        ),
    ];
    rows.push(Row {
        arguments: &["--rev", "HEAD~2"],
        ..row(
            "newer than what is asked for",
            at(5),
            ("newer-image", NONE),
            &["main.py other 5 null", "shared/a.py other 5 null"],
            &["exact 5 5", "1: exact 5 5", "2: exact 5 4"],
        )
    });
    hold(&story, rows);
}

#[test]
fn layers_from_the_cache() {
    let story = Story::new();
    let id = |number: usize| story.ids[number].as_str();
    let three = {
        let util = story.lines(id(5), "shared/util.py");
        let a = story.lines(id(0), "shared/a.py");
        let c = story.lines(id(5), "shared/c.py");
        crate::support::scene::buildkit(&[
            ("COPY shared/a.py ./shared/", &a),
            ("COPY shared/util.py shared/c.py ./shared/", &(util + &c)),
            ("COPY main.py ./", &story.lines(id(1), "main.py")),
        ])
    };
    let rows = vec![
        row(
            "one old layer",
            story.image(id(3), id(5)),
            ("cached-layer", NONE),
            &["shared/a.py stale 4 1"],
            &["exact 4 4", "1: exact 4 3", "2: exact 5 4"],
        ),
        row(
            "the other old layer",
            story.image(id(5), id(1)),
            ("cached-layer", NONE),
            &["main.py stale 3 2"],
            &["partial 5 5", "1: exact 5 5", "2: exact 3 0"],
        ),
        row(
            "two old layers of different ages",
            three,
            ("cached-layer", NONE),
            &["main.py stale 3 2", "shared/a.py stale 0 5"],
            &["partial 3 2", "1: exact 0 0", "2: exact 5 2", "3: exact 3 0"],
        ),
    ];
    let mut rows = rows;
    // All that the old layer has is that of the commit before, and so is the rest.
    rows[0].cause = "old-image";
    hold(&story, rows);
}

#[test]
fn files_that_are_old_unknown_or_not_there() {
    let story = Story::new();
    let head = story.ids[5].as_str();
    let (shared, main) = (story.lines(head, "shared"), story.lines(head, "main.py"));
    let old_a = story.lines(&story.ids[1], "shared/a.py");
    let new_a = story.lines(head, "shared/a.py");
    let dirty = shared.replace("version 1 of shared/util.py", "version 7 of shared/util.py");
    let without = shared.replace("f app/shared/util.py", "f app/shared/__pycache__/util.pyc");
    let removed = built(&shared, &main).text("w app/shared/.wh.util.py\n");
    let rows = vec![
        row(
            "a stale file of equal size in a current layer",
            built(&(shared.replace(&new_a, "") + &old_a), &story.lines(&story.ids[0], "main.py")).text(&main),
            ("old-image", NONE),
            &["shared/a.py stale 4 1"],
            &["exact 4 4", "1: exact 4 3", "3: exact 5 4"],
        ),
        row(
            "uncommitted",
            built(&dirty, &main),
            ("dirty-build", NONE),
            &["shared/util.py modified"],
            &["partial 5 5", "1: partial 5 5", "2: exact 5 4"],
        ),
        row(
            "never copied",
            built(&without, &main),
            ("missing-files", NONE),
            &["/app/shared/__pycache__/util.pyc untracked", "shared/util.py missing"],
            &["partial 5 5", "1: partial 5 5", "2: exact 5 4"],
        ),
        row(
            "removed by a later step",
            removed,
            ("missing-files", NONE),
            &["shared/util.py missing"],
            &["partial 5 5", "1: exact 5 5", "2: exact 5 4"],
        ),
    ];
    hold(&story, rows);
}

#[test]
fn files_of_elsewhere_and_several_accidents_at_once() {
    let story = Story::new();
    let head = story.ids[5].as_str();
    let (shared, main) = (story.lines(head, "shared"), story.lines(head, "main.py"));
    let leftover = shared.clone() + &story.lines(&story.ids[0], "shared/b.py");
    let moved = shared.replace("version 1 of shared/util.py", "version 1 of shared/c.py");
    let dirty = shared.replace("version 1 of shared/util.py", "version 7 of shared/util.py");
    let both = dirty.replace("f app/shared/c.py", "f app/shared/node_modules/c.py");
    let generated = "f app/shared/__pycache__/a.pyc 0644 x\nf app/shared/node_modules/x/index.js 0644 x\n";
    let rows = vec![
        row(
            "left over",
            built(&leftover, &main),
            ("leftover-files", NONE),
            &["/app/shared/b.py leftover 2 3"],
            &["partial 5 5", "1: partial 5 5", "2: exact 5 4"],
        ),
        row(
            "the bytes of another file",
            built(&moved, &main),
            ("mixed", NONE),
            &["shared/util.py other 5 0"],
            &["partial 5 5", "1: partial 5 5", "2: exact 5 4"],
        ),
        row(
            "two causes at once",
            built(&both, &main),
            ("mixed", &["dirty-build", "missing-files"]),
            &["shared/c.py missing", "/app/shared/node_modules/c.py untracked", "shared/util.py modified"],
            &["partial 5 5", "1: partial 5 5", "2: exact 5 4"],
        ),
        row(
            "generated files",
            built(&(shared.clone() + generated), &main),
            ("", NONE),
            &["/app/shared/__pycache__/a.pyc untracked", "/app/shared/node_modules/x/index.js untracked"],
            &["exact 5 5", "1: exact 5 5", "2: exact 5 4"],
        ),
    ];
    hold(&story, rows);
}

#[test]
fn reasons_are_told() {
    let story = Story::new();
    let head = story.ids[5].as_str();
    let (shared, main) = (story.lines(head, "shared"), story.lines(head, "main.py"));
    let note = |image: &Image, arguments: &[&str]| {
        let report = story.scene.report(&story.scene.image(image), arguments, "mismatch");
        text(&report["findings"][0]["note"])
    };
    let dirty = built(&shared.replace("version 1 of shared/util.py", "version 7 of shared/util.py"), &main);
    let short = &head[..7];
    assert_eq!(note(&dirty, &[]), format!("in no commit; nearest to that of {short}, 2 lines added or removed"));
    let removed = built(&shared, &main).text("w app/shared/.wh.util.py\n");
    assert_eq!(note(&removed, &[]), "layer 1 put it there and layer 3 removed it");
    let covered = built(&shared, &main).text("f app/shared 0644 no directory any more\\n\n");
    let report = story.scene.report(&story.scene.image(&covered), &[], "mismatch");
    let removed = |finding: &serde_json::Value| {
        finding["status"] == "missing" && finding["note"] == "layer 1 put it there and layer 3 removed it"
    };
    assert!(report["findings"].as_array().expect("findings").iter().any(removed), "{report:#}");
    let without = built(&shared.replace("f app/shared/util.py", "f app/shared/x.pyc"), &main);
    assert_eq!(note(&without, &[]), "no layer has it: it was not copied");
    let made_early = |config: &mut serde_json::Value| {
        for entry in config["history"].as_array_mut().expect("a history") {
            entry["created"] = "2026-01-02T12:00:00Z".into();
        }
    };
    let young = built(&shared.replace("f app/shared/c.py", "f app/shared/x.pyc"), &main).edit(made_early);
    let added = &story.ids[2][..7];
    assert_eq!(
        note(&young, &[]),
        format!("{added} added it at 2026-01-03T00:00:00Z (\"Add c\"), later than its layer was made")
    );
    let leftover = built(&(shared + &story.lines(&story.ids[0], "shared/b.py")), &main);
    let report = story.scene.report(&story.scene.image(&leftover), &[], "mismatch");
    assert_eq!(
        text(&report["findings"][0]["note"]),
        format!("{} deleted it from git: \"Delete b\"", &story.ids[3][..7])
    );
    // One file alone does not tell an old image from an old layer.
    let old = story.scene.image(&story.image(&story.ids[3], head));
    let report = story.scene.report(&old, &["shared/a.py"], "mismatch");
    assert_eq!(report["cause"]["parts"], serde_json::json!(["old-image", "cached-layer"]));
}

#[test]
fn a_file_that_was_removed_by_another_of_its_names_was_there() {
    let story = Story::new();
    let behind_link = |lines: String| lines.replace("f app/", "f srv/");
    let (shared, main) = (behind_link(story.lines("HEAD", "shared")), behind_link(story.lines("HEAD", "main.py")));
    let steps = [
        ("RUN ln -s srv /app", "d srv\nl app -> srv\n"),
        ("COPY shared/ ./shared/", &shared),
        ("COPY main.py ./", &main),
    ];
    let table = [
        ("the file by the link", "w app/shared/.wh.util.py\n", 1),
        ("the file by its real path", "w srv/shared/.wh.util.py\n", 1),
        ("its directory by the link", "w app/.wh.shared\n", 3),
        ("what its directory holds", "w app/shared/.wh..wh..opq\n", 3),
    ];
    for (name, removal, count) in table {
        let image = story.scene.image(&buildkit(&steps).text(removal));
        let report = story.scene.report(&image, &[], "mismatch");
        let findings = report["findings"].as_array().expect("findings");
        assert_eq!(findings.len(), count, "{name}: {report:#}");
        for finding in findings {
            let said = (text(&finding["status"]), text(&finding["note"]));
            let expected = ("missing".to_owned(), "layer 2 put it there and layer 4 removed it".to_owned());
            assert_eq!(said, expected, "{name}: {report:#}");
        }
        assert_eq!(report["cause"]["kind"], "missing-files", "{name}: {report:#}");
    }
}
