//! Contents of files from many layers, read once and kept for whoever asks for them, in whatever order.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use crate::spool::Spool;

use super::{FileContent, LayerError, Wanted, gather};

/// Contents by their SHA-256. The memory holds none of them: they wait in a [`Spool`].
#[derive(Debug, Default)]
pub struct Kept {
    places: BTreeMap<[u8; 32], Range<u64>>,
    spool: Spool,
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
            let start = self.spool.end();
            self.spool.append(&bytes)?;
            self.places.insert(content.sha256, start..self.spool.end());
            Ok(())
        })
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Contents that were read; `None` for others.
    ///
    /// # Errors
    /// What reading them back fails with.
    pub fn get(&mut self, content: &FileContent) -> io::Result<Option<Vec<u8>>> {
        self.places.get(&content.sha256).map(|place| self.spool.read(place)).transpose()
    }
}
