//! What every report about an image and a repository begins with.

use std::path::Path;

use serde::Serialize;

use crate::image::{Image, Opened};
use crate::repo::{Commit, Repository};

use super::{Answer, Question};

/// The version of the report's shape.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// The head of a report.
#[derive(Serialize)]
pub(super) struct Head<'a> {
    schema_version: u32,
    tool: Tool,
    image: ImageReport<'a>,
    repo: RepoReport<'a>,
}

impl<'a> Head<'a> {
    /// Of an answer.
    pub(super) fn new(answer: &'a Answer<'_>) -> Self {
        let commit = answer.verification.git.commit.as_ref();
        Self::of(answer.question, answer.repository, commit, &answer.verification.opened)
    }

    /// Of what was opened for an answer.
    pub(super) fn of(
        question: &'a Question,
        repository: &Repository,
        commit: Option<&'a Commit>,
        opened: &'a Opened,
    ) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            tool: Tool::OWN,
            image: ImageReport {
                reference: &question.reference,
                digest: Some(opened.digest.to_string()),
                pinned: Some(&opened.pinned),
                platforms: opened.images.iter().map(platform_report).collect(),
            },
            repo: RepoReport {
                path: Some(absolute(repository.path())),
                revision: question.revision.as_deref(),
                commit: commit.map(|commit| commit.id.as_str()),
                worktree: question.revision.is_none(),
                shallow: Some(repository.is_shallow()),
            },
        }
    }

    /// Of a question without an answer.
    pub(super) fn unknown(question: &'a Question) -> Self {
        let revision = question.revision.as_deref();
        Self {
            schema_version: SCHEMA_VERSION,
            tool: Tool::OWN,
            image: ImageReport { reference: &question.reference, ..ImageReport::default() },
            repo: RepoReport { revision, worktree: revision.is_none(), ..RepoReport::default() },
        }
    }
}

/// What wrote the report.
#[derive(Serialize)]
pub(super) struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Tool {
    pub(super) const OWN: Self = Self { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") };
}

#[derive(Serialize, Default)]
struct ImageReport<'a> {
    reference: &'a str,
    digest: Option<String>,
    pinned: Option<&'a str>,
    platforms: Vec<PlatformReport<'a>>,
}

#[derive(Serialize)]
struct PlatformReport<'a> {
    platform: String,
    digest: String,
    created: Option<&'a str>,
}

#[derive(Serialize, Default)]
struct RepoReport<'a> {
    path: Option<String>,
    revision: Option<&'a str>,
    commit: Option<&'a str>,
    worktree: bool,
    shallow: Option<bool>,
}

fn platform_report(image: &Image) -> PlatformReport<'_> {
    PlatformReport {
        platform: image.platform.to_string(),
        digest: image.digest.to_string(),
        created: image.config.created.as_deref().filter(|time| !time.is_empty()),
    }
}

/// Whoever reads the report stands elsewhere. Failing that, the path as it was given is better than none.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
