//! The history of files: random histories held against git and against a slow look at every commit.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;

mod oracle;

use std::path::Path;

use shipproof::blob::{BlobId, ObjectFormat};
use shipproof::path::RepoPath;
use shipproof::repo::history::{History, Names, Query, VersionFile, Wanted};
use shipproof::repo::{Commit, RepoFileKind, Repository, Settings};

use model::{CONTENTS, File, Made, Mode, PATHS};
use oracle::Oracle;
use support::model;
use support::random::Random;
use support::tools;

/// How many histories are tried.
const CASES: u64 = 400;

/// Every this many cases the model itself and single answers are held against git.
const CHECKED: u64 = 10;

/// How many groups files are wanted for.
const GROUPS: usize = 3;

#[test]
fn a_walk_finds_what_a_look_at_every_commit_finds() {
    if tools::require(tools::GIT).is_none() {
        return;
    }
    let home = tempfile::tempdir().expect("a temporary folder");
    for seed in 0..CASES {
        let folder = home.path().join(seed.to_string());
        std::fs::create_dir(&folder).expect("a new folder");
        let outcome = std::panic::catch_unwind(|| one_case(seed, &folder));
        assert!(outcome.is_ok(), "this was seed {seed}");
        std::fs::remove_dir_all(&folder).expect("nobody else uses it");
    }
}

fn one_case(seed: u64, folder: &Path) {
    let mut random = Random::new(seed + 1);
    let commits = model::history(&mut random);
    let made = Made::new(folder, &commits);
    prepare(&mut random, &made);
    let with_git = seed.is_multiple_of(CHECKED);
    if with_git {
        made.check(&commits);
    }
    let wanted = wanted_files(&mut random);
    let anywhere: Vec<BlobId> = (0..random.below(4)).map(|_| blob(random.below(CONTENTS + 1))).collect();
    let heads = model::heads(&commits);
    let tip = if random.below(3) == 0 { random.below(commits.len()) } else { *random.pick(&heads) };

    let repository = Repository::open_with(folder, Settings::RepositoryOnly).expect("it is a repository");
    let query = Query { wanted: &wanted, anywhere: &anywhere };
    let mut history = History::walk(&repository, &named(&made.ids[tip]), &query).expect("nothing is missing");
    let mut oracle = Oracle::new(&commits, &made, &[tip], &[], with_git);
    oracle.hold(&history, &query, &mut random);

    history.extend(&Names::of(&repository).expect("the branches are readable")).expect("nothing is missing");
    oracle = Oracle::new(&commits, &made, &heads, &oracle.order, with_git);
    oracle.hold(&history, &query, &mut random);
}

/// The same history lies in a repository in several ways.
fn prepare(random: &mut Random, made: &Made) {
    let ways: [&[&str]; 5] = [
        &[],
        &["repack", "-adq"],
        &["commit-graph", "write", "--reachable"],
        &["commit-graph", "write", "--reachable", "--changed-paths"],
        &["-c", "commitGraph.changedPathsVersion=2", "commit-graph", "write", "--reachable", "--changed-paths"],
    ];
    let way = *random.pick(&ways);
    if !way.is_empty() {
        tools::run(made.git().args(way));
    }
}

fn wanted_files(random: &mut Random) -> Vec<Wanted> {
    let count = if random.below(3) == 0 { 1 + random.below(2) } else { 1 + random.below(12) };
    let one = |random: &mut Random| Wanted {
        path: RepoPath::clean(random.pick(&PATHS).as_bytes()),
        kind: *random.pick(&[RepoFileKind::Regular, RepoFileKind::Executable, RepoFileKind::Symlink]),
        blobs: (0..random.below(3)).map(|_| blob(random.below(CONTENTS))).collect(),
        absent: random.below(4) == 0,
        group: random.below(GROUPS),
    };
    (0..count).map(|_| one(random)).collect()
}

fn blob(content: usize) -> BlobId {
    BlobId::of(model::content(content).as_bytes(), ObjectFormat::Sha1).expect("no collision")
}

/// The version that a file of the model is.
fn version(file: Option<&File>) -> Option<VersionFile> {
    file.map(|file| VersionFile { blob: blob(file.content), is_symlink: file.mode == Mode::Symlink })
}

/// A commit of which only the id counts.
fn named(id: &str) -> Commit {
    Commit { id: id.to_owned(), short: id.to_owned(), subject: String::new(), time: String::new() }
}
