//! What the copies of a build do with the files of a repository: which file should lie where in the image.
//!
//! The rules are those of `COPY` and `ADD` in the Dockerfile reference, as BuildKit carries them out
//! (`dispatchCopy`, and `copy` of tonistiigi/fsutil). Where the two differ, as for `--exclude` with a file as source
//! (buildkit#5489), the reference is followed. Where several files go to a destination without a slash, the image tells
//! whether that is a directory; if not, the last file stays, as BuildKit has it (buildkit#1853). Whether a path of the repository is a symbolic link is not known here: a link that
//! is named as a source is copied as what it points to, and one inside a copied directory as a link.

mod context;
mod run;

use std::collections::BTreeMap;

use super::dockerignore::Dockerignore;
use super::step::CopyStep;
use crate::limits;
use crate::path::{ImagePath, RepoPath};

/// What a build copies from, and into.
#[derive(Clone, Copy)]
pub struct BuildContext<'a> {
    /// The context directory inside the repository.
    pub directory: &'a RepoPath,
    /// The rules of the context's `.dockerignore`.
    pub ignore: &'a Dockerignore,
    /// Whether the image has a directory at a path: `COPY a /x` means `/x/a` then, and else `/x`.
    pub is_directory: &'a dyn Fn(&ImagePath) -> bool,
}

/// What a list of steps copies from the repository. Steps are named by their index in that list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// Every file that should be in the image; of several copies to one path the last.
    pub files: BTreeMap<ImagePath, CopiedFile>,
    /// Every directory that was copied with its contents, in order.
    pub directories: Vec<CopiedDirectory>,
    /// Archives that were unpacked, so that their files come from nowhere in the repository.
    pub archives: Vec<CopiedFile>,
    /// Steps none of whose sources exist, in order.
    pub absent: Vec<AbsentSources>,
}

/// A file of the repository and the step that copied it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedFile {
    /// The file.
    pub source: RepoPath,
    /// The step.
    pub step: usize,
}

/// A directory whose contents a step copied below a directory of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedDirectory {
    /// The directory of the image.
    pub destination: ImagePath,
    /// The directory of the repository.
    pub source: RepoPath,
    /// The step.
    pub step: usize,
}

/// A step that finds nothing to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsentSources {
    /// The step.
    pub step: usize,
    /// Whether there would be sources if it were not for `.dockerignore`.
    pub ignored: bool,
}

/// Steps that copy more than fits into memory ([`limits::COPIED_FILES`]).
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the copies put more than {} files into the image", limits::COPIED_FILES)]
pub struct TooManyFiles;

/// Carries out `steps` on the `files` of a repository, of which those outside of the context do not exist for them.
/// Steps that copy from elsewhere than the context do nothing.
///
/// # Errors
/// [`TooManyFiles`].
pub fn expected<'f>(
    steps: &[CopyStep],
    files: impl IntoIterator<Item = &'f RepoPath>,
    context: &BuildContext<'_>,
) -> Result<Copies, TooManyFiles> {
    let everything = context::Files::new(files, context.directory);
    let visible = everything.without(context.ignore);
    let mut run = run::Run::new(context);
    for (index, step) in steps.iter().enumerate() {
        if step.origin == super::step::Origin::Context && !run.step(index, step, &visible)? {
            let ignored = run::Run::new(context).step(index, step, &everything)?;
            run.copies.absent.push(AbsentSources { step: index, ignored });
        }
    }
    Ok(run.copies)
}

#[cfg(test)]
mod tests;
