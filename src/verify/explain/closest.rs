//! Bytes of no commit: which version of the file they are nearest to.

use std::collections::BTreeMap;

use crate::compare::{Finding, Status};
use crate::count::counted;
use crate::error::Error;
use crate::layer::{self, FileContent, Wanted};
use crate::limits;
use crate::lines;
use crate::repo::history::{CommitIndex, Version};
use crate::verify::PlatformResult;
use crate::verify::job::Job;

use super::question::Looked;
use super::walked::Walked;

/// Says of each file that is in no commit which version is nearest, and by how many lines.
pub(super) fn explain(
    job: &Job<'_>,
    walked: &Walked<'_>,
    result: &mut PlatformResult,
    looked: &[Looked],
) -> Result<(), Error> {
    let mut files: BTreeMap<[u8; 32], Vec<(usize, usize)>> = BTreeMap::new();
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    let unknown =
        looked.iter().enumerate().filter(|(_, looked)| result.findings[looked.finding].status == Status::Modified);
    let small = |finding: &Finding| finding.file.filter(|file| file.content.size <= limits::DIFF_BYTES);
    for (position, looked) in unknown.take(limits::FILES_TRACED) {
        if let Some(stored) = small(&result.findings[looked.finding]) {
            files.entry(stored.content.sha256).or_default().push((position, looked.finding));
            wanted.push(stored.wanted(job.source, &result.image));
        }
    }
    let mut notes: Vec<(usize, String)> = Vec::new();
    let mut failure = None;
    layer::gather(&wanted, &mut |content: &FileContent, reader| {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes)?;
        for &(position, finding) in files.get(&content.sha256).into_iter().flatten() {
            match note(job, walked, position, &bytes) {
                Ok(note) => notes.extend(note.map(|note| (finding, note))),
                Err(error) => failure = Some(error),
            }
        }
        Ok(())
    })?;
    for (finding, note) in notes {
        result.findings[finding].note = Some(note);
    }
    failure.map_or(Ok(()), Err)
}

fn note(job: &Job<'_>, walked: &Walked<'_>, position: usize, bytes: &[u8]) -> Result<Option<String>, Error> {
    if lines::is_binary(bytes) {
        return Ok(Some("in no commit".to_owned()));
    }
    let mut nearest: Option<(usize, CommitIndex)> = None;
    for version in walked.versions(position).take(limits::VERSIONS_COMPARED) {
        if let Some(count) = distance(job, version, bytes)
            && nearest.is_none_or(|(fewest, _)| count < fewest)
        {
            nearest = Some((count, version.commit));
        }
    }
    let Some((count, commit)) = nearest else { return Ok(Some("in no commit".to_owned())) };
    let commit = walked.history.commit(commit)?;
    let lines = counted(count, "line");
    Ok(Some(format!("in no commit; nearest to that of {}, {lines} added or removed", commit.short)))
}

/// The lines that differ; `None` for a version that is large, no text, or not here.
fn distance(job: &Job<'_>, version: &Version, bytes: &[u8]) -> Option<usize> {
    let file = version.file.filter(|file| !file.is_symlink)?;
    let old = job.repository.blob(file.blob, limits::DIFF_BYTES).ok()?;
    (!lines::is_binary(&old)).then(|| lines::changed(&old, bytes))
}
