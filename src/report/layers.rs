//! What `layers` shows.

use serde::Serialize;

use crate::image::Layer;
use crate::mapping::history;

use super::escape::escape;
use super::head::{SCHEMA_VERSION, Tool};
use super::json::{OneImage, to_bytes};

/// A layer and what its index counts.
#[derive(Clone, Copy, Debug)]
pub struct LayerRow<'a> {
    /// The layer.
    pub layer: &'a Layer,
    /// Regular files and links it puts.
    pub files: usize,
    /// Paths and directories it removes or empties.
    pub whiteouts: usize,
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
    }
}

/// Bytes in the unit that leaves at most four digits.
pub(super) fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut size, mut unit) = (bytes as f64, 0);
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        (size, unit) = (size / 1024.0, unit + 1);
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{size:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::human_size;

    #[test]
    fn sizes_have_units() {
        for (bytes, expected) in
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_572_864, "1.5 MiB"), (u64::MAX, "16777216.0 TiB")]
        {
            assert_eq!(human_size(bytes), expected);
        }
    }
}
