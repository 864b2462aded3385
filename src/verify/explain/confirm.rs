//! Whether commits that have all that was asked for have nothing else, either.
//!
//! Files that a commit has and the image lacks, and that git does not have any more, were not asked for. The whole
//! comparison is made again with such a commit, which finds them.

use std::collections::BTreeMap;

use crate::compare::Finding;
use crate::error::Error;
use crate::limits;
use crate::path::RepoPath;
use crate::repo::history::{CommitIndex, Run};
use crate::verify::PlatformResult;
use crate::verify::job::Job;

use super::absent::Neighbours;
use super::steps::Steps;
use super::walked::Walked;

/// Comparisons with other commits, each made once.
pub(super) struct Confirm<'a> {
    job: &'a Job<'a>,
    walked: &'a Walked<'a>,
    result: &'a PlatformResult,
    neighbours: Neighbours,
    steps: Steps,
    missing: BTreeMap<CommitIndex, Vec<Finding>>,
}

/// What is left of a run.
pub(super) enum Confirmed {
    /// Its newest and its oldest commit that have nothing that the image lacks.
    Ends(CommitIndex, CommitIndex),
    /// No commit of it is one of those; this is what the newest has.
    Lacking(Vec<RepoPath>),
}

impl<'a> Confirm<'a> {
    pub(super) fn new(job: &'a Job<'a>, walked: &'a Walked<'a>, result: &'a PlatformResult) -> Self {
        let (neighbours, steps) = (Neighbours::of(&result.findings), Steps::of(&result.image, &result.findings));
        Self { job, walked, result, neighbours, steps, missing: BTreeMap::new() }
    }

    /// Looks for the ends of `run`, for the files of a layer or for all. With more comparisons than
    /// [`limits::COMMITS_CONFIRMED`] an end is not looked for any further.
    pub(super) fn run(&mut self, run: &Run, layer: Option<usize>) -> Result<Confirmed, Error> {
        let Some(newest) = self.first(run.commits.iter().copied(), layer)? else {
            return Ok(Confirmed::Lacking(self.lacking(run.newest, layer)?.unwrap_or_default()));
        };
        let oldest = self.first(self.walked.below(run, newest), layer)?;
        Ok(Confirmed::Ends(newest, oldest.unwrap_or(newest)))
    }

    /// The first of `commits` that has nothing that the image lacks.
    fn first(
        &mut self,
        commits: impl Iterator<Item = CommitIndex>,
        layer: Option<usize>,
    ) -> Result<Option<CommitIndex>, Error> {
        let mut lacking: Vec<RepoPath> = Vec::new();
        for commit in commits {
            if self.has_any(commit, &lacking)? {
                continue;
            }
            match self.lacking(commit, layer)? {
                Some(missing) if missing.is_empty() => return Ok(Some(commit)),
                Some(missing) => lacking.extend(missing),
                None => break,
            }
        }
        Ok(None)
    }

    /// A look that costs little beside a comparison.
    fn has_any(&self, commit: CommitIndex, paths: &[RepoPath]) -> Result<bool, Error> {
        if paths.is_empty() {
            return Ok(false);
        }
        Ok(self.job.repository.has_any(&self.walked.history.commit(commit)?, paths)?)
    }

    /// What a commit has and the image lacks; `None` where that is not looked for any more.
    fn lacking(&mut self, commit: CommitIndex, layer: Option<usize>) -> Result<Option<Vec<RepoPath>>, Error> {
        if commit == self.walked.asked {
            return Ok(Some(Vec::new()));
        }
        if !self.missing.contains_key(&commit) {
            if self.missing.len() >= limits::COMMITS_CONFIRMED {
                return Ok(None);
            }
            let missing = self.job.missing_at(&self.walked.history.commit(commit)?, self.result)?;
            self.missing.insert(commit, missing);
        }
        let missing = self.missing.get(&commit).into_iter().flatten();
        // What a later step removed was right in the layer that put it, and says nothing of the others.
        let with = |finding: &Finding| match self.result.tree.removed(&finding.image) {
            Some(_) => None,
            None => self.neighbours.layer(finding, &self.steps),
        };
        let is_of = |finding: &&Finding| layer.is_none_or(|layer| with(finding) == Some(layer));
        Ok(Some(missing.filter(is_of).filter_map(|finding| Some(finding.repo.as_ref()?.0.clone())).collect()))
    }
}
