//! Repositories that cannot answer.

use std::fs;

use crate::support::cli::Shipproof;
use crate::support::git::Repo;

use super::stage::{Case, check_all, good, repository};

#[test]
fn repositories_that_cannot_answer() {
    let repo = repository();
    let (outside, reference) = good();
    let unborn = Repo::new();
    let absent = repo.beside("absent").display().to_string();
    let linked = tempfile::tempdir().expect("a temporary folder");
    fs::write(linked.path().join(".git"), "gitdir: /nonexistent/here\n").expect("the file can be written");
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let case = |what, kind| Case::new(what, &reference, kind);
    let outside_name = outside.path().display().to_string();
    let cases = [
        case("not a repository", "no-repository").inside(outside.path()).names(&["not in a git repository", "--repo"]),
        case("not a repository, named", "no-repository").flags(&["--repo", &outside_name]).names(&[&outside_name]),
        case("no such folder", "no-repository").flags(&["--repo", &absent]).names(&[&absent]),
        case("a file", "no-repository").flags(&["--repo", "main.py"]).names(&["main.py"]),
        case("a link that leads nowhere", "repository").inside(linked.path()).names(&["git directory"]),
        case("an unknown branch", "unknown-revision").flags(&["--rev", "feature/none"]).names(&["feature/none"]),
        case("an unknown commit", "unknown-revision").flags(&["--rev", "0123abcd"]).names(&["0123abcd"]),
        case("an empty revision", "unknown-revision").flags(&["--rev", ""]).names(&["revision"]),
        case("a revision that is a flag", "unknown-revision").flags(&["--rev=--all"]).names(&["--all"]),
        case("a tree for a commit", "unknown-revision").flags(&["--rev", &tree]).names(&[&tree, "not a commit"]),
        case("no commits yet", "unknown-revision").inside(unborn.path()).names(&["no commits yet"]),
    ];
    check_all(&repo, &cases);
}

#[test]
fn layers_do_without_a_repository_unless_one_is_named() {
    let (_folder, reference) = good();
    let outside = tempfile::tempdir().expect("a temporary folder");
    let run =
        |more: &[&str]| Shipproof::new().directory(outside.path()).run(&[&["layers", &reference][..], more].concat());
    assert_eq!(run(&[]).exits(0).stderr, "");
    let named = run(&["--repo", "."]).exits(2);
    assert!(named.stderr.starts_with("error: `.` is not in a git repository\n"), "{named:?}");
}

#[test]
fn an_object_that_is_missing_is_named() {
    let repo = repository();
    let (_folder, reference) = good();
    let tree = repo.git(&["rev-parse", "HEAD:shared"]);
    let object = repo.path().join(".git/objects").join(&tree[..2]).join(&tree[2..]);
    fs::remove_file(object).expect("a small repository has loose objects");
    Case::new("a missing tree", reference, "missing-object").names(&[&tree]).check(&repo);
}
