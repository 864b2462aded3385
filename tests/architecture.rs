//! Data flows one way: a module uses only modules that stand before it in the pipeline.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The pipeline, first to last. Modules in one row are words for each other.
const ORDER: [&[&str]; 22] = [
    &["blob", "cache", "compression", "count", "digest", "json", "limits", "lines", "path", "platform", "spool"],
    &["descriptor"],
    &["reference"],
    &["auth"],
    &["source"],
    &["image"],
    &["layer"],
    &["tree"],
    &["repo"],
    &["mapping"],
    &["compare"],
    &["claims", "identify", "python"],
    &["diagnosis"],
    &["select"],
    &["config", "difference", "extract", "search"],
    &["deploy"],
    &["error"],
    &["lookup"],
    &["verify"],
    &["preflight"],
    &["report"],
    &["cli", "commands", "exit"],
];

fn rank(module: &str) -> usize {
    ORDER
        .iter()
        .position(|row| row.contains(&module))
        .unwrap_or_else(|| panic!("module `{module}` has no place in the pipeline"))
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("src is readable") {
        let path = entry.expect("src is readable").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The modules of the crate that a file names by `crate::`, one for each place.
fn named_modules(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut modules = BTreeSet::new();
    for line in code {
        for (start, _) in line.match_indices("crate::") {
            let rest = &line[start + "crate::".len()..];
            for word in rest.trim_start_matches('{').split(", ") {
                let name: String = word.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                if !name.is_empty() {
                    modules.insert(name);
                }
                if !rest.starts_with('{') {
                    break;
                }
            }
        }
    }
    modules
}

/// Tests stand at the end of a file and may name anything.
fn without_tests(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

fn files_with_modules() -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let relative = |path: &Path| path.strip_prefix(&top).expect("below src").to_string_lossy().into_owned();
    let others = ["lib.rs", "main.rs", "testing.rs", "tests.rs"];
    let is_module = |path: &PathBuf| !others.iter().any(|other| path.file_name().is_some_and(|name| name == *other));
    let files = sources(&top).into_iter().filter(is_module);
    files.map(|path| (relative(&path), without_tests(&fs::read_to_string(&path).expect("UTF-8")))).collect()
}

#[test]
fn modules_use_only_what_stands_before_them() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (file, text) in files_with_modules() {
        let own = file.split(['/', '.']).next().expect("a name");
        for used in named_modules(&text).iter().filter(|used| *used != own) {
            seen += 1;
            if rank(used) > rank(own) {
                wrong.push(format!("{file} uses {used}"));
            }
        }
    }
    assert!(seen > 50, "the imports were found");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn each_outside_world_has_one_door() {
    // The crate, and the only places that may name it.
    let doors = [
        ("gix::", vec!["repo/"]),
        ("bollard", vec!["source/daemon.rs"]),
        ("reqwest", vec!["source/registry/", "auth/", "deploy/api.rs", "deploy/error.rs"]),
        ("google_cloud_auth", vec!["auth/"]),
        ("cap_std", vec!["extract/"]),
        ("grep_", vec!["search/"]),
        ("pep440_rs", vec!["preflight/python/"]),
        ("similar::", vec!["lines.rs"]),
        ("postcard", vec!["layer/cache.rs"]),
        ("std::env::", vec!["commands/setup.rs", "auth/environment.rs", "deploy/environment.rs"]),
        ("b\".wh.", vec!["layer/whiteout.rs"]),
    ];
    for (file, text) in files_with_modules() {
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for (name, allowed) in &doors {
            let inside = allowed.iter().any(|door| file.starts_with(door));
            assert!(inside || !code.contains(name), "{file} names {name}");
        }
    }
}
