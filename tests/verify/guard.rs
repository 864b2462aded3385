//! A guard against false matches: images that differ from git by a random change or two, and never a match.
//!
//! `SHIPPROOF_SEED=N` repeats a run.

use std::io::{Cursor, Read};

use shipproof::compare::Strictness;
use shipproof::descriptor::Descriptor;
use shipproof::digest::Digest;
use shipproof::layer::Effort;
use shipproof::mapping::Request;
use shipproof::path::{ImagePath, RepoPath};
use shipproof::repo::Repository;
use shipproof::select::Selection;
use shipproof::source::{RawManifest, Source, SourceError};
use shipproof::verify::{Against, Options, Verification, verify};

use crate::scene::{buildkit, untold};
use crate::support::git::Repo;
use crate::support::images::{Image, Layout};
use crate::support::layers::Layer;

const ROUNDS: usize = 300;
const PATHS: [&str; 12] = [
    "main.py",
    "run.sh",
    "requirements.txt",
    "api/__init__.py",
    "api/routes.py",
    "api/v1/users.py",
    "api/v1/items.py",
    "shared/util.py",
    "shared/monitoring/beat.py",
    "shared/monitoring/logs.py",
    "static/index.html",
    "static/app.js",
];

/// An image in memory.
struct Memory {
    layout: Layout,
    root: String,
}

impl Memory {
    fn of(image: &Image) -> Self {
        let mut layout = Layout::new();
        let root = layout.tag("v1", image);
        Self { layout, root }
    }

    fn bytes(&self, digest: &Digest) -> Vec<u8> {
        self.layout.blob(&digest.to_string()).to_vec()
    }
}

impl Source for Memory {
    fn root(&self) -> Result<RawManifest, SourceError> {
        let digest: Digest = self.root.parse().expect("the digest of a blob");
        Ok(RawManifest { bytes: self.bytes(&digest), digest })
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        Ok(self.bytes(&descriptor.digest))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        Ok(Box::new(Cursor::new(self.bytes(&descriptor.digest))))
    }

    fn pinned(&self, digest: &Digest) -> String {
        format!("memory@{digest}")
    }
}

/// SplitMix64, so that a seed means the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).expect("a small number")).expect("a small number")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    path: String,
    mode: u32,
    content: Vec<u8>,
}

impl File {
    /// A line of a layer or a repository.
    fn line(&self, directory: &str) -> String {
        let content: String = self.content.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("f {directory}{} {:04o} {content}\n", self.path, self.mode)
    }
}

/// One change of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Flip,
    Drop,
    Swap,
    Executable,
    Add,
}

/// How the image is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mapped {
    Flag,
    History,
    Inferred,
}

fn original() -> Vec<File> {
    let file = |path: &&str| File {
        path: (*path).to_owned(),
        mode: if path.ends_with(".sh") { 0o755 } else { 0o644 },
        content: format!("# {path}\nprint('the contents of {path}')\n").into_bytes(),
    };
    PATHS.iter().map(file).collect()
}

const CHANGES: [Change; 5] = [Change::Flip, Change::Drop, Change::Swap, Change::Executable, Change::Add];

/// Changes files, first of all the one at `spot`.
fn change(mut files: Vec<File>, change: Change, spot: usize, random: &mut Random) -> Vec<File> {
    let (one, step) = (spot % files.len(), 1 + random.below(files.len() - 1));
    match change {
        Change::Flip => {
            let at = random.below(files[one].content.len());
            files[one].content[at] ^= 1 << random.below(8);
        }
        Change::Drop => drop(files.remove(one)),
        Change::Swap => {
            let other = (one + step) % files.len();
            let content = files[one].content.clone();
            files[one].content = std::mem::replace(&mut files[other].content, content);
        }
        Change::Executable => files[one].mode ^= 0o111,
        Change::Add => files.push(File { path: format!("shared/new{step}.py"), ..files[one].clone() }),
    }
    files
}

/// An image with these files, and whether that is so in its one layer or by a second layer's corrections.
fn image(files: &[File], corrected: bool, mapped: Mapped) -> Image {
    let lines = |files: &[File]| -> String { files.iter().map(|file| file.line("app/")).collect() };
    let first = if corrected { lines(&original()) } else { lines(files) };
    let image = match mapped {
        Mapped::History => buildkit(&[("COPY . .", &first)]),
        Mapped::Flag | Mapped::Inferred => untold(&first),
    };
    if !corrected {
        return image;
    }
    let differing: Vec<File> = files.iter().filter(|file| !original().contains(file)).cloned().collect();
    let gone = original().into_iter().filter(|file| files.iter().all(|kept| kept.path != file.path));
    let whiteout = |file: File| match file.path.rsplit_once('/') {
        Some((directory, name)) => format!("w app/{directory}/.wh.{name}\n"),
        None => format!("w app/.wh.{}\n", file.path),
    };
    let second = gone.map(whiteout).collect::<String>() + &lines(&differing);
    image.layer("RUN /bin/sh -c something # buildkit", Layer::text(&second))
}

fn judge(repository: &Repository, image: &Image, mapped: Mapped, strictness: Strictness) -> Verification {
    let maps = match mapped {
        Mapped::Flag => vec![(ImagePath::clean(b"app"), RepoPath::root())],
        _ => Vec::new(),
    };
    let options = Options {
        platforms: Vec::new(),
        against: Against::Revision("HEAD".to_owned()),
        mapping: Request { maps, ..Request::default() },
        selection: Selection::default(),
        depth: shipproof::verify::Depth::Differences,
        strictness,
        effort: Effort::default(),
    };
    verify(&Memory::of(image), repository, &options).expect("there is enough to compare")
}

fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    let given = std::env::var("SHIPPROOF_SEED").ok().map(|text| text.parse().expect("SHIPPROOF_SEED is a number"));
    given.unwrap_or(u64::from(now.subsec_nanos()) ^ now.as_secs())
}

#[test]
fn no_change_is_ever_a_match() {
    let repo = Repo::with(&original().iter().map(|file| file.line("")).collect::<String>());
    let repository = Repository::open(&repo.path()).expect("it was just made");
    let all = [Mapped::Flag, Mapped::History, Mapped::Inferred];
    for mapped in all {
        for corrected in [false, true] {
            let good = image(&original(), corrected, mapped);
            let verification = judge(&repository, &good, mapped, Strictness::Strict);
            assert!(verification.agrees() && verification.compared() == PATHS.len(), "{mapped:?} {corrected}");
        }
    }
    let seed = seed();
    let mut random = Random(seed);
    for round in 0..ROUNDS {
        let mapped = all[random.below(all.len())];
        let changes = [(); 2].map(|()| CHANGES[random.below(CHANGES.len())]);
        let changes = &changes[random.below(2)..];
        // Two changes often meet in one file.
        let spot = random.below(PATHS.len());
        let files = changes.iter().fold(original(), |files, one| {
            let spot = if random.below(3) == 0 { random.below(PATHS.len()) } else { spot };
            change(files, *one, spot, &mut random)
        });
        let corrected = random.below(2) == 1;
        let image = image(&files, corrected, mapped);
        for strictness in [Strictness::Strict, Strictness::Contents] {
            let agrees = judge(&repository, &image, mapped, strictness).agrees();
            assert!(
                may_agree(&files, mapped, strictness) || !agrees,
                "SHIPPROOF_SEED={seed} round {round}: {changes:?}, {mapped:?}, {strictness:?}, corrected: {corrected}"
            );
        }
    }
}

/// Whether an image with these files may be a match. What was meant to be copied cannot be inferred, so there a file
/// that is missing may never have been meant.
fn may_agree(files: &[File], mapped: Mapped, strictness: Strictness) -> bool {
    let is = |one: &File, path: &str| one.path == path;
    original().iter().all(|old| match files.iter().find(|file| is(file, &old.path)) {
        None => mapped == Mapped::Inferred,
        Some(file) => file.content == old.content && (strictness == Strictness::Contents || file.mode == old.mode),
    }) && (strictness == Strictness::Contents || files.iter().all(|file| PATHS.iter().any(|path| is(file, path))))
}
