//! From the evidence to a plan: which file of git should lie where in the image.

use std::collections::BTreeSet;

use crate::path::{ImagePath, RepoPath};

use super::evidence::Evidence;
use super::infer::{Bar, Inference, Pair, infer};
use super::plan::{Coverage, Expected, Mapping, MappingOrigin, Plan, Presence, Request};
use super::{MappingError, build, discover, presence};

/// Finds the mapping: what the user said, else a Dockerfile of the repository that matches the build history, else
/// the build history itself, else inference.
///
/// # Errors
/// See [`MappingError`]; nothing mapped is an error, for a comparison of nothing would pass.
pub fn plan(evidence: &Evidence<'_>, request: &Request) -> Result<Plan, MappingError> {
    let mut plan = choose(evidence, request)?;
    finish(evidence, &mut plan);
    Ok(plan)
}

fn choose(evidence: &Evidence<'_>, request: &Request) -> Result<Plan, MappingError> {
    if !request.maps.is_empty() {
        return given(evidence, &request.maps);
    }
    let context = request.context.as_ref();
    let from_steps = match &request.dockerfile {
        Some(dockerfile) => Some(build::from_dockerfile(evidence, dockerfile, context)?),
        None => discover::dockerfile(evidence, context).or_else(|| build::from_history(evidence, context)),
    };
    from_steps.map_or_else(|| inferred(evidence), Ok)
}

/// Fills what the steps left open, and counts what speaks for each mapping.
fn finish(evidence: &Evidence<'_>, plan: &mut Plan) {
    if plan.coverage == Coverage::Partial {
        extend(evidence, plan);
        plan.warnings.push(
            "some files came from another stage or by a step that could not be resolved; of those, only what could be \
             recognised by name and contents was compared"
                .to_owned(),
        );
    }
    plan.directories.sort();
    plan.directories.dedup();
    for mapping in &mut plan.mappings {
        (mapping.files, mapping.equal) = evidence.support(&plan.expected, mapping);
    }
    plan.rivals.iter_mut().for_each(|rival| finish(evidence, rival));
}

fn given(evidence: &Evidence<'_>, maps: &[(ImagePath, RepoPath)]) -> Result<Plan, MappingError> {
    let mut plan = Plan { basis: "as given by --map".to_owned(), ..Plan::default() };
    let ignore = evidence.dockerignore(&RepoPath::root());
    // Of two nested directories the inner one has the last word, in whatever order they are given.
    let mut maps: Vec<_> = maps.iter().collect();
    maps.sort_by_key(|(image, _)| image.components().count());
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
    let pairs = match infer(&evidence.image_files(), &evidence.blobs(), Bar::First) {
        Inference::Pairs(pairs) if pairs.is_empty() => return Err(MappingError::NothingInCommon),
        Inference::Pairs(pairs) => pairs,
        Inference::Ambiguous(both) => {
            return Err(MappingError::Ambiguous {
                image: both.0.image.clone(),
                repos: vec![both.0.repo.clone(), both.1.repo.clone()],
            });
        }
    };
    let mut plan = Plan { basis: "from names and contents".to_owned(), ..Plan::default() };
    add(evidence, &pairs, &mut plan);
    Ok(plan)
}

/// Infers what the steps do not tell: files of the repository may have come by way of another stage, and a match of
/// the few that were copied directly would say nothing of them.
fn extend(evidence: &Evidence<'_>, plan: &mut Plan) {
    let known: BTreeSet<ImagePath> = plan.expected.keys().filter_map(|path| evidence.real(path)).collect();
    let unexplained: Vec<_> = evidence.image_files().into_iter().filter(|file| !known.contains(&file.path)).collect();
    match infer(&unexplained, &evidence.blobs(), Bar::Further) {
        Inference::Pairs(pairs) => add(evidence, &pairs, plan),
        Inference::Ambiguous(both) => plan.warnings.push(format!(
            "{} could be {} or {} of the repository and was not compared; --map says which",
            both.0.image, both.0.repo, both.1.repo
        )),
    }
}

/// Adds inferred pairs; what the plan has already stays, and the strongest pair has the first say about a path.
fn add(evidence: &Evidence<'_>, pairs: &[Pair], plan: &mut Plan) {
    for pair in pairs {
        for path in evidence.files.keys() {
            let Some(below) = path.strip_prefix(&pair.repo) else { continue };
            let expected = Expected { repo: path.clone(), presence: Presence::IfThere };
            let place = plan.expected.entry(pair.image.join(below)).or_insert_with(|| expected.clone());
            let weaker = place.presence == Presence::IfThere && place.repo != *path;
            if weaker && evidence.equal(&pair.image.join(below), path) {
                *place = expected;
            }
        }
        plan.directories.push(pair.image.clone());
        plan.mappings.push(Mapping::new(pair.image.clone(), pair.repo.clone(), MappingOrigin::Inferred));
    }
    presence::require(evidence, pairs, plan);
    presence::warn_of_namesakes(evidence, pairs, plan);
}
