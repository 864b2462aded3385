//! What `shipproof` makes of an image: by its command line, and by the library in this process.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use shipproof::blob::ObjectFormat;
use shipproof::layer::LayerIndex;
use shipproof::path::ImagePath;
use shipproof::tree::{FileTree, Node, NodeKind};

use super::support::cli::Shipproof;
use super::support::layers::{Layer, digest_of};
use super::support::tools;
use super::support::unpacked::{Made, Tree, Unpacked};

/// The tag of the images.
pub(crate) const TAG: &str = "v1";

/// The image `tag` of a layout, as an argument.
pub(crate) fn reference(layout: &Path, tag: &str) -> String {
    format!("oci:{}:{tag}", layout.display())
}

/// What `shipproof ls` says, or the error of its exit.
pub(crate) fn listed(layout: &Path, tag: &str) -> Made {
    let outcome = Shipproof::new().run(&["ls", "--format", "json", &reference(layout, tag)]);
    match outcome.code {
        Some(0) => Ok(entries_of(&outcome.json())),
        Some(2) if outcome.json().get("entries").is_none() => Err(outcome.stderr),
        _ => panic!("{outcome:#?}"),
    }
}

fn entries_of(report: &Value) -> Tree {
    let entries = report["entries"].as_array().expect("a listing has entries");
    entries.iter().map(|entry| (bytes_of(&entry["path"])[1..].to_vec(), entry_of(entry))).collect()
}

fn entry_of(entry: &Value) -> Unpacked {
    let kind = ["file", "directory", "symlink"].into_iter().find(|kind| entry["kind"] == *kind);
    let mode = entry["mode"].as_str().expect("a mode is a text");
    Unpacked {
        kind: kind.unwrap_or("other"),
        mode: u32::from_str_radix(mode, 8).expect("a mode is octal"),
        size: entry["size"].as_u64().unwrap_or(0),
        target: (!entry["link"].is_null()).then(|| bytes_of(&entry["link"])),
        sha256: entry["sha256"].as_str().map(|hex| format!("sha256:{hex}")),
    }
}

/// A path of a report, which is an object where it is not UTF-8.
fn bytes_of(path: &Value) -> Vec<u8> {
    match path.as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => STANDARD.decode(path["bytes"].as_str().expect("bytes in base64")).expect("bytes in base64"),
    }
}

/// The first file of `tree` of which `cat` prints something else.
pub(crate) fn wrong_content(layout: &Path, tag: &str, tree: &Tree) -> Option<String> {
    let shipproof = Shipproof::new();
    let mut files = tree.iter().filter(|(_, entry)| entry.kind == "file");
    let wrong = files.find(|(path, file)| {
        let absolute = [b"/", path.as_slice()].concat();
        let mut command = shipproof.command();
        let output = tools::output(command.arg("cat").arg(reference(layout, tag)).arg(OsStr::from_bytes(&absolute)));
        !output.status.success() || Some(digest_of(&output.stdout)) != file.sha256
    });
    wrong.map(|(path, _)| format!("cat prints something else for {}", path.escape_ascii()))
}

/// What the library makes of an image, without a process.
pub(crate) fn merged(layers: &[Layer]) -> Made {
    let tree = file_tree(layers)?;
    let entry = |(path, id): (ImagePath, _)| (path.as_bytes().to_vec(), node_of(tree.node(id)));
    Ok(tree.all().map(entry).collect())
}

/// The merged file system itself, or the refusal.
pub(crate) fn file_tree(layers: &[Layer]) -> Result<FileTree, String> {
    let mut tree = FileTree::default();
    for (at, layer) in layers.iter().enumerate() {
        let index = LayerIndex::read(&layer.blob[..], ObjectFormat::Sha1).map_err(|fault| fault.to_string())?;
        tree.apply(at, &index).map_err(|error| error.to_string())?;
    }
    Ok(tree)
}

fn node_of(node: &Node) -> Unpacked {
    let empty = Unpacked { kind: "other", mode: node.mode, size: 0, target: None, sha256: None };
    match &node.kind {
        NodeKind::Directory(_) => Unpacked { kind: "directory", ..empty },
        NodeKind::Symlink(target) => Unpacked { kind: "symlink", target: Some(target.to_vec()), ..empty },
        NodeKind::Regular(stored) => {
            let sha256 = Some(format!("sha256:{}", stored.content.sha256_hex()));
            Unpacked { kind: "file", size: stored.content.size, sha256, ..empty }
        }
        NodeKind::Special => empty,
    }
}
