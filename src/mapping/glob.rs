//! Go's `filepath.Match` over bytes, and the `**` that moby/patternmatcher adds to it.
//!
//! A pattern is matched by following all positions it can have reached at once, so that no pattern takes more than
//! (pattern length × text length) steps. As in Go, `?` and `[…]` take a whole UTF-8 character, or one byte where the
//! text is not UTF-8, and a class may match a `/`.

/// What `**` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `filepath.Match`: the same as `*`.
    Match,
    /// moby/patternmatcher: any number of directories.
    Recursive,
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Literal(Vec<u8>),
    /// `?`: one character of a name.
    Character,
    /// `*`: any part of a name.
    Name,
    /// `[a-z]`, `[^a-z]`.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// `**` before something: nothing, or anything up to and with a `/`.
    Directories,
    /// `**` at the end: anything at all.
    Rest,
}

impl Glob {
    /// Compiles `pattern`; `None` where Go answers `ErrBadPattern`.
    pub(super) fn new(pattern: &[u8], dialect: Dialect) -> Option<Self> {
        let mut glob = Self { tokens: Vec::new() };
        let mut rest = pattern;
        while let Some((&byte, after)) = rest.split_first() {
            rest = match byte {
                b'*' if dialect == Dialect::Recursive && after.first() == Some(&b'*') => glob.push_double_star(after),
                b'*' => glob.push(Token::Name, after),
                b'?' => glob.push(Token::Character, after),
                b'[' => glob.push_class(after)?,
                b'\\' => glob.push_literal(*after.first()?, &after[1..]),
                literal => glob.push_literal(literal, after),
            };
        }
        glob.widen_leading_double_star(pattern);
        Some(glob)
    }

    /// Whether the whole of `text` matches.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        self.ends(text).contains(&text.len())
    }

    /// The length of the shortest path among `text` and its parent directories that matches.
    pub(super) fn shortest_match(&self, text: &[u8]) -> Option<usize> {
        self.ends(text).into_iter().find(|&end| end > 0 && (end == text.len() || text[end] == b'/'))
    }

    /// Every position, ascending, at which the pattern can be used up.
    fn ends(&self, text: &[u8]) -> Vec<usize> {
        let mut positions = vec![0];
        for token in &self.tokens {
            positions = token.advance(text, &positions);
            if positions.is_empty() {
                break;
            }
        }
        positions
    }

    /// A second star in a row says nothing new, and takes time: all others use up some of the text.
    fn push<'p>(&mut self, token: Token, after: &'p [u8]) -> &'p [u8] {
        if !matches!(token, Token::Name | Token::Directories) || self.tokens.last() != Some(&token) {
            self.tokens.push(token);
        }
        after
    }

    fn push_literal<'p>(&mut self, byte: u8, after: &'p [u8]) -> &'p [u8] {
        match self.tokens.last_mut() {
            Some(Token::Literal(run)) => run.push(byte),
            _ => self.tokens.push(Token::Literal(vec![byte])),
        }
        after
    }

    fn push_double_star<'p>(&mut self, second_star: &'p [u8]) -> &'p [u8] {
        let after = &second_star[1..];
        let after = after.strip_prefix(b"/").unwrap_or(after);
        self.push(if after.is_empty() { Token::Rest } else { Token::Directories }, after)
    }

    fn push_class<'p>(&mut self, inside: &'p [u8]) -> Option<&'p [u8]> {
        let (negated, mut rest) = match inside.strip_prefix(b"^") {
            Some(rest) => (true, rest),
            None => (false, inside),
        };
        let mut ranges = Vec::new();
        loop {
            if let Some(after) = rest.strip_prefix(b"]").filter(|_| !ranges.is_empty()) {
                return Some(self.push(Token::Class { negated, ranges }, after));
            }
            let (low, after) = class_character(rest)?;
            let (high, after) = match after.strip_prefix(b"-") {
                Some(after) => class_character(after)?,
                None => (low, after),
            };
            ranges.push((low, high));
            rest = after;
        }
    }

    /// `**name`, where nothing else is special, is a plain suffix to moby: it also matches `dir/myname`.
    fn widen_leading_double_star(&mut self, pattern: &[u8]) {
        let plain_suffix = matches!(self.tokens[..], [Token::Directories, Token::Literal(_)]);
        if plain_suffix && !matches!(pattern.get(2), Some(b'/' | b'*')) && !pattern.contains(&b'\\') {
            self.tokens[0] = Token::Rest;
        }
    }
}

impl Token {
    /// The positions, ascending, that can be reached from `positions` (ascending, not empty) over this token.
    fn advance(&self, text: &[u8], positions: &[usize]) -> Vec<usize> {
        match self {
            Self::Literal(run) => {
                positions.iter().filter(|&&at| text[at..].starts_with(run)).map(|&at| at + run.len()).collect()
            }
            Self::Character => one_character(text, positions, |character| character != '/'),
            Self::Class { negated, ranges } => one_character(text, positions, |character| {
                ranges.iter().any(|&(low, high)| (low..=high).contains(&character)) != *negated
            }),
            Self::Name => within_names(text, positions),
            Self::Directories => {
                let behind_slashes = (positions[0]..text.len()).filter(|&at| text[at] == b'/').map(|at| at + 1);
                let mut reached: Vec<usize> = positions.iter().copied().chain(behind_slashes).collect();
                reached.sort_unstable();
                reached.dedup();
                reached
            }
            Self::Rest => (positions[0]..=text.len()).collect(),
        }
    }
}

fn one_character(text: &[u8], positions: &[usize], accepts: impl Fn(char) -> bool) -> Vec<usize> {
    let step =
        |&at: &usize| first_character(&text[at..]).filter(|&(found, _)| accepts(found)).map(|(_, size)| at + size);
    let mut reached: Vec<usize> = positions.iter().filter_map(step).collect();
    // Characters differ in size, so that the order of the positions may not survive.
    reached.sort_unstable();
    reached.dedup();
    reached
}

fn within_names(text: &[u8], positions: &[usize]) -> Vec<usize> {
    let mut reached: Vec<usize> = Vec::new();
    for &start in positions {
        let end = text[start..].iter().position(|&byte| byte == b'/').map_or(text.len(), |length| start + length);
        let first_new = reached.last().map_or(start, |&last| start.max(last + 1));
        reached.extend(first_new..=end);
    }
    reached
}

/// The first character and its size; one byte that is not UTF-8 counts as U+FFFD, as in Go.
fn first_character(text: &[u8]) -> Option<(char, usize)> {
    // No UTF-8 character is longer than four bytes.
    let head = &text[..text.len().min(4)];
    let valid = head.utf8_chunks().next()?.valid();
    Some(valid.chars().next().map_or((char::REPLACEMENT_CHARACTER, 1), |character| (character, character.len_utf8())))
}

fn class_character(text: &[u8]) -> Option<(char, &[u8])> {
    if matches!(text.first(), Some(b'-' | b']')) {
        return None;
    }
    let text = text.strip_prefix(b"\\").unwrap_or(text);
    let (character, size) = first_character(text)?;
    Some((character, &text[size..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str, dialect: Dialect) -> Option<bool> {
        Glob::new(pattern.as_bytes(), dialect).map(|glob| glob.matches(text.as_bytes()))
    }

    #[test]
    fn patterns_match_as_in_go() {
        let table = [
            ("abc", "abc", Some(true)),
            ("*", "abc", Some(true)),
            ("*", "", Some(true)),
            ("*", "a/b", Some(false)),
            ("**", "a/b", Some(false)),
            ("*c", "abc", Some(true)),
            ("a*/b", "abc/b", Some(true)),
            ("a*/b", "a/c/b", Some(false)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", Some(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", Some(false)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Some(true)),
            ("a*b?c*x", "abxbbxdbxebxczzy", Some(false)),
            ("ab[b-d]", "abc", Some(true)),
            ("ab[^b-d]", "abc", Some(false)),
            ("ab[^e-g]", "abc", Some(true)),
            ("a[^b]c", "a/c", Some(true)),
            ("a?b", "a/b", Some(false)),
            ("a?b", "a☺b", Some(true)),
            ("a???b", "a☺b", Some(false)),
            ("[a-ζ]*", "α", Some(true)),
            ("a\\*b", "a*b", Some(true)),
            ("a\\*b", "axb", Some(false)),
            ("[\\]a]", "]", Some(true)),
            ("[x\\-]", "-", Some(true)),
            ("arr[[]0].txt", "arr[0].txt", Some(true)),
            ("[]a]", "]", None),
            ("[-]", "-", None),
            ("[x-]", "x", None),
            ("[a-b-c]", "a", None),
            ("[^bc", "a", None),
            ("a[", "a", None),
            ("a\\", "a", None),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text, Dialect::Match), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn double_stars_cross_directories() {
        let table = [
            ("**", "a/b", true),
            ("dir/**", "dir", false),
            ("dir/**", "dir/a/b", true),
            ("**/dir", "dir", true),
            ("**/dir", "a/b/dir", true),
            ("**/dir", "a/mydir", false),
            ("**dir", "a/mydir", true),
            ("****dir", "a/mydir", false),
            ("****dir", "a/dir", true),
            ("**dir*", "a/mydir", false),
            ("**dir*", "a/dirs", true),
            ("**/**/*.txt", "file.txt", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "a/xb", false),
            ("a**/*.txt", "a/x/y.txt", true),
            ("a**b", "axb", false),
            ("a**b", "ax/b", true),
            ("**/.foo", "bar.foo", false),
            ("a.|)$(}+{bc", "a.|)$(}+{bc", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text, Dialect::Recursive), Some(expected), "{pattern} {text}");
        }
    }

    #[test]
    fn the_shortest_match_ends_at_a_component() {
        let table = [
            ("a/*", "a/b/c", Some(3)),
            ("a", "a/b/c", Some(1)),
            ("a", "ab/c", None),
            ("**/c", "a/b/c", Some(5)),
            ("*", "a/b", Some(1)),
        ];
        for (pattern, text, expected) in table {
            let glob = Glob::new(pattern.as_bytes(), Dialect::Recursive).unwrap();
            assert_eq!(glob.shortest_match(text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_one_character_each() {
        let glob = Glob::new(b"a?b", Dialect::Match).unwrap();
        assert!(glob.matches(b"a\xffb"));
        assert!(!glob.matches(b"a\xff\xffb"));
        assert!(Glob::new(b"*\xe9.txt", Dialect::Match).unwrap().matches(b"caf\xe9.txt"));
    }

    #[test]
    fn many_stars_do_not_blow_up() {
        let pattern = "**/*a".repeat(30);
        let text = "a/".repeat(500);
        assert_eq!(matches(&pattern, &text, Dialect::Recursive), Some(false));
        // Megabytes of stars, for each of thousands of files.
        for stars in ["*", "**/"] {
            let glob = Glob::new(stars.repeat(1 << 20).as_bytes(), Dialect::Recursive).unwrap();
            assert!(glob.tokens.len() <= 2, "{stars}");
        }
    }
}
