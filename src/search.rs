//! Searching the contents of files for a pattern, with the crates of ripgrep.
//!
//! Contents that several files share are searched once, in the order of the layers that hold them, and only after they
//! are proven. What is found waits in a [`Spool`] until everything is searched, so that it can be told in the order of
//! paths: the memory holds one line at a time and a few words for each file with a match.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, Read};
use std::ops::Range;

use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkContext, SinkFinish, SinkMatch};

use crate::layer::{self, FileContent, LayerError, Wanted};
use crate::limits;
use crate::spool::Spool;

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

/// A line to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// Why it is shown.
    pub role: Role,
    /// Its text, without the line end.
    pub text: Vec<u8>,
}

/// Why a line is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It matches.
    Match,
    /// It is near one that does.
    Context,
    /// It is none: lines are left out between the ones around it.
    Gap,
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

impl Line {
    fn encode(number: u64, role: Role, text: &[u8]) -> Vec<u8> {
        let role = match role {
            Role::Match => 0,
            Role::Context => 1,
            Role::Gap => 2,
        };
        [&number.to_le_bytes()[..], &[role], &(text.len() as u64).to_le_bytes(), text].concat()
    }

    fn decode(reader: &mut impl Read) -> io::Result<Self> {
        let mut number = [0; 8];
        let (mut role, mut length) = ([0], [0; 8]);
        reader.read_exact(&mut number)?;
        reader.read_exact(&mut role)?;
        reader.read_exact(&mut length)?;
        let mut text = Vec::new();
        reader.take(u64::from_le_bytes(length)).read_to_end(&mut text)?;
        let role = match role[0] {
            0 => Role::Match,
            1 => Role::Context,
            _ => Role::Gap,
        };
        Ok(Self { number: u64::from_le_bytes(number), role, text })
    }
}

/// Takes the lines of one file from the searcher.
struct LineSink<'a> {
    spool: &'a mut Spool,
    depth: Depth,
    count: u64,
    binary: bool,
    /// What the spool failed with, kept apart from what the searcher fails with.
    failure: Option<io::Error>,
}

impl LineSink<'_> {
    /// Keeps a line; whether to go on.
    fn keep(&mut self, number: Option<u64>, role: Role, text: &[u8]) -> bool {
        if self.depth != Depth::Lines {
            return true;
        }
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let kept = self.spool.append(&Line::encode(number.unwrap_or_default(), role, text));
        self.failure = kept.err();
        self.failure.is_none()
    }
}

impl Sink for LineSink<'_> {
    type Error = io::Error;

    fn matched(&mut self, _searcher: &Searcher, found: &SinkMatch<'_>) -> Result<bool, io::Error> {
        self.count += 1;
        Ok(self.keep(found.line_number(), Role::Match, found.bytes()))
    }

    fn context(&mut self, _searcher: &Searcher, context: &SinkContext<'_>) -> Result<bool, io::Error> {
        Ok(self.keep(context.line_number(), Role::Context, context.bytes()))
    }

    fn context_break(&mut self, _searcher: &Searcher) -> Result<bool, io::Error> {
        Ok(self.keep(None, Role::Gap, b""))
    }

    fn finish(&mut self, _searcher: &Searcher, end: &SinkFinish) -> Result<(), io::Error> {
        self.binary = end.binary_byte_offset().is_some();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pattern: &str) -> Query {
        Query {
            pattern: pattern.to_owned(),
            ignore_case: false,
            fixed_strings: false,
            words: false,
            before: 0,
            after: 0,
            depth: Depth::Lines,
        }
    }

    /// The lines found, as `number:text`, contexts with `-`, gaps as `--`; or the outcome that is none.
    fn found(query: &Query, text: &[u8]) -> Result<Vec<String>, Option<Outcome>> {
        let mut search = Search::new(query).unwrap();
        let mut results = Results::default();
        let hits = match search.one(&mut &text[..], &mut results.spool).unwrap() {
            Some(Outcome::Found(hits)) => hits,
            other => return Err(other),
        };
        let mut lines = Vec::new();
        let show = |line: Line| match line.role {
            Role::Match => format!("{}:{}", line.number, String::from_utf8_lossy(&line.text)),
            Role::Context => format!("{}-{}", line.number, String::from_utf8_lossy(&line.text)),
            Role::Gap => "--".to_owned(),
        };
        results
            .lines(&hits, &mut |line| {
                lines.push(show(line));
                Ok(())
            })
            .unwrap();
        Ok(lines)
    }

    #[test]
    fn each_flag_does_what_grep_does() {
        let text = b"one\nTwo two\nthree a.c\nabc\n\nlast";
        let table: [(Query, &[&str]); 7] = [
            (query("^t"), &["3:three a.c"]),
            (Query { ignore_case: true, ..query("TWO") }, &["2:Two two"]),
            (Query { fixed_strings: true, ..query("a.c") }, &["3:three a.c"]),
            (query("a.c"), &["3:three a.c", "4:abc"]),
            (Query { words: true, ..query("[a-z]c") }, &[]),
            (Query { before: 1, after: 1, ..query("one|last") }, &["1:one", "2-Two two", "--", "5-", "6:last"]),
            (query("^$"), &["5:"]),
        ];
        for (query, expected) in table {
            assert_eq!(found(&query, text).unwrap_or_default(), expected, "{query:?}");
        }
    }

    #[test]
    fn what_is_no_text_is_not_searched() {
        assert_eq!(found(&query("x"), b"x\n\0"), Err(Some(Outcome::Binary)));
        let late = [b"x\n".repeat(100_000), vec![0]].concat();
        assert_eq!(found(&query("x"), &late), Err(Some(Outcome::Binary)));
        assert_eq!(found(&query("y"), b"x\n"), Err(None));
        // UTF-16 with its mark is text.
        assert_eq!(found(&query("x"), b"\xff\xfex\0\n\0").unwrap(), ["1:x"]);
        let line = vec![b'x'; limits::SEARCHED_LINE_BYTES + 1];
        assert!(matches!(found(&query("y"), &line), Err(Some(Outcome::Unsearched(_)))));
    }

    #[test]
    fn counting_keeps_no_lines() {
        let mut spool = Spool::default();
        let mut search = Search::new(&Query { depth: Depth::Count, after: 2, ..query("x") }).unwrap();
        let outcome = search.one(&mut &b"x\nx\nx\n"[..], &mut spool).unwrap();
        assert_eq!(outcome, Some(Outcome::Found(Hits { count: 3, lines: 0..0 })));
    }

    #[test]
    fn a_bad_pattern_is_named() {
        let error = Search::new(&query("a(")).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.starts_with("`a(` is no regular expression: "), "{error}");
        assert!(Search::new(&Query { fixed_strings: true, ..query("a(") }).is_ok());
    }
}
