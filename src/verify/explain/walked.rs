//! A history that was walked for all platforms of an image, as one of them sees it.

use std::ops::Range;

use crate::blob::BlobId;
use crate::compare::Past;
use crate::error::Error;
use crate::path::RepoPath;
use crate::repo::history::{Best, CommitIndex, History, Names, Run, Version, VersionFile};

/// The history, and how a platform sees it. Its files are numbered from 0 here.
pub(super) struct Walked<'h> {
    pub(super) history: &'h History,
    pub(super) names: &'h Names,
    /// The revision that was asked for.
    pub(super) asked: CommitIndex,
    /// How many commits the revision reaches; what comes after them is on other branches.
    pub(super) reached: usize,
    pub(super) view: View,
}

/// What of the history is a platform's.
pub(super) struct View {
    /// The number of its first file among those of all platforms.
    pub(super) first: usize,
    /// The groups of its layers, and a last one for files of none.
    pub(super) groups: Range<usize>,
    /// How many commits are looked at.
    pub(super) seen: usize,
}

impl<'h> Walked<'h> {
    /// Whether the revision reaches a commit.
    pub(super) fn is_reached(&self, commit: CommitIndex) -> bool {
        commit.position() < self.reached
    }

    /// The commits of `run` on which `newest` builds, and itself, oldest first.
    pub(super) fn below(&self, run: &'h Run, newest: CommitIndex) -> impl Iterator<Item = CommitIndex> + use<'h> {
        let reached = self.history.reached(newest);
        run.commits.iter().rev().copied().filter(move |commit| reached[commit.position()])
    }

    /// A place in history.
    pub(super) fn past(&self, commit: CommitIndex) -> Result<Past, Error> {
        let behind = self.is_reached(commit).then(|| self.history.distance(self.asked, commit));
        Ok(Past { commit: self.history.commit(commit)?, behind, replaced_by: None })
    }

    /// Every version of the file at `position` that was seen, newest first.
    pub(super) fn versions(&self, position: usize) -> impl Iterator<Item = &'h Version> {
        let seen = self.view.seen;
        let versions = self.history.versions(self.view.first + position).iter();
        versions.filter(move |version| version.commit.position() < seen)
    }

    /// What the file at `position` is in a commit.
    pub(super) fn file_at(&self, position: usize, commit: CommitIndex) -> Option<VersionFile> {
        self.history.file_at(self.view.first + position, commit)
    }

    /// Whether a commit has what the image has.
    pub(super) fn agrees(&self, position: usize, commit: CommitIndex) -> bool {
        self.history.agrees(self.view.first + position, commit)
    }

    /// The commit since which the revision has the file at `position`.
    pub(super) fn added(&self, position: usize) -> Option<CommitIndex> {
        self.history.added(self.view.first + position, self.asked)
    }

    /// Where contents are that were looked for at any path.
    pub(super) fn elsewhere(&self, blob: BlobId) -> Option<(&'h RepoPath, CommitIndex)> {
        self.history.elsewhere(blob).filter(|(_, commit)| commit.position() < self.view.seen)
    }

    /// The commits that agree best with the files of a layer, or of all.
    pub(super) fn best(&self, layer: Option<usize>) -> Best {
        match layer {
            Some(layer) => self.history.best(self.view.seen, &[self.view.groups.start + layer]),
            None => self.history.best(self.view.seen, &self.view.groups.clone().collect::<Vec<_>>()),
        }
    }
}
