//! Images made and unpacked by the real tools: buildah, skopeo and umoci.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::layers::digest_of;
use super::tools;

/// A buildah with its own storage.
pub(crate) struct Buildah {
    folder: TempDir,
}

impl Buildah {
    /// An empty storage, or `None` and a line that says what is missing (it has to be root's).
    pub(crate) fn new() -> Option<Self> {
        let there = tools::require_all(&[tools::BUILDAH, tools::SKOPEO]) && tools::require_root();
        there.then(|| Self { folder: tempfile::tempdir().expect("a temporary folder") })
    }

    /// Builds `context` by its Dockerfile, with more options of `buildah bud`, into an OCI layout folder; gives that
    /// folder's skopeo reference, `oci:FOLDER:TAG`. Only `FROM scratch` and earlier stages work: there is no network.
    pub(crate) fn build(&self, context: &Path, tag: &str, options: &[&str]) -> String {
        let image = format!("localhost/{tag}");
        let mut build = self.command();
        build.args(["bud", "--isolation", "chroot", "--layers", "--tag", &image]).args(options);
        tools::run(build.arg(context));
        self.push(tag)
    }

    /// Adds a layer to the image `from`: what `change` does in its root, as a `RUN` step would. Calls the result `tag`.
    pub(crate) fn change(&self, from: &str, tag: &str, change: impl FnOnce(&Path)) -> String {
        let container = tools::run_text(self.command().args(["from", &format!("localhost/{from}")]));
        let root = tools::run_text(self.command().args(["mount", &container]));
        change(Path::new(&root));
        tools::run(self.command().args(["umount", &container]));
        tools::run(self.command().args(["commit", "--quiet", "--rm", &container, &format!("localhost/{tag}")]));
        self.push(tag)
    }

    fn push(&self, tag: &str) -> String {
        let layout = format!("oci:{}:{tag}", self.layout().display());
        tools::run(self.command().args(["push", "--quiet", &format!("localhost/{tag}"), &layout]));
        layout
    }

    /// The same as [`Buildah::build`], as a folder and a tag.
    pub(crate) fn layout(&self) -> PathBuf {
        self.folder.path().join("layout")
    }

    fn command(&self) -> Command {
        let mut command = tools::command("buildah", self.folder.path());
        command.current_dir(self.folder.path()).env("BUILDAH_ISOLATION", "chroot").env("TMPDIR", self.folder.path());
        let (root, runroot) = (self.folder.path().join("root"), self.folder.path().join("runroot"));
        command.args(["--storage-driver", "vfs", "--root"]).arg(root).arg("--runroot").arg(runroot);
        command
    }
}

/// Copies an image with skopeo and more options; both ends are skopeo references.
pub(crate) fn skopeo_copy(from: &str, to: &str, options: &[&str]) {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = tools::command("skopeo", home.path());
    tools::run(command.args(["--insecure-policy", "copy", "--quiet"]).args(options).args([from, to]));
}

/// Copies an image into an OCI layout with layers in `format`, `zstd` or `zstd:chunked`.
pub(crate) fn skopeo_recompress(from: &str, to: &str, format: &str) {
    skopeo_copy(from, to, &["--dest-compress", "--dest-compress-format", format]);
}

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

/// The image as `umoci unpack` understands its layers.
///
/// # Panics
/// When umoci refuses the image.
pub(crate) fn umoci_unpack(layout: &Path, tag: &str) -> Option<Tree> {
    Some(try_umoci_unpack(layout, tag)?.unwrap_or_else(|refusal| panic!("umoci refuses {tag}: {refusal}")))
}

/// The image as `umoci unpack` understands its layers, or what it says against them.
pub(crate) fn try_umoci_unpack(layout: &Path, tag: &str) -> Option<Result<Tree, String>> {
    tools::require(tools::UMOCI)?;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bundle = folder.path().join("bundle");
    let mut command = tools::command("umoci", folder.path());
    command.arg("unpack").args((!tools::is_root()).then_some("--rootless"));
    let output = tools::output(command.arg("--image").arg(format!("{}:{tag}", layout.display())).arg(&bundle));
    if !output.status.success() {
        return Some(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let root = bundle.join("rootfs");
    let mut found = BTreeMap::new();
    list(&root, &root, &mut found);
    Some(Ok(found))
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
