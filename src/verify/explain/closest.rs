//! Bytes of no commit: which version of the file they are nearest to.

use crate::compare::{Finding, Status};
use crate::count::counted;
use crate::error::Error;
use crate::layer::Kept;
use crate::limits;
use crate::lines;
use crate::repo::Normalizer;
use crate::repo::history::{CommitIndex, Version};
use crate::tree::Stored;
use crate::verify::PlatformResult;
use crate::verify::job::Job;

use super::question::Looked;
use super::walked::Walked;

/// Says of each file that is in no commit which version is nearest, and by how many lines. `contents` has most of them.
pub(super) fn explain(
    job: &Job<'_>,
    walked: &Walked<'_>,
    result: &mut PlatformResult,
    looked: &[Looked],
    contents: &mut Kept,
) -> Result<(), Error> {
    let files = unknown(&result.findings, looked);
    if files.is_empty() {
        return Ok(());
    }
    let wanted: Vec<_> = files.iter().map(|(_, stored)| stored.wanted(job.source, &result.image)).collect();
    contents.add(&wanted)?;
    let mut normalizer = Normalizer::new(job.repository, &job.git.snapshot)?;
    for (position, stored) in files {
        let Some(bytes) = contents.get(&stored.content).map_err(Error::Kept)? else { continue };
        let cleaned = normalizer.clean(&looked[position].path, &bytes)?;
        let note = note(job, walked, position, cleaned.as_ref().map_or(&bytes, |cleaned| &cleaned.bytes))?;
        result.findings[looked[position].finding].note = Some(note);
    }
    Ok(())
}

/// Files in no commit, as many as are looked at, by their position among those `looked` at.
fn unknown(findings: &[Finding], looked: &[Looked]) -> Vec<(usize, Stored)> {
    let unknown = looked.iter().enumerate().filter(|(_, looked)| findings[looked.finding].status == Status::Modified);
    let stored = |looked: &Looked| findings[looked.finding].file.filter(|file| file.content.size <= limits::DIFF_BYTES);
    unknown.take(limits::FILES_TRACED).filter_map(|(position, looked)| Some((position, stored(looked)?))).collect()
}

fn note(job: &Job<'_>, walked: &Walked<'_>, position: usize, bytes: &[u8]) -> Result<String, Error> {
    if lines::is_binary(bytes) {
        return Ok("in no commit".to_owned());
    }
    let mut nearest: Option<(usize, CommitIndex)> = None;
    for version in walked.versions(position).take(limits::VERSIONS_COMPARED) {
        if let Some(count) = distance(job, version, bytes)
            && nearest.is_none_or(|(fewest, _)| count < fewest)
        {
            nearest = Some((count, version.commit));
        }
    }
    let Some((count, commit)) = nearest else { return Ok("in no commit".to_owned()) };
    let commit = walked.history.commit(commit)?;
    let lines = counted(count, "line");
    Ok(format!("in no commit; nearest to that of {}, {lines} added or removed", commit.short))
}

/// The lines that differ; `None` for a version that is large, no text, or not here.
fn distance(job: &Job<'_>, version: &Version, bytes: &[u8]) -> Option<usize> {
    let file = version.file.filter(|file| !file.is_symlink)?;
    let old = job.repository.blob(file.blob, limits::DIFF_BYTES).ok()?;
    (!lines::is_binary(&old)).then(|| lines::changed(&old, bytes))
}
