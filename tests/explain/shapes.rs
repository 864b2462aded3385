//! Histories and repositories of other shapes.

use serde_json::json;

use crate::story::{Story, built, file};
use crate::support::cli::Shipproof;
use crate::support::git::Repo;
use crate::support::scene::{below, text};

#[test]
fn branches_are_found() {
    let mut story = Story::new();
    let git = |arguments: &[&str]| story.scene.repo.git(arguments);
    git(&["checkout", "-q", "-b", "feature", "HEAD~2"]);
    story.scene.repo.write(&file("shared/util.py", 2));
    let feature = story.scene.repo.commit("Feature");
    story.scene.repo.git(&["checkout", "-q", "-b", "release", &story.ids[3]]);
    // Each of its files is that of some commit of the main line, but no commit of that has them all.
    story.scene.repo.write(&file("shared/a.py", 3));
    let release = story.scene.repo.commit("Pick a");
    story.scene.repo.git(&["checkout", "-q", "main"]);
    for (tip, subject, findings) in [
        (&feature, "Feature", vec!["main.py stale 3 2", "shared/a.py stale 4 1", "shared/util.py other Feature null"]),
        (&release, "Pick a", vec!["main.py stale 3 2"]),
    ] {
        let image = story.scene.image(&story.image(tip, tip));
        let report = story.scene.report(&image, &[], "mismatch");
        assert_eq!(
            (text(&report["cause"]["kind"]), story.findings(&report)),
            ("other-branch".to_owned(), findings.iter().map(|one| (*one).to_owned()).collect()),
            "{report:#}"
        );
        assert_eq!(story.identity(&image, &[])[0], format!("exact {subject} {subject}"));
    }
    // The fix that a merge brought is the one that is missing, not the merge.
    story.scene.repo.git(&["merge", "-q", "--no-ff", "-m", "Merge feature", "feature"]);
    let merge = story.scene.repo.git(&["rev-parse", "HEAD"]);
    story.ids.push(merge);
    let image = story.scene.image(&story.image(&story.ids[5], &story.ids[5]));
    let report = story.scene.report(&image, &[], "mismatch");
    assert_eq!(report["findings"][0]["commit"]["replaced_by"]["subject"], "Feature", "{report:#}");
    assert_eq!(report["cause"]["kind"], "old-image");
}

#[test]
fn a_shallow_clone_says_so_and_never_guesses() {
    let story = Story::new();
    let shallow = story.scene.repo.beside("shallow");
    let url = format!("file://{}", story.scene.repo.path().display());
    story.scene.repo.git(&["clone", "-q", "--depth=1", &url, &shallow.display().to_string()]);
    let image = story.scene.image(&story.image(&story.ids[4], &story.ids[4]));
    let shipproof = Shipproof::new().directory(&shallow);
    let report = shipproof.run(&["verify", &image, "--format", "json"]).verdict("mismatch");
    assert_eq!(story.findings(&report), ["shared/a.py modified"]);
    assert_eq!((&report["cause"]["kind"], &report["repo"]["shallow"]), (&json!("mixed"), &json!(true)), "{report:#}");
    assert!(text(&report["cause"]["hint"]).contains("git fetch --unshallow"), "{report:#}");
    assert!(report["warnings"].to_string().contains("this clone is shallow"), "{report:#}");
}

#[test]
fn clones_without_blobs_and_other_kinds_of_repositories_do_as_well() {
    let story = Story::new();
    let repo = &story.scene.repo;
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", repo.path().display());
    let [partial, linked, bare] = ["partial", "linked", "bare.git"].map(|name| repo.beside(name));
    repo.git(&["clone", "-q", "--filter=blob:none", &url, &partial.display().to_string()]);
    repo.git(&["worktree", "add", "-q", "--detach", &linked.display().to_string()]);
    repo.git(&["clone", "-q", "--bare", &url, &bare.display().to_string()]);
    let image = story.scene.image(&story.image(&story.ids[2], &story.ids[5]));
    let all = ["shared/a.py stale 4 1", "/app/shared/b.py leftover 2 3"];
    for directory in [&repo.path(), &partial, &linked, &bare] {
        let report =
            Shipproof::new().directory(directory).run(&["verify", &image, "--format", "json"]).verdict("mismatch");
        assert_eq!(story.findings(&report), all, "{}", directory.display());
        assert_eq!(report["cause"]["kind"], "cached-layer", "{}", directory.display());
    }
}

#[test]
fn sha256_grafts_and_orphans() {
    let story = Story::of(Repo::init(&["--object-format=sha256"]));
    let image = story.scene.image(&story.image(&story.ids[1], &story.ids[1]));
    assert_eq!(story.identity(&image, &[])[0], "exact 1 1");

    let story = Story::new();
    // With the second commit out of the way the file's first version is the last one before the fifth.
    story.scene.repo.git(&["replace", "--graft", &story.ids[5], &story.ids[0]]);
    let image = story.scene.image(&story.image(&story.ids[0], &story.ids[0]));
    let report = story.scene.report(&image, &[], "mismatch");
    assert_eq!(
        (&report["cause"]["kind"], &report["findings"][0]["commit"]["behind"]),
        (&json!("old-image"), &json!(1))
    );

    let mut story = Story::new();
    story.scene.repo.git(&["checkout", "-q", "--orphan", "new"]);
    story.scene.repo.write(&file("shared/a.py", 9));
    story.ids.push(story.scene.repo.commit("From scratch"));
    story.scene.repo.git(&["checkout", "-q", "main"]);
    let image = story.scene.image(&story.image("new", "new"));
    let report = story.scene.report(&image, &[], "mismatch");
    assert_eq!(report["cause"]["kind"], "other-branch", "{report:#}");
}

#[test]
fn converted_checkouts_have_a_past_too() {
    let mut repo = Repo::new();
    repo.write(&format!("f .gitattributes 0644 *.py text eol=crlf\\n\n{}", file("shared/a.py", 1)));
    repo.commit("Start");
    repo.write(&file("shared/a.py", 2)).git(&["add", "--all"]);
    repo.commit("Change");
    let story = Story { scene: crate::support::scene::Scene::of(repo), ids: Vec::new() };
    let image = story.scene.image(&built("f app/shared/a.py 0644 # this is version 1 of shared/a.py\\x0d\\n\n", ""));
    let report = story.scene.report(&image, &["--map", "/app/shared=shared"], "mismatch");
    assert_eq!(story.findings(&report), ["shared/a.py stale Start 1"]);
}

#[test]
fn what_git_deleted_may_be_converted() {
    let mut repo = Repo::new();
    let paths = ["shared/a.py", "shared/b.py", "shared/deep/c.py"];
    repo.write(&format!("f .gitattributes 0644 *.py text eol=crlf\\n\n{}", paths.map(|path| file(path, 1)).concat()));
    repo.commit("Start");
    repo.remove("shared/b.py").remove("shared/deep");
    repo.commit("Delete two");
    let story = Story { scene: crate::support::scene::Scene::of(repo), ids: Vec::new() };
    let converted = |path: &str, version| below("app", &file(path, version)).replace("\\n", "\\x0d\\n");
    let all: String = paths.iter().map(|path| converted(path, 1)).collect();
    let image = story.scene.image(&built(&(all + &converted("shared/other.py", 1)), ""));
    let report = story.scene.report(&image, &["--map", "/app/shared=shared"], "mismatch");
    let expected = [
        "shared/a.py same-normalized",
        "/app/shared/b.py leftover Start 1",
        "/app/shared/deep/c.py leftover Start 1",
        "/app/shared/other.py untracked",
    ];
    assert_eq!(story.findings(&report), expected);
    assert_eq!(story.identity(&image, &["--map", "/app/shared=shared"])[0], "exact Start Start");
}

#[test]
fn each_platform_is_explained_as_if_it_were_alone() {
    let mut story = Story::new();
    story.scene.repo.git(&["checkout", "-q", "-b", "side", "HEAD~2"]);
    story.scene.repo.write(&(file("shared/util.py", 2) + &file("shared/a.py", 7)));
    story.ids.push(story.scene.repo.commit("Side"));
    // What equals the revision need not look at branches, and does not, whatever another platform needs.
    story.scene.repo.git(&["checkout", "-q", "-b", "words", "main"]);
    story.scene.repo.write("f docs/x.md 0644 only words\\n\n");
    story.scene.repo.commit("Words");
    story.scene.repo.git(&["checkout", "-q", "main"]);
    let at = |shared: usize, main: usize, platform: &str| {
        story.image(&story.ids[shared], &story.ids[main]).platform(platform)
    };
    let images = [at(6, 6, "linux/amd64"), at(1, 1, "linux/arm64"), at(5, 5, "linux/riscv64"), at(0, 5, "linux/s390x")];
    let index = story.scene.index(&images);
    let run =
        |command: &str, more: &[&str]| story.run(&[&[command, &index, "--format", "json"][..], more].concat()).json();
    let (verified, identified) = (run("verify", &[]), run("identify", &[]));
    let together = verified["findings"].as_array().expect("findings");
    let mut others = identified["others"].as_array().expect("others").iter();
    for (position, platform) in ["amd64", "arm64", "riscv64", "s390x"].iter().enumerate() {
        let platform = format!("linux/{platform}");
        let alone = run("verify", &["--platform", &platform]);
        let is_of = |finding: &&serde_json::Value| finding["platform"] == platform.as_str();
        let found: Vec<_> = together.iter().filter(is_of).collect();
        assert_eq!(found, alone["findings"].as_array().expect("findings").iter().collect::<Vec<_>>(), "{platform}");
        assert_eq!(found.is_empty(), platform == "linux/riscv64", "{platform}");
        let alone = run("identify", &["--platform", &platform]);
        let identity = if position == 0 { &identified } else { others.next().expect("another platform") };
        for field in ["match", "matched", "compared", "newest", "oldest", "rivals", "layers", "unmatched"] {
            assert_eq!(identity[field], alone[field], "{platform}: {field}");
        }
    }
}
