//! Copies of a named file outside of every mapped directory.

use std::collections::BTreeSet;

use crate::path::{ImagePath, RepoPath};

use super::evidence::Evidence;
use super::infer::above_common_end;
use super::plan::{Expected, Plan, Presence};

/// Adds to `plan` the copies of a named file that lie outside every mapped directory: a second copy of
/// `monitoring/heartbeat.py` in `site-packages` may be the one that runs. A copy is told from an unrelated namesake by
/// its directory's name, or by being the only file of its name on both sides.
pub fn add_stray_copies(evidence: &Evidence<'_>, name: &[u8], plan: &mut Plan) {
    let repo: Vec<&RepoPath> = evidence.files.keys().filter(|path| path.file_name() == Some(name)).collect();
    let known: BTreeSet<ImagePath> = plan.expected.keys().filter_map(|path| evidence.real(path)).collect();
    let named = evidence.tree.all().map(|(path, _)| path).filter(|path| path.file_name() == Some(name));
    let image: Vec<ImagePath> = named.collect();
    for path in image.iter().filter(|path| !known.contains(path)) {
        let alike = |repo: &&&RepoPath| common_end(path, repo);
        let Some(best) = repo.iter().max_by_key(alike) else { continue };
        let only = repo.len() == 1 && image.len() == 1;
        let equal = repo.iter().find(|candidate| evidence.equal(path, candidate));
        if let Some(source) = equal.or(Some(best).filter(|best| only || is_copy_by_name(path, best))) {
            let expected = Expected { repo: (*source).clone(), presence: Presence::IfThere };
            plan.expected.insert(path.clone(), expected);
        }
    }
}

/// Directories right below which a language installs packages.
const PACKAGE_DIRECTORIES: [&[u8]; 3] = [b"site-packages", b"dist-packages", b"node_modules"];

/// Whether the directories' names, too, say that one is a copy of the other: three names, or all the repository has, or
/// all of an installed package.
fn is_copy_by_name(image: &ImagePath, repo: &RepoPath) -> bool {
    let (above, _) = above_common_end(image, repo);
    let (common, all) = (common_end(image, repo), repo.components().count());
    let installed = above.file_name().is_some_and(|name| PACKAGE_DIRECTORIES.contains(&name));
    common >= 3 || (common > 1 && (common == all || installed))
}

fn common_end(image: &ImagePath, repo: &RepoPath) -> usize {
    let (above, _) = above_common_end(image, repo);
    image.components().count() - above.components().count()
}
