//! A cache that is damaged, somebody else's, unwritable, or used by many at once: the answer stays the same.

use std::fs;

use super::stage::{Asked, Stage, image};
use crate::support::images::Layout;
use crate::support::random::Random;

#[test]
fn damaged_entries_are_read_anew_and_written_anew() {
    let stage = Stage::new();
    let right = stage.verify("v1", &[]).stdout;
    let mut random = Random::new(5);
    let entries = stage.entries();
    assert_eq!(entries.len(), 4, "{entries:?}");
    for round in 0..12 {
        for path in &entries {
            let mut bytes = fs::read(path).expect("an entry");
            let at = random.below(bytes.len());
            match round % 3 {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes.truncate(at),
                _ => bytes.insert(at, 0),
            }
            fs::write(path, bytes).expect("the entry can be changed");
        }
        stage.asked();
        assert_eq!(stage.verify("v1", &[]).stdout, right, "round {round}");
        assert_eq!(stage.asked(), Asked { manifests: 1, blobs: 4 }, "round {round}");
        assert_eq!(stage.verify("v1", &[]).stdout, right);
        assert_eq!(stage.asked().blobs, 0, "round {round}");
    }
}

#[test]
fn an_entry_under_another_name_is_no_entry() {
    let stage = Stage::new();
    let right = stage.verify("v1", &[]).stdout;
    let entries = stage.entries();
    let layers: Vec<_> = entries.iter().filter(|path| path.to_string_lossy().contains("layer-index")).collect();
    let contents: Vec<_> = layers.iter().map(|path| fs::read(path).expect("an entry")).collect();
    for (path, bytes) in layers.iter().zip(contents.iter().cycle().skip(1)) {
        fs::write(path, bytes).expect("the entry can be changed");
    }
    stage.asked();
    assert_eq!(stage.verify("v1", &[]).stdout, right);
    assert_eq!(stage.asked().blobs, 3);
}

#[test]
fn a_cache_that_cannot_be_written_to_changes_nothing() {
    let stage = Stage::new();
    let right = stage.verify("v1", &["--no-cache"]).stdout;
    let file = stage.folder().with_file_name("file");
    fs::create_dir_all(file.parent().expect("a home")).expect("the folder can be made");
    fs::write(&file, "no folder").expect("the file can be written");
    let file = file.to_str().expect("a temporary folder is UTF-8");
    let outcome = stage.verify("v1", &["--cache-dir", file]);
    assert_eq!(outcome.stdout, right);
    assert!(outcome.stderr.contains(&format!("note: {file} cannot be written to")), "{outcome:#?}");
    assert_eq!(fs::read(file).expect("it is still there"), b"no folder");
}

#[test]
fn eight_processes_share_one_cache() {
    let stage = Stage::new();
    let mut layout = Layout::new();
    for tag in ["one", "two", "three"] {
        layout.tag(tag, &image(tag));
    }
    stage.holds(&layout);
    let right: Vec<_> = ["one", "two", "three"].map(|tag| stage.verify(tag, &["--no-cache"]).stdout).into();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (tag, expected) = (["one", "two", "three"][number % 3], &right[number % 3]);
            let mut command = stage.command();
            let reference = stage.registry.reference(tag);
            command.args(["verify", &reference, "--verbose", "--format", "json"]);
            // So small that they remove each other's entries, too.
            command.args(["--cache-size", if number % 2 == 0 { "0" } else { "100" }]);
            scope.spawn(move || {
                for _ in 0..5 {
                    let output = command.output().expect("the program runs");
                    assert_eq!(&String::from_utf8_lossy(&output.stdout), expected);
                }
            });
        }
    });
    stage.asked();
    stage.verify("one", &[]).verdict("match");
    stage.asked();
    stage.verify("one", &[]).verdict("match");
    assert_eq!(stage.asked().blobs, 0, "nothing is left damaged");
    let unfinished = stage.entries().into_iter().filter(|path| path.to_string_lossy().contains(".new-"));
    assert_eq!(unfinished.count(), 0);
}
