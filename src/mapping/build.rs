//! Plans from build steps: those of a Dockerfile, or those an image's history tells.

use std::collections::{BTreeMap, BTreeSet};

use crate::path::{ImagePath, RepoPath};

use super::copies::{self, BuildContext, Copies, TooManyFiles};
use super::dockerfile::{BuildArguments, Dockerfile, ResolvedStage, parse};
use super::evidence::Evidence;
use super::history::{self, Sources};
use super::plan::{Coverage, Expected, GivenDockerfile, Mapping, MappingOrigin, Plan, Presence};
use super::step::{CopyStep, Origin};
use super::{MappingError, dockerignore};

/// Directories tried as the context of a history; a source such as `package.json` may exist in hundreds.
const MOST_CONTEXTS: usize = 32;

/// What steps copied from one context directory, and how well it fits the image.
pub(super) struct Candidate {
    pub(super) context: RepoPath,
    pub(super) copies: Copies,
    pub(super) fit: Fit,
    /// Equal files that few other projects have.
    telling: usize,
}

/// How well a candidate fits: fewer sources that do not exist, then more equal files, then more files of the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit {
    absent: std::cmp::Reverse<usize>,
    pub(super) equal: usize,
    pub(super) present: usize,
}

impl Candidate {
    /// Whether the image holds anything that speaks for these steps: an equal file that is not in every other project,
    /// too, or most of the paths.
    pub(super) fn is_credible(&self) -> bool {
        self.telling > 0 || (self.fit.present > 0 && self.fit.present * 2 >= self.copies.files.len())
    }

    /// The plan; what these steps copied has to be there.
    pub(super) fn into_plan(self, origin: MappingOrigin, basis: String, coverage: Coverage) -> Plan {
        let directories = self.copies.directories.iter().map(|copy| (copy.destination.clone(), copy.source.clone()));
        let inside = |image: &ImagePath, repo: &RepoPath| {
            let covers = |(to, from): &(ImagePath, RepoPath)| matches!((image.strip_prefix(to), repo.strip_prefix(from)), (Some(a), Some(b)) if a == b);
            self.copies.directories.iter().any(|copy| covers(&(copy.destination.clone(), copy.source.clone())))
        };
        let files = self.copies.files.iter().filter(|(image, file)| !inside(image, &file.source));
        let pairs = directories.clone().chain(files.map(|(image, file)| (image.clone(), file.source.clone())));
        let mut mappings: Vec<Mapping> = pairs.map(|(image, repo)| Mapping::new(image, repo, origin)).collect();
        mappings.dedup();
        let warnings = self
            .copies
            .archives
            .iter()
            .map(|file| format!("{} was unpacked by ADD, so its files cannot be compared", file.source));
        let expected =
            self.copies.files.iter().map(|(image, file)| {
                (image.clone(), Expected { repo: file.source.clone(), presence: Presence::Required })
            });
        Plan {
            mappings,
            expected: expected.collect(),
            directories: directories.map(|(image, _)| image).collect(),
            basis,
            coverage,
            stages: Vec::new(),
            warnings: warnings.collect(),
            rivals: Vec::new(),
        }
    }
}

/// Carries out the context steps among `steps` from each of `contexts`; the one that fits best. Contexts from which
/// they would copy too many files do not fit.
pub(super) fn best_context(
    evidence: &Evidence<'_>,
    steps: &[CopyStep],
    contexts: impl IntoIterator<Item = RepoPath>,
    ignore_file: Option<&RepoPath>,
) -> Option<Candidate> {
    let candidates = contexts.into_iter().filter_map(|context| candidate(evidence, steps, context, ignore_file));
    // Of equals the first: max_by_key would take the last.
    candidates.fold(None, |best: Option<Candidate>, next| match best {
        Some(best) if best.fit >= next.fit => Some(best),
        _ => Some(next),
    })
}

fn candidate(
    evidence: &Evidence<'_>,
    steps: &[CopyStep],
    context: RepoPath,
    ignore_file: Option<&RepoPath>,
) -> Option<Candidate> {
    // `NAME.dockerignore` beside the Dockerfile wins over the context's own.
    let own = ignore_file.filter(|path| evidence.files.contains_key(path)).and_then(|path| (evidence.read)(path));
    let ignore = own.map_or_else(|| evidence.dockerignore(&context), |text| dockerignore::parse(&text));
    let is_directory = |path: &ImagePath| evidence.is_directory(path);
    let build = BuildContext { directory: &context, ignore: &ignore, is_directory: &is_directory };
    let copies = copies::expected(steps, evidence.files.keys(), &build).ok()?;
    let present = copies.files.keys().filter(|path| evidence.image_blob(path).is_some()).count();
    let equal: Vec<&ImagePath> =
        copies.files.iter().filter(|(path, file)| evidence.equal(path, &file.source)).map(|(path, _)| path).collect();
    let telling = equal.iter().filter(|path| evidence.is_telling(path)).count();
    let fit = Fit { absent: std::cmp::Reverse(copies.absent.len()), equal: equal.len(), present };
    Some(Candidate { context, copies, fit, telling })
}

/// Resolves the last stage with what the image tells of its base: the environment, and the working directory where the
/// Dockerfile alone does not lead to the one the image has.
pub(super) fn resolve(evidence: &Evidence<'_>, dockerfile: &Dockerfile) -> Option<ResolvedStage> {
    let env: BTreeMap<String, String> =
        evidence.config.env().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let actual = ImagePath::clean(evidence.config.working_dir().as_bytes());
    let args = BTreeMap::new();
    let from = |inherited_workdir: ImagePath| {
        let build = BuildArguments { args: &args, target: None, inherited_env: &env, inherited_workdir };
        dockerfile.resolve(&build).ok()
    };
    let fits = |stage: &ResolvedStage| stage.workdir.as_ref() == Some(&actual);
    from(ImagePath::root()).filter(fits).or_else(|| from(actual.clone()))
}

/// The plan that a Dockerfile named by the user gives.
pub(super) fn from_dockerfile(
    evidence: &Evidence<'_>,
    given: &GivenDockerfile,
    context: Option<&RepoPath>,
) -> Result<Plan, MappingError> {
    let fail = |reason: String| MappingError::Dockerfile { name: given.name.clone(), reason };
    let in_repo = || given.path.as_ref().and_then(|path| (evidence.read)(path));
    let text = given.text.clone().or_else(in_repo);
    let text = text.ok_or_else(|| fail("it is neither a file nor a path in the repository".to_owned()))?;
    let dockerfile = parse(&text).map_err(|error| fail(error.to_string()))?;
    let stage = resolve(evidence, &dockerfile).ok_or_else(|| fail("its last stage cannot be resolved".to_owned()))?;
    let contexts = contexts_of(given.path.as_ref(), context);
    let ignore_file = given.path.as_ref().map(ignore_file_of);
    let best = best_context(evidence, &stage.steps, contexts, ignore_file.as_ref());
    let candidate = best.ok_or_else(|| fail(TooManyFiles.to_string()))?;
    if candidate.copies.files.is_empty() {
        return Err(fail("its last stage copies no file of the repository (is --context right?)".to_owned()));
    }
    let basis = format!("from {}", given.name);
    let unresolved = stage.unresolved.iter().map(|step| {
        format!(
            "{} line {}: `{}` was left out, for it depends on values that are not known",
            given.name, step.line, step.text
        )
    });
    let mut plan = candidate.into_plan(MappingOrigin::Dockerfile, basis, coverage(&stage));
    plan.warnings.extend(unresolved);
    plan.stages = stage.stages;
    Ok(plan)
}

/// The directories that may have been the build context of a Dockerfile: the one given, else the repository and
/// every directory on the way to the Dockerfile.
pub(super) fn contexts_of(dockerfile: Option<&RepoPath>, given: Option<&RepoPath>) -> Vec<RepoPath> {
    if let Some(given) = given {
        return vec![given.clone()];
    }
    let mut contexts = Vec::new();
    let mut next = dockerfile.and_then(RepoPath::parent);
    while let Some(directory) = next {
        next = directory.parent();
        contexts.push(directory);
    }
    if contexts.is_empty() {
        contexts.push(RepoPath::root());
    }
    contexts.reverse();
    contexts
}

pub(super) fn ignore_file_of(dockerfile: &RepoPath) -> RepoPath {
    RepoPath::clean(&[dockerfile.as_bytes(), b".dockerignore"].concat())
}

/// The plan that the image's history gives, where it names its sources and they are files of the repository.
pub(super) fn from_history(evidence: &Evidence<'_>, context: Option<&RepoPath>) -> Option<Plan> {
    let steps = named_steps(evidence);
    if steps.is_empty() {
        return None;
    }
    let contexts = match context {
        Some(given) => vec![given.clone()],
        None => directories_with(evidence, &steps),
    };
    let candidate = best_context(evidence, &steps, contexts, None).filter(Candidate::is_credible)?;
    let basis = match candidate.context.is_root() {
        true => "from the image's build history".to_owned(),
        false => format!("from the image's build history, context {}", candidate.context),
    };
    // A step whose sources are nowhere may have copied from another stage, which BuildKit does not say.
    let coverage = if candidate.copies.absent.is_empty() { Coverage::Whole } else { Coverage::Partial };
    Some(candidate.into_plan(MappingOrigin::History, basis, coverage))
}

/// How much the steps of a stage tell.
pub(super) fn coverage(stage: &ResolvedStage) -> Coverage {
    let from_elsewhere = |step: &CopyStep| matches!(step.origin, Origin::Stage(_));
    match stage.unresolved.is_empty() && !stage.steps.iter().any(from_elsewhere) {
        true => Coverage::Whole,
        false => Coverage::Partial,
    }
}

fn named_steps(evidence: &Evidence<'_>) -> Vec<CopyStep> {
    let history = evidence.config.history().iter().map(|entry| entry.created_by.as_deref().unwrap_or_default());
    let located = history::copy_steps(history, &ImagePath::root());
    let step = |located: history::LocatedCopy| {
        let (Sources::Named(sources), Some(destination)) = (located.copy.sources, located.destination) else {
            return None;
        };
        let context = located.copy.origin == Origin::Context;
        context.then_some(CopyStep {
            line: 0,
            text: located.text,
            kind: located.copy.kind,
            unpack: located.copy.kind == super::step::CopyKind::Add,
            sources,
            destination,
            parents: located.copy.parents,
            exclude: Vec::new(),
            origin: Origin::Context,
        })
    };
    located.into_iter().filter_map(step).collect()
}

/// Directories of the repository in which most of the steps' sources exist; the top first.
fn directories_with(evidence: &Evidence<'_>, steps: &[CopyStep]) -> Vec<RepoPath> {
    let sources: Vec<&[u8]> = steps.iter().flat_map(|step| &step.sources).map(Vec::as_slice).collect();
    let mut found: BTreeMap<RepoPath, BTreeSet<usize>> = BTreeMap::from([(RepoPath::root(), BTreeSet::new())]);
    for path in evidence.files.keys() {
        let mut next = path.parent();
        while let Some(directory) = next {
            next = directory.parent();
            let below = path.strip_prefix(&directory).unwrap_or_default();
            let named = sources.iter().enumerate().filter(|(_, source)| is_at_or_below(below, source));
            let named: Vec<usize> = named.map(|(number, _)| number).collect();
            if !named.is_empty() {
                found.entry(directory).or_default().extend(named);
            }
        }
    }
    let mut ranked: Vec<(RepoPath, usize)> = found.into_iter().map(|(path, named)| (path, named.len())).collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    ranked.into_iter().take(MOST_CONTEXTS).map(|(path, _)| path).collect()
}

fn is_at_or_below(path: &[u8], top: &[u8]) -> bool {
    !top.is_empty() && path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
