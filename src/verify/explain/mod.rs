//! Why files differ: what history knows of their bytes, what the image says of itself, and the cause.
//!
//! History is walked once, for all platforms, and only where it can say something: when a file differs, when a file
//! that git does not have may be one that git deleted, or when the caller wants to know the commits anyway.

mod absent;
mod claims;
mod cleaned;
mod closest;
mod confirm;
mod identity;
mod past;
mod python;
mod question;
mod steps;
mod times;
mod walked;

use crate::compare::Finding;
use crate::diagnosis::{self, Scope, Symptoms};
use crate::error::Error;
use crate::image::Opened;
use crate::layer::Kept;
use crate::repo::Origin;

use super::job::Job;
use super::{Depth, PlatformResult};

use past::Subject;
use question::Looked;
pub(super) use question::blobs_of;

/// Explains what `results` found. Statuses become finer, and contents that history knows are no longer `modified`.
pub(super) fn explain(job: &Job<'_>, opened: &Opened, results: &mut [PlatformResult]) -> Result<Vec<String>, Error> {
    let look = |result: &mut PlatformResult| {
        let (contents, cleaned) = cleaned::read(job, result)?;
        absent::explain(job, result);
        Ok((question::look(job, result, &cleaned), contents))
    };
    let mut looked = results.iter_mut().map(look).collect::<Result<Vec<_>, Error>>()?;
    let mut warnings = look_back(job, results, &mut looked)?;
    for (result, (looked, _)) in results.iter_mut().zip(&looked) {
        let (claims, unread) = claims::judge(job, opened, result, looked)?;
        result.claims = claims;
        warnings.extend(unread);
        let shadows = python::shadows(job, result)?;
        warnings.extend(shadows.warnings);
        result.cause = cause(job, result, &shadows.evidence);
    }
    Ok(warnings)
}

/// One walk for all platforms of which history can say something.
fn look_back(
    job: &Job<'_>,
    results: &mut [PlatformResult],
    looked: &mut [(Vec<Looked>, Kept)],
) -> Result<Vec<String>, Error> {
    let Some(commit) = &job.git.commit else { return Ok(Vec::new()) };
    let all = results.iter_mut().zip(looked).map(|(result, (looked, contents))| Subject { result, looked, contents });
    let mut subjects: Vec<_> = all.filter(|one| is_worth_a_walk(job, one.result, one.looked)).collect();
    if subjects.is_empty() { Ok(Vec::new()) } else { past::explain(job, commit, &mut subjects) }
}

fn is_worth_a_walk(job: &Job<'_>, result: &PlatformResult, looked: &[Looked]) -> bool {
    let differs = |finding: &Finding| finding.status.differs(job.options.strictness);
    job.options.depth == Depth::History
        || result.findings.iter().any(differs)
        || looked.iter().any(|looked| looked.candidate && may_be_leftover(job, looked))
}

/// Whether git may have had the very bytes: what is not among its objects was never committed. A partial clone has left
/// some of them with its remote.
fn may_be_leftover(job: &Job<'_>, looked: &Looked) -> bool {
    job.repository.is_partial() || looked.blobs.iter().any(|&blob| job.repository.has(blob))
}

fn cause(job: &Job<'_>, result: &PlatformResult, shadows: &[String]) -> Option<diagnosis::Cause> {
    diagnosis::diagnose(&Symptoms {
        image: &result.image,
        findings: &result.findings,
        strictness: job.options.strictness,
        whole: result.identity.as_ref(),
        layers: &result.layers,
        revision: job.revision(),
        is_work_tree: job.git.snapshot.origin == Origin::WorkTree,
        scope: if job.options.selection.is_everything() { Scope::Everything } else { Scope::Named },
        is_shallow: job.repository.is_shallow(),
        stages: &result.plan.stages,
        shadows,
    })
}
