//! Flags: which repository, which revision, which mapping, which report.

use std::fs;

use serde_json::{Value, json};

use crate::scene::{Scene, below, buildkit, files, findings, mappings, origins, text, untold};
use crate::support::cli::Shipproof;
use crate::support::git::Repo;

fn service() -> String {
    files(&["main.py", "lib/a.py", "lib/b.py", "shared/a.py", "shared/c.py"])
}

/// A scene, and an image of its one commit at `/app` without a history to speak of.
fn scene() -> (Scene, String) {
    let scene = Scene::new(&service());
    let image = scene.image(&untold(&below("app", &service())));
    (scene, image)
}

#[test]
fn maps_say_what_is_where() {
    let scene = Scene::new(&service());
    let lib = below("app/lib", &files(&["a.py", "c.py"])).replace("the file ", "the file shared/");
    let layer = below("app", &files(&["main.py", "lib/b.py", "shared/a.py", "shared/c.py"])) + &lib;
    let image = scene.image(&untold(&(layer + &below("srv", &files(&["shared/a.py", "shared/c.py"])))));
    let table: [(&[&str], &str, &str); 9] = [
        (&["/app/lib=shared"], "match", ""),
        (&["/srv/shared=shared", "/app/main.py=main.py"], "match", ""),
        (&["/app=."], "mismatch", "lib/a.py other"),
        // The inner directory has the last word, whatever the order.
        (&["/app=.", "/app/lib=shared"], "match", ""),
        (&["/app/lib=shared", "/app=."], "match", ""),
        (&["app/=./"], "mismatch", "lib/a.py other"),
        (&["/srv=."], "mismatch", "lib/a.py missing"),
        (&["/=shared"], "unknown", ""),
        (&["/app/nowhere=shared"], "unknown", ""),
    ];
    for (maps, verdict, first) in table {
        let flags: Vec<&str> = maps.iter().flat_map(|map| ["--map", map]).collect();
        let report = scene.report(&image, &flags, verdict);
        let found: Vec<String> = findings(&report).into_iter().filter(|one| !one.ends_with(" untracked")).collect();
        assert_eq!(found.first().map_or("", String::as_str), first, "{maps:?}");
        assert!(verdict == "unknown" || origins(&report) == ["flag"], "{maps:?}");
    }
    for (map, message) in [
        ("/app=nowhere", "the repository has no files in nowhere"),
        ("/app", "`--map /app` is not IMAGE_DIR=REPO_DIR, such as /app=. or /srv/lib=shared"),
        ("=.", "`--map =.` is not IMAGE_DIR=REPO_DIR, such as /app=. or /srv/lib=shared"),
    ] {
        let report = scene.report(&image, &["--map", map], "unknown");
        assert_eq!(report["error"]["message"], message);
    }
}

#[test]
fn a_dockerfile_is_named_on_disk_or_in_the_revision() {
    let own = "f build/Dockerfile 0644 FROM x\\nWORKDIR /app\\nCOPY lib/ ./lib/\\nCOPY main.py ./\\n\n";
    let scene = Scene::new(&(service() + own + &files(&["sub/lib/a.py", "sub/main.py"])));
    let image = scene.image(&untold(&below("app", &files(&["main.py", "lib/a.py", "lib/b.py"]))));
    let bare = scene.repo.beside("bare.git");
    scene.repo.git(&["clone", "--quiet", "--bare", ".", &bare.display().to_string()]);
    let outside = scene.repo.beside("Dockerfile.mine");
    fs::write(&outside, "FROM x\nCOPY lib /app/lib\n").expect("the file can be written");
    let (bare, outside) = (bare.display().to_string(), outside.display().to_string());
    let table: [(&[&str], &str, &str); 8] = [
        (&["--dockerfile", "build/Dockerfile"], "match", "/app/lib=lib /app/main.py=main.py"),
        (&["--dockerfile", "./build/Dockerfile", "--context", "."], "match", "/app/lib=lib /app/main.py=main.py"),
        (&["--dockerfile", "build/Dockerfile", "--repo", &bare], "match", "/app/lib=lib /app/main.py=main.py"),
        (&["--dockerfile", &outside], "match", "/app/lib=lib"),
        (&["--dockerfile", &outside, "--repo", &bare], "match", "/app/lib=lib"),
        (&["--dockerfile", &outside, "--context", "sub"], "mismatch", "/app/lib=sub/lib"),
        (&["--dockerfile", "build/Dockerfile", "--context", "nowhere"], "unknown", ""),
        (&["--dockerfile", "build/Nowhere"], "unknown", ""),
    ];
    for (flags, verdict, expected) in table {
        let report = scene.report(&image, flags, verdict);
        assert_eq!(mappings(&report).join(" "), expected, "{flags:?}");
        assert!(verdict == "unknown" || origins(&report) == ["dockerfile"], "{flags:?}");
    }
    for pair in [["--map", "/app=."], ["--rev", "HEAD"]] {
        let other = if pair[0] == "--map" { ["--dockerfile", "x"] } else { ["--worktree", "--strict"] };
        scene.verify(&image, &[pair, other].concat()).exits(2);
    }
}

#[test]
fn revisions_are_named_as_in_git() {
    let (mut scene, image) = scene();
    let first = scene.repo.git(&["rev-parse", "HEAD"]);
    scene.repo.git(&["tag", "v1"]);
    scene.repo.git(&["tag", "-a", "-m", "annotated", "v1-annotated"]);
    scene.repo.write("f main.py 0644 # something else, and not in the image\\n");
    let second = scene.repo.commit("Second");
    for revision in ["v1", "v1-annotated", "HEAD~1", "HEAD^", &first, &first[..8], "main~1"] {
        let report = scene.report(&image, &["--rev", revision], "match");
        assert_eq!((&report["repo"]["revision"], &report["repo"]["commit"]), (&json!(revision), &json!(first)));
    }
    let report = scene.report(&image, &[], "mismatch");
    assert_eq!((&report["repo"]["revision"], &report["repo"]["commit"]), (&json!("HEAD"), &json!(second)));
    for revision in ["v2", "HEAD~2", "", "HEAD:main.py"] {
        let report = scene.report(&image, &["--rev", revision], "unknown");
        assert_eq!(report["repo"]["revision"], revision);
        assert_eq!(scene.verify(&image, &["--rev", revision]).stdout, "");
    }
}

#[test]
fn the_work_tree_is_what_lies_on_disk() {
    let (scene, image) = scene();
    let with_worktree = |image: &str, verdict| scene.report(image, &["--worktree", "--map", "/app=."], verdict);
    let report = with_worktree(&image, "match");
    assert_eq!((&report["repo"]["worktree"], &report["repo"]["revision"]), (&json!(true), &Value::Null));
    scene.repo.write("f main.py 0644 # edited, and not committed yet\\n").remove("lib/b.py");
    scene.repo.write(
        "f new.py 0644 # brand new, and git does not know it\\n\nf ignored.log 0644 x\nf .gitignore 0644 *.log\\n",
    );
    let report = with_worktree(&image, "mismatch");
    let expected =
        [".gitignore missing", "/app/lib/b.py leftover", "main.py stale", "new.py missing"].map(str::to_owned);
    assert_eq!(findings(&report), expected);
    assert_eq!(report["cause"]["kind"], "old-image");
    assert!(text(&report["cause"]["summary"]).ends_with(", and the work tree has changes since"), "{report:#}");
    let on_disk = service().replace("# this is the file main.py and no other", "# edited, and not committed yet");
    let on_disk: String =
        on_disk.lines().filter(|line| !line.contains("lib/b.py")).map(|line| format!("{line}\n")).collect();
    let on_disk = on_disk + "f new.py 0644 # brand new, and git does not know it\\n\nf .gitignore 0644 *.log\\n";
    let built = scene.image(&untold(&below("app", &on_disk)));
    with_worktree(&built, "match");
    let report = scene.report(&built, &["--map", "/app=."], "mismatch");
    assert_eq!(
        findings(&report),
        ["/app/.gitignore untracked", "lib/b.py missing", "main.py modified", "/app/new.py untracked"]
    );
    let outcome = scene.verify(&built, &["--worktree", "--map", "/app=."]).exits(0);
    assert!(outcome.stdout.starts_with("match: all 6 files are those of the work tree (at "), "{outcome:?}");
}

#[test]
fn repositories_come_in_many_shapes() {
    let (mut scene, image) = scene();
    scene.repo.commit("Another");
    let path = |name: &str| scene.repo.beside(name).display().to_string();
    let url = format!("file://{}", scene.repo.path().display());
    scene.repo.git(&["clone", "--quiet", "--bare", ".", &path("bare.git")]);
    scene.repo.git(&["worktree", "add", "--quiet", "--detach", &path("linked"), "HEAD"]);
    scene.repo.git(&["clone", "--quiet", "--depth", "1", &url, &path("shallow")]);
    let sub = scene.repo.path().join("lib").display().to_string();
    let elsewhere = Shipproof::new();
    let run = |repo: &str, more: &[&str], verdict| {
        let arguments = [&["verify", &image, "--format", "json", "--repo", repo][..], more].concat();
        elsewhere.run(&arguments).verdict(verdict)
    };
    for (repo, shallow) in [(path("bare.git"), false), (path("linked"), false), (path("shallow"), true), (sub, false)] {
        assert_eq!(run(&repo, &[], "match")["repo"]["shallow"], shallow, "{repo}");
    }
    run(&path("linked"), &["--worktree"], "match");
    for (repo, more, kind) in [
        (path("bare.git"), &["--worktree"][..], "repository"),
        (path("shallow"), &["--rev", "HEAD~1"], "unknown-revision"),
        (path("nowhere"), &[], "no-repository"),
        (elsewhere.home().display().to_string(), &[], "no-repository"),
    ] {
        assert_eq!(run(&repo, more, "unknown")["error"]["kind"], kind, "{repo}");
    }
    let empty = Repo::new();
    assert_eq!(run(&empty.path().display().to_string(), &[], "unknown")["error"]["kind"], "unknown-revision");
}

#[test]
fn sha256_repositories_have_their_own_ids() {
    let mut repo = Repo::init(&["--object-format=sha256"]);
    repo.write(&service());
    repo.commit("Start");
    let scene = Scene::of(repo);
    scene.report(&scene.image(&untold(&below("app", &service()))), &[], "match");
    let stale = service().replace("the file main.py", "what main.py was");
    let report = scene.report(&scene.image(&untold(&below("app", &stale))), &[], "mismatch");
    assert_eq!(findings(&report), ["main.py modified"]);
    assert_eq!(report["findings"][0]["repo_blob"], scene.repo.blob_id("HEAD", "main.py"));
    assert_eq!(text(&report["findings"][0]["image_blob"]).len(), 64);
    let crlf = service().replace("\\n", "\\x0d\\n");
    let report = scene.report(&scene.image(&untold(&below("app", &crlf))), &["--map", "/app=."], "match");
    assert_eq!(report["counts"]["same-normalized"], 5);
}

#[test]
fn strict_counts_modes_and_untracked_files() {
    let scene = Scene::new(&service());
    let image = |layer: String| scene.image(&buildkit(&[("COPY . .", &below("app", &layer))]));
    let table = [
        (image(service()), "match", ""),
        (image(service().replace("lib/a.py 0644", "lib/a.py 0755")), "mismatch", "lib/a.py mode"),
        (image(service().replace("lib/a.py 0644", "lib/a.py 0600")), "match", ""),
        (image(service() + "f lib/generated.py 0644 x"), "mismatch", "/app/lib/generated.py untracked"),
        (image(service() + "l lib/link -> a.py"), "mismatch", "/app/lib/link untracked"),
    ];
    for (image, strict, finding) in table {
        let report = scene.report(&image, &[], "match");
        assert_eq!(findings(&report).first().map_or("", String::as_str), finding);
        assert_eq!(findings(&scene.report(&image, &["--strict"], strict)), findings(&report));
    }
    // Files of the base image are nobody's business, asked for by a glob or not.
    let image = image(service());
    scene.report(&image, &["--strict", "*.py"], "match");
}

#[test]
fn as_much_is_said_as_asked_for() {
    let (scene, image) = scene();
    let quiet = scene.verify(&image, &["--quiet"]).exits(0);
    let head = scene.repo.git(&["rev-parse", "--short=7", "HEAD"]);
    assert_eq!(quiet.stdout, format!("match: all 5 files are those of {head} (HEAD)\n"));
    let verbose = scene.verify(&image, &["-v"]).exits(0);
    assert_eq!(verbose.stdout.lines().filter(|line| line.starts_with("same  ")).count(), 5);
    let stale = service().replace("the file main.py", "what main.py was");
    let stale = scene.image(&untold(&below("app", &stale)));
    let quiet = scene.verify(&stale, &["-q"]).exits(1);
    assert_eq!(quiet.stdout, format!("mismatch: 1 file is not that of {head} (HEAD)\nmodified  main.py\n"));
    let report = scene.report(&stale, &["--verbose"], "mismatch");
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(5));
    scene.verify(&stale, &["-q", "-v"]).exits(2);
}

#[test]
fn reports_go_to_files() {
    let (scene, image) = scene();
    let file = scene.repo.beside("report.json");
    let name = file.display().to_string();
    let read = || serde_json::from_slice::<Value>(&fs::read(&file).expect("a report")).expect("the report is JSON");
    for (flags, code, verdict) in [(&[][..], 0, "match"), (&["--rev", "v9"], 2, "unknown")] {
        let flags = [&["--format", "json", "--output", &name][..], flags].concat();
        assert_eq!(scene.verify(&image, &flags).exits(code).stdout, "");
        assert_eq!(read()["verdict"], verdict);
    }
    scene.verify(&image, &["--output", &name, "--color", "auto"]).exits(0);
    assert!(fs::read_to_string(&file).expect("a report").starts_with("match: all 5 files"));
    let outcome = scene.verify(&image, &["--output", "/nonexistent/report"]).exits(2);
    assert!(
        outcome.stdout.is_empty() && outcome.stderr.contains("/nonexistent/report cannot be written"),
        "{outcome:?}"
    );
}

#[test]
fn colours_are_for_who_wants_them() {
    let (scene, image) = scene();
    let colored = |variables: &[(&str, &str)], flags: &[&str]| {
        let shipproof = Shipproof::new().directory(scene.repo.path());
        let shipproof = variables.iter().fold(shipproof, |one, (name, value)| one.variable(name, value));
        shipproof.run(&[&["verify", &image][..], flags].concat()).exits(0).stdout.contains('\x1b')
    };
    assert!(!colored(&[], &[]), "a pipe is no terminal");
    assert!(colored(&[], &["--color", "always"]));
    assert!(colored(&[("NO_COLOR", "1")], &["--color", "always"]), "what was typed wins over the environment");
    assert!(!colored(&[("NO_COLOR", "1")], &[]));
    assert!(!colored(&[("CLICOLOR_FORCE", "1")], &["--color", "never"]));
}
