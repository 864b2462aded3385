//! Contents of the image in git's own form.

use std::collections::BTreeMap;

use crate::blob::BlobId;
use crate::compare::{Finding, Status};
use crate::error::Error;
use crate::layer::{Kept, Wanted};
use crate::limits;
use crate::path::RepoPath;
use crate::repo::{LfsPointer, Normalizer};
use crate::tree::Stored;
use crate::verify::PlatformResult;
use crate::verify::job::Job;

use super::question::place_in_git;

/// The contents of differing files, and by the position of their findings what git would store for them, where that is
/// something else: where the image's files are those of a converted checkout, an older version is converted, too, and so
/// is what git deleted. Bytes that git has as they are need no conversion, and are not read.
pub(super) fn read(job: &Job<'_>, result: &PlatformResult) -> Result<(Kept, BTreeMap<usize, BlobId>), Error> {
    let files = unknown(job, result);
    let wanted: Vec<Wanted<'_>> = files.iter().map(|(_, _, stored)| stored.wanted(job.source, &result.image)).collect();
    let (mut kept, mut cleaned) = (Kept::read(&wanted)?, BTreeMap::new());
    if kept.is_empty() {
        return Ok((kept, cleaned));
    }
    let mut normalizer = Normalizer::new(job.repository, &job.git.snapshot)?;
    for (position, path, stored) in files {
        if let Some(bytes) = kept.get(&stored.content).map_err(Error::Kept)? {
            cleaned.extend(normalizer.clean(&path, &bytes)?.map(|clean| (position, clean.blob)));
        }
    }
    Ok((kept, cleaned))
}

/// Files with bytes that git does not have as they are, and their places in git.
fn unknown(job: &Job<'_>, result: &PlatformResult) -> Vec<(usize, RepoPath, Stored)> {
    let is_converted = result.findings.iter().any(|finding| is_converted(job, finding));
    let place = |finding: &Finding| match finding.status {
        Status::Modified => finding.repo.as_ref().map(|(path, _)| path.clone()),
        Status::Untracked if is_converted => place_in_git(&result.plan.mappings, &finding.image),
        _ => None,
    };
    let one = |(position, finding): (usize, &Finding)| {
        let stored = finding.file.filter(|file| file.content.size <= limits::DIFF_BYTES)?;
        let path = place(finding)?;
        (!job.repository.has(stored.content.blob)).then_some((position, path, stored))
    };
    result.findings.iter().enumerate().filter_map(one).collect()
}

/// Whether a file is git's but for line endings or the like; a file under LFS does not tell of others.
fn is_converted(job: &Job<'_>, finding: &Finding) -> bool {
    let (Some((_, file)), Some(stored)) = (&finding.repo, finding.file) else { return false };
    let pointer = || {
        let text = LfsPointer::text(&stored.content.sha256_hex(), stored.content.size);
        BlobId::of(&text, job.repository.object_format())
    };
    finding.status == Status::SameNormalized && pointer() != Ok(file.blob)
}
