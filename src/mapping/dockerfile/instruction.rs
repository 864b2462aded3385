//! From a line to an instruction, with nothing substituted yet.

use super::error::DockerfileError;
use super::lines::Line;
use super::words::{self, Flag};
use crate::mapping::step::CopyKind;

/// An instruction and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Numbered {
    pub(super) line: usize,
    pub(super) text: String,
    pub(super) instruction: Instruction,
}

/// The instructions that decide what lies where, and what is started.
#[derive(Clone, Debug)]
pub(super) enum Instruction {
    From { image: String, name: Option<String> },
    Arg(Vec<(String, Option<String>)>),
    Env(Vec<(String, String)>),
    Workdir(String),
    Copy { kind: CopyKind, flags: Vec<Flag>, words: Vec<String> },
    Cmd(Command),
    Entrypoint(Command),
}

/// A `CMD` or `ENTRYPOINT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The JSON form: a program and its arguments.
    Exec(Vec<String>),
    /// The other form: a line for the shell.
    Shell(String),
}

impl Instruction {
    /// Reads one line; `None` for an instruction that does not matter here.
    pub(super) fn parse(line: &Line, escape: char) -> Result<Option<Self>, DockerfileError> {
        let (name, arguments) = words::split_instruction(&line.raw);
        let instruction = match name.to_ascii_uppercase().as_str() {
            "FROM" => from(arguments, line.number, escape)?,
            "ARG" => {
                Self::Arg(words::quoted(arguments, escape).unwrap_or_default().iter().map(|word| arg(word)).collect())
            }
            "ENV" => Self::Env(env(arguments, escape)),
            "WORKDIR" => Self::Workdir(arguments.to_owned()),
            "COPY" => copy(CopyKind::Copy, arguments, line.number, escape)?,
            "ADD" => copy(CopyKind::Add, arguments, line.number, escape)?,
            "CMD" => Self::Cmd(Command::read(arguments)),
            "ENTRYPOINT" => Self::Entrypoint(Command::read(arguments)),
            _ => return Ok(None),
        };
        Ok(Some(instruction))
    }
}

impl Command {
    fn read(arguments: &str) -> Self {
        words::json(arguments).map_or_else(|| Self::Shell(arguments.to_owned()), Self::Exec)
    }
}

fn from(arguments: &str, line: usize, escape: char) -> Result<Instruction, DockerfileError> {
    let (_, arguments) = words::flags(arguments, escape);
    match words::spaced(arguments).as_slice() {
        [image] => Ok(Instruction::From { image: image.clone(), name: None }),
        [image, keyword, name] if keyword.eq_ignore_ascii_case("as") => {
            Ok(Instruction::From { image: image.clone(), name: Some(name.to_lowercase()) })
        }
        _ => Err(DockerfileError::MalformedFrom { line }),
    }
}

fn arg(word: &str) -> (String, Option<String>) {
    match word.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (word.to_owned(), None),
    }
}

/// `ENV name=value …`, or the older `ENV name the whole rest`.
fn env(arguments: &str, escape: char) -> Vec<(String, String)> {
    let words = words::quoted(arguments, escape).unwrap_or_default();
    if words.first().is_some_and(|word| word.contains('=')) {
        let assignment = |word: &String| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        return words.iter().filter_map(assignment).collect();
    }
    let (name, value) = words::split_instruction(arguments);
    vec![(name.to_owned(), value.to_owned())]
}

fn copy(kind: CopyKind, arguments: &str, line: usize, escape: char) -> Result<Instruction, DockerfileError> {
    let (flags, arguments) = words::flags(arguments, escape);
    let instruction = match kind {
        CopyKind::Add => "ADD",
        CopyKind::Copy => "COPY",
    };
    let words = match words::json(arguments) {
        Some(words) => words,
        None if is_other_json(arguments) => Vec::new(),
        None => words::spaced(arguments),
    };
    if words.len() < 2 {
        return Err(DockerfileError::IncompleteCopy { line, instruction });
    }
    Ok(Instruction::Copy { kind, flags, words })
}

/// A JSON array of something else than strings; no builder accepts that.
fn is_other_json(arguments: &str) -> bool {
    serde_json::from_str::<Vec<serde_json::Value>>(arguments).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_have_two_forms() {
        let table: [(&str, &[(&str, &str)]); 6] = [
            ("A=b", &[("A", "b")]),
            ("A=b C='d e' F=", &[("A", "b"), ("C", "'d e'"), ("F", "")]),
            ("A b c", &[("A", "b c")]),
            ("A  b=c", &[("A", "b=c")]),
            ("A=b=c", &[("A", "b=c")]),
            ("A=b\\ c", &[("A", "b\\ c")]),
        ];
        for (text, expected) in table {
            let expected: Vec<_> = expected.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(env(text, '\\'), expected, "{text}");
        }
    }

    #[test]
    fn commands_have_two_forms() {
        assert_eq!(Command::read("[\"a\", \"b c\"]"), Command::Exec(vec!["a".into(), "b c".into()]));
        assert_eq!(Command::read("[a, b]"), Command::Shell("[a, b]".into()));
        assert_eq!(Command::read("python  main.py"), Command::Shell("python  main.py".into()));
    }
}
