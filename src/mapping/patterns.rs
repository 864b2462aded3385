//! An ordered list of patterns with exceptions, as moby/patternmatcher applies it to a path and its parents.
//!
//! The last pattern that matches decides. A pattern that matches a directory matches everything below it, and an
//! exception (`!`) can take back what an earlier pattern matched.

use super::glob::{Dialect, Glob};

/// Patterns in the order in which they were written.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    exception: bool,
    glob: Glob,
}

impl Patterns {
    /// Compiles cleaned or uncleaned patterns; empty and malformed ones match nothing (no builder accepts the latter).
    pub(super) fn new<'p>(patterns: impl IntoIterator<Item = &'p [u8]>) -> Self {
        Self { rules: patterns.into_iter().filter_map(Rule::new).collect() }
    }

    /// Whether the list selects `path` (relative, clean).
    pub(super) fn matches(&self, path: &[u8]) -> bool {
        if self.rules.iter().any(|rule| rule.exception) {
            return self.matches_walking_down(path);
        }
        self.rules.iter().any(|rule| rule.glob.shortest_match(path).is_some())
    }

    /// What a builder finds that walks from the top to `path`: a rule that had no say about a directory, because the
    /// rules before it had decided already, is not asked about that directory again (`MatchesUsingParentResults`).
    fn matches_walking_down(&self, path: &[u8]) -> bool {
        let mut matched_above = vec![false; self.rules.len()];
        let ends = (0..path.len()).filter(|&at| path[at] == b'/').chain([path.len()]);
        ends.fold(false, |_, end| self.matches_at(&path[..end], &mut matched_above))
    }

    fn matches_at(&self, path: &[u8], matched_above: &mut [bool]) -> bool {
        let mut selected = false;
        for (rule, matched) in self.rules.iter().zip(matched_above) {
            if !*matched && rule.exception == selected {
                *matched = rule.glob.matches(path);
            }
            if *matched {
                selected = !rule.exception;
            }
        }
        selected
    }
}

impl Rule {
    fn new(pattern: &[u8]) -> Option<Self> {
        let (exception, pattern) = match pattern.strip_prefix(b"!") {
            Some(pattern) => (true, pattern),
            None => (false, pattern),
        };
        let glob = Glob::new(&clean(pattern)?, Dialect::Recursive)?;
        Some(Self { exception, glob })
    }
}

/// The pattern as Go's `filepath.Clean` leaves it; `None` for one that can match nothing below the top.
fn clean(pattern: &[u8]) -> Option<Vec<u8>> {
    if pattern.starts_with(b"/") {
        return None;
    }
    let mut names: Vec<&[u8]> = Vec::new();
    for name in pattern.split(|&byte| byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => drop(names.pop()?),
            name => names.push(name),
        }
    }
    Some(names.join(&b'/')).filter(|clean| !clean.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(patterns: &[&str], path: &str) -> bool {
        Patterns::new(patterns.iter().map(|pattern| pattern.as_bytes())).matches(path.as_bytes())
    }

    #[test]
    fn the_last_match_wins() {
        let table: [(&[&str], &str, bool); 14] = [
            (&[], "a", false),
            (&["docs"], "docs/a/b", true),
            (&["docs/"], "docs/a", true),
            (&["docs"], "docsx", false),
            (&["*.go"], "a.go/b", true),
            (&["*.go"], "x/a.go", false),
            (&["docs", "!docs/README.md"], "docs/README.md", false),
            (&["docs", "!docs/README.md"], "docs/other.md", true),
            (&["!a.go", "*.go"], "a.go", true),
            (&["*.go", "!a.go"], "a.go", false),
            (&["**", "!util/web"], "util/web/foo", false),
            (&["**", "!util/web", "util/web/foo"], "util/web/foo", true),
            (&["**", "!util/web", "util/web/foo"], "util/web/bar", false),
            (&["*", "!*/"], "a/b", false),
        ];
        for (patterns, path, expected) in table {
            assert_eq!(matches(patterns, path), expected, "{patterns:?} {path}");
        }
    }

    #[test]
    fn a_rule_without_a_say_about_a_directory_is_not_asked_again() {
        assert!(!matches(&["a", "!a/b/c", "a/b"], "a/b/c/d"));
        assert!(matches(&["a", "!a/b/c", "a/b/c/d"], "a/b/c/d"));
    }

    #[test]
    fn patterns_are_cleaned() {
        for pattern in ["./a/b", "a//b", "a/x/../b", "a/b/."] {
            assert!(matches(&[pattern], "a/b"), "{pattern}");
        }
        for pattern in ["", ".", "../a", "a/../../b", "/a", "[", "!"] {
            assert!(!matches(&[pattern], "a") && !matches(&[pattern], "b"), "{pattern}");
        }
    }
}
