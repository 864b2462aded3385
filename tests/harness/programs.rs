//! The programs that tests run, and repositories made from text.

use crate::support::cli::Shipproof;
use crate::support::git::Repo;
use crate::support::tools::{self, Missing};

#[test]
fn a_missing_program_is_a_failure_in_ci_and_a_line_elsewhere() {
    let judge = |ci: Option<&str>| tools::missing("t", "skopeo", "apt-get install skopeo", ci.map(AsRef::as_ref));
    assert_eq!(judge(Some("true")), Missing::Fail("t needs skopeo (apt-get install skopeo)".to_owned()));
    for ci in [None, Some(""), Some("false")] {
        let line = "left out: t needs skopeo (apt-get install skopeo)\n";
        assert_eq!(judge(ci), Missing::LeaveOut(line.to_owned()));
    }
}

#[test]
fn the_program_runs_in_a_private_home() {
    let outcome = Shipproof::new().variable("NO_COLOR", "1").run(&["--version"]);
    assert!(outcome.code.is_some(), "{outcome:?}");
}

#[test]
fn the_same_text_gives_the_same_commit() {
    let text = "f run.sh 0755 echo\\n\nl link -> run.sh\nf name\\swith\\sspaces 0644 x";
    let (one, two) = (Repo::with(text), Repo::with(text));
    assert_eq!(one.git(&["rev-parse", "HEAD"]), two.git(&["rev-parse", "HEAD"]));
    let listing = one.git(&["ls-tree", "-r", "HEAD"]);
    assert!(listing.contains("100755 blob") && listing.contains("120000 blob"), "{listing}");
    assert!(listing.contains("\tname with spaces"), "{listing}");
}

#[test]
fn files_change_and_go_from_commit_to_commit() {
    let mut repo = Repo::with("f a 0644 1\nf b/c 0644 2");
    let first = repo.blob_id("HEAD", "a");
    repo.write("f a 0644 3").remove("b");
    let commit = repo.commit("Second");
    assert_eq!(repo.git(&["ls-tree", "-r", "--name-only", &commit]), "a");
    assert_ne!(repo.blob_id("HEAD", "a"), first);
    let second_of_january = 1_767_312_000;
    assert_eq!(repo.git(&["log", "-1", "--format=%ct"]), second_of_january.to_string());
}

#[test]
fn a_repository_can_have_sha256_objects() {
    let mut repo = Repo::init(&["--object-format=sha256"]);
    repo.write("f a 0644 1");
    assert_eq!(repo.commit("Start").len(), 64);
}
