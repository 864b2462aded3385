//! One platform: from its layers to findings.

use std::collections::BTreeSet;

use crate::compare::{self, Finding, Sides, Status};
use crate::error::Error;
use crate::image::Image;
use crate::layer::Indexes;
use crate::limits;
use crate::mapping::{self, Evidence, MappingError, Plan, Presence};
use crate::path::{ImagePath, RepoPath};
use crate::repo::{self, Commit, Origin, Repository};
use crate::select::Pattern;
use crate::source::Source;
use crate::tree::FileTree;

use super::settle::is_named;
use super::tables::Layers;
use super::{Filtered, GitSide, Options, PlatformResult, merge};

/// What all platforms share.
pub(super) struct Job<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) repository: &'a Repository,
    pub(super) git: &'a GitSide,
    pub(super) indexes: &'a Indexes,
    /// Whether some of them are from tables of contents, and may have files whose git id is not known.
    tabled: bool,
    pub(super) options: &'a Options,
}

/// What came of one plan.
pub(super) struct Judgement {
    pub(super) plan: Plan,
    pub(super) findings: Vec<Finding>,
    filtered: Vec<Filtered>,
}

impl<'a> Job<'a> {
    /// A comparison of images with these layers.
    pub(super) fn new(
        source: &'a dyn Source,
        repository: &'a Repository,
        git: &'a GitSide,
        layers: &'a Layers,
        options: &'a Options,
    ) -> Self {
        Self { source, repository, git, indexes: &layers.indexes, tabled: !layers.tabled.is_empty(), options }
    }
}

impl Job<'_> {
    /// Merges, maps and compares the image of one platform.
    pub(super) fn platform(&self, image: &Image) -> Result<PlatformResult, Error> {
        let tree = merge(image, self.indexes, self.options.effort.memory)?;
        let Judgement { plan, findings, filtered } = self.judged(image, &tree)?;
        let (image, layers, claims) = (image.clone(), Vec::new(), Vec::new());
        Ok(PlatformResult { image, tree, plan, findings, filtered, identity: None, layers, claims, cause: None })
    }

    /// Maps and compares the merged image.
    fn judged(&self, image: &Image, tree: &FileTree) -> Result<Judgement, Error> {
        let read = |path: &RepoPath| self.repository.read(&self.git.snapshot, path, limits::REPO_TEXT_BYTES).ok();
        let evidence = Evidence { tree, config: &image.config, files: &self.git.snapshot.files, read: &read };
        let mut plan = self.plan(&evidence)?;
        let rivals = std::mem::take(&mut plan.rivals);
        let mut best = self.judge(image, tree, plan)?;
        for rival in rivals {
            let unsettled = self.unsettled(&best);
            if unsettled == (0, 0) {
                break;
            }
            let next = self.judge(image, tree, rival)?;
            if self.unsettled(&next) < unsettled {
                best = next;
            }
        }
        Ok(best)
    }

    /// What the image is compared with, for people.
    pub(super) fn revision(&self) -> &str {
        let commit = self.git.commit.as_ref().filter(|_| self.git.snapshot.origin == Origin::Revision);
        commit.map_or("the work tree", |commit| &commit.short)
    }

    /// The `.dockerignore` that keeps a file of git out of builds, if one does.
    pub(super) fn ignored_by(&self, path: &RepoPath) -> Option<RepoPath> {
        let read = |file: &RepoPath| self.repository.read(&self.git.snapshot, file, limits::REPO_TEXT_BYTES).ok();
        mapping::dockerignore::that_excludes(path, &read)
    }

    /// The findings of files that a build of `commit` would have put into the image of `result` and that are not there.
    pub(super) fn missing_at(&self, commit: &Commit, result: &PlatformResult) -> Result<Vec<Finding>, Error> {
        let findings = self.judged_at(commit, result)?.map(|judgement| judgement.findings).unwrap_or_default();
        Ok(findings.into_iter().filter(|finding| finding.status == Status::Missing).collect())
    }

    /// The comparison of `result` with another commit; `None` where nothing says how that one was built.
    pub(super) fn judged_at(&self, commit: &Commit, result: &PlatformResult) -> Result<Option<Judgement>, Error> {
        let snapshot = repo::of_revision(self.repository, commit)?;
        let git = GitSide { commit: Some(commit.clone()), snapshot };
        let named = self.tabled.then(|| Layers::named(self.indexes, self.repository, &git.snapshot));
        let tree = named.map(|indexes| merge(&result.image, &indexes, self.options.effort.memory)).transpose()?;
        match (Job { git: &git, ..*self }).judged(&result.image, tree.as_ref().unwrap_or(&result.tree)) {
            Err(Error::Mapping(_)) => Ok(None),
            other => other.map(Some),
        }
    }

    fn judge(&self, image: &Image, tree: &FileTree, plan: Plan) -> Result<Judgement, Error> {
        let mut findings = self.compare(tree, &plan)?;
        let filtered = self.normalize(image, &mut findings)?;
        let is_filtered = |path: &RepoPath| filtered.iter().any(|file: &Filtered| file.path == *path);
        findings.retain(|finding| {
            finding.status != Status::Modified || !finding.repo.as_ref().is_some_and(|(path, _)| is_filtered(path))
        });
        Ok(Judgement { plan, findings, filtered })
    }

    /// Files that were named and not found, then files that differ or could not be judged: the fewer there are, the
    /// better a plan explains the image.
    fn unsettled(&self, result: &Judgement) -> (usize, usize) {
        let named = |pattern: &Pattern| result.findings.iter().any(|finding| is_named(pattern, finding));
        let unnamed = self.options.selection.patterns().iter().filter(|pattern| !named(pattern)).count();
        let differs = |finding: &&Finding| finding.status.differs(self.options.strictness);
        (unnamed, result.findings.iter().filter(differs).count() + result.filtered.len())
    }

    fn plan(&self, evidence: &Evidence<'_>) -> Result<Plan, Error> {
        let names: Vec<&[u8]> = self.options.selection.names().collect();
        let (mut plan, unmapped) = match mapping::plan(evidence, &self.options.mapping) {
            Ok(plan) => (plan, None),
            // A file may be told by its name alone.
            Err(error @ (MappingError::NothingInCommon | MappingError::Ambiguous { .. })) if !names.is_empty() => {
                (Plan::default(), Some(error))
            }
            Err(error) => return Err(error.into()),
        };
        for name in &names {
            mapping::add_stray_copies(evidence, name, &mut plan);
            plan.rivals.iter_mut().for_each(|rival| mapping::add_stray_copies(evidence, name, rival));
        }
        let submodules = self.submodules(&plan);
        plan.warnings.extend(submodules);
        match unmapped.filter(|_| plan.expected.is_empty()) {
            Some(error) => Err(error.into()),
            None => Ok(plan),
        }
    }

    /// Submodules inside the mapped directories; their files are another repository's.
    fn submodules(&self, plan: &Plan) -> Vec<String> {
        let mapped = |path: &&RepoPath| plan.mappings.iter().any(|mapping| path.starts_with(&mapping.repo));
        let inside = self.git.snapshot.submodules.iter().filter(mapped);
        inside.map(|path| format!("{path} is a repository of its own (a submodule) and was not compared")).collect()
    }

    fn compare(&self, tree: &FileTree, plan: &Plan) -> Result<Vec<Finding>, Error> {
        let selection = &self.options.selection;
        let files = &self.git.snapshot.files;
        let sides = Sides { tree, files, format: self.repository.object_format() };
        let (mut findings, mut absent) = (Vec::new(), Vec::new());
        let mut known = BTreeSet::new();
        for (image, expected) in &plan.expected {
            known.extend(tree.lookup(image).ok().flatten().map(|found| found.path));
            known.extend(tree.entry(image).ok().flatten().map(|found| found.path));
            let Some(file) = files.get(&expected.repo) else { continue };
            if !selection.matches(Some(&expected.repo), image) {
                continue;
            }
            let finding = sides.pair(image, &expected.repo, *file);
            let optional = expected.presence == Presence::IfThere && finding.status == Status::Missing;
            match optional {
                true if !selection.promises(&expected.repo, image) => {}
                true => absent.push((finding, selection.is_name_only(&expected.repo, image))),
                false => findings.push(finding),
            }
        }
        absent.retain(|(absent, by_name)| !findings.iter().any(|finding| stands_for(finding, absent, *by_name)));
        findings.extend(absent.into_iter().map(|(absent, _)| absent));
        let patterns = self.looked_for_everywhere(&findings);
        let named = |path: &ImagePath| patterns.iter().any(|pattern| pattern.matches_image(path));
        let named = (!patterns.is_empty()).then_some(&named as &dyn Fn(&ImagePath) -> bool);
        let untracked = compare::untracked(tree, &plan.directories, &known, named)?;
        findings.extend(untracked.into_iter().filter(|finding| selection.matches(None, &finding.image)));
        findings.sort_by(|a, b| a.image.cmp(&b.image));
        Ok(findings)
    }

    /// Untracked files are looked for in mapped directories; a file that was named is looked for everywhere, and so is
    /// what nothing else matches, to tell what lies in the image alone from what lies nowhere.
    fn looked_for_everywhere(&self, findings: &[Finding]) -> Vec<&Pattern> {
        let everywhere =
            |pattern: &&Pattern| !pattern.is_glob() || !findings.iter().any(|finding| is_named(pattern, finding));
        self.options.selection.patterns().iter().filter(everywhere).collect()
    }
}

/// Whether a named file that is absent from a place where it need not be was found in another. A bare name means every
/// copy in the image, so that one of that name will do.
fn stands_for(finding: &Finding, absent: &Finding, by_name: bool) -> bool {
    let path = |finding: &Finding| finding.repo.as_ref().map(|(path, _)| path.clone());
    let same_name = by_name && finding.image.file_name() == absent.image.file_name();
    finding.status.is_comparison() && (same_name || path(finding) == path(absent))
}
