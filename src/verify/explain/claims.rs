//! What the image says of its source, held against its files.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::claims::{self, Claim, DIRTY, Judged, Meaning, Statement};
use crate::compare::Finding;
use crate::count::{are, of_are};
use crate::error::Error;
use crate::image::{self, Image, Opened};
use crate::repo::{self, Commit, RepoError, Snapshot};
use crate::verify::PlatformResult;
use crate::verify::job::Job;

use super::question::Looked;
use super::times::utc_seconds;

/// The claims of one platform's image, judged. `looked` are the files that decide.
pub(super) fn judge(
    job: &Job<'_>,
    opened: &Opened,
    result: &PlatformResult,
    looked: &[Looked],
) -> Result<(Vec<Judged>, Vec<String>), Error> {
    let mut claims = claims::of_config(&result.image.config, first_own_step(result));
    claims.extend_from_slice(&job.options.said);
    let mut warnings = Vec::new();
    match provenance(job, opened, result) {
        Ok(statements) => {
            let statements = statements.iter().filter_map(|bytes| Statement::parse(bytes));
            claims.extend(statements.flat_map(|statement| claims::from_statement(&statement)));
        }
        Err(error) => warnings.push(format!("the attestations of the image could not be read: {error}")),
    }
    let remotes = job.repository.remotes();
    let contents = Contents { job, result, looked, counted: RefCell::default() };
    let judged = claims.into_iter().map(|claim| match claim.meaning {
        Meaning::Revision => revision(&contents, claim),
        Meaning::Version => version(&contents, claim),
        Meaning::Repository => Ok(repository(claim, &remotes)),
        Meaning::Created => Ok(created(claim, &result.image, &result.findings)),
    });
    Ok((judged.collect::<Result<_, _>>()?, warnings))
}

/// Provenance in the index costs a request or two. Elsewhere it has to be searched for, which is left to those who want
/// to know more than that everything agrees.
fn provenance(job: &Job<'_>, opened: &Opened, result: &PlatformResult) -> Result<Vec<Vec<u8>>, image::ImageError> {
    let statements = image::provenance(job.source, opened, &result.image)?;
    match statements.is_empty() && result.identity.is_some() {
        true => image::referring_provenance(job.source, opened, &result.image),
        false => Ok(statements),
    }
}

/// The position in the history of the first step that brought a file of the repository.
fn first_own_step(result: &PlatformResult) -> Option<usize> {
    let layers =
        result.findings.iter().filter(|finding| finding.status.is_comparison()).filter_map(|finding| finding.layer);
    Some(result.image.layers.get(layers.min()?)?.step.as_ref()?.history)
}

fn undecided(claim: Claim, note: impl Into<String>) -> Judged {
    Judged { claim, commit: None, agrees: None, note: note.into() }
}

/// What the image has, to hold commits against.
struct Contents<'a> {
    job: &'a Job<'a>,
    result: &'a PlatformResult,
    looked: &'a [Looked],
    /// By a commit's id the files that are its and the others; several claims name the same.
    counted: RefCell<BTreeMap<String, (usize, usize)>>,
}

fn revision(contents: &Contents<'_>, claim: Claim) -> Result<Judged, Error> {
    let job = contents.job;
    if claim.inherited {
        return Ok(undecided(claim, "set by the base image, about its own source"));
    }
    if claim.value.is_empty() || claim.value.starts_with('$') {
        return Ok(undecided(claim, "it is empty: the build did not set it"));
    }
    let dirty = claim.value.ends_with(DIRTY);
    let name = claim.value.strip_suffix(DIRTY).unwrap_or(&claim.value);
    let Some(commit) = job.repository.commit_named(name) else {
        let note = match job.repository.is_shallow() {
            true => "no such commit in this shallow clone; git fetch --unshallow may bring it",
            false => "no such commit in this repository",
        };
        return Ok(undecided(claim, note));
    };
    let mut judged = contents.against(claim, commit)?;
    if dirty {
        judged.note.push_str("; the build's work tree had uncommitted changes");
    }
    Ok(judged)
}

/// A version is a tag's name, with or without the `v`.
fn version(contents: &Contents<'_>, claim: Claim) -> Result<Judged, Error> {
    if claim.inherited {
        return Ok(undecided(claim, "set by the base image, about itself"));
    }
    let tags = [claim.value.clone(), format!("v{}", claim.value)];
    match tags.iter().find_map(|tag| contents.job.repository.commit_tagged(tag)) {
        Some(commit) => contents.against(claim, commit),
        None => Ok(undecided(claim, "no tag of that name")),
    }
}

impl Contents<'_> {
    fn against(&self, claim: Claim, commit: Commit) -> Result<Judged, Error> {
        let (equal, others) = match self.equal_and_others(&commit) {
            // A claim decides nothing, so that nothing may fail for want of what it names.
            Err(Error::Repo(RepoError::MissingObject { .. })) => {
                let unknown = undecided(claim, "the trees of that commit are not in this clone");
                return Ok(Judged { commit: Some(commit), ..unknown });
            }
            counted => counted?,
        };
        let (agrees, note) = match others {
            0 if equal == 1 => (true, format!("the only file is that of {}", commit.short)),
            0 => (true, format!("all {} those of {}", are(equal, "file"), commit.short)),
            1 => (false, format!("{} not that of {}", of_are(1, equal + 1, "file"), commit.short)),
            _ => (false, format!("{} not those of {}", of_are(others, equal + others, "file"), commit.short)),
        };
        Ok(Judged { claim, commit: Some(commit), agrees: Some(agrees), note })
    }

    fn equal_and_others(&self, commit: &Commit) -> Result<(usize, usize), Error> {
        if let Some(counted) = self.counted.borrow().get(&commit.id) {
            return Ok(*counted);
        }
        let counted = match self.count(commit)? {
            (equal, 0) => (equal, self.absent(commit)?),
            counted => counted,
        };
        self.counted.borrow_mut().insert(commit.id.clone(), counted);
        Ok(counted)
    }

    /// How many of the image's files the commit has, and how many it has otherwise.
    fn count(&self, commit: &Commit) -> Result<(usize, usize), Error> {
        let other;
        let snapshot: &Snapshot = match self.is_asked(commit) {
            true => &self.job.git.snapshot,
            false => {
                other = repo::of_revision(self.job.repository, commit)?;
                &other
            }
        };
        let looked = self.looked.iter().filter(|looked| !looked.candidate);
        let (equal, others): (Vec<_>, Vec<_>) =
            looked.partition(|looked| looked.agrees(snapshot.files.get(&looked.path)));
        Ok((equal.len(), others.len()))
    }

    /// How many files the commit has that the image lacks, and that were not looked for, as the revision has none.
    fn absent(&self, commit: &Commit) -> Result<usize, Error> {
        if self.is_asked(commit) {
            return Ok(0);
        }
        Ok(self.job.missing_at(commit, self.result)?.len())
    }

    fn is_asked(&self, commit: &Commit) -> bool {
        let git = self.job.git;
        git.snapshot.origin == repo::Origin::Revision && git.commit.as_ref().is_some_and(|asked| asked.id == commit.id)
    }
}

fn repository(claim: Claim, remotes: &[String]) -> Judged {
    let wanted = place(&claim.value);
    match remotes.iter().find(|remote| place(remote) == wanted) {
        _ if claim.inherited => undecided(claim, "set by the base image, about its own source"),
        Some(_) => Judged { claim, commit: None, agrees: Some(true), note: "a remote of this repository".to_owned() },
        None if remotes.is_empty() => undecided(claim, "this repository has no remotes"),
        None => undecided(claim, "not a remote of this repository"),
    }
}

/// Host and path of a repository's address, which has many spellings: `git@host:path`, `ssh://git@host/path.git`,
/// `https://host/path`, and BuildKit's `https://host/path.git#refs/heads/main`.
fn place(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let url = url.strip_prefix("git+").unwrap_or(url);
    let (scheme, rest) = url.split_once("://").map_or((None, url), |(scheme, rest)| (Some(scheme), rest));
    let whole = rest;
    let rest = rest.split_once('@').map_or(rest, |(user, rest)| if user.contains('/') { whole } else { rest });
    let rest = if scheme.is_none() { rest.replacen(':', "/", 1) } else { rest.to_owned() };
    let rest = rest.trim_end_matches('/');
    let rest = rest.strip_suffix(".git").unwrap_or(rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    format!("{}/{path}", host.to_ascii_lowercase())
}

/// A time before the newest step that brought files of the repository was stamped by an earlier build. Only times in
/// UTC are looked at, whose texts have the order of time.
fn created(claim: Claim, image: &Image, findings: &[Finding]) -> Judged {
    let layers = findings.iter().filter_map(|finding| finding.layer);
    let times = layers.filter_map(|layer| image.layers.get(layer)?.step.as_ref()?.created.clone());
    let newest = times.filter_map(|time| utc_seconds(&time).map(str::to_owned)).max();
    match (utc_seconds(&claim.value), newest) {
        (Some(said), Some(newest)) if *said < *newest => {
            let note = format!("files were added at {newest}Z, later than that");
            Judged { claim, commit: None, agrees: Some(false), note }
        }
        _ => undecided(claim, "a time says nothing of contents"),
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn one_repository_has_many_addresses() {
        let spellings = [
            "https://git.example/team/app",
            "https://git.example/team/app.git",
            "https://user:token@GIT.example/team/app/",
            "ssh://git@git.example/team/app.git",
            "git@git.example:team/app.git",
            "git+https://git.example/team/app@v1".trim_end_matches("@v1"),
            "https://git.example/team/app.git#refs/heads/main",
        ];
        for spelling in spellings {
            assert_eq!(place(spelling), "git.example/team/app", "{spelling}");
        }
        assert_ne!(place("https://git.example/team/other"), place("https://git.example/team/app"));
        assert_eq!(place("https://git.example/team/a@b"), place("ssh://git@git.example/team/a@b"));
    }
}
