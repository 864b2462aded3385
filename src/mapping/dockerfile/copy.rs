//! A `COPY` or `ADD` after substitution: which words are sources of which kind.

use super::expand::{Environment, Unknown, expand};
use super::instruction::Instruction;
use super::lines::Line;
use super::words::{self, Flag};
use crate::mapping::step::{CopyKind, CopyStep, Destination, Origin};
use crate::path::{ImagePath, RepoPath};

/// What stands between a source's directories that are repeated below the destination and those that are not.
const PIVOT: &str = "/./";

/// A copy whose destination is still as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mapping) struct WrittenCopy {
    pub(in crate::mapping) kind: CopyKind,
    pub(in crate::mapping) sources: Vec<Vec<u8>>,
    pub(in crate::mapping) destination: String,
    pub(in crate::mapping) parents: bool,
    pub(in crate::mapping) exclude: Vec<Vec<u8>>,
    pub(in crate::mapping) unpack: bool,
    pub(in crate::mapping) origin: Origin,
}

/// Reads `COPY a b` as an image's history has it, where nothing is left to substitute (`literal`), or where variables
/// and quotes are as in the Dockerfile, with no values at hand.
pub(in crate::mapping) fn words_of_history(text: &str, literal: bool) -> Option<Result<WrittenCopy, Unknown>> {
    let line = Line { number: 1, raw: text.to_owned(), text: text.to_owned() };
    let Ok(Some(Instruction::Copy { kind, flags, words })) = Instruction::parse(&line, '\\') else {
        return None;
    };
    Some(if literal {
        WrittenCopy::classify(kind, &flags, words)
    } else {
        WrittenCopy::expand(kind, &flags, &words, '\\', &Environment::new([]))
    })
}

/// A path of an image's history without its quotes; `None` if it holds variables.
pub(in crate::mapping) fn path_of_history(written: &str) -> Option<String> {
    expand(written, '\\', &Environment::new([])).ok()
}

impl WrittenCopy {
    /// Substitutes and unquotes all words, then sorts them out.
    pub(super) fn expand(
        kind: CopyKind,
        flags: &[Flag],
        words: &[String],
        escape: char,
        environment: &Environment,
    ) -> Result<Self, Unknown> {
        let words = words.iter().map(|word| match words::is_heredoc(word) {
            true => Ok(word.clone()),
            false => expand(word, escape, environment),
        });
        let flags = flags.iter().map(|flag| expand_flag(flag, escape, environment)).collect::<Result<Vec<_>, _>>()?;
        Self::classify(kind, &flags, words.collect::<Result<_, _>>()?)
    }

    fn classify(kind: CopyKind, flags: &[Flag], mut words: Vec<String>) -> Result<Self, Unknown> {
        // The parser has seen to it that there are at least two.
        let destination = words.pop().unwrap_or_default();
        let mut copy = Self {
            kind,
            sources: Vec::new(),
            destination,
            parents: false,
            exclude: Vec::new(),
            unpack: kind == CopyKind::Add,
            origin: Origin::Context,
        };
        for flag in flags {
            copy.apply(flag)?;
        }
        copy.take_sources(&words);
        Ok(copy)
    }

    fn apply(&mut self, flag: &Flag) -> Result<(), Unknown> {
        let value = flag.value.clone().unwrap_or_default();
        match flag.name.as_str() {
            "from" => self.origin = Origin::Stage(value),
            "parents" => self.parents = is_true(&value),
            "exclude" => self.exclude.push(value.into_bytes()),
            "unpack" => self.unpack = is_true(&value),
            "chown" | "chmod" | "link" | "keep-git-dir" | "checksum" => {}
            unknown => return Err(Unknown::Flag(unknown.to_owned())),
        }
        Ok(())
    }

    /// Keeps the sources that are paths; without any, the step is as inline or remote as its first source.
    fn take_sources(&mut self, words: &[String]) {
        let is_path = |word: &&String| !words::is_heredoc(word) && !is_remote(word);
        self.sources = words.iter().filter(is_path).map(|word| clean_source(word, self.parents)).collect();
        if self.sources.is_empty() && self.origin == Origin::Context {
            let inline = words.iter().any(|word| words::is_heredoc(word));
            self.origin = if inline { Origin::Inline } else { Origin::Remote };
        }
    }

    /// The step, once it is known where relative destinations lie.
    pub(super) fn at(self, workdir: Option<&ImagePath>, line: usize, text: &str) -> Result<CopyStep, Unknown> {
        let unknown = match workdir {
            None if !self.destination.starts_with('/') => Unknown::Workdir,
            _ => Unknown::TooMany("bytes in a path"),
        };
        let destination = Destination::read(self.destination.as_bytes(), workdir).ok_or(unknown)?;
        Ok(CopyStep {
            line,
            text: text.to_owned(),
            kind: self.kind,
            sources: self.sources,
            destination,
            parents: self.parents,
            exclude: self.exclude,
            unpack: self.unpack,
            origin: self.origin,
        })
    }
}

/// Values that cannot matter (owner, mode) need not be known.
fn expand_flag(flag: &Flag, escape: char, environment: &Environment) -> Result<Flag, Unknown> {
    let matters = matches!(flag.name.as_str(), "exclude" | "parents" | "unpack");
    let value = match &flag.value {
        Some(value) if matters => Some(expand(value, escape, environment)?),
        // A stage keeps the name as written if it is not known: that it is a stage is certain.
        Some(value) => Some(expand(value, escape, environment).unwrap_or_else(|_| value.clone())),
        None => None,
    };
    Ok(Flag { name: flag.name.clone(), value })
}

/// A flag without a value is set.
fn is_true(value: &str) -> bool {
    value.is_empty() || value.eq_ignore_ascii_case("true")
}

/// Relative to the context and clean: a leading slash or `../` changes nothing (Dockerfile reference, "Copying from
/// the build context").
fn clean_source(word: &str, parents: bool) -> Vec<u8> {
    let clean = |part: &str| RepoPath::clean(part.as_bytes()).as_bytes().to_vec();
    match word.split_once(PIVOT) {
        Some((before, after)) if parents => [clean(before), clean(after)].join(PIVOT.as_bytes()),
        _ => clean(word),
    }
}

/// URLs and git repositories (`dfgitutil.ParseGitRef`); `github.com/x/y` without a scheme is a path.
fn is_remote(word: &str) -> bool {
    let scheme = ["http://", "https://", "git://", "ssh://", "git@"];
    scheme.iter().any(|prefix| word.starts_with(prefix))
}
