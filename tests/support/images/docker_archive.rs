//! What `docker save` writes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Image, Layout, append, archive_of, blob_path, digest_of, hex_of, to_bytes};

/// Which `docker save` wrote an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DockerArchive {
    /// Up to 24: `manifest.json`, `<config>.json` and `<id>/layer.tar`, a symlink for a layer that comes again.
    Old,
    /// From 25: an OCI layout plus `manifest.json`, layers uncompressed. The index has the tag and the full name.
    New,
}

/// What `docker save NAME:TAG` writes for `image`.
pub(crate) fn docker_archive(style: DockerArchive, name: &str, image: &Image) -> Vec<u8> {
    match style {
        DockerArchive::Old => old_docker_archive(name, image),
        DockerArchive::New => new_docker_archive(name, &image.uncompressed()),
    }
}

fn new_docker_archive(name: &str, image: &Image) -> Vec<u8> {
    let tag = name.rsplit_once(':').map_or("latest", |(_, tag)| tag);
    let mut layout = Layout::with(tag, image);
    layout.manifests[0]["annotations"]["io.containerd.image.name"] = json!(format!("docker.io/{name}"));
    let mut files = layout.files();
    let layers = image.layers.iter().map(|layer| blob_path(&layer.digest())).collect();
    let manifest = save_manifest(name, &blob_path(&digest_of(&image.config_bytes())), layers);
    files.insert("manifest.json".to_owned(), to_bytes(&manifest));
    archive_of(files)
}

/// Docker 20.10: a layer's id is no digest of its bytes, and a tar that comes again is a symlink to the first one
/// (moby `image/tarexport/save.go`).
fn old_docker_archive(name: &str, image: &Image) -> Vec<u8> {
    let config = format!("{}.json", hex_of(&digest_of(&image.config_bytes())));
    let mut builder = tar::Builder::new(Vec::new());
    append(&mut builder, &config, &image.config_bytes());
    let mut paths: Vec<String> = Vec::new();
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for layer in &image.layers {
        let id = digest_of(format!("{} {}", paths.last().map_or("", String::as_str), layer.diff_id()).as_bytes());
        let path = format!("{}/layer.tar", hex_of(&id));
        match first.get(&layer.diff_id()) {
            Some(earlier) => append_symlink(&mut builder, &path, &format!("../{earlier}")),
            None => append(&mut builder, &path, &layer.tar),
        }
        first.entry(layer.diff_id()).or_insert_with(|| path.clone());
        append(&mut builder, &format!("{}/VERSION", hex_of(&id)), b"1.0");
        paths.push(path);
    }
    append(&mut builder, "manifest.json", &to_bytes(&save_manifest(name, &config, paths)));
    builder.into_inner().expect("writing to memory does not fail")
}

fn save_manifest(name: &str, config: &str, layers: Vec<String>) -> Value {
    json!([{ "Config": config, "RepoTags": [name], "Layers": layers }])
}

fn append_symlink(builder: &mut tar::Builder<Vec<u8>>, path: &str, target: &str) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_mode(0o777);
    header.set_size(0);
    builder.append_link(&mut header, path, target).expect("writing to memory does not fail");
}
