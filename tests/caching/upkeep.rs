//! `shipproof cache`.

use std::fs;

use super::stage::Stage;

#[test]
fn what_is_there_is_told_and_can_be_removed() {
    let stage = Stage::new();
    let empty = stage.run(&["cache", "info", "--format", "json"]).exits(0).json();
    assert_eq!(empty["cache"]["bytes"], 0, "{empty}");
    stage.verify("v1", &[]).verdict("match");
    let full = stage.run(&["cache", "info", "--format", "json"]).exits(0).json();
    let kinds = full["cache"]["kinds"].as_array().expect("kinds");
    let entries: Vec<_> = kinds.iter().map(|kind| (kind["kind"].as_str(), kind["entries"].as_u64())).collect();
    let expected = [("layer-index-sha1", 3), ("layer-index-sha256", 0), ("document", 1)];
    assert_eq!(entries, expected.map(|(kind, count)| (Some(kind), Some(count))));
    assert_eq!(full["cache"]["path"], stage.folder().to_str().expect("UTF-8"));
    let bytes: u64 = stage.entries().iter().map(|path| fs::metadata(path).expect("an entry").len()).sum();
    assert_eq!((&full["cache"]["bytes"], &full["cache"]["removed"]), (&bytes.into(), &serde_json::Value::Null));
    let pruned = stage.run(&["cache", "prune", "--format", "json"]).exits(0).json();
    assert_eq!(pruned["cache"]["removed"], 0, "it is no larger than it may be");
    let pruned = stage.run(&["cache", "prune", "--cache-size", "0"]).exits(0);
    assert!(pruned.stdout.starts_with("removed "), "{pruned:#?}");
    assert_eq!(stage.entries(), Vec::<std::path::PathBuf>::new());
    stage.verify("v1", &[]).verdict("match");
    let cleared = stage.run(&["cache", "clear", "--format", "json"]).exits(0).json();
    assert_eq!((&cleared["cache"]["removed"], &cleared["cache"]["bytes"]), (&bytes.into(), &0.into()));
    assert_eq!(stage.entries(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn the_folder_can_be_named_and_belongs_to_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new();
    let folder = stage.folder().with_file_name("elsewhere");
    let named = folder.to_str().expect("a temporary folder is UTF-8");
    stage.verify("v1", &["--cache-dir", named]).verdict("match");
    assert!(!stage.folder().exists());
    assert_eq!(fs::metadata(&folder).expect("it was made").permissions().mode() & 0o777, 0o700);
    let info = stage.run(&["cache", "info", "--cache-dir", named]).exits(0);
    assert!(info.stdout.contains("layer-index-sha1") && info.stdout.contains(named), "{info:#?}");
    let mut command = stage.command();
    let output = command.env("SHIPPROOF_CACHE_DIR", &folder).args(["cache", "clear"]).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let mine = folder.join("mine.txt");
    fs::write(&mine, "not of the cache").expect("the file can be written");
    stage.run(&["cache", "clear", "--cache-dir", named]).exits(0);
    assert!(mine.exists());
    let info = stage.run(&["cache", "info", "--cache-dir", named, "--format", "json"]).exits(0).json();
    assert_eq!(info["cache"]["bytes"], 0);
}
