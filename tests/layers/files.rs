//! The cases of `testdata/layers`: each is what it says it is, to shipproof and to the runtimes.

use std::fs;
use std::path::{Path, PathBuf};

use super::case::{self, Case, Expected, RUNTIMES};
use super::ours::{TAG, listed, wrong_content};
use super::parallel::in_parallel;
use super::support::images::{Image, Layout};
use super::support::tools;
use super::support::unpacked::{Made, podman_unpack, try_umoci_unpack};

/// Cases whose images share a podman storage, which gets slower with each.
const AT_ONCE: usize = 30;

/// All files below `folder`.
///
/// # Panics
/// When a folder is empty.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder can be read").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    let below = |path: PathBuf| if path.is_dir() { files_below(&path) } else { vec![path] };
    paths.into_iter().flat_map(below).collect()
}

/// The cases by their file, `whiteouts/a-file.txt`.
///
/// # Panics
/// For a file that is none.
fn cases() -> Vec<(String, Case)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/layers");
    let files = files_below(&top).into_iter().filter(|file| *file != top.join("README.md"));
    let case = |file: PathBuf| {
        let name = file.strip_prefix(&top).expect("below the top").display().to_string();
        assert!(name.ends_with(".txt") && name.matches('/').count() == 1, "{name} is not THEME/CASE.txt");
        let text = fs::read_to_string(&file).expect("a case is UTF-8");
        let case = case::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, case)
    };
    files.map(case).collect()
}

/// What is wrong with the case; `podman` is what that made of it.
fn check(case: &Case, podman: Option<Made>) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    Layout::with(TAG, &case.image).write_to(folder.path());
    let ours = listed(folder.path(), TAG);
    let contents = || match &case.right {
        Expected::Tree(tree) => wrong_content(folder.path(), TAG, tree),
        Expected::Refusal(_) => None,
    };
    let mut wrong: Vec<String> = case.right.check("shipproof", &ours).or_else(contents).into_iter().collect();
    let theirs = [try_umoci_unpack(folder.path(), TAG), podman];
    for ((name, expected), made) in RUNTIMES.iter().zip(&case.others).zip(theirs) {
        wrong.extend(made.and_then(|made| expected.check(name, &made)));
    }
    wrong
}

fn check_all(cases: &[(String, Case)]) -> Vec<String> {
    let images: Vec<&Image> = cases.iter().map(|(_, case)| &case.image).collect();
    let mut podman = podman_unpack(&images).unwrap_or_default().into_iter();
    let named = |(name, case): &(String, Case)| {
        let wrong = check(case, podman.next());
        wrong.into_iter().map(|what| format!("--- {name}: {what}")).collect::<Vec<String>>()
    };
    cases.iter().flat_map(named).collect()
}

#[test]
fn every_case_is_what_it_says() {
    let mut cases = cases();
    let count = cases.len();
    if !tools::require_root() {
        cases.retain(|(_, case)| !case.needs_root);
    }
    let chunks: Vec<&[(String, Case)]> = cases.chunks(AT_ONCE).collect();
    let wrong = in_parallel(&chunks, |cases| check_all(cases)).concat();
    assert!(wrong.is_empty(), "{} things wrong in {count} cases:\n{}", wrong.len(), wrong.join("\n"));
}
