//! What the commands share: the surroundings of the process, and an image opened and merged.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use etcetera::BaseStrategy as _;

use crate::auth;
use crate::blob::ObjectFormat;
use crate::cache::Cache;
use crate::cli::{CacheArgs, ReadArgs};
use crate::deploy;
use crate::descriptor::Descriptor;
use crate::error::Error;
use crate::image::{self, Image, Opened};
use crate::layer::{self, Effort, Indexes, Kept, LayerIndex, Wanted, Watch};
use crate::lookup;
use crate::path::ImagePath;
use crate::platform::Platform;
use crate::reference::ImageRef;
use crate::report::OneImage;
use crate::source::{self, Source, Tls, TlsMode};
use crate::tree::{self, FileTree, Stored};
use crate::verify;

use super::output::Warnings;

/// Layers read at once unless the user says otherwise: more threads only wait for each other's download.
const MOST_JOBS: usize = 8;

/// Everything that comes from outside of the arguments. Only `main` makes one.
#[derive(Clone)]
pub struct Process {
    /// The runtime for network requests.
    pub runtime: tokio::runtime::Handle,
    /// Where credentials may be found.
    pub credentials: auth::Environment,
    /// Where services may be found.
    pub deploy: deploy::Environment,
    /// `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// Whether colours suit standard output.
    pub stdout_colored: bool,
    /// Whether colours suit standard error.
    pub stderr_colored: bool,
    /// Whether somebody looks at standard error.
    pub stderr_is_terminal: bool,
    /// Whether this is a job of a CI system.
    pub is_ci: bool,
    /// Who is told what happens while images are read.
    pub observer: source::Observer,
    /// What was warned of so far.
    pub warnings: Warnings,
    /// Where programs of this user keep what can be worked out again.
    pub cache_home: Option<PathBuf>,
    /// What was worked out before.
    pub cache: Cache,
    /// Who is told how far reading layers has got.
    pub watch: Watch,
}

impl Process {
    /// The surroundings as they are.
    pub fn here(runtime: tokio::runtime::Handle) -> Self {
        use std::io::IsTerminal as _;
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            runtime,
            credentials: auth::Environment::from_process(),
            deploy: deploy::Environment::from_process(),
            docker_host: std::env::var("DOCKER_HOST").ok(),
            stdout_colored: !plain && std::io::stdout().is_terminal(),
            stderr_colored: !plain && std::io::stderr().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            is_ci: std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false"),
            observer: source::Observer::default(),
            warnings: Warnings::default(),
            cache_home: etcetera::choose_base_strategy().ok().map(|folders| folders.cache_dir()),
            cache: Cache::off(),
            watch: Watch::default(),
        }
    }

    /// The cache that `args` name; none where nothing says where it would be.
    pub(super) fn cache(&self, args: &CacheArgs) -> Cache {
        let usual = || self.cache_home.as_ref().map(|home| home.join(env!("CARGO_PKG_NAME")));
        let folder = args.cache_dir.clone().or_else(usual);
        folder.map_or_else(Cache::off, |folder| Cache::at(folder, args.cache_size.saturating_mul(1 << 20)))
    }
}

/// How much of the machine reading layers may take.
pub(super) fn effort(args: &ReadArgs, process: &Process) -> Effort {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from).min(MOST_JOBS);
    let jobs = args.jobs.map_or_else(processors, usize::from);
    let memory = args.memory.saturating_mul(1 << 20);
    Effort { jobs, memory, cache: process.cache.clone(), watch: process.watch.clone() }
}

/// Opens the place that `text` names.
pub(super) fn open_source(text: &str, args: &ReadArgs, process: &Process) -> Result<Box<dyn Source>, Error> {
    let reference: ImageRef = text.parse()?;
    let mode = match (args.plain_http, args.insecure_skip_tls_verify) {
        (true, _) => TlsMode::Plain,
        (_, true) => TlsMode::SkipVerify,
        _ => TlsMode::Verify,
    };
    let options = source::Options {
        runtime: process.runtime.clone(),
        credentials: auth::Environment { auth_file: args.auth_file.clone(), ..process.credentials.clone() },
        tls: Tls { mode, ca_file: args.ca_file.clone() },
        timeout: Duration::from_secs(args.timeout),
        docker_host: process.docker_host.clone(),
        observer: process.observer.clone(),
        cache: process.cache.clone(),
    };
    Ok(source::open(&reference, &options)?)
}

/// One image of one platform, with its layers read and merged.
pub(super) struct Inspected {
    pub(super) source: Box<dyn Source>,
    pub(super) opened: Opened,
    pub(super) image: Image,
    pub(super) indexes: Indexes,
    pub(super) tree: FileTree,
}

impl Inspected {
    /// The image, which was asked for as `reference`, as reports name it.
    pub(super) fn shown<'a>(&'a self, reference: &'a str) -> OneImage<'a> {
        let warnings = self.source.warnings();
        OneImage { reference, pinned: &self.opened.pinned, platform: &self.image.platform, warnings }
    }

    /// The contents of a file of this image, to be read.
    pub(super) fn wanted(&self, stored: &Stored) -> Wanted<'_> {
        stored.wanted(self.source.as_ref(), &self.image)
    }
}

/// Opens and merges the image that `text` names, for the one platform asked for, or `linux/amd64`, or the first.
pub(super) fn inspect(text: &str, args: &ReadArgs, process: &Process) -> Result<Inspected, Error> {
    choose(text, &args.platforms, args, process)?.read(&Indexes::default(), &effort(args, process))
}

/// The same for whoever wants the files `names`, with their contents as far as they came by. Layers that no answer about
/// these depends on are not read.
pub(super) fn inspect_files(
    text: &str,
    args: &ReadArgs,
    process: &Process,
    names: &[Vec<u8>],
) -> Result<(Inspected, Kept), Error> {
    let (chosen, effort) = (choose(text, &args.platforms, args, process)?, effort(args, process));
    match lookup::fixed_paths(names) {
        Some(paths) => chosen.read_down(&paths, &effort),
        None => chosen.read_keeping(names, &effort),
    }
}

/// Two images for the same platform, which is chosen as in [`inspect`]; layers that they share are read once.
pub(super) fn inspect_two(texts: [&str; 2], args: &ReadArgs, process: &Process) -> Result<[Inspected; 2], Error> {
    let [text, other] = texts;
    let chosen = choose(text, &args.platforms, args, process)?;
    let other = choose(other, std::slice::from_ref(&chosen.image.platform), args, process)?;
    let inspected = chosen.read(&Indexes::default(), &effort(args, process))?;
    let other = other.read(&inspected.indexes, &effort(args, process))?;
    Ok([inspected, other])
}

/// An image of one platform, of which only the manifest and the configuration are read.
struct Chosen {
    source: Box<dyn Source>,
    opened: Opened,
    image: Image,
}

fn choose(text: &str, platforms: &[Platform], args: &ReadArgs, process: &Process) -> Result<Chosen, Error> {
    let source = open_source(text, args, process)?;
    let opened = image::open(source.as_ref(), platforms)?;
    let usual = Platform::linux_amd64();
    let chosen = opened.images.iter().find(|image| usual.accepts(&image.platform)).or(opened.images.first());
    let image = chosen.cloned().ok_or_else(|| image::ImageError::NoImage(opened.pinned.clone()))?;
    Ok(Chosen { source, opened, image })
}

impl Chosen {
    fn layers(&self) -> Vec<&Descriptor> {
        self.image.layers.iter().map(|layer| &layer.descriptor).collect()
    }

    fn read_keeping(self, names: &[Vec<u8>], effort: &Effort) -> Result<(Inspected, Kept), Error> {
        let names: Vec<&[u8]> = names.iter().map(|name| lookup::file_name(name)).collect();
        let (source, layers) = (self.source.as_ref(), self.layers());
        let (indexes, kept) = layer::index_keeping(source, &layers, ObjectFormat::Sha1, effort, &names)?;
        let tree = verify::merge(&self.image, &indexes, effort.memory)?;
        Ok((self.into_inspected(indexes, tree), kept))
    }

    /// Reads layers from the top down until they settle what `paths` are.
    fn read_down(self, paths: &[ImagePath], effort: &Effort) -> Result<(Inspected, Kept), Error> {
        let names: Vec<&[u8]> = paths.iter().filter_map(ImagePath::file_name).collect();
        let count = self.image.layers.len();
        let merged = |upper: &[Arc<LayerIndex>]| FileTree::of(count - upper.len(), upper, effort.memory);
        let mut tree = None;
        let enough = |upper: &[Arc<LayerIndex>]| {
            // A hard link may lead to a lower layer; without that one the others cannot be merged.
            tree = tree::settles(upper, paths).then(|| merged(upper).ok()).flatten();
            tree.is_some()
        };
        let (source, layers) = (self.source.as_ref(), self.layers());
        let upper = layer::index_down(source, &layers, ObjectFormat::Sha1, effort, &names, enough)?;
        let tree = tree.map_or_else(|| merged(&upper.layers), Ok)?;
        let lowest = count - upper.layers.len();
        let indexes = self.image.layers[lowest..].iter().map(image::Layer::digest).zip(upper.layers).collect();
        Ok((self.into_inspected(indexes, tree), upper.kept))
    }

    fn into_inspected(self, indexes: Indexes, tree: FileTree) -> Inspected {
        let Self { source, opened, image } = self;
        Inspected { source, opened, image, indexes, tree }
    }

    /// Reads the layers that are not `known` yet, and merges them all.
    fn read(self, known: &Indexes, effort: &Effort) -> Result<Inspected, Error> {
        let image = &self.image;
        let unknown = image.layers.iter().filter(|layer| !known.contains_key(&layer.digest()));
        let unknown: Vec<_> = unknown.map(|layer| &layer.descriptor).collect();
        let mut indexes = layer::index_all(self.source.as_ref(), &unknown, ObjectFormat::Sha1, effort)?;
        for digest in image.layers.iter().map(image::Layer::digest) {
            if let Some(index) = known.get(&digest) {
                indexes.insert(digest, Arc::clone(index));
            }
        }
        let tree = verify::merge(image, &indexes, effort.memory)?;
        Ok(self.into_inspected(indexes, tree))
    }
}

/// A file that the user named, whole.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File { path: path.to_owned(), verb: "read", source })
}
