//! Histories small enough to be written down, made by the real git, and repositories of every kind.

use super::super::testing::{TestRepo, git_in};
use super::super::{ObjectKind, RepoFileKind, Repository, Settings};
use super::*;
use crate::blob::ObjectFormat;

/// A wanted regular file in group 0 that agrees with these contents.
fn wanted(path: &str, contents: &[&str]) -> Wanted {
    wanted_as(ObjectFormat::Sha1, path, contents)
}

fn wanted_as(format: ObjectFormat, path: &str, contents: &[&str]) -> Wanted {
    let blobs = contents.iter().map(|text| BlobId::of(text.as_bytes(), format).unwrap()).collect();
    Wanted { path: RepoPath::clean(path.as_bytes()), kind: RepoFileKind::Regular, blobs, absent: false, group: 0 }
}

fn walk(repository: &Repository, wanted: &[Wanted]) -> History {
    try_walk(repository, wanted).unwrap()
}

fn try_walk(repository: &Repository, wanted: &[Wanted]) -> Result<History, RepoError> {
    History::walk(repository, &repository.resolve("HEAD")?, &Query { wanted, anywhere: &[] })
}

fn open(repo: &TestRepo, beside: &str) -> Repository {
    Repository::open_with(&repo.beside(beside), Settings::RepositoryOnly).unwrap()
}

/// The subjects of commits.
fn subjects(history: &History, commits: impl IntoIterator<Item = CommitIndex>) -> Vec<String> {
    commits.into_iter().map(|commit| history.commit(commit).unwrap().subject).collect()
}

/// Every version of a wanted path with the subject of its newest commit; `-` is no file.
fn versions(history: &History, repo: &TestRepo, wanted: usize) -> Vec<String> {
    let shown = |version: &Version| {
        let subject = history.commit(version.commit).unwrap().subject;
        let text = version.file.map(|file| repo.text(&["cat-file", "blob", &file.blob.to_string()]));
        format!("{} {subject}", text.as_deref().unwrap_or("-"))
    };
    history.versions(wanted).iter().map(shown).collect()
}

/// Four commits of `dir/a` and `b`, of which `three` alone has 2 and 2.
fn linear() -> TestRepo {
    let repo = TestRepo::new();
    for (subject, a, b) in [("one", "1", "1"), ("two", "2", "1"), ("three", "2", "2"), ("four", "3", "2")] {
        repo.write("dir/a", a);
        repo.write("b", b);
        repo.commit_all(subject);
    }
    repo
}

/// What holds for [`linear`], however it is stored.
fn hold_linear(repository: &Repository, format: ObjectFormat) {
    let history = walk(repository, &[wanted_as(format, "dir/a", &["2"]), wanted_as(format, "b", &["2"])]);
    assert_eq!(subjects(&history, history.commits()), ["four", "three", "two", "one"]);
    let matched: Vec<_> = history.commits().map(|commit| history.matched(commit)).collect();
    assert_eq!(matched, [1, 2, 1, 0]);
    let best = history.best(usize::MAX, &[]);
    assert_eq!((best.matched, best.runs.len()), (2, 1));
    assert_eq!(subjects(&history, [best.runs[0].newest, best.runs[0].oldest]), ["three", "three"]);
    assert!(history.boundary().is_empty());
}

#[test]
fn a_stale_file_is_found_in_the_commits_that_had_it() {
    let repo = linear();
    hold_linear(&repo.open(), ObjectFormat::Sha1);
    let history = walk(&repo.open(), &[wanted("dir/a", &[]), wanted("none", &[])]);
    assert_eq!(versions(&history, &repo, 0), ["3 four", "2 three", "1 one"]);
    assert_eq!(versions(&history, &repo, 1), ["- four"]);
    assert_eq!(history.best(usize::MAX, &[]), Best { matched: 0, runs: Vec::new() });
}

#[test]
fn it_does_not_matter_how_a_repository_stores_its_history() {
    let repo = linear();
    let url = format!("file://{}", repo.path().display());
    let clone = |name: &str, options: &[&str]| {
        git_in(&repo.beside("."), &[&["clone", "-q"], options, &[&url, name]].concat());
    };
    clone("bare.git", &["--bare"]);
    clone("blobless.git", &["--bare", "--filter=blob:none"]);
    git_in(&repo.beside("."), &["clone", "-q", "--shared", &repo.path().display().to_string(), "borrowing"]);
    repo.git(&["worktree", "add", "-q", "--detach", "../linked"]);
    for name in ["bare.git", "blobless.git", "borrowing", "linked"] {
        hold_linear(&open(&repo, name), ObjectFormat::Sha1);
    }
    repo.git(&["repack", "-adq"]);
    hold_linear(&repo.open(), ObjectFormat::Sha1);
    repo.git(&["commit-graph", "write", "--reachable", "--changed-paths"]);
    hold_linear(&repo.open(), ObjectFormat::Sha1);
}

#[test]
fn a_commit_graph_of_several_files_with_and_without_filters_is_read() {
    let repo = TestRepo::new();
    for (at, options) in [&["--changed-paths"][..], &[], &["--changed-paths"]].iter().enumerate() {
        repo.write(&format!("file-{at}"), "x");
        repo.write("ä", at.to_string());
        repo.commit_all(&at.to_string());
        repo.git(&[&["commit-graph", "write", "--reachable", "--split=no-merge"], *options].concat());
    }
    assert!(repo.path().join(".git/objects/info/commit-graphs/commit-graph-chain").is_file());
    let history = walk(&repo.open(), &[wanted("ä", &["1"])]);
    assert_eq!(versions(&history, &repo, 0), ["2 2", "1 1", "0 0"]);
    let history = walk(&repo.open(), &[wanted("file-1", &["x"])]);
    assert_eq!(versions(&history, &repo, 0), ["x 2", "- 0"]);
}

#[test]
fn ids_of_sha256_are_found() {
    let repo = TestRepo::sha256();
    for (subject, a, b) in [("one", "1", "1"), ("two", "2", "1"), ("three", "2", "2"), ("four", "3", "2")] {
        repo.write("dir/a", a);
        repo.write("b", b);
        repo.commit_all(subject);
    }
    hold_linear(&repo.open(), ObjectFormat::Sha256);
    repo.git(&["gc", "-q"]);
    repo.git(&["commit-graph", "write", "--reachable", "--changed-paths"]);
    hold_linear(&repo.open(), ObjectFormat::Sha256);
}

#[test]
fn a_shallow_clone_tells_where_its_history_ends() {
    let repo = linear();
    let url = format!("file://{}", repo.path().display());
    git_in(&repo.beside("."), &["clone", "-q", "--depth=2", &url, "shallow"]);
    let shallow = open(&repo, "shallow");
    let history = walk(&shallow, &[wanted("dir/a", &["1"]), wanted("b", &["2"])]);
    assert_eq!(subjects(&history, history.commits()), ["four", "three"]);
    assert_eq!(subjects(&history, history.boundary().to_owned()), ["three"]);
    let tip = history.commits().next().unwrap();
    assert_eq!(subjects(&history, history.introduced(0, tip)), ["four"]);
    assert_eq!((history.introduced(1, tip), history.added(1, tip)), (None, None), "before the boundary");
    git_in(&repo.beside("shallow"), &["fetch", "-q", "--unshallow"]);
    hold_linear(&open(&repo, "shallow"), ObjectFormat::Sha1);
}

#[test]
fn a_clone_without_trees_is_an_error_that_names_one() {
    let repo = linear();
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", repo.path().display());
    git_in(&repo.beside("."), &["clone", "-q", "--filter=tree:0", &url, "treeless"]);
    let Err(error) = try_walk(&open(&repo, "treeless"), &[wanted("b", &["1"])]) else {
        panic!("the trees are not here");
    };
    assert!(matches!(error, RepoError::MissingObject { kind: ObjectKind::Tree, partial: true, .. }), "{error}");
    assert!(error.to_string().ends_with("(this is a partial clone)"), "{error}");
}

#[test]
fn a_missing_or_damaged_object_is_never_passed_over() {
    let repo = linear();
    for revision in ["HEAD~2", "HEAD~2^{tree}"] {
        let id = repo.text(&["rev-parse", revision]);
        let object = repo.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
        let moved = repo.beside("moved");
        std::fs::rename(&object, &moved).unwrap();
        let error = try_walk(&repo.open(), &[wanted("b", &["1"])]).err().unwrap();
        assert!(error.to_string().ends_with(&format!("{id} is not in the repository")), "{error}");
        std::fs::write(&object, "x").unwrap();
        let error = try_walk(&repo.open(), &[wanted("b", &["1"])]).err().unwrap();
        assert!(matches!(error, RepoError::Object { .. }), "{error}");
        std::fs::rename(&moved, &object).unwrap();
    }
    hold_linear(&repo.open(), ObjectFormat::Sha1);
}

#[test]
fn an_extension_that_fails_leaves_the_history_as_it_was() {
    let repo = linear();
    repo.git(&["switch", "-q", "-c", "side"]);
    repo.write("b", "9");
    repo.commit_all("side");
    let tree = repo.text(&["rev-parse", "HEAD^{tree}"]);
    repo.git(&["switch", "-q", "main"]);
    std::fs::remove_file(repo.path().join(".git/objects").join(&tree[..2]).join(&tree[2..])).unwrap();
    let repository = repo.open();
    let mut history = walk(&repository, &[wanted("b", &["2"])]);
    let before = versions(&history, &repo, 0);
    let names = Names::of(&repository).unwrap();
    assert!(matches!(history.extend(&names), Err(RepoError::MissingObject { .. })));
    assert!(matches!(history.extend(&names), Err(RepoError::HistoryBroken)));
    assert_eq!((versions(&history, &repo, 0), history.commits().len()), (before, 4));
    assert_eq!(history.best(usize::MAX, &[]).matched, 1);
    assert!(history.find(&repository.resolve("side").unwrap()).is_none());
}

#[test]
fn replacements_and_grafts_alter_parents_as_they_do_for_git() {
    let id = |repo: &TestRepo, revision: &str| repo.text(&["rev-parse", revision]);
    let (replaced, grafted) = (linear(), linear());
    // A commit-graph knows the parents as they were, and must not be asked.
    for repo in [&replaced, &grafted] {
        repo.git(&["commit-graph", "write", "--reachable", "--changed-paths"]);
    }
    replaced.git(&["replace", "--graft", "HEAD", "HEAD~2"]);
    let line = format!("{} {}\n# a comment\n", id(&grafted, "HEAD"), id(&grafted, "HEAD~2"));
    std::fs::write(grafted.path().join(".git/info/grafts"), line).unwrap();
    for repo in [replaced, grafted] {
        let history = walk(&repo.open(), &[wanted("b", &["1"])]);
        assert_eq!(subjects(&history, history.commits()), ["four", "two", "one"]);
        let listed = repo.text(&["-c", "advice.graftFileDeprecated=false", "rev-list", "HEAD"]);
        assert_eq!(listed.lines().count(), 3);
    }
}

#[test]
fn grafts_in_a_circle_do_not_hang() {
    let repo = linear();
    let (four, one) = (repo.text(&["rev-parse", "HEAD"]), repo.text(&["rev-parse", "HEAD~3"]));
    std::fs::write(repo.path().join(".git/info/grafts"), format!("{one} {four}\n")).unwrap();
    let history = walk(&repo.open(), &[wanted("b", &["1"])]);
    assert_eq!(history.commits().len(), 4);
    let tip = history.find(&repo.open().resolve("HEAD").unwrap()).unwrap();
    assert_eq!((history.added(0, tip), history.deleted(0, tip)), (None, None));
}

#[test]
fn merges_count_with_their_own_tree() {
    let repo = TestRepo::new();
    repo.write("base", "x");
    repo.commit_all("root");
    for side in ["a", "b", "c"] {
        repo.git(&["switch", "-q", "-c", side, "main"]);
        repo.write(side, side);
        repo.commit_all(side);
    }
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["merge", "-q", "-m", "octopus", "a", "b", "c"]);
    // An evil merge: it changes what none of its parents has.
    repo.git(&["switch", "-q", "-c", "d", "a"]);
    repo.commit_all("empty");
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-commit", "--no-ff", "d"]);
    repo.write("a", "evil");
    repo.commit_all("evil");
    let history = walk(&repo.open(), &[wanted("a", &["a"]), wanted("b", &["b"]), wanted("c", &["c"])]);
    let best = history.best(usize::MAX, &[]);
    assert_eq!((best.matched, best.runs.len()), (3, 1));
    assert_eq!(subjects(&history, [best.runs[0].newest]), ["octopus"]);
    let tip = history.commits().next().unwrap();
    assert_eq!(subjects(&history, [tip]), ["evil"]);
    assert_eq!(subjects(&history, history.introduced(0, tip)), ["evil"]);
    assert_eq!(subjects(&history, history.introduced(2, tip)), ["c"]);
    assert_eq!((history.touched(tip), history.touched(best.runs[0].newest)), (vec![0], vec![]));
    assert_eq!(history.distance(tip, best.runs[0].newest), 2);
}

#[test]
fn a_merge_that_leaves_a_branch_out_deletes_what_it_brought() {
    let repo = TestRepo::new();
    repo.write("base", "x");
    repo.commit_all("root");
    repo.git(&["switch", "-q", "-c", "side"]);
    repo.write("file", "1");
    repo.commit_all("adds");
    repo.git(&["switch", "-q", "main"]);
    repo.commit_all("empty");
    repo.git(&["merge", "-q", "-s", "ours", "-m", "ours", "side"]);
    let history = walk(&repo.open(), &[wanted("file", &["1"])]);
    let tip = history.commits().next().unwrap();
    let Deletion { commit, before } = history.deleted(0, tip).unwrap();
    assert_eq!(subjects(&history, [commit, before]), ["ours", "adds"]);
}

#[test]
fn a_file_deleted_on_the_main_line_was_not_deleted_by_a_later_merge() {
    let repo = TestRepo::new();
    repo.write("file", "1");
    repo.commit_all("adds");
    repo.git(&["switch", "-q", "-c", "side"]);
    repo.write("other", "1");
    repo.commit_all("keeps");
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["rm", "-q", "file"]);
    repo.commit_all("deletes");
    repo.git(&["merge", "-q", "-m", "merge", "side"]);
    let history = walk(&repo.open(), &[wanted("file", &["1"])]);
    let tip = history.commits().next().unwrap();
    assert_eq!(subjects(&history, [tip]), ["merge"]);
    let Deletion { commit, before } = history.deleted(0, tip).unwrap();
    assert_eq!(subjects(&history, [commit, before]), ["deletes", "adds"]);
}

#[test]
fn what_was_deleted_and_added_again_was_added_twice() {
    let repo = TestRepo::new();
    for (subject, contents) in
        [("adds", Some("1")), ("deletes", None), ("adds again", Some("1")), ("changes", Some("2"))]
    {
        match contents {
            Some(contents) => repo.write("dir/file", contents),
            None => std::fs::remove_dir_all(repo.path().join("dir")).unwrap(),
        }
        repo.commit_all(subject);
    }
    let history = walk(&repo.open(), &[wanted("dir/file", &["1"])]);
    assert_eq!(versions(&history, &repo, 0), ["2 changes", "1 adds again", "- deletes"]);
    let all: Vec<_> = history.commits().collect();
    let added = |at: usize| history.added(0, all[at]);
    assert_eq!([added(0), added(1), added(2), added(3)], [Some(all[1]), Some(all[1]), None, Some(all[3])]);
    let deletion = Deletion { commit: all[2], before: all[3] };
    assert_eq!((history.deleted(0, all[2]), history.deleted(0, all[0])), (Some(deletion), None));
    // Two runs: the file was the same before and after, with a gap between.
    let runs = history.best(usize::MAX, &[]).runs;
    let ends: Vec<_> = runs.iter().map(|run| (run.newest, run.oldest, run.commits.len())).collect();
    assert_eq!(ends, [(all[1], all[1], 1), (all[3], all[3], 1)]);
}

#[test]
fn contents_are_found_at_other_paths_and_on_other_branches() {
    let repo = TestRepo::new();
    repo.write("deep/in/old", "moved");
    repo.write("twin/a", "same");
    repo.write("twin/b", "same");
    repo.commit_all("root");
    repo.git(&["mv", "deep/in/old", "new"]);
    repo.commit_all("rename");
    repo.git(&["switch", "-q", "--orphan", "orphan"]);
    repo.write("pages/index", "elsewhere");
    repo.commit_all("orphan");
    repo.git(&["switch", "-q", "main"]);
    let id = |text: &str| BlobId::of(text.as_bytes(), ObjectFormat::Sha1).unwrap();
    let repository = repo.open();
    let anywhere = [id("moved"), id("same"), id("elsewhere"), id("nowhere")];
    let query = Query { wanted: &[wanted("deep/in/old", &["moved"])], anywhere: &anywhere };
    let mut history = History::walk(&repository, &repository.resolve("HEAD").unwrap(), &query).unwrap();
    let found = |history: &History, text: &str| {
        let (path, commit) = history.elsewhere(id(text))?;
        Some(format!("{path} {}", history.commit(commit).unwrap().subject))
    };
    assert_eq!(found(&history, "moved").unwrap(), "new rename");
    assert_eq!(found(&history, "same").unwrap(), "twin/a rename");
    assert_eq!(found(&history, "elsewhere"), None);
    history.extend(&Names::of(&repository).unwrap()).unwrap();
    assert_eq!(found(&history, "elsewhere").unwrap(), "pages/index orphan");
    assert_eq!(found(&history, "nowhere"), None);
    assert_eq!(history.commits().len(), 3);
    let orphan = history.include(&repository, &repository.resolve("orphan").unwrap()).unwrap();
    assert_eq!((history.commits().len(), orphan.position()), (3, 2));
    assert!(!history.is_ancestor(orphan, history.commits().next().unwrap()));
}

#[test]
fn a_link_agrees_with_links_only_and_a_submodule_is_no_file() {
    let repo = TestRepo::new();
    repo.write("file", "target");
    std::os::unix::fs::symlink("target", repo.path().join("link")).unwrap();
    repo.commit_all("root");
    let commit = repo.text(&["rev-parse", "HEAD"]);
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},module")]);
    repo.git(&["update-index", "--chmod=+x", "file"]);
    repo.git(&["commit", "-q", "-m", "module"]);
    let link = |path: &str| Wanted { kind: RepoFileKind::Symlink, ..wanted(path, &["target"]) };
    let query =
        [wanted("file", &["target"]), wanted("link", &["target"]), link("file"), link("link"), wanted("module", &[])];
    let history = walk(&repo.open(), &query);
    for commit in history.commits() {
        let agrees: Vec<bool> = (0..query.len()).map(|at| history.agrees(at, commit)).collect();
        assert_eq!(agrees, [true, false, false, true, false]);
    }
    assert_eq!(history.versions(4).len(), 1, "never a file");
    assert_eq!(history.versions(0).len(), 1, "an executable bit makes no version");
}

#[test]
fn commits_are_called_what_git_describe_calls_them() {
    let repo = TestRepo::new();
    let commit = |subject: &str| drop(repo.commit_all(subject));
    commit("one");
    repo.git(&["tag", "v1"]);
    repo.git(&["tag", "-a", "v1-annotated", "-m", "x"]);
    commit("two");
    repo.git(&["switch", "-q", "-c", "side"]);
    commit("side");
    repo.git(&["switch", "-q", "main"]);
    commit("three");
    repo.git(&["merge", "-q", "--no-ff", "-m", "merge", "side"]);
    repo.git(&["tag", "v2"]);
    commit("four");
    repo.git(&["tag", "tree", "HEAD^{tree}"]);
    let repository = repo.open();
    let history = walk(&repository, &[]);
    let names = Names::of(&repository).unwrap();
    for at in history.commits() {
        let id = history.commit(at).unwrap().id;
        assert_eq!(history.describe(&names, at), repo.text(&["describe", "--tags", &id]), "{id}");
    }
    repo.git(&["tag", "-d", "v1", "v1-annotated", "v2"]);
    let repository = repo.open();
    let names = Names::of(&repository).unwrap();
    let called: Vec<_> = ["main", "main~2", "main~1^2", "main~4"]
        .map(|revision| history.find(&repository.resolve(revision).unwrap()).unwrap())
        .map(|commit| history.describe(&names, commit))
        .into();
    assert_eq!(called, ["main", "main~2", "side", "main~4"]);
    repo.git(&["branch", "-D", "side"]);
    let side = repository.resolve("main~1^2").unwrap();
    let names = Names::of(&repo.open()).unwrap();
    assert_eq!(history.describe(&names, history.find(&side).unwrap()), side.short);
}
