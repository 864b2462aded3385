//! What happens to layers while they are read, for whoever shows it.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;

use crate::descriptor::Descriptor;

/// One thing that happens to a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many more of its stored bytes have come.
    Came(u64),
    /// It was read and proven.
    Read,
    /// Its index was in the cache.
    Cached,
    /// It was taken by its table of contents, which was trusted.
    Tabled,
    /// Nothing that was asked depends on it.
    Skipped,
    /// It could not be read.
    Failed,
}

/// Who is told, from whatever thread it happens on.
#[derive(Clone)]
pub struct Watch(Arc<Tell>);

type Tell = dyn Fn(&Descriptor, Event) + Send + Sync;

impl Watch {
    /// Calls `tell` for each event.
    pub fn new(tell: impl Fn(&Descriptor, Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Tells that `event` happened to `layer`.
    pub(super) fn tell(&self, layer: &Descriptor, event: Event) {
        (self.0)(layer, event);
    }
}

impl Default for Watch {
    /// Tells nobody.
    fn default() -> Self {
        Self::new(|_, _| {})
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

/// The stored bytes of a layer, told of as they come.
pub(super) struct Watched<'a, R> {
    pub(super) inner: R,
    pub(super) layer: &'a Descriptor,
    pub(super) watch: &'a Watch,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.watch.tell(self.layer, Event::Came(count as u64));
        Ok(count)
    }
}
