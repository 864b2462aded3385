//! A blob's body as a blocking reader: a download that goes on behind it, resumes where it broke off, and waits
//! when the reader is slow.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::BackoffBuilder as _;
use bytes::Bytes;
use futures_util::StreamExt as _;
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Response, StatusCode};
use tokio::sync::mpsc;

use crate::descriptor::Descriptor;
use crate::limits;
use crate::source::SourceError;

use super::session::{self, Session};
use super::transport::{self, Failure};

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
    let download = Download { session, url, descriptor, offset: 0, sender };
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
    sender: mpsc::Sender<Result<Bytes, SourceError>>,
}

/// Nobody reads any more.
struct Abandoned;

impl Download {
    /// Downloads to the end; a try that brought enough gives the next failure a fresh set of tries.
    async fn run(mut self) {
        let mut pauses = session::pauses().build();
        let mut tries = 0;
        loop {
            let before = self.offset;
            let failure = match self.attempt().await {
                Ok(Ok(())) | Err(Abandoned) => return,
                Ok(Err(failure)) => failure,
            };
            if self.offset - before >= limits::PROGRESS_BYTES {
                pauses = session::pauses().build();
                tries = 0;
            }
            tries += 1;
            let pause = session::longer(&failure, pauses.next()).filter(|_| session::may_retry(&failure));
            let Some(pause) = pause else {
                // An error sent to nobody is lost to nobody.
                let _ = self.sender.send(Err(session::give_up(failure, tries))).await;
                return;
            };
            self.session.tell_of_retry(&failure, tries, pause);
            tokio::time::sleep(pause).await;
        }
    }

    /// Downloads from `offset` on, until the end or a failure.
    async fn attempt(&mut self) -> Result<Result<(), Failure>, Abandoned> {
        let (response, mut skip) = match self.open().await {
            Ok(opened) => opened,
            Err(failure) => return Ok(Err(failure)),
        };
        let url = response.url().clone();
        let mut stream = response.bytes_stream();
        let mut pace = Pace::new(self.offset);
        while let Some(chunk) = stream.next().await {
            if pace.is_too_slow(self.offset) {
                return Ok(Err(self.broken(&url, "it brings next to nothing".to_owned())));
            }
            let mut chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => return Ok(Err(transport::network(&url, &error))),
            };
            let known = skip.min(chunk.len() as u64);
            skip -= known;
            let chunk = chunk.split_off(usize::try_from(known).expect("at most the chunk's length"));
            self.offset += chunk.len() as u64;
            self.sender.send(Ok(chunk)).await.map_err(|_| Abandoned)?;
            // Whatever is too much is one chunk too much for the check behind the reader.
            if self.offset > self.descriptor.size {
                return Ok(Ok(()));
            }
        }
        Ok(self.end(&url))
    }

    fn end(&self, url: &reqwest::Url) -> Result<(), Failure> {
        if self.offset >= self.descriptor.size {
            return Ok(());
        }
        Err(self.broken(url, format!("it ended after {} of {} bytes", self.offset, self.descriptor.size)))
    }

    fn broken(&self, url: &reqwest::Url, reason: String) -> Failure {
        let error = SourceError::Network { url: transport::shown(url), tries: 1, reason };
        Failure::Transient { error: Box::new(error), wait: None }
    }

    /// The answer, and how many of its first bytes are known already.
    async fn open(&self) -> Result<(Response, u64), Failure> {
        let mut headers = HeaderMap::new();
        if self.offset > 0 {
            // A closed range: some registries answer 416 to an open one.
            let range = format!("bytes={}-{}", self.offset, self.descriptor.size - 1);
            headers.insert(RANGE, HeaderValue::from_str(&range).expect("digits are a header"));
        }
        let what = format!("blob {}", self.descriptor.digest);
        let response = self.session.get(&self.url, &headers, &what).await?;
        let first = match response.status() {
            StatusCode::PARTIAL_CONTENT => first_byte(response.headers()),
            _ => Some(0),
        };
        match first.and_then(|first| self.offset.checked_sub(first)) {
            Some(known) => Ok((response, known)),
            None => {
                let url = response.url().clone();
                Err(self.broken(&url, format!("asked for bytes from {} on, it sent others", self.offset)))
            }
        }
    }
}

/// Where a partial answer begins (`Content-Range: bytes 70000-99999/100000`); a server need not give what was asked for.
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    range.split_once('-')?.0.parse().ok()
}

/// Whether a download gets on. A server that sends a byte now and then never runs into the time limit between two of
/// them.
struct Pace {
    since: Instant,
    offset: u64,
}

impl Pace {
    fn new(offset: u64) -> Self {
        Self { since: Instant::now(), offset }
    }

    fn is_too_slow(&mut self, offset: u64) -> bool {
        if offset - self.offset >= limits::PROGRESS_BYTES {
            *self = Self::new(offset);
        }
        self.since.elapsed() > Duration::from_secs(limits::PROGRESS_SECONDS)
    }
}
