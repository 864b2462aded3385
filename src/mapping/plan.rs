//! From the evidence to a plan: which file of git should lie where in the image.

use std::collections::{BTreeMap, BTreeSet};

use crate::blob::BlobId;
use crate::image::ImageConfig;
use crate::path::{ImagePath, RepoPath};
use crate::repo::{RepoFile, RepoFileKind};
use crate::tree::{FileTree, NodeKind};

use super::infer::{ImageFile, Inference, above_common_end, infer};
use super::{MappingError, build, discover, presence};

/// What is known of an image and a repository before anything is compared.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The image's files.
    pub tree: &'a FileTree,
    /// What the image says of its making.
    pub config: &'a ImageConfig,
    /// Git's files.
    pub files: &'a BTreeMap<RepoPath, RepoFile>,
    /// The contents of a small file of git; `None` when it cannot be had.
    pub read: &'a dyn Fn(&RepoPath) -> Option<Vec<u8>>,
}

/// What the user said about the mapping.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `--map`: image directory and repository directory.
    pub maps: Vec<(ImagePath, RepoPath)>,
    /// `--dockerfile`.
    pub dockerfile: Option<GivenDockerfile>,
    /// `--context`.
    pub context: Option<RepoPath>,
}

/// A Dockerfile that the user named.
#[derive(Clone, Debug)]
pub struct GivenDockerfile {
    /// How the user called it.
    pub name: String,
    /// Where it is in the repository, if it is.
    pub path: Option<RepoPath>,
    /// Its text; what the repository has at its path where this is `None`.
    pub text: Option<Vec<u8>>,
}

/// How a mapping was come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MappingOrigin {
    /// `--map`.
    Flag,
    /// A Dockerfile, given or found in the repository.
    Dockerfile,
    /// The image's build history.
    History,
    /// Names and contents.
    Inferred,
}

impl MappingOrigin {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Dockerfile => "dockerfile",
            Self::History => "history",
            Self::Inferred => "inferred",
        }
    }
}

/// One path of the image that stands for one path of the repository: two directories, or two files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The image side.
    pub image: ImagePath,
    /// The repository side.
    pub repo: RepoPath,
    /// How it was come by.
    pub origin: MappingOrigin,
    /// Files below it that are in both places.
    pub files: usize,
    /// Those of them that are equal.
    pub equal: usize,
}

/// A file that should be in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The file of git.
    pub repo: RepoPath,
    /// Whether its absence means anything.
    pub presence: Presence,
}

/// Whether a file has to be in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The build copies it.
    Required,
    /// It is compared if it is there; nothing says that the build copies it.
    IfThere,
}

/// Which file of git should lie where in the image.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The mappings, for people.
    pub mappings: Vec<Mapping>,
    /// Every file that may be compared.
    pub expected: BTreeMap<ImagePath, Expected>,
    /// Image directories that hold what a repository directory holds, and nothing else unless it was generated.
    pub directories: Vec<ImagePath>,
    /// How the mapping was come by, in a few words ("from Dockerfile, which matches the build history").
    pub basis: String,
    /// What was noticed on the way.
    pub warnings: Vec<String>,
}

/// Finds the mapping: what the user said, else a Dockerfile of the repository that matches the build history, else
/// the build history itself, else inference.
///
/// # Errors
/// See [`MappingError`]; nothing mapped is an error, for a comparison of nothing would pass.
pub fn plan(evidence: &Evidence<'_>, request: &Request) -> Result<Plan, MappingError> {
    let mut plan = choose(evidence, request)?;
    plan.directories.sort();
    plan.directories.dedup();
    for mapping in &mut plan.mappings {
        (mapping.files, mapping.equal) = evidence.support(&plan.expected, &mapping.image);
    }
    Ok(plan)
}

fn choose(evidence: &Evidence<'_>, request: &Request) -> Result<Plan, MappingError> {
    if !request.maps.is_empty() {
        return given(evidence, &request.maps);
    }
    let context = request.context.as_ref();
    if let Some(dockerfile) = &request.dockerfile {
        return build::from_dockerfile(evidence, dockerfile, context);
    }
    let mut warnings = Vec::new();
    if let Some(plan) = discover::dockerfile(evidence, context, &mut warnings) {
        return Ok(Plan { warnings, ..plan });
    }
    if let Some(plan) = build::from_history(evidence, context) {
        return Ok(Plan { warnings: [warnings, plan.warnings.clone()].concat(), ..plan });
    }
    let plan = inferred(evidence)?;
    Ok(Plan { warnings: [warnings, plan.warnings.clone()].concat(), ..plan })
}

fn given(evidence: &Evidence<'_>, maps: &[(ImagePath, RepoPath)]) -> Result<Plan, MappingError> {
    let mut plan = Plan { basis: "as given by --map".to_owned(), ..Plan::default() };
    let ignore = evidence.dockerignore(&RepoPath::root());
    for (image, repo) in maps {
        let mut found = false;
        for path in evidence.files.keys() {
            let Some(below) = path.strip_prefix(repo) else { continue };
            found = true;
            if !ignore.excludes(path) {
                let expected = Expected { repo: path.clone(), presence: Presence::Required };
                plan.expected.insert(image.join(below), expected);
            }
        }
        if !found {
            return Err(MappingError::NoSuchDirectory(repo.clone()));
        }
        plan.directories.push(image.clone());
        plan.mappings.push(Mapping::new(image.clone(), repo.clone(), MappingOrigin::Flag));
    }
    Ok(plan)
}

fn inferred(evidence: &Evidence<'_>) -> Result<Plan, MappingError> {
    let regular = evidence.files.iter().filter(|(_, file)| file.kind != RepoFileKind::Symlink);
    let repo = regular.map(|(path, file)| (path.clone(), file.blob)).collect();
    let pairs = match infer(&evidence.image_files(), &repo) {
        Inference::Pairs(pairs) if pairs.is_empty() => return Err(MappingError::NothingInCommon),
        Inference::Pairs(pairs) => pairs,
        Inference::Ambiguous(both) => {
            return Err(MappingError::Ambiguous {
                image: both.0.image.clone(),
                repos: vec![both.0.repo.clone(), both.1.repo.clone()],
            });
        }
    };
    let mut plan = Plan { basis: "inferred from equal files".to_owned(), ..Plan::default() };
    // The strongest pair has the first say about a path.
    for pair in &pairs {
        for path in evidence.files.keys() {
            let Some(below) = path.strip_prefix(&pair.repo) else { continue };
            let expected = Expected { repo: path.clone(), presence: Presence::IfThere };
            let place = plan.expected.entry(pair.image.join(below)).or_insert_with(|| expected.clone());
            if place.repo != *path && evidence.equal(&pair.image.join(below), path) {
                *place = expected;
            }
        }
        plan.directories.push(pair.image.clone());
        plan.mappings.push(Mapping::new(pair.image.clone(), pair.repo.clone(), MappingOrigin::Inferred));
    }
    presence::require(evidence, &pairs, &mut plan);
    Ok(plan)
}

impl Mapping {
    /// A mapping whose support is counted later.
    pub(super) fn new(image: ImagePath, repo: RepoPath, origin: MappingOrigin) -> Self {
        Self { image, repo, origin, files: 0, equal: 0 }
    }
}

impl Evidence<'_> {
    /// The blob at a path of the image, links followed.
    pub(super) fn image_blob(&self, path: &ImagePath) -> Option<BlobId> {
        let found = self.tree.lookup(path).ok()??;
        match &self.tree.node(found.id).kind {
            NodeKind::Regular(stored) => Some(stored.content.blob),
            _ => None,
        }
    }

    /// Whether the image has a directory at a path, links followed.
    pub(super) fn is_directory(&self, path: &ImagePath) -> bool {
        let found = self.tree.lookup(path).ok().flatten();
        found.is_some_and(|found| matches!(self.tree.node(found.id).kind, NodeKind::Directory(_)))
    }

    /// Whether the image has the very contents of a file of git at `image`.
    pub(super) fn equal(&self, image: &ImagePath, repo: &RepoPath) -> bool {
        self.files.get(repo).is_some_and(|file| self.image_blob(image) == Some(file.blob))
    }

    /// How many expected files at or below `top` are in the image, and how many of them are equal.
    pub(super) fn support(&self, expected: &BTreeMap<ImagePath, Expected>, top: &ImagePath) -> (usize, usize) {
        let below = expected.iter().filter(|(path, _)| path.starts_with(top));
        let present = below.filter(|(path, _)| self.image_blob(path).is_some());
        let equal = present.clone().filter(|(path, expected)| self.equal(path, &expected.repo)).count();
        (present.count(), equal)
    }

    /// The `.dockerignore` of a context directory; an empty one where there is none.
    pub(super) fn dockerignore(&self, context: &RepoPath) -> super::dockerignore::Dockerignore {
        let path = context.join(b".dockerignore");
        let text = if self.files.contains_key(&path) { (self.read)(&path) } else { None };
        super::dockerignore::parse(&text.unwrap_or_default())
    }

    fn image_files(&self) -> Vec<ImageFile> {
        let regular = self.tree.all().into_iter().filter_map(|(path, id)| match &self.tree.node(id).kind {
            NodeKind::Regular(stored) => Some(ImageFile { path, blob: stored.content.blob, size: stored.content.size }),
            _ => None,
        });
        regular.collect()
    }
}

/// Adds to `plan` the copies of a named file that lie outside every mapped directory: a second copy of
/// `monitoring/heartbeat.py` in `site-packages` may be the one that runs. A copy is told from an unrelated namesake by
/// its directory's name, or by being the only file of its name on both sides.
pub fn add_stray_copies(evidence: &Evidence<'_>, name: &[u8], plan: &mut Plan) {
    let repo: Vec<&RepoPath> = evidence.files.keys().filter(|path| path.file_name() == Some(name)).collect();
    let known: BTreeSet<ImagePath> = plan.expected.keys().filter_map(|path| evidence.real(path)).collect();
    let named = evidence.tree.all().into_iter().map(|(path, _)| path).filter(|path| path.file_name() == Some(name));
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

impl Evidence<'_> {
    /// Where a path of the image really is, links followed.
    fn real(&self, path: &ImagePath) -> Option<ImagePath> {
        Some(self.tree.lookup(path).ok()??.path)
    }
}

/// Whether the directories' names, too, say that one is a copy of the other: three names, or all the repository has.
fn is_copy_by_name(image: &ImagePath, repo: &RepoPath) -> bool {
    let (common, all) = (common_end(image, repo), repo.components().count());
    common >= 3 || (common == all && all > 1)
}

fn common_end(image: &ImagePath, repo: &RepoPath) -> usize {
    let (above, _) = above_common_end(image, repo);
    image.components().count() - above.components().count()
}
