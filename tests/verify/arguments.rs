//! `FILE` arguments: which files they name, and what follows when they name none.

use std::io::Write as _;
use std::process::Stdio;

use crate::scene::{Scene, below, buildkit, files, findings, text};
use crate::support::cli::Shipproof;
use crate::support::images::Image;

const OLD: &str =
    "f usr/lib/python3/site-packages/shared/monitoring/beat.py 0644 # the old one, that is still imported\\n\n";

fn tracked() -> String {
    files(&[
        "main.py",
        "app/[id]/page.tsx",
        "docs/only-git.md",
        "shared/monitoring/beat.py",
        "shared/util.py",
        "svc/main.py",
        "svc/shared/util.py",
    ])
}

/// Everything but `docs`, a stale `svc/main.py`, and a file that git does not know.
fn image() -> Image {
    let stale = tracked().replace("the file svc/main.py", "what the file svc/main.py was");
    let shipped: String =
        stale.lines().filter(|line| !line.contains("docs/")).map(|line| format!("{line}\n")).collect();
    buildkit(&[("COPY . .", &(below("app", &shipped) + "f app/only-image.bin 0644 x\n"))])
}

#[test]
fn every_spelling_names_its_files() {
    let scene = Scene::new(&tracked());
    let image = scene.image(&image());
    // Directory, argument, files compared, and the first finding where there is one.
    let table: [(&str, &str, u64, &str); 26] = [
        ("", "beat.py", 1, ""),
        ("", "main.py", 2, "svc/main.py modified"),
        ("", "shared/util.py", 1, ""),
        ("", "./shared/util.py", 1, ""),
        ("", "shared", 2, ""),
        ("", "shared/", 2, ""),
        ("", "svc", 2, "svc/main.py modified"),
        ("", "/app/shared/monitoring/beat.py", 1, ""),
        ("", "/app/shared", 2, ""),
        ("", "/app/svc/main.py", 1, "svc/main.py modified"),
        ("", "*.tsx", 1, ""),
        ("", "shared/*.py", 1, ""),
        ("", "**/util.py", 2, ""),
        ("", "/app/**/util.py", 2, ""),
        ("", "/app/*.py", 1, ""),
        ("", "app/[id]/page.tsx", 1, ""),
        ("svc", "main.py", 2, "svc/main.py modified"),
        ("svc", "./main.py", 1, "svc/main.py modified"),
        ("svc", "../main.py", 1, ""),
        ("svc", "shared/util.py", 2, ""),
        ("svc", "shared/*.py", 2, ""),
        ("svc", ".", 2, "svc/main.py modified"),
        ("svc", "svc/main.py", 1, "svc/main.py modified"),
        ("shared", "monitoring", 1, ""),
        ("", "docs/only-git.md", 0, "docs/only-git.md missing"),
        ("", "only-git.md", 0, "docs/only-git.md missing"),
    ];
    for (directory, argument, compared, finding) in table {
        let outcome = scene.verify_in(directory, &image, &["--format", "json", argument]);
        let report = outcome.verdict(if finding.is_empty() { "match" } else { "mismatch" });
        assert_eq!(report["counts"]["compared"], compared, "{directory} {argument}: {report}");
        assert_eq!(findings(&report).first().map_or("", String::as_str), finding, "{directory} {argument}");
    }
}

#[test]
fn what_cannot_be_compared_is_exit_two() {
    let scene = Scene::new(&tracked());
    let image = scene.image(&image());
    let table = [
        (&["nowhere.py"][..], "no-such-file", "no file of the image or of the repository matches `nowhere.py`"),
        (&["beat.py", "nowhere.py"], "no-such-file", "no file of the image or of the repository matches `nowhere.py`"),
        (&["*.rs"], "no-such-file", "no file of the image or of the repository matches `*.rs`"),
        (&["/app/nowhere"], "no-such-file", "no file of the image or of the repository matches `/app/nowhere`"),
        (&["only-image.bin"], "nothing-compared", "`only-image.bin` is in the image, but git has no such file"),
        (&["beat.py", "only-image.bin"], "nothing-compared", "`only-image.bin` is in the image, but git has"),
        (&["/etc/os-release"], "nothing-compared", "`/etc/os-release` is in the image, but git has no such file"),
        (&[""], "usage", "an empty file name names no file"),
        (&["beat[.py"], "usage", "`beat[.py` is not a glob"),
    ];
    for (arguments, kind, message) in table {
        let report = scene.report(&image, arguments, "unknown");
        assert_eq!(report["error"]["kind"], kind, "{arguments:?}");
        assert!(text(&report["error"]["message"]).starts_with(message), "{arguments:?}: {report}");
        assert_eq!(scene.verify(&image, arguments).exits(2).stdout, "", "{arguments:?}");
    }
    // Where nothing says that a file was copied, asking for it does not make it missing.
    let part = buildkit(&[(
        "COPY shared/ ./shared/",
        &below("app", &files(&["shared/util.py", "shared/monitoring/beat.py"])),
    )]);
    let report = scene.report(&scene.image(&part), &["svc/main.py"], "unknown");
    assert_eq!(
        report["error"]["message"],
        "`svc/main.py` is in the repository, but nothing says where it would be in the image"
    );
}

#[test]
fn a_list_comes_from_standard_input() {
    let scene = Scene::new(&tracked());
    let image = scene.image(&image());
    let table: [(&str, &[&str], i32, &str); 6] = [
        ("beat.py\nshared/util.py\n", &["-"], 0, "match: all 2 files"),
        ("beat.py\r\n\r\n\nshared/util.py", &["-"], 0, "match: all 2 files"),
        ("beat.py\n", &["-", "svc/main.py"], 1, "mismatch: 1 file"),
        ("svc/main.py\n", &["beat.py", "-"], 1, "mismatch: 1 file"),
        ("", &["-"], 2, ""),
        ("beat.py\nnowhere.py\n", &["-"], 2, ""),
    ];
    for (input, arguments, code, headline) in table {
        let shipproof = Shipproof::new().directory(scene.repo.path());
        let mut command = shipproof.command();
        command.args(["verify", &image]).args(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(input.as_bytes()).expect("the program reads the list");
        drop(stdin);
        let output = child.wait_with_output().expect("the program ends");
        assert_eq!(output.status.code(), Some(code), "{input:?} {arguments:?}");
        assert!(String::from_utf8_lossy(&output.stdout).starts_with(headline), "{input:?} {arguments:?}");
    }
}

/// The copy that `pip install .` made is the one that Python imports.
#[test]
fn a_bare_name_finds_the_stale_second_copy() {
    let package = files(&["src/shared/monitoring/beat.py", "src/shared/util.py", "main.py"]);
    for repo in [tracked(), package] {
        let scene = Scene::new(&repo);
        let app = below("app", &repo);
        let good = buildkit(&[("COPY . .", &app)]);
        scene.report(&scene.image(&good), &["beat.py"], "match");
        let image = |second: &str| {
            let steps = [("COPY . .", app.as_str()), ("RUN /bin/sh -c pip install .", second)];
            scene.image(&buildkit(&steps))
        };
        let report = scene.report(&image(OLD), &["beat.py"], "mismatch");
        let paths = report["findings"].as_array().expect("an array").iter().map(|one| text(&one["image_path"]));
        assert_eq!(paths.collect::<Vec<_>>(), ["/usr/lib/python3/site-packages/shared/monitoring/beat.py"]);
        assert_eq!(report["counts"]["compared"], 2);
        // One level down the package's name says whose it is; the same file of somebody else's package is not ours.
        let one_level = OLD.replace("shared/monitoring/beat.py", "monitoring/beat.py");
        assert_eq!(scene.report(&image(&one_level), &["beat.py"], "mismatch")["counts"]["modified"], 1);
        let unrelated = OLD.replace("shared/monitoring/beat.py", "celery/beat.py");
        let report = scene.report(&image(&unrelated), &["beat.py"], "match");
        assert_eq!(report["counts"]["untracked"], 1);
        // The same bytes are a copy wherever they are.
        let path = repo.lines().find(|line| line.contains("beat.py")).expect("it is there");
        let copy = path.split_once(" 0644 ").map(|(_, content)| format!("f opt/beat.py 0644 {content}\n"));
        let report = scene.report(&image(&copy.expect("a file line")), &["beat.py"], "match");
        assert_eq!(report["counts"]["same"], 2);
    }
}

#[test]
fn one_file_is_enough_where_directories_tell_nothing() {
    let scene = Scene::new(&files(&["src/jobs/nightly.py", "README.md"]));
    let good = untold_job("# this is the file src/jobs/nightly.py and no other\\n");
    scene.report(&scene.image(&good), &["nightly.py"], "match");
    let stale = scene.image(&untold_job("# last year's\\n"));
    scene.report(&stale, &[], "unknown");
    let report = scene.report(&stale, &["nightly.py"], "mismatch");
    assert_eq!(findings(&report), ["src/jobs/nightly.py modified"]);
}

fn untold_job(content: &str) -> Image {
    crate::scene::untold(&format!("f job/nightly.py 0644 {content}"))
}
