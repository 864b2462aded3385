//! What images say of their source, held against their files.

use serde_json::{Value, json};

use crate::story::Story;
use crate::support::images::{Image, Layout};
use crate::support::scene::text;

/// The claims of a report as `source agrees`.
fn judged(report: &Value) -> Vec<String> {
    let claims = report["claims"].as_array().expect("a report has claims");
    claims.iter().map(|claim| format!("{} {}", text(&claim["source"]), claim["agrees"])).collect()
}

#[test]
fn revisions_agree_or_not_or_cannot_be_judged() {
    let story = Story::new();
    story.scene.repo.git(&["tag", "v1.2.0"]);
    let (head, before) = (story.ids[5].clone(), story.ids[4].clone());
    let dirty = format!("{head}-dirty");
    // What is said, and whether the image of HEAD agrees.
    let table = [
        (head.as_str(), json!(true)),
        (&head[..8], json!(true)),
        (before.as_str(), json!(false)),
        (&before[..7], json!(false)),
        (dirty.as_str(), json!(true)),
        ("main", json!(true)),
        ("v1.2.0", json!(true)),
        ("", json!(null)),
        ("$COMMIT_SHA", json!(null)),
        ("0123456789abcdef0123456789abcdef01234567", json!(null)),
    ];
    for (value, agrees) in table {
        let image = story.image(&head, &head);
        let image = image.label("org.opencontainers.image.revision", value).env("GIT_COMMIT", value);
        let report = story.scene.report(&story.scene.image(&image), &[], "match");
        let expected =
            [format!("label org.opencontainers.image.revision {agrees}"), format!("env GIT_COMMIT {agrees}")];
        assert_eq!(judged(&report), expected, "{value}: {report:#}");
    }
}

#[test]
fn every_family_is_read() {
    let story = Story::new();
    let (head, before) = (story.ids[5].clone(), story.ids[4].clone());
    let labels = ["org.opencontainers.image.revision", "org.label-schema.vcs-ref", "commit-sha", "git-commit"];
    let variables = ["GIT_COMMIT", "COMMIT_SHA", "SOURCE_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "SHORT_SHA"];
    let with = |id: &str| {
        let image = labels.iter().fold(story.image(&head, &head), |image, name| image.label(name, id));
        variables.iter().fold(image, |image, name| image.env(name, id))
    };
    for (id, agrees) in [(&head, true), (&before, false)] {
        let report = story.scene.report(&story.scene.image(&with(id)), &[], "match");
        let all = judged(&report);
        assert_eq!(all.len(), labels.len() + variables.len(), "{all:?}");
        assert!(all.iter().all(|claim| claim.ends_with(&format!(" {agrees}"))), "{all:?}");
    }
}

#[test]
fn a_commit_whose_file_is_gone_is_not_what_is_there() {
    let mut story = Story::new();
    // HEAD only deletes, so that all files of HEAD are those of the commit before, too.
    story.ids.push(story.scene.repo.remove("shared/c.py").git(&["commit", "-q", "-a", "-m", "Delete c"]));
    let image = story.image("HEAD", "HEAD").label("commit-sha", &story.ids[5]);
    let report = story.scene.report(&story.scene.image(&image), &[], "match");
    assert_eq!(judged(&report), ["label commit-sha false"], "{report:#}");
}

#[test]
fn versions_repositories_and_times() {
    let story = Story::new();
    let repo = &story.scene.repo;
    repo.git(&["tag", "v1.2.0"]);
    repo.git(&["tag", "v1.1.0", "HEAD~1"]);
    let image = |name: &str, value: &str| story.image("HEAD", "HEAD").label(name, value);
    let judge = |image: &Image| judged(&story.scene.report(&story.scene.image(image), &[], "match")).join(", ");
    let version = "org.opencontainers.image.version";
    assert_eq!(judge(&image(version, "1.2.0")), format!("label {version} true"));
    assert_eq!(judge(&image(version, "v1.1.0")), format!("label {version} false"));
    assert_eq!(judge(&image(version, "7")), format!("label {version} null"));
    let source = "org.opencontainers.image.source";
    assert_eq!(judge(&image(source, "https://git.example/team/app")), format!("label {source} null"));
    repo.git(&["remote", "add", "origin", "git@git.example:team/app.git"]);
    assert_eq!(judge(&image(source, "https://git.example/team/app")), format!("label {source} true"));
    assert_eq!(judge(&image(source, "https://git.example/team/other")), format!("label {source} null"));
    let created = "org.opencontainers.image.created";
    assert_eq!(judge(&image(created, "2026-01-01T00:00:00Z")), format!("label {created} false"));
    assert_eq!(judge(&image(created, "2026-02-01T00:00:00Z")), format!("label {created} null"));
}

#[test]
fn what_the_base_image_says_is_about_itself() {
    let story = Story::new();
    let name = "org.opencontainers.image.revision";
    let shared = story.lines("HEAD", "shared");
    let base = Image::new()
        .layer("ADD rootfs.tar / # buildkit", crate::support::layers::Layer::text("f etc/os-release 0644 x"))
        .empty_step(&format!("LABEL {name}=abcdef1"))
        .empty_step("CMD [\"python3\"]")
        .workdir("/app")
        .empty_step("WORKDIR /app");
    let image = base.layer("COPY shared/ ./shared/ # buildkit", crate::support::layers::Layer::text(&shared));
    let report = story.scene.report(&story.scene.image(&image.label(name, "abcdef1")), &[], "match");
    assert_eq!(judged(&report), [format!("label {name} null")]);
    assert_eq!(report["claims"][0]["inherited"], true, "{report:#}");
}

#[test]
fn provenance_in_an_index_is_read() {
    let story = Story::new();
    story.scene.repo.git(&["remote", "add", "origin", "https://git.example/team/app.git"]);
    for (id, agrees) in [(&story.ids[5], true), (&story.ids[4], false)] {
        let vcs = json!({ "revision": id, "source": "https://git.example/team/app" });
        let predicate = json!({ "metadata": { "https://mobyproject.org/buildkit@v1#metadata": { "vcs": vcs } } });
        let mut layout = Layout::new();
        layout.tag_index("v1", &[story.image("HEAD", "HEAD")], Some(&predicate));
        let folder = story.scene.images.path().join(&id[..8]);
        layout.write_to(&folder);
        let report = story.scene.report(&format!("oci:{}:v1", folder.display()), &[], "match");
        let expected = [format!("provenance SLSA v0.2 {agrees}"), "provenance SLSA v0.2 true".to_owned()];
        assert_eq!(judged(&report), expected, "{report:#}");
    }
}
