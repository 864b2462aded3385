//! The words of an instruction: white space, quotes, flags, the JSON form, here-documents.

/// White space between words (BuildKit's `reWhitespace`).
const SPACES: [char; 5] = [' ', '\t', '\x0b', '\x0c', '\r'];

/// A `--name[=value]` in front of an instruction's arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mapping) struct Flag {
    pub(super) name: String,
    pub(super) value: Option<String>,
}

/// A here-document that an instruction announces.
pub(super) struct Heredoc {
    pub(super) delimiter: String,
    /// Whether white space stands between `<<` and the delimiter.
    pub(super) spaced: bool,
    strips_tabs: bool,
}

/// The instruction's name and what follows it.
pub(super) fn split_instruction(raw: &str) -> (&str, &str) {
    let raw = raw.trim();
    raw.split_once(SPACES).map_or((raw, ""), |(name, rest)| (name, rest.trim()))
}

/// Words between white space, whatever the quotes: how `COPY`, `ADD` and `FROM` split their arguments.
pub(super) fn spaced(arguments: &str) -> Vec<String> {
    arguments.split(SPACES).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Words between white space outside of quotes; quotes and escapes stay. `None` if a quote is not closed.
pub(super) fn quoted(arguments: &str, escape: char) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = arguments.trim_start();
    while !rest.is_empty() {
        let end = word_end(rest, escape)?;
        words.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    Some(words)
}

fn word_end(text: &str, escape: char) -> Option<usize> {
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match quote {
            None if character.is_whitespace() => return Some(index),
            None if character == '"' || character == '\'' => quote = Some(character),
            Some(open) if open == character => quote = None,
            _ if character == escape && quote != Some('\'') => drop(characters.next()),
            _ => {}
        }
    }
    quote.is_none().then_some(text.len())
}

/// Takes the flags off the front of the arguments. Quotes in them are removed; a lone `--` ends them.
pub(super) fn flags(arguments: &str, escape: char) -> (Vec<Flag>, &str) {
    let mut flags = Vec::new();
    let mut rest = arguments.trim_start();
    while rest.starts_with("--") {
        let end = word_end(rest, escape).unwrap_or(rest.len());
        let word = unquoted(&rest[..end], escape);
        rest = rest[end..].trim_start();
        match word.strip_prefix("--") {
            None | Some("") => break,
            Some(flag) => flags.push(match flag.split_once('=') {
                Some((name, value)) => Flag { name: name.to_owned(), value: Some(value.to_owned()) },
                None => Flag { name: flag.to_owned(), value: None },
            }),
        }
    }
    (flags, rest)
}

/// The word without its quotes and escapes, nothing substituted.
fn unquoted(word: &str, escape: char) -> String {
    let mut plain = String::new();
    let mut quote = None;
    let mut characters = word.chars();
    while let Some(character) = characters.next() {
        match quote {
            None if character == '"' || character == '\'' => quote = Some(character),
            Some(open) if open == character => quote = None,
            _ if character == escape && quote != Some('\'') => plain.extend(characters.next()),
            _ => plain.push(character),
        }
    }
    plain
}

/// The arguments as a JSON array of strings, if they are one.
pub(super) fn json(arguments: &str) -> Option<Vec<String>> {
    serde_json::from_str(arguments.trim()).ok()
}

/// The here-documents that an instruction announces, in order. Only `RUN`, `COPY` and `ADD` can; in their JSON
/// form every word is quoted.
pub(super) fn heredocs(raw: &str) -> Vec<Heredoc> {
    let (mut name, mut arguments) = split_instruction(raw);
    if name.eq_ignore_ascii_case("onbuild") {
        (name, arguments) = split_instruction(arguments);
    }
    let possible = ["run", "copy", "add"].iter().any(|known| name.eq_ignore_ascii_case(known));
    if !possible || !arguments.contains("<<") {
        return Vec::new();
    }
    // Here-documents are looked for with the backslash as escape character, whatever the directive says.
    let words = quoted(arguments, '\\').unwrap_or_default();
    let following = words.iter().skip(1).map(Some).chain([None]);
    words.iter().zip(following).filter_map(|(word, next)| Heredoc::read(word, next.map(String::as_str))).collect()
}

/// Whether a source of `COPY` or `ADD` is a here-document.
pub(super) fn is_heredoc(word: &str) -> bool {
    Heredoc::read(word, None).is_some()
}

impl Heredoc {
    /// Reads `<<EOF`, `<<-EOF`, `3<<'EOF'`; a bare `<<` takes the next word.
    fn read(word: &str, next: Option<&str>) -> Option<Self> {
        let operator = word.trim_start_matches(|character: char| character.is_ascii_digit()).strip_prefix("<<")?;
        let (strips_tabs, name) = match operator.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, operator),
        };
        let spaced = name.is_empty();
        let delimiter = unquoted(if spaced { next? } else { name }, '\\');
        (!delimiter.is_empty() && !name.contains('<')).then_some(Self { delimiter, spaced, strips_tabs })
    }

    /// Whether `line` is the one after the last.
    pub(super) fn closes(&self, line: &str) -> bool {
        let line = if self.strips_tabs { line.trim_start_matches('\t') } else { line };
        line == self.delimiter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes_keep_words_together() {
        let table: [(&str, Option<&[&str]>); 8] = [
            ("", Some(&[])),
            ("  a  b ", Some(&["a", "b"])),
            ("a='b c' d", Some(&["a='b c'", "d"])),
            ("a=\"b \\\" c\" d", Some(&["a=\"b \\\" c\"", "d"])),
            ("a\\ b c", Some(&["a\\ b", "c"])),
            ("'a\\' b", Some(&["'a\\'", "b"])),
            ("a 'b", None),
            ("a\\", Some(&["a\\"])),
        ];
        for (text, expected) in table {
            let expected: Option<Vec<String>> = expected.map(|words| words.iter().map(|&word| word.into()).collect());
            assert_eq!(quoted(text, '\\'), expected, "{text}");
        }
    }

    #[test]
    fn flags_end_where_the_arguments_begin() {
        type Case = (&'static str, &'static [(&'static str, Option<&'static str>)], &'static str);
        let table: [Case; 7] = [
            ("a b", &[], "a b"),
            ("--link a --b", &[("link", None)], "a --b"),
            ("--from=x  --chown=1:2 a b", &[("from", Some("x")), ("chown", Some("1:2"))], "a b"),
            ("--exclude=\"a b\" c d", &[("exclude", Some("a b"))], "c d"),
            ("--exclude=a\\ b c d", &[("exclude", Some("a b"))], "c d"),
            ("--link=true -- a b", &[("link", Some("true"))], "a b"),
            ("-x a", &[], "-x a"),
        ];
        for (text, expected, rest) in table {
            let flag = |&(name, value): &(&str, Option<&str>)| Flag { name: name.into(), value: value.map(Into::into) };
            assert_eq!(flags(text, '\\'), (expected.iter().map(flag).collect(), rest), "{text}");
        }
    }

    #[test]
    fn json_is_an_array_of_strings() {
        assert_eq!(json(" [\"a b\", \"c\"] "), Some(vec!["a b".to_owned(), "c".to_owned()]));
        for text in ["a", "[a, b]", "[1]", "['a']", "[\"a\"] b", "{}"] {
            assert_eq!(json(text), None, "{text}");
        }
    }
}
