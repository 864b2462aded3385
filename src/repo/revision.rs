//! Revisions and the commits they name.

use gix::bstr::ByteSlice;

use super::error::ObjectKind;
use super::{RepoError, Repository};

/// Seconds are enough; the zone is UTC so that two machines print the same (RFC 3339).
const RFC_3339_UTC: gix::date::time::CustomFormat = gix::date::time::CustomFormat::new("%Y-%m-%dT%H:%M:%SZ");

/// Digits of an abbreviated id that git takes for one.
const SHORTEST_PREFIX: usize = 4;

/// A commit, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Commit {
    /// The full id in hexadecimal.
    pub id: String,
    /// The id abbreviated so that it is unique in this repository.
    pub short: String,
    /// The first paragraph of the message, on one line.
    pub subject: String,
    /// When it was committed: RFC 3339, in UTC.
    pub time: String,
}

impl Repository {
    /// The commit that `revision` names in git's own notation: a branch, a tag (peeled), an id, `HEAD~2` and so on.
    ///
    /// # Errors
    /// When there is no such revision, when it names something else than a commit, or when nothing was committed yet.
    pub fn resolve(&self, revision: &str) -> Result<Commit, RepoError> {
        let named = self.git.rev_parse_single(revision).map_err(|_| self.unknown(revision))?;
        let object = named.object().map_err(|_| self.unknown(revision))?;
        let object = object.peel_tags_to_end().map_err(|_| self.unknown(revision))?;
        if object.kind != gix::objs::Kind::Commit {
            return Err(RepoError::NotACommit { revision: revision.to_owned(), kind: object.kind.into() });
        }
        let commit = object.into_commit();
        shown(&commit).map_err(|error| unreadable(commit.id, error))
    }

    /// The commit that somebody else names, such as a label of an image: by its id, which may be abbreviated, by a tag,
    /// a branch, a remote's branch, or in the form of `git describe`. What git's notation can do beyond names (search
    /// messages, step through parents) is not for strangers.
    pub fn commit_named(&self, name: &str) -> Option<Commit> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
        if name.is_empty() || !name.bytes().all(plain) || name.starts_with(['-', '.']) {
            return None;
        }
        let is_id = name.len() >= SHORTEST_PREFIX && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let prefixes: &[&str] = if is_id { &[""] } else { &["refs/tags/", "refs/heads/", "refs/remotes/origin/", ""] };
        prefixes.iter().find_map(|prefix| self.resolve(&format!("{prefix}{name}")).ok())
    }

    /// The commit under the tag `name`.
    pub fn commit_tagged(&self, name: &str) -> Option<Commit> {
        self.resolve(&format!("refs/tags/{name}")).ok()
    }

    /// The commit that `commit` follows: of a merge, the one that others were merged into. `None` for a first commit.
    ///
    /// # Errors
    /// When it is not here, because a shallow clone left it out.
    pub fn first_parent(&self, commit: &Commit) -> Result<Option<Commit>, RepoError> {
        let id = self.id_of(commit)?;
        let object = self.object(id, gix::objs::Kind::Commit)?.into_commit();
        let Some(parent) = object.parent_ids().next() else { return Ok(None) };
        let parent = self.object(parent.detach(), gix::objs::Kind::Commit)?.into_commit();
        shown(&parent).map(Some).map_err(|error| unreadable(parent.id, error))
    }

    /// The tree of `commit`.
    pub(super) fn tree_of(&self, commit: &Commit) -> Result<gix::ObjectId, RepoError> {
        let id = self.id_of(commit)?;
        let commit = self.object(id, gix::objs::Kind::Commit)?.into_commit();
        Ok(commit.tree_id().map_err(|error| unreadable(id, error))?.detach())
    }

    /// The id of `commit`.
    pub(super) fn id_of(&self, commit: &Commit) -> Result<gix::ObjectId, RepoError> {
        gix::ObjectId::from_hex(commit.id.as_bytes()).map_err(|_| self.unknown(&commit.id))
    }

    fn unknown(&self, revision: &str) -> RepoError {
        let of_head = revision.starts_with("HEAD") || revision.starts_with('@');
        if of_head && self.git.head().is_ok_and(|head| head.is_unborn()) {
            return RepoError::Unborn(self.path().to_owned());
        }
        RepoError::UnknownRevision { revision: revision.to_owned(), shallow: self.is_shallow() }
    }
}

/// The commit under `id`, as it is shown.
pub(super) fn shown_by_id(git: &gix::Repository, id: gix::ObjectId) -> Result<Commit, RepoError> {
    let commit = git.find_commit(id).map_err(|error| unreadable(id, error))?;
    shown(&commit).map_err(|error| unreadable(id, error))
}

fn shown(commit: &gix::Commit<'_>) -> Result<Commit, gix::Error> {
    let seconds = commit.time()?.seconds;
    Ok(Commit {
        id: commit.id.to_string(),
        short: commit.id().shorten_or_id().to_string(),
        subject: commit.message()?.summary().to_str_lossy().into_owned(),
        time: gix::date::Time::new(seconds, 0).format_or_unix(RFC_3339_UTC),
    })
}

fn unreadable(id: gix::ObjectId, error: gix::Error) -> RepoError {
    RepoError::Object { id: id.to_string(), kind: ObjectKind::Commit, source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TestRepo, git_in};
    use super::super::{Repository, Settings};
    use super::*;

    fn history() -> TestRepo {
        let repo = TestRepo::new();
        repo.write("dir/file", "1");
        repo.commit_all("First line\nsecond line\n\nbody");
        repo.git(&["tag", "-a", "v1", "-m", "annotated"]);
        repo.write("dir/file", "2");
        repo.commit_all("Second");
        repo
    }

    #[test]
    fn every_notation_of_a_commit_is_the_commit_git_names() {
        let repo = history();
        let opened = repo.open();
        let first = repo.text(&["rev-parse", "HEAD~1"]);
        for notation in ["v1", "main~1", "HEAD^", "@~", &first, &first[..8], "refs/tags/v1", "v1^{commit}", "v1^0"] {
            assert_eq!(opened.resolve(notation).unwrap().id, first, "{notation}");
        }
    }

    #[test]
    fn strangers_name_commits_by_plain_names_only() {
        let repo = history();
        repo.git(&["branch", "topic/x", "v1"]);
        let opened = repo.open();
        let first = repo.text(&["rev-parse", "HEAD~1"]);
        let described = format!("v1-0-g{}", &first[..8]);
        for name in ["v1", "topic/x", &first, &first[..7], &described] {
            assert_eq!(opened.commit_named(name).map(|commit| commit.id), Some(first.clone()), "{name}");
        }
        for name in ["", "HEAD~1", "HEAD^{/First}", ":/First", "@{-1}", "--all", "../x", "no-such", "123"] {
            assert_eq!(opened.commit_named(name), None, "{name}");
        }
        assert_eq!(opened.commit_tagged("v1").map(|commit| commit.id), Some(first));
        assert_eq!(opened.commit_tagged("main"), None);
    }

    #[test]
    fn a_commit_is_shown_as_git_shows_it() {
        let repo = history();
        let commit = repo.open().resolve("v1").unwrap();
        assert_eq!(commit.short, repo.text(&["rev-parse", "--short", "v1^0"]));
        assert_eq!(commit.subject, "First line second line");
        assert_eq!(commit.time, "2024-02-29T10:30:00Z"); // committed at 12:30 in +02:00
    }

    #[test]
    fn what_names_no_commit_says_what_it_names() {
        let repo = history();
        let opened = repo.open();
        for (revision, kind) in [("HEAD^{tree}", "a tree"), ("HEAD:dir/file", "a blob"), ("HEAD:dir", "a tree")] {
            let message = opened.resolve(revision).unwrap_err().to_string();
            assert_eq!(message, format!("`{revision}` names {kind}, not a commit"));
        }
        let absent = "1234567890123456789012345678901234567890";
        for revision in ["nowhere", absent, "HEAD~9", "", "main..main", "v1:"] {
            let error = opened.resolve(revision).unwrap_err();
            assert!(error.to_string().contains(&format!("`{revision}`")), "{error}");
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn an_unknown_revision_of_a_shallow_clone_asks_for_more_history() {
        let repo = history();
        let url = format!("file://{}", repo.path().display());
        git_in(&repo.beside("."), &["clone", "-q", "--depth=1", "--no-tags", &url, "shallow"]);
        let shallow = Repository::open_with(&repo.beside("shallow"), Settings::RepositoryOnly).unwrap();
        for revision in ["v1", "HEAD~1"] {
            let error = shallow.resolve(revision).unwrap_err();
            assert_eq!(error.to_string(), format!("unknown revision `{revision}` (this is a shallow clone)"));
            assert_eq!(error.hint().unwrap(), "`git fetch --unshallow` brings the whole history");
        }
    }

    #[test]
    fn without_commits_there_is_no_head() {
        let repo = TestRepo::new();
        let opened = repo.open();
        for revision in ["HEAD", "@", "HEAD~1"] {
            let error = opened.resolve(revision).unwrap_err();
            assert!(matches!(error, RepoError::Unborn(_)), "{error:?}");
        }
        assert!(matches!(opened.resolve("main").unwrap_err(), RepoError::UnknownRevision { .. }));
    }
}
