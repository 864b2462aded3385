//! One image in three forms, a registry that counts, and a repository that the image departs from in every way.

use std::cell::Cell;
use std::fs;
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::artifact_registry::{ArtifactRegistry, Phase};
use crate::support::cli::{Outcome, Shipproof};
use crate::support::estargz::Estargz;
use crate::support::git::Repo;
use crate::support::images::{Image, Layout};
use crate::support::layers::{Compression, Layer};
use crate::support::random::Random;
use crate::support::scene::below;
use crate::support::tools;

/// Files of the base, and bytes that the largest of them has: a twentieth of what a base of Debian with Python has, and
/// as incompressible as the wheels in it.
const BASE_FILES: usize = 300;
const BASE_BYTES: usize = 24_000;

/// A base as real ones are: many files that git knows nothing of.
fn base() -> Layer {
    static BASE: LazyLock<Layer> = LazyLock::new(new_base);
    BASE.clone()
}

fn new_base() -> Layer {
    let mut random = Random::new(5);
    let mut builder = tar::Builder::new(Vec::new());
    for number in 0..BASE_FILES {
        let bytes = {
            let count = random.below(BASE_BYTES);
            random.bytes(count)
        };
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let name = format!("usr/lib/python3/dist-packages/package{}/module{number}.so", number / 20);
        builder.append_data(&mut header, name, &bytes[..]).expect("writing to memory does not fail");
    }
    Layer::tar(builder.into_inner().expect("writing to memory does not fail"), Compression::Gzip)
}

/// What git has in the end.
pub(crate) const NOW: &str = "f main.py 0644 print('main program')  # long\\n
    f run.sh 0755 #!/bin/sh\\n
    f stale.py 0644 version two\\n
    f modified.py 0644 as committed\\n
    f absent.py 0644 not in the image\\n
    f empty.py 0644
    f crlf.txt 0644 one\\ntwo\\n
    f hard.py 0644 shared by two names of the same file\\n
    f moved/here.py 0644 # here is where this was moved\\n
    l link.py -> main.py
    f .gitattributes 0644 crlf.txt text eol=crlf\\n";

/// What `main.py` was at first; a copy of it is among the installed packages.
const OLD: &str = "print('the program as it was at first')\\n";

/// What the image has: the second layer of the application takes away what the first brought.
pub(crate) fn image() -> Image {
    let first = "d app 0755
        f app/main.py 0644 print('main program')  # long\\n
        f app/run.sh 0755 #!/bin/sh\\n
        f app/stale.py 0644 version one\\n
        f app/absent.py 0644 not in the image\\n
        f app/old/gone.py 0644 gone\\n
        f app/hard.py 0644 shared by two names of the same file\\n
        h app/hard2.py -> app/hard.py
        l app/link.py -> main.py";
    let second = "d app 0755
        w app/.wh.absent.py
        d app/old 0755
        w app/old/.wh..wh..opq
        f app/modified.py 0644 as changed by hand\\n
        f app/untracked.py 0644 never committed\\n
        f app/empty.py 0644
        f app/crlf.txt 0644 one\\x0d\\ntwo\\x0d\\n
        f app/.gitattributes 0644 crlf.txt text eol=crlf\\n
        f app/moved/here.py 0644 # here is where this was moved\\n";
    let base = Image::new().layer("ADD rootfs /", base()).workdir("/app");
    let copy = Layer::text(&format!("f usr/lib/python3/dist-packages/main.py 0644 {OLD}"));
    let base = base.layer("RUN pip install .", copy);
    base.layer("COPY . . # buildkit", Layer::text(first)).layer("COPY . . # buildkit", Layer::text(second))
}

/// The registry, and whoever asks it.
pub(crate) struct Stage {
    pub(crate) registry: ArtifactRegistry,
    pub(crate) repo: Repo,
    user: Shipproof,
    folder: TempDir,
    seen: Cell<usize>,
}

impl Stage {
    /// With nothing in the registry.
    pub(crate) fn new() -> Self {
        Self::of(Repo::new())
    }

    /// The same with a repository that has no commits yet.
    pub(crate) fn of(mut repo: Repo) -> Self {
        repo.write(&format!("{NOW}\nf stale.py 0644 version one\\n\nf main.py 0644 {OLD}"));
        repo.commit("First");
        repo.write(NOW);
        repo.commit("Second");
        Self::around(repo)
    }

    /// The same with a repository as it is.
    pub(crate) fn around(repo: Repo) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Layout::new().write_to(folder.path());
        let registry = ArtifactRegistry::serve(folder.path());
        let user = Shipproof::new().directory(repo.path());
        registry.log_in(&user);
        Self { registry, repo, user, folder, seen: Cell::new(0) }
    }

    /// Lets the registry hold `image` as `v1`.
    pub(crate) fn holds(&self, image: &Image) -> &Self {
        Layout::with("v1", image).write_to(self.folder.path());
        self
    }

    /// Lets the registry hold `image` as skopeo converts it to zstd:chunked; `false` where there is no skopeo.
    pub(crate) fn holds_chunked(&self, image: &Image) -> bool {
        if tools::require(tools::SKOPEO).is_none() {
            return false;
        }
        let gzip = tempfile::tempdir().expect("a temporary folder");
        Layout::with("v1", image).write_to(gzip.path());
        fs::remove_dir_all(self.folder.path()).expect("the folder is there");
        let mut command = tools::command("skopeo", gzip.path());
        command.args(["--insecure-policy", "copy", "--quiet", "--dest-compress-format", "zstd:chunked"]);
        tools::run(
            command
                .arg(format!("oci:{}:v1", gzip.path().display()))
                .arg(format!("oci:{}:v1", self.folder.path().display())),
        );
        true
    }

    /// The folder with the registry's image.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        let reference = self.registry.reference("v1");
        let arguments: Vec<&str> =
            arguments.iter().map(|word| if *word == "IMAGE" { reference.as_str() } else { word }).collect();
        self.user.run(&arguments)
    }

    /// The report of `verify` and the bytes that it took of the layers, without a cache.
    pub(crate) fn verify(&self, more: &[&str]) -> (Value, usize) {
        self.bytes();
        let outcome = self.run(&[&["verify", "IMAGE", "--format", "json", "--verbose", "--no-cache"], more].concat());
        (outcome.json(), self.bytes())
    }

    /// Bytes of blobs since the last call.
    pub(crate) fn bytes(&self) -> usize {
        let all = self.registry.recorded();
        let new = &all[self.seen.replace(all.len())..];
        new.iter().filter(|recorded| recorded.phase == Phase::Download).map(|recorded| recorded.bytes).sum()
    }
}

/// The image as eStargz, with files in more than one part.
pub(crate) fn estargz(image: Image) -> Image {
    image.with_layers(|layer| Estargz { chunk: 8_000, ..Estargz::default() }.convert(layer))
}

/// The image as eStargz, with `edit` done to each table.
pub(crate) fn edited(image: Image, edit: &dyn Fn(&mut Value)) -> Image {
    image.with_layers(|layer| Estargz { edit, ..Estargz::default() }.convert(layer))
}

/// Changes a field of the entry `name` of a table.
pub(crate) fn set(table: &mut Value, name: &str, field: &str, value: &Value) {
    let entries = table["entries"].as_array_mut().expect("a table has entries");
    let entry = entries.iter_mut().find(|entry| entry["name"] == name).expect("it is there");
    entry[field] = value.clone();
}

/// A small image of an application alone.
pub(crate) fn application(text: &str) -> Image {
    Image::new()
        .workdir("/app")
        .layer("COPY . . # buildkit", Layer::text(&format!("d app 0755\n{}", below("app", text))))
}
