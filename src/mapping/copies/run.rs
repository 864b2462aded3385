//! Carries out one step after the other.

use std::collections::HashSet;

use super::context::{File, Files, Found};
use super::{BuildContext, CopiedDirectory, CopiedFile, Copies, TooManyFiles};
use crate::limits;
use crate::mapping::glob::{Dialect, Glob};
use crate::mapping::patterns::Patterns;
use crate::mapping::step::CopyStep;
use crate::path::{ImagePath, RepoPath};

/// The usual names of what `ADD` unpacks. Docker looks at the content, which is not at hand.
const ARCHIVES: [&[u8]; 11] = [
    b".tar",
    b".tar.gz",
    b".tgz",
    b".tar.bz2",
    b".tbz",
    b".tbz2",
    b".tar.xz",
    b".txz",
    b".tar.zst",
    b".tzst",
    b".tar.zstd",
];

/// What has been copied so far.
pub(super) struct Run<'a> {
    context: &'a BuildContext<'a>,
    /// Every directory that holds something copied.
    made: HashSet<ImagePath>,
    /// Files and directories that may still be copied.
    room: usize,
    pub(super) copies: Copies,
}

/// The step at hand.
struct Current<'a> {
    index: usize,
    step: &'a CopyStep,
    exclude: Patterns,
}

impl<'a> Run<'a> {
    pub(super) fn new(context: &'a BuildContext<'a>) -> Self {
        Self { context, made: HashSet::new(), room: limits::COPIED_FILES, copies: Copies::default() }
    }

    /// Copies what a step names; `false` if there is nothing of that kind.
    pub(super) fn step(&mut self, index: usize, step: &CopyStep, files: &Files<'_>) -> Result<bool, TooManyFiles> {
        let exclude = Patterns::new(step.exclude.iter().map(Vec::as_slice));
        let current = Current { index, step, exclude };
        let mut any = false;
        for source in &step.sources {
            any |= if step.parents {
                self.source_with_parents(&current, source, files)?
            } else {
                self.source(&current, source, files)?
            };
        }
        Ok(any)
    }

    fn source(&mut self, current: &Current<'_>, source: &[u8], files: &Files<'_>) -> Result<bool, TooManyFiles> {
        let found = files.find(source);
        for one in &found {
            match *one {
                Found::File(file) => self.named_file(current, file)?,
                Found::Directory(path, files) => self.directory(current, path, files)?,
            }
        }
        Ok(!found.is_empty())
    }

    fn named_file(&mut self, current: &Current<'_>, file: File<'_>) -> Result<(), TooManyFiles> {
        let name = file.path.file_name().unwrap_or_default();
        if current.exclude.matches(name) {
            return Ok(());
        }
        if current.step.unpack && ARCHIVES.iter().any(|ending| name.to_ascii_lowercase().ends_with(ending)) {
            self.take()?;
            self.copies.archives.push(CopiedFile { source: file.path.clone(), step: current.index });
            return Ok(());
        }
        let destination = &current.step.destination.path;
        let target = if self.is_directory(current) { destination.join(name) } else { destination.clone() };
        self.put(current, target, file)
    }

    fn directory(&mut self, current: &Current<'_>, path: &[u8], files: &[File<'_>]) -> Result<(), TooManyFiles> {
        let destination = current.step.destination.path.clone();
        for file in files {
            let rest = inside(file.relative, path);
            if !current.exclude.matches(rest) {
                self.put(current, destination.join(rest), *file)?;
            }
        }
        self.pair(current, destination, path)
    }

    /// `--parents`: below the destination stands everything of the source's path that follows the `/./`.
    fn source_with_parents(
        &mut self,
        current: &Current<'_>,
        source: &[u8],
        files: &Files<'_>,
    ) -> Result<bool, TooManyFiles> {
        let pivot = source.windows(3).position(|window| window == b"/./");
        let (before, after) = pivot.map_or((&b""[..], source), |at| (&source[..at], &source[at + 3..]));
        // Here, and only here, `**` is more than `*`.
        let Some(glob) = Glob::new(after, Dialect::Recursive) else { return Ok(false) };
        let mut any = false;
        for found in files.find(before) {
            if let Found::Directory(base, files) = found {
                any |= self.matching(current, &glob, base, files)?;
            }
        }
        Ok(any)
    }

    /// Copies the files below `base` that `glob` matches, or that lie in a directory which it matches.
    fn matching(
        &mut self,
        current: &Current<'_>,
        glob: &Glob,
        base: &[u8],
        files: &[File<'_>],
    ) -> Result<bool, TooManyFiles> {
        let destination = current.step.destination.path.clone();
        let mut any = false;
        let mut last_pair = None;
        for file in files {
            let rest = inside(file.relative, base);
            let Some(length) = shortest(glob, rest) else { continue };
            any = true;
            let directory = &file.relative[..file.relative.len() - rest.len() + length];
            if length < rest.len() && last_pair != Some(directory) {
                self.pair(
                    current,
                    destination.join(&rest[..length]),
                    directory.strip_suffix(b"/").unwrap_or(directory),
                )?;
                last_pair = Some(directory);
            }
            if !current.exclude.matches(rest) {
                self.put(current, destination.join(rest), *file)?;
            }
        }
        Ok(any)
    }

    /// Whether a file goes below the destination instead of becoming it. Several sources do not decide that: where
    /// their destination has no slash, BuildKit writes them over each other (buildkit#1853) and buildah makes a
    /// directory, which the image then has.
    fn is_directory(&self, current: &Current<'_>) -> bool {
        let destination = &current.step.destination;
        destination.slash || self.made.contains(&destination.path) || (self.context.is_directory)(&destination.path)
    }

    /// Takes the room of one file or directory.
    fn take(&mut self) -> Result<(), TooManyFiles> {
        self.room = self.room.checked_sub(1).ok_or(TooManyFiles)?;
        Ok(())
    }

    fn put(&mut self, current: &Current<'_>, target: ImagePath, file: File<'_>) -> Result<(), TooManyFiles> {
        self.take()?;
        let mut parent = target.parent();
        while let Some(directory) = parent {
            parent = directory.parent();
            if !self.made.insert(directory) {
                break;
            }
        }
        self.copies.files.insert(target, CopiedFile { source: file.path.clone(), step: current.index });
        Ok(())
    }

    fn pair(&mut self, current: &Current<'_>, destination: ImagePath, in_context: &[u8]) -> Result<(), TooManyFiles> {
        self.take()?;
        let source: RepoPath = self.context.directory.join(in_context);
        self.copies.directories.push(CopiedDirectory { destination, source, step: current.index });
        Ok(())
    }
}

/// The part of `path` below `directory`, both relative to the context.
fn inside<'p>(path: &'p [u8], directory: &[u8]) -> &'p [u8] {
    if directory.is_empty() { path } else { &path[directory.len() + 1..] }
}

/// How much of `path` the pattern needs; the empty pattern names the whole directory.
fn shortest(glob: &Glob, path: &[u8]) -> Option<usize> {
    if glob.matches(b"") { Some(0) } else { glob.shortest_match(path) }
}
