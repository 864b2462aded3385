//! A checkout, images to hold against it, and the call of `verify` inside of it.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::builders::Buildah;
use crate::support::cli::{Outcome, Shipproof, statuses};
use crate::support::git::Repo;
use crate::support::images::{Image, Layout};
use crate::support::layers::Layer;

/// A repository and the images that a test makes.
pub(crate) struct Scene {
    pub(crate) repo: Repo,
    pub(crate) images: TempDir,
}

impl Scene {
    /// A repository whose only commit has the files of `text`.
    pub(crate) fn new(text: &str) -> Self {
        Self::of(Repo::with(text))
    }

    /// Around a repository that exists.
    pub(crate) fn of(repo: Repo) -> Self {
        Self { repo, images: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Writes an image as an OCI layout and gives its reference.
    pub(crate) fn image(&self, image: &Image) -> String {
        self.layout(|layout| layout.tag("v1", image))
    }

    /// Writes an index over `images` and gives its reference.
    pub(crate) fn index(&self, images: &[Image]) -> String {
        let nothing = serde_json::json!({ "builder": { "id": "" } });
        self.layout(|layout| layout.tag_index("v1", images, Some(("v0.2", &nothing))))
    }

    fn layout(&self, fill: impl FnOnce(&mut Layout) -> String) -> String {
        let mut layout = Layout::new();
        let digest = fill(&mut layout);
        let folder = self.images.path().join(digest.replace(':', "-"));
        layout.write_to(&folder);
        format!("oci:{}:v1", folder.display())
    }

    /// `shipproof verify IMAGE`, with more arguments, in the checkout.
    pub(crate) fn verify(&self, image: &str, arguments: &[&str]) -> Outcome {
        self.verify_in("", image, arguments)
    }

    /// The same in a directory of the checkout.
    pub(crate) fn verify_in(&self, directory: &str, image: &str, arguments: &[&str]) -> Outcome {
        let shipproof = Shipproof::new().directory(self.repo.path().join(directory));
        shipproof.run(&[&["verify", image][..], arguments].concat())
    }

    /// The report of `shipproof verify IMAGE`, which must have this verdict.
    pub(crate) fn report(&self, image: &str, arguments: &[&str], verdict: &str) -> Value {
        self.verify(image, &[&["--format", "json"][..], arguments].concat()).verdict(verdict)
    }
}

/// A storage of buildah with a base image, `localhost/base`, that has what base images have.
pub(crate) fn buildah_with_base() -> Option<Buildah> {
    let buildah = Buildah::new()?;
    let base = Repo::with(
        "f Dockerfile 0644 FROM scratch\\nCOPY root/ /\\nENV PATH=/usr/bin\\n
         f root/etc/os-release 0644 PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\\n
         f root/usr/bin/python 0755 \\x7fELF not really
         f root/usr/lib/python3/site-packages/requests/__init__.py 0644
         f root/usr/lib/python3/site-packages/requests/utils.py 0644 def quote(text):\\n    return text.strip()\\n
         f root/usr/share/doc/LICENSE 0644 Apache License, Version 2.0, January 2004, as everyone has it\\n
         d root/srv/app
         f root/srv/app/.keep 0644
         l root/linked -> srv/app",
    );
    buildah.build(&base.path(), "base", &["--layers=false"]);
    Some(buildah)
}

/// Lines for files that say their own name, long enough for inference to look at them.
pub(crate) fn files(paths: &[&str]) -> String {
    paths.iter().map(|path| format!("f {path} 0644 # this is the file {path} and no other\\n\n")).collect()
}

/// The lines of `text` with their paths below `directory`, as a layer has what a repository has at its top.
pub(crate) fn below(directory: &str, text: &str) -> String {
    let line = |line: &str| {
        let (letter, rest) = line.split_once(' ').expect("a line has a path");
        format!("{letter} {directory}/{rest}\n")
    };
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(line).collect()
}

/// The findings as `path status` words, in the report's order.
pub(crate) fn findings(report: &Value) -> Vec<String> {
    statuses(report).into_iter().map(|(path, status)| format!("{path} {status}")).collect()
}

/// The origins of the report's mappings, each once.
pub(crate) fn origins(report: &Value) -> Vec<String> {
    let mappings = report["mappings"].as_array().expect("a report has mappings");
    let mut origins: Vec<String> = mappings.iter().map(|mapping| text(&mapping["origin"])).collect();
    origins.sort();
    origins.dedup();
    origins
}

/// The mappings as `image=repo` words.
pub(crate) fn mappings(report: &Value) -> Vec<String> {
    let mappings = report["mappings"].as_array().expect("a report has mappings");
    mappings.iter().map(|mapping| format!("{}={}", text(&mapping["image"]), text(&mapping["repo"]))).collect()
}

/// The text of a JSON string, or the JSON itself.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An image with a base and `/app` as its working directory, on which BuildKit ran `steps`: instruction and layer.
pub(crate) fn buildkit(steps: &[(&str, &str)]) -> Image {
    let image = based().empty_step("WORKDIR /app").workdir("/app");
    steps.iter().fold(image, |image, (step, layer)| image.layer(&format!("{step} # buildkit"), Layer::text(layer)))
}

/// The same by docker before BuildKit, whose history tells destinations and hashes: kind, destination and layer.
pub(crate) fn legacy(steps: &[(&str, &str, &str)]) -> Image {
    const HASH: &str = "a9eeb7ae2a8c561509cffa3b6b350f38a3eeb08a2c1650dc87f95721041a8410";
    let image = based().empty_step("/bin/sh -c #(nop) WORKDIR /app").workdir("/app");
    steps.iter().fold(image, |image, (kind, to, layer)| {
        image.layer(&format!("/bin/sh -c #(nop) COPY {kind}:{HASH} in {to} "), Layer::text(layer))
    })
}

/// An image of one layer, by a builder that tells nothing about files.
pub(crate) fn untold(layer: &str) -> Image {
    Image::new().layer("bazel build ...", Layer::text(layer))
}

fn based() -> Image {
    let layer = "f etc/os-release 0644 PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\\n
        f usr/lib/python3/__init__.py 0644
        f usr/lib/python3/site-packages/requests/utils.py 0644 def quote(text):\\n    return text.strip()\\n";
    Image::new().layer("# debian.sh --arch 'amd64' out/ 'bookworm'", Layer::text(layer))
}
