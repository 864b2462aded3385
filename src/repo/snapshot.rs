//! The files of a revision: path, mode and blob id.

use std::collections::{BTreeMap, BTreeSet};

use gix::objs::tree::EntryKind;

use super::{Commit, RepoError, Repository};
use crate::blob::BlobId;
use crate::path::RepoPath;

/// Every file of a revision or of a work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The files, by path.
    pub files: BTreeMap<RepoPath, RepoFile>,
    /// Directories that are repositories of their own and are not looked into: submodules, and in a work tree also
    /// embedded repositories that git neither tracks nor ignores.
    pub submodules: Vec<RepoPath>,
    /// Which of the files git does not track; only a work tree has such files.
    pub untracked: BTreeSet<RepoPath>,
    /// Where the files were seen, and so where their contents are.
    pub origin: Origin,
}

/// Where a snapshot was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the tree of a commit.
    Revision,
    /// On disk.
    WorkTree,
}

/// One file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepoFile {
    /// What kind of file it is.
    pub kind: RepoFileKind,
    /// The id of its contents: the blob of a revision, or the bytes on disk, unconverted, of a work tree.
    pub blob: BlobId,
    /// The number of bytes where it is known without looking the blob up: in a work tree.
    pub size: Option<u64>,
}

/// The kinds of file that git tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RepoFileKind {
    /// A file (`100644`).
    Regular,
    /// A file that its owner may execute (`100755`).
    Executable,
    /// A symbolic link (`120000`), whose contents are its target.
    Symlink,
}

impl Snapshot {
    pub(super) fn new(origin: Origin) -> Self {
        Self { files: BTreeMap::new(), submodules: Vec::new(), untracked: BTreeSet::new(), origin }
    }
}

/// The files of `commit`. Only trees are read, so a clone without blobs (`--filter=blob:none`) will do.
///
/// # Errors
/// When a tree is damaged or not here, or names a file in a way that no checkout could hold.
pub fn of_revision(repository: &Repository, commit: &Commit) -> Result<Snapshot, RepoError> {
    let mut snapshot = Snapshot::new(Origin::Revision);
    let mut pending = vec![(repository.tree_of(commit)?, Vec::new())];
    // A list instead of recursion: the depth of a tree is whatever its author wanted.
    while let Some((tree, directory)) = pending.pop() {
        let object = repository.object(tree, gix::objs::Kind::Tree)?;
        for entry in gix::objs::TreeRefIter::from_bytes(&object.data, repository.git.object_hash()) {
            let entry = entry.map_err(|error| damaged(tree, error))?;
            let path = below(&directory, entry.filename);
            match file_kind(entry.mode.kind()) {
                Some(kind) => {
                    let blob = BlobId::from_object_id(entry.oid.to_owned());
                    snapshot.files.insert(valid(path)?, RepoFile { kind, blob, size: None });
                }
                None if entry.mode.is_tree() => pending.push((entry.oid.to_owned(), path)),
                None => snapshot.submodules.push(valid(path)?),
            }
        }
    }
    snapshot.submodules.sort();
    Ok(snapshot)
}

impl Repository {
    /// Whether `commit` has any of the files or links at `paths`.
    ///
    /// # Errors
    /// When a tree is damaged or not here.
    pub fn has_any(&self, commit: &Commit, paths: &[RepoPath]) -> Result<bool, RepoError> {
        let root = self.tree_of(commit)?;
        for path in paths {
            let tree = self.object(root, gix::objs::Kind::Tree)?.into_tree();
            let entry = tree.lookup_entry(path.components()).map_err(|error| damaged(root, error))?;
            if entry.is_some_and(|entry| file_kind(entry.mode().kind()).is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn file_kind(kind: EntryKind) -> Option<RepoFileKind> {
    match kind {
        EntryKind::Blob => Some(RepoFileKind::Regular),
        EntryKind::BlobExecutable => Some(RepoFileKind::Executable),
        EntryKind::Link => Some(RepoFileKind::Symlink),
        EntryKind::Tree | EntryKind::Commit => None,
    }
}

/// The path of an entry of a tree that is at `directory`.
pub(super) fn below(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() { name.to_owned() } else { [directory, b"/", name].concat() }
}

/// A tree may hold names such as `..`, which git refuses to check out and which must not stand for another file here.
fn valid(path: Vec<u8>) -> Result<RepoPath, RepoError> {
    let clean = RepoPath::clean(&path);
    if clean.as_bytes() == path { Ok(clean) } else { Err(RepoError::InvalidPath(path)) }
}

fn damaged(tree: gix::ObjectId, error: impl std::error::Error + Send + Sync + 'static) -> RepoError {
    RepoError::Object { id: tree.to_string(), kind: super::ObjectKind::Tree, source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TestRepo, listing_of};
    use super::*;

    /// Fills a repository with what is awkward: names, modes, links, a submodule.
    fn awkward(repo: &TestRepo) {
        let names: [&[u8]; 8] =
            [b"plain", b"with space", b"line\nbreak", b"\xff\xfe", b"a/b", b"a.b", b"a-b/c", "umlaut-ä/ö".as_bytes()];
        for name in names {
            repo.write_bytes(name, name);
        }
        repo.write("run.sh", "#!/bin/sh\n");
        repo.git(&["add", "--all"]);
        repo.git(&["update-index", "--chmod=+x", "run.sh"]);
        let link = repo.git_with_input(&["hash-object", "-w", "--stdin"], b"../where/ever");
        let link = String::from_utf8(link).unwrap();
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("120000,{},dir/link", link.trim())]);
        let commit = link.trim().replace(|_: char| true, "1");
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendor/module")]);
        repo.git(&["commit", "-q", "-m", "awkward"]);
    }

    #[test]
    fn a_snapshot_is_what_ls_tree_lists() {
        for repo in [TestRepo::new(), TestRepo::sha256()] {
            awkward(&repo);
            let opened = repo.open();
            let snapshot = of_revision(&opened, &opened.resolve("HEAD").unwrap()).unwrap();
            assert_eq!(listing_of(&snapshot), repo.ls_tree("HEAD"));
            assert_eq!(snapshot.submodules, [RepoPath::clean(b"vendor/module")]);
            assert_eq!(snapshot.files.len(), 10);
            assert!(snapshot.untracked.is_empty());
        }
    }

    #[test]
    fn replaced_commits_count_as_for_git_and_grafts_change_no_files() {
        let repo = TestRepo::new();
        repo.write("file", "1");
        repo.commit_all("first");
        repo.write("file", "2");
        repo.commit_all("second");
        let (second, first) = (repo.text(&["rev-parse", "HEAD"]), repo.text(&["rev-parse", "HEAD~1"]));
        let listing = || {
            let opened = repo.open();
            listing_of(&of_revision(&opened, &opened.resolve("main").unwrap()).unwrap())
        };
        let before = listing();
        std::fs::write(repo.path().join(".git/info/grafts"), format!("{second}\n")).unwrap();
        assert_eq!((listing(), repo.ls_tree("main")), (before.clone(), before.clone()));
        repo.git(&["replace", &second, &first]);
        assert_ne!(repo.ls_tree("main"), before);
        assert_eq!(listing(), repo.ls_tree("main"));
    }

    #[test]
    fn a_clone_without_blobs_will_do() {
        let repo = TestRepo::new();
        repo.write("dir/file", "1");
        repo.commit_all("first");
        repo.git(&["config", "uploadpack.allowFilter", "true"]);
        let url = format!("file://{}", repo.path().display());
        repo.git(&["clone", "-q", "--bare", "--filter=blob:none", &url, "../partial.git"]);
        std::fs::remove_dir_all(repo.path().join(".git/objects")).unwrap();
        let opened =
            Repository::open_with(&repo.beside("partial.git"), super::super::Settings::RepositoryOnly).unwrap();
        let snapshot = of_revision(&opened, &opened.resolve("main").unwrap()).unwrap();
        let file = snapshot.files[&RepoPath::clean(b"dir/file")];
        assert_eq!(opened.blob_size(file.blob).unwrap(), None);
    }

    #[test]
    fn names_that_climb_are_refused() {
        let repo = TestRepo::new();
        let blob = String::from_utf8(repo.git_with_input(&["hash-object", "-w", "--stdin"], b"x")).unwrap();
        let id = gix::ObjectId::from_hex(blob.trim().as_bytes()).unwrap();
        for name in ["..", "."] {
            let raw = [format!("100644 {name}\0").as_bytes(), id.as_slice()].concat();
            let tree = repo.git_with_input(&["hash-object", "-w", "-t", "tree", "--literally", "--stdin"], &raw);
            let tree = String::from_utf8(tree).unwrap();
            let commit = repo.text(&["commit-tree", "-m", "hostile", tree.trim()]);
            let opened = repo.open();
            let error = of_revision(&opened, &opened.resolve(&commit).unwrap()).unwrap_err();
            assert!(matches!(error, RepoError::InvalidPath(_)), "{error:?}");
        }
    }
}
