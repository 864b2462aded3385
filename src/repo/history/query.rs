//! What a walk looks for.

use crate::blob::BlobId;
use crate::path::RepoPath;
use crate::repo::RepoFileKind;

/// A file that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where.
    pub path: RepoPath,
    /// What it is: a symbolic link agrees with links only. Whether a file is executable does not matter.
    pub kind: RepoFileKind,
    /// The contents that agree. With none, the history of the path is recorded all the same.
    pub blobs: Vec<BlobId>,
    /// Whether the absence of a file agrees, too.
    pub absent: bool,
    /// The group it counts for, a layer perhaps.
    pub group: usize,
}

/// Everything that one walk looks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<'q> {
    /// The files; the same path may be wanted several times.
    pub wanted: &'q [Wanted],
    /// Contents that are looked for at any path. Without them only directories of wanted files are read.
    pub anywhere: &'q [BlobId],
}
