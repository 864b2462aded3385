use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::super::testing::{TestRepo, line_for, listing_of, sorted};
use super::*;

fn snapshot(repo: &TestRepo) -> Snapshot {
    of_worktree(&repo.open()).unwrap()
}

/// The work tree as git itself lists it, each file hashed by git without filters.
fn listing_by_git(repo: &TestRepo) -> Vec<String> {
    let names = repo.git(&["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
    let names = names.split(|&byte| byte == 0).filter(|name| !name.is_empty());
    sorted(names.filter_map(|name| line_by_git(repo, name)))
}

fn line_by_git(repo: &TestRepo, name: &[u8]) -> Option<String> {
    let path = repo.path().join(std::ffi::OsStr::from_bytes(name));
    let through_link = path.ancestors().skip(1).take_while(|above| *above != repo.path()).any(Path::is_symlink);
    let metadata = path.symlink_metadata().ok().filter(|metadata| !metadata.is_dir() && !through_link)?;
    let (mode, contents) = match metadata.is_symlink() {
        true => ("120000", std::fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec()),
        false if metadata.permissions().mode() & 0o100 != 0 => ("100755", std::fs::read(&path).unwrap()),
        false => ("100644", std::fs::read(&path).unwrap()),
    };
    let id = repo.git_with_input(&["hash-object", "--no-filters", "--stdin"], &contents);
    Some(line_for(name, mode, std::str::from_utf8(&id).unwrap().trim_end()))
}

#[test]
fn a_clean_work_tree_is_its_revision() {
    for repo in [TestRepo::new(), TestRepo::sha256()] {
        for name in [&b"plain"[..], b"with space", b"line\nbreak", b"\xff\xfe", b"a/b", b"a.b", b"a-b/c", b"a/c/d"] {
            repo.write_bytes(name, name);
        }
        symlink("a/b", repo.path().join("link")).unwrap();
        symlink("a", repo.path().join("directory-link")).unwrap();
        repo.commit_all("first");
        let snapshot = snapshot(&repo);
        assert_eq!(listing_of(&snapshot), repo.ls_tree("HEAD"));
        assert!(snapshot.untracked.is_empty());
    }
}

#[test]
fn a_changed_work_tree_is_what_lies_on_disk() {
    let repo = TestRepo::new();
    for name in ["kept", "edited", "deleted", "mode", "to-link", "to-dir", "dir/gone", "linked/x", "crlf.txt"] {
        repo.write(name, name);
    }
    repo.write(".gitattributes", "*.txt text\n");
    repo.commit_all("first");
    let at = |name: &str| repo.path().join(name);
    repo.write("edited", "new");
    repo.write("crlf.txt", "raw\r\n");
    for name in ["deleted", "to-link", "to-dir"] {
        std::fs::remove_file(at(name)).unwrap();
    }
    for name in ["dir", "linked"] {
        std::fs::remove_dir_all(at(name)).unwrap();
    }
    std::fs::set_permissions(at("mode"), std::fs::Permissions::from_mode(0o755)).unwrap();
    symlink("kept", at("to-link")).unwrap();
    repo.write("to-dir/inside", "x");
    // Whatever lies behind a link is not in the repository.
    std::fs::create_dir(repo.beside("outside")).unwrap();
    std::fs::write(repo.beside("outside/x"), "secret").unwrap();
    symlink("../outside", at("linked")).unwrap();

    let snapshot = snapshot(&repo);
    assert_eq!(listing_of(&snapshot), listing_by_git(&repo));
    assert_eq!(listing_of(&snapshot).len(), 8);
    assert_eq!(snapshot.untracked.iter().map(ToString::to_string).collect::<Vec<_>>(), ["linked", "to-dir/inside"]);
    assert_eq!(snapshot.files[&RepoPath::clean(b"crlf.txt")].size, Some(5));
}

#[test]
fn untracked_files_count_unless_ignored() {
    let repo = TestRepo::new();
    repo.write(".gitignore", "*.log\n/build/\nfoo/\n!keep.log\nsub/*\n!sub/deep/\n");
    repo.write("deep/.gitignore", "!important.log\nlocal\n");
    for name in ["tracked.log", "build/tracked", "foo/tracked", "deep/tracked"] {
        repo.write(name, name);
    }
    repo.git(&["add", "--force", "--all"]);
    repo.git(&["commit", "-q", "-m", "first"]);
    let untracked = [
        "new",
        "x.log",
        "keep.log",
        "build/new",
        "build/keep.log",
        "foo/new",
        "deep/important.log",
        "deep/local",
        "deep/other.log",
        "deep/down/new",
        "info",
        "sub/a",
        "sub/deep/b",
        "sub/deep/c.log",
        "staged",
        "odd\nname",
    ];
    for name in untracked {
        repo.write(name, name);
    }
    std::fs::write(repo.path().join(".git/info/exclude"), "info\n").unwrap();
    // A link to a directory is no directory for `foo/`.
    std::fs::create_dir(repo.path().join("links")).unwrap();
    symlink("../deep", repo.path().join("links/foo")).unwrap();
    repo.git(&["add", "staged"]);
    std::os::unix::net::UnixListener::bind(repo.path().join("socket")).unwrap();

    let snapshot = snapshot(&repo);
    assert_eq!(listing_of(&snapshot), listing_by_git(&repo));
    let others = repo.text(&["-c", "core.quotePath=false", "ls-files", "-z", "--others", "--exclude-standard"]);
    let others: Vec<&str> = others.split('\0').filter(|name| !name.is_empty()).collect();
    assert_eq!(snapshot.untracked.iter().map(ToString::to_string).collect::<Vec<_>>(), others);
}

#[test]
fn what_all_repositories_ignore_this_one_may_take_back() {
    let repo = TestRepo::new();
    repo.write(".gitignore", "!*.py\n!src\n");
    for name in ["a.py", "a.txt", "src/a.py", "src/a.txt", "other/a.py"] {
        repo.write(name, name);
    }
    for everything in ["*", "/*", "/**", "**"] {
        std::fs::write(repo.path().join(".git/info/exclude"), format!("{everything}\n")).unwrap();
        let snapshot = snapshot(&repo);
        assert_eq!(listing_of(&snapshot), listing_by_git(&repo), "{everything}");
        assert!(snapshot.files.contains_key(&RepoPath::clean(b"src/a.py")), "{everything}");
    }
}

#[test]
fn repositories_inside_are_named_and_not_entered() {
    let repo = TestRepo::new();
    repo.write("file", "x");
    repo.commit_all("first");
    repo.git(&["clone", "-q", ".", "../other"]);
    repo.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../other", "module"]);
    repo.git(&["clone", "-q", ".", "embedded"]);
    repo.git(&["clone", "-q", ".", "ignored"]);
    repo.write(".gitignore", "ignored\n");
    repo.write("not-a-repository/.git/config", "");
    repo.write("not-a-repository/file", "x");
    repo.git(&["worktree", "add", "-q", "inner", "-b", "side"]);

    let snapshot = snapshot(&repo);
    assert_eq!(snapshot.submodules, [&b"embedded"[..], b"inner", b"module"].map(RepoPath::clean));
    assert_eq!(listing_of(&snapshot), listing_by_git(&repo));
}

#[test]
fn linked_work_trees_have_their_own_files() {
    let repo = TestRepo::new();
    repo.write("dir/file", "x");
    repo.commit_all("first");
    repo.git(&["worktree", "add", "-q", "../linked", "-b", "side"]);
    std::fs::write(repo.beside("linked/dir/new"), "y").unwrap();
    std::fs::write(repo.path().join(".git/info/exclude"), "hidden\n").unwrap();
    std::fs::write(repo.beside("linked/hidden"), "z").unwrap();
    let linked = Repository::open_with(&repo.beside("linked/dir"), super::super::Settings::RepositoryOnly).unwrap();
    let snapshot = of_worktree(&linked).unwrap();
    assert_eq!(snapshot.files.keys().map(ToString::to_string).collect::<Vec<_>>(), ["dir/file", "dir/new"]);
    assert_eq!(snapshot.untracked.len(), 1);
    assert_eq!(linked.prefix(), &RepoPath::clean(b"dir"));
}

#[test]
fn conflicts_and_sparse_checkouts_are_what_is_on_disk() {
    let repo = TestRepo::new();
    repo.write("both", "base\n");
    repo.write("sparse/file", "x");
    repo.commit_all("base");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("both", "side\n");
    repo.commit_all("side");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("both", "main\n");
    repo.commit_all("main");
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "elsewhere"]);
    repo.git(&["read-tree", "-m", "--aggressive", "main~1", "main", "side"]);
    assert!(repo.text(&["ls-files", "--unmerged"]).contains("both"));
    let snapshot = snapshot(&repo);
    assert_eq!(listing_of(&snapshot), listing_by_git(&repo));
    assert!(snapshot.untracked.is_empty(), "{:?}", snapshot.untracked);
}

#[test]
fn a_repository_without_commits_has_a_work_tree_and_a_bare_one_has_none() {
    let repo = TestRepo::new();
    repo.write("new", "x");
    assert_eq!(snapshot(&repo).files.len(), 1);
    repo.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
    let bare = Repository::open_with(&repo.beside("bare.git"), super::super::Settings::RepositoryOnly).unwrap();
    assert!(matches!(of_worktree(&bare).unwrap_err(), RepoError::Bare(_)));
}

#[test]
fn a_file_that_grows_or_shrinks_under_the_reader_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let (location, path) = (directory.path().join("file"), RepoPath::clean(b"file"));
    std::fs::write(&location, "12345").unwrap();
    for (size, same) in [(4, false), (5, true), (6, false)] {
        assert_eq!(stream(&location, &path, size, |_| {}).is_ok(), same, "{size}");
    }
}
