//! Layer stacks as text, and making them smaller.

use std::fmt;

use super::maker::Maker;
use super::support::images::Image;
use super::support::layers::Layer;
use super::support::text::{self, Entry};

/// An image: its layers' entries, one a line (see `support::text`).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Stack(pub(crate) Vec<Vec<String>>);

impl fmt::Display for Stack {
    /// In the form of the case files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|layer| write!(f, "== layer\n{}\n\n", layer.join("\n")))
    }
}

impl Stack {
    /// The stack of `seed`.
    pub(crate) fn random(seed: u64) -> Self {
        Self(Maker::new(seed).stack())
    }

    /// Its layers, not compressed: many of them are made.
    pub(crate) fn layers(&self) -> Vec<Layer> {
        self.0.iter().map(|lines| Layer::described("compression=none", &lines.join("\n"))).collect()
    }

    pub(crate) fn image(&self) -> Image {
        self.layers().into_iter().fold(Image::new(), |image, layer| image.layer("COPY . /", layer))
    }

    /// The places of all entries: their layer, and their line in it.
    pub(crate) fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        self.0.iter().enumerate().flat_map(|(layer, lines)| (0..lines.len()).map(move |line| (layer, line)))
    }

    /// The entry at a place.
    pub(crate) fn entry(&self, (layer, line): (usize, usize)) -> Entry {
        text::parse(&self.0[layer][line]).remove(0)
    }

    /// What stands before a place; with the entry that stands there, or without it.
    pub(crate) fn until(&self, (layer, line): (usize, usize), with: bool) -> Self {
        let mut layers = self.0[..=layer].to_vec();
        layers[layer].truncate(line + usize::from(with));
        Self(layers)
    }

    /// The stack after a change of one layer.
    pub(crate) fn changed(&self, layer: usize, change: impl FnOnce(&mut Vec<String>)) -> Self {
        let mut layers = self.0.clone();
        change(&mut layers[layer]);
        Self(layers)
    }

    /// A smaller stack that `fails` as well: no layer and no entry can be left out of it.
    pub(crate) fn shrunk(mut self, fails: impl Fn(&Self) -> bool) -> Self {
        while let Some(smaller) = self.smaller().into_iter().find(&fails) {
            self = smaller;
        }
        self
    }

    fn smaller(&self) -> Vec<Self> {
        let without_layer = |at| {
            let mut layers = self.0.clone();
            layers.remove(at);
            Self(layers)
        };
        let layers = (0..self.0.len()).filter(|_| self.0.len() > 1).map(without_layer);
        let without_entry = |(layer, line)| self.changed(layer, |lines| drop(lines.remove(line)));
        layers.chain(self.places().map(without_entry)).collect()
    }
}
