//! The comparison: image files against git files, by blob id. Pure: everything it needs is in memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::blob::{BlobId, ObjectFormat};
use crate::path::{ImagePath, RepoPath};
use crate::repo::{Commit, RepoFile, RepoFileKind};
use crate::tree::{FileTree, Found, Node, NodeKind, Stored, TreeError};

/// How an image file and a git file stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The same bytes.
    Same,
    /// The same once git's own conversions are undone (line endings, `$Id$`, LFS).
    SameNormalized,
    /// Other bytes, which an earlier commit has at this path.
    Stale,
    /// Other bytes, which git has elsewhere: at another path, on another branch, in a later commit.
    Other,
    /// Other bytes, of no commit as far as history was looked at.
    Modified,
    /// In git, and expected in the image, but not there.
    Missing,
    /// In a mapped directory of the image, with bytes that git had there until a commit deleted the file.
    Leftover,
    /// In a mapped directory of the image, but not in git.
    Untracked,
    /// The same bytes, executable on one side only.
    Mode,
    /// A file on one side and something else on the other.
    Kind,
}

impl Status {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::SameNormalized => "same-normalized",
            Self::Stale => "stale",
            Self::Other => "other",
            Self::Modified => "modified",
            Self::Missing => "missing",
            Self::Leftover => "leftover",
            Self::Untracked => "untracked",
            Self::Mode => "mode",
            Self::Kind => "kind",
        }
    }

    /// Whether a file of the image was really held against a file of git.
    pub fn is_comparison(self) -> bool {
        !matches!(self, Self::Missing | Self::Leftover | Self::Untracked)
    }

    /// Whether the image has a file where git has one, with other bytes.
    pub fn is_other_bytes(self) -> bool {
        matches!(self, Self::Stale | Self::Other | Self::Modified)
    }

    /// Whether it makes the image differ.
    pub fn differs(self, strictness: Strictness) -> bool {
        match self {
            Self::Same | Self::SameNormalized => false,
            Self::Stale | Self::Other | Self::Modified | Self::Missing | Self::Leftover | Self::Kind => true,
            Self::Untracked | Self::Mode => strictness == Strictness::Strict,
        }
    }
}

/// What counts as a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Contents and presence.
    Contents,
    /// Modes and files that git does not know, too.
    Strict,
}

/// One file, and how it stands.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How it stands.
    pub status: Status,
    /// The git side; `None` for untracked files.
    pub repo: Option<(RepoPath, RepoFile)>,
    /// Where it is in the image, or should be.
    pub image: ImagePath,
    /// The image side, where there is a file.
    pub file: Option<Stored>,
    /// The layer that set the path.
    pub layer: Option<usize>,
    /// The layer that it is counted with: the one that set it, or for a missing file the one of its neighbours.
    pub counted_with: Option<usize>,
    /// Where history has the bytes of the image's file, if they are not those of the revision.
    pub past: Option<Past>,
    /// What else is worth saying.
    pub note: Option<String>,
}

/// A place in history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// The commit.
    pub commit: Commit,
    /// Commits that the revision has and this one has not, if this one is part of the revision's history.
    pub behind: Option<usize>,
    /// The commit that put other bytes in their place, if there is one.
    pub replaced_by: Option<Commit>,
}

/// What is compared.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    /// The image's files.
    pub tree: &'a FileTree,
    /// Git's files.
    pub files: &'a BTreeMap<RepoPath, RepoFile>,
    /// The hash function of git's ids.
    pub format: ObjectFormat,
}

impl Sides<'_> {
    /// Holds the git file `repo` against what the image has at `image`.
    pub fn pair(&self, image: &ImagePath, repo: &RepoPath, file: RepoFile) -> Finding {
        let mut finding = Finding {
            status: Status::Missing,
            repo: Some((repo.clone(), file)),
            image: image.clone(),
            file: None,
            layer: None,
            counted_with: None,
            past: None,
            note: None,
        };
        match self.tree.entry(image) {
            Err(cycle) => (finding.status, finding.note) = (Status::Kind, Some(cycle.to_string())),
            Ok(None) => {}
            Ok(Some(found)) => self.judge(&mut finding, &found, repo, file),
        }
        finding
    }

    fn judge(&self, finding: &mut Finding, found: &Found, repo: &RepoPath, file: RepoFile) {
        let node = self.tree.node(found.id);
        finding.layer = Some(node.layer);
        finding.status = match (&node.kind, file.kind) {
            (NodeKind::Regular(stored), RepoFileKind::Symlink) => {
                finding.file = Some(*stored);
                self.against_link_target(finding, stored, repo, file)
            }
            (NodeKind::Regular(stored), _) => {
                finding.file = Some(*stored);
                contents_and_mode(stored, node, file)
            }
            (NodeKind::Symlink(target), RepoFileKind::Symlink) => {
                let same = BlobId::of(target, self.format) == Ok(file.blob);
                if same { Status::Same } else { Status::Modified }
            }
            (NodeKind::Symlink(_), _) => self.through_link(finding, file),
            (NodeKind::Directory(_) | NodeKind::Special, _) => {
                finding.note = Some("it is no file in the image".to_owned());
                Status::Kind
            }
        };
    }

    /// A process that opens the path reads what the link leads to, so that is what counts.
    fn through_link(&self, finding: &mut Finding, file: RepoFile) -> Status {
        let resolved = self.tree.lookup(&finding.image).ok().flatten();
        let Some((found, node)) = resolved.map(|found| (found.path, self.tree.node(found.id))) else {
            finding.note = Some("it is a symbolic link to nothing".to_owned());
            return Status::Kind;
        };
        let NodeKind::Regular(stored) = &node.kind else {
            finding.note = Some(format!("it is a symbolic link to {found}, which is no file"));
            return Status::Kind;
        };
        finding.note = Some(format!("it is a symbolic link to {found}"));
        (finding.file, finding.layer) = (Some(*stored), Some(node.layer));
        contents_and_mode(stored, node, file)
    }

    /// `COPY link /dst` copies what the link points to.
    fn against_link_target(&self, finding: &mut Finding, stored: &Stored, repo: &RepoPath, file: RepoFile) -> Status {
        let target = self.files.iter().find(|(path, candidate)| {
            candidate.blob == stored.content.blob && points_to(repo, file, path, self.format)
        });
        match target {
            Some((path, _)) => {
                finding.note = Some(format!("it is a symbolic link to {path} in git, copied as that file"));
                Status::Same
            }
            None => {
                finding.note = Some("it is a symbolic link in git and a file in the image".to_owned());
                Status::Kind
            }
        }
    }
}

/// Whether the link at `link` leads to `path`. A link's blob is its target, and there is one way to write the target
/// relative to the link without detours.
fn points_to(link: &RepoPath, file: RepoFile, path: &RepoPath, format: ObjectFormat) -> bool {
    let directory = link.parent().unwrap_or_default();
    let from: Vec<&[u8]> = directory.components().collect();
    let to: Vec<&[u8]> = path.components().collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut names: Vec<&[u8]> = vec![b".."; from.len() - common];
    names.extend(&to[common..]);
    BlobId::of(&names.join(&b'/'), format) == Ok(file.blob)
}

fn contents_and_mode(stored: &Stored, node: &Node, file: RepoFile) -> Status {
    const OWNER_EXECUTES: u32 = 0o100;
    let executable = node.mode & OWNER_EXECUTES != 0;
    match (stored.content.blob == file.blob, executable == (file.kind == RepoFileKind::Executable)) {
        (false, _) => Status::Modified,
        (true, false) => Status::Mode,
        (true, true) => Status::Same,
    }
}

/// Files that none of `known` (real paths) is: those below the image directories `mapped`, and those that `named`, where
/// something is, is true for, wherever they are.
///
/// The whole root is not a mapped directory like another, for everything that the base image brought lies below it:
/// there only layers count that brought a known file.
///
/// # Errors
/// [`TreeError::Cycle`] when a mapped directory cannot be reached.
pub fn untracked(
    tree: &FileTree,
    mapped: &[ImagePath],
    known: &BTreeSet<ImagePath>,
    named: Option<&dyn Fn(&ImagePath) -> bool>,
) -> Result<Vec<Finding>, TreeError> {
    let mut places = Vec::new();
    for directory in mapped {
        places.extend(tree.lookup(directory)?.filter(|place| !places.contains(place)));
    }
    let found = known.iter().filter_map(|path| tree.lookup(path).ok().flatten());
    let own_layers: BTreeSet<usize> = found.map(|found| tree.node(found.id).layer).collect();
    let is_mapped = |path: &ImagePath, layer: usize| {
        let holds = |place: &Found| path.starts_with(&place.path);
        places.iter().any(|place| holds(place) && (!place.path.is_root() || own_layers.contains(&layer)))
    };
    // Most of an image lies outside of what is mapped, and need not be walked unless a name may be anywhere.
    let inside = |place: &Found| places.iter().any(|other| other != place && place.path.starts_with(&other.path));
    let walked: Vec<_> = match named {
        Some(_) => vec![tree.all()],
        None => places.iter().filter(|place| !inside(place)).map(|place| tree.below(place)).collect(),
    };
    let mut findings = Vec::new();
    for (path, id) in walked.into_iter().flatten() {
        let node = tree.node(id);
        let is_file = !matches!(node.kind, NodeKind::Directory(_));
        let counts = is_mapped(&path, node.layer) || named.is_some_and(|named| named(&path));
        if is_file && counts && !known.contains(&path) {
            findings.push(untracked_file(path, node));
        }
    }
    Ok(findings)
}

fn untracked_file(path: ImagePath, node: &Node) -> Finding {
    let file = match &node.kind {
        NodeKind::Regular(stored) => Some(*stored),
        _ => None,
    };
    Finding {
        status: Status::Untracked,
        repo: None,
        image: path,
        file,
        layer: Some(node.layer),
        counted_with: None,
        past: None,
        note: None,
    }
}
