//! Where contents wait until all of them are complete: a folder inside the directory, so that moving them is cheap.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Read, Write as _};

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, OpenOptions, OpenOptionsExt as _};

use crate::image::Image;
use crate::layer::{self, Wanted};
use crate::source::Source;

use super::place::Place;
use super::{ExtractError, Item, ItemKind};

/// The contents of items, in files named by the items' positions. What is left of them goes with this.
pub(super) struct Staging<'a> {
    place: &'a Place,
    name: String,
    /// The folder.
    pub(super) folder: Dir,
}

impl<'a> Staging<'a> {
    /// Reads the contents of all files among `items`.
    pub(super) fn fill(
        place: &'a Place,
        source: &dyn Source,
        image: &Image,
        items: &[Item],
    ) -> Result<Self, ExtractError> {
        let staging = Self::new(place).map_err(|error| place.unusable(error))?;
        let mut wanted: Vec<Wanted<'_>> = Vec::new();
        let mut positions: BTreeMap<[u8; 32], Vec<usize>> = BTreeMap::new();
        for (position, item) in items.iter().enumerate() {
            if let ItemKind::File(stored) = &item.kind {
                wanted.push(stored.wanted(source, image));
                positions.entry(stored.content.sha256).or_default().push(position);
            }
        }
        layer::gather(&wanted, &mut |content, reader| {
            let positions = positions.get(&content.sha256).map(Vec::as_slice).unwrap_or_default();
            staging.store(positions, reader)
        })?;
        Ok(staging)
    }

    fn new(place: &'a Place) -> io::Result<Self> {
        // A name that no image can foresee.
        let name = format!(".shipproof-{:016x}", RandomState::new().build_hasher().finish());
        let mut private = DirBuilder::new();
        private.mode(0o700);
        place.top.create_dir_with(&name, &private)?;
        let folder = place.top.open_dir(&name)?;
        Ok(Self { place, name, folder })
    }

    /// Stores contents once for every position.
    fn store(&self, positions: &[usize], contents: &mut dyn Read) -> io::Result<()> {
        let Some((first, others)) = positions.split_first() else { return Ok(()) };
        let mut file =
            self.folder.open_with(first.to_string(), OpenOptions::new().write(true).create_new(true).mode(0o600))?;
        io::copy(contents, &mut file)?;
        file.flush()?;
        for other in others {
            self.folder.copy(first.to_string(), &self.folder, other.to_string())?;
        }
        Ok(())
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        // There is nobody to tell, and nothing of it stands under an image's name.
        let _ = self.place.top.remove_dir_all(&self.name);
    }
}
