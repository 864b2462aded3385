//! Whether a commit's change is in an image.

use serde_json::{Value, json};

use crate::story::{Story, built, file};
use crate::support::git::Repo;
use crate::support::scene::{Scene, below, buildkit, text};

/// `verdict: path status, …`, after the exit code was checked.
fn contained(story: &Story, image: &str, commit: &str) -> String {
    let report = story.run(&["contains", image, commit, "--format", "json"]);
    let verdict = text(&report.json()["verdict"]);
    let report = report.verdict(&verdict);
    let empty = Vec::new();
    let files = report["files"].as_array().unwrap_or(&empty).iter();
    let files = files.map(|file: &Value| format!("{} {}", text(&file["repo_path"]), text(&file["status"])));
    format!("{verdict}: {}", files.collect::<Vec<_>>().join(", "))
}

#[test]
fn versions_are_placed_in_history() {
    let story = Story::new();
    let id = |number: usize| story.ids[number].as_str();
    let image = |shared: &str, main: &str| story.scene.image(&story.image(shared, main));
    let (current, old) = (image(id(5), id(5)), image(id(0), id(0)));
    let dirty = story.lines(id(5), "shared").replace("version 3 of shared/a.py", "version 8 of shared/a.py");
    let dirty = story.scene.image(&built(&dirty, &story.lines(id(5), "main.py")));
    let table = [
        (&current, 5, "contains: shared/a.py same"),
        (&current, 1, "contains: shared/a.py later"),
        (&current, 2, "contains: shared/c.py same"),
        (&current, 3, "contains: shared/b.py same"),
        (&old, 1, "lacks: shared/a.py before"),
        (&old, 2, "lacks: shared/c.py before"),
        (&old, 3, "lacks: shared/b.py before"),
        (&dirty, 5, "unknown: shared/a.py unknown"),
    ];
    for (image, commit, expected) in table {
        assert_eq!(contained(&story, image, id(commit)), expected, "{commit}");
    }
    let outcome = story.run(&["contains", &old, id(1)]).exits(1);
    assert!(
        outcome.stdout.starts_with(&format!("lacks: the change of {} is not in the image", &id(1)[..7])),
        "{outcome:?}"
    );
    story.run(&["contains", &old, "nowhere"]).exits(2);
}

#[test]
fn reverts_branches_merges_and_renames() {
    let mut story = Story::new();
    let repo = &mut story.scene.repo;
    repo.write(&(file("shared/util.py", 2) + &file("main.py", 3)));
    let change = repo.commit("Change two");
    repo.write(&file("shared/util.py", 1));
    let revert = repo.commit("Revert util");
    repo.git(&["mv", "shared/c.py", "shared/renamed.py"]);
    let rename = repo.commit("Rename c");
    repo.git(&["checkout", "-q", "-b", "side", "HEAD~3"]);
    repo.write(&file("shared/util.py", 5));
    let side = repo.commit("Side");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("f docs/x.md 0644 only words\\n");
    let words = repo.commit("Words");
    repo.git(&["checkout", "-q", "-b", "other", "HEAD~1"]);
    repo.write(&file("shared/new.py", 1));
    repo.commit("New");
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-ff", "-m", "Merge other", "other"]);
    let merge = repo.git(&["rev-parse", "HEAD"]);
    let image = |revision: &str| story.scene.image(&story.image(revision, revision));
    let (current, before, side_image) = (image("HEAD"), image(&revert), image(&side));
    let table = [
        (&current, &change, "partly: main.py same, shared/util.py reverted"),
        (&current, &revert, "contains: shared/util.py same"),
        (&current, &rename, "contains: shared/c.py same, shared/renamed.py same"),
        (&before, &rename, "lacks: shared/c.py before, shared/renamed.py before"),
        (&side_image, &change, "lacks: main.py before, shared/util.py apart"),
        (&current, &merge, "contains: shared/new.py same"),
        (&before, &merge, "lacks: shared/new.py before"),
        (&current, &side, "lacks: shared/util.py before"),
    ];
    for (image, commit, expected) in table {
        assert_eq!(contained(&story, image, commit), expected, "{commit}");
    }
    let outcome = story.run(&["contains", &current, &words, "--format", "json"]).exits(2);
    assert_eq!(outcome.json()["verdict"], "unknown", "{outcome:?}");
}

#[test]
fn a_deleted_directory_is_looked_for_where_it_was() {
    let mut story = Story::new();
    story.scene.repo.write(&file("shared/deep/x.py", 1));
    let added = story.scene.repo.commit("Add deep");
    story.scene.repo.remove("shared/deep");
    let deleted = story.scene.repo.commit("Delete deep");
    let image = story.scene.image(&story.image("HEAD", "HEAD"));
    assert_eq!(contained(&story, &image, &deleted), "contains: shared/deep/x.py same");
    assert_eq!(contained(&story, &image, &added), "lacks: shared/deep/x.py reverted");
}

#[test]
fn a_file_of_one_platform_is_looked_at() {
    let mut story = Story::new();
    let (shared, main) = (story.lines("HEAD", "shared"), story.lines("HEAD", "main.py"));
    let both = built(&shared, &main);
    let alone = buildkit(&[("COPY shared/ ./shared/", &shared)]).platform("linux/arm64");
    let index = story.scene.index(&[both, alone]);
    assert_eq!(contained(&story, &index, &story.ids[4]), "contains: main.py same");
    let report = story.run(&["contains", &index, &story.ids[4], "--format", "json"]).json();
    assert_eq!(report["unmapped"], json!([]));
    story.scene.repo.write(&(file("main.py", 3) + "f docs/x.md 0644 only words\\n\n"));
    let words = story.scene.repo.commit("Words and code");
    let report = story.run(&["contains", &index, &words, "--format", "json"]).json();
    assert_eq!((text(&report["verdict"]), &report["unmapped"]), ("lacks".to_owned(), &json!(["docs/x.md"])));
}

#[test]
fn converted_files_are_those_of_git() {
    let mut repo = Repo::new();
    repo.write(&format!("f .gitattributes 0644 *.py text eol=crlf\\n\n{}", file("shared/a.py", 1)));
    repo.commit("Start");
    repo.write(&(file("shared/a.py", 2) + &file("shared/b.py", 1) + &file("shared/c.py", 1)));
    repo.commit("Change");
    let story = Story { scene: Scene::of(repo), ids: Vec::new() };
    let converted = |path: &str, version| below("app", &file(path, version)).replace("\\n\n", "\\x0d\\n\n");
    let shared = converted("shared/a.py", 1) + &converted("shared/b.py", 1) + &converted("shared/c.py", 9);
    let image = story.scene.image(&built(&shared, ""));
    let expected = "partly: shared/a.py before, shared/b.py same, shared/c.py unknown";
    assert_eq!(contained(&story, &image, "HEAD"), expected);
}
