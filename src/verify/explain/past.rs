//! What history knows of the bytes that differ.

use crate::compare::{Finding, Past, Status};
use crate::error::Error;
use crate::image::Image;
use crate::layer::Kept;
use crate::path::RepoPath;
use crate::repo::history::{CommitIndex, History, Names, Query, Wanted};
use crate::repo::{Commit, LfsPointer, MAX_POINTER_BYTES, RepoFile, RepoFileKind};
use crate::verify::PlatformResult;
use crate::verify::job::Job;

use super::absent::Neighbours;
use super::question::Looked;
use super::steps::Steps;
use super::times::is_earlier;
use super::walked::{View, Walked};
use super::{closest, identity};

/// What one platform asks of the history.
pub(super) struct Subject<'r> {
    pub(super) result: &'r mut PlatformResult,
    pub(super) looked: &'r mut [Looked],
    /// The contents of files that git does not have as they are.
    pub(super) contents: &'r mut Kept,
}

/// Walks the history once, and explains the findings, the images and their layers by it.
pub(super) fn explain(job: &Job<'_>, asked: &Commit, subjects: &mut [Subject<'_>]) -> Result<Vec<String>, Error> {
    let (mut wanted, mut anywhere, mut views) = (Vec::new(), Vec::new(), Vec::new());
    for Subject { result, looked, .. } in &mut *subjects {
        count_with_layers(result);
        let start = views.last().map_or(0, |view: &View| view.groups.end);
        let groups = start..start + result.image.layers.len() + 1;
        views.push(View { first: wanted.len(), groups, seen: usize::MAX });
        wanted.extend(looked.iter().map(|looked| self::wanted(result, looked, start)));
        let elsewhere = looked.iter().filter(|looked| is_elsewhere(result, looked));
        anywhere.extend(elsewhere.flat_map(|looked| looked.blobs.iter().copied()));
    }
    let mut history = History::walk(job.repository, asked, &Query { wanted: &wanted, anywhere: &anywhere })?;
    let reached = history.commits().len();
    let Some(asked) = history.find(asked) else { return Ok(Vec::new()) };
    let names = Names::of(job.repository)?;
    for (view, subject) in views.iter_mut().zip(&*subjects) {
        if is_all_one_commit(&history, view, subject.looked) {
            view.seen = reached;
        }
    }
    if views.iter().any(|view| view.seen > reached) {
        history.extend(&names)?;
    }
    for (view, Subject { result, looked, contents }) in views.into_iter().zip(subjects) {
        let walked = Walked { history: &history, names: &names, asked, reached, view };
        for (position, looked) in looked.iter_mut().enumerate() {
            judge(job, &walked, &result.image, &mut result.findings[looked.finding], looked, position)?;
        }
        closest::explain(job, &walked, result, looked, contents)?;
        identity::explain(job, &walked, result, looked)?;
    }
    Ok(limits_of(&history))
}

fn count_with_layers(result: &mut PlatformResult) {
    let (neighbours, steps) = (Neighbours::of(&result.findings), Steps::of(&result.image, &result.findings));
    for finding in &mut result.findings {
        // What a later step removed was right in the layer that put it, and says nothing of the one that removed it.
        let is_removed = finding.status == Status::Missing && finding.layer.is_some();
        let layer = finding.layer.or_else(|| neighbours.layer(finding, &steps));
        finding.counted_with = layer.filter(|_| !is_removed);
    }
}

fn wanted(result: &PlatformResult, looked: &Looked, first_group: usize) -> Wanted {
    let finding = &result.findings[looked.finding];
    let is_link = finding.file.is_none() && !looked.absent;
    let kind = match &finding.repo {
        // What the image has for a link of git may be the file that it leads to.
        Some((_, file)) if finding.status == Status::Same => file.kind,
        _ if is_link => RepoFileKind::Symlink,
        _ => RepoFileKind::Regular,
    };
    let group = first_group + finding.counted_with.unwrap_or(result.image.layers.len());
    Wanted { path: looked.path.clone(), kind, blobs: looked.blobs.clone(), absent: looked.absent, group }
}

/// Whether contents may be git's at another path.
fn is_elsewhere(result: &PlatformResult, looked: &Looked) -> bool {
    result.findings[looked.finding].status == Status::Modified
}

/// Whether a commit of the revision's own history has all contents in their places; then other branches need not be
/// asked. That it has each of them in some commit is not enough: a release branch picks single changes.
fn is_all_one_commit(history: &History, view: &View, looked: &[Looked]) -> bool {
    let counted = looked.iter().enumerate().filter(|(_, looked)| !looked.candidate && looked.may_agree());
    let numbers: Vec<usize> = counted.map(|(position, _)| view.first + position).collect();
    let all = |commit: CommitIndex| {
        let matched: usize = view.groups.clone().map(|group| history.matched_in(commit, group)).sum();
        matched >= numbers.len() && numbers.iter().all(|&number| history.agrees(number, commit))
    };
    history.commits().any(all)
}

fn judge(
    job: &Job<'_>,
    walked: &Walked<'_>,
    image: &Image,
    finding: &mut Finding,
    looked: &mut Looked,
    position: usize,
) -> Result<(), Error> {
    match finding.status {
        Status::Modified => judge_modified(job, walked, finding, looked, position),
        Status::Untracked => judge_untracked(walked, finding, looked, position),
        Status::Missing => judge_missing(walked, image, finding, position),
        _ => Ok(()),
    }
}

fn judge_modified(
    job: &Job<'_>,
    walked: &Walked<'_>,
    finding: &mut Finding,
    looked: &Looked,
    position: usize,
) -> Result<(), Error> {
    if let Some(commit) = newest_with(walked, looked, position) {
        let mut past = walked.past(commit)?;
        if walked.is_reached(commit) {
            finding.status = Status::Stale;
            past.replaced_by = replaced_by(walked, position, commit)?;
            if let Some((path, file)) = &mut finding.repo {
                file.size = size_of(job, path, *file)?;
            }
        } else {
            finding.status = Status::Other;
            finding.note =
                Some(format!("{} has these bytes here; it is not in the history of the revision", past.commit.short));
        }
        finding.past = Some(past);
        return Ok(());
    }
    let elsewhere = looked.blobs.iter().find_map(|&blob| walked.elsewhere(blob));
    if let Some((path, commit)) = elsewhere {
        let past = walked.past(commit)?;
        finding.status = Status::Other;
        finding.note = Some(note_of_path(path, &past));
        finding.past = Some(past);
    }
    Ok(())
}

/// The size of git's file in a checkout, where a pointer of LFS has given way to what it points at.
fn size_of(job: &Job<'_>, path: &RepoPath, file: RepoFile) -> Result<Option<u64>, Error> {
    let size = file.size.map_or_else(|| job.repository.blob_size(file.blob), |size| Ok(Some(size)))?;
    if file.kind == RepoFileKind::Symlink || size.is_none_or(|size| size >= MAX_POINTER_BYTES) {
        return Ok(size);
    }
    let contents = job.repository.read(&job.git.snapshot, path, MAX_POINTER_BYTES)?;
    Ok(LfsPointer::parse(&contents).map(|pointer| pointer.size).or(size))
}

fn note_of_path(path: &RepoPath, past: &Past) -> String {
    match past.behind {
        Some(0) => format!("git has these bytes as {path}"),
        _ => format!("git had these bytes as {path}, last in {}", past.commit.short),
    }
}

/// The newest commit that has a file's contents in its place; one that the revision reaches, if there is one.
pub(super) fn newest_with(walked: &Walked<'_>, looked: &Looked, position: usize) -> Option<CommitIndex> {
    let has =
        walked.versions(position).filter(|version| version.file.is_some_and(|file| looked.blobs.contains(&file.blob)));
    has.map(|version| version.commit).next()
}

/// The commit that put something else in the place of what `commit` has: a child of it; or, where that only merges what
/// was made elsewhere, the newest one that really changed it.
fn replaced_by(walked: &Walked<'_>, position: usize, commit: CommitIndex) -> Result<Option<Commit>, Error> {
    let history = walked.history;
    let file_at = |commit: CommitIndex| walked.file_at(position, commit);
    let file = file_at(commit);
    let is_other = |next: &CommitIndex| walked.is_reached(*next) && file_at(*next) != file;
    let is_child = |next: &CommitIndex| history.parents(*next).contains(&commit);
    let is_change = |next: &CommitIndex| {
        let here = file_at(*next);
        history.parents(*next).iter().all(|&parent| file_at(parent) != here)
    };
    let replaces = |next: &CommitIndex| history.parents(*next).iter().any(|&from| file_at(from) == file);
    let children: Vec<CommitIndex> = history.commits().rev().filter(|next| is_child(next) && is_other(next)).collect();
    let next = children.iter().copied().find(is_change);
    let next = next.or_else(|| history.commits().find(|next| is_other(next) && is_change(next) && replaces(next)));
    let next = next.or(children.first().copied());
    Ok(next.map(|next| history.commit(next)).transpose()?)
}

fn judge_untracked(
    walked: &Walked<'_>,
    finding: &mut Finding,
    looked: &mut Looked,
    position: usize,
) -> Result<(), Error> {
    let Some(commit) = newest_with(walked, looked, position).filter(|&commit| walked.is_reached(commit)) else {
        return Ok(());
    };
    let mut past = walked.past(commit)?;
    past.replaced_by = replaced_by(walked, position, commit)?;
    finding.status = Status::Leftover;
    looked.candidate = false;
    finding.note = Some(match &past.replaced_by {
        Some(deleted) => format!("{} deleted it from git: \"{}\"", deleted.short, deleted.subject),
        None => "git has no such file any more".to_owned(),
    });
    finding.past = Some(past);
    Ok(())
}

/// Says of a missing file that it is younger than the layer it would have come with, unless the layers have told already
/// what became of it.
fn judge_missing(walked: &Walked<'_>, image: &Image, finding: &mut Finding, position: usize) -> Result<(), Error> {
    if finding.note.is_some() {
        return Ok(());
    }
    finding.note = Some("no layer has it: it was not copied".to_owned());
    let added = walked.added(position);
    let step = finding.counted_with.and_then(|layer| image.layers.get(layer)?.step.as_ref());
    let (Some(added), Some(made)) = (added, step.and_then(|step| step.created.as_deref())) else { return Ok(()) };
    let commit = walked.history.commit(added)?;
    if is_earlier(made, &commit.time) {
        finding.note = Some(format!(
            "{} added it at {} (\"{}\"), later than its layer was made",
            commit.short, commit.time, commit.subject
        ));
    }
    Ok(())
}

/// What a history that ends too early leaves open.
fn limits_of(history: &History) -> Vec<String> {
    match history.boundary().is_empty() {
        true => Vec::new(),
        false => vec![
            "this clone is shallow, so of earlier commits nothing can be said; git fetch --unshallow brings them"
                .to_owned(),
        ],
    }
}
