//! What `grep` shows. Lines are read back one at a time, so that there may be more of them than the memory holds.

use std::cell::RefCell;
use std::io::{self, Write};

use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};

use crate::path::ImagePath;
use crate::search::{Hits, Line, Outcome, Results, Role};
use crate::tree::Stored;

use super::escape::{escape_line, escape_path};
use super::head::{SCHEMA_VERSION, Tool};
use super::json::{OneImage, Path};

/// A file that was searched.
#[derive(Clone, Debug)]
pub struct SearchedFile {
    /// Where.
    pub path: ImagePath,
    /// What.
    pub stored: Stored,
}

/// Everything that was searched, in the order in which it is to be told.
pub struct Matches<'a> {
    /// The files.
    pub files: &'a [SearchedFile],
    /// What was found in them.
    pub results: &'a mut Results,
}

/// What to show of a file with matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchStyle {
    /// Its lines with their numbers.
    NumberedLines,
    /// Its lines.
    Lines,
    /// How many lines match.
    Count,
    /// Its path.
    Path,
}

impl Matches<'_> {
    /// The files with lines that match.
    fn found(&self) -> Vec<(SearchedFile, Hits)> {
        let hits = |file: &SearchedFile| match self.results.outcome(&file.stored.content) {
            Some(Outcome::Found(hits)) => Some((file.clone(), hits.clone())),
            _ => None,
        };
        self.files.iter().filter_map(hits).collect()
    }

    /// The files that hold no text, and those that could not be searched with the reason.
    pub fn left_out(&self) -> impl Iterator<Item = (&ImagePath, Option<&str>)> {
        self.files.iter().filter_map(|file| match self.results.outcome(&file.stored.content)? {
            Outcome::Found(_) => None,
            Outcome::Binary => Some((&file.path, None)),
            Outcome::Unsearched(reason) => Some((&file.path, Some(reason.as_str()))),
        })
    }
}

/// `PATH:NUMBER:TEXT` for lines that match, `PATH-NUMBER-TEXT` for those around them.
///
/// # Errors
/// What writing, or reading back what was found, fails with.
pub fn matches_text(matches: Matches<'_>, style: MatchStyle, out: &mut dyn Write) -> io::Result<()> {
    for (file, hits) in matches.found() {
        let path = escape_path(&file.path);
        match style {
            MatchStyle::Path => writeln!(out, "{path}")?,
            MatchStyle::Count => writeln!(out, "{path}:{}", hits.count)?,
            MatchStyle::NumberedLines => matches.results.lines(&hits, &mut |line| {
                let mark = mark(line.role);
                write_line(out, &line, &format!("{path}{mark}{}{mark}", line.number))
            })?,
            MatchStyle::Lines => matches.results.lines(&hits, &mut |line| {
                let prefix = format!("{path}{}", mark(line.role));
                write_line(out, &line, &prefix)
            })?,
        }
    }
    Ok(())
}

fn mark(role: Role) -> char {
    if role == Role::Match { ':' } else { '-' }
}

fn write_line(out: &mut dyn Write, line: &Line, prefix: &str) -> io::Result<()> {
    match line.role {
        Role::Gap => writeln!(out, "--"),
        _ => writeln!(out, "{prefix}{}", escape_line(&line.text)),
    }
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    tool: Tool,
    image: &'a OneImage<'a>,
    files: Files<'a>,
    binary: Vec<Path>,
    unsearched: Vec<UnsearchedReport>,
}

#[derive(Serialize)]
struct UnsearchedReport {
    path: Path,
    reason: String,
}

struct Files<'a> {
    found: Vec<(SearchedFile, Hits)>,
    results: RefCell<&'a mut Results>,
}

#[derive(Serialize)]
struct FileReport<'r, 'a> {
    path: Path,
    layer: usize,
    matches: u64,
    lines: Lines<'r, 'a>,
}

struct Lines<'r, 'a> {
    hits: &'r Hits,
    results: &'r RefCell<&'a mut Results>,
}

#[derive(Serialize)]
struct LineReport {
    number: u64,
    #[serde(rename = "match")]
    is_match: bool,
    text: Path,
}

impl Serialize for Files<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.found.iter().map(|(file, hits)| FileReport {
            path: Path::in_image(&file.path),
            layer: file.stored.layer,
            matches: hits.count,
            lines: Lines { hits, results: &self.results },
        }))
    }
}

impl Serialize for Lines<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        let read = self.results.borrow_mut().lines(self.hits, &mut |line| match line.role {
            Role::Gap => Ok(()),
            role => {
                let report =
                    LineReport { number: line.number, is_match: role == Role::Match, text: Path::new(&line.text) };
                sequence.serialize_element(&report).map_err(|error| io::Error::other(error.to_string()))
            }
        });
        read.map_err(S::Error::custom)?;
        sequence.end()
    }
}

/// The same for programs.
///
/// # Errors
/// What writing, or reading back what was found, fails with.
pub fn matches_json(image: &OneImage<'_>, matches: Matches<'_>, out: &mut dyn Write) -> io::Result<()> {
    let left_out = || matches.left_out().map(|(path, reason)| (Path::in_image(path), reason));
    let binary = left_out().filter(|(_, reason)| reason.is_none()).map(|(path, _)| path).collect();
    let unsearched =
        left_out().filter_map(|(path, reason)| Some(UnsearchedReport { path, reason: reason?.to_owned() }));
    let unsearched = unsearched.collect();
    let files = Files { found: matches.found(), results: RefCell::new(matches.results) };
    let report = Report { schema_version: SCHEMA_VERSION, tool: Tool::OWN, image, files, binary, unsearched };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    out.write_all(b"\n")
}
