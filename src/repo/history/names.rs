//! What commits are called: tags and branches.

use gix::{ObjectId, Reference};

use super::super::error::Cause;
use super::super::{RepoError, Repository};
use super::commits::open_error;
use super::{CommitIndex, History};

/// How many tags are considered for one commit, as `git describe` does by default.
const CANDIDATES: usize = 10;

/// The tags and branches of a repository that name commits.
pub struct Names {
    /// Annotated before others, then by name.
    tags: Vec<Name>,
    /// The branch that is checked out first, then local and remote branches.
    branches: Vec<Name>,
}

struct Name {
    short: String,
    id: ObjectId,
}

impl Names {
    /// The names of `repository`. Those that lead nowhere, as git warns of, and those of other objects are left out.
    ///
    /// # Errors
    /// When the references cannot be read.
    pub fn of(repository: &Repository) -> Result<Self, RepoError> {
        Self::read(&repository.git).map_err(|source| open_error(repository, source))
    }

    fn read(git: &gix::Repository) -> Result<Self, Cause> {
        let references = git.references()?;
        let commits = |references: Vec<Reference<'_>>| references.into_iter().filter_map(named).collect::<Vec<_>>();
        let mut tags = commits(references.tags()?.filter_map(Result::ok).collect());
        tags.sort_by(|(one_tag, one), (other_tag, other)| (!one_tag, &one.short).cmp(&(!other_tag, &other.short)));
        let mut branches = commits(references.local_branches()?.filter_map(Result::ok).collect());
        let head = git.head_name()?.map(|name| name.shorten().to_string());
        branches.sort_by_key(|(_, branch)| Some(&branch.short) != head.as_ref());
        let is_direct = |reference: &Reference<'_>| reference.try_id().is_some();
        branches.extend(commits(references.remote_branches()?.filter_map(Result::ok).filter(is_direct).collect()));
        let names = |list: Vec<(bool, Name)>| list.into_iter().map(|(_, name)| name).collect();
        Ok(Self { tags: names(tags), branches: names(branches) })
    }

    /// The commits that are named.
    pub(super) fn tips(&self) -> Vec<ObjectId> {
        self.branches.iter().chain(&self.tags).map(|name| name.id).collect()
    }
}

/// The name of a commit, and whether it is an annotated tag.
fn named(mut reference: Reference<'_>) -> Option<(bool, Name)> {
    let direct = reference.try_id().map(gix::Id::detach);
    let id = reference.peel_to_commit().ok()?.id;
    Some((direct != Some(id), Name { short: reference.name().shorten().to_string(), id }))
}

impl History {
    /// What a commit is called: by the nearest tag before it, as `git describe --tags` has it (`v1.2-3-gabc1234`);
    /// else by the branch on whose first parents it is (`main~3`); else by its short id.
    pub fn describe(&self, names: &Names, commit: CommitIndex) -> String {
        self.by_tag(names, commit).or_else(|| self.by_branch(names, commit)).unwrap_or_else(|| self.short(commit))
    }

    fn by_tag(&self, names: &Names, commit: CommitIndex) -> Option<String> {
        let reached = self.graph.reached(commit);
        let find = |name: &Name| self.graph.find(name.id).filter(|at| reached[at.position()]);
        let mut tags: Vec<_> = names.tags.iter().filter_map(|name| Some((find(name)?, name))).collect();
        // Stable, so that of two at one commit the annotated one stays first.
        tags.sort_by_key(|&(at, _)| std::cmp::Reverse(self.time(at)));
        let near = tags.iter().take(CANDIDATES).map(|&(at, name)| (self.distance(commit, at), name));
        let (distance, name) = near.min_by_key(|&(distance, _)| distance)?;
        Some(if distance == 0 {
            name.short.clone()
        } else {
            format!("{}-{distance}-g{}", name.short, self.short(commit))
        })
    }

    fn by_branch(&self, names: &Names, commit: CommitIndex) -> Option<String> {
        let mut passed = vec![false; self.graph.len()];
        for branch in &names.branches {
            let mut at = self.graph.find(branch.id);
            let mut steps = 0_usize;
            while let Some(here) = at.filter(|here| !std::mem::replace(&mut passed[here.position()], true)) {
                if here == commit {
                    let name = &branch.short;
                    return Some(if steps == 0 { name.clone() } else { format!("{name}~{steps}") });
                }
                at = self.parents(here).first().copied();
                steps += 1;
            }
        }
        None
    }

    fn short(&self, commit: CommitIndex) -> String {
        use gix::prelude::ObjectIdExt as _;
        self.graph.id(commit).attach(&self.reader.objects.git).shorten_or_id().to_string()
    }
}
