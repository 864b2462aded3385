//! `docker save` output: the layout of old with `manifest.json`, and what Docker writes today, an OCI layout that
//! has a `manifest.json` as well.

use std::io::Read;

use serde::Deserialize;
use serde_json::json;

use crate::count::counted;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::json;
use crate::limits;
use crate::reference::FileRef;

use super::archive::Archive;
use super::layout::Layout;
use super::{RawManifest, Source, SourceError, names};

/// One image of `manifest.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SavedImage {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

/// An image in a `docker save` archive of the old layout. It has no manifest, so one is put together from
/// `manifest.json` and the configuration: a layer is called by its diff id, which the archive's plain tars have.
struct DockerArchive {
    archive: Archive,
    manifest: Vec<u8>,
    image_id: Digest,
    /// Digest of a blob, and the member that holds it.
    members: Vec<(Digest, String)>,
}

/// Opens a `docker save` archive of either layout.
pub(super) fn open(file: &FileRef) -> Result<Box<dyn Source>, SourceError> {
    open_archive(Archive::open(&file.path)?, file.tag.as_deref(), Some("docker-archive"))
}

/// The same for an archive that is open already; `transport` leads to it again, where one does.
pub(super) fn open_archive(
    archive: Archive,
    tag: Option<&str>,
    transport: Option<&'static str>,
) -> Result<Box<dyn Source>, SourceError> {
    // The new layout's index names real manifests, so the digest shown is the registry's where there is one.
    if archive.member("index.json").is_some() {
        return Ok(Box::new(Layout::in_archive(archive, tag.map(str::to_owned), transport)));
    }
    let reader = Reader { archive };
    let saved = reader.saved_images()?;
    let image = reader.choose(&saved, tag)?.clone();
    Ok(Box::new(reader.into_source(&image)?))
}

struct Reader {
    archive: Archive,
}

impl Reader {
    fn format_error(&self, reason: impl Into<String>) -> SourceError {
        SourceError::Format {
            path: self.archive.path().to_owned(),
            expected: "a `docker save` archive",
            reason: reason.into(),
        }
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, SourceError> {
        let (section, size) =
            self.archive.member(name).ok_or_else(|| self.format_error(format!("it has no {name}")))?;
        if size > limit {
            return Err(SourceError::TooLarge { what: format!("{name} in {}", self.archive.path().display()), limit });
        }
        let mut bytes = Vec::new();
        let fail = |source| SourceError::File { path: self.archive.path().to_owned(), source };
        section.take(limit).read_to_end(&mut bytes).map_err(fail)?;
        Ok(bytes)
    }

    fn saved_images(&self) -> Result<Vec<SavedImage>, SourceError> {
        let bytes = self.read("manifest.json", limits::ARCHIVE_JSON_BYTES)?;
        let saved = json::check_keys(&bytes).and_then(|()| serde_json::from_slice(&bytes));
        saved.map_err(|error| self.format_error(format!("manifest.json: {error}")))
    }

    fn choose<'s>(&self, saved: &'s [SavedImage], tag: Option<&str>) -> Result<&'s SavedImage, SourceError> {
        let tags = |image: &SavedImage| image.repo_tags.clone().unwrap_or_default();
        let is_named = |image: &SavedImage, tag: &str| tags(image).iter().any(|name| names::is_called(name, tag));
        names::choose(saved, tag, |image| image.config.as_str(), is_named).map_err(|missing| {
            let all: Vec<String> = saved.iter().flat_map(tags).collect();
            let offered = if all.is_empty() {
                format!("{} without names", counted(saved.len(), "image"))
            } else {
                all.join(", ")
            };
            SourceError::Choice { path: self.archive.path().to_owned(), offered, reason: missing.reason() }
        })
    }

    fn into_source(self, image: &SavedImage) -> Result<DockerArchive, SourceError> {
        let config = self.read(&image.config, limits::CONFIG_BYTES)?;
        let image_id = Digest::of(&config);
        let diff_ids = self.diff_ids(&config)?;
        if diff_ids.len() != image.layers.len() {
            let (layers, ids) = (counted(image.layers.len(), "layer"), counted(diff_ids.len(), "diff_id"));
            return Err(self.format_error(format!("{layers} in manifest.json, {ids} in its configuration")));
        }
        let mut members = vec![(image_id.clone(), image.config.clone())];
        let mut layers = Vec::new();
        for (name, diff_id) in image.layers.iter().zip(diff_ids) {
            let (_, size) = self.archive.member(name).ok_or_else(|| self.format_error(format!("it has no {name}")))?;
            layers.push(json!({
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar", "digest": diff_id, "size": size,
            }));
            members.push((diff_id, name.clone()));
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json", "digest": image_id, "size": config.len(),
            },
            "layers": layers,
        });
        Ok(DockerArchive { archive: self.archive, manifest: manifest.to_string().into_bytes(), image_id, members })
    }

    fn diff_ids(&self, config: &[u8]) -> Result<Vec<Digest>, SourceError> {
        #[derive(Deserialize)]
        struct Config {
            rootfs: Rootfs,
        }
        #[derive(Deserialize)]
        struct Rootfs {
            #[serde(default)]
            diff_ids: Vec<String>,
        }
        let config: Config =
            serde_json::from_slice(config).map_err(|error| self.format_error(format!("configuration: {error}")))?;
        let parse = |id: &String| id.parse().map_err(|error| self.format_error(format!("diff_ids: {error}")));
        config.rootfs.diff_ids.iter().map(parse).collect()
    }
}

impl Source for DockerArchive {
    fn root(&self) -> Result<RawManifest, SourceError> {
        Ok(RawManifest { bytes: self.manifest.clone(), digest: self.image_id.clone() })
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        let what = format!("manifest {} in {}", descriptor.digest, self.archive.path().display());
        Err(SourceError::NotFound { what, message: String::new() })
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        let name = self.members.iter().find(|(digest, _)| *digest == descriptor.digest).map(|(_, name)| name);
        let member = name.and_then(|name| self.archive.member(name));
        let what = || format!("{} in {}", descriptor.digest, self.archive.path().display());
        let (section, _) = member.ok_or_else(|| SourceError::NotFound { what: what(), message: String::new() })?;
        Ok(Box::new(section))
    }

    fn pinned(&self, digest: &Digest) -> String {
        digest.to_string()
    }
}
