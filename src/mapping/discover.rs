//! Finding the Dockerfile that built an image, among those of the repository.
//!
//! A Dockerfile fits when its copies are the last ones of the image's history, one by one: the same instruction and
//! the same destination, and the same sources where the history tells them. Of several that fit, the one whose
//! command is the image's and whose files are most in the image is taken; where that leaves several with different
//! files, as with services that are built alike when the one file that tells them apart is stale, all are: the
//! comparison shows whether the image is that of any.

use crate::image::ImageConfig;
use crate::path::{ImagePath, RepoPath};

use super::build::{Candidate, Fit, best_context, contexts_of, coverage, ignore_file_of, resolve};
use super::dockerfile::{self, Command, ResolvedStage};
use super::evidence::Evidence;
use super::history::{self, LocatedCopy, Sources};
use super::plan::{Coverage, MappingOrigin, Plan};
use super::step::{CopyStep, Origin};

/// Dockerfiles looked at; a repository with more has generated ones.
const MOST_DOCKERFILES: usize = 256;

struct Match {
    path: RepoPath,
    candidate: Candidate,
    coverage: Coverage,
    stages: Vec<String>,
    rank: (bool, Fit),
}

/// The plan of the Dockerfile that built the image; `None` when none fits.
pub(super) fn dockerfile(evidence: &Evidence<'_>, context: Option<&RepoPath>) -> Option<Plan> {
    let told = history_copies(evidence.config);
    let files = evidence.files.keys().filter(|path| is_dockerfile(path)).take(MOST_DOCKERFILES);
    let mut matches: Vec<Match> = files.filter_map(|path| fit(evidence, path, context, told.as_deref())).collect();
    matches.sort_by_key(|found| std::cmp::Reverse(found.rank));
    let mut matches = matches.into_iter();
    let best = matches.next()?;
    let is_rival = |other: &Match| other.candidate.copies.files != best.candidate.copies.files;
    let rivals: Vec<Match> = matches.take_while(|other| other.rank == best.rank).filter(is_rival).collect();
    let names: Vec<String> = [&best].into_iter().chain(&rivals).map(|found| found.path.to_string()).collect();
    let mut plan = best.into_plan();
    plan.rivals = rivals.into_iter().map(Match::into_plan).collect();
    if !plan.rivals.is_empty() {
        let warning =
            format!("{} fit the image equally well; --dockerfile FILE says which built it", names.join(" and "));
        plan.warnings.push(warning.clone());
        plan.rivals.iter_mut().for_each(|rival| rival.warnings.push(warning.clone()));
    }
    Some(plan)
}

impl Match {
    fn into_plan(self) -> Plan {
        let basis = match self.candidate.context.is_root() {
            true => format!("from {}, found in the repository", self.path),
            false => format!("from {} with context {}, found in the repository", self.path, self.candidate.context),
        };
        Plan { stages: self.stages, ..self.candidate.into_plan(MappingOrigin::Dockerfile, basis, self.coverage) }
    }
}

/// The copies that the history tells, each with its destination; `None` where there is no history to speak of.
fn history_copies(config: &ImageConfig) -> Option<Vec<LocatedCopy>> {
    let told = |entry: &&crate::image::HistoryEntry| entry.created_by.as_ref().is_some_and(|text| !text.is_empty());
    config.history().iter().find(told)?;
    let history = config.history().iter().map(|entry| entry.created_by.as_deref().unwrap_or_default());
    Some(history::copy_steps(history, &ImagePath::root()))
}

fn is_dockerfile(path: &RepoPath) -> bool {
    let name = path.file_name().unwrap_or_default().to_ascii_lowercase();
    ["dockerfile", "containerfile"].iter().any(|stem| {
        let stem = stem.as_bytes();
        let ends = name.strip_suffix(stem).is_some_and(|front| front.is_empty() || front.ends_with(b"."));
        let starts = name.strip_prefix(stem).is_some_and(|rest| rest.starts_with(b"."));
        ends || (starts && !name.ends_with(b".dockerignore"))
    })
}

fn fit(
    evidence: &Evidence<'_>,
    path: &RepoPath,
    context: Option<&RepoPath>,
    told: Option<&[LocatedCopy]>,
) -> Option<Match> {
    let stage = resolve(evidence, &dockerfile::parse(&(evidence.read)(path)?).ok()?)?;
    let from_context = stage.steps.iter().any(|step| step.origin == Origin::Context);
    let matches_history = told.is_none_or(|told| stage.unresolved.is_empty() && is_tail(&stage.steps, told));
    if !from_context || !matches_history {
        return None;
    }
    let contexts = contexts_of(Some(path), context);
    let candidate = best_context(evidence, &stage.steps, contexts, Some(&ignore_file_of(path)))?;
    let rank = (runs_the_same(&stage, evidence.config), candidate.fit);
    let coverage = coverage(&stage);
    candidate.is_credible().then(|| Match { path: path.clone(), candidate, coverage, stages: stage.stages, rank })
}

/// Whether the last copies of the history are these steps.
fn is_tail(steps: &[CopyStep], told: &[LocatedCopy]) -> bool {
    let Some(start) = told.len().checked_sub(steps.len()) else { return false };
    steps.iter().zip(&told[start..]).all(|(step, told)| is_step(step, told))
}

fn is_step(step: &CopyStep, told: &LocatedCopy) -> bool {
    let destination = told.destination.as_ref().is_none_or(|place| place.path == step.destination.path);
    let sources = match &told.copy.sources {
        Sources::Named(sources) if step.origin == Origin::Context => *sources == step.sources,
        _ => true,
    };
    told.copy.kind == step.kind && destination && sources
}

fn runs_the_same(stage: &ResolvedStage, config: &ImageConfig) -> bool {
    let same = |command: &Option<Command>, words: &[String]| match command {
        Some(Command::Exec(own)) => own == words,
        Some(Command::Shell(line)) => words.last() == Some(line),
        None => true,
    };
    same(&stage.command, config.cmd()) && same(&stage.entrypoint, config.entrypoint())
}
