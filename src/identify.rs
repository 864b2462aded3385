//! Which commits a set of image files equals: the words for it. The counting is [`repo::history`](crate::repo)'s.

use crate::path::RepoPath;
use crate::repo::Commit;

/// How well the files of an image, or of one layer, fit a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// All of them.
    Exact,
    /// Some of them, to the best commit that there is.
    Partial,
    /// None of them, to any commit.
    None,
}

impl Fit {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Partial => "partial",
            Self::None => "none",
        }
    }
}

/// Where a commit stands to the revision that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is that revision.
    Asked,
    /// It is part of the revision's history; so many commits came since.
    Behind(usize),
    /// The revision is part of its history; so many commits came since.
    Ahead(usize),
    /// Neither is part of the other's history.
    Apart,
}

/// A commit, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The commit.
    pub commit: Commit,
    /// Its name by the nearest tag or branch, as `git describe` has it.
    pub name: String,
    /// Where it stands to the revision.
    pub relation: Relation,
}

/// Commits one after another that cannot be told apart by the files that were looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The last of them.
    pub newest: Placed,
    /// The first of them.
    pub oldest: Placed,
}

/// What a set of image files was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Files that took part.
    pub compared: usize,
    /// Those of them that the commits have, with the same bytes in the same places.
    pub matched: usize,
    /// The commits that fit best; `None` when no commit has any of the files.
    pub commits: Option<Range>,
    /// How many further runs of commits fit as well, with others between them.
    pub rivals: usize,
    /// Those of the files that the commits have not.
    pub unmatched: Vec<RepoPath>,
}

impl Identity {
    /// How well it fits.
    pub fn fit(&self) -> Fit {
        match (self.matched, self.compared) {
            (0, _) => Fit::None,
            (matched, compared) if matched == compared => Fit::Exact,
            _ => Fit::Partial,
        }
    }

    /// The commits, if all files fit.
    pub fn exact(&self) -> Option<&Range> {
        self.commits.as_ref().filter(|_| self.fit() == Fit::Exact)
    }
}

/// What the files that one layer brought were found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerIdentity {
    /// The layer.
    pub layer: usize,
    /// Its files.
    pub identity: Identity,
}
