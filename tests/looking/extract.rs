//! `extract`

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use super::stage::{Stage, mode, tampered};
use super::support::images::Image;

#[test]
fn files_come_out_with_their_contents_paths_and_modes() {
    let stage = Stage::with(&[(
        "v1",
        &Image::new()
            .text("d app 0750\nf app/main.py 0644 old\nf app/run.sh 4755 echo\\n\nf app/Main.py 0600 case\nf etc/x 0644 x")
            .text("f app/main.py 0640 new\nh app/hard -> app/main.py\nf app/empty 0644\nd app/sub 0555\nf app/sub/deep 0444 d"),
    )]);
    let outcome = stage.extract(&["/app", "x"]).exits(0);
    assert_eq!(
        stage.listing(),
        [
            "app",
            "app/Main.py",
            "app/empty",
            "app/hard",
            "app/main.py",
            "app/run.sh",
            "app/sub",
            "app/sub/deep",
            "etc",
            "etc/x"
        ]
    );
    assert_eq!((stage.read("app/main.py"), stage.read("app/hard")), ("new".to_owned(), "new".to_owned()));
    assert_eq!((stage.read("app/Main.py"), stage.read("app/empty")), ("case".to_owned(), String::new()));
    let modes =
        ["app", "app/main.py", "app/hard", "app/run.sh", "app/sub", "app/sub/deep"].map(|path| mode(&stage.out(path)));
    assert_eq!(modes, [0o750, 0o640, 0o640, 0o755, 0o555, 0o444]);
    assert!(outcome.stdout.contains("-rw-r-----           3   1  /app/main.py\n"), "{outcome:#?}");
    fs::write(stage.out("app/hard"), "changed").expect("it can be written");
    assert_eq!(stage.read("app/main.py"), "new", "files that share contents are files of their own");
}

#[test]
fn globs_lists_and_reports_work_as_elsewhere() {
    let stage =
        Stage::with(&[("v1", &Image::new().text("f a/x.py 0644 x\nf b/x.py 0644 y\nf b/[id].js 0644 z\nf b/c 0644"))]);
    let report = stage.extract(&["*.py", "[id].js", "--format", "json"]).exits(0).json();
    let paths: Vec<_> =
        report["entries"].as_array().expect("entries").iter().map(|entry| entry["path"].clone()).collect();
    assert_eq!(paths, ["/a/x.py", "/b/[id].js", "/b/x.py"]);
    assert_eq!(stage.listing(), ["a", "a/x.py", "b", "b/[id].js", "b/x.py"]);
}

#[test]
fn a_name_that_is_not_there_writes_nothing() {
    let stage = Stage::with(&[("v1", &Image::of("f app/main.py 0644 x\np app/fifo"))]);
    let outcome = stage.extract(&["main.py", "/app/gone", "--format", "json"]).exits(1);
    assert_eq!(outcome.json()["error"]["kind"], "no-such-file");
    let outcome = stage.extract(&["fifo"]).exits(2);
    assert!(outcome.stderr.contains("neither a file nor a directory"), "{outcome:#?}");
    assert!(!stage.out("").exists(), "the folder was not even made");
    let outcome = stage.extract(&["/app"]).exits(0);
    assert_eq!(outcome.stderr, "note: /app/fifo is a device or a fifo and was left out\n");
    assert_eq!(stage.listing(), ["app", "app/main.py"]);
}

#[test]
fn hostile_names_stay_inside_and_are_escaped() {
    let stage = Stage::with(&[(
        "v1",
        &Image::new().text(
            "f ../../escape 0644 e\nf /abs/../../up 0644 u\nf evil\\n\\x1b[31m 0644 n\nf not-\\xff-text 0644 b\nf ./dot/./x 0644 d",
        ),
    )]);
    let outcome = stage.extract(&["/"]).exits(0);
    assert_eq!(stage.listing(), ["dot", "dot/x", "escape", "evil\n\x1b[31m", "not-\u{fffd}-text", "up"]);
    assert!(stage.out("").join(OsStr::from_bytes(b"not-\xff-text")).exists());
    assert!(outcome.stdout.contains("/evil\\n\\u{1b}[31m\n") && outcome.stdout.contains("/not-\\xff-text\n"));
    assert!(!stage.folder.path().join("escape").exists());
}

#[test]
fn links_never_lead_out_of_the_folder() {
    let stage = Stage::with(&[(
        "v1",
        &Image::new().text(
            "f etc/passwd 0644 image\nl app/abs -> /etc/passwd\nl app/up -> ../../../../etc/passwd\nl app/here -> .\n\
             l app/deep -> here/here/here/../../../../etc/passwd\nl app/near -> x\nf app/x 0644 x\nl app/gone -> /dev/log",
        ),
    )]);
    let outcome = stage.extract(&["/app", "/etc"]).exits(0);
    let target = |path: &str| fs::read_link(stage.out(path)).expect("it is a link").to_string_lossy().into_owned();
    assert_eq!(["app/abs", "app/up", "app/deep"].map(target), ["../etc/passwd"; 3]);
    assert_eq!((target("app/near"), target("app/gone")), ("x".to_owned(), "../dev/log".to_owned()));
    assert_eq!(stage.read("app/deep"), "image");
    assert!(outcome.stderr.contains("/app/abs -> /etc/passwd was written as ../etc/passwd"), "{outcome:#?}");
}

#[test]
fn a_named_link_comes_with_what_it_leads_to() {
    let stage =
        Stage::with(&[("v1", &Image::new().text("f app/r2/main.py 0644 x\nl app/current -> r2\nf app/r1/old 0644"))]);
    stage.extract(&["/app/current/main.py"]).exits(0);
    assert_eq!(stage.listing(), ["app", "app/current", "app/r2", "app/r2/main.py"]);
    assert_eq!(stage.read("app/current/main.py"), "x");
}

#[test]
fn a_link_that_waits_in_the_folder_is_not_followed() {
    let stage = Stage::with(&[("v1", &Image::of("f app/main.py 0644 new\nf app/sub/x 0644 new"))]);
    let outside = tempfile::tempdir().expect("a temporary folder");
    fs::write(outside.path().join("main.py"), "precious").expect("it can be written");
    fs::create_dir(stage.out("")).expect("it can be made");
    symlink(outside.path(), stage.out("app")).expect("the link can be made");
    for force in [&[][..], &["--force"]] {
        let outcome = stage.extract(&[&["/app/main.py"], force].concat()).exits(2);
        assert!(outcome.stderr.contains("/app is a symbolic link there"), "{outcome:#?}");
        stage.extract(&[&["/app"], force].concat()).exits(2);
    }
    fs::remove_file(stage.out("app")).expect("it is a link");
    fs::create_dir(stage.out("app")).expect("it can be made");
    symlink(outside.path().join("main.py"), stage.out("app/main.py")).expect("the link can be made");
    stage.extract(&["main.py"]).exits(2);
    assert_eq!(stage.listing(), ["app", "app/main.py"]);
    stage.extract(&["main.py", "--force"]).exits(0);
    assert_eq!(stage.read("app/main.py"), "new");
    assert!(!stage.out("app/main.py").is_symlink(), "the link itself was replaced");
    assert_eq!(fs::read_to_string(outside.path().join("main.py")).expect("it is there"), "precious");
}

#[test]
fn nothing_is_overwritten_without_force() {
    let stage =
        Stage::with(&[("v1", &Image::of("f app/a 0644 new\nf app/b 0644 new\nf app/c 0644 new\nl app/l -> a"))]);
    stage.write("app/a", "old");
    stage.write("app/c", "old");
    stage.write("app/l", "old");
    let outcome = stage.extract(&["/app"]).exits(2);
    assert!(outcome.stderr.contains("/app/a and 2 others are in out already\nhint: --force"), "{outcome:#?}");
    assert_eq!((stage.read("app/a"), stage.listing().len()), ("old".to_owned(), 4));
    stage.extract(&["/app", "--force", "--quiet"]).exits(0);
    assert_eq!(
        (stage.read("app/a"), stage.read("app/c"), stage.read("app/l")),
        ("new".into(), "new".into(), "new".into())
    );
    assert!(stage.out("app/l").is_symlink());
}

#[test]
fn a_folder_and_a_file_never_take_each_others_place() {
    let stage = Stage::with(&[("v1", &Image::new().text("d a\nf a/x 0644 x\nf b 0644 b"))]);
    stage.write("b/kept", "kept");
    let outcome = stage.extract(&["b", "--force"]).exits(2);
    assert!(outcome.stderr.contains("/b is a directory there"), "{outcome:#?}");
    stage.write("a", "file");
    for name in ["/a", "/a/x"] {
        let outcome = stage.extract(&[name, "--force"]).exits(2);
        assert!(outcome.stderr.contains("/a is no directory there"), "{outcome:#?}");
    }
    assert_eq!(stage.listing(), ["a", "b", "b/kept"]);
}

#[test]
fn a_name_that_the_disk_refuses_leaves_no_partial_file() {
    let long = "n".repeat(300);
    let stage = Stage::with(&[("v1", &Image::of(&format!("f app/a 0644 a\nf app/{long} 0644 x")))]);
    let outcome = stage.extract(&["/app"]).exits(2);
    assert!(outcome.stderr.contains("cannot be written to out"), "{outcome:#?}");
    assert!(stage.listing().iter().all(|path| !path.contains("shipproof")), "{:?}", stage.listing());
}

#[test]
fn a_tampered_layer_writes_and_prints_nothing() {
    let stage = Stage::of(&tampered());
    for file in ["/app/main.py", "/app/honest.py"] {
        let outcome = stage.extract(&[file]).exits(2);
        assert!(outcome.stderr.contains("sha256"), "{outcome:#?}");
        assert_eq!(outcome.stdout, "");
        assert!(!stage.out("").exists());
    }
}
