//! Causes, claims and places in history, for people and for programs.

use serde::Serialize;

use crate::claims::Judged;
use crate::compare::Past;
use crate::count::counted;
use crate::diagnosis::Cause;
use crate::repo::Commit;

use super::escape::escape;

/// A cause in reports.
#[derive(Serialize)]
pub(super) struct CauseReport<'a> {
    kind: &'static str,
    summary: &'a str,
    hint: &'a str,
    evidence: &'a [String],
    /// What a mixed cause is made of.
    parts: Vec<&'static str>,
}

impl<'a> CauseReport<'a> {
    pub(super) fn new(cause: &'a Cause) -> Self {
        Self {
            kind: cause.kind.name(),
            summary: &cause.summary,
            hint: &cause.hint,
            evidence: &cause.evidence,
            parts: cause.parts.iter().map(|kind| kind.name()).collect(),
        }
    }
}

/// A claim in reports.
#[derive(Serialize)]
pub(super) struct ClaimReport<'a> {
    platform: String,
    source: &'a str,
    meaning: &'static str,
    value: &'a str,
    agrees: Option<bool>,
    inherited: bool,
    commit: Option<&'a str>,
    note: &'a str,
}

impl<'a> ClaimReport<'a> {
    pub(super) fn new(platform: String, judged: &'a Judged) -> Self {
        Self {
            platform,
            source: &judged.claim.source,
            meaning: judged.claim.meaning.name(),
            value: &judged.claim.value,
            agrees: judged.agrees,
            inherited: judged.claim.inherited,
            commit: judged.commit.as_ref().map(|commit| commit.id.as_str()),
            note: &judged.note,
        }
    }
}

/// A place in history in reports.
#[derive(Serialize)]
pub(super) struct PastReport<'a> {
    #[serde(flatten)]
    commit: &'a Commit,
    behind: Option<usize>,
    replaced_by: Option<&'a Commit>,
}

impl<'a> PastReport<'a> {
    pub(super) fn new(past: &'a Past) -> Self {
        Self { commit: &past.commit, behind: past.behind, replaced_by: past.replaced_by.as_ref() }
    }
}

/// A place in history: `e15739c "Count the rows" (2026-01-27), 9 commits behind`.
pub(super) fn past_line(past: &Past) -> String {
    let behind = match past.behind {
        None => ", not in the history of the revision".to_owned(),
        Some(0) => String::new(),
        Some(count) => format!(", {} behind", counted(count, "commit")),
    };
    format!("{}{behind}", commit_words(&past.commit))
}

/// A commit in a few words.
pub(super) fn commit_words(commit: &Commit) -> String {
    let day: String = commit.time.chars().take("2026-01-31".len()).collect();
    format!("{} \"{}\" ({day})", commit.short, escape(&commit.subject))
}

/// A claim in a line: `disagrees  label commit-sha = 269d492d91c5  (1 of 8 files is another one there)`.
pub(super) fn claim_line(judged: &Judged) -> String {
    let verdict = match judged.agrees {
        Some(true) => "agrees",
        Some(false) => "disagrees",
        None => "unknown",
    };
    let value = shortened(&judged.claim.value);
    format!("{verdict:<9}  {} = {}  ({})", escape(&judged.claim.source), escape(&value), escape(&judged.note))
}

/// The start of a long value; of a commit's id as many digits as tell it apart.
fn shortened(value: &str) -> String {
    const ID_DIGITS: usize = 12;
    const CHARACTERS: usize = 60;
    let is_id = value.len() >= 40 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id {
        return value[..ID_DIGITS].to_owned();
    }
    match value.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}
