//! Random images of random histories, held against a slow look at every commit.
//!
//! `SHIPPROOF_SEED=N` tries the history N alone.

use std::collections::BTreeMap;
use std::io::Write as _;

use shipproof::compare::Strictness;
use shipproof::identify::{Fit as Fits, Identity};
use shipproof::mapping::Request;
use shipproof::path::{ImagePath, RepoPath};
use shipproof::repo::{Repository, Settings};
use shipproof::select::Selection;
use shipproof::verify::{Against, Depth, Options, Verification, verify};

use crate::slow::{Content, Finding, Fit, Seen, Shown, is_below, is_executable};
use crate::support::images::Image;
use crate::support::layers::{Compression, Layer};
use crate::support::memory::Memory;
use crate::support::model::{self, CONTENTS, Commit, Made, Mode, PATHS};
use crate::support::random::{Random, given_seed};
use crate::support::tools;

/// How many histories there are, and images of each.
const HISTORIES: u64 = 40;
const IMAGES: usize = 72;

/// Cases that say nothing, because no file of the image is one of the revision, are not counted among these.
const CASES: usize = 2000;

/// Every this many cases single answers are held against git.
const CHECKED: usize = 20;

#[test]
fn a_random_image_is_explained_as_a_slow_look_explains_it() {
    if tools::require(tools::GIT).is_none() {
        return;
    }
    let given = given_seed();
    let seeds = given.map_or(0..HISTORIES, |seed| seed..seed + 1);
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut cases = 0;
    for seed in seeds {
        let folder = home.path().join(seed.to_string());
        std::fs::create_dir(&folder).expect("a new folder");
        let outcome = std::panic::catch_unwind(|| Story::new(seed, &folder).cases());
        cases += outcome.unwrap_or_else(|_| panic!("repeat it with SHIPPROOF_SEED={seed}"));
    }
    // Not `println!`: the test harness would keep it to itself, because the test passes.
    let line =
        format!("explained {cases} random images; histories are numbered, SHIPPROOF_SEED=0 to {}\n", HISTORIES - 1);
    std::io::stderr().write_all(line.as_bytes()).expect("standard error is open");
    assert!(given.is_some() || cases >= CASES, "{cases}");
}

/// A history in a repository.
struct Story {
    random: Random,
    commits: Vec<Commit>,
    made: Made,
    repository: Repository,
}

impl Story {
    fn new(seed: u64, folder: &std::path::Path) -> Self {
        let mut random = Random::new(seed + 1);
        let mut commits = model::history(&mut random);
        let files = commits.iter_mut().flat_map(|commit| commit.tree.values_mut());
        files.filter(|file| file.mode == Mode::Symlink).for_each(|file| file.mode = Mode::Executable);
        let made = Made::new(folder, &commits);
        let repository = Repository::open_with(folder, Settings::RepositoryOnly).expect("it is a repository");
        Self { random, commits, made, repository }
    }

    /// Tries images, and gives the number of those that said something.
    fn cases(mut self) -> usize {
        let heads = model::heads(&self.commits);
        let mut seen = BTreeMap::new();
        let mut cases = 0;
        for _ in 0..IMAGES {
            let asked = if self.random.below(2) == 0 {
                *self.random.pick(&heads)
            } else {
                self.random.below(self.commits.len())
            };
            let image = shown(&mut self.random, &self.commits, asked);
            let seen = seen.entry(asked).or_insert_with(|| Seen::new(&self.commits, &self.made, asked, &heads));
            let is_there = |path: &&&'static str| image.files.contains_key(**path);
            if self.commits[asked].tree.keys().filter(is_there).count() == 0 {
                continue;
            }
            cases += 1;
            let verification = self.verify(&self.made.ids[asked], &image);
            let case = Case { made: &self.made, seen, image: &image, verification: &verification };
            case.hold();
            if cases % CHECKED == 0 {
                case.ask_git();
            }
        }
        cases
    }

    fn verify(&self, revision: &str, shown: &Shown) -> Verification {
        let options = Options {
            platforms: Vec::new(),
            against: Against::Revision(revision.to_owned()),
            mapping: Request { maps: vec![(ImagePath::clean(b"app"), RepoPath::root())], ..Request::default() },
            selection: Selection::default(),
            strictness: Strictness::Contents,
            depth: Depth::History,
            effort: shipproof::layer::Effort::default(),
            trust_tables: false,
            said: Vec::new(),
        };
        verify(&Memory::of(&image(shown)), &self.repository, &options).expect("there is something to compare")
    }
}

/// A build of one commit, or of several by way of cached layers, and then some accidents.
fn shown(random: &mut Random, commits: &[Commit], asked: usize) -> Shown {
    let base = if random.below(3) == 0 { random.below(commits.len()) } else { asked };
    let layers = 1 + random.below(3);
    let sources: Vec<usize> =
        (0..layers).map(|_| if random.below(3) == 0 { random.below(commits.len()) } else { base }).collect();
    // A directory and a file of its name come with the same layer.
    let top = |path: &'static str| path.split('/').next().expect("a path has a first part");
    let mut layer_of = BTreeMap::new();
    for path in PATHS {
        layer_of.entry(top(path)).or_insert_with(|| random.below(layers));
    }
    let mut shown = Shown::default();
    for path in PATHS {
        let layer = layer_of[top(path)];
        if let Some(&file) = commits[sources[layer]].tree.get(path) {
            shown.files.insert(path, (layer, Content { number: file.content, executable: is_executable(file) }));
        }
    }
    for _ in 0..random.below(4) {
        accident(random, commits, &mut shown, |path| layer_of[top(path)]);
    }
    shown
}

fn accident(random: &mut Random, commits: &[Commit], shown: &mut Shown, layer_of: impl Fn(&'static str) -> usize) {
    let path = *random.pick(&PATHS);
    let is_there = shown.files.contains_key(path);
    let is_free = |path: &'static str| {
        let mut others = shown.files.keys().chain(&shown.removed);
        !others.any(|other| is_below(other, path) || is_below(path, other) || (*other == path && !is_there))
    };
    let content = match random.below(5) {
        0 => random
            .pick(commits)
            .tree
            .get(path)
            .map(|&file| Content { number: file.content, executable: is_executable(file) }),
        // Of no commit, the first of these of any length at all.
        1 => Some(Content { number: CONTENTS + random.below(3), executable: false }),
        2 => Some(Content { number: random.below(CONTENTS), executable: random.below(2) == 0 }),
        3 => None,
        _ if is_there => {
            shown.files.remove(path);
            shown.removed.insert(path);
            return;
        }
        _ => return,
    };
    match content {
        Some(content) if is_free(path) => drop(shown.files.insert(path, (layer_of(path), content))),
        Some(_) => {}
        None => drop(shown.files.remove(path)),
    }
}

fn image(shown: &Shown) -> Image {
    let layers = 1 + shown.files.values().map(|(layer, _)| *layer).max().unwrap_or(0);
    let line = |path: &str, content: Content| {
        let mode = if content.executable { "0755" } else { "0644" };
        let text = model::content(content.number).replace('\n', "\\n");
        format!("f app/{} {mode} {text}\n", path.replace(' ', "\\s"))
    };
    let mut image = Image::new();
    for layer in 0..layers {
        let own = shown.files.iter().filter(|(_, (of, _))| *of == layer);
        let mut text: String = own.map(|(path, (_, content))| line(path, *content)).collect();
        if layer == 0 {
            let removed = shown.removed.iter();
            text.extend(removed.map(|path| line(path, Content { number: 0, executable: false })));
        }
        image = image.layer("COPY . /app # buildkit", Layer::text(&text).stored(Compression::None));
    }
    if shown.removed.is_empty() {
        return image;
    }
    let whiteout = |path: &&'static str| {
        let (directory, name) = path.rsplit_once('/').map_or(("", *path), |(above, name)| (above, name));
        format!("w app/{}/.wh.{name}\n", directory.replace(' ', "\\s"))
    };
    let text: String = shown.removed.iter().map(whiteout).collect();
    image.layer("RUN rm # buildkit", Layer::text(&text).stored(Compression::None))
}

/// One image, and what was said of it.
struct Case<'a> {
    made: &'a Made,
    seen: &'a Seen<'a>,
    image: &'a Shown,
    verification: &'a Verification,
}

impl Case<'_> {
    fn hold(&self) {
        let result = &self.verification.platforms[0];
        let expected = self.seen.findings(self.image);
        let found: BTreeMap<String, Finding> = self.findings();
        let expected: BTreeMap<String, Finding> =
            expected.into_iter().map(|(path, one)| (path.to_owned(), one)).collect();
        assert_eq!(found, expected, "{:?}", self.image);

        let identity = result.identity.as_ref().expect("history was looked at");
        let whole = self.seen.whole(self.image);
        assert_eq!(self.fit(identity), whole, "{:?}", self.image);
        if let (Some((newest, _)), true) = (whole.commits, whole.matched == whole.compared)
            && let Some(cause) = &result.cause
        {
            assert_eq!(cause.kind.name(), self.seen.relation(newest), "{:?}", self.image);
        }
        let is_kind = |finding: &Finding| finding.status == "kind";
        // Which layer a directory is of is a question of its own.
        if !found.values().any(is_kind) {
            let layers = result.layers.iter().map(|layer| (layer.layer, self.fit(&layer.identity)));
            assert_eq!(layers.collect::<BTreeMap<_, _>>(), self.seen.layers(self.image), "{:?}", self.image);
        }
    }

    fn findings(&self) -> BTreeMap<String, Finding> {
        let differing = self.verification.findings().filter(|finding| finding.status.name() != "same");
        let one = |finding: &shipproof::compare::Finding| {
            let path = String::from_utf8_lossy(finding.image.as_bytes()).into_owned();
            let past = finding.past.as_ref().map(|past| (self.number(&past.commit.id), past.behind));
            (
                path.strip_prefix("app/").expect("it is mapped").to_owned(),
                Finding { status: finding.status.name(), past },
            )
        };
        differing.map(one).collect()
    }

    fn fit(&self, identity: &Identity) -> Fit {
        let range = identity.commits.as_ref();
        assert_eq!(identity.fit() == Fits::Exact, identity.matched == identity.compared && identity.matched > 0);
        assert_eq!(identity.unmatched.len(), identity.compared - identity.matched);
        Fit {
            compared: identity.compared,
            matched: identity.matched,
            rivals: identity.rivals,
            commits: range.map(|range| (self.number(&range.newest.commit.id), self.number(&range.oldest.commit.id))),
        }
    }

    fn number(&self, id: &str) -> usize {
        self.made.ids.iter().position(|other| other == id).expect("a commit of the history")
    }

    /// Asks git itself whether a commit that is named has the bytes, and how far behind it is.
    fn ask_git(&self) {
        let asked = &self.made.ids[self.seen.asked()];
        for finding in self.verification.findings().filter(|finding| finding.status.name() == "stale") {
            let (past, file) = (finding.past.as_ref().expect("it is stale"), finding.file.expect("it is there"));
            let (path, _) = finding.repo.as_ref().expect("git has it");
            let behind = past.behind.expect("it is reached").to_string();
            let range = format!("{}..{asked}", past.commit.id);
            assert_eq!(self.made.lines(&["rev-list", "--count", &range]), [behind]);
            let listed = self.made.lines(&["ls-tree", "--format=%(objectname)", &past.commit.id, &path.to_string()]);
            assert_eq!(listed, [file.content.blob.to_string()]);
        }
    }
}
