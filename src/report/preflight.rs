//! Whether an image will start, for people and for programs.

use anstyle::AnsiColor;
use serde::Serialize;

use crate::count::counted;
use crate::image::Image;
use crate::preflight::{Finding, Preflight, Verdict, Weight};

use super::escape::{escape, escape_path};
use super::head::{SCHEMA_VERSION, Tool};
use super::json::{ErrorReport, LayerReport, OneImage, Path, layer_report, to_bytes};
use super::text::painted;
use super::{Detail, Style, step_of, text_of};

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
    error: Option<ErrorReport>,
}

#[derive(Serialize)]
struct CommandReport<'a> {
    argv: &'a [String],
    program: Option<&'a str>,
    executable: Option<Path>,
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

/// For programs.
pub fn preflight_json(shown: &OneImage<'_>, image: &Image, found: &Preflight) -> Vec<u8> {
    let command = &found.command;
    to_bytes(&Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool::OWN,
        image: shown,
        verdict: found.verdict().name(),
        command: CommandReport {
            argv: &command.argv,
            program: command.program.as_deref(),
            executable: command.executable.as_ref().map(Path::in_image),
            interpreters: command.interpreters.iter().map(Path::in_image).collect(),
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

/// For people: the verdict, what would run, what was found.
<<<<<<< HEAD
pub fn preflight_text(shown: &OneImage<'_>, image: &Image, found: &Preflight, style: Style) -> Vec<u8> {
    let mut lines = vec![headline(found, style)];
=======
pub fn preflight_text(image: &Image, found: &Preflight, style: Style) -> Vec<u8> {
    let count = |weight| found.findings.iter().filter(|finding| finding.weight == weight).count();
    let (verdict, color) = match found.verdict() {
        Verdict::Ready => ("ready: nothing that was read keeps it from starting".to_owned(), AnsiColor::Green),
        Verdict::NotReady => (format!("not ready: {}", counted(count(Weight::Error), "error")), AnsiColor::Red),
        Verdict::Unknown => ("unknown: what it runs cannot be told by reading".to_owned(), AnsiColor::Yellow),
    };
    let mut lines = vec![painted(style.colored, color, &verdict)];
>>>>>>> main
    if style.detail != Detail::Quiet {
        let command = &found.command;
        lines.push(format!("\nimage     {}", escape(shown.reference)));
        lines.push(format!("platform  {}", escape(&shown.platform.to_string())));
        lines.push(format!("command   {}", escape(&command.argv.join(" "))));
        if let Some(executable) = &command.executable {
            let chain = std::iter::once(executable).chain(&command.interpreters);
            lines.push(format!("runs      {}", chain.map(escape_path).collect::<Vec<_>>().join(" by ")));
        }
    }
    let is_shown = |finding: &&Finding| style.detail != Detail::Quiet || finding.weight == Weight::Error;
    found.findings.iter().filter(is_shown).for_each(|finding| lines.extend(finding_lines(image, finding, style)));
    if style.detail != Detail::Quiet && !found.notes.is_empty() {
        lines.push(String::new());
        lines.extend(found.notes.iter().map(|note| format!("note: {}", escape(note))));
    }
    text_of(&lines)
}

fn headline(found: &Preflight, style: Style) -> String {
    let errors = found.findings.iter().filter(|finding| finding.weight == Weight::Error).count();
    let (verdict, color) = match found.verdict() {
        Verdict::Ready => ("ready: nothing was found that keeps it from starting".to_owned(), AnsiColor::Green),
        Verdict::NotReady => (format!("not ready: {}", counted(errors, "error")), AnsiColor::Red),
        Verdict::Unknown => ("unknown: what it runs cannot be told by reading".to_owned(), AnsiColor::Yellow),
    };
    painted(style.colored, color, &verdict)
}

fn finding_lines(image: &Image, finding: &Finding, style: Style) -> Vec<String> {
    let color = if finding.weight == Weight::Error { AnsiColor::Red } else { AnsiColor::Yellow };
    let weight = painted(style.colored, color, finding.weight.name());
    let mut lines = vec![format!("\n{weight}  {}  {}", finding.kind.name(), escape(&finding.summary))];
    if style.detail == Detail::Quiet {
        return lines;
    }
    lines.extend(finding.layer.map(|layer| {
        let step = step_of(image, layer).map(|step| format!("  {}", escape(&step))).unwrap_or_default();
        format!("  layer  {layer}{step}")
    }));
    lines.extend(finding.fix.as_ref().map(|fix| format!("  fix    {}", escape(fix))));
    lines
}
