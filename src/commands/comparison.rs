//! What all commands share that compare an image with git: from what was typed to a finished comparison.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::claims::Claim;
use crate::cli::{CompareArgs, Format, OutputArgs, ReadArgs};
use crate::compare::Strictness;
use crate::error::Error;
use crate::exit::Exit;
use crate::mapping::{GivenDockerfile, Request};
use crate::path::{ImagePath, RepoPath};
use crate::repo::{RepoError, Repository};
use crate::report::{self, Answer, Question};
use crate::select::Selection;
use crate::source::{Notice, Source};
use crate::verify::{self, Against, Depth, Options, Verification};

use super::{Process, complain, files, output, setup};

/// What was typed.
#[derive(Clone, Copy)]
pub(super) struct Typed<'a> {
    pub(super) image: &'a str,
    pub(super) files: &'a [OsString],
    pub(super) compare: &'a CompareArgs,
    pub(super) read: &'a ReadArgs,
    pub(super) depth: Depth,
    /// What others say of the image.
    pub(super) said: &'a [Claim],
}

/// Both sides, and what to compare of them.
pub(super) struct Opened {
    pub(super) repository: Repository,
    pub(super) source: Box<dyn Source>,
    pub(super) options: Options,
}

/// A finished comparison, and where its sides are from.
pub(super) struct Compared {
    pub(super) repository: Repository,
    pub(super) source: Box<dyn Source>,
    pub(super) question: Question,
    pub(super) verification: Verification,
}

impl Compared {
    /// The same for a report.
    pub(super) fn answer(&self) -> Answer<'_> {
        Answer { question: &self.question, repository: &self.repository, verification: &self.verification }
    }
}

impl Typed<'_> {
    /// What is asked, for a report of an answer or of its absence.
    pub(super) fn question(&self) -> Question {
        let revision = (!self.compare.worktree).then(|| self.compare.rev.clone());
        Question { reference: self.image.to_owned(), revision }
    }

    /// Opens the repository that was named, or the one around the current directory.
    pub(super) fn repository(&self) -> Result<Repository, RepoError> {
        repository(self.compare)
    }

    /// Opens the other side, too.
    pub(super) fn open(&self, repository: Repository, process: &Process) -> Result<Opened, Error> {
        let options = self.options(&repository, process)?;
        let source = setup::open_source(self.image, self.read, process)?;
        Ok(Opened { repository, source, options })
    }

    /// Compares.
    pub(super) fn compare(&self, process: &Process) -> Result<Compared, Error> {
        self.compare_with(self.repository()?, process)
    }

    /// The same with a repository that is open.
    pub(super) fn compare_with(&self, repository: Repository, process: &Process) -> Result<Compared, Error> {
        let Opened { repository, source, options } = self.open(repository, process)?;
        let verification = verify::verify(source.as_ref(), &repository, &options)?;
        verification.refused.iter().for_each(|text| process.observer.tell(&Notice::Fallback(text.clone())));
        Ok(Compared { repository, source, question: self.question(), verification })
    }

    /// Tells of a comparison that came to nothing; a report for programs is written all the same.
    pub(super) fn failed(&self, error: &Error, output: &OutputArgs, process: &Process) -> Exit {
        complain(error, process.stderr_colored);
        if output.format == Format::Json && !output::is_broken(error) {
            let report = report::unknown_json(&self.question(), error, process.warnings.texts());
            if let Err(error) = output::write(output, &report) {
                complain(&error, process.stderr_colored);
            }
        }
        Exit::CouldNotTell
    }

    fn options(&self, repository: &Repository, process: &Process) -> Result<Options, Error> {
        let against = match self.compare.worktree {
            true => Against::Worktree,
            false => Against::Revision(self.compare.rev.clone()),
        };
        Ok(Options {
            platforms: self.read.platforms.clone(),
            against,
            mapping: request(self.compare, repository)?,
            selection: Selection::parse(&files::arguments(self.files)?, repository.prefix())?,
            strictness: if self.compare.strict { Strictness::Strict } else { Strictness::Contents },
            depth: self.depth,
            effort: setup::effort(self.read, process),
            trust_tables: self.compare.trust_toc,
            said: self.said.to_vec(),
        })
    }
}

/// The repository that was named, or the one around the current directory.
pub(super) fn repository(args: &CompareArgs) -> Result<Repository, RepoError> {
    Repository::open(args.repo.as_deref().unwrap_or(Path::new(".")))
}

fn request(args: &CompareArgs, repository: &Repository) -> Result<Request, Error> {
    Ok(Request {
        maps: args.maps.iter().map(|map| parse_map(map)).collect::<Result<_, _>>()?,
        dockerfile: args.dockerfile.as_deref().map(|path| dockerfile(path, repository)).transpose()?,
        context: args.context.as_ref().map(|directory| RepoPath::clean(directory.as_bytes())),
    })
}

fn parse_map(text: &str) -> Result<(ImagePath, RepoPath), Error> {
    match text.split_once('=') {
        Some((image, repo)) if !image.is_empty() && !repo.is_empty() => {
            Ok((ImagePath::clean(image.as_bytes()), RepoPath::clean(repo.as_bytes())))
        }
        _ => Err(Error::Usage(format!("`--map {text}` is not IMAGE_DIR=REPO_DIR, such as /app=. or /srv/lib=shared"))),
    }
}

/// A Dockerfile is a file on disk or, where there is none, a path in the revision (a bare repository has no files).
fn dockerfile(path: &Path, repository: &Repository) -> Result<GivenDockerfile, Error> {
    let name = path.display().to_string();
    if !path.exists() {
        return Ok(GivenDockerfile { name, path: Some(RepoPath::clean(path.as_os_str().as_bytes())), text: None });
    }
    let text = setup::read_file(path)?;
    Ok(GivenDockerfile { name, path: path_in(repository, path), text: Some(text) })
}

/// Where a file on disk is in the repository, if it is inside.
fn path_in(repository: &Repository, path: &Path) -> Option<RepoPath> {
    let top = repository.path().canonicalize().ok()?;
    let real = path.canonicalize().ok()?;
    Some(RepoPath::clean(real.strip_prefix(top).ok()?.as_os_str().as_bytes()))
}
