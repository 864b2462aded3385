//! The slow way: every commit's whole tree, and now and then git's own word.

use std::collections::{BTreeMap, BTreeSet};

use shipproof::repo::RepoFileKind;
use shipproof::repo::history::{CommitIndex, Deletion, History, Query, Version, Wanted};

use crate::model::{self, Commit, Made, Mode};
use crate::support::random::Random;
use crate::{GROUPS, named, version};

/// Knows a history from the model and from git.
pub(crate) struct Oracle<'m> {
    commits: &'m [Commit],
    made: &'m Made,
    /// Numbers of commits in the order of the walk.
    pub(crate) order: Vec<usize>,
    /// The ancestors of each commit, itself included.
    reach: Vec<BTreeSet<usize>>,
    /// Whether git is asked for single answers, which takes a process for each.
    with_git: bool,
}

impl<'m> Oracle<'m> {
    /// What a walk from `tips` should have found after it had `known`.
    pub(crate) fn new(commits: &'m [Commit], made: &'m Made, tips: &[usize], known: &[usize], with_git: bool) -> Self {
        let mut reach: Vec<BTreeSet<usize>> = Vec::new();
        for (number, commit) in commits.iter().enumerate() {
            let above = commit.parents.iter().flat_map(|&parent| reach[parent].iter().copied());
            reach.push(above.chain([number]).collect());
        }
        let mut order = known.to_vec();
        order.extend(date_order(commits, &reach, tips, known));
        let oracle = Self { commits, made, order, reach, with_git };
        if with_git {
            oracle.check_order(tips, known);
        }
        oracle
    }

    fn check_order(&self, tips: &[usize], known: &[usize]) {
        let id = |number: &usize| self.made.ids[*number].as_str();
        let mut arguments = vec!["rev-list", "--date-order"];
        arguments.extend(tips.iter().map(id));
        arguments.push("--not");
        arguments.extend(known.iter().map(id));
        assert_eq!(self.made.lines(&arguments), self.order[known.len()..].iter().map(id).collect::<Vec<_>>());
    }

    /// Holds everything that `history` says against what is known here.
    pub(crate) fn hold(&self, history: &History, query: &Query<'_>, random: &mut Random) {
        self.hold_commits(history);
        self.hold_counts(history, query.wanted);
        for groups in [vec![], vec![random.below(GROUPS)], vec![0, 2]] {
            self.hold_best(history, query.wanted, &groups);
        }
        for (at, wanted) in query.wanted.iter().enumerate() {
            self.hold_versions(history, at, wanted);
            self.hold_changes(history, at, wanted, random);
        }
        self.hold_elsewhere(history, query);
        self.hold_distances(history, random);
    }

    fn index(&self, number: usize, history: &History) -> CommitIndex {
        history.find(&named(&self.made.ids[number])).expect("the walk came by")
    }

    fn numbers(&self, commits: &[CommitIndex]) -> Vec<usize> {
        commits.iter().map(|commit| self.order[commit.position()]).collect()
    }

    fn hold_commits(&self, history: &History) {
        assert_eq!(history.commits().len(), self.order.len(), "as many as git lists");
        for (commit, &number) in history.commits().zip(&self.order) {
            assert_eq!(self.index(number, history), commit, "the order of git");
            assert_eq!(self.numbers(history.parents(commit)), self.commits[number].parents);
            assert_eq!(history.time(commit), i64::try_from(self.commits[number].time).expect("before 2100"));
        }
        assert_eq!(history.boundary(), []);
    }

    fn agrees(&self, number: usize, wanted: &Wanted) -> bool {
        let path = std::str::from_utf8(wanted.path.as_bytes()).expect("paths of the model are ASCII");
        version(self.commits[number].tree.get(path)).map_or(wanted.absent, |file| {
            file.is_symlink == (wanted.kind == RepoFileKind::Symlink) && wanted.blobs.contains(&file.blob)
        })
    }

    /// Which of the wanted files of `groups` agree.
    fn agreeing(&self, number: usize, wanted: &[Wanted], groups: &[usize]) -> Vec<usize> {
        let counts = |at: &usize| groups.is_empty() || groups.contains(&wanted[*at].group);
        (0..wanted.len()).filter(counts).filter(|&at| self.agrees(number, &wanted[at])).collect()
    }

    fn hold_counts(&self, history: &History, wanted: &[Wanted]) {
        for (commit, &number) in history.commits().zip(&self.order) {
            assert_eq!(history.matched(commit), self.agreeing(number, wanted, &[]).len());
            for group in 0..GROUPS {
                assert_eq!(history.matched_in(commit, group), self.agreeing(number, wanted, &[group]).len());
            }
            for (at, wanted) in wanted.iter().enumerate() {
                assert_eq!(history.agrees(at, commit), self.agrees(number, wanted));
            }
            let touched = (0..wanted.len()).filter(|&at| self.touches(number, &wanted[at])).collect::<Vec<_>>();
            assert_eq!(history.touched(commit), touched);
        }
    }

    fn touches(&self, number: usize, wanted: &Wanted) -> bool {
        let parents = &self.commits[number].parents;
        let here = self.version_at(number, wanted);
        if parents.is_empty() {
            return here.is_some();
        }
        parents.iter().all(|&parent| self.version_at(parent, wanted) != here)
    }

    fn version_at(&self, number: usize, wanted: &Wanted) -> Option<shipproof::repo::history::VersionFile> {
        let path = std::str::from_utf8(wanted.path.as_bytes()).expect("paths of the model are ASCII");
        version(self.commits[number].tree.get(path))
    }

    fn hold_best(&self, history: &History, wanted: &[Wanted], groups: &[usize]) {
        let best = history.best(usize::MAX, groups);
        let sets: BTreeMap<usize, Vec<usize>> =
            self.order.iter().map(|&number| (number, self.agreeing(number, wanted, groups))).collect();
        let highest = sets.values().map(Vec::len).max().unwrap_or(0);
        assert_eq!(best.matched, highest);
        let mut left: BTreeSet<usize> =
            self.order.iter().copied().filter(|number| highest > 0 && sets[number].len() == highest).collect();
        let mut expected = Vec::new();
        for (at, &number) in self.order.iter().enumerate() {
            if left.contains(&number) {
                let run = self.flood(number, &sets, &mut left);
                let oldest = self.order.iter().rposition(|number| run.contains(number)).expect("at least itself");
                expected.push((at, oldest, run.len()));
            }
        }
        let runs: Vec<_> =
            best.runs.iter().map(|run| (run.newest.position(), run.oldest.position(), run.commits.len())).collect();
        assert_eq!(runs, expected);
    }

    /// Takes the commits out of `left` that are connected with one and have the same set.
    fn flood(&self, number: usize, sets: &BTreeMap<usize, Vec<usize>>, left: &mut BTreeSet<usize>) -> Vec<usize> {
        let mut run = vec![number];
        left.remove(&number);
        let mut at = 0;
        while at < run.len() {
            let here = run[at];
            let near = |other: &usize| {
                let adjacent =
                    self.commits[here].parents.contains(other) || self.commits[*other].parents.contains(&here);
                adjacent && sets[other] == sets[&here]
            };
            let more: Vec<usize> = left.iter().copied().filter(near).collect();
            left.retain(|other| !more.contains(other));
            run.extend(more);
            at += 1;
        }
        run
    }

    fn hold_versions(&self, history: &History, at: usize, wanted: &Wanted) {
        let mut expected: Vec<Version> = Vec::new();
        for (commit, &number) in history.commits().zip(&self.order) {
            let file = self.version_at(number, wanted);
            assert_eq!(history.file_at(at, commit), file);
            if !expected.iter().any(|version| version.file == file) {
                expected.push(Version { file, commit });
            }
        }
        assert_eq!(history.versions(at), expected, "{wanted:?}");
    }

    fn hold_changes(&self, history: &History, at: usize, wanted: &Wanted, random: &mut Random) {
        let from = *random.pick(&self.order);
        let start = self.index(from, history);
        let introduced = self.numbers(&[history.introduced(at, start).expect("nothing is cut off")])[0];
        let modes =
            self.order.iter().any(|&number| self.commits[number].tree.values().any(|f| f.mode != Mode::Regular));
        let path = std::str::from_utf8(wanted.path.as_bytes()).expect("ASCII");
        // Git sees modes, and a directory of that name.
        if self.with_git && !modes && path != "d" {
            let log = self.made.lines(&["rev-list", "-1", &self.made.ids[from], "--", path]);
            match log.first() {
                Some(id) => assert_eq!(&self.made.ids[introduced], id, "{path} from {from}"),
                None => assert_eq!(self.version_at(introduced, wanted), None, "{path} from {from}"),
            }
        }
        let here = |number: usize| self.version_at(number, wanted).is_some();
        let parents = |number: usize| &self.commits[number].parents;
        let added = history.added(at, start).map(|commit| self.numbers(&[commit])[0]);
        assert_eq!(added.is_some(), here(from));
        if let Some(added) = added {
            assert!(self.along(from, &here).contains(&added) && !parents(added).iter().any(|&parent| here(parent)));
        }
        let deleted = history.deleted(at, start);
        let ever = self.reach[from].iter().any(|&number| here(number));
        assert_eq!(deleted.is_some(), !here(from) && ever);
        if let Some(Deletion { commit, before }) = deleted {
            let (commit, before) = (self.numbers(&[commit])[0], self.numbers(&[before])[0]);
            assert!(!here(commit) && here(before) && parents(commit).contains(&before));
            assert!(self.reach[from].contains(&commit));
            if !parents(introduced).is_empty() {
                assert_eq!(commit, introduced);
            }
        }
    }

    /// The commits that can be reached from one over commits with a file.
    fn along(&self, from: usize, here: &impl Fn(usize) -> bool) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut pending = vec![from];
        while let Some(number) = pending.pop() {
            if here(number) && seen.insert(number) {
                pending.extend(&self.commits[number].parents);
            }
        }
        seen
    }

    fn hold_elsewhere(&self, history: &History, query: &Query<'_>) {
        for &blob in query.anywhere {
            let has = |number: usize| -> Vec<&str> {
                let tree = self.commits[number].tree.iter();
                let same = tree.filter(|(_, file)| version(Some(file)).is_some_and(|file| file.blob == blob));
                same.map(|(&path, _)| path).collect()
            };
            let newest = self.order.iter().position(|&number| !has(number).is_empty());
            let found = history.elsewhere(blob);
            assert_eq!(found.map(|(_, commit)| commit.position()), newest);
            if let Some((path, commit)) = found {
                let path = std::str::from_utf8(path.as_bytes()).expect("ASCII");
                assert!(has(self.order[commit.position()]).contains(&path), "{path}");
            }
        }
    }

    fn hold_distances(&self, history: &History, random: &mut Random) {
        let (one, other) = (*random.pick(&self.order), *random.pick(&self.order));
        let distance = history.distance(self.index(one, history), self.index(other, history));
        assert_eq!(distance, self.reach[one].difference(&self.reach[other]).count());
        let is_ancestor = history.is_ancestor(self.index(other, history), self.index(one, history));
        assert_eq!(is_ancestor, self.reach[one].contains(&other));
        if self.with_git {
            let range = format!("{}..{}", self.made.ids[other], self.made.ids[one]);
            assert_eq!(self.made.lines(&["rev-list", "--count", &range]), [distance.to_string()]);
        }
    }
}

/// What `tips` reach beyond `known`: no commit before its children, and else the newest first.
fn date_order(commits: &[Commit], reach: &[BTreeSet<usize>], tips: &[usize], known: &[usize]) -> Vec<usize> {
    let mut left: BTreeSet<usize> = tips.iter().flat_map(|&tip| reach[tip].iter().copied()).collect();
    left.retain(|number| !known.contains(number));
    let mut order = Vec::new();
    while !left.is_empty() {
        let is_ready = |number: &&usize| !left.iter().any(|&other| commits[other].parents.contains(number));
        let next = *left.iter().filter(is_ready).max_by_key(|&&number| commits[number].time).expect("no circles");
        left.remove(&next);
        order.push(next);
    }
    order
}

impl Made {
    /// Holds the model against what git says is in the repository.
    pub(crate) fn check(&self, commits: &[Commit]) {
        for (id, commit) in self.ids.iter().zip(commits) {
            let listed = self.lines(&["ls-tree", "-r", "-z", id]).join("\n");
            let files: Vec<String> = listed.split_terminator('\0').map(str::to_owned).collect();
            let mut expected: Vec<String> = commit.tree.iter().map(|(path, file)| line(path, *file)).collect();
            expected.sort_by(|one, other| one[53..].cmp(&other[53..]));
            assert_eq!(files, expected);
        }
    }
}

fn line(path: &str, file: model::File) -> String {
    let mode = match file.mode {
        Mode::Regular => "100644",
        Mode::Executable => "100755",
        Mode::Symlink => "120000",
    };
    format!("{mode} blob {}\t{path}", crate::blob(file.content))
}
