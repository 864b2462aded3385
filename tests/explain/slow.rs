//! What is to be said of a random image, by a look at every file of every commit.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::support::model::{Commit, File, Made, Tree};

/// What an image has, by path in the repository.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// The files, and the layer of each.
    pub(crate) files: BTreeMap<&'static str, (usize, Content)>,
    /// Files that a last layer has removed.
    pub(crate) removed: BTreeSet<&'static str>,
}

/// The number of a model's content, or bytes that no commit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) number: usize,
    pub(crate) executable: bool,
}

/// A finding, as far as it is checked: status, and commit with its distance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) status: &'static str,
    pub(crate) past: Option<(usize, Option<usize>)>,
}

/// What a set of files equals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fit {
    pub(crate) compared: usize,
    pub(crate) matched: usize,
    pub(crate) rivals: usize,
    /// Newest and oldest commit of the run.
    pub(crate) commits: Option<(usize, usize)>,
}

/// A history, seen from one commit.
pub(crate) struct Seen<'m> {
    commits: &'m [Commit],
    /// The commits in the order of a walk, the revision first.
    order: Vec<usize>,
    /// How many of them the revision reaches.
    reached: usize,
    reach: Vec<BTreeSet<usize>>,
}

impl<'m> Seen<'m> {
    /// The history as `git rev-list` tells it.
    pub(crate) fn new(commits: &'m [Commit], made: &Made, asked: usize, heads: &[usize]) -> Self {
        let numbers: HashMap<&str, usize> = made.ids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
        let asked_id = made.ids[asked].as_str();
        let mut order = made.lines(&["rev-list", "--date-order", asked_id]);
        let reached = order.len();
        let mut others = vec!["rev-list", "--date-order"];
        others.extend(heads.iter().map(|&head| made.ids[head].as_str()));
        others.extend(["--not", asked_id]);
        order.extend(made.lines(&others));
        let mut reach: Vec<BTreeSet<usize>> = Vec::new();
        for (number, commit) in commits.iter().enumerate() {
            let above = commit.parents.iter().flat_map(|&parent| reach[parent].iter().copied());
            reach.push(above.chain([number]).collect());
        }
        Self { commits, order: order.iter().map(|id| numbers[id.as_str()]).collect(), reached, reach }
    }

    pub(crate) fn asked(&self) -> usize {
        self.order[0]
    }

    fn tree(&self, commit: usize) -> &Tree {
        &self.commits[commit].tree
    }

    pub(crate) fn behind(&self, commit: usize) -> Option<usize> {
        let all = &self.reach[self.asked()];
        all.contains(&commit).then(|| all.difference(&self.reach[commit]).count())
    }

    fn is_ahead(&self, commit: usize) -> bool {
        self.reach[commit].contains(&self.asked())
    }

    /// The kind of the cause of an image that equals `commit` in all.
    pub(crate) fn relation(&self, commit: usize) -> &'static str {
        match self.behind(commit) {
            Some(_) => "old-image",
            None if self.is_ahead(commit) => "newer-image",
            None => "other-branch",
        }
    }

    /// The commits that are looked at for `image`: other branches only where the revision's own history does not do.
    fn walked(&self, image: &Shown) -> &[usize] {
        let asked = self.tree(self.asked());
        let known: Vec<&str> = asked.keys().copied().filter(|path| !image.is_removed(path)).collect();
        let own = &self.order[..self.reached];
        let complete = own.iter().any(|&commit| known.iter().all(|path| self.agrees(image, path, commit)));
        if complete { own } else { &self.order }
    }

    fn agrees(&self, image: &Shown, path: &str, commit: usize) -> bool {
        match (image.files.get(path), self.tree(commit).get(path)) {
            (Some((_, content)), Some(file)) => content.number == file.content,
            (None, None) => !image.is_removed(path),
            _ => false,
        }
    }

    /// The findings that are not plainly the same, by path.
    pub(crate) fn findings(&self, image: &Shown) -> BTreeMap<&'static str, Finding> {
        let asked = self.tree(self.asked());
        let paths: BTreeSet<&'static str> = asked.keys().chain(image.files.keys()).copied().collect();
        let one = |path| Some((path, self.finding(image, path)?));
        paths.into_iter().filter_map(one).collect()
    }

    fn finding(&self, image: &Shown, path: &'static str) -> Option<Finding> {
        let walked = self.walked(image);
        let newest = |has: &dyn Fn(usize) -> bool| walked.iter().copied().find(|&commit| has(commit));
        let with = |status, commit: usize| Finding { status, past: Some((commit, self.behind(commit))) };
        let plain = |status| Finding { status, past: None };
        let here = newest(&|commit| self.agrees(image, path, commit));
        Some(match (image.files.get(path), self.tree(self.asked()).get(path)) {
            (None, None) => return None,
            (None, Some(_)) if image.is_directory(path) => plain("kind"),
            (None, Some(_)) => plain("missing"),
            (Some((_, content)), Some(file)) if content.number == file.content => {
                if content.executable == is_executable(*file) {
                    return None;
                }
                plain("mode")
            }
            (Some((_, content)), Some(_)) => match here {
                Some(commit) if self.behind(commit).is_some() => with("stale", commit),
                Some(commit) => with("other", commit),
                None => {
                    let anywhere =
                        |commit: usize| self.tree(commit).values().any(|file| file.content == content.number);
                    newest(&anywhere).map_or_else(|| plain("modified"), |commit| with("other", commit))
                }
            },
            (Some(_), None) => match here.filter(|&commit| self.behind(commit).is_some()) {
                Some(commit) => with("leftover", commit),
                None => plain("untracked"),
            },
        })
    }

    /// The files that take part in finding commits.
    fn counted(&self, image: &Shown) -> Vec<&'static str> {
        let asked = self.tree(self.asked());
        let recognised = |path: &&&'static str| {
            !asked.contains_key(**path) && self.walked(image).iter().any(|&commit| self.agrees(image, path, commit))
        };
        asked.keys().chain(image.files.keys().filter(recognised)).copied().collect()
    }

    /// What the whole image equals.
    pub(crate) fn whole(&self, image: &Shown) -> Fit {
        self.fit(image, &self.counted(image), None)
    }

    /// What each layer equals, by its number.
    pub(crate) fn layers(&self, image: &Shown) -> BTreeMap<usize, Fit> {
        let mut layers: BTreeMap<usize, Vec<&'static str>> = BTreeMap::new();
        for path in self.counted(image) {
            let layer = image.files.get(path).map(|(layer, _)| *layer);
            if let Some(layer) = layer.or_else(|| self.neighbour(image, path)) {
                layers.entry(layer).or_default().push(path);
            }
        }
        layers.into_iter().map(|(layer, paths)| (layer, self.fit(image, &paths, Some(layer)))).collect()
    }

    /// The files that a commit has and the image lacks, and that were not counted: those of a layer, or all.
    fn lacking(&self, image: &Shown, commit: usize, layer: Option<usize>) -> usize {
        if commit == self.asked() {
            return 0;
        }
        let counted = self.counted(image);
        let lacks = |path: &&&'static str| {
            !counted.contains(*path) && !image.files.contains_key(**path) && !image.is_directory(path)
        };
        let is_of = |path: &&&'static str| layer.is_none() || self.neighbour(image, path) == layer;
        self.tree(commit).keys().filter(lacks).filter(is_of).count()
    }

    /// The layer of most files in the nearest directory of a missing file.
    fn neighbour(&self, image: &Shown, path: &str) -> Option<usize> {
        if image.is_removed(path) {
            return None;
        }
        let asked = self.tree(self.asked());
        let mut directory = path;
        while let Some(above) = parent(directory) {
            directory = above;
            let mut votes: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
            for (file, (layer, _)) in image.files.iter().filter(|(file, _)| asked.contains_key(**file)) {
                let vote =
                    if is_below(file, directory) { (usize::from(parent(file) == Some(directory)), 1) } else { (0, 0) };
                let votes = votes.entry(*layer).or_default();
                *votes = (votes.0 + vote.0, votes.1 + vote.1);
            }
            let most = votes.into_iter().filter(|(_, votes)| votes.1 > 0).max_by_key(|&(layer, votes)| (votes, layer));
            if let Some((layer, _)) = most {
                return Some(layer);
            }
        }
        None
    }

    fn fit(&self, image: &Shown, paths: &[&'static str], layer: Option<usize>) -> Fit {
        let walked = self.walked(image);
        let agreeing = |commit: usize| -> BTreeSet<&'static str> {
            paths.iter().copied().filter(|path| self.agrees(image, path, commit)).collect()
        };
        let sets: BTreeMap<usize, BTreeSet<&'static str>> =
            walked.iter().map(|&commit| (commit, agreeing(commit))).collect();
        let matched = sets.values().map(BTreeSet::len).max().unwrap_or(0);
        if matched == 0 {
            return Fit { compared: paths.len(), matched, rivals: 0, commits: None };
        }
        let mut runs: Vec<BTreeSet<usize>> = Vec::new();
        for &commit in walked.iter().filter(|commit| sets[commit].len() == matched) {
            let joins = |run: &BTreeSet<usize>| {
                run.iter().any(|&other| self.is_edge(commit, other) && sets[&commit] == sets[&other])
            };
            let (joined, rest): (Vec<_>, Vec<_>) = runs.into_iter().partition(joins);
            runs = rest;
            runs.push(joined.into_iter().flatten().chain([commit]).collect());
        }
        let newest =
            walked.iter().copied().find(|commit| sets[commit].len() == matched).expect("some commit is the best");
        let run = runs.iter().find(|run| run.contains(&newest)).expect("it is in a run");
        let mut members: Vec<usize> = walked.iter().copied().filter(|commit| run.contains(commit)).collect();
        let mut compared = paths.len();
        if matched == compared {
            // The ends are commits that have nothing else, either, if there are any.
            let whole = |commit: &usize| self.lacking(image, *commit, layer) == 0;
            match members.iter().any(whole) {
                true => members.retain(whole),
                false => compared += self.lacking(image, newest, layer),
            }
        }
        let newest = members[0];
        let oldest = members.iter().rfind(|commit| self.reach[newest].contains(commit)).expect("itself at least");
        Fit { compared, matched, rivals: runs.len() - 1, commits: Some((newest, *oldest)) }
    }

    fn is_edge(&self, one: usize, other: usize) -> bool {
        self.commits[one].parents.contains(&other) || self.commits[other].parents.contains(&one)
    }
}

impl Shown {
    fn is_removed(&self, path: &str) -> bool {
        self.removed.contains(path)
    }

    /// Whether the image has a directory at `path`, which stays when its files are removed.
    fn is_directory(&self, path: &str) -> bool {
        self.files.keys().chain(&self.removed).any(|file| is_below(file, path))
    }
}

/// Whether git would call the file executable.
pub(crate) fn is_executable(file: File) -> bool {
    file.mode != crate::support::model::Mode::Regular
}

fn parent(path: &str) -> Option<&str> {
    if path.is_empty() { None } else { Some(path.rsplit_once('/').map_or("", |(above, _)| above)) }
}

pub(crate) fn is_below(path: &str, directory: &str) -> bool {
    directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}
