//! Whether a comparison settled what was asked.

use crate::compare::{Finding, Status};
use crate::error::Error;
use crate::select::Pattern;

use super::job::Job;
use super::{Filtered, Options, PlatformResult};

/// An empty comparison is never a pass, and a pattern that names nothing is never silently dropped.
pub(super) fn check(job: &Job<'_>, platforms: &[PlatformResult]) -> Result<(), Error> {
    let options = job.options;
    let filtered: Vec<&Filtered> = platforms.iter().flat_map(|result| &result.filtered).collect();
    let findings = || platforms.iter().flat_map(|result| &result.findings);
    let agrees = !findings().any(|finding| finding.status.differs(options.strictness));
    // A file that surely differs settles the verdict; else the files that cannot be judged leave it open.
    if let Some(first) = filtered.first().filter(|_| agrees) {
        let (path, filter) = (first.path.clone(), first.filter.clone());
        return Err(Error::Filtered { path, filter, count: filtered.len() });
    }
    for pattern in options.selection.patterns() {
        let mut named = findings().filter(|finding| is_named(pattern, finding)).peekable();
        if named.peek().is_none() {
            return Err(unmatched(job, pattern));
        }
        // What a glob names besides git's files is no more than untracked; what was named itself was to be compared.
        if named.all(|finding| finding.status == Status::Untracked) {
            return Err(Error::NotInGit(shown(pattern)));
        }
    }
    platforms.iter().try_for_each(|result| something_compared(result, options))
}

/// Why a pattern names nothing that could be compared.
fn unmatched(job: &Job<'_>, pattern: &Pattern) -> Error {
    let mut in_git = job.git.snapshot.files.keys().filter(|path| pattern.matches_repo(path)).peekable();
    let Some(first) = in_git.peek().copied() else { return Error::NoMatch(shown(pattern)) };
    match job.ignored_by(first) {
        Some(by) if in_git.all(|path| job.ignored_by(path).is_some()) => Error::Ignored { name: shown(pattern), by },
        _ => Error::NotMapped(shown(pattern)),
    }
}

fn shown(pattern: &Pattern) -> String {
    String::from_utf8_lossy(&pattern.text).into_owned()
}

fn something_compared(result: &PlatformResult, options: &Options) -> Result<(), Error> {
    if result.findings.iter().any(|finding| finding.status.is_comparison()) {
        return Ok(());
    }
    let missing = result.findings.iter().filter(|finding| finding.status == Status::Missing).count();
    let supported = result.plan.mappings.iter().any(|mapping| mapping.files > 0);
    match missing {
        0 => Err(Error::OnlyUntracked),
        // A named file that is missing beside others that are there was looked for in the right place.
        _ if supported && !options.selection.is_everything() => Ok(()),
        expected => Err(Error::NothingCompared { expected }),
    }
}

/// Whether a pattern means the file of a finding.
pub(super) fn is_named(pattern: &Pattern, finding: &Finding) -> bool {
    pattern.matches(finding.repo.as_ref().map(|(path, _)| path), &finding.image)
}
