//! Images on disk, a folder to write to, and the program between them.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::support::cli::{Outcome, Shipproof};
use super::support::images::{Image, Layout};
use super::support::layers::{Compression, Layer};

/// Images on disk, and a folder to write to.
pub(crate) struct Stage {
    /// The caller, who stands in the folder.
    pub(crate) shipproof: Shipproof,
    /// Holds `layout` and, once written to, `out`.
    pub(crate) folder: TempDir,
}

impl Stage {
    /// A layout with `images` by their tags.
    pub(crate) fn with(images: &[(&str, &Image)]) -> Self {
        let mut layout = Layout::new();
        for (tag, image) in images {
            layout.tag(tag, image);
        }
        Self::of(&layout)
    }

    /// A layout as it is.
    pub(crate) fn of(layout: &Layout) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        layout.write_to(&folder.path().join("layout"));
        Self { shipproof: Shipproof::new().directory(folder.path()), folder }
    }

    /// Runs `command` on the image `v1` of the layout.
    pub(crate) fn run(&self, command: &str, arguments: &[&str]) -> Outcome {
        let image = "oci:layout:v1";
        self.shipproof.run(&[&[command, image], arguments].concat())
    }

    /// Runs `extract` on it, into `out`.
    pub(crate) fn extract(&self, arguments: &[&str]) -> Outcome {
        self.run("extract", &[arguments, &["-o", "out"]].concat())
    }

    /// A path below `out`.
    pub(crate) fn out(&self, path: &str) -> PathBuf {
        self.folder.path().join("out").join(path)
    }

    /// The text of a file below `out`.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.out(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Puts a file below `out`, as if it had been there before.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.out(path);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }

    /// Everything below the folder written to, links not followed.
    pub(crate) fn listing(&self) -> Vec<String> {
        let mut found = Vec::new();
        list(&self.out(""), &self.out(""), &mut found);
        found.sort();
        found
    }
}

fn list(top: &Path, folder: &Path, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        found.push(String::from_utf8_lossy(path.strip_prefix(top).expect("below").as_os_str().as_bytes()).into_owned());
        if path.symlink_metadata().expect("it was listed").is_dir() {
            list(top, &path, found);
        }
    }
}

/// The permission bits of a file, or of a link itself.
pub(crate) fn mode(path: &Path) -> u32 {
    path.symlink_metadata().expect("it is there").permissions().mode() & 0o7777
}

/// An image whose second layer lies about its contents.
pub(crate) fn tampered() -> Layout {
    let lower = Layer::text("f app/honest.py 0644 honest\\n");
    let upper = Layer::tar(Layer::text("f app/main.py 0644 secret\\n").tar, Compression::None);
    let digest = upper.digest();
    let mut layout = Layout::with("v1", &Image::new().layer("COPY 0", lower).layer("COPY 1", upper));
    layout.corrupt(&digest, |bytes| bytes[512] = b'S');
    layout
}
