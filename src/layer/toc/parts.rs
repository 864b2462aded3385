//! Parts of a layer's stored bytes, asked for in pieces that neighbours share.

use std::io::{self, Read};
use std::ops::Range;

use crate::descriptor::Descriptor;
use crate::limits;
use crate::source::{self, Source};

/// Ranges of a layer that are going to be read, in their order; the last piece fetched is held.
pub(super) struct Parts<'a> {
    source: &'a dyn Source,
    layer: &'a Descriptor,
    /// What will be read, neighbours in one.
    spans: Vec<Range<u64>>,
    start: u64,
    piece: Vec<u8>,
}

impl<'a> Parts<'a> {
    /// Prepares to read `ranges`.
    pub(super) fn new(source: &'a dyn Source, layer: &'a Descriptor, ranges: Vec<Range<u64>>) -> Self {
        Self { source, layer, spans: joined(ranges), start: 0, piece: Vec::new() }
    }

    /// A reader of one of the ranges.
    pub(super) fn reader(&mut self, range: Range<u64>) -> Reader<'_, 'a> {
        Reader { parts: self, range }
    }

    /// Bytes from `at` on, at least one.
    fn bytes(&mut self, at: u64) -> io::Result<&[u8]> {
        let is_held = at >= self.start && at - self.start < self.piece.len() as u64;
        if !is_held {
            let span = self.spans.iter().find(|span| span.contains(&at));
            let end = span.map(|span| span.end).ok_or(io::ErrorKind::UnexpectedEof)?;
            let range = at..end.min(at + limits::RANGE_PIECE_BYTES);
            let piece = source::range(self.source, self.layer, &range).map_err(io::Error::other)?;
            (self.start, self.piece) = (at, piece.ok_or(io::ErrorKind::Unsupported)?);
        }
        let skip = usize::try_from(at - self.start).map_err(io::Error::other)?;
        self.piece.get(skip..).filter(|bytes| !bytes.is_empty()).ok_or(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Ranges in their order, those that lie close together in one.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| range.start);
    let mut spans: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match spans.last_mut() {
            Some(last) if range.start <= last.end + limits::RANGE_GAP_BYTES => last.end = last.end.max(range.end),
            _ => spans.push(range),
        }
    }
    spans
}

/// A reader of one range.
pub(super) struct Reader<'p, 'a> {
    parts: &'p mut Parts<'a>,
    range: Range<u64>,
}

impl Read for Reader<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.range.is_empty() || buffer.is_empty() {
            return Ok(0);
        }
        let left = usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX);
        let bytes = self.parts.bytes(self.range.start)?;
        let count = bytes.len().min(left).min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.range.start += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_asked_for_together() {
        let gap = limits::RANGE_GAP_BYTES;
        let spans = |ranges| joined(ranges).into_iter().map(|span| (span.start, span.end)).collect::<Vec<_>>();
        assert_eq!(spans(vec![20..30, 0..10]), [(0, 30)]);
        assert_eq!(spans(vec![0..10, 11 + gap..12 + gap]), [(0, 10), (11 + gap, 12 + gap)]);
        assert_eq!(spans(vec![0..100, 5..10]), [(0, 100)]);
        assert_eq!(spans(Vec::new()), []);
    }
}
