//! Histories small enough to be written down, made by the real git.

use super::super::testing::TestRepo;
use super::super::{RepoFileKind, Repository};
use super::*;
use crate::blob::ObjectFormat;

/// A wanted regular file in group 0 that agrees with these contents.
fn wanted(path: &str, contents: &[&str]) -> Wanted {
    let id = |text: &&str| BlobId::of(text.as_bytes(), ObjectFormat::Sha1).unwrap();
    Wanted {
        path: RepoPath::clean(path.as_bytes()),
        kind: RepoFileKind::Regular,
        blobs: contents.iter().map(id).collect(),
        absent: false,
        group: 0,
    }
}

fn walk(repository: &Repository, wanted: &[Wanted]) -> History {
    let tip = repository.resolve("HEAD").unwrap();
    History::walk(repository, &tip, &Query { wanted, anywhere: &[] }).unwrap()
}

/// The subjects of commits.
fn subjects(history: &History, commits: impl IntoIterator<Item = CommitIndex>) -> Vec<String> {
    commits.into_iter().map(|commit| history.commit(commit).unwrap().subject).collect()
}

#[test]
fn a_stale_file_is_found_in_the_commits_that_had_it() {
    let repo = TestRepo::new();
    for (subject, a, b) in [("one", "1", "1"), ("two", "2", "1"), ("three", "2", "2"), ("four", "3", "2")] {
        repo.write("dir/a", a);
        repo.write("b", b);
        repo.commit_all(subject);
    }
    let history = walk(&repo.open(), &[wanted("dir/a", &["2"]), wanted("b", &["2"])]);
    assert_eq!(subjects(&history, history.commits()), ["four", "three", "two", "one"]);
    let matched: Vec<_> = history.commits().map(|commit| history.matched(commit)).collect();
    assert_eq!(matched, [1, 2, 1, 0]);
    let best = history.best(&[]);
    assert_eq!((best.matched, best.runs.len()), (2, 1));
    assert_eq!(subjects(&history, [best.runs[0].newest, best.runs[0].oldest]), ["three", "three"]);
    let newest = history.versions(0).iter().map(|version| version.commit);
    assert_eq!(subjects(&history, newest), ["four", "three", "one"]);
}
