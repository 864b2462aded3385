//! What is deployed, for people and for programs.
//!
//! The reports of services are owned: an image's files are forgotten before the next service is looked at.

use std::collections::BTreeMap;

use anstyle::AnsiColor;
use serde::Serialize;
use serde_json::Value;

use crate::count::{are, counted, of_are};
use crate::deploy::firestore::{Group, Survey, Watched};
use crate::deploy::{Cause, Condition, Container, Judgement, Kind, Name, Observed, Revision, State, Verdict};
use crate::error::Error;

use super::escape::{escape, escape_bytes};
use super::head::{SCHEMA_VERSION, Tool};
use super::json::{ErrorReport, VerificationReport, to_bytes};
use super::reasons;
use super::text::{headline, painted};
use super::{Answer, Detail, Style, text_of};

/// Files of one image listed before the rest is counted.
const MOST_FILES: usize = 5;
/// Groups of documents listed before the rest is left out.
const MOST_GROUPS: usize = 5;

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

/// What an image holds, in a few lines.
pub(super) fn content_lines(answer: &Answer<'_>) -> Vec<String> {
    let verification = answer.verification;
    let mut lines = vec![headline(answer)];
    let differing = verification.findings().filter(|finding| finding.status.differs(verification.strictness));
    let differing: Vec<_> = differing.collect();
    for finding in differing.iter().take(MOST_FILES) {
        let path = finding.repo.as_ref().map_or(finding.image.as_bytes(), |(path, _)| path.as_bytes());
        let past = finding.past.as_ref().map(|past| format!("  {}", reasons::past_line(past))).unwrap_or_default();
        lines.push(format!("{}  {}{past}", finding.status.name(), escape_bytes(path)));
    }
    if differing.len() > MOST_FILES {
        lines.push(format!("and {} more", differing.len() - MOST_FILES));
    }
    if let Some(cause) = verification.cause() {
        lines.push(format!("{}: {}", cause.kind.name(), cause.summary));
    }
    let claims = verification.platforms.iter().flat_map(|platform| &platform.claims);
    lines.extend(claims.filter(|judged| judged.agrees == Some(false)).map(reasons::claim_line));
    lines
}

/// All services for people.
pub fn deployed_text(services: &[ServiceReport], style: Style) -> Vec<u8> {
    let mut lines = Vec::new();
    for service in services {
        lines.extend(service_lines(service, style));
        lines.push(String::new());
    }
    let wrong = services.iter().filter(|service| service.verdict == Verdict::Mismatch).count();
    let unknown = services.iter().filter(|service| service.verdict == Verdict::Unknown).count();
    let verdict = overall(services);
    let last = match (wrong, unknown) {
        (0, 0) if services.len() == 1 => "match: it serves what git says".to_owned(),
        (0, 0) => format!("match: all {} serve what git says", services.len()),
        (0, _) => format!("unknown: of {} nobody can tell what is served", services_of(unknown, services.len())),
        (_, 0) => format!("mismatch: {} not serving what git says", are_of(wrong, services.len(), "service")),
        (..) => format!(
            "mismatch: {} not serving what git says, and {unknown} unknown",
            are_of(wrong, services.len(), "service")
        ),
    };
    lines.push(painted(style.colored, color(verdict), &last));
    text_of(&lines)
}

/// How many of how many are, in words; of one alone that one is.
pub(super) fn are_of(count: usize, all: usize, noun: &str) -> String {
    if all == 1 { are(1, noun) } else { of_are(count, all, noun) }
}

fn services_of(count: usize, all: usize) -> String {
    format!("{count} of {}", counted(all, "service"))
}

/// The colour of a verdict.
pub(super) fn color(verdict: Verdict) -> AnsiColor {
    match verdict {
        Verdict::Match => AnsiColor::Green,
        Verdict::Unknown => AnsiColor::Yellow,
        Verdict::Mismatch => AnsiColor::Red,
    }
}

fn field(label: &str, value: &str) -> String {
    format!("  {label:<9} {}", escape(value)).trim_end().to_owned()
}

fn service_lines(service: &ServiceReport, style: Style) -> Vec<String> {
    let kinds: Vec<&str> = service.causes.iter().map(|cause| cause.kind).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) };
    let verdict = painted(style.colored, color(service.verdict), &format!("{}{kinds}", service.verdict.name()));
    let mut lines = vec![format!("{}  {verdict}", escape(&service.name))];
    if style.detail != Detail::Quiet {
        lines.extend(service.serving.iter().flat_map(|revision| revision_lines("serves", revision)));
        lines.extend(service.latest.iter().flat_map(|revision| revision_lines("newest", revision)));
        lines.extend(service.documents.iter().flat_map(document_lines));
    }
    for cause in &service.causes {
        lines.push(field("cause", &format!("{}: {}", cause.kind, cause.summary)));
        if style.detail != Detail::Quiet {
            lines.extend(cause.evidence.iter().map(|evidence| field("", evidence)));
        }
        lines.push(field("hint", &cause.hint));
    }
    lines.extend(service.notes.iter().filter(|_| style.detail != Detail::Quiet).map(|note| field("note", note)));
    if let Some(error) = &service.error {
        lines.push(field("error", error.message()));
        lines.extend(error.hint().map(|hint| field("hint", hint)));
    }
    lines
}

fn revision_lines(label: &str, revision: &RevisionReport) -> Vec<String> {
    let share = revision.percent.map(|percent| format!("{percent} % ")).unwrap_or_default();
    // Fractions of a second are of no use to people.
    let whole = |time: &str| time.split_once('.').map_or_else(|| time.to_owned(), |(seconds, _)| format!("{seconds}Z"));
    let created = revision.created.as_ref().map(|time| format!("  ({})", whole(time))).unwrap_or_default();
    let ready = revision.ready.as_ref().filter(|ready| ready.state != "succeeded");
    let ready =
        ready.map(|ready| format!("  {}: {}", ready.state, ready.reason.as_deref().unwrap_or("no reason given")));
    let mut lines = vec![field(label, &format!("{share}{}{created}{}", revision.revision, ready.unwrap_or_default()))];
    for container in &revision.containers {
        let digest = container.digest.as_ref().filter(|digest| !container.image.contains(digest.as_str()));
        let digest = digest.map(|digest| format!("  runs {digest}")).unwrap_or_default();
        lines.push(field("image", &format!("{}{digest}", container.image)));
        let labels = std::iter::once("content").chain(std::iter::repeat(""));
        lines.extend(labels.zip(&container.lines).map(|(label, line)| field(label, line)));
    }
    lines
}

fn document_lines(documents: &DocumentsReport) -> Vec<String> {
    let survey = documents.again.as_ref().unwrap_or(&documents.first);
    let expected = survey.expected.map(|expected| format!(", {expected} expected")).unwrap_or_default();
    let growth = documents.again.as_ref().map(|again| again.total.saturating_sub(documents.first.total));
    let growth = growth.map(|growth| format!(", {growth} more than at first")).unwrap_or_default();
    let (total, sampled, offenders) = (survey.total, survey.sampled, survey.offenders);
    let mut lines = vec![
        field("documents", &format!("{}: {total}{expected}{growth}", survey.collection)),
        field("", &format!("{offenders} of {sampled} that were looked at are wrong")),
    ];
    let groups = survey.groups.iter().take(MOST_GROUPS);
    lines.extend(
        groups.map(|group| field("", &format!("{:>6}  {}  as in {}", group.count, group.prefix, group.example))),
    );
    lines
}
