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
pub fn preflight_text(image: &Image, found: &Preflight, style: Style) -> Vec<u8> {
    let count = |weight| found.findings.iter().filter(|finding| finding.weight == weight).count();
    let (verdict, color) = match found.verdict() {
        Verdict::Ready => ("ready: nothing that was read keeps it from starting".to_owned(), AnsiColor::Green),
        Verdict::NotReady => (format!("not ready: {}", counted(count(Weight::Error), "error")), AnsiColor::Red),
        Verdict::Unknown => ("unknown: what it runs cannot be told by reading".to_owned(), AnsiColor::Yellow),
    };
    let mut lines = vec![painted(style.colored, color, &verdict)];
    if style.detail != Detail::Quiet {
        lines.push(format!("runs {}", escape(&found.command.argv.join(" "))));
        if let Some(executable) = &found.command.executable {
            let chain = std::iter::once(executable).chain(&found.command.interpreters);
            lines.push(format!("  as {}", chain.map(escape_path).collect::<Vec<_>>().join(" by ")));
        }
    }
    let is_shown = |finding: &&Finding| style.detail != Detail::Quiet || finding.weight == Weight::Error;
    found.findings.iter().filter(is_shown).for_each(|finding| lines.extend(finding_lines(image, finding)));
    if style.detail != Detail::Quiet {
        lines.extend(found.notes.iter().map(|note| format!("note: {}", escape(note))));
    }
    text_of(&lines)
}

fn finding_lines(image: &Image, finding: &Finding) -> Vec<String> {
    let mut lines = vec![format!("{}: {} ({})", finding.weight.name(), escape(&finding.summary), finding.kind.name())];
    if let Some(layer) = finding.layer {
        let step = step_of(image, layer).map(|step| format!(": {}", escape(&step))).unwrap_or_default();
        lines.push(format!("  layer {layer}{step}"));
    }
    lines.extend(finding.fix.as_ref().map(|fix| format!("  fix: {}", escape(fix))));
    lines
}
