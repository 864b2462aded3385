//! Whether a commit's change is in an image: for each file that the commit touched, which version the image holds.

use std::collections::BTreeMap;

use crate::blob::BlobId;
use crate::error::Error;
use crate::layer::Kept;
use crate::limits;
use crate::mapping::{Plan, Presence};
use crate::path::{ImagePath, RepoPath};
use crate::repo::history::{CommitIndex, History, Names, Query, Wanted};
use crate::repo::{self, Commit, Normalizer, RepoFile, RepoFileKind, Repository, Snapshot};
use crate::source::Source;
use crate::tree::{FileTree, NodeKind, Stored};

use super::containment::{Containment, Held, TouchedFile};
use super::explain::blobs_of;
use super::job::Job;
use super::sides::{self, Sides};
use super::tables;
use super::{Options, PlatformResult, keep_first};

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
    let commit = repository.resolve(revision)?;
    let Sides { git, opened, mut layers } = sides::read(source, repository, options)?;
    let change = Change::of(repository, commit.clone())?;
    let (mut files, mut warnings) = (Vec::new(), opened.warnings.clone());
    for image in &opened.images {
        let (result, places) = loop {
            let job = Job::new(source, repository, &git, &layers, options);
            let result = job.platform(image)?;
            let places = change.places(&job, &result)?;
            let stored = places.iter().filter_map(|place| file(&result.tree, &place.image));
            let unknown = tables::unknown(&result, stored);
            if unknown.is_empty() {
                break (result, places);
            }
            layers.settle(source, &unknown, repository, &options.effort)?;
        };
        let job = Job::new(source, repository, &git, &layers, options);
        files.extend(change.held(&job, &result, places)?);
        warnings.extend(result.plan.warnings);
    }
    warnings.extend(layers.warning());
    let is_placed = |path: &RepoPath| files.iter().any(|file: &TouchedFile| file.repo == *path);
    let unmapped = change.touched.into_iter().filter(|path| !is_placed(path)).collect();
    warnings.extend(source.warnings());
    keep_first(&mut warnings);
    if files.is_empty() {
        return Err(Error::NothingTouched(commit.short));
    }
    let refused = layers.refused;
    Ok(Containment { opened, asked: git.commit, commit, files, unmapped, warnings, refused })
}

/// A commit, and what it changed.
struct Change {
    commit: Commit,
    /// The first parent.
    parent: Option<Commit>,
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
        let parent = repository.first_parent(&commit)?;
        let before: BTreeMap<RepoPath, RepoFile> = match &parent {
            Some(parent) => repo::of_revision(repository, parent)?.files,
            None => BTreeMap::new(),
        };
        let all = before.keys().chain(snapshot.files.keys().filter(|path| !before.contains_key(*path)));
        let blob = |files: &BTreeMap<RepoPath, RepoFile>, path| files.get(path).map(|file| file.blob);
        let changed = all.filter(|path| blob(&before, path) != blob(&snapshot.files, path));
        let mut touched: Vec<RepoPath> = changed.cloned().collect();
        touched.sort();
        Ok(Self { commit, parent, snapshot, touched })
    }

    /// Where the touched files belong in the image. What the revision does not have any more is looked for where a build
    /// of the commit, or of the one before it, would have put it.
    fn places(&self, job: &Job<'_>, result: &PlatformResult) -> Result<Vec<Place>, Error> {
        let mut places: Vec<Place> =
            self.touched.iter().flat_map(|path| planned(&result.plan, &result.tree, path)).collect();
        for then in [Some(&self.commit), self.parent.as_ref()].into_iter().flatten() {
            let is_placed = |path: &RepoPath| {
                job.git.snapshot.files.contains_key(path) || places.iter().any(|place| place.repo == *path)
            };
            let rest: Vec<&RepoPath> = self.touched.iter().filter(|path| !is_placed(path)).collect();
            if rest.is_empty() {
                break;
            }
            if let Some(built) = job.judged_at(then, result)? {
                places.extend(rest.into_iter().flat_map(|path| planned(&built.plan, &result.tree, path)));
            }
        }
        places.sort_by(|one, other| (&one.repo, &one.image).cmp(&(&other.repo, &other.image)));
        Ok(places)
    }

    fn held(&self, job: &Job<'_>, result: &PlatformResult, places: Vec<Place>) -> Result<Vec<TouchedFile>, Error> {
        let contents = self.blobs(job, result, &places)?;
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

    /// What the image has at each place, as it is and in git's own form.
    fn blobs(&self, job: &Job<'_>, result: &PlatformResult, places: &[Place]) -> Result<Vec<Vec<BlobId>>, Error> {
        let format = job.repository.object_format();
        let is_unknown =
            |stored: &Stored| stored.content.size <= limits::DIFF_BYTES && !job.repository.has(stored.content.blob);
        let files: Vec<Option<Stored>> = places.iter().map(|place| file(&result.tree, &place.image)).collect();
        let unknown = files.iter().flatten().filter(|stored| is_unknown(stored));
        let mut contents =
            Kept::read(&unknown.map(|stored| stored.wanted(job.source, &result.image)).collect::<Vec<_>>())?;
        let mut normalizer = Normalizer::new(job.repository, &self.snapshot)?;
        let mut all = Vec::new();
        for (place, file) in places.iter().zip(&files) {
            let mut blobs = blobs_of(&result.tree, &place.image, file.as_ref(), format);
            if let Some(stored) = file
                && let Some(bytes) = contents.get(&stored.content).map_err(Error::Kept)?
            {
                blobs.extend(normalizer.clean(&place.repo, &bytes)?.map(|cleaned| cleaned.blob));
            }
            all.push(blobs);
        }
        Ok(all)
    }
}

/// Where a plan expects the file at `path` of git. A file that no build needs to copy was copied if it is
/// there.
fn planned(plan: &Plan, tree: &FileTree, path: &RepoPath) -> Vec<Place> {
    let expected = plan.expected.iter().filter(|(_, expected)| expected.repo == *path);
    let is_there = |image: &ImagePath| !matches!(tree.entry(image), Ok(None));
    let copied = expected.filter(|(image, expected)| expected.presence == Presence::Required || is_there(image));
    copied.map(|(image, _)| Place { repo: path.clone(), image: image.clone() }).collect()
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
