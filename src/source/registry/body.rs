//! A blob's body as a blocking reader: a download that goes on behind it, resumes where it broke off, and waits
//! when the reader is slow.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use reqwest::header::HeaderMap;
use reqwest::{Response, Url};
use tokio::sync::mpsc;

use crate::descriptor::Descriptor;
use crate::limits;
use crate::source::SourceError;

use super::session::Session;
use super::transport::{self, Failure};
use super::tries::Tries;

/// The reading end of a download.
pub(super) struct Body {
    chunks: mpsc::Receiver<Result<Bytes, SourceError>>,
    current: Bytes,
    /// Why there is no more. It is told at every read, because whoever reads on after an error (a check of the whole
    /// blob, for one) would take an end for the content's.
    failure: Option<Arc<SourceError>>,
}

/// Starts downloading the blob at `url`; dropping the reader ends the download.
pub(super) fn stream(
    runtime: &tokio::runtime::Handle,
    session: Arc<Session>,
    url: String,
    descriptor: Descriptor,
) -> Body {
    let (sender, chunks) = mpsc::channel(limits::CHUNKS_IN_FLIGHT);
    let download =
        Download { session, url, descriptor, offset: 0, ranges: Ranges::Good, waited: Duration::ZERO, sender };
    runtime.spawn(download.run());
    Body { chunks, current: Bytes::new(), failure: None }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            if let Some(failure) = &self.failure {
                return Err(io::Error::other(Arc::clone(failure)));
            }
            match self.chunks.blocking_recv() {
                Some(Ok(chunk)) => self.current = chunk,
                Some(Err(failure)) => self.failure = Some(Arc::new(failure)),
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.current.len());
        buffer[..count].copy_from_slice(&self.current.split_to(count));
        Ok(count)
    }
}

struct Download {
    session: Arc<Session>,
    url: String,
    descriptor: Descriptor,
    /// Bytes handed on so far.
    offset: u64,
    ranges: Ranges,
    /// Time spent waiting for bytes since the last progress; time in which the reader was busy does not count.
    waited: Duration,
    sender: mpsc::Sender<Result<Bytes, SourceError>>,
}

/// What the server makes of a request for a range.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ranges {
    /// As far as is known, what it should.
    Good,
    /// An error, or another range: the whole is asked for instead.
    Bad,
}

/// Nobody reads any more.
struct Abandoned;

impl Download {
    /// Downloads to the end; a try that brought enough gives the next failure a fresh set of tries.
    async fn run(mut self) {
        let session = Arc::clone(&self.session);
        let mut tries = Tries::new(session.notices());
        loop {
            let before = self.offset;
            let failure = match self.attempt().await {
                Ok(Ok(())) | Err(Abandoned) => return,
                Ok(Err(failure)) => failure,
            };
            if self.offset - before >= limits::PROGRESS_BYTES {
                tries = Tries::new(session.notices());
            }
            match tries.after(failure) {
                Ok(pause) => tokio::time::sleep(pause).await,
                Err(error) => {
                    // An error sent to nobody is lost to nobody.
                    let _ = self.sender.send(Err(error)).await;
                    return;
                }
            }
        }
    }

    /// Downloads from `offset` on, until the end or a failure.
    async fn attempt(&mut self) -> Result<Result<(), Failure>, Abandoned> {
        let (response, mut skip) = match self.open().await {
            Ok(opened) => opened,
            Err(failure) => return Ok(Err(failure)),
        };
        let (url, coding) = (response.url().clone(), transport::coding(&response));
        let mut stream = response.bytes_stream();
        while self.offset <= self.descriptor.size {
            let mut chunk = match self.wait(stream.next()).await {
                None => return Ok(Err(transport::too_slow(&url))),
                Some(None) => break,
                // Nothing more was expected anyway.
                Some(Some(Err(_))) if self.offset == self.descriptor.size => break,
                Some(Some(Err(error))) => return Ok(Err(transport::network(&url, &error))),
                Some(Some(Ok(chunk))) => chunk,
            };
            let known = skip.min(chunk.len() as u64);
            skip -= known;
            let chunk = chunk.split_off(usize::try_from(known).expect("at most the chunk's length"));
            self.count(chunk.len() as u64);
            // Whatever is too much is one chunk too much for the check behind the reader.
            self.sender.send(Ok(chunk)).await.map_err(|_| Abandoned)?;
        }
        Ok(self.end(&url, coding))
    }

    /// What comes next, unless it has been waited for too long.
    async fn wait<T>(&mut self, next: impl Future<Output = T>) -> Option<T> {
        let started = Instant::now();
        let left = self.session.patience().saturating_sub(self.waited);
        let came = tokio::time::timeout(left, next).await;
        self.waited += started.elapsed();
        came.ok()
    }

    fn count(&mut self, bytes: u64) {
        let before = self.offset / limits::PROGRESS_BYTES;
        self.offset += bytes;
        if self.offset / limits::PROGRESS_BYTES > before {
            self.waited = Duration::ZERO;
        }
    }

    /// Judges the end of an answer's body.
    fn end(&self, url: &Url, coding: Option<String>) -> Result<(), Failure> {
        match coding.filter(|_| self.offset != self.descriptor.size) {
            Some(coding) => return Err(SourceError::Coding { url: transport::shown(url), coding }.into()),
            None if self.offset >= self.descriptor.size => return Ok(()),
            None => {}
        }
        Err(broken(url, format!("it ended after {} of {} bytes", self.offset, self.descriptor.size)))
    }

    /// The answer, and how many of its first bytes are known already.
    async fn open(&mut self) -> Result<(Response, u64), Failure> {
        let is_resumed = self.offset > 0 && self.offset < self.descriptor.size && self.ranges == Ranges::Good;
        let headers = match is_resumed {
            true => transport::range(&(self.offset..self.descriptor.size)),
            false => HeaderMap::new(),
        };
        let what = format!("blob {}", self.descriptor.digest);
        let response = match self.session.get(&self.url, &headers, &what).await {
            Err(Failure::Final(error @ SourceError::Status { status: 416, .. })) if is_resumed => {
                self.ranges = Ranges::Bad;
                return Err(Failure::Transient { error: Box::new(error), wait: None });
            }
            answer => answer?,
        };
        match transport::first_byte(&response).and_then(|first| self.offset.checked_sub(first)) {
            Some(known) => Ok((response, known)),
            None => {
                self.ranges = Ranges::Bad;
                Err(broken(response.url(), format!("it answered with another range than from byte {}", self.offset)))
            }
        }
    }
}

fn broken(url: &Url, reason: String) -> Failure {
    let error = SourceError::Network { url: transport::shown(url), tries: 1, reason };
    Failure::Transient { error: Box::new(error), wait: None }
}
