//! Writing files of an image to a disk, which nothing else does.
//!
//! Everything goes through a directory handle that cannot be left (`cap-std`), whatever the image calls its files and
//! whatever links lie in that directory. What is in the way is found before anything is written; contents are proven
//! and complete under a name of ours before the first one appears under its own.

mod error;
mod item;
mod place;
mod staging;

use std::path::Path;

use crate::image::Image;
use crate::source::Source;

pub use error::ExtractError;
pub use item::{Item, ItemKind, Items};

use place::Place;
use staging::Staging;

/// What happens to files that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// They are an error.
    Keep,
    /// Files and symbolic links are replaced. Directories stay, and nothing takes the place of one.
    Replace,
}

/// Writes `items` of `image`, which is in `source`, below `directory`, which is made if it is missing.
///
/// # Errors
/// See [`ExtractError`]. When the contents of one file cannot be had, proven or stored, none is written; only what
/// fails later (a name that the file system refuses) leaves the files before it in place.
pub fn extract(
    source: &dyn Source,
    image: &Image,
    items: &[Item],
    directory: &Path,
    existing: Existing,
) -> Result<(), ExtractError> {
    let place = Place::open(directory)?;
    place.check(items, existing)?;
    let staging = Staging::fill(&place, source, image, items)?;
    place.write(items, existing, &staging)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor::Descriptor;
    use crate::digest::Digest;
    use crate::image::{ImageConfig, Layer};
    use crate::layer::{self, Change, EntryKind, LayerFault};
    use crate::platform::Platform;
    use crate::source::testing::OneBlob;
    use crate::tree::FileTree;

    fn tar() -> Vec<u8> {
        let mut builder = ::tar::Builder::new(Vec::new());
        for (name, text) in [("a/first", "first"), ("a/second", "other")] {
            let mut header = ::tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(text.len() as u64);
            builder.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn image(layer: &[u8]) -> Image {
        let digest = Digest::of(layer);
        let descriptor = Descriptor {
            media_type: "application/vnd.oci.image.layer.v1.tar".to_owned(),
            digest: digest.clone(),
            size: layer.len() as u64,
            annotations: Default::default(),
            platform: None,
        };
        Image {
            platform: Platform { os: "linux".into(), architecture: "amd64".into(), variant: None },
            digest,
            config: ImageConfig::parse(b"{}").unwrap(),
            layers: vec![Layer { index: 0, descriptor, diff_id: None, step: None }],
        }
    }

    #[test]
    fn contents_that_changed_since_they_were_indexed_leave_nothing_behind() {
        let source = OneBlob::new(tar());
        let image = image(&source.stored);
        let descriptor = &image.layers[0].descriptor;
        let indexes =
            layer::index_all(&source, &[descriptor], crate::blob::ObjectFormat::Sha1, &layer::Effort::default())
                .unwrap();
        let mut index = indexes.values().next().unwrap().as_ref().clone();
        let Change::Put(second) = &mut index.changes[1] else { panic!() };
        let EntryKind::Regular(content) = &mut second.kind else { panic!() };
        content.sha256 = [0; 32];
        let mut tree = FileTree::default();
        tree.apply(0, &index).unwrap();
        let items = Items::of(&tree, &tree.all().collect()).unwrap().items;

        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("new");
        for directory in [folder.path(), &missing] {
            let error = extract(&source, &image, &items, directory, Existing::Keep).unwrap_err();
            assert!(
                matches!(&error, ExtractError::Layer(error) if matches!(*error.fault, LayerFault::Changed(_))),
                "{error}"
            );
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
