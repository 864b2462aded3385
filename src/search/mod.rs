//! Searching the contents of files for a pattern, with the crates of ripgrep.
//!
//! Contents that several files share are searched once, in the order of the layers that hold them, and only after they
//! are proven. What is found waits in a [`Spool`] until everything is searched, so that it can be told in the order of
//! paths: the memory holds one line at a time and a few words for each file with a match.

mod line;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Read};
use std::ops::Range;

use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};

use crate::layer::{self, FileContent, LayerError, Wanted};
use crate::limits;
use crate::spool::Spool;

pub use line::{Line, Role};

use line::LineSink;

/// What to search for.
#[derive(Clone, Debug)]
pub struct Query {
    /// A regular expression, in the syntax of the `regex` crate.
    pub pattern: String,
    /// Whether letters match in either case.
    pub ignore_case: bool,
    /// Whether the pattern is plain text.
    pub fixed_strings: bool,
    /// Whether only whole words match.
    pub words: bool,
    /// Lines to show before a match.
    pub before: usize,
    /// Lines to show after a match.
    pub after: usize,
    /// How much to find out.
    pub depth: Depth,
}

/// How much to find out of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// All lines that match.
    Lines,
    /// How many there are.
    Count,
}

/// Why nothing could be searched.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The pattern is none.
    #[error("`{pattern}` is no regular expression: {reason}")]
    Pattern {
        /// As typed.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The contents could not be had.
    #[error(transparent)]
    Layer(#[from] LayerError),
}

impl SearchError {
    /// What kind of failure this is, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Pattern { .. } => "usage",
            Self::Layer(error) => error.kind(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Pattern { .. } => Some("--fixed-strings takes the pattern as plain text".to_owned()),
            Self::Layer(error) => error.hint(),
        }
    }
}

/// What came of searching one file's contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Lines match.
    Found(Hits),
    /// It holds a NUL byte, so it is no text, and what was found before that byte does not count.
    Binary,
    /// It could not be searched to its end, for this reason.
    Unsearched(String),
}

/// The lines that match in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hits {
    /// How many.
    pub count: u64,
    /// Where they lie in the spool.
    lines: Range<u64>,
}

/// A pattern, understood.
pub struct Search {
    matcher: RegexMatcher,
    searcher: Searcher,
    depth: Depth,
}

/// What was found in all files.
#[derive(Debug, Default)]
pub struct Results {
    outcomes: BTreeMap<[u8; 32], Outcome>,
    spool: Spool,
}

impl Search {
    /// Understands a query.
    ///
    /// # Errors
    /// [`SearchError::Pattern`].
    pub fn new(query: &Query) -> Result<Self, SearchError> {
        let mut builder = RegexMatcherBuilder::new();
        builder.case_insensitive(query.ignore_case).fixed_strings(query.fixed_strings).word(query.words);
        let matcher = builder.multi_line(true).line_terminator(Some(b'\n')).build(&query.pattern);
        let bad = |reason: String| SearchError::Pattern { pattern: query.pattern.clone(), reason };
        let matcher = matcher.map_err(|error| bad(error.to_string()))?;
        let with_context = |lines: usize| if query.depth == Depth::Lines { lines } else { 0 };
        let searcher = SearcherBuilder::new()
            .binary_detection(BinaryDetection::quit(0))
            .heap_limit(Some(limits::SEARCHED_LINE_BYTES))
            .before_context(with_context(query.before))
            .after_context(with_context(query.after))
            .build();
        Ok(Self { matcher, searcher, depth: query.depth })
    }

    /// Searches the contents `wanted`.
    ///
    /// # Errors
    /// [`SearchError::Layer`].
    pub fn run(&mut self, wanted: &[Wanted<'_>]) -> Result<Results, SearchError> {
        let mut results = Results::default();
        layer::gather(wanted, &mut |content, reader| {
            if let Some(outcome) = self.one(reader, &mut results.spool)? {
                results.outcomes.insert(content.sha256, outcome);
            }
            Ok(())
        })?;
        Ok(results)
    }

    fn one(&mut self, contents: &mut dyn Read, spool: &mut Spool) -> io::Result<Option<Outcome>> {
        let start = spool.end();
        let mut sink = LineSink { spool, depth: self.depth, count: 0, binary: false, failure: None };
        let searched = self.searcher.search_reader(&self.matcher, contents, &mut sink);
        let LineSink { count, binary, failure, .. } = sink;
        if let Some(failure) = failure {
            return Err(failure);
        }
        let outcome = match searched {
            Err(error) => Outcome::Unsearched(error.to_string()),
            Ok(()) if binary => Outcome::Binary,
            Ok(()) if count == 0 => return Ok(None),
            Ok(()) => return Ok(Some(Outcome::Found(Hits { count, lines: start..spool.end() }))),
        };
        spool.truncate(start);
        Ok(Some(outcome))
    }
}

impl Results {
    /// What came of a file; `None` when nothing in it matches.
    pub fn outcome(&self, content: &FileContent) -> Option<&Outcome> {
        self.outcomes.get(&content.sha256)
    }

    /// Shows the lines of a file to `visit`, in their order.
    ///
    /// # Errors
    /// What reading the spool or `visit` fails with.
    pub fn lines(&mut self, hits: &Hits, visit: &mut dyn FnMut(Line) -> io::Result<()>) -> io::Result<()> {
        let mut reader = self.spool.reader(&hits.lines)?;
        while !reader.fill_buf()?.is_empty() {
            visit(Line::decode(&mut reader)?)?;
        }
        Ok(())
    }
}
