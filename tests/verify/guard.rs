//! A guard against false matches: images that differ from git by a random change or two, and never a match.
//!
//! `SHIPPROOF_SEED=N` repeats a run.

use shipproof::compare::{Status, Strictness};
use shipproof::layer::Effort;
use shipproof::mapping::Request;
use shipproof::path::{ImagePath, RepoPath};
use shipproof::repo::Repository;
use shipproof::select::Selection;
use shipproof::verify::{Against, Options, Verification, verify};

use crate::scene::{buildkit, untold};
use crate::support::git::Repo;
use crate::support::images::Image;
use crate::support::layers::Layer;
use crate::support::memory::Memory;
use crate::support::random::given_seed;

const ROUNDS: usize = 300;
const PATHS: [&str; 12] = [
    "main.py",
    "run.sh",
    "requirements.txt",
    "api/__init__.py",
    "api/routes.py",
    "api/v1/users.py",
    "api/v1/Items.py",
    "shared/util.py",
    "shared/monitoring/beat.py",
    "shared/monitoring/logs.py",
    "static/index.html",
    "static/app.js",
];

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

fn head() -> Against {
    Against::Revision("HEAD".to_owned())
}

fn judge(
    repository: &Repository,
    against: Against,
    image: &Image,
    mapped: Mapped,
    strictness: Strictness,
) -> Verification {
    let maps = match mapped {
        Mapped::Flag => vec![(ImagePath::clean(b"app"), RepoPath::root())],
        _ => Vec::new(),
    };
    let options = Options {
        platforms: Vec::new(),
        against,
        mapping: Request { maps, ..Request::default() },
        selection: Selection::default(),
        depth: shipproof::verify::Depth::Differences,
        strictness,
        effort: Effort::default(),
        trust_tables: false,
        said: Vec::new(),
    };
    verify(&Memory::of(image), repository, &options).expect("there is enough to compare")
}

fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    given_seed().unwrap_or(u64::from(now.subsec_nanos()) ^ now.as_secs())
}

#[test]
fn no_change_is_ever_a_match() {
    let repo = Repo::with(&original().iter().map(|file| file.line("")).collect::<String>());
    let repository = Repository::open(&repo.path()).expect("it was just made");
    let all = [Mapped::Flag, Mapped::History, Mapped::Inferred];
    for mapped in all {
        for corrected in [false, true] {
            let good = image(&original(), corrected, mapped);
            let verification = judge(&repository, head(), &good, mapped, Strictness::Strict);
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
            let agrees = judge(&repository, head(), &image, mapped, strictness).agrees();
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

/// How many single changes are tried.
const CHANGED: usize = 5000;

/// What may happen to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Single {
    FlipByte,
    InsertByte,
    FlipMode,
    FlipName,
    Drop,
    Add,
}

const SINGLES: [Single; 6] =
    [Single::FlipByte, Single::InsertByte, Single::FlipMode, Single::FlipName, Single::Drop, Single::Add];

fn letter(random: &mut Random) -> u8 {
    b'a' + u8::try_from(random.below(26)).expect("a small number")
}

/// Makes one change to one of the files, and gives that one's path.
fn single(files: &mut Vec<File>, change: Single, random: &mut Random) -> String {
    let spot = random.below(files.len());
    let path = files[spot].path.clone();
    match change {
        Single::FlipByte => {
            let at = random.below(files[spot].content.len());
            files[spot].content[at] ^= 1 << random.below(8);
        }
        // A letter is no part of a line's end.
        Single::InsertByte => {
            let at = random.below(files[spot].content.len() + 1);
            files[spot].content.insert(at, letter(random));
        }
        // The one bit that git keeps.
        Single::FlipMode => files[spot].mode ^= 0o100,
        Single::FlipName => {
            let start = path.rfind('/').map_or(0, |slash| slash + 1);
            let at = start + random.below(path.len() - start);
            // Another letter, or none of its kind; the escapes of the text form need none of them.
            let letter = char::from(letter(random));
            let letter = if path[at..].starts_with(letter) { '_' } else { letter };
            files[spot].path.replace_range(at..=at, &letter.to_string());
        }
        Single::Drop => drop(files.remove(spot)),
        Single::Add => files.push(File { path: format!("{path}.new"), ..files[spot].clone() }),
    }
    path
}

#[test]
fn one_changed_bit_of_one_file_is_never_a_match() {
    let repo = Repo::with(&original().iter().map(|file| file.line("")).collect::<String>());
    let repository = Repository::open(&repo.path()).expect("it was just made");
    let seed = seed();
    let mut random = Random(seed);
    for round in 0..CHANGED {
        let change = SINGLES[round % SINGLES.len()];
        let mapped = if random.below(2) == 0 { Mapped::Flag } else { Mapped::History };
        let mut files = original();
        let path = single(&mut files, change, &mut random);
        let image = image(&files, random.below(4) == 0, mapped);
        // The checkout is that of HEAD.
        let against = if random.below(4) == 0 { Against::Worktree } else { head() };
        let told = format!("SHIPPROOF_SEED={seed} round {round}: {change:?} of {path}, {mapped:?}, {against:?}");
        let strict = judge(&repository, against.clone(), &image, mapped, Strictness::Strict);
        assert!(!strict.agrees() && strict.cause().is_some(), "{told}");
        // The findings are the same, so that it is enough to look at some.
        if random.below(4) == 0 {
            let loose = judge(&repository, against, &image, mapped, Strictness::Contents);
            assert_eq!(loose.agrees(), matches!(change, Single::FlipMode | Single::Add), "{told}");
            let listed = loose.findings().filter(|finding| finding.status != Status::Same).count();
            assert_eq!(listed, if change == Single::FlipName { 2 } else { 1 }, "{told}");
        }
    }
}
