//! Images in memory, and every form in which they lie on a disk: OCI layout folder, `oci-archive`, and the archives
//! of `docker save`, old and new.

pub(crate) mod docker_archive;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::layers::{Layer, digest_of};

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const CREATED: &str = "2026-01-31T14:02:11Z";

/// Whose media types a manifest uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// image-spec v1.
    Oci,
    /// Docker v2 schema 2.
    Docker,
}

/// One platform's image.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    layers: Vec<Layer>,
    config: Value,
    format: Format,
}

impl Image {
    /// linux/amd64, no layers, an empty history.
    pub(crate) fn new() -> Self {
        let config = json!({
            "created": CREATED, "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": { "type": "layers", "diff_ids": [] }, "history": [],
        });
        Self { layers: Vec::new(), config, format: Format::Oci }
    }

    /// One gzip layer from text (see [`super::text`]), made by `COPY . .` in `/app`.
    pub(crate) fn of(text: &str) -> Self {
        Self::new().workdir("/app").layer("COPY . . # buildkit", Layer::text(text))
    }

    /// Adds a layer and the history entry of the build step that made it.
    pub(crate) fn layer(mut self, step: &str, layer: Layer) -> Self {
        push(&mut self.config["rootfs"]["diff_ids"], json!(layer.diff_id()));
        self.layers.push(layer);
        self.history(json!({ "created": CREATED, "created_by": step, "comment": "buildkit.dockerfile.v0" }))
    }

    /// Adds a gzip layer from text, for images where the build step does not matter.
    pub(crate) fn text(self, text: &str) -> Self {
        let step = format!("COPY {} / # buildkit", self.layers.len());
        self.layer(&step, Layer::text(text))
    }

    /// Adds the history entry of a build step that made no layer.
    pub(crate) fn empty_step(self, step: &str) -> Self {
        self.history(json!({
            "created": CREATED, "created_by": step, "comment": "buildkit.dockerfile.v0", "empty_layer": true,
        }))
    }

    /// Adds a history entry as it is.
    pub(crate) fn history(mut self, entry: Value) -> Self {
        push(&mut self.config["history"], entry);
        self
    }

    /// Adds a label.
    pub(crate) fn label(mut self, name: &str, value: &str) -> Self {
        self.config["config"]["Labels"][name] = json!(value);
        self
    }

    /// Adds an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        push(&mut self.config["config"]["Env"], json!(format!("{name}={value}")));
        self
    }

    /// Sets the working directory.
    pub(crate) fn workdir(mut self, directory: &str) -> Self {
        self.config["config"]["WorkingDir"] = json!(directory);
        self
    }

    /// Sets the platform, `os/architecture[/variant]`.
    pub(crate) fn platform(mut self, platform: &str) -> Self {
        let fields = platform_value(platform);
        for (name, value) in fields.as_object().expect("a platform is an object") {
            self.config[name] = value.clone();
        }
        self
    }

    /// Uses the media types of `format`.
    pub(crate) fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Changes the configuration by hand.
    pub(crate) fn edit(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.config);
        self
    }

    /// The layers, base first.
    pub(crate) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The same image with its layers made into others, and their diff ids.
    pub(crate) fn with_layers(mut self, change: impl FnMut(&Layer) -> Layer) -> Self {
        self.layers = self.layers.iter().map(change).collect();
        let diff_ids: Vec<String> = self.layers.iter().map(Layer::diff_id).collect();
        self.config["rootfs"]["diff_ids"] = json!(diff_ids);
        self
    }

    /// The configuration as it is stored.
    pub(crate) fn config_bytes(&self) -> Vec<u8> {
        to_bytes(&self.config)
    }

    fn manifest(&self) -> Value {
        let (manifest, config) = match self.format {
            Format::Oci => (OCI_MANIFEST, OCI_CONFIG),
            Format::Docker => (DOCKER_MANIFEST, DOCKER_CONFIG),
        };
        let layers: Vec<Value> = self.layers.iter().map(|layer| self.layer_descriptor(layer)).collect();
        json!({
            "schemaVersion": 2, "mediaType": manifest,
            "config": descriptor(config, &self.config_bytes()), "layers": layers,
        })
    }

    fn layer_descriptor(&self, layer: &Layer) -> Value {
        let media_type = match self.format {
            Format::Oci => layer.media_type.clone(),
            Format::Docker => docker_layer_type(&layer.media_type),
        };
        let mut descriptor = descriptor(&media_type, &layer.blob);
        if !layer.annotations.is_empty() {
            descriptor["annotations"] = json!(layer.annotations);
        }
        descriptor
    }

    fn uncompressed(&self) -> Self {
        let store = |layer: &Layer| layer.clone().stored(super::layers::Compression::None);
        Self { layers: self.layers.iter().map(store).collect(), ..self.clone() }
    }
}

fn docker_layer_type(oci: &str) -> String {
    let docker = oci.replace("application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar");
    docker.replace('+', ".")
}

/// What a builder attests: the version of SLSA's predicate, `v0.2` or `v1`, and the predicate.
pub(crate) type Provenance<'a> = (&'a str, &'a Value);

/// An OCI image layout in memory. Blobs can be changed before it is written, so that they lie.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    blobs: BTreeMap<String, Vec<u8>>,
    manifests: Vec<Value>,
}

impl Layout {
    /// No images.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A layout with one image.
    pub(crate) fn with(tag: &str, image: &Image) -> Self {
        let mut layout = Self::new();
        layout.tag(tag, image);
        layout
    }

    /// Adds `image` as `tag` and gives the digest of its manifest.
    pub(crate) fn tag(&mut self, tag: &str, image: &Image) -> String {
        let descriptor = self.add_image(image);
        self.add_tag(tag, descriptor)
    }

    /// Adds an index over `images` as `tag` and gives its digest. `provenance` gives every image an attestation
    /// manifest as BuildKit adds them (<https://docs.docker.com/build/metadata/attestations/attestation-storage/>).
    pub(crate) fn tag_index(&mut self, tag: &str, images: &[Image], provenance: Option<Provenance<'_>>) -> String {
        let mut manifests: Vec<Value> = images.iter().map(|image| self.add_platform(image)).collect();
        if let Some(provenance) = provenance {
            let attestations: Vec<Value> =
                manifests.iter().map(|image| self.add_attestation(image, provenance)).collect();
            manifests.extend(attestations);
        }
        let docker = images.iter().all(|image| image.format == Format::Docker);
        let media_type = if docker { DOCKER_LIST } else { OCI_INDEX };
        let index = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests });
        let descriptor = self.add_blob(media_type, to_bytes(&index));
        self.add_tag(tag, descriptor)
    }

    /// Adds any bytes as a blob and gives their descriptor.
    pub(crate) fn add_blob(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let descriptor = descriptor(media_type, &bytes);
        self.blobs.insert(text_of(&descriptor["digest"]), bytes);
        descriptor
    }

    /// Names a descriptor in `index.json` and gives its digest.
    pub(crate) fn add_tag(&mut self, tag: &str, mut descriptor: Value) -> String {
        descriptor["annotations"]["org.opencontainers.image.ref.name"] = json!(tag);
        let digest = text_of(&descriptor["digest"]);
        self.manifests.push(descriptor);
        digest
    }

    /// The bytes stored under `digest`.
    pub(crate) fn blob(&self, digest: &str) -> &[u8] {
        &self.blobs[digest]
    }

    /// Changes the bytes stored under `digest`, which keeps its name.
    pub(crate) fn corrupt(&mut self, digest: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(self.blobs.get_mut(digest).expect("the blob exists"));
    }

    /// All files of the layout by their path.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": self.manifests });
        let blobs = self.blobs.iter().map(|(digest, bytes)| (blob_path(digest), bytes.clone()));
        let fixed = [
            ("index.json".to_owned(), to_bytes(&index)),
            ("oci-layout".to_owned(), to_bytes(&json!({ "imageLayoutVersion": "1.0.0" }))),
        ];
        blobs.chain(fixed).collect()
    }

    /// Writes the layout as a folder.
    pub(crate) fn write_to(&self, folder: &Path) {
        for (path, bytes) in self.files() {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("the folder can be made");
            fs::write(path, bytes).expect("the file can be written");
        }
    }

    /// Writes the image or index `digest` as a folder in skopeo's `dir:` form, the only one in which it pushes Docker's
    /// own media types unchanged.
    pub(crate) fn write_skopeo_dir(&self, digest: &str, folder: &Path) {
        let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("the file can be written");
        fs::create_dir_all(folder).expect("the folder can be made");
        write("version", b"Directory Transport Version: 1.1\n");
        write("manifest.json", self.blob(digest));
        for (digest, bytes) in &self.blobs {
            write(hex_of(digest), bytes);
            write(&format!("{}.manifest.json", hex_of(digest)), bytes);
        }
    }

    /// The layout as a tar, which is what `oci-archive:` reads.
    pub(crate) fn archive(&self) -> Vec<u8> {
        archive_of(self.files())
    }

    fn add_image(&mut self, image: &Image) -> Value {
        for layer in &image.layers {
            self.add_blob(&layer.media_type, layer.blob.clone());
        }
        self.add_blob(OCI_CONFIG, image.config_bytes());
        let manifest = image.manifest();
        self.add_blob(&text_of(&manifest["mediaType"]), to_bytes(&manifest))
    }

    fn add_platform(&mut self, image: &Image) -> Value {
        let mut descriptor = self.add_image(image);
        for name in ["os", "architecture", "variant"] {
            if !image.config[name].is_null() {
                descriptor["platform"][name] = image.config[name].clone();
            }
        }
        descriptor
    }

    fn add_attestation(&mut self, image: &Value, (version, predicate): Provenance<'_>) -> Value {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v0.1", "subject": [],
            "predicateType": format!("https://slsa.dev/provenance/{version}"), "predicate": predicate,
        });
        let mut layer = self.add_blob("application/vnd.in-toto+json", to_bytes(&statement));
        layer["annotations"]["in-toto.io/predicate-type"] = statement["predicateType"].clone();
        let rootfs = json!({ "type": "layers", "diff_ids": [layer["digest"]] });
        let config = json!({ "architecture": "unknown", "os": "unknown", "config": {}, "rootfs": rootfs });
        let config = self.add_blob(OCI_CONFIG, to_bytes(&config));
        let manifest = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer] });
        let mut descriptor = self.add_blob(OCI_MANIFEST, to_bytes(&manifest));
        descriptor["platform"] = platform_value("unknown/unknown");
        descriptor["annotations"]["vnd.docker.reference.type"] = json!("attestation-manifest");
        descriptor["annotations"]["vnd.docker.reference.digest"] = image["digest"].clone();
        descriptor
    }
}

fn archive_of(files: BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        append(&mut builder, &path, &bytes);
    }
    builder.into_inner().expect("writing to memory does not fail")
}

fn append(builder: &mut tar::Builder<Vec<u8>>, path: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    header.set_size(u64::try_from(bytes.len()).expect("test files are small"));
    builder.append_data(&mut header, path, bytes).expect("writing to memory does not fail");
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest_of(bytes), "size": bytes.len() })
}

fn platform_value(platform: &str) -> Value {
    let mut fields = serde_json::Map::new();
    for (name, value) in ["os", "architecture", "variant"].iter().zip(platform.split('/')) {
        fields.insert((*name).to_owned(), json!(value));
    }
    Value::Object(fields)
}

fn blob_path(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}

fn hex_of(digest: &str) -> &str {
    digest.split_once(':').map_or(digest, |(_, hex)| hex)
}

/// Adds to an array, which comes into being with its first value.
fn push(array: &mut Value, value: Value) {
    if array.is_null() {
        *array = json!([]);
    }
    array.as_array_mut().expect("an array or nothing").push(value);
}

fn to_bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("a JSON value can be written")
}

fn text_of(value: &Value) -> String {
    value.as_str().expect("a text in JSON").to_owned()
}
