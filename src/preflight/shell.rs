//! The simple shapes of shell commands: words, quotes, variables, `&&` and `;`. Everything beyond these is refused by
//! name (POSIX.1-2024, Shell Command Language, 2.2 to 2.10), never guessed at.

use std::collections::{BTreeMap, BTreeSet};

/// One command of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Simple {
    /// `NAME=value` before the command.
    pub(super) assignments: Vec<(String, String)>,
    /// The command and its arguments. A variable that the image does not set stays as `$NAME`.
    pub(super) words: Vec<String>,
    /// Whether what follows runs only if this succeeds.
    pub(super) must_succeed: bool,
}

/// Words that begin something that is no simple command.
const RESERVED: [&str; 18] = [
    "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "{", "!", "time",
    "function", "select", "coproc",
];

/// Reads the commands in `text`.
///
/// # Errors
/// What it holds that is not read here.
pub(super) fn parse(text: &str, variables: &BTreeMap<String, String>) -> Result<Vec<Simple>, String> {
    let mut parser = Parser { rest: text.chars().collect(), at: 0, variables, changed: BTreeSet::new() };
    let mut commands = Vec::new();
    let mut simple = Simple::default();
    loop {
        let end = parser.separator()?;
        if let Some(end) = end {
            let is_empty = simple.words.is_empty() && simple.assignments.is_empty();
            simple.must_succeed = end == Separator::And;
            let done = std::mem::take(&mut simple);
            if !is_empty {
                commands.push(done);
            }
            if end == Separator::End {
                return Ok(commands);
            }
            continue;
        }
        let (word, quoted) = parser.word()?;
        if word.is_empty() && !quoted {
            continue;
        }
        if let Some((name, _)) = word.split_once('=').filter(|(name, _)| is_name(name)) {
            parser.changed.insert(name.to_owned());
        }
        match word.split_once('=').filter(|(name, _)| simple.words.is_empty() && is_name(name)) {
            Some((name, value)) => simple.assignments.push((name.to_owned(), value.to_owned())),
            None if simple.words.is_empty() && !quoted && RESERVED.contains(&word.as_str()) => {
                return Err(format!("`{word}` in a shell command"));
            }
            None => simple.words.push(word),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    And,
    Next,
    End,
}

struct Parser<'a> {
    rest: Vec<char>,
    at: usize,
    variables: &'a BTreeMap<String, String>,
    /// Variables that the text itself sets, whose values are not followed.
    changed: BTreeSet<String>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn takes(&mut self, character: char) -> bool {
        let there = self.peek() == Some(character);
        self.at += usize::from(there);
        there
    }

    /// Skips blanks and comments; what ends a command, if it ends here.
    fn separator(&mut self) -> Result<Option<Separator>, String> {
        loop {
            match self.peek() {
                None => return Ok(Some(Separator::End)),
                Some(' ' | '\t') => self.at += 1,
                Some('\\') if self.rest.get(self.at + 1) == Some(&'\n') => self.at += 2,
                Some('#') => {
                    while self.peek().is_some_and(|character| character != '\n') {
                        self.at += 1
                    }
                }
                Some(';' | '\n') => {
                    self.at += 1;
                    return Ok(Some(Separator::Next));
                }
                Some('&') => {
                    self.at += 1;
                    let both = self.takes('&');
                    return if both { Ok(Some(Separator::And)) } else { Err("`&` in a shell command".to_owned()) };
                }
                Some(other @ ('|' | '<' | '>' | '(' | ')')) => return Err(format!("`{other}` in a shell command")),
                Some(_) => return Ok(None),
            }
        }
    }

    /// One word, and whether some of it was quoted.
    fn word(&mut self) -> Result<(String, bool), String> {
        let (mut word, mut quoted) = (String::new(), false);
        while let Some(character) = self.peek() {
            if matches!(character, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')') {
                break;
            }
            self.at += 1;
            match character {
                '\'' => {
                    quoted = true;
                    self.quoted('\'', &mut word)?;
                }
                '"' => {
                    quoted = true;
                    self.quoted('"', &mut word)?;
                }
                '\\' => word.extend(self.next().filter(|&next| next != '\n')),
                '$' => word.push_str(&self.unquoted_variable()?),
                '`' => return Err("a command substitution in a shell command".to_owned()),
                '~' if word.is_empty() => return Err("`~` in a shell command".to_owned()),
                '{' if !word.is_empty() => return Err("`{` in a shell command".to_owned()),
                '*' | '?' | '[' => return Err(format!("`{character}` in a shell command")),
                plain => word.push(plain),
            }
        }
        Ok((word, quoted))
    }

    fn quoted(&mut self, end: char, word: &mut String) -> Result<(), String> {
        loop {
            match self.next().ok_or("a quote without its end in a shell command")? {
                character if character == end => return Ok(()),
                '$' if end == '"' => word.push_str(&self.variable()?),
                '`' if end == '"' => return Err("a command substitution in a shell command".to_owned()),
                '\\' if end == '"' => match self.next() {
                    Some('\n') | None => {}
                    Some(special @ ('"' | '\\' | '$' | '`')) => word.push(special),
                    Some(other) => word.extend(['\\', other]),
                },
                character => word.push(character),
            }
        }
    }

    /// The same outside of quotes, where the shell would split it into words.
    fn unquoted_variable(&mut self) -> Result<String, String> {
        let value = self.variable()?;
        let is_word = !value.contains([' ', '\t', '\n', '*', '?', '[']);
        if is_word { Ok(value) } else { Err("a variable of several words in a shell command".to_owned()) }
    }

    /// What a variable stands for, after its `$`.
    fn variable(&mut self) -> Result<String, String> {
        let refused = || Err("a substitution in a shell command".to_owned());
        let in_braces = match self.peek() {
            Some('(') => return refused(),
            Some('{') => self.takes('{'),
            _ => false,
        };
        let mut name = String::new();
        while let Some(character) = self.peek().filter(|&c| c.is_ascii_alphanumeric() || c == '_') {
            name.push(character);
            self.at += 1;
        }
        if !in_braces {
            return if name.is_empty() { self.special() } else { Ok(self.value(&name, None)) };
        }
        if !is_name(&name) {
            return refused();
        }
        let mut default = None;
        if !self.takes('}') {
            self.takes(':');
            if !self.takes('-') {
                return refused();
            }
            let mut text = String::new();
            loop {
                match self.next() {
                    Some('}') => break,
                    Some('$' | '`' | '{' | '"' | '\'' | '\\' | ' ') | None => return refused(),
                    Some(plain) => text.push(plain),
                }
            }
            default = Some(text);
        }
        Ok(self.value(&name, default))
    }

    /// A `$` that names no variable.
    fn special(&mut self) -> Result<String, String> {
        match self.peek() {
            Some('@' | '*' | '#' | '?' | '!' | '$' | '-') => {
                Err("a parameter such as `$@` in a shell command".to_owned())
            }
            _ => Ok("$".to_owned()),
        }
    }

    /// Cloud Run sets `PORT` itself, whatever the image says.
    fn value(&self, name: &str, default: Option<String>) -> String {
        let is_fixed = name != "PORT" && !self.changed.contains(name);
        let known = self.variables.get(name).cloned().or(default);
        known.filter(|_| is_fixed).unwrap_or_else(|| format!("${name}"))
    }
}

fn is_name(text: &str) -> bool {
    let is_word = text.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    is_word && text.chars().next().is_some_and(|first| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Result<Vec<Vec<String>>, String> {
        let variables = [("APP", "main:app"), ("TWO", "a b")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = BTreeMap::from(variables);
        Ok(parse(text, &variables)?.into_iter().map(|simple| simple.words).collect())
    }

    #[test]
    fn simple_shapes_are_read() {
        let table: [(&str, &[&[&str]]); 9] = [
            ("exec gunicorn -b :$PORT main:app", &[&["exec", "gunicorn", "-b", ":$PORT", "main:app"]]),
            ("gunicorn --bind 0.0.0.0:${PORT:-8080} $APP", &[&["gunicorn", "--bind", "0.0.0.0:$PORT", "main:app"]]),
            ("cd /srv && exec node x.js", &[&["cd", "/srv"], &["exec", "node", "x.js"]]),
            ("A=1 B='x y' prog", &[&["prog"]]),
            ("echo \"a $APP\" 'b $APP' c\\ d", &[&["echo", "a main:app", "b $APP", "c d"]]),
            ("a; b # c\nd", &[&["a"], &["b"], &["d"]]),
            ("a \\\n b", &[&["a", "b"]]),
            ("prog ${X:-y} ${Z-} \"\"", &[&["prog", "y", ""]]),
            ("$PROG x", &[&["$PROG", "x"]]),
        ];
        for (text, expected) in table {
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
        let simple = &parse("A=1 B='x y' prog && c", &BTreeMap::new()).unwrap()[0];
        assert_eq!(simple.assignments[1], ("B".to_owned(), "x y".to_owned()));
        assert!(simple.must_succeed);
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "a | b",
            "a || b",
            "a & b",
            "a > b",
            "a $(b)",
            "a `b`",
            "\"$(a)\"",
            "if a; then b; fi",
            "(a)",
            "a 'b",
            "for x in y; do z; done",
            "exec \"$@\"",
            "ls *",
            "${A:+b}",
            "{ a; }",
            "! a",
            "$TWO",
            "~/a",
            "a{b,c}",
            "${A:-$B}",
        ] {
            assert!(words(text).is_err(), "{text}");
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        let alphabet: Vec<char> = "ab =$\"'\\{}:-&;|\n#(`@é".chars().collect();
        let mut state = 7_u64;
        for _ in 0..50_000 {
            let mut text = String::new();
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push(alphabet[(state >> 33) as usize % alphabet.len()]);
            }
            let _ = words(&text);
        }
    }
}
