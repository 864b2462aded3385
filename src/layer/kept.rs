//! Contents of files from many layers, read once and kept for whoever asks for them, in whatever order.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::ops::Range;

use crate::spool::Spool;

use super::{FileContent, LayerError, Wanted, gather};

/// Contents by their SHA-256. The memory holds none of them: they wait in a [`Spool`].
#[derive(Debug, Default)]
pub struct Kept {
    places: BTreeMap<[u8; 32], Range<u64>>,
    spool: Spool,
    /// What others kept.
    others: Vec<Kept>,
}

impl Kept {
    /// Reads the contents `wanted`, each of which has to fit into memory when it is asked for.
    ///
    /// # Errors
    /// See [`LayerError`].
    pub fn read(wanted: &[Wanted<'_>]) -> Result<Self, LayerError> {
        let mut kept = Self::default();
        kept.add(wanted)?;
        Ok(kept)
    }

    /// Reads those of the contents `wanted` that are not here yet.
    ///
    /// # Errors
    /// See [`LayerError`].
    pub fn add(&mut self, wanted: &[Wanted<'_>]) -> Result<(), LayerError> {
        let wanted: Vec<Wanted<'_>> =
            wanted.iter().filter(|wanted| !self.places.contains_key(&wanted.content.sha256)).copied().collect();
        gather(&wanted, &mut |content, reader| {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            let start = self.end();
            self.append(&bytes)?;
            self.name(content.sha256, start);
            Ok(())
        })
    }

    /// Keeps more bytes of contents whose SHA-256 is not known yet.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.spool.append(bytes)
    }

    /// Where the next contents will begin.
    pub(super) fn end(&self) -> u64 {
        self.spool.end()
    }

    /// Says what was appended since `start`.
    pub(super) fn name(&mut self, sha256: [u8; 32], start: u64) {
        let end = self.spool.end();
        // What is kept already needs no room twice.
        if self.places.contains_key(&sha256) {
            return self.spool.truncate(start);
        }
        self.places.insert(sha256, start..end);
    }

    /// Takes over what another one kept.
    pub(super) fn join(&mut self, other: Self) {
        self.others.push(other);
    }

    /// A reader of contents that were read; `None` for others.
    ///
    /// # Errors
    /// What reading them back fails with.
    pub fn reader(&mut self, content: &FileContent) -> io::Result<Option<impl io::Read>> {
        if let Some(place) = self.places.get(&content.sha256) {
            return self.spool.reader(place).map(Some);
        }
        let other = self.others.iter_mut().find(|other| other.places.contains_key(&content.sha256));
        other.and_then(|other| Some(other.spool.reader(other.places.get(&content.sha256)?))).transpose()
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty() && self.others.iter().all(Self::is_empty)
    }

    /// Contents that were read; `None` for others.
    ///
    /// # Errors
    /// What reading them back fails with.
    pub fn get(&mut self, content: &FileContent) -> io::Result<Option<Vec<u8>>> {
        let Some(mut reader) = self.reader(content)? else { return Ok(None) };
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}
