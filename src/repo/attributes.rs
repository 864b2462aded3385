//! The attributes of a path, as far as they decide on conversions.

use gix::attrs::StateRef;
use gix::attrs::search::Outcome;
use gix::bstr::ByteSlice;
use gix::filter::plumbing::eol::AttributesDigest;
use gix::worktree::stack::state::attributes::Source;

use super::{Origin, RepoError, RepoFileKind, Repository, Snapshot};
use crate::path::RepoPath;

/// In the order in which [`Rules::of`] takes them.
const NAMES: [&str; 6] = ["text", "crlf", "eol", "ident", "filter", "working-tree-encoding"];

/// What a checkout may have done to a file.
pub(super) struct Rules {
    pub(super) line_endings: LineEndings,
    pub(super) ident: bool,
    pub(super) encoding: Option<Vec<u8>>,
    pub(super) filter: Option<Vec<u8>>,
}

/// When CRLF becomes LF on the way into git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEndings {
    /// Never: `-text`.
    Keep,
    /// Always: `text`, or any `eol`.
    Convert,
    /// When the contents look like text: `text=auto`, or no attribute at all, because whoever built the image may
    /// have had `core.autocrlf` set.
    Auto,
}

impl LineEndings {
    pub(super) fn digest(self) -> AttributesDigest {
        match self {
            Self::Keep => AttributesDigest::Binary,
            Self::Convert => AttributesDigest::TextInput,
            Self::Auto => AttributesDigest::TextAutoInput,
        }
    }
}

/// Looks attributes up, best in the order of paths.
pub(super) struct Attributes<'r> {
    stack: gix::AttributeStack<'r>,
    outcome: Outcome,
}

impl<'r> Attributes<'r> {
    /// The attributes that hold for the files of `snapshot`: those of its own `.gitattributes` files, of
    /// `info/attributes` and of the user.
    pub(super) fn of(repository: &'r Repository, snapshot: &Snapshot) -> Result<Self, RepoError> {
        let (index, source) = match snapshot.origin {
            Origin::Revision => (attribute_files(repository, snapshot)?, Source::IdMapping),
            // Those on disk are read as they are met.
            Origin::WorkTree => (empty_index(repository), Source::WorktreeThenIdMapping),
        };
        let stack = repository.git.attributes_only(&index, source).map_err(|error| failed(&RepoPath::root(), error))?;
        let outcome = stack.selected_attribute_matches(NAMES);
        Ok(Self { stack, outcome })
    }

    pub(super) fn rules(&mut self, path: &RepoPath) -> Result<Rules, RepoError> {
        let found = self.stack.at_entry(path.as_bytes().as_bstr(), None).map_err(|error| failed(path, error))?;
        found.matching_attributes(&mut self.outcome);
        let mut states = self.outcome.iter_selected().map(|found| found.assignment.state);
        let states = std::array::from_fn(|_| states.next().unwrap_or(StateRef::Unspecified));
        Ok(Rules::of(states))
    }
}

impl Rules {
    fn of([text, crlf, eol, ident, filter, encoding]: [StateRef<'_>; NAMES.len()]) -> Self {
        Self {
            line_endings: line_endings(text, crlf, eol),
            ident: ident == StateRef::Set,
            encoding: value(encoding),
            filter: value(filter),
        }
    }
}

/// `convert_attrs` of git's convert.c with `core.autocrlf=input`, reduced to the direction into git.
fn line_endings(text: StateRef<'_>, crlf: StateRef<'_>, eol: StateRef<'_>) -> LineEndings {
    // `crlf` is the old name of `text`.
    match (text_state(text).or_else(|| text_state(crlf)), value(eol).as_deref()) {
        (Some(LineEndings::Keep), _) => LineEndings::Keep,
        (Some(LineEndings::Auto), _) => LineEndings::Auto,
        (_, Some(b"lf" | b"crlf")) | (Some(LineEndings::Convert), _) => LineEndings::Convert,
        (None, _) => LineEndings::Auto,
    }
}

fn text_state(state: StateRef<'_>) -> Option<LineEndings> {
    match state {
        StateRef::Set => Some(LineEndings::Convert),
        StateRef::Unset => Some(LineEndings::Keep),
        StateRef::Unspecified => None,
        StateRef::Value(_) => match value(state)?.as_slice() {
            b"auto" => Some(LineEndings::Auto),
            b"input" => Some(LineEndings::Convert),
            _ => None,
        },
    }
}

fn value(state: StateRef<'_>) -> Option<Vec<u8>> {
    match state {
        StateRef::Value(value) => Some(value.as_bstr().to_vec()),
        _ => None,
    }
}

/// An index of nothing but the snapshot's `.gitattributes` files, from which the lookup takes them.
fn attribute_files(repository: &Repository, snapshot: &Snapshot) -> Result<gix::index::State, RepoError> {
    use gix::index::entry::{Flags, Mode, Stat};
    let mut index = empty_index(repository);
    for (path, file) in &snapshot.files {
        if path.file_name() == Some(b".gitattributes") && file.kind != RepoFileKind::Symlink {
            // In a partial clone it may not be here, and then nothing can be said about conversions.
            repository.object(file.blob.object_id(), gix::objs::Kind::Blob)?;
            let (id, path) = (file.blob.object_id(), path.as_bytes().as_bstr());
            index.dangerously_push_entry(Stat::default(), id, Flags::empty(), Mode::FILE, path);
        }
    }
    index.sort_entries();
    Ok(index)
}

fn empty_index(repository: &Repository) -> gix::index::State {
    gix::index::State::new(repository.git.object_hash())
}

fn failed(path: &RepoPath, error: gix::Error) -> RepoError {
    RepoError::Attributes { path: path.clone(), source: error.into() }
}
