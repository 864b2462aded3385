//! Files of an image against those of git, line by line.

use std::io::{self, Write};

use crate::compare::{Finding, Status};
use crate::difference::Texts;
use crate::limits;
use crate::lines;
use crate::path::RepoPath;
use crate::repo::{Normalizer, Origin, RepoFile, RepoFileKind};

use super::escape::{escape_bytes, escape_path};
use super::{Answer, Style, unified};

/// Writes a unified diff for each file that has other bytes in the image than in git: from git to the image, so that
/// `-` is what the image lacks. At most `most` lines a file.
///
/// # Errors
/// What writing, or reading the image's contents back, fails with.
pub fn git_difference_text(
    answer: &Answer<'_>,
    texts: &mut Texts,
    most: usize,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut pairs = Pairs::new(answer, texts);
    let findings = answer.verification.findings().filter(|finding| finding.status.is_other_bytes());
    for finding in findings {
        pairs.write(finding, most, style, out)?;
    }
    Ok(())
}

/// The same with a line for each file that differs in another way: only in git, only in the image, of another kind. With
/// `None` for `most` that is a path alone, and so are the others.
///
/// # Errors
/// What writing, or reading the image's contents back, fails with.
pub fn git_differences_text(
    answer: &Answer<'_>,
    texts: &mut Texts,
    most: Option<usize>,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut pairs = Pairs::new(answer, texts);
    let strictness = answer.verification.strictness;
    for finding in answer.verification.findings().filter(|finding| finding.status.differs(strictness)) {
        let path = match &finding.repo {
            Some((path, _)) => escape_bytes(path.as_bytes()),
            None => escape_path(&finding.image),
        };
        match most {
            None => writeln!(out, "{path}")?,
            Some(most) if finding.status.is_other_bytes() => pairs.write(finding, most, style, out)?,
            Some(_) => writeln!(out, "{}: {path}", difference(finding.status))?,
        }
    }
    Ok(())
}

fn difference(status: Status) -> &'static str {
    match status {
        Status::Missing => "only in git",
        Status::Leftover | Status::Untracked => "only in the image",
        Status::Mode => "executable on one side only",
        _ => "a file on one side only",
    }
}

/// The files of both sides, in git's own form: line endings that a checkout converted are no changes.
struct Pairs<'a> {
    answer: &'a Answer<'a>,
    texts: &'a mut Texts,
    /// Without it, which is for want of the attributes, files are shown as they are.
    normalizer: Option<Normalizer<'a>>,
}

impl<'a> Pairs<'a> {
    fn new(answer: &'a Answer<'a>, texts: &'a mut Texts) -> Self {
        let normalizer = Normalizer::new(answer.repository, &answer.verification.git.snapshot).ok();
        Self { answer, texts, normalizer }
    }

    fn write(&mut self, finding: &Finding, most: usize, style: Style, out: &mut dyn Write) -> io::Result<()> {
        let Some((path, file)) = &finding.repo else { return Ok(()) };
        let names = [format!("a/{}", escape_bytes(path.as_bytes())), format!("b{}", escape_path(&finding.image))];
        let image = finding.file.map(|stored| self.texts.text(&stored)).transpose()?.flatten();
        let image = image.map(|bytes| self.cleaned(path, bytes));
        match (self.git(path, file), image) {
            (Some(git), Some(image)) => unified::write([&names[0], &names[1]], [&git, &image], most, style, out),
            _ => writeln!(out, "{} and {} differ, and are no text or too large to be shown", names[0], names[1]),
        }
    }

    fn git(&mut self, path: &RepoPath, file: &RepoFile) -> Option<Vec<u8>> {
        if file.kind == RepoFileKind::Symlink {
            return None;
        }
        let snapshot = &self.answer.verification.git.snapshot;
        let contents = self.answer.repository.read(snapshot, path, limits::DIFF_BYTES).ok()?;
        let text = (!lines::is_binary(&contents)).then_some(contents)?;
        Some(if snapshot.origin == Origin::WorkTree { self.cleaned(path, text) } else { text })
    }

    fn cleaned(&mut self, path: &RepoPath, bytes: Vec<u8>) -> Vec<u8> {
        let cleaned = self.normalizer.as_mut().and_then(|normalizer| normalizer.clean(path, &bytes).ok().flatten());
        cleaned.map_or(bytes, |cleaned| cleaned.bytes)
    }
}
