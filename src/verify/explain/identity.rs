//! Which commits the image and its layers equal.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::identify::{Fit, Identity, LayerIdentity, Placed, Range, Relation};
use crate::path::RepoPath;
use crate::repo::history::{CommitIndex, Run};
use crate::verify::PlatformResult;
use crate::verify::job::Job;

use super::past;
use super::question::Looked;
use super::walked::Walked;

/// Finds the commits of the image and of each layer that brought files. Files that git never had say nothing of commits;
/// one that git does not have now counts if any commit looked at has it.
pub(super) fn explain(
    job: &Job<'_>,
    walked: &Walked<'_>,
    result: &mut PlatformResult,
    looked: &[Looked],
) -> Result<(), Error> {
    let is_known = |position: &usize| {
        !looked[*position].candidate || past::newest_with(walked, &looked[*position], *position).is_some()
    };
    let known: Vec<usize> = (0..looked.len()).filter(is_known).collect();
    let mut layers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &position in &known {
        if let Some(layer) = result.findings[looked[position].finding].counted_with {
            layers.entry(layer).or_default().push(position);
        }
    }
    let mut whole = identity(walked, looked, &known, None)?;
    if whole.fit() == Fit::Exact {
        confirm(job, result, &mut whole)?;
    }
    result.identity = Some(whole);
    let identities = layers.into_iter().map(|(layer, positions)| {
        Ok(LayerIdentity { layer, identity: identity(walked, looked, &positions, Some(layer))? })
    });
    result.layers = identities.collect::<Result<_, Error>>()?;
    Ok(())
}

fn identity(
    walked: &Walked<'_>,
    looked: &[Looked],
    positions: &[usize],
    layer: Option<usize>,
) -> Result<Identity, Error> {
    let best = walked.best(layer);
    let run = choose(walked, &best.runs);
    let agrees = |position: usize| run.is_some_and(|run| walked.agrees(position, run.newest));
    let others = positions.iter().filter(|&&position| !agrees(position));
    let unmatched: Vec<RepoPath> = others.map(|&position| looked[position].path.clone()).collect();
    Ok(Identity {
        compared: positions.len(),
        matched: positions.len() - unmatched.len(),
        commits: run.map(|run| range(walked, run)).transpose()?,
        rivals: best.runs.len().saturating_sub(1),
        unmatched,
    })
}

/// Of several runs the one with the revision, else the newest that the revision reaches, else the newest.
fn choose<'r>(walked: &Walked<'_>, runs: &'r [Run]) -> Option<&'r Run> {
    let with_asked = runs.iter().find(|run| run.newest == walked.asked);
    with_asked.or_else(|| runs.iter().find(|run| walked.is_reached(run.newest))).or(runs.first())
}

fn range(walked: &Walked<'_>, run: &Run) -> Result<Range, Error> {
    Ok(Range { newest: placed(walked, run.newest)?, oldest: placed(walked, run.oldest)? })
}

fn placed(walked: &Walked<'_>, commit: CommitIndex) -> Result<Placed, Error> {
    let relation = if commit == walked.asked {
        Relation::Asked
    } else if walked.is_reached(commit) {
        Relation::Behind(walked.history.distance(walked.asked, commit))
    } else if walked.history.is_ancestor(walked.asked, commit) {
        Relation::Ahead(walked.history.distance(commit, walked.asked))
    } else {
        Relation::Apart
    };
    let name = walked.history.describe(walked.names, commit);
    Ok(Placed { commit: walked.history.commit(commit)?, name, relation })
}

/// Files that the commit has and the image lacks, and that git does not have any more, were not asked for. The whole
/// comparison is made again with that commit, which finds them.
fn confirm(job: &Job<'_>, result: &PlatformResult, whole: &mut Identity) -> Result<(), Error> {
    let Some(range) = whole.commits.as_ref().filter(|range| range.newest.relation != Relation::Asked) else {
        return Ok(());
    };
    let missing = job.missing_at(&range.newest.commit, result)?;
    let missing: Vec<RepoPath> = missing.into_iter().filter_map(|finding| Some(finding.repo?.0)).collect();
    whole.compared += missing.len();
    whole.unmatched.extend(missing);
    Ok(())
}
