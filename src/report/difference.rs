//! What `diff` shows of two images.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::AnsiColor;
use serde::Serialize;

use crate::blob::BlobId;
use crate::count::human_size;
use crate::difference::{Change, Difference, Pair, Texts};
use crate::image::Image;
use crate::limits;
use crate::tree::{Node, NodeKind};

use super::escape::{escape_bytes, escape_path};
use super::head::{SCHEMA_VERSION, Tool};
use super::json::{LayerReport, OneImage, Path, layer_report, to_bytes};
use super::listing::{kind, size};
use super::text::{layer_line, painted};
use super::unified;
use super::{Detail, Style};

/// Two images and what differs between them.
pub struct Compared<'a> {
    /// The first image.
    pub image: ComparedImage<'a>,
    /// The other one.
    pub other: ComparedImage<'a>,
    /// What differs, in the order of paths.
    pub differences: &'a [Difference<'a>],
}

/// One of two images.
pub struct ComparedImage<'a> {
    /// As reports name it.
    pub shown: OneImage<'a>,
    /// Itself.
    pub image: &'a Image,
}

impl Compared<'_> {
    fn counts(&self) -> BTreeMap<Change, usize> {
        let mut counts = BTreeMap::new();
        for difference in self.differences {
            *counts.entry(difference.change).or_default() += 1;
        }
        counts
    }
}

/// The paths that differ, a line each.
///
/// # Errors
/// What writing fails with.
pub fn difference_names(compared: &Compared<'_>, out: &mut dyn Write) -> io::Result<()> {
    compared.differences.iter().try_for_each(|difference| writeln!(out, "{}", escape_path(&difference.path)))
}

/// A line for each path that differs, the lines that differ below it, and a summary. Of a file at most `most_lines` are
/// shown.
///
/// # Errors
/// What writing, or reading back the contents, fails with.
pub fn difference_text(
    compared: &Compared<'_>,
    texts: &mut Texts,
    most_lines: usize,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for difference in compared.differences {
        let name = format!("{:<7}", difference.change.name());
        let name = painted(style.colored, color(difference.change), &name);
        writeln!(out, "{name}  {}  {}", escape_path(&difference.path), detail(difference))?;
        if style.detail == Detail::Verbose {
            layers(compared, difference, out)?;
        }
        if style.detail != Detail::Quiet && most_lines > 0 && difference.change == Change::Changed {
            contents(difference, texts, most_lines, style, out)?;
        }
    }
    let counts: Vec<String> =
        compared.counts().iter().map(|(change, count)| format!("{count} {}", change.name())).collect();
    match counts.as_slice() {
        [] => writeln!(out, "{}", painted(style.colored, AnsiColor::Green, "equal")),
        _ => writeln!(out, "{}: {}", painted(style.colored, AnsiColor::Red, "different"), counts.join(", ")),
    }
}

fn color(change: Change) -> AnsiColor {
    match change {
        Change::Added => AnsiColor::Green,
        Change::Removed => AnsiColor::Red,
        Change::Kind | Change::Changed | Change::Mode => AnsiColor::Yellow,
    }
}

/// What there is on the one side, or what becomes of it on the other.
fn detail(difference: &Difference<'_>) -> String {
    match (difference.image, difference.other) {
        (Some(image), Some(other)) => {
            let parts =
                [(kind(image).to_owned(), kind(other).to_owned()), modes(image, other), (value(image), value(other))];
            let parts = parts.into_iter().filter(|(image, other)| image != other);
            let parts: Vec<String> = parts.map(|(image, other)| format!("{image} -> {other}")).collect();
            // Of the same size and not the same: what a build cache may miss that looks at sizes and times only.
            if parts.is_empty() { format!("{}, other bytes", value(image)) } else { parts.join(", ") }
        }
        (Some(node), None) | (None, Some(node)) => {
            format!("{} {} {}", kind(node), mode(node), value(node)).trim_end().to_owned()
        }
        (None, None) => String::new(),
    }
}

/// The modes, which mean nothing for a link.
fn modes(image: &Node, other: &Node) -> (String, String) {
    let links = image.link().or(other.link()).is_some();
    if links { Default::default() } else { (mode(image), mode(other)) }
}

fn mode(node: &Node) -> String {
    format!("{:04o}", node.mode)
}

/// The size of a file, the target of a link.
fn value(node: &Node) -> String {
    let target = node.link().map(|target| format!("to {}", escape_bytes(target)));
    size(node).map(human_size).or(target).unwrap_or_default()
}

fn layers(compared: &Compared<'_>, difference: &Difference<'_>, out: &mut dyn Write) -> io::Result<()> {
    let sides = [(&compared.image, difference.image, "image"), (&compared.other, difference.other, "other")];
    for (side, node, name) in sides {
        if let Some(node) = node {
            writeln!(out, "  layer   {name} {}", layer_line(side.image, node.layer))?;
        }
    }
    Ok(())
}

fn contents(
    difference: &Difference<'_>,
    texts: &mut Texts,
    most: usize,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(files) = difference.files() else { return Ok(()) };
    let texts = match texts.pair(files)? {
        Pair::Binary => return writeln!(out, "  binary, contents differ"),
        Pair::TooLarge => {
            return writeln!(out, "  larger than {}, contents differ", human_size(limits::DIFF_BYTES));
        }
        Pair::Text(image, other) => [image, other],
    };
    let path = escape_path(&difference.path);
    unified::write([&format!("a{path}"), &format!("b{path}")], [&texts[0], &texts[1]], most, style, out)
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    tool: Tool,
    image: &'a OneImage<'a>,
    other: &'a OneImage<'a>,
    verdict: &'static str,
    counts: BTreeMap<&'static str, usize>,
    differences: Vec<DifferenceReport<'a>>,
}

#[derive(Serialize)]
struct DifferenceReport<'a> {
    status: &'static str,
    path: Path,
    image: Option<SideReport<'a>>,
    other: Option<SideReport<'a>>,
}

#[derive(Serialize)]
struct SideReport<'a> {
    kind: &'static str,
    mode: String,
    size: Option<u64>,
    link: Option<Path>,
    blob: Option<BlobId>,
    sha256: Option<String>,
    layer: Option<LayerReport<'a>>,
}

/// The same for programs, without the lines.
pub fn difference_json(compared: &Compared<'_>) -> Vec<u8> {
    let reports = compared.differences.iter().map(|difference| DifferenceReport {
        status: difference.change.name(),
        path: Path::in_image(&difference.path),
        image: difference.image.map(|node| side_report(compared.image.image, node)),
        other: difference.other.map(|node| side_report(compared.other.image, node)),
    });
    to_bytes(&Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool::OWN,
        image: &compared.image.shown,
        other: &compared.other.shown,
        verdict: if compared.differences.is_empty() { "equal" } else { "different" },
        counts: compared.counts().into_iter().map(|(change, count)| (change.name(), count)).collect(),
        differences: reports.collect(),
    })
}

fn side_report<'a>(image: &'a Image, node: &Node) -> SideReport<'a> {
    let content = match &node.kind {
        NodeKind::Regular(stored) => Some(stored.content),
        _ => None,
    };
    SideReport {
        kind: kind(node),
        mode: mode(node),
        size: size(node),
        link: node.link().map(Path::new),
        blob: content.map(|content| content.blob),
        sha256: content.map(|content| content.sha256_hex()),
        layer: layer_report(image, node.layer),
    }
}
