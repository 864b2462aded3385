//! What images say of their source, held against their files.

use serde_json::{Value, json};

use crate::story::{Story, built};
use crate::support::cli::Shipproof;
use crate::support::images::{Image, Layout, OCI_INDEX};
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
    // Of a tag and a branch of one name git means the tag (git-rev-parse, "Specifying revisions").
    story.scene.repo.git(&["branch", "v1.2.0", "HEAD~1"]);
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
        let note = text(&report["claims"][0]["note"]);
        assert_eq!(
            note.ends_with("; the build's work tree had uncommitted changes"),
            value == dirty,
            "{value}: {note}"
        );
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
fn files_that_git_never_had_speak_for_no_commit() {
    let story = Story::new();
    let (shared, main) = (story.lines("HEAD", "shared"), story.lines("HEAD", "main.py"));
    let generated = "f app/shared/__pycache__/a.pyc 0644 x\n";
    let leftover = story.lines(&story.ids[0], "shared/b.py");
    for (more, verdict, agrees) in [(generated, "match", true), (&leftover, "mismatch", false)] {
        let image = built(&(shared.clone() + more), &main).label("commit-sha", &story.ids[5]);
        let report = story.scene.report(&story.scene.image(&image), &[], verdict);
        assert_eq!(judged(&report), [format!("label commit-sha {agrees}")], "{report:#}");
    }
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
    let (name, source) = ("org.opencontainers.image.revision", "org.opencontainers.image.source");
    story.scene.repo.git(&["remote", "add", "origin", ORIGIN]);
    let shared = story.lines("HEAD", "shared");
    let base = Image::new()
        .layer("ADD rootfs.tar / # buildkit", crate::support::layers::Layer::text("f etc/os-release 0644 x"))
        .empty_step(&format!("LABEL {name}=abcdef1 {source}={ORIGIN}"))
        .empty_step("CMD [\"python3\"]")
        .workdir("/app")
        .empty_step("WORKDIR /app");
    let image = base.layer("COPY shared/ ./shared/ # buildkit", crate::support::layers::Layer::text(&shared));
    let image = image.label(name, "abcdef1").label(source, ORIGIN);
    let report = story.scene.report(&story.scene.image(&image), &[], "match");
    assert_eq!(judged(&report), [format!("label {name} null"), format!("label {source} null")]);
    let inherited = report["claims"].as_array().expect("a report has claims").iter().map(|claim| &claim["inherited"]);
    assert_eq!(inherited.collect::<Vec<_>>(), [true, true], "{report:#}");
}

/// What BuildKit attests of a build from a checkout (docs.docker.com, "SLSA definitions"): in a local context the
/// versions differ in where it stands.
fn from_checkout(version: &str, revision: &str) -> Value {
    let vcs = json!({ "localdir:context": ".", "revision": revision, "source": ORIGIN });
    let image = json!([{ "uri": "pkg:docker/python@3.13", "digest": { "sha256": "0".repeat(64) } }]);
    match version {
        "v1" => json!({
            "buildDefinition": {
                "externalParameters": { "configSource": { "path": "Dockerfile" } }, "resolvedDependencies": image,
            },
            "runDetails": { "builder": { "id": "" }, "metadata": { "buildkit_metadata": { "vcs": vcs } } },
        }),
        _ => json!({
            "invocation": { "configSource": { "entryPoint": "Dockerfile" } }, "materials": image,
            "metadata": { "https://mobyproject.org/buildkit@v1#metadata": { "vcs": vcs } },
        }),
    }
}

/// The same of a build whose context is a repository and a branch.
fn from_repository(version: &str, revision: &str) -> Value {
    let uri = format!("{ORIGIN}.git#refs/heads/main");
    match version {
        "v1" => json!({
            "buildDefinition": {
                "externalParameters": { "configSource": { "uri": uri, "digest": { "sha1": revision } } },
                "resolvedDependencies": [{ "uri": uri, "digest": { "sha1": revision } }],
            },
            "runDetails": { "builder": { "id": "" } },
        }),
        _ => json!({
            "invocation": { "configSource": { "uri": uri, "digest": { "sha1": revision } } },
            "materials": [{ "uri": uri, "digest": { "sha1": revision } }],
        }),
    }
}

const ORIGIN: &str = "https://git.example/team/app";

#[test]
fn provenance_in_an_index_is_read() {
    let story = Story::new();
    story.scene.repo.git(&["remote", "add", "origin", "https://git.example/team/app.git"]);
    let unknown = "0123456789abcdef0123456789abcdef01234567".to_owned();
    let ids = [(&story.ids[5], json!(true)), (&story.ids[4], json!(false)), (&unknown, json!(null))];
    for version in ["v0.2", "v1"] {
        for (id, agrees) in &ids {
            for predicate in [from_checkout(version, id), from_repository(version, id)] {
                let mut layout = Layout::new();
                let digest = layout.tag_index("v1", &[story.image("HEAD", "HEAD")], Some((version, &predicate)));
                let folder = story.scene.images.path().join(digest.replace(':', "-"));
                layout.write_to(&folder);
                let report = story.scene.report(&format!("oci:{}:v1", folder.display()), &[], "match");
                let source = format!("provenance SLSA {version}");
                assert_eq!(judged(&report), [format!("{source} {agrees}"), format!("{source} true")], "{report:#}");
            }
        }
    }
}

#[test]
fn provenance_is_about_the_platform_that_it_names() {
    let story = Story::new();
    let mut layout = Layout::new();
    let mut manifests = Vec::new();
    for (platform, id) in [("linux/amd64", &story.ids[5]), ("linux/arm64", &story.ids[4])] {
        let image = story.image("HEAD", "HEAD").platform(platform);
        let digest = layout.tag_index(&id[..8], &[image], Some(("v1", &from_checkout("v1", id))));
        let index: Value = serde_json::from_slice(layout.blob(&digest)).expect("an index is JSON");
        manifests.extend(index["manifests"].as_array().expect("an index has manifests").clone());
    }
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests });
    let index = layout.add_blob(OCI_INDEX, index.to_string().into_bytes());
    layout.add_tag("v1", index);
    layout.write_to(story.scene.images.path());
    let report = story.scene.report(&format!("oci:{}:v1", story.scene.images.path().display()), &[], "match");
    let claims = report["claims"].as_array().expect("a report has claims").iter();
    let revisions = claims.filter(|claim| claim["meaning"] == "revision");
    let revisions: Vec<String> =
        revisions.map(|claim| format!("{} {}", text(&claim["platform"]), claim["agrees"])).collect();
    assert_eq!(revisions, ["linux/amd64 true", "linux/arm64 false"], "{report:#}");
}

/// A clone of the story's repository, made with these options.
fn clone(story: &Story, name: &str, options: &[&str]) -> Shipproof {
    let repo = &story.scene.repo;
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let (url, folder) = (format!("file://{}", repo.path().display()), repo.beside(name));
    repo.git(&[&["clone", "-q"], options, &[&url, &folder.display().to_string()]].concat());
    Shipproof::new().directory(folder)
}

#[test]
fn a_commit_that_a_shallow_clone_has_not_is_unknown() {
    let story = Story::new();
    let before = &story.ids[4];
    let image = story.image("HEAD", "HEAD").label("org.opencontainers.image.revision", before);
    let image = image.env("SHORT_SHA", &before[..7]).env("GIT_COMMIT", &format!("{before}-dirty"));
    let mut layout = Layout::new();
    layout.tag_index("v1", &[image], Some(("v1", &from_checkout("v1", before))));
    layout.write_to(story.scene.images.path());
    let reference = format!("oci:{}:v1", story.scene.images.path().display());
    let sources = ["label org.opencontainers.image.revision", "env SHORT_SHA", "env GIT_COMMIT", "provenance SLSA v1"];
    let hint = "no such commit in this shallow clone; git fetch --unshallow may bring it";
    let whole = story.scene.report(&reference, &[], "match");
    assert_eq!(judged(&whole)[..4], sources.map(|source| format!("{source} false")), "{whole:#}");

    let shallow = clone(&story, "shallow", &["--depth=1"]);
    let report = shallow.run(&["verify", &reference, "--format", "json"]).verdict("match");
    assert_eq!(judged(&report)[..4], sources.map(|source| format!("{source} null")), "{report:#}");
    for claim in 0..4 {
        let claim = &report["claims"][claim];
        assert_eq!((&claim["note"], &claim["commit"]), (&json!(hint), &json!(null)), "{report:#}");
    }
    let shown = shallow.run(&["verify", &reference, "--verbose"]).exits(0).stdout;
    assert!(shown.contains("unknown    env SHORT_SHA = "), "{shown}");
    assert!(!shown.contains("disagrees"), "{shown}");
}

#[test]
fn a_commit_whose_trees_are_not_here_is_unknown() {
    let story = Story::new();
    let treeless = clone(&story, "treeless", &["--filter=tree:0"]);
    let image = story.image("HEAD", "HEAD").label("commit-sha", &story.ids[4]);
    let report = treeless.run(&["verify", &story.scene.image(&image), "--format", "json"]).verdict("match");
    assert_eq!(judged(&report), ["label commit-sha null"], "{report:#}");
    assert_eq!(report["claims"][0]["note"], "the trees of that commit are not in this clone");
}
