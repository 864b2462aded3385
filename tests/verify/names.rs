//! Symbolic links, submodules, and names that no shell likes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use serde_json::json;

use crate::scene::{Scene, below, buildkit, files, findings, text, untold};
use crate::support::cli::Shipproof;

#[test]
fn links_are_compared_as_what_they_are_and_as_what_they_lead_to() {
    let real = files(&["real.py", "other.py"]);
    let copy = "f link.py 0644 # this is the file real.py and no other\\n\n";
    let table: [(&str, &str, &str); 10] = [
        ("l link.py -> real.py", "l link.py -> real.py", ""),
        ("l link.py -> real.py", "l link.py -> other.py", "link.py modified"),
        ("l link.py -> real.py", "l link.py -> ./real.py", "link.py modified"),
        ("l link.py -> real.py", copy, ""),
        ("l link.py -> real.py", "f link.py 0644 # nothing like it\\n", "link.py kind"),
        ("l link.py -> real.py", "d link.py", "link.py kind"),
        ("l link.py -> real.py", "p link.py", "link.py kind"),
        (copy, "l link.py -> real.py", ""),
        (copy, "l link.py -> other.py", "link.py other"),
        (copy, "l link.py -> nowhere", "link.py kind"),
    ];
    for (git, image, finding) in table {
        let scene = Scene::new(&format!("{real}{git}"));
        let image = scene.image(&untold(&below("app", &format!("{real}{image}"))));
        let verdict = if finding.is_empty() { "match" } else { "mismatch" };
        let report = scene.report(&image, &["--map", "/app=."], verdict);
        assert_eq!(findings(&report).first().map_or("", String::as_str), finding, "{git} {report}");
        assert_eq!(report["counts"]["compared"], 3, "{git}");
    }
}

#[test]
fn a_link_in_a_circle_differs_and_does_not_hang() {
    let scene = Scene::new(&files(&["a.py", "dir/b.py", "c.py"]));
    let layer =
        "l app/a.py -> a.py\nl app/dir -> other\nl app/other -> dir\n".to_owned() + &below("app", &files(&["c.py"]));
    let report = scene.report(&scene.image(&untold(&layer)), &["--map", "/app=."], "mismatch");
    let found = findings(&report);
    assert!(found.contains(&"a.py kind".to_owned()) && found.contains(&"dir/b.py kind".to_owned()), "{found:?}");
}

#[test]
fn the_mapped_directory_may_be_reached_through_links() {
    let scene = Scene::new(&files(&["main.py", "lib/a.py"]));
    for (links, at) in [
        ("d srv\nl app -> srv/app\n", "srv/app"),
        ("l app -> /srv/app\n", "srv/app"),
        ("d opt\nl opt/current -> releases/7\nl app -> opt/current\n", "opt/releases/7"),
    ] {
        let image = |text: &str| scene.image(&untold(&format!("{links}{}", below(at, text))));
        let good = image(&files(&["main.py", "lib/a.py"]));
        scene.report(&good, &["--map", "/app=."], "match");
        scene.report(&good, &[], "match");
        scene.report(&good, &["--map", "/app=.", "--strict"], "match");
        let report = scene.report(&image(&files(&["main.py"])), &["--map", "/app=."], "mismatch");
        assert_eq!(findings(&report), ["lib/a.py missing"]);
    }
}

#[test]
fn submodules_are_not_looked_into() {
    let scene = Scene::new(&files(&["main.py", "lib/a.py"]));
    let commit = scene.repo.git(&["rev-parse", "HEAD"]);
    scene.repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendor/library")]);
    scene.repo.git(&["commit", "--quiet", "-m", "Add a submodule"]);
    let shipped = files(&["main.py", "lib/a.py", "vendor/library/main.py"]);
    let report = scene.report(&scene.image(&buildkit(&[("COPY . .", &below("app", &shipped))])), &[], "match");
    assert_eq!(
        (findings(&report), &report["counts"]["compared"]),
        (vec!["/app/vendor/library/main.py untracked".into()], &json!(2))
    );
    // Its files have not been there when the image was built: nothing that git's tree says is missing.
    let report = scene.report(
        &scene.image(&untold(&below("app", &files(&["main.py", "lib/a.py"])))),
        &["--map", "/app=."],
        "match",
    );
    assert_eq!(report["counts"]["compared"], 2);
}

/// Names as git and tar allow them; as text of the harness, as JSON, and as people see them.
const HOSTILE: [(&str, &str); 6] = [
    ("with\\sspace.py", "with space.py"),
    ("new\\nline.py", "new\\nline.py"),
    ("caf\\xe9.py", "caf\\xe9.py"),
    ("red\\x1b[31m.py", "red\\u{1b}[31m.py"),
    ("evil\\xe2\\x80\\xaeyp.txt", "evil\\u{202e}yp.txt"),
    ("umlaut-\\xc3\\xa4.py", "umlaut-ä.py"),
];

fn hostile(content: &str) -> String {
    HOSTILE.iter().map(|(name, _)| format!("f {name} 0644 {content}\\n\n")).collect()
}

#[test]
fn hostile_names_are_escaped_for_people_and_kept_for_machines() {
    let scene = Scene::new(&hostile("as it was committed"));
    let image = |content: &str| scene.image(&untold(&below("app", &hostile(content))));
    scene.report(&image("as it was committed"), &["--map", "/app=."], "match");
    let stale = image("as it was before that");
    let report = scene.report(&stale, &["--map", "/app=."], "mismatch");
    let paths = report["findings"].as_array().expect("an array").iter().map(|one| &one["repo_path"]);
    let mut paths: Vec<_> = paths.cloned().collect();
    paths.sort_by_key(ToString::to_string);
    let mut expected = vec![
        json!("with space.py"),
        json!("new\nline.py"),
        json!({ "bytes": "Y2Fm6S5weQ==" }),
        json!("red\u{1b}[31m.py"),
        json!("evil\u{202e}yp.txt"),
        json!("umlaut-ä.py"),
    ];
    expected.sort_by_key(ToString::to_string);
    assert_eq!(paths, expected);
    assert!(
        report["findings"]
            .as_array()
            .expect("an array")
            .iter()
            .any(|one| one["image_path"]["bytes"] == "L2FwcC9jYWbpLnB5")
    );
    for flags in [&["--map", "/app=."][..], &["--map", "/app=.", "--verbose"], &["--map", "/app=.", "--quiet"]] {
        let outcome = scene.verify(&stale, flags).exits(1);
        for (_, shown) in HOSTILE {
            assert!(outcome.stdout.contains(&format!("modified  {shown}\n")), "{shown} in {}", outcome.stdout);
        }
        assert!(!outcome.stdout.contains(['\x1b', '\u{202e}']) && !outcome.stderr.contains('\x1b'), "{outcome:?}");
    }
}

#[test]
fn hostile_names_may_be_asked_for() {
    let scene = Scene::new(&hostile("as it was committed"));
    let good = scene.image(&untold(&below("app", &hostile("as it was committed"))));
    let shipproof = Shipproof::new().directory(scene.repo.path());
    let names: [&[u8]; 4] = [b"with space.py", b"new\nline.py", b"caf\xe9.py", "/app/evil\u{202e}yp.txt".as_bytes()];
    for name in names {
        let arguments = ["verify", &good, "--map", "/app=."].map(OsStr::new);
        let outcome = shipproof.run(&[&arguments[..], &[OsStr::from_bytes(name)]].concat()).exits(0);
        assert!(outcome.stdout.starts_with("match: the file is that of"), "{outcome:?}");
    }
    // What was typed comes back in the error, harmless.
    let outcome = scene.verify(&good, &["--map", "/app=.", "no\x1b]0;such"]).exits(2);
    assert!(outcome.stderr.contains("no\\u{1b}]0;such") && !outcome.stderr.contains('\x1b'), "{outcome:?}");
}

#[test]
fn what_the_image_says_of_itself_is_escaped_too() {
    let scene = Scene::new(&files(&["main.py", "lib/a.py"]));
    let stale = files(&["main.py", "lib/a.py"]).replace("the file main.py", "what main.py was");
    let image = buildkit(&[("COPY . \x1b[2J.", &below("app", &stale))])
        .edit(|config| config["created"] = json!("2026\x1b[31m"))
        .platform("linux/amd\x1b[31m64");
    let outcome = scene.verify(&scene.image(&image), &["--map", "/app=."]);
    assert!(!outcome.stdout.contains('\x1b') && !outcome.stderr.contains('\x1b'), "{outcome:?}");
    assert!(text(&json!(outcome.stdout)).contains("\\u{1b}[2J") || outcome.code == Some(2), "{outcome:?}");
}
