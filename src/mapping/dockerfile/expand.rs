//! Substitution of variables and removal of quotes in a word, as BuildKit's `shell.Lex` does both in one go.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use crate::limits;

/// What is known of the variables.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    /// `None` marks one that is set to something unknown.
    values: BTreeMap<String, Option<String>>,
    /// Bytes that may still be put in the place of variables.
    room: Cell<usize>,
}

impl Environment {
    pub(super) fn new(values: impl IntoIterator<Item = (String, Option<String>)>) -> Self {
        Self { values: values.into_iter().collect(), room: Cell::new(limits::SUBSTITUTED_BYTES) }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Option<String>> {
        self.values.get(name)
    }

    pub(super) fn extend(&mut self, values: impl IntoIterator<Item = (String, Option<String>)>) {
        self.values.extend(values);
    }

    /// Takes the room that `value` needs; `false` if there is none left.
    fn takes(&self, value: &str) -> bool {
        let left = self.room.get().checked_sub(value.len());
        left.map(|left| self.room.set(left)).is_some()
    }
}

/// Why a word's meaning is not known.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unknown {
    /// Neither the Dockerfile nor the build arguments at hand give the variable a value.
    #[error("no value is known for the variable `{0}`")]
    Variable(String),
    /// A form of substitution that is not supported, such as `${x#prefix}`.
    #[error("the substitution of `{0}` is not supported")]
    Substitution(String),
    /// A quote or brace that is not closed: no builder accepts it.
    #[error("`{0}` is not closed")]
    Open(char),
    /// A flag of `COPY` or `ADD` whose meaning is not known.
    #[error("the flag `--{0}` is not known")]
    Flag(String),
    /// More than this program holds in memory.
    #[error("there are more {0} than any build has")]
    TooMany(&'static str),
    /// A relative destination below a `WORKDIR` that is itself not known.
    #[error("the working directory is not known")]
    Workdir,
}

/// How deep `${a:-${b:-…}}` may nest: far beyond what people write, and no danger to the stack.
const DEEPEST_NESTING: usize = 32;

/// The word without quotes and escapes, and with values for variables.
pub(super) fn expand(word: &str, escape: char, environment: &Environment) -> Result<String, Unknown> {
    let mut expander = Expander { rest: word.chars().peekable(), escape, environment, unknown: None, depth: 0 };
    let text = expander.until(None);
    expander.unknown.map_or(Ok(text), Err)
}

struct Expander<'a> {
    rest: Peekable<Chars<'a>>,
    escape: char,
    environment: &'a Environment,
    /// The first thing that was not known. Reading goes on after it, as a default may make it irrelevant.
    unknown: Option<Unknown>,
    depth: usize,
}

impl Expander<'_> {
    fn until(&mut self, stop: Option<char>) -> String {
        let mut text = String::new();
        while let Some(character) = self.rest.next() {
            match character {
                _ if Some(character) == stop => return text,
                '\'' => self.single_quoted(&mut text),
                '"' => self.double_quoted(&mut text),
                '$' => text.push_str(&self.variable()),
                _ if character == self.escape => text.extend(self.rest.next()),
                _ => text.push(character),
            }
        }
        if let Some(stop) = stop {
            self.note(Unknown::Open(stop));
        }
        text
    }

    fn single_quoted(&mut self, text: &mut String) {
        loop {
            match self.rest.next() {
                Some('\'') => return,
                Some(character) => text.push(character),
                None => return self.note(Unknown::Open('\'')),
            }
        }
    }

    fn double_quoted(&mut self, text: &mut String) {
        loop {
            match self.rest.next() {
                Some('"') => return,
                Some('$') => text.push_str(&self.variable()),
                Some(character) if character == self.escape => {
                    let escape = self.escape;
                    let escaped = self.rest.next_if(|&next| next == '"' || next == '$' || next == escape);
                    text.push(escaped.unwrap_or(escape));
                }
                Some(character) => text.push(character),
                None => return self.note(Unknown::Open('"')),
            }
        }
    }

    /// What follows a `$`.
    fn variable(&mut self) -> String {
        if self.rest.next_if_eq(&'{').is_none() {
            let name = self.name();
            return if name.is_empty() { "$".to_owned() } else { self.value(name) };
        }
        let name = self.name();
        match self.rest.next() {
            Some('}') if name.is_empty() => self.unsupported(name),
            Some('}') => self.value(name),
            Some(':') => {
                let operator = self.rest.next();
                self.modified(name, operator, |value| !value.is_empty())
            }
            operator => self.modified(name, operator, |_| true),
        }
    }

    /// `${name-word}` and its kin; `counts` tells whether a value is one (with a colon, empty ones are not).
    fn modified(&mut self, name: String, operator: Option<char>, counts: impl Fn(&str) -> bool) -> String {
        if self.depth == DEEPEST_NESTING {
            return self.unsupported(name);
        }
        let before = self.unknown.take();
        self.depth += 1;
        let word = self.until(Some('}'));
        self.depth -= 1;
        let in_word = std::mem::replace(&mut self.unknown, before);
        if let Some(open @ Unknown::Open(_)) = &in_word {
            self.note(open.clone());
        }
        let value = match self.environment.get(&name) {
            Some(None) => return self.unknown_variable(name),
            Some(Some(value)) if counts(value) => Some(self.substituted(value)),
            Some(Some(_)) => None,
            None => None,
        };
        match (operator, value) {
            (Some(_), _) if name.is_empty() => self.unsupported(name),
            (Some('-'), Some(value)) | (Some('?'), Some(value)) => value,
            (Some('-'), None) | (Some('+'), Some(_)) => {
                in_word.into_iter().for_each(|unknown| self.note(unknown));
                word
            }
            (Some('+'), None) => String::new(),
            (Some('?'), None) => self.unknown_variable(name),
            (None, _) => self.open_brace(),
            _ => self.unsupported(name),
        }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(character) = self.rest.next_if(|&next| next.is_alphanumeric() || next == '_') {
            name.push(character);
        }
        name
    }

    fn value(&mut self, name: String) -> String {
        match self.environment.get(&name) {
            Some(Some(value)) => self.substituted(value),
            _ => self.unknown_variable(name),
        }
    }

    fn substituted(&mut self, value: &str) -> String {
        if self.environment.takes(value) {
            return value.to_owned();
        }
        self.note(Unknown::TooMany("bytes in the values of variables"));
        String::new()
    }

    fn unknown_variable(&mut self, name: String) -> String {
        self.note(Unknown::Variable(name));
        String::new()
    }

    fn open_brace(&mut self) -> String {
        self.note(Unknown::Open('}'));
        String::new()
    }

    fn unsupported(&mut self, name: String) -> String {
        self.note(Unknown::Substitution(format!("${{{name}…}}")));
        String::new()
    }

    fn note(&mut self, unknown: Unknown) {
        self.unknown.get_or_insert(unknown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        let known = [("X", "x"), ("EMPTY", ""), ("LONG_1", "l"), ("SPACED", "a b")];
        let known = known.map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
        Environment::new(known.into_iter().chain([("LOST".to_owned(), None)]))
    }

    #[test]
    fn words_are_substituted_and_unquoted() {
        let table = [
            ("", ""),
            ("$X", "x"),
            ("${X}y$LONG_1-z", "xyl-z"),
            ("$", "$"),
            ("a$/b", "a$/b"),
            ("\\$X", "$X"),
            ("\\${X}", "${X}"),
            ("'$X'", "$X"),
            ("\"$X\"", "x"),
            ("\"\\$X \\\" \\\\ \\n\"", "$X \" \\ \\n"),
            ("'a\\'b", "a\\b"),
            ("a\\b\\ c", "ab c"),
            ("a\\", "a"),
            ("$SPACED", "a b"),
            ("${X:-d}", "x"),
            ("${NONE:-d}", "d"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY-d}", ""),
            ("${NONE-d}", "d"),
            ("${X:+a}", "a"),
            ("${NONE:+a}", ""),
            ("${EMPTY:+a}", ""),
            ("${EMPTY+a}", "a"),
            ("${X:?message}", "x"),
            ("${NONE:-$X/${NONE:-\"}\"}}", "x/}"),
            ("${X:-$NONE}", "x"),
            ("${NONE:+$NONE}", ""),
            ("${NONE:-}", ""),
        ];
        for (word, expected) in table {
            assert_eq!(expand(word, '\\', &environment()), Ok(expected.to_owned()), "{word}");
        }
    }

    #[test]
    fn the_escape_character_is_not_always_a_backslash() {
        assert_eq!(expand("c:\\x`$X\\$X", '`', &environment()), Ok("c:\\x$X\\x".to_owned()));
    }

    #[test]
    fn nothing_is_guessed() {
        let variable = |name: &str| Unknown::Variable(name.to_owned());
        let substitution = |shown: &str| Unknown::Substitution(shown.to_owned());
        let table = [
            ("$NONE/$LOST", variable("NONE")),
            ("${LOST}", variable("LOST")),
            ("${LOST:-d}", variable("LOST")),
            ("${LOST:+d}", variable("LOST")),
            ("${NONE:-$LOST}", variable("LOST")),
            ("${NONE:?message}", variable("NONE")),
            ("$1", variable("1")),
            ("${X#a}", substitution("${X…}")),
            ("${X/a/b}", substitution("${X…}")),
            ("${}", substitution("${…}")),
            ("${X", Unknown::Open('}')),
            ("${X:-a", Unknown::Open('}')),
            ("'a", Unknown::Open('\'')),
            ("\"a", Unknown::Open('"')),
        ];
        for (word, expected) in table {
            assert_eq!(expand(word, '\\', &environment()), Err(expected), "{word}");
        }
    }

    #[test]
    fn nesting_ends_somewhere() {
        let nested = |depth: usize| format!("{}d{}", "${NONE:-".repeat(depth), "}".repeat(depth));
        assert_eq!(expand(&nested(DEEPEST_NESTING), '\\', &environment()), Ok("d".to_owned()));
        assert!(expand(&nested(100_000), '\\', &environment()).is_err());
    }
}
