//! Which commits the image and its layers equal.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::identify::{Identity, LayerIdentity, Placed, Range, Relation};
use crate::path::RepoPath;
use crate::repo::history::{CommitIndex, Run};
use crate::verify::PlatformResult;
use crate::verify::job::Job;

use super::confirm::{Confirm, Confirmed};
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
    let mut confirm = Confirm::new(job, walked, result);
    let whole = identity(walked, looked, &known, None, &mut confirm)?;
    let identities = layers.into_iter().map(|(layer, positions)| {
        Ok(LayerIdentity { layer, identity: identity(walked, looked, &positions, Some(layer), &mut confirm)? })
    });
    let identities = identities.collect::<Result<_, Error>>()?;
    (result.identity, result.layers) = (Some(whole), identities);
    Ok(())
}

fn identity(
    walked: &Walked<'_>,
    looked: &[Looked],
    positions: &[usize],
    layer: Option<usize>,
    confirm: &mut Confirm<'_>,
) -> Result<Identity, Error> {
    let best = walked.best(layer);
    let run = choose(walked, &best.runs);
    let agrees = |position: usize| run.is_some_and(|run| walked.agrees(position, run.newest));
    let others = positions.iter().filter(|&&position| !agrees(position));
    let mut unmatched: Vec<RepoPath> = others.map(|&position| looked[position].path.clone()).collect();
    let matched = positions.len() - unmatched.len();
    let mut confirmed = None;
    if let Some(run) = run.filter(|_| unmatched.is_empty()) {
        match confirm.run(run, layer)? {
            Confirmed::Ends(newest, oldest) => confirmed = Some((newest, oldest)),
            Confirmed::Lacking(missing) => unmatched.extend(missing),
        }
    }
    // The oldest commit on which the newest one builds: branches that go on from it have others.
    let unconfirmed = |run: &Run| (run.newest, walked.below(run, run.newest).next().unwrap_or(run.newest));
    let ends = confirmed.or_else(|| run.map(unconfirmed));
    Ok(Identity {
        compared: matched + unmatched.len(),
        matched,
        commits: ends.map(|(newest, oldest)| range(walked, newest, oldest)).transpose()?,
        rivals: best.runs.len().saturating_sub(1),
        unmatched,
    })
}

/// Of several runs the one with the revision, else the newest that the revision reaches, else the newest.
fn choose<'r>(walked: &Walked<'_>, runs: &'r [Run]) -> Option<&'r Run> {
    let with_asked = runs.iter().find(|run| run.newest == walked.asked);
    with_asked.or_else(|| runs.iter().find(|run| walked.is_reached(run.newest))).or(runs.first())
}

fn range(walked: &Walked<'_>, newest: CommitIndex, oldest: CommitIndex) -> Result<Range, Error> {
    Ok(Range { newest: placed(walked, newest)?, oldest: placed(walked, oldest)? })
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
