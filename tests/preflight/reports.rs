//! What people and programs are told.

use super::stage::{AMD64, ask, base, cmd, elf, kinds};
use super::support::images::Image;

/// The case that this command was made for: `CMD` runs gunicorn, and the requirements lack it.
fn without_gunicorn() -> Image {
    let image = base().text("w usr/local/bin/.wh.gunicorn").text("f app/requirements.txt 0644 flask==3.0.0\\n");
    cmd(image, &["/bin/sh", "-c", "exec gunicorn --bind :$PORT main:app"])
}

#[test]
fn the_missing_program_is_named_with_the_file_that_lacks_it() {
    let outcome = ask(&without_gunicorn(), &[]).exits(1);
    let expected = "not ready: 1 error\n\
        runs /bin/sh -c exec gunicorn --bind :$PORT main:app\n\
        error: the command runs `gunicorn`, and no directory of PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin) \
        has it; /app/requirements.txt does not list gunicorn (program-missing)\n\
        \x20 layer 2: COPY 2 /\n\
        \x20 fix: add gunicorn to /app/requirements.txt\n";
    assert_eq!(outcome.stdout, expected);
}

#[test]
fn programs_get_the_same() {
    let report = ask(&without_gunicorn(), &["--format", "json"]).exits(1).json();
    assert_eq!((&report["verdict"], &report["schema_version"]), (&"not-ready".into(), &1.into()));
    assert_eq!((&report["command"]["program"], &report["command"]["argv"][0]), (&"gunicorn".into(), &"/bin/sh".into()));
    let finding = &report["findings"][0];
    assert_eq!((&finding["path"], &finding["layer"]["index"]), (&"/app/requirements.txt".into(), &2.into()));
    assert_eq!(
        (&finding["fix"], &report["error"]),
        (&"add gunicorn to /app/requirements.txt".into(), &serde_json::Value::Null)
    );
}

#[test]
fn a_good_image_is_ready() {
    let outcome = ask(&cmd(base(), &["gunicorn", "main:app"]), &[]).exits(0);
    let expected = "ready: nothing that was read keeps it from starting\nruns gunicorn main:app\n\
        \x20 as /usr/local/bin/gunicorn by /usr/local/bin/python3.12 by /lib64/ld.so\n";
    assert_eq!(outcome.stdout, expected);
}

#[test]
fn requirements_of_the_repository_count() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("requirements.txt");
    std::fs::write(&path, "redis\n").expect("it can be written");
    let image = cmd(base(), &["python", "main.py"]);
    let outcome = ask(&image, &["--format", "json", "--requirements", path.to_str().expect("UTF-8")]).exits(0);
    assert_eq!(kinds(&outcome), ["package-missing warning"]);
    ask(&image, &["--requirements", "/nowhere"]).exits(2);
}

#[test]
fn hostile_names_do_no_harm() {
    let program = elf(AMD64, "/lib/\x1b[31mld.so");
    let image = cmd(Image::new().text(&format!("f x 0755 {program}")), &["/x", "\x1b[2J"]);
    let outcome = ask(&image, &[]).exits(1);
    assert!(!outcome.stdout.contains('\x1b') && outcome.stdout.contains("\\u{1b}"), "{outcome:#?}");
}
