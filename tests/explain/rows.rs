//! The form of the tables: an image, and what is to be said of it.

use crate::story::Story;
use crate::support::images::Image;
use crate::support::scene::text;

/// An image and all that is said of it.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) image: Image,
    pub(crate) arguments: &'static [&'static str],
    pub(crate) cause: &'static str,
    pub(crate) parts: &'static [&'static str],
    pub(crate) findings: &'static [&'static str],
    pub(crate) identity: &'static [&'static str],
}

/// A row that is compared with HEAD.
pub(crate) fn row(
    name: &'static str,
    image: Image,
    (cause, parts): (&'static str, &'static [&'static str]),
    findings: &'static [&'static str],
    identity: &'static [&'static str],
) -> Row {
    Row { name, image, arguments: &[], cause, parts, findings, identity }
}

/// Holds each image against its row.
pub(crate) fn hold(story: &Story, rows: Vec<Row>) {
    for row in rows {
        let image = story.scene.image(&row.image);
        let verdict = if row.cause.is_empty() { "match" } else { "mismatch" };
        let report = story.scene.report(&image, row.arguments, verdict);
        let cause = if row.cause.is_empty() { "null" } else { row.cause };
        assert_eq!(text(&report["cause"]["kind"]), cause, "{}: {report:#}", row.name);
        let parts = report["cause"]["parts"].as_array().cloned().unwrap_or_default();
        assert_eq!(parts.iter().map(text).collect::<Vec<_>>(), row.parts, "{}: {report:#}", row.name);
        assert_eq!(story.findings(&report), row.findings, "{}: {report:#}", row.name);
        assert_eq!(story.identity(&image, row.arguments), row.identity, "{}", row.name);
    }
}

pub(crate) const NONE: &[&str] = &[];
