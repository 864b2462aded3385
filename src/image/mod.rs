//! What an image is: its platforms, and for each the configuration and the layers with the steps that made them.

mod attestation;
mod config;
mod error;
mod manifest;

use std::collections::BTreeMap;

use crate::descriptor::Descriptor;
use crate::digest::{DiffId, Digest, LayerDigest};
use crate::limits;
use crate::platform::Platform;
use crate::source::{self, Source};

pub use attestation::{provenance, referring_provenance};
pub use config::{HistoryEntry, ImageConfig};
pub use error::ImageError;
pub use manifest::{ImageManifest, Manifest, ManifestError};

/// What a reference led to: one image, or one for each platform.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The digest the reference was resolved to (of the index where there is one).
    pub digest: Digest,
    /// The image by a name that cannot come to mean another one.
    pub pinned: String,
    /// The images, in the order of the index.
    pub images: Vec<Image>,
    /// Attestation manifests (provenance, SBOM) that were recognised and are no images.
    pub attestations: Vec<Descriptor>,
    /// What was noticed on the way.
    pub warnings: Vec<String>,
}

/// One image for one platform.
#[derive(Clone, Debug)]
pub struct Image {
    /// What it runs on.
    pub platform: Platform,
    /// The digest of its manifest (or, from an old `docker save`, the image id).
    pub digest: Digest,
    /// Its configuration.
    pub config: ImageConfig,
    /// Its layers, base layer first.
    pub layers: Vec<Layer>,
}

/// One layer, and what is known of its making.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Position, base layer 0.
    pub index: usize,
    /// Where its bytes lie.
    pub descriptor: Descriptor,
    /// The digest of its uncompressed tar, as the configuration says.
    pub diff_id: Option<DiffId>,
    /// The build step that made it; `None` when history and layers do not line up.
    pub step: Option<Step>,
}

impl Layer {
    /// The digest of its stored bytes.
    pub fn digest(&self) -> LayerDigest {
        self.descriptor.layer_digest()
    }
}

/// A build step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The position among the history's entries.
    pub history: usize,
    /// The instruction in its builder's words.
    pub created_by: String,
    /// When it ran (RFC 3339); a cached step keeps the time of its first run.
    pub created: Option<String>,
}

/// Resolves the reference and reads the manifest and configuration of each platform asked for; all of them when
/// `platforms` is empty.
///
/// # Errors
/// See [`ImageError`]; among others when a platform asked for is not on offer.
pub fn open(source: &dyn Source, platforms: &[Platform]) -> Result<Opened, ImageError> {
    let root = source.root()?;
    let mut found = Opened {
        pinned: source.pinned(&root.digest),
        digest: root.digest.clone(),
        images: Vec::new(),
        attestations: Vec::new(),
        warnings: Vec::new(),
    };
    collect(source, &root.bytes, root.digest, None, 0, &mut found)?;
    narrow(&mut found, platforms)?;
    if found.images.is_empty() {
        return Err(ImageError::NoImage(found.pinned));
    }
    Ok(found)
}

fn collect(
    source: &dyn Source,
    bytes: &[u8],
    digest: Digest,
    platform: Option<Platform>,
    depth: usize,
    found: &mut Opened,
) -> Result<(), ImageError> {
    match Manifest::parse(bytes).map_err(|reason| ImageError::Manifest { digest: digest.to_string(), reason })? {
        Manifest::Image(manifest) => {
            let image = read_image(source, &manifest, digest, platform, &mut found.warnings)?;
            // Of several entries for one platform the first is the one that runs (image-spec image-index.md).
            if !found.images.iter().any(|other| other.platform == image.platform) {
                found.images.push(image);
            }
            Ok(())
        }
        Manifest::Index(_) if depth >= limits::INDEX_DEPTH => Err(ImageError::Nested(digest.to_string())),
        Manifest::Index(entries) => entries.iter().try_for_each(|entry| collect_entry(source, entry, depth, found)),
    }
}

fn collect_entry(source: &dyn Source, entry: &Descriptor, depth: usize, found: &mut Opened) -> Result<(), ImageError> {
    if attestation::is_attestation(entry) {
        found.attestations.push(entry.clone());
        return Ok(());
    }
    if !source.has(entry) {
        let name = entry.platform.as_ref().map_or_else(|| entry.digest.to_string(), Platform::to_string);
        found.warnings.push(format!("{name} is listed in the index but not in this archive, so it was not looked at"));
        return Ok(());
    }
    let bytes = source::manifest(source, entry)?;
    match collect(source, &bytes, entry.digest.clone(), entry.platform.clone(), depth + 1, found) {
        // Signatures and SBOMs may stand beside the images; they do not run.
        Err(ImageError::Manifest { reason: ManifestError::Artifact(_), .. }) => Ok(()),
        other => other,
    }
}

fn narrow(found: &mut Opened, platforms: &[Platform]) -> Result<(), ImageError> {
    for wanted in platforms {
        if !found.images.iter().any(|image| wanted.accepts(&image.platform)) {
            let offered = found.images.iter().map(|image| image.platform.to_string()).collect();
            return Err(ImageError::Platform { wanted: wanted.clone(), offered });
        }
    }
    if !platforms.is_empty() {
        found.images.retain(|image| platforms.iter().any(|wanted| wanted.accepts(&image.platform)));
    }
    Ok(())
}

fn read_image(
    source: &dyn Source,
    manifest: &ImageManifest,
    digest: Digest,
    platform: Option<Platform>,
    warnings: &mut Vec<String>,
) -> Result<Image, ImageError> {
    let bytes = source::config(source, &manifest.config)?;
    let config = ImageConfig::parse(&bytes)
        .map_err(|reason| ImageError::Config { digest: manifest.config.digest.to_string(), reason })?;
    let unknown = || Platform { os: "unknown".into(), architecture: "unknown".into(), variant: None };
    let platform = platform.or_else(|| config.platform()).unwrap_or_else(unknown);
    let steps = align(config.history(), manifest.layers.len());
    if steps.is_none() && !config.history().is_empty() {
        warnings.push(format!("{platform}: history and layers do not line up, so build steps are unknown"));
    }
    let mut steps = steps.unwrap_or_default();
    let layers = manifest.layers.iter().enumerate().map(|(index, descriptor)| Layer {
        index,
        descriptor: descriptor.clone(),
        diff_id: config.diff_ids().get(index).and_then(|id| id.parse().ok()).map(DiffId),
        step: steps.remove(&index),
    });
    Ok(Image { platform, digest, layers: layers.collect(), config })
}

/// The step of each layer: the entries of the history that left one. Sizes say nothing (a `WORKDIR` may leave a
/// layer of no bytes), so counts that disagree mean that nothing is known.
fn align(history: &[HistoryEntry], layers: usize) -> Option<BTreeMap<usize, Step>> {
    let full = history.iter().enumerate().filter(|(_, entry)| entry.empty_layer != Some(true));
    let steps: BTreeMap<usize, Step> = full
        .enumerate()
        .map(|(layer, (position, entry))| {
            let created_by = entry.created_by.clone().unwrap_or_default();
            let created = entry.created.clone().filter(|time| !time.is_empty());
            (layer, Step { history: position, created_by, created })
        })
        .collect();
    (steps.len() == layers).then_some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(created_by: &str, empty_layer: Option<bool>) -> HistoryEntry {
        HistoryEntry { created: None, created_by: Some(created_by.to_owned()), empty_layer }
    }

    #[test]
    fn steps_follow_the_empty_layer_mark_and_nothing_else() {
        let history =
            [entry("ADD rootfs", None), entry("ENV A=b", Some(true)), entry("COPY a b # buildkit", Some(false))];
        let steps = align(&history, 2).unwrap();
        assert_eq!(
            (steps[&0].created_by.as_str(), steps[&1].created_by.as_str()),
            ("ADD rootfs", "COPY a b # buildkit")
        );
        assert_eq!(steps[&1].history, 2);
        assert_eq!(align(&history, 3), None);
        assert_eq!(align(&history, 1), None);
    }
}
