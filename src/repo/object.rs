//! The contents of git objects, in bounds.

use gix::objs::Kind;

use super::{Origin, RepoError, RepoFileKind, Repository, Snapshot, worktree};
use crate::blob::BlobId;
use crate::path::RepoPath;

impl Repository {
    /// The contents of a blob of at most `limit` bytes.
    ///
    /// # Errors
    /// When the blob is larger, unreadable or not here; a partial clone has left it with its remote.
    pub fn blob(&self, id: BlobId, limit: u64) -> Result<Vec<u8>, RepoError> {
        let size = self.blob_size(id)?.ok_or_else(|| self.missing(id.object_id(), Kind::Blob))?;
        if size > limit {
            return Err(RepoError::TooLarge { what: format!("blob {id}"), size, limit });
        }
        Ok(self.object(id.object_id(), Kind::Blob)?.detach().data)
    }

    /// Whether an object of this id is here.
    pub fn has(&self, id: BlobId) -> bool {
        self.git.has_object(id.object_id())
    }

    /// The number of bytes in a blob; `None` when it is not here, as in a partial clone.
    ///
    /// # Errors
    /// When the object is unreadable or no blob.
    pub fn blob_size(&self, id: BlobId) -> Result<Option<u64>, RepoError> {
        let header = self.git.try_find_header(id.object_id()).map_err(|error| RepoError::unreadable_blob(id, error))?;
        match header {
            Some(header) if header.kind() == Kind::Blob => Ok(Some(header.size())),
            Some(header) => Err(RepoError::unreadable_blob(id, format!("it is a {}", header.kind()))),
            None => Ok(None),
        }
    }

    /// The contents of a file of `snapshot`, of at most `limit` bytes, wherever the snapshot has them from.
    ///
    /// A symbolic link's contents are its target.
    ///
    /// # Errors
    /// When there is no such file, when it is larger, unreadable or not here, or when it has changed since.
    pub fn read(&self, snapshot: &Snapshot, path: &RepoPath, limit: u64) -> Result<Vec<u8>, RepoError> {
        let file = snapshot.files.get(path).ok_or_else(|| RepoError::NoSuchFile(path.clone()))?;
        match (snapshot.origin, file.kind) {
            (Origin::Revision, _) => self.blob(file.blob, limit),
            (Origin::WorkTree, RepoFileKind::Symlink) => worktree::link_target(&self.work_tree()?, path),
            (Origin::WorkTree, _) => worktree::contents(&self.work_tree()?, path, limit),
        }
    }

    /// The object under `id`, which must be of the given kind.
    pub(super) fn object(&self, id: gix::ObjectId, kind: Kind) -> Result<gix::Object<'_>, RepoError> {
        let unreadable = |source| RepoError::Object { id: id.to_string(), kind: kind.into(), source };
        let found = self.git.try_find_object(id).map_err(|error| unreadable(error.into()))?;
        let object = found.ok_or_else(|| self.missing(id, kind))?;
        if object.kind != kind {
            return Err(unreadable(format!("it is a {}", object.kind).into()));
        }
        Ok(object)
    }

    fn missing(&self, id: gix::ObjectId, kind: Kind) -> RepoError {
        RepoError::MissingObject { id: id.to_string(), kind: kind.into(), partial: self.is_partial() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TestRepo, git_in};
    use super::super::{Settings, of_revision, of_worktree};
    use super::*;
    use crate::blob::ObjectFormat;

    #[test]
    fn contents_come_whole_or_not_at_all() {
        let repo = TestRepo::new();
        repo.write("file", "hello\n");
        repo.commit_all("first");
        let opened = repo.open();
        let id = BlobId::of(b"hello\n", ObjectFormat::Sha1).unwrap();
        assert_eq!(opened.blob(id, 6).unwrap(), b"hello\n");
        let error = opened.blob(id, 5).unwrap_err();
        assert_eq!(error.to_string(), format!("blob {id} has 6 bytes, more than the 5 allowed"));
    }

    #[test]
    fn what_is_not_here_or_no_blob_is_named() {
        let repo = TestRepo::new();
        repo.write("file", "hello\n");
        repo.commit_all("first");
        let opened = repo.open();
        let absent = BlobId::of(b"never stored", ObjectFormat::Sha1).unwrap();
        let error = opened.blob(absent, 99).unwrap_err();
        assert_eq!(error.to_string(), format!("blob {absent} is not in the repository"));
        let tree = repo.text(&["rev-parse", "HEAD^{tree}"]);
        let tree = BlobId::from_object_id(gix::ObjectId::from_hex(tree.as_bytes()).unwrap());
        assert!(matches!(opened.blob(tree, 99).unwrap_err(), RepoError::Object { .. }));
    }

    #[test]
    fn a_file_is_read_from_where_its_snapshot_saw_it() {
        let repo = TestRepo::new();
        repo.write("file", "committed");
        std::os::unix::fs::symlink("file", repo.path().join("link")).unwrap();
        let commit = repo.commit_all("first");
        repo.write("file", "edited");
        let opened = repo.open();
        let (file, link) = (RepoPath::clean(b"file"), RepoPath::clean(b"link"));
        let revision = of_revision(&opened, &commit).unwrap();
        let work_tree = of_worktree(&opened).unwrap();
        assert_eq!(opened.read(&revision, &file, 99).unwrap(), b"committed");
        assert_eq!(opened.read(&work_tree, &file, 99).unwrap(), b"edited");
        assert!(matches!(opened.read(&work_tree, &file, 5).unwrap_err(), RepoError::TooLarge { .. }));
        for snapshot in [&revision, &work_tree] {
            assert_eq!(opened.read(snapshot, &link, 99).unwrap(), b"file");
            let error = opened.read(snapshot, &RepoPath::clean(b"none"), 99).unwrap_err();
            assert_eq!(error.to_string(), "`none` is not in the repository");
        }
    }

    #[test]
    fn a_partial_clone_names_what_it_lacks_and_the_hints_help() {
        let repo = TestRepo::new();
        repo.write("dir/file", "first version\n");
        repo.commit_all("first");
        repo.write("dir/file", "second version\n");
        repo.commit_all("second");
        repo.git(&["config", "uploadpack.allowFilter", "true"]);
        repo.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        let url = format!("file://{}", repo.path().display());
        let run_hint = |error: &RepoError, directory: &str| {
            let hint = error.hint().unwrap();
            let command = hint.split('`').nth(1).unwrap().strip_prefix("git ").unwrap().to_owned();
            git_in(&repo.beside(directory), &command.split(' ').collect::<Vec<_>>());
        };
        for (filter, missing) in [("blob:none", "blob"), ("tree:0", "tree")] {
            let name = filter.replace(':', "-");
            git_in(&repo.beside("."), &["clone", "-q", &format!("--filter={filter}"), &url, &name]);
            let open = || Repository::open_with(&repo.beside(&name), Settings::RepositoryOnly).unwrap();
            let read = || {
                let opened = open();
                let snapshot = of_revision(&opened, &opened.resolve("HEAD~1")?)?;
                opened.read(&snapshot, &RepoPath::clean(b"dir/file"), 99)
            };
            let error = read().unwrap_err();
            let message = error.to_string();
            assert!(message.starts_with(missing) && message.ends_with("(this is a partial clone)"), "{message}");
            run_hint(&error, &name);
            if let Err(error) = read() {
                assert_eq!(missing, "tree", "{error}");
                run_hint(&error, &name);
            }
            assert_eq!(read().unwrap(), b"first version\n", "{filter}");
        }
    }
}
