//! A registry that counts, an image of three layers, and somebody who looks at it again and again.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::artifact_registry::{ArtifactRegistry, Phase};
use crate::support::cli::{Outcome, Shipproof};
use crate::support::git::Repo;
use crate::support::images::{Image, Layout};
use crate::support::layers::Layer;
use crate::support::scene::{below, files};
use crate::support::tools;

/// A base of some files.
pub(crate) fn base() -> Layer {
    Layer::text(&files(&["etc/os-release", "usr/lib/python3/site.py"]))
}

/// What git has of the application.
pub(crate) fn application() -> String {
    files(&["main.py", "shared/beat.py"])
}

/// `base` below the application, and a last layer that says `what`.
pub(crate) fn image(what: &str) -> Image {
    let app = Layer::text(&format!("d app 0755\nd app/shared 0755\n{}", below("app", &application())));
    let last = Layer::text(&format!("f etc/build 0644 {what}\\n"));
    let image = Image::new().layer("ADD rootfs /", base()).layer("RUN --mount=x echo > /etc/x", last);
    image.workdir("/app").layer("COPY . . # buildkit", app)
}

/// The registry, and whoever asks it.
pub(crate) struct Stage {
    pub(crate) registry: ArtifactRegistry,
    user: Shipproof,
    layout: TempDir,
    _repo: Repo,
    seen: Cell<usize>,
}

/// What was asked of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) manifests: usize,
    pub(crate) blobs: usize,
}

impl Stage {
    /// With [`image`] of `one` as `v1`.
    pub(crate) fn new() -> Self {
        let layout = tempfile::tempdir().expect("a temporary folder");
        Layout::with("v1", &image("one")).write_to(layout.path());
        let registry = ArtifactRegistry::serve(layout.path());
        let repo = Repo::with(&application());
        let user = Shipproof::new().directory(repo.path());
        let docker = user.home().join(".docker");
        fs::create_dir(&docker).expect("the folder can be made");
        tools::write_private(&docker.join("config.json"), registry.docker_config());
        Self { registry, user, layout, _repo: repo, seen: Cell::new(0) }
    }

    /// Lets the registry hold these images from now on.
    pub(crate) fn holds(&self, layout: &Layout) {
        layout.write_to(self.layout.path());
    }

    /// The folder of the cache, where none is named.
    pub(crate) fn folder(&self) -> PathBuf {
        self.user.home().join(".cache/shipproof")
    }

    /// Every entry of the cache.
    pub(crate) fn entries(&self) -> Vec<PathBuf> {
        let list = |folder: &Path| -> Vec<PathBuf> {
            let entries = fs::read_dir(folder).into_iter().flatten();
            entries.map(|entry| entry.expect("the cache can be listed").path()).collect()
        };
        let mut entries: Vec<_> =
            list(&self.folder()).iter().filter(|path| path.is_dir()).flat_map(|path| list(path)).collect();
        entries.sort();
        entries
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.user.run(arguments)
    }

    pub(crate) fn command(&self) -> std::process::Command {
        self.user.command()
    }

    /// `verify` of the tag, as a report for programs.
    pub(crate) fn verify(&self, tag: &str, more: &[&str]) -> Outcome {
        let reference = self.registry.reference(tag);
        self.run(&[&["verify", &reference, "--verbose", "--format", "json"], more].concat())
    }

    /// What was asked since the last call.
    pub(crate) fn asked(&self) -> Asked {
        let all = self.registry.recorded();
        let new = &all[self.seen.replace(all.len())..];
        let count =
            |phase: Phase| new.iter().filter(|recorded| recorded.phase == phase && recorded.status < 400).count();
        Asked { manifests: count(Phase::Manifest), blobs: count(Phase::Blob) }
    }
}
