//! Whether a comparison settled what was asked.

use crate::compare::{Finding, Status};
use crate::error::Error;
use crate::select::Pattern;

use super::{Filtered, GitSide, Options, PlatformResult};

/// An empty comparison is never a pass, and a pattern that names nothing is never silently dropped.
pub(super) fn check(git: &GitSide, platforms: &[PlatformResult], options: &Options) -> Result<(), Error> {
    let filtered: Vec<&Filtered> = platforms.iter().flat_map(|result| &result.filtered).collect();
    let findings = || platforms.iter().flat_map(|result| &result.findings);
    let agrees = !findings().any(|finding| finding.status.differs(options.strictness));
    // A file that surely differs settles the verdict; else the files that cannot be judged leave it open.
    if let Some(first) = filtered.first().filter(|_| agrees) {
        let (path, filter) = (first.path.clone(), first.filter.clone());
        return Err(Error::Filtered { path, filter, count: filtered.len() });
    }
    for pattern in options.selection.patterns() {
        let text = || String::from_utf8_lossy(&pattern.text).into_owned();
        let mut named = findings().filter(|finding| is_named(pattern, finding)).peekable();
        if named.peek().is_none() {
            let in_git = git.snapshot.files.keys().any(|path| pattern.matches_repo(path));
            return Err(if in_git { Error::NotMapped(text()) } else { Error::NoMatch(text()) });
        }
        // What a glob names besides git's files is no more than untracked; what was named itself was to be compared.
        if named.all(|finding| finding.status == Status::Untracked) {
            return Err(Error::NotInGit(text()));
        }
    }
    platforms.iter().try_for_each(|result| something_compared(result, options))
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
