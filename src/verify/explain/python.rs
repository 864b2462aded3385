//! Other code that Python would run in place of files that were looked at.

use std::collections::BTreeMap;

use crate::compare::Finding;
use crate::error::Error;
use crate::layer::Kept;
use crate::limits;
use crate::python::{self, Installed, Rival};

use super::super::PlatformResult;
use super::super::job::Job;

/// What is said of files that Python may pass over.
pub(super) struct Shadows {
    /// Of files that differ.
    pub(super) evidence: Vec<String>,
    /// Of files that agree, which is worth less than it seems.
    pub(super) warnings: Vec<String>,
}

/// Most that is said of either kind; more would say no more.
const MOST: usize = 4;

/// Looks for second copies and bytecode of what was compared.
pub(super) fn shadows(job: &Job<'_>, result: &PlatformResult) -> Result<Shadows, Error> {
    let mut shadows = Shadows { evidence: Vec::new(), warnings: Vec::new() };
    let is_python = |finding: &&Finding| finding.image.as_bytes().ends_with(b".py") && finding.repo.is_some();
    let modules: Vec<&Finding> = result.findings.iter().filter(is_python).collect();
    if modules.is_empty() {
        return Ok(shadows);
    }
    let installed = Installed::of(&result.tree);
    let mut bytecode = taken_bytecode(job, result, &modules)?;
    for (position, finding) in modules.iter().enumerate() {
        let copies = installed.copies(&result.tree, finding);
        // Another package may have a module of the same name; bytes that git knows are no accident.
        let ours = copies.iter().filter(|copy| job.repository.has(copy.stored.content.blob));
        let mut texts: Vec<String> = ours.map(|copy| of_copy(finding, copy)).collect();
        texts.extend(bytecode.remove(&position).map(|rival| of_bytecode(finding, &rival)));
        texts.extend(python::orphan(&result.tree, finding).map(|orphan| of_orphan(finding, &orphan)));
        let differs = finding.status.differs(job.options.strictness);
        if differs { shadows.evidence.extend(texts) } else { shadows.warnings.extend(texts) }
    }
    shadows.evidence.truncate(MOST);
    shadows.warnings.truncate(MOST);
    Ok(shadows)
}

/// The bytecode that Python takes for a source it was not compiled from, by the place of that among `modules`.
fn taken_bytecode(
    job: &Job<'_>,
    result: &PlatformResult,
    modules: &[&Finding],
) -> Result<BTreeMap<usize, Rival>, Error> {
    let mut rivals = Vec::new();
    for (position, finding) in modules.iter().enumerate() {
        rivals.extend(python::older_bytecode(&result.tree, finding).into_iter().map(|rival| (position, rival)));
    }
    rivals.retain(|(_, rival)| rival.stored.content.size <= limits::DIFF_BYTES);
    let wanted: Vec<_> = rivals.iter().map(|(_, rival)| rival.stored.wanted(job.source, &result.image)).collect();
    let mut contents = Kept::read(&wanted)?;
    let mut taken = BTreeMap::new();
    for (position, rival) in rivals {
        let bytes = contents.get(&rival.stored.content).map_err(Error::Kept)?;
        let source = modules[position].file.as_ref();
        if bytes.zip(source).is_some_and(|(bytes, source)| python::is_taken(&bytes, source)) {
            taken.insert(position, rival);
        }
    }
    Ok(taken)
}

fn of_copy(finding: &Finding, copy: &Rival) -> String {
    let is_asked = finding.repo.as_ref().is_some_and(|(_, file)| file.blob == copy.stored.content.blob);
    let which = if is_asked { "the version of git" } else { "another version" };
    format!("{} is {which} of {}: Python runs the one that its path finds first", copy.path, finding.image)
}

fn of_bytecode(finding: &Finding, bytecode: &Rival) -> String {
    format!(
        "{} was compiled before layer {} replaced {}, and passes for it: Python runs the old code",
        bytecode.path,
        finding.file.map_or(0, |source| source.layer),
        finding.image
    )
}

fn of_orphan(finding: &Finding, orphan: &Rival) -> String {
    format!("{} is there without {}: Python runs it all the same", orphan.path, finding.image)
}
