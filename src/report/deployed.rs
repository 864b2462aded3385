//! What is deployed, for people and for programs.
//!
//! The reports of services are owned: an image's files are forgotten before the next service is looked at.

mod text;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::deploy::firestore::{Group, Survey, Watched};
use crate::deploy::{Cause, Condition, Container, Judgement, Kind, Name, Observed, Revision, State, Verdict};
use crate::error::Error;

use super::Answer;
use super::head::{SCHEMA_VERSION, Tool};
use super::json::{ErrorReport, VerificationReport, to_bytes};
pub use text::deployed_text;
pub(super) use text::{are_of, color, content_lines};

/// One service, or one job.
#[derive(Serialize)]
pub struct ServiceReport {
    name: String,
    kind: &'static str,
    #[serde(serialize_with = "by_name")]
    /// Whether what it serves is what git says.
    pub verdict: Verdict,
    cause: Option<CauseReport>,
    causes: Vec<CauseReport>,
    latest_created: Option<String>,
    latest_ready: Option<String>,
    settled: Option<bool>,
    serving: Vec<RevisionReport>,
    /// The newest revision, where it serves nothing.
    latest: Option<RevisionReport>,
    documents: Vec<DocumentsReport>,
    notes: Vec<String>,
    error: Option<ErrorReport>,
}

#[derive(Clone, Serialize)]
struct CauseReport {
    kind: &'static str,
    summary: String,
    evidence: Vec<String>,
    hint: String,
}

/// A revision with its images.
#[derive(Serialize)]
pub struct RevisionReport {
    revision: String,
    percent: Option<u32>,
    follows_latest: Option<bool>,
    created: Option<String>,
    image: Option<String>,
    digest: Option<String>,
    labels: BTreeMap<String, String>,
    ready: Option<ConditionReport>,
    verify: Option<Value>,
    containers: Vec<ContainerReport>,
}

#[derive(Serialize)]
struct ConditionReport {
    state: &'static str,
    reason: Option<String>,
    message: Option<String>,
}

/// A container with what its image holds.
#[derive(Serialize)]
pub struct ContainerReport {
    name: Option<String>,
    image: String,
    digest: Option<String>,
    /// Whether nothing in it is the repository's.
    foreign: bool,
    #[serde(skip)]
    verify: Option<Value>,
    #[serde(skip)]
    lines: Vec<String>,
}

#[derive(Serialize)]
struct DocumentsReport {
    first: SurveyReport,
    again: Option<SurveyReport>,
    live: bool,
}

#[derive(Serialize)]
struct SurveyReport {
    collection: String,
    total: u64,
    expected: Option<u64>,
    sampled: usize,
    offenders: usize,
    newest_offender: Option<String>,
    groups: Vec<GroupReport>,
}

#[derive(Serialize)]
struct GroupReport {
    prefix: String,
    count: usize,
    example: String,
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    tool: Tool,
    verdict: &'static str,
    services: &'a [ServiceReport],
    warnings: Vec<String>,
    error: Option<()>,
}

/// A verdict in JSON.
pub(super) fn by_name<S: serde::Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(verdict.name())
}

/// All services for programs.
pub fn deployed_json(services: &[ServiceReport], warnings: Vec<String>) -> Vec<u8> {
    let verdict = overall(services).name();
    to_bytes(&Report { schema_version: SCHEMA_VERSION, tool: Tool::OWN, verdict, services, warnings, error: None })
}

fn overall(services: &[ServiceReport]) -> Verdict {
    super::overall(services.iter().map(|service| service.verdict))
}

impl ServiceReport {
    /// Of a service that was judged; `serving` are the revisions with traffic, in their order.
    pub fn new(
        observed: &Observed,
        judgement: Judgement,
        mut serving: Vec<RevisionReport>,
        latest: Option<RevisionReport>,
        documents: Vec<Watched>,
    ) -> Self {
        let service = &observed.service;
        for (report, share) in serving.iter_mut().zip(&observed.serving) {
            report.percent = Some(share.percent);
            report.follows_latest = Some(share.follows_latest);
        }
        let causes: Vec<CauseReport> = judgement.causes.into_iter().map(CauseReport::from).collect();
        Self {
            name: Name { kind: service.kind, name: service.name.clone() }.to_string(),
            kind: kind(service.kind),
            verdict: judgement.verdict,
            cause: causes.first().cloned(),
            causes,
            latest_created: service.latest_created.clone(),
            latest_ready: service.latest_ready.clone(),
            settled: Some(service.is_settled),
            serving,
            latest,
            documents: documents.into_iter().map(DocumentsReport::from).collect(),
            notes: judgement.notes,
            error: None,
        }
    }

    /// Of a service of which nothing can be told.
    pub fn unknown(name: &Name, error: &Error) -> Self {
        Self {
            name: name.to_string(),
            kind: kind(name.kind),
            verdict: Verdict::Unknown,
            cause: None,
            causes: Vec::new(),
            latest_created: None,
            latest_ready: None,
            settled: None,
            serving: Vec::new(),
            latest: None,
            documents: Vec::new(),
            notes: Vec::new(),
            error: Some(ErrorReport::new(error)),
        }
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Service => "service",
        Kind::Job => "job",
    }
}

impl From<Cause> for CauseReport {
    fn from(cause: Cause) -> Self {
        let Cause { kind, summary, evidence, hint } = cause;
        Self { kind: kind.name(), summary, evidence, hint }
    }
}

impl RevisionReport {
    /// Of a revision whose containers were looked at.
    pub fn new(revision: &Revision, mut containers: Vec<ContainerReport>) -> Self {
        let main = containers.iter_mut().find(|container| !container.foreign);
        let (image, digest, verify) =
            main.map_or((None, None, None), |main| (Some(main.image.clone()), main.digest.clone(), main.verify.take()));
        Self {
            revision: revision.name.clone(),
            percent: None,
            follows_latest: None,
            created: revision.created.clone(),
            image,
            digest,
            labels: revision.labels.clone(),
            ready: revision.ready.as_ref().map(ConditionReport::from),
            verify,
            containers,
        }
    }
}

impl From<&Condition> for ConditionReport {
    fn from(condition: &Condition) -> Self {
        let state = match condition.state {
            State::Succeeded => "succeeded",
            State::Failed => "failed",
            State::Pending => "pending",
        };
        Self { state, reason: condition.reason.clone(), message: condition.message.clone() }
    }
}

impl ContainerReport {
    /// Of an image that was compared.
    pub fn new(container: &Container, answer: &Answer<'_>, everything: bool) -> Self {
        let verify = serde_json::to_value(VerificationReport::new(answer, everything)).ok();
        Self { verify, lines: content_lines(answer), ..Self::of(container) }
    }

    /// Of an image that could not be.
    pub fn unknown(container: &Container, error: &Error) -> Self {
        let verify = serde_json::json!({ "verdict": Verdict::Unknown.name(), "error": ErrorReport::new(error) });
        Self { verify: Some(verify), lines: vec![format!("unknown: {}", error.chain())], ..Self::of(container) }
    }

    /// Of an image in which nothing is the repository's.
    pub fn foreign(container: &Container) -> Self {
        Self { foreign: true, lines: vec!["nothing of this repository".to_owned()], ..Self::of(container) }
    }

    fn of(container: &Container) -> Self {
        Self {
            name: container.name.clone(),
            image: container.image.clone(),
            digest: container.digest.as_ref().map(ToString::to_string),
            foreign: false,
            verify: None,
            lines: Vec::new(),
        }
    }
}

impl From<Watched> for DocumentsReport {
    fn from(watched: Watched) -> Self {
        let live = !watched.signs().is_empty();
        Self { first: watched.first.into(), again: watched.again.map(Into::into), live }
    }
}

impl From<Survey> for SurveyReport {
    fn from(survey: Survey) -> Self {
        let Survey { collection, total, expected, sampled, offenders, groups, newest_offender } = survey;
        let group = |Group { prefix, count, example }| GroupReport { prefix, count, example };
        let groups = groups.into_iter().map(group).collect();
        Self { collection, total, expected, sampled, offenders, newest_offender, groups }
    }
}
