//! Manifests and indexes: parsing, and refusing by name what is not an image.

use oci_distribution::manifest::{OciImageIndex, OciImageManifest};
use serde::Deserialize;

use crate::descriptor::{Descriptor, DescriptorError};
use crate::json;

/// What a reference may lead to.
#[derive(Clone, Debug)]
pub enum Manifest {
    /// One image for one platform.
    Image(ImageManifest),
    /// Images for several platforms, and whatever else their builder attached.
    Index(Vec<Descriptor>),
}

/// One image: its configuration and its layers, base layer first.
#[derive(Clone, Debug)]
pub struct ImageManifest {
    /// Where the configuration lies.
    pub config: Descriptor,
    /// Where the layers lie.
    pub layers: Vec<Descriptor>,
}

/// Why bytes are not the manifest of an image.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON, or not of a manifest's shape.
    #[error("the manifest is malformed: {0}")]
    Malformed(String),
    /// A Docker schema 1 manifest, which carries no verifiable configuration.
    #[error("the manifest is of Docker schema 1, which is not supported")]
    Schema1,
    /// Something other than a container image (a Helm chart, a signature, an SBOM).
    #[error("this is an artifact of type {0}, not a container image")]
    Artifact(String),
    /// A layer that is not a tar.
    #[error("layer {digest} has media type {media_type}, which is not a file system layer")]
    LayerType {
        /// The layer.
        digest: String,
        /// What it says it is.
        media_type: String,
    },
    /// Both an image's and an index's fields: two readers could see two images (CVE-2021-41190).
    #[error("the manifest is ambiguous: it lists both layers and manifests")]
    Ambiguous,
    /// A digest or size that cannot be.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: Option<u64>,
    media_type: Option<String>,
    manifests: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    artifact_type: Option<String>,
    #[serde(rename = "fsLayers")]
    fs_layers: Option<serde::de::IgnoredAny>,
}

/// Media types of image configurations (image-spec config.md, Docker's schema 2). The OCI index of `docker buildx`
/// and old `docker save` write no other.
const CONFIG_TYPES: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

impl Manifest {
    /// Reads the manifest in `bytes`.
    ///
    /// # Errors
    /// See [`ManifestError`]; an artifact that is no image is refused by its type.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        json::check_keys(bytes).map_err(|error| ManifestError::Malformed(error.to_string()))?;
        let shape: Shape = parse_json(bytes)?;
        if shape.schema_version == Some(1) || shape.fs_layers.is_some() {
            return Err(ManifestError::Schema1);
        }
        match (&shape.manifests, &shape.layers) {
            (Some(_), Some(_)) => Err(ManifestError::Ambiguous),
            (Some(_), None) => {
                let index: OciImageIndex = parse_json(bytes)?;
                let entries = index.manifests.into_iter().map(Descriptor::try_from);
                Ok(Self::Index(entries.collect::<Result<_, _>>()?))
            }
            (None, Some(_)) => parse_image(bytes, &shape).map(Self::Image),
            (None, None) => Err(match shape.artifact_type.or(shape.media_type) {
                Some(kind) => ManifestError::Artifact(kind),
                None => ManifestError::Malformed("it lists neither layers nor manifests".to_owned()),
            }),
        }
    }
}

fn parse_json<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, ManifestError> {
    serde_json::from_slice(bytes).map_err(|error| ManifestError::Malformed(error.to_string()))
}

fn parse_image(bytes: &[u8], shape: &Shape) -> Result<ImageManifest, ManifestError> {
    let manifest: OciImageManifest = parse_json(bytes)?;
    if !CONFIG_TYPES.contains(&manifest.config.media_type.as_str()) {
        let kind = shape.artifact_type.clone().unwrap_or(manifest.config.media_type);
        return Err(ManifestError::Artifact(kind));
    }
    let layers: Vec<Descriptor> = manifest.layers.into_iter().map(Descriptor::try_from).collect::<Result<_, _>>()?;
    if let Some(layer) = layers.iter().find(|layer| !is_layer_type(&layer.media_type)) {
        let media_type = layer.media_type.clone();
        return Err(ManifestError::LayerType { digest: layer.digest.to_string(), media_type });
    }
    Ok(ImageManifest { config: manifest.config.try_into()?, layers })
}

/// Whether a media type names a file system layer. What follows the type's name (`+gzip`, `.tar.zstd`) is the
/// compression, which the bytes tell more reliably.
fn is_layer_type(media_type: &str) -> bool {
    const PREFIXES: [&str; 4] = [
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
    ];
    PREFIXES.iter().any(|prefix| media_type.starts_with(prefix)) && !media_type.contains("encrypted")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest, ManifestError> {
        let hex = "a".repeat(64);
        Manifest::parse(text.replace("DIGEST", &format!("sha256:{hex}")).as_bytes())
    }

    const CONFIG: &str =
        r#""config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"DIGEST","size":2}"#;

    #[test]
    fn images_and_indexes_are_told_apart() {
        let image = format!(
            r#"{{"schemaVersion":2,{CONFIG},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar+zstd","digest":"DIGEST","size":3}}]}}"#
        );
        assert!(matches!(parse(&image), Ok(Manifest::Image(manifest)) if manifest.layers[0].size == 3));
        let index = r#"{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"DIGEST","size":4,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}}]}"#;
        let Ok(Manifest::Index(entries)) = parse(index) else { panic!() };
        assert_eq!(entries[0].platform.as_ref().unwrap().to_string(), "linux/arm64/v8");
    }

    #[test]
    fn what_is_no_image_is_refused_by_name() {
        let helm = CONFIG.replace("oci.image.config", "cncf.helm.config");
        let table = [
            ("not json".to_owned(), "malformed"),
            ("{}".to_owned(), "neither layers nor manifests"),
            (r#"{"schemaVersion":1,"fsLayers":[]}"#.to_owned(), "schema 1"),
            // Docker runs what `Layers` lists.
            (format!(r#"{{"schemaVersion":2,{CONFIG},"layers":[],"Layers":[]}}"#), "`Layers` twice"),
            (
                format!(r#"{{"schemaVersion":2,{helm},"layers":[]}}"#),
                "artifact of type application/vnd.cncf.helm.config",
            ),
            (format!(r#"{{"schemaVersion":2,{CONFIG},"layers":[],"manifests":[]}}"#), "ambiguous"),
            (
                format!(
                    r#"{{"schemaVersion":2,{CONFIG},"layers":[{{"mediaType":"text/plain","digest":"DIGEST","size":1}}]}}"#
                ),
                "not a file system layer",
            ),
            (
                format!(
                    r#"{{"schemaVersion":2,{CONFIG},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:../x","size":1}}]}}"#
                ),
                "not a digest",
            ),
        ];
        for (text, expected) in table {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
