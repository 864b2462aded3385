//! Which files an inferred mapping requires.
//!
//! Inference knows that two directories belong together, not what the build copied of them. Where most files of one
//! kind are in the image, the others of that kind should be there too; a directory that is wholly absent was not
//! copied; and single files at the top (`setup.py` beside `main.py`) are often left out on purpose.

use std::collections::BTreeMap;

use crate::count::counted;
use crate::path::{ImagePath, RepoPath};

use super::evidence::Evidence;
use super::infer::Pair;
use super::plan::{Plan, Presence};

/// Files of a kind that must be present before others of that kind are missed.
const FEWEST_PRESENT: usize = 3;

/// Marks what is missed as required, and says in a warning how much is not.
pub(super) fn require(evidence: &Evidence<'_>, pairs: &[Pair], plan: &mut Plan) {
    let mut absent_and_fine = 0;
    for pair in pairs {
        let ignore = evidence.dockerignore(&pair.repo);
        let census = census(evidence, pair, &ignore);
        for (path, expected) in plan.expected.iter_mut().filter(|(_, expected)| expected.repo.starts_with(&pair.repo)) {
            let Some(below) = expected.repo.strip_prefix(&pair.repo).map(RepoPath::clean) else { continue };
            // A link to a directory is there, too, though it leads to no bytes.
            let is_there = matches!(evidence.tree.entry(path), Ok(Some(_)));
            if is_there || expected.presence == Presence::Required || pair.image.join(below.as_bytes()) != *path {
                continue;
            }
            let directory_copied =
                path.parent().is_some_and(|parent| matches!(evidence.tree.lookup(&parent), Ok(Some(_))));
            if directory_copied && !ignore.excludes(&below) && census.misses(&below) {
                expected.presence = Presence::Required;
            } else if !ignore.excludes(&below) {
                absent_and_fine += 1;
            }
        }
    }
    if absent_and_fine > 0 {
        let files = counted(absent_and_fine, "file");
        plan.warnings.push(format!(
            "{files} of the mapped directories not in the image and taken as not meant to be; --dockerfile FILE or \
             --map IMAGE_DIR=REPO_DIR says what is meant to be there"
        ));
    }
}

/// Says in a warning which files of the mapped image directories have namesakes in git and no place there: of a service
/// whose only own file is stale, that file would otherwise be silently no more than untracked.
pub(super) fn warn_of_namesakes(evidence: &Evidence<'_>, pairs: &[Pair], plan: &mut Plan) {
    let mut tops: Vec<&ImagePath> = pairs.iter().map(|pair| &pair.image).collect();
    tops.sort();
    tops.dedup();
    for path in tops.into_iter().flat_map(|top| evidence.telling_files_in(top)) {
        let name = path.file_name().unwrap_or_default();
        let mut namesakes = evidence.files.keys().filter(|repo| repo.file_name() == Some(name));
        if let (false, Some(first)) = (plan.expected.contains_key(&path), namesakes.next()) {
            let others = namesakes.count();
            let others = if others > 0 { format!(" and {}", counted(others, "other")) } else { String::new() };
            plan.warnings.push(format!(
                "{path} was not compared: git has no file in its place, but {first}{others} of that name; \
                 --map IMAGE_DIR=REPO_DIR says where it comes from"
            ));
        }
    }
}

/// How many files of each kind (extension) there are below each directory, and how many of them are in the image.
#[derive(Default)]
struct Census {
    kinds: BTreeMap<(RepoPath, Vec<u8>), Count>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    all: usize,
    present: usize,
}

fn census(evidence: &Evidence<'_>, pair: &Pair, ignore: &super::dockerignore::Dockerignore) -> Census {
    let mut census = Census::default();
    for path in evidence.files.keys() {
        let Some(below) = path.strip_prefix(&pair.repo).map(RepoPath::clean) else { continue };
        if ignore.excludes(&below) {
            continue;
        }
        let present = usize::from(evidence.image_blob(&pair.image.join(below.as_bytes())).is_some());
        for directory in counted_directories(&below) {
            let count = census.kinds.entry((directory, kind(&below))).or_default();
            count.all += 1;
            count.present += present;
        }
    }
    census
}

/// A file at the top counts for the top alone; one below it for every directory above it but the top.
fn counted_directories(below: &RepoPath) -> Vec<RepoPath> {
    let mut directories = Vec::new();
    let mut next = below.parent();
    while let Some(directory) = next {
        next = directory.parent();
        if !directory.is_root() || directories.is_empty() {
            directories.push(directory);
        }
    }
    directories
}

fn kind(path: &RepoPath) -> Vec<u8> {
    let name = path.file_name().unwrap_or_default();
    name.iter().rposition(|&byte| byte == b'.').map_or_else(|| name.to_vec(), |dot| name[dot..].to_vec())
}

impl Census {
    /// Whether most files of this one's kind, in some directory above it, are in the image.
    fn misses(&self, below: &RepoPath) -> bool {
        counted_directories(below).into_iter().any(|directory| {
            let count = self.kinds.get(&(directory, kind(below))).copied().unwrap_or_default();
            count.present >= FEWEST_PRESENT && count.present * 3 >= count.all * 2
        })
    }
}
