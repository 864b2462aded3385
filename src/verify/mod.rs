//! The main job from end to end: image against git.

mod containment;
mod contains;
mod explain;
mod job;
mod normalize;
mod settle;
mod sides;
mod tables;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::claims::{Claim, Judged};
use crate::compare::{Finding, Strictness};
use crate::diagnosis::Cause;
use crate::error::Error;
use crate::identify::{Identity, LayerIdentity};
use crate::image::{self, Image, Opened};
use crate::layer::{Effort, Indexes};
use crate::mapping::{Plan, Request};
use crate::path::RepoPath;
use crate::platform::Platform;
use crate::repo::{Commit, Repository, Snapshot};
use crate::select::Selection;
use crate::source::Source;
use crate::tree::FileTree;

pub use containment::{Contained, Containment, Held, TouchedFile};
pub use contains::contains;
use job::Job;
use sides::Sides;
use tables::Layers;

/// What of git the image is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// A revision, in git's notation.
    Revision(String),
    /// The files on disk.
    Worktree,
}

/// What to verify.
#[derive(Debug)]
pub struct Options {
    /// Platforms to look at; all when empty.
    pub platforms: Vec<Platform>,
    /// What of git to compare with.
    pub against: Against,
    /// What is known of the mapping.
    pub mapping: Request,
    /// Which files.
    pub selection: Selection,
    /// What counts as a difference.
    pub strictness: Strictness,
    /// How far history is looked at.
    pub depth: Depth,
    /// How much of the machine reading layers may take.
    pub effort: Effort,
    /// Whether layers are taken by their tables of contents. Nothing proves that a table says what is in the tar beside
    /// it, so that the answer is no more than the word of whoever built the image.
    pub trust_tables: bool,
    /// What others say of the image, such as the labels of whoever deployed it; judged like what it says itself.
    pub said: Vec<Claim>,
}

/// How far history is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// As far as it takes to explain what differs.
    #[default]
    Differences,
    /// To find the commits of the image in any case.
    History,
}

/// The git side of a comparison.
#[derive(Clone, Debug)]
pub struct GitSide {
    /// The commit; of a work tree the one it is based on, where there is one.
    pub commit: Option<Commit>,
    /// The files.
    pub snapshot: Snapshot,
}

/// What came of it.
#[derive(Debug)]
pub struct Verification {
    /// What the reference led to.
    pub opened: Opened,
    /// What it was compared with.
    pub git: GitSide,
    /// One for each platform.
    pub platforms: Vec<PlatformResult>,
    /// What counts as a difference.
    pub strictness: Strictness,
    /// What the layers say.
    pub indexes: Indexes,
    /// Why tables of contents that were to be trusted were not used.
    pub refused: Vec<String>,
    /// That tables of contents were trusted, if some were.
    pub trust: Option<String>,
    /// What was noticed while history was looked at.
    notices: Vec<String>,
}

/// What came of one platform.
#[derive(Debug)]
pub struct PlatformResult {
    /// The image.
    pub image: Image,
    /// Its file system.
    pub tree: FileTree,
    /// The mapping.
    pub plan: Plan,
    /// Every file that was looked at, by its path in the image.
    pub findings: Vec<Finding>,
    /// Files that could not be judged, because git keeps them in a form that only a program of the user's makes.
    pub filtered: Vec<Filtered>,
    /// The commits that all files together equal, or most of them; `None` where history was not looked at.
    pub identity: Option<Identity>,
    /// The same for each layer that brought some of them.
    pub layers: Vec<LayerIdentity>,
    /// What the image says of its source, held against its files.
    pub claims: Vec<Judged>,
    /// Why it differs, if it does.
    pub cause: Option<Cause>,
}

const FILTERED: &str = "git passes it through a program that is never run, the filter";

/// A file that git passes through a program (`filter=` in `.gitattributes`), which is never run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filtered {
    /// The file.
    pub path: RepoPath,
    /// The filter's name.
    pub filter: String,
}

impl Verification {
    /// Whether every file agrees.
    pub fn agrees(&self) -> bool {
        !self.findings().any(|finding| finding.status.differs(self.strictness))
    }

    /// The findings of all platforms.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.platforms.iter().flat_map(|platform| &platform.findings)
    }

    /// How many files were held against git.
    pub fn compared(&self) -> usize {
        self.findings().filter(|finding| finding.status.is_comparison()).count()
    }

    /// Why it differs: the cause of the first platform that does.
    pub fn cause(&self) -> Option<&Cause> {
        self.platforms.iter().find_map(|platform| platform.cause.as_ref())
    }

    /// What was noticed on the way, each thing once.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.opened.warnings.clone();
        warnings.extend(self.platforms.iter().flat_map(|platform| platform.plan.warnings.clone()));
        let filtered = self.platforms.iter().flat_map(|platform| &platform.filtered);
        warnings
            .extend(filtered.map(|file| format!("{} could not be judged: {FILTERED} `{}`", file.path, file.filter)));
        warnings.extend(self.notices.iter().chain(&self.trust).cloned());
        keep_first(&mut warnings);
        warnings
    }
}

/// Verifies the image in `source` against `repository`.
///
/// # Errors
/// See [`Error`]; a comparison of nothing is one.
pub fn verify(source: &dyn Source, repository: &Repository, options: &Options) -> Result<Verification, Error> {
    let Sides { git, opened, mut layers } = sides::read(source, repository, options)?;
    let mut platforms = loop {
        let job = Job::new(source, repository, &git, &layers, options);
        let platforms = opened.images.iter().map(|image| job.platform(image)).collect::<Result<Vec<_>, _>>()?;
        let unknown = layers.unknown(&platforms);
        if unknown.is_empty() {
            break platforms;
        }
        layers.settle(source, &unknown, repository, &options.effort)?;
    };
    let job = Job::new(source, repository, &git, &layers, options);
    settle::check(&job, &platforms)?;
    let mut notices = explain::explain(&job, &opened, &mut platforms)?;
    notices.extend(source.warnings());
    let trust = layers.warning();
    let Layers { indexes, refused, .. } = layers;
    Ok(Verification { git, opened, platforms, strictness: options.strictness, indexes, refused, trust, notices })
}

/// Leaves out warnings that were there before.
fn keep_first(warnings: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    warnings.retain(|warning| seen.insert(warning.clone()));
}

/// The merged file system of an image, of at most `memory` bytes.
///
/// # Errors
/// See [`TreeError`](crate::tree::TreeError).
///
/// # Panics
/// When `indexes` does not come from [`index_all`](crate::layer::index_all) over all layers of the image.
pub fn merge(image: &Image, indexes: &Indexes, memory: usize) -> Result<FileTree, Error> {
    let index = |layer: &image::Layer| indexes.get(&layer.digest()).map(Arc::clone);
    let indexes: Option<Vec<_>> = image.layers.iter().map(index).collect();
    Ok(FileTree::of(0, &indexes.expect("a layer that is left out would make another image"), memory)?)
}
