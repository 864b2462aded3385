//! Files of Git LFS: git has a pointer, the image the contents.

use crate::rows::{NONE, hold, row};
use crate::story::{Story, built, file};
use crate::support::git::Repo;
use crate::support::layers::digest_of;
use crate::support::scene::Scene;

/// The contents of the model in one of its versions, all as long.
fn model(version: usize) -> String {
    format!("these are the weights of version {version}")
}

/// What git has of it.
fn pointer(version: usize) -> String {
    let (digest, size) = (digest_of(model(version).as_bytes()), model(version).len());
    format!("f shared/model.bin 0644 version https://git-lfs.github.com/spec/v1\\noid {digest}\\nsize {size}\\n\n")
}

/// Three versions of the model, and two of `main.py`, the last of which came with the last of the model.
fn story() -> Story {
    let mut repo = Repo::new();
    repo.write("f .gitattributes 0644 *.bin filter=lfs diff=lfs merge=lfs -text\\n\n");
    repo.write(&(file("main.py", 1) + &file("shared/a.py", 1) + &pointer(1)));
    let mut ids = vec![repo.commit("Start")];
    repo.write(&pointer(2));
    ids.push(repo.commit("Train"));
    repo.write(&file("shared/a.py", 2));
    ids.push(repo.commit("Change a"));
    repo.write(&(file("main.py", 2) + &pointer(3)));
    ids.push(repo.commit("Train again"));
    Story { scene: Scene::of(repo), ids }
}

#[test]
fn contents_are_those_of_the_commit_that_points_at_them() {
    let story = story();
    let head = story.ids[3].as_str();
    let at = |shared: &str, version: &str, main: &str| {
        let code = story.lines(shared, "shared/a.py");
        built(&format!("{code}f app/shared/model.bin 0644 {version}\n"), &story.lines(main, "main.py"))
    };
    let id = |number: usize| story.ids[number].as_str();
    hold(
        &story,
        vec![
            row(
                "current",
                at(head, &model(3), head),
                ("", NONE),
                &["shared/model.bin same-normalized"],
                &["exact 3 3", "1: exact 3 3", "2: exact 3 3"],
            ),
            row(
                "an old image",
                at(id(1), &model(2), id(1)),
                ("old-image", NONE),
                &["main.py stale 2 1", "shared/a.py stale 1 2", "shared/model.bin stale 2 1"],
                &["exact 1 1", "1: exact 1 1", "2: exact 2 0"],
            ),
            row(
                "an old layer",
                at(id(2), &model(2), head),
                ("cached-layer", NONE),
                &["shared/model.bin stale 2 1"],
                &["partial 3 3", "1: exact 2 2", "2: exact 3 3"],
            ),
            row(
                "an old file in a newer layer",
                at(head, &model(1), head),
                ("cached-layer", NONE),
                &["shared/model.bin stale 0 3"],
                &["partial 3 3", "1: partial 3 2", "2: exact 3 3"],
            ),
            row(
                "of no commit",
                at(head, &model(7), head),
                ("dirty-build", NONE),
                &["shared/model.bin modified"],
                &["partial 3 3", "1: partial 3 2", "2: exact 3 3"],
            ),
        ],
    );
}
