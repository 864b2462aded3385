//! Several images at once, for people and for programs.

use serde::Serialize;
use serde_json::Value;

use crate::count::counted;
use crate::deploy::{Content, Verdict};
use crate::error::Error;

use super::deployed::{are_of, color, content_lines};
use super::escape::escape;
use super::head::{SCHEMA_VERSION, Tool};
use super::json::{ErrorReport, VerificationReport, to_bytes};
use super::text::painted;
use super::{Answer, Detail, Style, text_of};

/// One image that was verified; owned, so that its files are forgotten before the next one is looked at.
#[derive(Serialize)]
pub struct VerifiedImage {
    name: String,
    image: String,
    /// Whether it holds what git says.
    #[serde(serialize_with = "super::deployed::by_name")]
    pub verdict: Verdict,
    verify: Value,
    #[serde(skip)]
    lines: Vec<String>,
    #[serde(skip)]
    hint: Option<String>,
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    tool: Tool,
    verdict: &'static str,
    images: &'a [VerifiedImage],
    warnings: Vec<String>,
    error: Option<()>,
}

/// What several verdicts come to: one that surely differs settles it, whatever the others are.
pub fn overall(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts.max().unwrap_or(Verdict::Unknown)
}

impl VerifiedImage {
    /// Of an answer, of which `content` takes files into account, too, that have to be there.
    pub fn new(name: &str, image: &str, content: &Content, answer: &Answer<'_>, everything: bool) -> Self {
        let mut lines = content_lines(answer);
        let (verdict, hint) = match content {
            Content::Agrees => (Verdict::Match, None),
            Content::Differs { summary, hint } => {
                if answer.verification.agrees() {
                    lines.insert(0, format!("mismatch: {summary}"));
                }
                (Verdict::Mismatch, Some(hint.clone()))
            }
            Content::Deleted => (Verdict::Unknown, None),
            Content::Unknown(reason) => {
                lines.insert(0, format!("unknown: {reason}"));
                (Verdict::Unknown, None)
            }
        };
        let verify = serde_json::to_value(VerificationReport::new(answer, everything)).unwrap_or_default();
        Self { name: name.to_owned(), image: image.to_owned(), verdict, verify, lines, hint }
    }

    /// Of a comparison that came to nothing.
    pub fn unknown(name: &str, image: &str, error: &Error) -> Self {
        Self {
            name: name.to_owned(),
            image: image.to_owned(),
            verdict: Verdict::Unknown,
            verify: serde_json::json!({ "verdict": Verdict::Unknown.name(), "error": ErrorReport::new(error) }),
            lines: vec![format!("unknown: {}", error.chain())],
            hint: error.hint(),
        }
    }
}

/// All images for programs.
pub fn images_json(images: &[VerifiedImage], warnings: Vec<String>) -> Vec<u8> {
    let verdict = overall(images.iter().map(|image| image.verdict)).name();
    to_bytes(&Report { schema_version: SCHEMA_VERSION, tool: Tool::OWN, verdict, images, warnings, error: None })
}

/// All images for people, and a summary.
pub fn images_text(images: &[VerifiedImage], style: Style) -> Vec<u8> {
    let mut lines = Vec::new();
    for image in images {
        let verdict = painted(style.colored, color(image.verdict), image.verdict.name());
        lines.push(format!("{}  {verdict}  {}", escape(&image.name), escape(&image.image)));
        let most = if style.detail == Detail::Quiet { 1 } else { usize::MAX };
        let shown = image.lines.iter().take(most).filter(|_| image.verdict != Verdict::Match || most > 1);
        lines.extend(shown.map(|line| format!("  {}", escape(line))));
        lines.extend(image.hint.iter().map(|hint| format!("  hint: {}", escape(hint))));
    }
    let count = |verdict| images.iter().filter(|image| image.verdict == verdict).count();
    let (wrong, unknown, all) = (count(Verdict::Mismatch), count(Verdict::Unknown), images.len());
    let last = match (wrong, unknown) {
        (0, 0) => {
            format!("match: {} what git says", if all == 1 { "it holds".to_owned() } else { format!("all {all} hold") })
        }
        (0, _) => format!("unknown: {unknown} of {} could not be judged", counted(all, "image")),
        (_, 0) => format!("mismatch: {} not what git says", are_of(wrong, all, "image")),
        _ => format!("mismatch: {} not what git says, and {unknown} could not be judged", are_of(wrong, all, "image")),
    };
    lines.push(String::new());
    let verdict = overall(images.iter().map(|image| image.verdict));
    lines.push(painted(style.colored, color(verdict), &last));
    text_of(&lines)
}
