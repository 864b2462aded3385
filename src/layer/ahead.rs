//! Uncompressing on another thread than the one that looks at what comes out.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, channel};

/// Bytes handed over at once. They stay in the second-level cache until they are hashed.
pub(super) const BUFFER_BYTES: usize = 128 << 10;

/// Buffers of one layer: one is filled, one is looked at, and one waits for either.
const BUFFERS: usize = 3;

/// Bytes on their way, or the error that ended them.
type Piece = io::Result<Buffer>;

struct Buffer {
    bytes: Box<[u8]>,
    filled: usize,
}

/// The two ends: what reads ahead, and what is read.
pub(super) fn ends() -> (Pump, Ahead) {
    let ((full, pieces), (empty, buffers)) = (channel(), channel());
    for _ in 0..BUFFERS {
        // The other end is held below.
        let _ = empty.send(Buffer { bytes: vec![0; BUFFER_BYTES].into(), filled: 0 });
    }
    (Pump { full, buffers }, Ahead { pieces, empty, current: None, position: 0, failed: false })
}

/// The end that reads ahead.
pub(super) struct Pump {
    full: Sender<Piece>,
    buffers: Receiver<Buffer>,
}

impl Pump {
    /// Reads `plain` to its end, to an error, which is handed over, or until nobody wants more.
    pub(super) fn run(self, mut plain: impl Read) {
        while let Ok(mut buffer) = self.buffers.recv() {
            let outcome = fill(&mut plain, &mut buffer);
            let goes_on = outcome.is_ok() && buffer.filled > 0;
            if buffer.filled > 0 && self.full.send(Ok(buffer)).is_err() {
                return;
            }
            if let Err(error) = outcome {
                return self.fail(error);
            }
            if !goes_on {
                return;
            }
        }
    }

    /// Hands over an error instead of bytes.
    pub(super) fn fail(self, error: io::Error) {
        // Nobody may be there to see it, who then has no use for it either.
        let _ = self.full.send(Err(error));
    }
}

fn fill(plain: &mut impl Read, buffer: &mut Buffer) -> io::Result<()> {
    buffer.filled = 0;
    while buffer.filled < buffer.bytes.len() {
        match plain.read(&mut buffer.bytes[buffer.filled..]) {
            Ok(0) => break,
            Ok(count) => buffer.filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The end that is read. It ends when the other one is done or gone, so that whoever believes its end has to know how
/// the thread of the other one ended.
pub(super) struct Ahead {
    pieces: Receiver<Piece>,
    empty: Sender<Buffer>,
    current: Option<Buffer>,
    position: usize,
    failed: bool,
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.failed {
            return Err(io::Error::other("it failed before"));
        }
        if self.current.as_ref().is_none_or(|buffer| buffer.filled == self.position) {
            if let Some(done) = self.current.take() {
                // Nobody may be there to fill it.
                let _ = self.empty.send(done);
            }
            self.position = 0;
            self.current = self.pieces.recv().ok().transpose().inspect_err(|_| self.failed = true)?;
        }
        Ok(self.current.as_ref().map_or(&[], |buffer| &buffer.bytes[self.position..buffer.filled]))
    }

    fn consume(&mut self, count: usize) {
        self.position += count;
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes in pieces of odd lengths, and then perhaps an error.
    struct Odd(usize, Option<&'static str>);

    impl Read for Odd {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return self.1.take().map_or(Ok(0), |text| Err(io::Error::other(text)));
            }
            let count = buffer.len().min(self.0).min(7919);
            buffer[..count].fill((self.0 % 251) as u8);
            self.0 -= count;
            Ok(count)
        }
    }

    fn directly(bytes: usize) -> Vec<u8> {
        let mut all = Vec::new();
        // In the same steps, because what is read depends on them.
        let mut odd = Odd(bytes, None);
        let mut buffer = Buffer { bytes: vec![0; BUFFER_BYTES].into(), filled: 0 };
        while fill(&mut odd, &mut buffer).is_ok() && buffer.filled > 0 {
            all.extend_from_slice(&buffer.bytes[..buffer.filled]);
        }
        all
    }

    #[test]
    fn all_bytes_come_through_and_errors_after_them() {
        for bytes in [0, 1, BUFFER_BYTES - 1, BUFFER_BYTES, BUFFER_BYTES + 1, 10 * BUFFER_BYTES + 17] {
            for error in [None, Some("cut off")] {
                std::thread::scope(|scope| {
                    let (pump, mut ahead) = ends();
                    scope.spawn(move || pump.run(Odd(bytes, error)));
                    let mut all = Vec::new();
                    let outcome = ahead.read_to_end(&mut all).map_err(|error| error.to_string());
                    assert_eq!(outcome.err().as_deref(), error);
                    assert!(all == directly(bytes), "{bytes}");
                    assert_eq!(ahead.read(&mut [0]).is_err(), error.is_some(), "an error is no end");
                });
            }
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_that_went_away() {
        std::thread::scope(|scope| {
            let (pump, mut ahead) = ends();
            let pumping = scope.spawn(move || pump.run(io::repeat(7)));
            assert_eq!(ahead.fill_buf().unwrap().len(), BUFFER_BYTES);
            drop(ahead);
            pumping.join().unwrap();
        });
    }
}
