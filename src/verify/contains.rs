//! Whether a commit's change is in an image: for each file that the commit touched, which version the image holds.

use std::collections::BTreeMap;

use crate::blob::BlobId;
use crate::error::Error;
use crate::image;
use crate::layer;
use crate::limits;
use crate::path::{ImagePath, RepoPath};
use crate::platform::Platform;
use crate::repo::history::{CommitIndex, History, Names, Query, Wanted};
use crate::repo::{self, Commit, LfsPointer, Normalizer, RepoFile, RepoFileKind, Repository, Snapshot};
use crate::source::Source;
use crate::tree::{FileTree, NodeKind, Stored};

use super::job::Job;
use super::{Options, PlatformResult, git_side};

/// Which version of a file an image holds, seen from a commit that touched it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// The commit's own.
    Same,
    /// One that a later commit made, built upon this one.
    Later,
    /// One from before the commit.
    Before,
    /// One from before, to which a later commit has gone back.
    Reverted,
    /// One that was made apart from the commit, on another branch.
    Apart,
    /// One that is in no commit looked at.
    Unknown,
}

impl Held {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Later => "later",
            Self::Before => "before",
            Self::Reverted => "reverted",
            Self::Apart => "apart",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the change is in the file; `None` where that cannot be told.
    pub fn contains(self) -> Option<bool> {
        match self {
            Self::Same | Self::Later => Some(true),
            Self::Before | Self::Reverted | Self::Apart => Some(false),
            Self::Unknown => None,
        }
    }
}

/// A file that the commit touched, and what the image has of it.
#[derive(Clone, Debug)]
pub struct TouchedFile {
    /// The platform of the image.
    pub platform: Platform,
    /// Where git has it, or had it before the commit deleted it.
    pub repo: RepoPath,
    /// Where it is in the image, or should be.
    pub image: ImagePath,
    /// Which version is there.
    pub held: Held,
    /// The newest commit that has this version there.
    pub commit: Option<Commit>,
}

/// Whether all of a change is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contained {
    /// In every file.
    Whole,
    /// In some files.
    Part,
    /// In no file.
    Not,
    /// In none that could be told, or not in any that is not clear.
    Unknown,
}

impl Contained {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "contains",
            Self::Part => "partly",
            Self::Not => "lacks",
            Self::Unknown => "unknown",
        }
    }
}

/// What came of the question.
#[derive(Clone, Debug)]
pub struct Containment {
    /// What the reference led to.
    pub opened: image::Opened,
    /// The revision that the mapping is of; `None` of a work tree without commits.
    pub asked: Option<Commit>,
    /// The commit.
    pub commit: Commit,
    /// The files that it touched and that belong into the image.
    pub files: Vec<TouchedFile>,
    /// Those that do not.
    pub unmapped: Vec<RepoPath>,
    /// What was noticed on the way.
    pub warnings: Vec<String>,
}

impl Containment {
    /// The answer.
    pub fn verdict(&self) -> Contained {
        let count = |wanted: Option<bool>| self.files.iter().filter(|file| file.held.contains() == wanted).count();
        match (count(Some(true)), count(Some(false)), count(None)) {
            (0, 0, _) => Contained::Unknown,
            (_, 0, 0) => Contained::Whole,
            (_, 0, _) => Contained::Unknown,
            (0, _, _) => Contained::Not,
            _ => Contained::Part,
        }
    }
}

/// Looks for the change of the commit that `revision` names in the image in `source`. The change of a merge is what it
/// brought to its first parent.
///
/// # Errors
/// See [`Error`]; a commit that touched nothing that belongs into the image is one.
pub fn contains(
    source: &dyn Source,
    repository: &Repository,
    options: &Options,
    revision: &str,
) -> Result<Containment, Error> {
    let git = git_side(repository, &options.against)?;
    let commit = repository.resolve(revision)?;
    let change = Change::of(repository, commit.clone())?;
    let opened = image::open(source, &options.platforms)?;
    let layers: Vec<_> = opened.images.iter().flat_map(|image| &image.layers).map(|layer| &layer.descriptor).collect();
    let indexes = layer::index_all(source, &layers, repository.object_format(), options.jobs)?;
    let job = Job { source, repository, git: &git, indexes: &indexes, options };
    let (mut files, mut unmapped, mut warnings) = (Vec::new(), Vec::new(), opened.warnings.clone());
    for image in &opened.images {
        let result = job.platform(image)?;
        let places: Vec<Place> = change.touched.iter().flat_map(|path| places(&result, path)).collect();
        unmapped.extend(change.touched.iter().filter(|path| !places.iter().any(|place| place.repo == **path)).cloned());
        files.extend(change.held(&job, &result, places)?);
        warnings.extend(result.plan.warnings);
    }
    unmapped.sort();
    unmapped.dedup();
    warnings.extend(source.warnings());
    if files.is_empty() {
        return Err(Error::NothingTouched(commit.short));
    }
    Ok(Containment { opened, asked: git.commit, commit, files, unmapped, warnings })
}

/// A commit, and what it changed.
struct Change {
    commit: Commit,
    snapshot: Snapshot,
    touched: Vec<RepoPath>,
}

/// Where a file of git belongs in the image.
struct Place {
    repo: RepoPath,
    image: ImagePath,
}

impl Change {
    fn of(repository: &Repository, commit: Commit) -> Result<Self, Error> {
        let snapshot = repo::of_revision(repository, &commit)?;
        let before: BTreeMap<RepoPath, RepoFile> = match repository.first_parent(&commit)? {
            Some(parent) => repo::of_revision(repository, &parent)?.files,
            None => BTreeMap::new(),
        };
        let all = before.keys().chain(snapshot.files.keys().filter(|path| !before.contains_key(*path)));
        let blob = |files: &BTreeMap<RepoPath, RepoFile>, path| files.get(path).map(|file| file.blob);
        let changed = all.filter(|path| blob(&before, path) != blob(&snapshot.files, path));
        let touched = changed.cloned().collect();
        Ok(Self { commit, snapshot, touched })
    }

    fn held(&self, job: &Job<'_>, result: &PlatformResult, places: Vec<Place>) -> Result<Vec<TouchedFile>, Error> {
        let contents: Vec<Vec<BlobId>> =
            places.iter().map(|place| self.blobs(job, result, place)).collect::<Result<_, _>>()?;
        let wanted: Vec<Wanted> = places
            .iter()
            .zip(&contents)
            .map(|(place, blobs)| Wanted {
                path: place.repo.clone(),
                kind: kind(&result.tree, &place.image),
                blobs: blobs.clone(),
                absent: matches!(result.tree.entry(&place.image), Ok(None)),
                group: 0,
            })
            .collect();
        let query = Query { wanted: &wanted, anywhere: &[] };
        let mut history = History::walk(job.repository, &self.commit, &query)?;
        let reached = history.commits().len();
        if let Some(asked) = &job.git.commit {
            history.include(job.repository, asked)?;
        }
        history.extend(&Names::of(job.repository)?)?;
        let Some(commit) = history.find(&self.commit) else { return Ok(Vec::new()) };
        let descendants = descendants(&history, commit);
        places
            .into_iter()
            .enumerate()
            .map(|(position, place)| {
                let (held, newest) = judge(&history, commit, reached, &descendants, position);
                let newest = newest.map(|newest| history.commit(newest)).transpose()?;
                Ok(TouchedFile {
                    platform: result.image.platform.clone(),
                    repo: place.repo,
                    image: place.image,
                    held,
                    commit: newest,
                })
            })
            .collect()
    }

    /// What the image has at a place, as it is and in git's own form.
    fn blobs(&self, job: &Job<'_>, result: &PlatformResult, place: &Place) -> Result<Vec<BlobId>, Error> {
        let format = job.repository.object_format();
        if let Ok(Some(found)) = result.tree.entry(&place.image)
            && let NodeKind::Symlink(target) = &result.tree.node(found.id).kind
            && kind(&result.tree, &place.image) == RepoFileKind::Symlink
        {
            return Ok(BlobId::of(target, format).into_iter().collect());
        }
        let Some(stored) = file(&result.tree, &place.image) else { return Ok(Vec::new()) };
        let pointer = LfsPointer::text(&stored.content.sha256_hex(), stored.content.size);
        let mut blobs = vec![stored.content.blob];
        blobs.extend(BlobId::of(&pointer, format));
        blobs.extend(self.cleaned(job, result, place, &stored)?);
        Ok(blobs)
    }

    fn cleaned(
        &self,
        job: &Job<'_>,
        result: &PlatformResult,
        place: &Place,
        stored: &Stored,
    ) -> Result<Option<BlobId>, Error> {
        if stored.content.size > limits::DIFF_BYTES || job.repository.has(stored.content.blob) {
            return Ok(None);
        }
        let mut normalizer = Normalizer::new(job.repository, &self.snapshot)?;
        let mut cleaned = Ok(None);
        layer::gather(&[stored.wanted(job.source, &result.image)], &mut |_, reader| {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            cleaned = normalizer.clean(&place.repo, &bytes);
            Ok(())
        })?;
        Ok(cleaned?.map(|cleaned| cleaned.blob))
    }
}

/// Where the file at `path` of git belongs: where the plan expects it or, for a file that the revision has not, where
/// its directory is.
fn places(result: &PlatformResult, path: &RepoPath) -> Vec<Place> {
    let place = |image: &ImagePath| Place { repo: path.clone(), image: image.clone() };
    let expected = result.plan.expected.iter().filter(|(_, expected)| expected.repo == *path);
    let expected: Vec<Place> = expected.map(|(image, _)| place(image)).collect();
    if !expected.is_empty() {
        return expected;
    }
    let mappings = result.plan.mappings.iter().filter(|mapping| path.starts_with(&mapping.repo));
    let narrowest = mappings.max_by_key(|mapping| mapping.repo.components().count());
    let image = narrowest.and_then(|mapping| Some(mapping.image.join(path.strip_prefix(&mapping.repo)?)));
    image
        .iter()
        .filter(|image| result.tree.lookup(&image.parent().unwrap_or_default()).is_ok_and(|found| found.is_some()))
        .map(place)
        .collect()
}

fn file(tree: &FileTree, path: &ImagePath) -> Option<Stored> {
    tree.node(tree.lookup(path).ok()??.id).stored().copied()
}

/// A link that leads to a file stands for that file, as for a process that opens it.
fn kind(tree: &FileTree, path: &ImagePath) -> RepoFileKind {
    let is_link =
        tree.entry(path).ok().flatten().is_some_and(|found| matches!(tree.node(found.id).kind, NodeKind::Symlink(_)));
    if is_link && file(tree, path).is_none() { RepoFileKind::Symlink } else { RepoFileKind::Regular }
}

/// The commits that were built upon `commit`.
fn descendants(history: &History, commit: CommitIndex) -> Vec<bool> {
    let mut descendants = vec![false; history.commits().len()];
    let mut grown = true;
    // Mostly parents come after their children, so that going backwards once is enough, and once more tells.
    while std::mem::take(&mut grown) {
        for child in history.commits().rev() {
            let built_upon = |parent: &CommitIndex| *parent == commit || descendants[parent.position()];
            if !descendants[child.position()] && history.parents(child).iter().any(built_upon) {
                descendants[child.position()] = true;
                grown = true;
            }
        }
    }
    descendants
}

/// Which version of a file the image has, and the newest commit that has it. The first `reached` commits are those that
/// `commit` was built upon.
fn judge(
    history: &History,
    commit: CommitIndex,
    reached: usize,
    descendants: &[bool],
    position: usize,
) -> (Held, Option<CommitIndex>) {
    if history.agrees(position, commit) {
        return (Held::Same, Some(commit));
    }
    let (mut later, mut before, mut apart) = (None, None, None);
    for other in history.commits().filter(|&other| history.agrees(position, other)) {
        let place = match (descendants[other.position()], other.position() < reached) {
            (true, _) => &mut later,
            (_, true) => &mut before,
            _ => &mut apart,
        };
        place.get_or_insert(other);
    }
    match (later, before, apart) {
        (Some(_), Some(before), _) => (Held::Reverted, Some(before)),
        (Some(later), None, _) => (Held::Later, Some(later)),
        (None, Some(before), _) => (Held::Before, Some(before)),
        (None, None, Some(apart)) => (Held::Apart, Some(apart)),
        (None, None, None) => (Held::Unknown, None),
    }
}
