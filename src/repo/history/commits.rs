//! Reading commits and trees out of the object database, as a walk needs them.

use gix::hashtable::{HashMap, HashSet};
use gix::objs::Kind;
use gix::{ObjectId, commitgraph};

use super::super::error::Cause;
use super::super::{RepoError, Repository};
use super::filters::Filters;
use super::trees::TreeReader;

/// A commit as far as a walk needs it.
pub(super) struct RawCommit {
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    /// Seconds since 1970, of the committer.
    pub(super) time: i64,
    /// Whether it has parents that a shallow clone left out.
    pub(super) cut: bool,
}

/// Reads commits and trees, and knows what changes a commit's parents.
pub(super) struct Reader {
    pub(super) objects: TreeReader,
    altered: Altered,
    /// Knows original parents only, so it is not used where parents are altered (`commit_graph_compatible` of git).
    graph: Option<commitgraph::Graph>,
}

impl Reader {
    pub(super) fn new(repository: &Repository) -> Result<Self, RepoError> {
        let git = &repository.git;
        let altered = Altered::of(git).map_err(|source| open_error(repository, source))?;
        // Without the file, or with a damaged one, the commits themselves say the same.
        let graph = git.commit_graph_if_enabled().ok().flatten().filter(|_| altered.is_empty());
        Ok(Self { objects: TreeReader::new(git, repository.is_partial()), altered, graph })
    }

    /// The changed-path filters, which hold for original parents only.
    pub(super) fn filters(&self) -> Option<Filters> {
        self.graph.as_ref()?;
        let filters = Filters::of(self.objects.git.objects.store_ref().path());
        (!filters.is_empty()).then_some(filters)
    }

    pub(super) fn commit(&mut self, id: ObjectId) -> Result<RawCommit, RepoError> {
        if let Some(found) = self.graph.as_ref().and_then(|graph| from_graph(graph, id)) {
            return Ok(found);
        }
        self.objects.read(id, Kind::Commit)?;
        let mut commit =
            parse(&self.objects.buffer).ok_or_else(|| unreadable(id, Kind::Commit, "its header is damaged"))?;
        self.altered.apply(id, &mut commit);
        Ok(commit)
    }
}

/// The commits whose parents are not those that they name.
#[derive(Default)]
struct Altered {
    /// Commits whose parents a shallow clone left out.
    shallow: HashSet,
    /// `info/grafts`, which git has given up in favour of `git replace` and still obeys.
    grafts: HashMap<ObjectId, Vec<ObjectId>>,
}

impl Altered {
    fn of(git: &gix::Repository) -> Result<Self, Cause> {
        let shallow = git.shallow_commits()?.map(|commits| commits.iter().copied().collect()).unwrap_or_default();
        let grafts = match std::fs::read(git.common_dir().join("info").join("grafts")) {
            Ok(text) => text.split(|&byte| byte == b'\n').filter_map(graft).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => HashMap::default(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { shallow, grafts })
    }

    fn is_empty(&self) -> bool {
        self.shallow.is_empty() && self.grafts.is_empty()
    }

    fn apply(&self, id: ObjectId, commit: &mut RawCommit) {
        if self.shallow.contains(&id) {
            commit.cut = !commit.parents.is_empty();
            commit.parents.clear();
        } else if let Some(parents) = self.grafts.get(&id) {
            commit.parents.clone_from(parents);
        }
    }
}

/// One line of `info/grafts`: a commit and its parents; `None` for a comment and what git would not take either.
fn graft(line: &[u8]) -> Option<(ObjectId, Vec<ObjectId>)> {
    let words = line.trim_ascii_end().split(|&byte| byte == b' ');
    let mut ids = words.map(|word| ObjectId::from_hex(word).ok()).collect::<Option<Vec<_>>>()?.into_iter();
    Some((ids.next()?, ids.collect()))
}

fn from_graph(graph: &commitgraph::Graph, id: ObjectId) -> Option<RawCommit> {
    let commit = graph.commit_by_id(id)?;
    let parents = commit.iter_parents().map(|parent| Some(graph.id_at(parent.ok()?).to_owned()));
    Some(RawCommit {
        tree: commit.root_tree_id().to_owned(),
        parents: parents.collect::<Option<_>>()?,
        time: i64::try_from(commit.committer_timestamp()).ok()?,
        cut: false,
    })
}

/// Reads a commit's header as leniently as git: a date that is none counts as 0.
fn parse(data: &[u8]) -> Option<RawCommit> {
    let mut lines = data.split(|&byte| byte == b'\n').take_while(|line| !line.is_empty());
    let tree = ObjectId::from_hex(lines.next()?.strip_prefix(b"tree ")?).ok()?;
    let mut commit = RawCommit { tree, parents: Vec::new(), time: 0, cut: false };
    for line in lines {
        if let Some(parent) = line.strip_prefix(b"parent ") {
            commit.parents.push(ObjectId::from_hex(parent).ok()?);
        } else if let Some(committer) = line.strip_prefix(b"committer ") {
            commit.time = seconds(committer).unwrap_or(0);
            break;
        }
    }
    Some(commit)
}

fn seconds(signature: &[u8]) -> Option<i64> {
    let end_of_mail = signature.iter().rposition(|&byte| byte == b'>')?;
    let date = std::str::from_utf8(&signature[end_of_mail + 1..]).ok()?;
    date.split_ascii_whitespace().next()?.parse().ok()
}

pub(super) fn unreadable(id: ObjectId, kind: Kind, source: impl Into<Cause>) -> RepoError {
    RepoError::Object { id: id.to_string(), kind: kind.into(), source: source.into() }
}

pub(super) fn open_error(repository: &Repository, source: Cause) -> RepoError {
    RepoError::Open { directory: repository.path().to_owned(), source }
}
