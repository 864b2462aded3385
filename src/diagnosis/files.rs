//! Causes that single files tell of.

use crate::compare::{Finding, Status};
use crate::count::{are, counted};

use super::{Cause, CauseKind, Symptoms, evidence, layers, named};

/// What to do about changes that only the work tree has.
pub(super) const COMMIT_OR_COMPARE: &str =
    "commit the changes and build again, or compare with the commit (without --worktree)";

/// The image has what was committed, and the work tree has changed since.
pub(super) fn uncommitted(symptoms: &Symptoms<'_>) -> Option<Cause> {
    let committed =
        |finding: &&Finding| finding.past.as_ref().is_some_and(|past| past.behind == Some(0)) && is_stale(finding);
    let files: Vec<&Finding> = symptoms.findings.iter().filter(committed).collect();
    let first = files.first()?;
    let short = first.past.as_ref().map(|past| past.commit.short.as_str()).unwrap_or_default();
    Some(Cause {
        kind: CauseKind::OldImage,
        summary: format!("{} as {short} has them: the work tree has changes since", are(files.len(), "file")),
        evidence: vec![format!("{} is that of the commit that the work tree is based on", evidence::path_of(first))],
        hint: COMMIT_OR_COMPARE.to_owned(),
        parts: Vec::new(),
    })
}

fn is_stale(finding: &Finding) -> bool {
    finding.status == Status::Stale
}

pub(super) fn dirty(symptoms: &Symptoms<'_>) -> Option<Cause> {
    let is_known = |finding: &&Finding| is_in_no_commit(finding) && !symptoms.is_shallow;
    let files: Vec<&Finding> = symptoms.differing().filter(is_known).collect();
    let first = files.first()?;
    Some(Cause {
        kind: CauseKind::DirtyBuild,
        summary: format!("{} in no commit: built from a work tree with uncommitted changes", are(files.len(), "file")),
        evidence: vec![format!("{} has bytes that no commit looked at has there", evidence::path_of(first))],
        hint:
            "commit what is in the image, or build again from a clean checkout (git status --short shows what is not \
               committed)"
                .to_owned(),
        parts: Vec::new(),
    })
}

fn is_in_no_commit(finding: &Finding) -> bool {
    matches!(finding.status, Status::Modified | Status::Kind | Status::Untracked)
}

/// In a shallow clone bytes of no commit may well be those of an earlier one.
pub(super) fn beyond_reach(symptoms: &Symptoms<'_>) -> Option<Cause> {
    let is_unknown = |finding: &&Finding| is_in_no_commit(finding) && symptoms.is_shallow;
    let files: Vec<&Finding> = symptoms.differing().filter(is_unknown).collect();
    let first = files.first()?;
    Some(Cause {
        kind: CauseKind::Mixed,
        summary: format!(
            "{} in no commit of this shallow clone, which ends too early to tell why",
            are(files.len(), "file")
        ),
        evidence: vec![format!("{} has bytes that no commit looked at has there", evidence::path_of(first))],
        hint: "git fetch --unshallow, then verify again".to_owned(),
        parts: Vec::new(),
    })
}

/// Files that are executable on one side only, where that counts.
pub(super) fn executable(symptoms: &Symptoms<'_>) -> Option<Cause> {
    let files: Vec<&Finding> = symptoms.differing().filter(|finding| finding.status == Status::Mode).collect();
    let first = files.first()?;
    Some(Cause {
        kind: CauseKind::Mixed,
        summary: format!("{} executable in the image or in git, and not in the other", are(files.len(), "file")),
        evidence: vec![format!("{} has the same bytes in both", evidence::path_of(first))],
        hint: "look for chmod in the build and for a checkout that keeps no modes (git config core.fileMode)"
            .to_owned(),
        parts: Vec::new(),
    })
}

pub(super) fn missing(symptoms: &Symptoms<'_>) -> Option<Cause> {
    let files: Vec<&Finding> =
        symptoms.with(Status::Missing).filter(|finding| !layers::explains(symptoms, finding)).collect();
    let first = files.first()?;
    let reason = first.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    Some(Cause {
        kind: CauseKind::MissingFiles,
        summary: format!("{} missing from the image", are(files.len(), "file")),
        evidence: vec![format!("{}{reason}", evidence::path_of(first))],
        hint: "look for them in .dockerignore, in the COPY instructions, and in what later steps delete".to_owned(),
        parts: Vec::new(),
    })
}

pub(super) fn leftover(symptoms: &Symptoms<'_>) -> Option<Cause> {
    let files: Vec<&Finding> =
        symptoms.with(Status::Leftover).filter(|finding| !layers::explains(symptoms, finding)).collect();
    let first = files.first()?;
    Some(Cause {
        kind: CauseKind::LeftoverFiles,
        summary: format!("{} in the image though git deleted them", are(files.len(), "file")),
        evidence: vec![format!(
            "{}: {}",
            evidence::path_of(first),
            first.note.as_deref().unwrap_or("deleted from git")
        )],
        hint: "build from a clean checkout (git clean -ndX and git status --short show what lies beside git's files)"
            .to_owned(),
        parts: Vec::new(),
    })
}

/// Files that git has elsewhere; no single cause explains them.
pub(super) fn elsewhere(symptoms: &Symptoms<'_>) -> Option<Cause> {
    symptoms.with(Status::Other).next()?;
    let mut summary = "no single cause explains what differs".to_owned();
    if let Some((whole, range)) = symptoms.whole.and_then(|whole| Some((whole, whole.commits.as_ref()?))) {
        let (matched, compared) = (whole.matched, whole.compared);
        summary = format!("{summary}; {matched} of {} equal {}", counted(compared, "file"), named(&range.newest));
    }
    let others: Vec<String> = symptoms
        .with(Status::Other)
        .take(1)
        .map(|finding| {
            format!("{}: {}", evidence::path_of(finding), finding.note.as_deref().unwrap_or("known elsewhere"))
        })
        .collect();
    Some(Cause {
        kind: CauseKind::Mixed,
        summary,
        evidence: others,
        hint: format!(
            "build again from a clean checkout without the cache ({}), push, and verify again",
            symptoms.without_cache()
        ),
        parts: Vec::new(),
    })
}
