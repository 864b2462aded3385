//! What is deployed, for people.

use anstyle::AnsiColor;

use crate::count::{are, counted, of_are};
use crate::deploy::Verdict;
use crate::report::escape::{escape, escape_bytes};
use crate::report::text::{headline, painted};
use crate::report::{Answer, Detail, Style, reasons, text_of};

use super::{DocumentsReport, RevisionReport, ServiceReport, overall};

/// Files of one image listed before the rest is counted.
const MOST_FILES: usize = 5;
/// Groups of documents listed before the rest is left out.
const MOST_GROUPS: usize = 5;

/// What an image holds, in a few lines.
pub(in crate::report) fn content_lines(answer: &Answer<'_>) -> Vec<String> {
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
pub(in crate::report) fn are_of(count: usize, all: usize, noun: &str) -> String {
    if all == 1 { are(1, noun) } else { of_are(count, all, noun) }
}

fn services_of(count: usize, all: usize) -> String {
    format!("{count} of {}", counted(all, "service"))
}

/// The colour of a verdict.
pub(in crate::report) fn color(verdict: Verdict) -> AnsiColor {
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
