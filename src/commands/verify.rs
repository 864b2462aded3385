//! `shipproof verify`

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::cli::{CompareArgs, Format, Verify};
use crate::compare::Strictness;
use crate::error::Error;
use crate::exit::Exit;
use crate::mapping::{GivenDockerfile, Request};
use crate::path::{ImagePath, RepoPath};
use crate::repo::Repository;
use crate::report::{self, Answer, Question};
use crate::select::Selection;
use crate::verify::{self, Against, Options, Verification};

use super::{Process, complain, files, output, setup};

/// Runs the command; a report is written whatever the outcome, if it is one for programs.
pub(super) fn run(args: &Verify, process: &Process) -> Exit {
    let revision = (!args.compare.worktree).then(|| args.compare.rev.clone());
    let question = Question { reference: args.image.clone(), revision };
    let outcome = verify(args, process).and_then(|(repository, verification)| {
        let answer = Answer { question: &question, repository: &repository, verification: &verification };
        output::write(&args.output, &render(args, process, &answer))?;
        Ok(if verification.agrees() { Exit::Agrees } else { Exit::Differs })
    });
    outcome.unwrap_or_else(|error| {
        complain(&error, process.stderr_colored);
        if args.output.format == Format::Json && !output::is_broken(&error) {
            let report = report::unknown_json(&question, &error);
            if let Err(error) = output::write(&args.output, &report) {
                complain(&error, process.stderr_colored);
            }
        }
        Exit::CouldNotTell
    })
}

fn render(args: &Verify, process: &Process, answer: &Answer<'_>) -> Vec<u8> {
    match args.output.format {
        Format::Text => report::verification_text(answer, output::style(&args.output, process)),
        Format::Json => report::verification_json(answer, args.output.verbose),
    }
}

fn verify(args: &Verify, process: &Process) -> Result<(Repository, Verification), Error> {
    let repository = Repository::open(&args.compare.repo)?;
    let options = options(args, &repository)?;
    let source = setup::open_source(&args.image, &args.read, process)?;
    let verification = verify::verify(source.as_ref(), &repository, &options)?;
    Ok((repository, verification))
}

fn options(args: &Verify, repository: &Repository) -> Result<Options, Error> {
    let against = match args.compare.worktree {
        true => Against::Worktree,
        false => Against::Revision(args.compare.rev.clone()),
    };
    Ok(Options {
        platforms: args.read.platforms.clone(),
        against,
        mapping: request(&args.compare, repository)?,
        selection: Selection::parse(&files::arguments(&args.files)?, repository.prefix())?,
        strictness: if args.compare.strict { Strictness::Strict } else { Strictness::Contents },
        jobs: setup::jobs(&args.read),
    })
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
