//! Whether a commit's change is in an image, for people and for programs.

use anstyle::AnsiColor;
use serde::Serialize;

use crate::count::{counted, of_are};
use crate::repo::{Commit, Repository};
use crate::verify::{Contained, Containment, Held, TouchedFile};

use super::escape::{escape, escape_bytes, escape_path};
use super::head::Head;
use super::json::{Path, to_bytes};
use super::reasons::commit_words;
use super::text::painted;
use super::{Detail, Question, Style, text_of};

/// The answer for people: first in a sentence, then file by file.
pub fn containment_text(containment: &Containment, style: Style) -> Vec<u8> {
    let color = if containment.verdict() == Contained::Whole { AnsiColor::Green } else { AnsiColor::Red };
    let mut lines = vec![painted(style.colored, color, &headline(containment))];
    if style.detail != Detail::Quiet {
        lines.push(String::new());
        lines.push(format!("pinned  {}", escape(&containment.opened.pinned)));
        lines.push(format!("commit  {}", commit_words(&containment.commit)));
        let several = containment.opened.images.len() > 1;
        lines.extend(containment.files.iter().flat_map(|file| file_lines(containment, file, several)));
        let unmapped =
            containment.unmapped.iter().map(|path| format!("\nnot looked at  {}", escape_bytes(path.as_bytes())));
        lines.extend(unmapped);
        lines.extend(containment.warnings.iter().map(|warning| format!("\nnote: {}", escape(warning))));
    }
    text_of(&lines)
}

fn headline(containment: &Containment) -> String {
    let (all, short) = (containment.files.len(), &containment.commit.short);
    let held = containment.files.iter().filter(|file| file.held.contains() == Some(true)).count();
    match containment.verdict() {
        Contained::Whole => format!("contains: the change of {short} is in the image"),
        Contained::Not => format!("lacks: the change of {short} is not in the image"),
        Contained::Part => format!("partly: {held} of {} have the change of {short}", counted(all, "file")),
        Contained::Unknown => format!("unknown: {} in no commit", of_are(all - held, all, "file")),
    }
}

fn file_lines(containment: &Containment, file: &TouchedFile, several: bool) -> Vec<String> {
    let platform = if several { format!("  [{}]", escape(&file.platform.to_string())) } else { String::new() };
    let mut lines = vec![
        format!("\n{}  {}{platform}", file.held.name(), escape_bytes(file.repo.as_bytes())),
        format!("  image   {}", escape_path(&file.image)),
    ];
    let short = &containment.commit.short;
    let newest = file.commit.as_ref().map(commit_words).unwrap_or_default();
    lines.push(match file.held {
        Held::Same => format!("  holds   what {short} made of it"),
        Held::Later => format!("  holds   a later version: {newest}"),
        Held::Before => format!("  holds   the version before: {newest}"),
        Held::Reverted => format!("  holds   the version before, to which a later commit went back: {newest}"),
        Held::Apart => format!("  holds   a version that does not build on {short}: {newest}"),
        Held::Unknown => "  holds   bytes of no commit".to_owned(),
    });
    lines
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    verdict: &'static str,
    commit: &'a Commit,
    files: Vec<FileReport<'a>>,
    unmapped: Vec<Path>,
    warnings: &'a [String],
    error: Option<()>,
}

#[derive(Serialize)]
struct FileReport<'a> {
    platform: String,
    repo_path: Path,
    image_path: Path,
    status: &'static str,
    commit: Option<&'a Commit>,
}

/// The same for programs.
pub fn containment_json(question: &Question, repository: &Repository, containment: &Containment) -> Vec<u8> {
    let files = containment.files.iter().map(|file| FileReport {
        platform: file.platform.to_string(),
        repo_path: Path::new(file.repo.as_bytes()),
        image_path: Path::in_image(&file.image),
        status: file.held.name(),
        commit: file.commit.as_ref(),
    });
    to_bytes(&Report {
        head: Head::of(question, repository, containment.asked.as_ref(), &containment.opened),
        verdict: containment.verdict().name(),
        commit: &containment.commit,
        files: files.collect(),
        unmapped: containment.unmapped.iter().map(|path| Path::new(path.as_bytes())).collect(),
        warnings: &containment.warnings,
        error: None,
    })
}
