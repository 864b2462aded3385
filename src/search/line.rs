//! Lines on their way from the searcher into a [`Spool`] and back.

use std::io::{self, Read};

use grep_searcher::{Searcher, Sink, SinkContext, SinkFinish, SinkMatch};

use crate::spool::Spool;

use super::Depth;

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

impl Line {
    fn encode(number: u64, role: Role, text: &[u8]) -> Vec<u8> {
        let role = match role {
            Role::Match => 0,
            Role::Context => 1,
            Role::Gap => 2,
        };
        [&number.to_le_bytes()[..], &[role], &(text.len() as u64).to_le_bytes(), text].concat()
    }

    pub(super) fn decode(reader: &mut impl Read) -> io::Result<Self> {
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
pub(super) struct LineSink<'a> {
    pub(super) spool: &'a mut Spool,
    pub(super) depth: Depth,
    pub(super) count: u64,
    /// Whether a NUL byte was met.
    pub(super) binary: bool,
    /// What the spool failed with, kept apart from what the searcher fails with.
    pub(super) failure: Option<io::Error>,
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
