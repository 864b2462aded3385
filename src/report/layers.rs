//! What `layers` shows.

use serde::Serialize;

use crate::count::human_size;
use crate::identify::Identity;
use crate::image::Layer;
use crate::mapping::history;

use super::escape::escape;
use super::head::{SCHEMA_VERSION, Tool};
use super::identity::{FitReport, summary};
use super::json::{OneImage, to_bytes};
use super::reasons::commit_words;
use super::text_of;
use super::timeline::{Timeline, WIDTH};

/// A layer and what its index counts.
#[derive(Clone, Copy, Debug)]
pub struct LayerRow<'a> {
    /// The layer.
    pub layer: &'a Layer,
    /// Regular files and links it puts.
    pub files: usize,
    /// Paths and directories it removes or empties.
    pub whiteouts: usize,
    /// What the files that it brought from the repository were found to be, if it brought some.
    pub brought: Option<&'a Identity>,
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    tool: Tool,
    image: &'a OneImage<'a>,
    layers: Vec<RowReport<'a>>,
}

#[derive(Serialize)]
struct RowReport<'a> {
    index: usize,
    digest: String,
    diff_id: Option<String>,
    media_type: &'a str,
    size: u64,
    step: Option<String>,
    created: Option<&'a str>,
    files: usize,
    whiteouts: usize,
    repository: Option<FitReport<'a>>,
}

fn step(layer: &Layer) -> Option<String> {
    layer.step.as_ref().map(|step| history::parse(&step.created_by).text)
}

fn created(layer: &Layer) -> Option<&str> {
    layer.step.as_ref()?.created.as_deref()
}

/// A table, base layer first.
pub fn layers_text(rows: &[LayerRow<'_>]) -> Vec<u8> {
    let mut text = format!("{:>3}  {:<12}  {:>9}  {:>7}  {:<20}  STEP\n", "#", "DIGEST", "SIZE", "FILES", "CREATED");
    for row in rows {
        let digest: String = row.layer.digest().0.hex().chars().take(12).collect();
        let removed = if row.whiteouts > 0 { format!(" (removes {})", row.whiteouts) } else { String::new() };
        let step = step(row.layer).unwrap_or_else(|| "unknown".to_owned());
        let time: String = created(row.layer).unwrap_or("-").chars().take(19).collect();
        text.push_str(&format!(
            "{:>3}  {digest}  {:>9}  {:>7}  {:<20}  {}{removed}\n",
            row.layer.index,
            human_size(row.layer.descriptor.size),
            row.files,
            escape(&time),
            escape(&step),
        ));
    }
    text.into_bytes()
}

/// The same with the files that layers brought from a repository: how many, and which commits they are, as a picture
/// and in words. It fits 80 columns but for long build steps.
pub fn layers_in_history_text(rows: &[LayerRow<'_>], revision: &str) -> Vec<u8> {
    let timeline = Timeline::of(rows.iter().filter_map(|row| row.brought));
    let mut lines = vec![format!(
        "{:>3}  {:>9}  {:<10}  {:>5}  {}  STEP",
        "#",
        "SIZE",
        "CREATED",
        "FILES",
        timeline.head(revision)
    )];
    for row in rows {
        let files = row.brought.map_or_else(|| "-".to_owned(), |identity| identity.compared.to_string());
        let picture = row.brought.map(|identity| timeline.row(identity)).unwrap_or_default();
        let size = human_size(row.layer.descriptor.size);
        let day: String = created(row.layer).unwrap_or("-").chars().take("2026-01-31".len()).collect();
        let step = step(row.layer).unwrap_or_else(|| "unknown".to_owned());
        let start = format!("{:>3}  {size:>9}  {:<10}  {files:>5}", row.layer.index, escape(&day));
        lines.push(format!("{start}  {picture:<WIDTH$}  {}", escape(&step)));
    }
    lines.push(String::new());
    for row in rows {
        if let Some(identity) = row.brought {
            lines.push(format!("{:>3}  {}", row.layer.index, summary(identity)));
            let newest = identity.commits.as_ref().map(|range| &range.newest.commit);
            lines.extend(newest.map(|commit| format!("     {}", commit_words(commit))));
        }
    }
    text_of(&lines)
}

/// The same for programs.
pub fn layers_json(image: &OneImage<'_>, rows: &[LayerRow<'_>]) -> Vec<u8> {
    to_bytes(&Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool::OWN,
        image,
        layers: rows.iter().map(row_report).collect(),
    })
}

fn row_report<'a>(row: &LayerRow<'a>) -> RowReport<'a> {
    RowReport {
        index: row.layer.index,
        digest: row.layer.digest().to_string(),
        diff_id: row.layer.diff_id.as_ref().map(ToString::to_string),
        media_type: &row.layer.descriptor.media_type,
        size: row.layer.descriptor.size,
        step: step(row.layer),
        created: created(row.layer),
        files: row.files,
        whiteouts: row.whiteouts,
        repository: row.brought.map(FitReport::new),
    }
}
