//! File systems as real runtimes make them of an image: umoci and podman.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::{Builder, TempDir};

use super::daemon;
use super::images::{Image, Layout};
use super::layers::{Layer, digest_of};
use super::tools;

/// What lies at a path of an unpacked image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unpacked {
    /// `file`, `directory`, `symlink` or `other`.
    pub(crate) kind: &'static str,
    /// Permission bits.
    pub(crate) mode: u32,
    /// Bytes of a file, otherwise 0.
    pub(crate) size: u64,
    /// The target of a symlink.
    pub(crate) target: Option<Vec<u8>>,
    /// `sha256:<hex>` of a file.
    pub(crate) sha256: Option<String>,
}

/// Everything in an image by its path (`app/main.py`, no slash in front); the root itself is left out.
pub(crate) type Tree = BTreeMap<Vec<u8>, Unpacked>;

/// What became of an image: a file system, or words against it.
pub(crate) type Made = Result<Tree, String>;

/// The image as `umoci unpack` understands its layers.
///
/// # Panics
/// When umoci refuses the image.
pub(crate) fn umoci_unpack(layout: &Path, tag: &str) -> Option<Tree> {
    Some(try_umoci_unpack(layout, tag)?.unwrap_or_else(|refusal| panic!("umoci refuses {tag}: {refusal}")))
}

/// The image as `umoci unpack` understands its layers, or what it says against them.
pub(crate) fn try_umoci_unpack(layout: &Path, tag: &str) -> Option<Made> {
    tools::require(tools::UMOCI)?;
    let folder = memory_folder();
    let bundle = folder.path().join("bundle");
    let mut command = tools::command("umoci", folder.path());
    command.arg("unpack").args((!tools::is_root()).then_some("--rootless"));
    let output = tools::output(command.arg("--image").arg(format!("{}:{tag}", layout.display())).arg(&bundle));
    if !output.status.success() {
        return Some(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Some(Ok(tree_at(&bundle.join("rootfs"))))
}

/// The images as podman understands their layers, or what it says against them. `None` and a line that says what is
/// missing, where something is (podman has to be root's).
pub(crate) fn podman_unpack(images: &[&Image]) -> Option<Vec<Made>> {
    let there = tools::require_all(&[tools::PODMAN, tools::RUNC]) && tools::require_root();
    there.then(|| independent(images).into_iter().flat_map(unpack_together).collect())
}

/// Cuts `images` where a layer comes again on top of others than before: podman 4.3 makes it from what it unpacked
/// then, and follows symbolic links out of its root while it does.
fn independent<'s, 'i>(mut images: &'s [&'i Image]) -> Vec<&'s [&'i Image]> {
    let mut parts = Vec::new();
    while !images.is_empty() {
        let mut below: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let is_new = |image: &&&Image| {
            let digests: Vec<String> = image.layers().iter().map(Layer::digest).collect();
            let seen: Vec<_> = digests.iter().enumerate().map(|(at, digest)| (digest, &digests[..at])).collect();
            let new = seen.iter().all(|(digest, others)| below.get(*digest).is_none_or(|known| known == others));
            seen.iter().for_each(|(digest, others)| drop(below.insert((*digest).clone(), others.to_vec())));
            new
        };
        let count = images.iter().take_while(is_new).count().max(1);
        let (part, rest) = images.split_at(count);
        parts.push(part);
        images = rest;
    }
    parts
}

/// Unpacks images in one storage.
fn unpack_together(images: &[&Image]) -> Vec<Made> {
    let folder = memory_folder();
    daemon::write_settings(folder.path());
    let pulled: Vec<Result<String, String>> = images.iter().map(|image| pull(folder.path(), image)).collect();
    let ids: Vec<&String> = pulled.iter().flatten().collect();
    // One image that cannot be mounted would take the others with it.
    let together = mount(folder.path(), &ids).unwrap_or_default();
    let tree = |id: &String| match together.get(id) {
        Some(root) => Ok(tree_at(root)),
        None => mount(folder.path(), &[id]).map(|alone| tree_at(&alone[id])),
    };
    pulled.iter().map(|id| id.as_ref().map_err(Clone::clone).and_then(tree)).collect()
}

/// Pulls the image into podman's storage in `folder` and gives its id.
fn pull(folder: &Path, image: &Image) -> Result<String, String> {
    // `podman pull oci:…` refuses folders with upper-case letters, which temporary folders have: hence no path.
    let layout = folder.join("layout");
    Layout::with("v1", image).write_to(&layout);
    let pulled = succeeded(daemon::command(folder).args(["pull", "--quiet", "oci:layout:v1"]));
    fs::remove_dir_all(&layout).expect("it was just written");
    pulled
}

/// The folders with the file systems of images, by their ids.
fn mount(folder: &Path, ids: &[&String]) -> Result<BTreeMap<String, PathBuf>, String> {
    let json = succeeded(daemon::command(folder).args(["image", "mount", "--format", "json"]).args(ids))?;
    let mounts: Vec<Value> = serde_json::from_str(&json).expect("podman writes JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    Ok(mounts.iter().map(|mount| (text(&mount["id"]), text(&mount["mountpoint"]).into())).collect())
}

/// A temporary folder in memory where there is one: both programs wait for the disk, podman after each step.
fn memory_folder() -> TempDir {
    let folder = Builder::new().prefix("unpacked").tempdir_in("/dev/shm").or_else(|_| Builder::new().tempdir());
    folder.expect("a temporary folder")
}

/// What `command` writes, or what it says against it.
fn succeeded(command: &mut Command) -> Result<String, String> {
    let output = tools::output(command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Everything below the folder `root`.
fn tree_at(root: &Path) -> Tree {
    let mut found = BTreeMap::new();
    list(root, root, &mut found);
    found
}

fn list(root: &Path, folder: &Path, found: &mut Tree) {
    for entry in fs::read_dir(folder).expect("an unpacked folder can be read") {
        let path = entry.expect("an unpacked folder can be read").path();
        let metadata = path.symlink_metadata().expect("a listed entry exists");
        let name = path.strip_prefix(root).expect("it lies in the root").as_os_str().as_bytes().to_vec();
        found.insert(name, unpacked(&path, &metadata));
        if metadata.is_dir() {
            list(root, &path, found);
        }
    }
}

fn unpacked(path: &Path, metadata: &Metadata) -> Unpacked {
    let mode = metadata.permissions().mode() & 0o7777;
    let empty = Unpacked { kind: "other", mode, size: 0, target: None, sha256: None };
    if metadata.is_dir() {
        Unpacked { kind: "directory", ..empty }
    } else if metadata.is_symlink() {
        let target = fs::read_link(path).expect("it is a symlink").as_os_str().as_bytes().to_vec();
        Unpacked { kind: "symlink", target: Some(target), ..empty }
    } else if metadata.is_file() {
        let content = fs::read(path).expect("an unpacked file can be read");
        Unpacked { kind: "file", size: metadata.len(), sha256: Some(digest_of(&content)), ..empty }
    } else {
        empty
    }
}
