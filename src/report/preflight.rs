//! Whether an image will start, for people and for programs.

use anstyle::AnsiColor;
use serde::Serialize;

use crate::count::counted;
use crate::image::Image;
use crate::preflight::{Finding, Preflight, Weight};

use super::escape::{escape, escape_path};
use super::head::{SCHEMA_VERSION, Tool};
use super::json::{LayerReport, OneImage, Path, layer_report, to_bytes};
use super::text::{layer_line, painted};
use super::{Detail, Style, text_of};

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    tool: Tool,
    image: &'a OneImage<'a>,
    verdict: &'static str,
    command: CommandReport<'a>,
    findings: Vec<FindingReport<'a>>,
    notes: &'a [String],
    warnings: &'a [String],
    error: Option<()>,
}

#[derive(Serialize)]
struct CommandReport<'a> {
    words: &'a [String],
    workdir: &'a str,
    programs: Vec<ProgramReport<'a>>,
}

#[derive(Serialize)]
struct ProgramReport<'a> {
    word: &'a str,
    path: Path,
    interpreters: Vec<Path>,
}

#[derive(Serialize)]
struct FindingReport<'a> {
    kind: &'static str,
    weight: &'static str,
    summary: &'a str,
    path: Option<Path>,
    layer: Option<LayerReport<'a>>,
    fix: Option<&'a str>,
}

fn verdict(found: &Preflight) -> &'static str {
    if found.is_ready() { "ready" } else { "not-ready" }
}

/// The answer for programs.
pub fn preflight_json(shown: &OneImage<'_>, image: &Image, found: &Preflight) -> Vec<u8> {
    let program = |program| {
        let crate::preflight::Program { word, path, interpreters, .. } = program;
        ProgramReport {
            word,
            path: Path::in_image(path),
            interpreters: interpreters.iter().map(Path::in_image).collect(),
        }
    };
    to_bytes(&Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool::OWN,
        image: shown,
        verdict: verdict(found),
        command: CommandReport {
            words: &found.command.words,
            workdir: &found.command.workdir,
            programs: found.programs.iter().map(program).collect(),
        },
        findings: found.findings.iter().map(|finding| finding_report(image, finding)).collect(),
        notes: &found.notes,
        warnings: &shown.warnings,
        error: None,
    })
}

fn finding_report<'a>(image: &'a Image, finding: &'a Finding) -> FindingReport<'a> {
    FindingReport {
        kind: finding.kind.name(),
        weight: finding.weight.name(),
        summary: &finding.summary,
        path: finding.file.as_ref().map(Path::in_image),
        layer: finding.layer.and_then(|layer| layer_report(image, layer)),
        fix: finding.fix.as_deref(),
    }
}

/// The answer for people: first in a sentence, then what was found.
pub fn preflight_text(shown: &OneImage<'_>, image: &Image, found: &Preflight, style: Style) -> Vec<u8> {
    let errors = found.findings.iter().filter(|finding| finding.weight == Weight::Error).count();
    let (color, headline) = match errors {
        0 => (AnsiColor::Green, "ready: nothing was found that keeps it from starting".to_owned()),
        1 => (AnsiColor::Red, "not ready: it will not start".to_owned()),
        many => (AnsiColor::Red, format!("not ready: it will not start, for {}", counted(many, "reason"))),
    };
    let mut lines = vec![painted(style.colored, color, &headline)];
    if style.detail != Detail::Quiet {
        lines.push(String::new());
        lines.push(field("image", shown.reference));
        lines.push(field("platform", &shown.platform.to_string()));
        lines.push(field("command", &format!("{} in {}", words(&found.command.words), found.command.workdir)));
        lines.extend(found.programs.iter().map(|program| {
            let path = escape_path(&program.path);
            let by: Vec<String> = program.interpreters.iter().map(escape_path).collect();
            let by = if by.is_empty() { String::new() } else { format!(", run by {}", by.join(", ")) };
            format!("  {:<9} {path}{by}", "runs")
        }));
    }
    for finding in &found.findings {
        lines.extend(finding_lines(image, finding, style));
    }
    if style.detail != Detail::Quiet {
        lines.extend(found.notes.iter().map(|note| format!("\nnote: {}", escape(note))));
    }
    text_of(&lines)
}

fn field(label: &str, value: &str) -> String {
    format!("  {label:<9} {}", escape(value))
}

/// Words with quotes where a shell would need them.
fn words(words: &[String]) -> String {
    let words = words.iter().map(|word| shlex::try_quote(word).map_or_else(|_| word.clone(), Into::into));
    words.collect::<Vec<String>>().join(" ")
}

fn finding_lines(image: &Image, finding: &Finding, style: Style) -> Vec<String> {
    let color = if finding.weight == Weight::Error { AnsiColor::Red } else { AnsiColor::Yellow };
    let kind = painted(style.colored, color, &format!("{}: {}", finding.weight.name(), finding.kind.name()));
    let mut lines = vec![format!("\n{kind}  {}", escape(&finding.summary))];
    if style.detail != Detail::Quiet {
        lines.extend(finding.layer.map(|layer| format!("  {:<9} {}", "layer", layer_line(image, layer))));
        lines.extend(finding.fix.as_ref().map(|fix| field("fix", fix)));
    }
    lines
}
