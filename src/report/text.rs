//! The report for people: the verdict first and last, and between them what a reader needs to believe it.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style as Ansi};

use crate::compare::{Finding, Status};
use crate::count::{are, human_size};
use crate::error::Error;
use crate::image::Image;
use crate::mapping::MappingOrigin;
use crate::verify::{PlatformResult, Verification};

use super::escape::{escape, escape_bytes, escape_path};
use super::{Answer, Detail, Style, failure, identity, reasons, step_of};

/// Findings listed before the rest is counted, so that a verdict fits a screen.
const MOST_FINDINGS: usize = 20;
/// Mappings listed before the rest is counted.
const MOST_MAPPINGS: usize = 12;
/// Digits of a blob id: enough to tell two versions of a file apart.
const BLOB_DIGITS: usize = 12;

struct Writer {
    text: String,
    style: Style,
}

impl Writer {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn painted(&self, color: AnsiColor, text: &str) -> String {
        painted(self.style.colored, color, text)
    }

    /// `label  value`, with the values of several lines below each other.
    fn field(&mut self, label: &str, value: &str) {
        let line = format!("{label:<9} {value}");
        self.line(&line);
    }
}

/// `text` in a colour, if colours are wanted.
pub(super) fn painted(colored: bool, color: AnsiColor, text: &str) -> String {
    if !colored {
        return text.to_owned();
    }
    let style = Ansi::new().fg_color(Some(color.into())).bold();
    format!("{style}{text}{style:#}")
}

/// The finished answer.
pub fn verification_text(answer: &Answer<'_>, style: Style) -> Vec<u8> {
    let mut writer = Writer { text: String::new(), style };
    let verdict = headline(answer);
    let color = if answer.verification.agrees() { AnsiColor::Green } else { AnsiColor::Red };
    let painted = writer.painted(color, &verdict);
    writer.line(&painted);
    if style.detail != Detail::Quiet {
        writer.line("");
        origin(&mut writer, answer);
    }
    for result in &answer.verification.platforms {
        findings(&mut writer, answer.verification, result);
    }
    if style.detail != Detail::Quiet {
        explanations(&mut writer, answer);
        notes(&mut writer, answer.verification);
        writer.line("");
        let counts = format!("compared {}: {}", answer.verification.compared(), counts(answer));
        writer.line(&counts);
        let last = format!("verdict: {}", if answer.verification.agrees() { "match" } else { "mismatch" });
        let painted = writer.painted(color, &last);
        writer.line(&painted);
        conclusion(&mut writer, answer.verification);
    }
    writer.text.into_bytes()
}

/// Why there is no answer, and what to do next.
pub fn error_text(error: &Error, colored: bool) -> Vec<u8> {
    let writer = Writer { text: String::new(), style: Style { detail: Detail::Normal, colored } };
    let (_, message, hint) = failure(error);
    let mut text = format!("{} {}\n", writer.painted(AnsiColor::Red, "error:"), escape(&message));
    if let Some(hint) = hint {
        let _ = writeln!(text, "{} {}", writer.painted(AnsiColor::Yellow, "hint:"), escape(&hint));
    }
    text.into_bytes()
}

/// The verdict in a sentence.
pub(super) fn headline(answer: &Answer<'_>) -> String {
    let verification = answer.verification;
    let against = against(answer);
    let differing = verification.findings().filter(|finding| finding.status.differs(verification.strictness)).count();
    let compared = verification.compared();
    match differing {
        0 if compared == 1 => format!("match: the file is that of {against}"),
        0 => format!("match: all {compared} files are those of {against}"),
        1 => format!("mismatch: {} not that of {against}", are(1, "file")),
        many => format!("mismatch: {} not those of {against}", are(many, "file")),
    }
}

fn against(answer: &Answer<'_>) -> String {
    let commit = answer.verification.git.commit.as_ref().map(|commit| commit.short.clone());
    match (&answer.question.revision, commit) {
        (Some(revision), Some(commit)) if *revision == commit => commit,
        (Some(revision), Some(commit)) => format!("{commit} ({})", escape(revision)),
        (Some(revision), None) => escape(revision).into_owned(),
        (None, Some(commit)) => format!("the work tree (at {commit})"),
        (None, None) => "the work tree".to_owned(),
    }
}

fn origin(writer: &mut Writer, answer: &Answer<'_>) {
    let verification = answer.verification;
    writer.field("image", &escape(&answer.question.reference));
    writer.field("pinned", &escape(&verification.opened.pinned));
    writer.field("git", &escape(&answer.repository.path().display().to_string()));
    if let Some(commit) = &verification.git.commit {
        writer.field("commit", &format!("{} {} \"{}\"", commit.id, commit.time, escape(&commit.subject)));
    }
    for result in &verification.platforms {
        let created = result.image.config.created.as_deref().filter(|time| !time.is_empty());
        let created = created.map(|time| format!(", built {}", escape(time))).unwrap_or_default();
        writer.field("platform", &format!("{}{created}", escape(&result.image.platform.to_string())));
        mappings(writer, result);
    }
}

fn mappings(writer: &mut Writer, result: &PlatformResult) {
    let all = writer.style.detail == Detail::Verbose;
    let most = if all { usize::MAX } else { MOST_MAPPINGS };
    writer.field("mapping", &escape(&result.plan.basis));
    for mapping in result.plan.mappings.iter().take(most) {
        let (image, repo) = (escape_path(&mapping.image), escape_bytes(mapping.repo.as_bytes()));
        let repo = if repo.is_empty() { "." } else { repo.as_str() };
        let inferred = if mapping.origin == MappingOrigin::Inferred { ", inferred" } else { "" };
        let support = format!("({} of {} equal{inferred})", mapping.equal, mapping.files);
        writer.field("", &format!("{image} = {repo}  {support}"));
    }
    let rest = result.plan.mappings.len().saturating_sub(most);
    if rest > 0 {
        writer.field("", &format!("and {rest} more (--verbose lists them)"));
    }
}

fn findings(writer: &mut Writer, verification: &Verification, result: &PlatformResult) {
    let detail = writer.style.detail;
    let differs = |finding: &&Finding| finding.status.differs(verification.strictness);
    let worth_a_line = |finding: &&Finding| match detail {
        Detail::Verbose => true,
        _ => {
            differs(finding)
                || (detail == Detail::Normal && matches!(finding.status, Status::SameNormalized | Status::Mode))
        }
    };
    let most = if detail == Detail::Verbose { usize::MAX } else { MOST_FINDINGS };
    // What differs comes first, and a file that is the same needs no explanation.
    let mut listed: Vec<&Finding> = result.findings.iter().filter(worth_a_line).collect();
    listed.sort_by_key(|finding| !differs(finding));
    let several = verification.platforms.len() > 1;
    for finding in listed.iter().take(most) {
        if detail != Detail::Quiet {
            writer.line("");
        }
        entry(writer, &result.image, finding, several, differs(finding));
    }
    if listed.len() > most {
        let rest = format!("\nand {} more (--verbose lists them)", listed.len() - most);
        writer.line(&rest);
    }
}

fn entry(writer: &mut Writer, image: &Image, finding: &Finding, several: bool, differs: bool) {
    let color = if differs { AnsiColor::Red } else { AnsiColor::Yellow };
    let path = match &finding.repo {
        Some((path, _)) => escape_bytes(path.as_bytes()),
        None => escape_path(&finding.image),
    };
    let platform = if several { format!("  [{}]", escape(&image.platform.to_string())) } else { String::new() };
    let status = writer.painted(color, finding.status.name());
    let line = format!("{status}  {path}{platform}");
    writer.line(&line);
    if writer.style.detail == Detail::Quiet || (finding.status == Status::Same && finding.note.is_none()) {
        return;
    }
    let size = finding.file.map(|stored| format!("  {}", human_size(stored.content.size))).unwrap_or_default();
    writer.field("  image", &format!("{}{size}", escape_path(&finding.image)));
    if let (true, Some(stored), Some((_, file))) = (finding.status.is_other_bytes(), finding.file, &finding.repo) {
        let short = |id: String| id.chars().take(BLOB_DIGITS).collect::<String>();
        let (ours, gits) = (short(stored.content.blob.to_string()), short(file.blob.to_string()));
        writer.field("  blob", &format!("{ours} in the image, {gits} in git"));
    }
    if let Some(past) = finding.past.as_ref().filter(|_| finding.status != Status::Missing) {
        writer.field("  commit", &reasons::past_line(past));
        if let Some(next) = past.replaced_by.as_ref().filter(|_| finding.status == Status::Stale) {
            writer.field("  lacks", &reasons::commit_words(next));
        }
    }
    if let Some(layer) = finding.layer {
        writer.field("  layer", &layer_line(image, layer));
    }
    if let Some(note) = &finding.note {
        writer.field("  note", &escape(note));
    }
}

/// A layer with its build step and that one's time.
pub(super) fn layer_line(image: &Image, index: usize) -> String {
    let step = step_of(image, index).unwrap_or_else(|| "step unknown".to_owned());
    let created = image.layers.get(index).and_then(|layer| layer.step.as_ref()?.created.clone());
    let created = created.map(|time| format!("  ({})", escape(&time))).unwrap_or_default();
    format!("{index}  {}{created}", escape(&with_short_hashes(&step)))
}

/// Builders of old write the hash of what they copied; its start is enough.
fn with_short_hashes(step: &str) -> String {
    const SHOWN: usize = 12;
    const HASH: usize = 64;
    let short = |word: &str| match word.split_once(':') {
        Some((kind, hash)) if hash.len() == HASH && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{kind}:{}", &hash[..SHOWN])
        }
        _ => word.to_owned(),
    };
    step.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

fn notes(writer: &mut Writer, verification: &Verification) {
    for warning in verification.warnings() {
        let line = format!("\nnote: {}", escape(&warning));
        writer.line(&line);
    }
}

fn counts(answer: &Answer<'_>) -> String {
    let counts = answer.counts();
    counts.iter().map(|(status, count)| format!("{count} {status}")).collect::<Vec<_>>().join(", ")
}

/// What the layers and the claims are, where there is something to say of them.
fn explanations(writer: &mut Writer, answer: &Answer<'_>) {
    let verification = answer.verification;
    for result in &verification.platforms {
        let lines = identity::layer_lines(&result.image, &result.layers);
        if !lines.is_empty() && !verification.agrees() {
            writer.line("\nlayers");
            lines.iter().for_each(|line| writer.line(line));
        }
        let all = writer.style.detail == Detail::Verbose;
        let claims: Vec<_> = result.claims.iter().filter(|judged| all || judged.agrees.is_some()).collect();
        if !claims.is_empty() {
            writer.line("\nclaims");
            claims.iter().for_each(|judged| writer.line(&format!("  {}", reasons::claim_line(judged))));
        }
    }
}

/// The cause and the next step.
fn conclusion(writer: &mut Writer, verification: &Verification) {
    let hint = match verification.cause() {
        None => format!("deploy exactly what was checked: {}", verification.opened.pinned),
        Some(cause) => {
            let line = format!("cause: {}: {}", cause.kind.name(), escape(&cause.summary));
            writer.line(&line);
            cause.evidence.iter().for_each(|evidence| writer.line(&format!("  {}", escape(evidence))));
            cause.hint.clone()
        }
    };
    let hint = format!("hint: {}", escape(&hint));
    writer.line(&hint);
}
