//! Images made by the real tools: buildah and skopeo.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

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
