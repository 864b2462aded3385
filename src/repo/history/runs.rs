//! The commits that agree best, in runs that cannot be told apart.

use std::collections::HashMap;

use super::tally::Count;
use super::{CommitIndex, History};

/// The commits in which most of the wanted files agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Best {
    /// How many files agree in them.
    pub matched: usize,
    /// All of them, in runs, newest first; none when nothing agrees anywhere.
    pub runs: Vec<Run>,
}

/// Commits that are connected by parents and in which the same files agree, so that these cannot tell them apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The newest.
    pub newest: CommitIndex,
    /// The oldest.
    pub oldest: CommitIndex,
    /// All of them, newest first.
    pub commits: Vec<CommitIndex>,
}

impl History {
    /// Those of the first `seen` commits that agree best in the given groups, or in all of them when none is given.
    pub fn best(&self, seen: usize, groups: &[usize]) -> Best {
        let commits = || self.commits().take(seen);
        let counted = |count: &&Count| groups.is_empty() || groups.contains(&(count.group as usize));
        let matched = |commit: CommitIndex| -> usize {
            self.counts(commit).iter().filter(counted).map(|count| count.files as usize).sum()
        };
        let highest = commits().map(matched).max().unwrap_or(0);
        if highest == 0 {
            return Best { matched: 0, runs: Vec::new() };
        }
        let same = |one: CommitIndex, other: CommitIndex| {
            let (one, other) = (self.counts(one).iter().filter(counted), self.counts(other).iter().filter(counted));
            one.eq(other)
        };
        Best { matched: highest, runs: self.runs(seen, |commit| matched(commit) == highest, same) }
    }

    fn runs(
        &self,
        seen: usize,
        is_best: impl Fn(CommitIndex) -> bool,
        same: impl Fn(CommitIndex, CommitIndex) -> bool,
    ) -> Vec<Run> {
        let is_best = |commit: CommitIndex| commit.position() < seen && is_best(commit);
        let best: Vec<bool> = self.commits().map(is_best).collect();
        let mut joined: Vec<usize> = (0..best.len()).collect();
        for commit in self.commits().filter(|commit| best[commit.position()]) {
            for &parent in self.parents(commit) {
                if best[parent.position()] && same(commit, parent) {
                    let (one, other) = (first(&mut joined, commit.position()), first(&mut joined, parent.position()));
                    joined[one.max(other)] = one.min(other);
                }
            }
        }
        let mut runs: Vec<Run> = Vec::new();
        let mut of: HashMap<usize, usize> = HashMap::new();
        for commit in self.commits().filter(|commit| best[commit.position()]) {
            let at = *of.entry(first(&mut joined, commit.position())).or_insert(runs.len());
            if at == runs.len() {
                runs.push(Run { newest: commit, oldest: commit, commits: Vec::new() });
            }
            runs[at].oldest = commit;
            runs[at].commits.push(commit);
        }
        runs
    }
}

/// The first commit of those joined with one (union-find, with the way shortened).
fn first(joined: &mut [usize], commit: usize) -> usize {
    let mut at = commit;
    while joined[at] != at {
        joined[at] = joined[joined[at]];
        at = joined[at];
    }
    at
}
