//! The git side: what a repository says the files are.
//!
//! [`Repository`] opens a repository and resolves revisions; [`of_revision`] and [`of_worktree`] list its files with
//! mode and blob id; [`Normalizer`] tells whether a file that differs is what a checkout makes of the git blob.
//!
//! This is the only folder that names `gix`. It never runs a program, whatever the configuration or the attributes
//! say, never touches the network, never writes, and reads no `GIT_*` variable.
//!
//! `refs/replace` counts, as it does for git; `info/grafts` changes parents only and so no list of files.

mod attributes;
mod encoding;
mod error;
pub mod history;
mod lfs;
mod normalize;
mod object;
mod repository;
mod revision;
mod snapshot;
#[cfg(test)]
pub(crate) mod testing;
mod worktree;

use error::Cause;
pub use error::{ObjectKind, RepoError};
pub use lfs::{LfsPointer, MAX_POINTER_BYTES};
pub use normalize::{Cleaned, Conversion, ConversionKind, Normalizer};
pub use repository::{Repository, Settings};
pub use revision::Commit;
pub use snapshot::{Origin, RepoFile, RepoFileKind, Snapshot, of_revision};
pub use worktree::of_worktree;
