//! Inference: which directories belong together, from names and contents alone.
//!
//! A file that has the same name and the same contents on both sides votes for the pair of directories in which
//! its path is the same. The pair that explains most files wins, then the pair that explains most of the rest.
//! Names that stand in every project (`__init__.py`, licences) and files of a few bytes do not vote.

use std::collections::{BTreeMap, BTreeSet};

use crate::blob::BlobId;
use crate::path::{ImagePath, RepoPath};

/// Files of fewer bytes say nothing about where they come from: empty files, a version number, one import.
const DISTINCTIVE_BYTES: u64 = 24;

/// Pairs accepted at most; real images need one to three.
const MOST_PAIRS: usize = 16;

/// A name with more homes than this in the repository (`index.js`) tells nothing and costs time.
const MOST_NAMESAKES: usize = 64;

/// Votes that a further pair needs.
const FURTHER_VOTES: usize = 2;

/// Names that many projects share.
const COMMON_NAMES: [&str; 12] = [
    "__init__.py",
    "__main__.py",
    ".gitignore",
    ".gitkeep",
    ".gitattributes",
    ".dockerignore",
    ".editorconfig",
    "py.typed",
    "conftest.py",
    "LICENSE",
    "NOTICE",
    "COPYING",
];

/// Starts of names that many projects share, whatever follows.
const COMMON_STARTS: [&str; 4] = ["LICENSE", "LICENCE", "COPYING", "README"];

/// A regular file of the image, as far as inference looks at it.
#[derive(Clone, Debug)]
pub(super) struct ImageFile {
    pub(super) path: ImagePath,
    pub(super) blob: BlobId,
    pub(super) size: u64,
}

/// A pair of directories, and how many files speak for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) image: ImagePath,
    pub(super) repo: RepoPath,
    /// Files that are the same on both sides.
    pub(super) equal: usize,
    /// Files that have the same path on both sides, whatever their contents.
    pub(super) named: usize,
}

impl Pair {
    fn is_mostly_equal(&self) -> bool {
        self.equal * 2 >= self.named
    }
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inference {
    /// The pairs, strongest first; none when nothing speaks for any.
    Pairs(Vec<Pair>),
    /// Two repository directories explain the same image directory equally well.
    Ambiguous(Box<(Pair, Pair)>),
}

/// One file's vote.
struct Vote<'f> {
    file: &'f ImageFile,
    image: ImagePath,
    repo: RepoPath,
    equal: bool,
}

/// How much must speak for a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bar {
    /// One equal file: something of this repository is in the image, and this is the best guess.
    First,
    /// Several files, most of them equal: one file may have been copied by chance, and a vendored library beside its
    /// installed copy of another version is not a deployment.
    Further,
}

/// Infers the pairs; `bar` is for the first of them.
pub(super) fn infer(image: &[ImageFile], repo: &BTreeMap<RepoPath, BlobId>, bar: Bar) -> Inference {
    let votes = votes(image, repo);
    let mut explained: BTreeSet<&ImagePath> = BTreeSet::new();
    let mut pairs: Vec<Pair> = Vec::new();
    while pairs.len() < MOST_PAIRS {
        let ranked = rank(votes.iter().filter(|vote| !explained.contains(&vote.file.path)));
        let Some(best) = ranked.first() else { break };
        let strength = strength(best, &pairs, bar);
        if strength == Strength::None {
            break;
        }
        let rival = ranked.get(1).filter(|rival| strength == Strength::Own && is_rival(best, rival, &votes));
        if let Some(rival) = rival {
            return Inference::Ambiguous(Box::new((best.clone(), rival.clone())));
        }
        let of_pair = |vote: &&Vote<'_>| vote.image == best.image && vote.repo == best.repo;
        let before = explained.len();
        explained.extend(votes.iter().filter(of_pair).map(|vote| &vote.file.path));
        // Every further pair must explain something new, so this ends.
        if explained.len() == before {
            break;
        }
        pairs.push(best.clone());
    }
    Inference::Pairs(pairs)
}

fn votes<'f>(image: &'f [ImageFile], repo: &BTreeMap<RepoPath, BlobId>) -> Vec<Vote<'f>> {
    let mut by_name: BTreeMap<&[u8], Vec<(&RepoPath, BlobId)>> = BTreeMap::new();
    for (path, blob) in repo {
        if let Some(name) = path.file_name().filter(|name| !is_common_name(name)) {
            by_name.entry(name).or_default().push((path, *blob));
        }
    }
    let mut votes = Vec::new();
    for file in image.iter().filter(|file| is_distinctive_size(file.size)) {
        let namesakes = file.path.file_name().and_then(|name| by_name.get(name));
        for (path, blob) in namesakes.into_iter().flatten().take(MOST_NAMESAKES) {
            let (image, repo) = above_common_end(&file.path, path);
            votes.push(Vote { file, image, repo, equal: *blob == file.blob });
        }
    }
    votes
}

/// Whether a file is large enough for its contents to tell where it comes from.
pub(super) fn is_distinctive_size(size: u64) -> bool {
    size >= DISTINCTIVE_BYTES
}

/// Whether many projects have a file of this name.
pub(super) fn is_common_name(name: &[u8]) -> bool {
    COMMON_NAMES.iter().any(|common| common.as_bytes() == name)
        || COMMON_STARTS.iter().any(|start| name.starts_with(start.as_bytes()))
}

/// The two directories below which the paths are the same: `/app/a/b` and `src/a/b` give `/app` and `src`.
pub(super) fn above_common_end(image: &ImagePath, repo: &RepoPath) -> (ImagePath, RepoPath) {
    let common = image.components().rev().zip(repo.components().rev()).take_while(|(a, b)| a == b).count();
    let (mut image, mut repo) = (image.clone(), repo.clone());
    for _ in 0..common {
        (image, repo) = (image.parent().unwrap_or_default(), repo.parent().unwrap_or_default());
    }
    (image, repo)
}

fn rank<'v>(votes: impl Iterator<Item = &'v Vote<'v>>) -> Vec<Pair> {
    let mut counts: BTreeMap<(&ImagePath, &RepoPath), (usize, usize)> = BTreeMap::new();
    for vote in votes {
        let (equal, named) = counts.entry((&vote.image, &vote.repo)).or_default();
        *equal += usize::from(vote.equal);
        *named += 1;
    }
    let pair = |((image, repo), (equal, named)): ((&ImagePath, &RepoPath), (usize, usize))| Pair {
        image: image.clone(),
        repo: repo.clone(),
        equal,
        named,
    };
    let mut pairs: Vec<Pair> = counts.into_iter().map(pair).collect();
    // Equal contents decide; a path that merely looks alike breaks ties. The sort is stable, so order is too.
    pairs.sort_by_key(|pair| std::cmp::Reverse((pair.is_mostly_equal(), pair.equal, pair.named)));
    pairs
}

/// What a pair rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strength {
    /// Too little.
    None,
    /// Its own files.
    Own,
    /// A single file, in an image directory that is known to hold files of the repository.
    Neighbours,
}

/// Where a service's `main.py` joins the code that it shares with others, one file is enough, too.
fn strength(pair: &Pair, accepted: &[Pair], bar: Bar) -> Strength {
    let further = pair.equal > 0 && pair.is_mostly_equal();
    if pair.equal > 0 && accepted.is_empty() && bar == Bar::First || further && pair.equal >= FURTHER_VOTES {
        Strength::Own
    } else if further && accepted.iter().any(|other| other.image == pair.image) {
        Strength::Neighbours
    } else {
        Strength::None
    }
}

/// Whether two pairs explain the very same image files, so that nothing decides between them.
fn is_rival(best: &Pair, rival: &Pair, votes: &[Vote<'_>]) -> bool {
    if (rival.equal, rival.named) != (best.equal, best.named) || rival.image != best.image {
        return false;
    }
    let files = |pair: &Pair| -> BTreeSet<&ImagePath> {
        let of_pair = |vote: &&Vote<'_>| vote.image == pair.image && vote.repo == pair.repo && vote.equal;
        votes.iter().filter(of_pair).map(|vote| &vote.file.path).collect()
    };
    files(best) == files(rival)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::ObjectFormat;

    fn blob(text: &str) -> BlobId {
        BlobId::of(text.as_bytes(), ObjectFormat::Sha1).unwrap()
    }

    /// `PATH=CONTENTS` words; sizes are made distinctive unless the contents start with a dot.
    fn image(text: &str) -> Vec<ImageFile> {
        let file = |word: &str| {
            let (path, contents) = word.split_once('=').unwrap();
            let size = if contents.starts_with('.') { 3 } else { 100 };
            ImageFile { path: ImagePath::clean(path.as_bytes()), blob: blob(contents), size }
        };
        text.split_whitespace().map(file).collect()
    }

    fn repo(text: &str) -> BTreeMap<RepoPath, BlobId> {
        let file = |word: &str| {
            let (path, contents) = word.split_once('=').unwrap();
            (RepoPath::clean(path.as_bytes()), blob(contents))
        };
        text.split_whitespace().map(file).collect()
    }

    fn inferred(image_text: &str, repo_text: &str) -> Vec<String> {
        match infer(&image(image_text), &repo(repo_text), Bar::First) {
            Inference::Pairs(pairs) => {
                pairs.iter().map(|pair| format!("{}={} {}/{}", pair.image, pair.repo, pair.equal, pair.named)).collect()
            }
            Inference::Ambiguous(both) => vec![format!("{} or {}", both.0.repo, both.1.repo)],
        }
    }

    #[test]
    fn the_pair_that_explains_most_wins() {
        let table: Vec<(&str, &str, &str, Vec<&str>)> = vec![
            ("the whole", "/app/main.py=m /app/shared/x.py=x", "main.py=m shared/x.py=x", vec!["/app=. 2/2"]),
            ("a stale file", "/app/main.py=m /app/shared/x.py=old", "main.py=m shared/x.py=x", vec!["/app=. 1/2"]),
            (
                "a service of several, with shared code",
                "/app/main.py=b /app/run.py=br /app/shared/x.py=x /app/shared/y.py=y",
                "svc/a/main.py=a svc/a/run.py=ar svc/b/main.py=b svc/b/run.py=br shared/x.py=x shared/y.py=y",
                vec!["/app=. 2/2", "/app=svc/b 2/2"],
            ),
            (
                "a second copy in site-packages",
                "/app/src/p/x.py=x /app/src/p/y.py=y /app/main.py=m /site/p/x.py=x /site/p/y.py=y",
                "main.py=m src/p/x.py=x src/p/y.py=y",
                vec!["/app=. 3/3", "/site=src 2/2"],
            ),
            (
                "a service of one file, with shared code",
                "/app/main.py=b /app/shared/x.py=x /app/shared/y.py=y",
                "svc/a/main.py=a svc/b/main.py=b shared/x.py=x shared/y.py=y",
                vec!["/app=. 2/2", "/app=svc/b 1/1"],
            ),
            ("nothing in common", "/app/main.py=m", "main.py=other", vec![]),
            ("common names only", "/lib/__init__.py=i /lib/LICENSE.txt=l", "a/__init__.py=i LICENSE.txt=l", vec![]),
            ("tiny files only", "/app/version=.1", "version=.1", vec![]),
            (
                "an installed library of another version",
                "/app/main.py=m /site/req/a.py=1 /site/req/b.py=2 /site/req/c.py=3 /site/req/d.py=4 /site/req/e.py=5",
                "main.py=m vendor/req/a.py=1 vendor/req/b.py=2 vendor/req/c.py=x vendor/req/d.py=x vendor/req/e.py=x",
                vec!["/app=. 1/1"],
            ),
        ];
        for (name, image, repo, expected) in table {
            assert_eq!(inferred(image, repo), expected, "{name}");
        }
    }

    #[test]
    fn a_further_pair_needs_more_than_one_file() {
        let (files, git) = (image("/app/a.py=a"), repo("a.py=a"));
        assert_eq!(infer(&files, &git, Bar::Further), Inference::Pairs(Vec::new()));
        let (files, git) = (image("/app/a.py=a /app/b.py=b"), repo("a.py=a b.py=b"));
        assert!(matches!(infer(&files, &git, Bar::Further), Inference::Pairs(pairs) if pairs.len() == 1));
    }

    #[test]
    fn two_equal_candidates_are_not_chosen_between() {
        assert_eq!(inferred("/app/main.py=m", "a/main.py=m b/main.py=m"), ["a or b"]);
        // A file that only one of them has decides.
        assert_eq!(inferred("/app/main.py=m /app/only.py=o", "a/main.py=m a/only.py=o b/main.py=m"), ["/app=a 2/2"]);
    }
}
