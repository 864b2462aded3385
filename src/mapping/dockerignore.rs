//! `.dockerignore`: which files of a build context never reach the builder.
//!
//! Follows moby/patternmatcher (`ignorefile.ReadAll`, then `MatchesUsingParentResults` while walking the context).

use super::patterns::Patterns;
use crate::path::RepoPath;

/// The rules of one `.dockerignore`; the default ignores nothing.
#[derive(Clone, Debug, Default)]
pub struct Dockerignore {
    patterns: Patterns,
}

/// Reads the text of a `.dockerignore`. Lines that no builder accepts (a lone `!`, an open `[`) ignore nothing.
pub fn parse(text: &[u8]) -> Dockerignore {
    // Editors on Windows put a byte order mark first; Docker drops it.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let patterns: Vec<Vec<u8>> = text.split(|&byte| byte == b'\n').filter_map(pattern_of).collect();
    Dockerignore { patterns: Patterns::new(patterns.iter().map(Vec::as_slice)) }
}

/// The pattern of one line: without white space around it and without a leading slash. Only a `#` in the first
/// column makes a comment.
fn pattern_of(line: &[u8]) -> Option<Vec<u8>> {
    if line.starts_with(b"#") {
        return None;
    }
    let line = line.trim_ascii();
    let (mark, pattern): (&[u8], _) = match line.strip_prefix(b"!") {
        Some(pattern) => (b"!", pattern.trim_ascii()),
        None => (b"", line),
    };
    let slashes = pattern.iter().take_while(|&&byte| byte == b'/').count();
    Some([mark, &pattern[slashes..]].concat())
}

/// The nearest `.dockerignore` above `path` that keeps it out of builds of its directory. `read` gives a file's text.
pub fn that_excludes(path: &RepoPath, read: &dyn Fn(&RepoPath) -> Option<Vec<u8>>) -> Option<RepoPath> {
    let mut next = path.parent();
    while let Some(directory) = next {
        let file = directory.join(b".dockerignore");
        let below = RepoPath::clean(path.strip_prefix(&directory)?);
        if read(&file).is_some_and(|text| parse(&text).excludes(&below)) {
            return Some(file);
        }
        next = directory.parent();
    }
    None
}

impl Dockerignore {
    /// Whether `path`, relative to the context directory, stays out of the build.
    pub fn excludes(&self, path: &RepoPath) -> bool {
        self.excludes_bytes(path.as_bytes())
    }

    pub(super) fn excludes_bytes(&self, path: &[u8]) -> bool {
        self.patterns.matches(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_docker_reads_them() {
        let table: [(&[u8], &str, bool); 22] = [
            (b"", "a", false),
            (b"\n\n  \n", "a", false),
            (b"# a\n#a", "a", false),
            (b" #a", "#a", true),
            (b"a  \t", "a", true),
            (b"  a", "a", true),
            (b"a\r\nb\r\n", "b", true),
            (b"\xef\xbb\xbfa", "a", true),
            (b"\xef\xbb\xbf# a", "a", false),
            (b"/a/b", "a/b", true),
            (b"//a", "a", true),
            (b"/", "a", false),
            (b".", "a", false),
            (b"./a/", "a/b", true),
            (b"*.pyc", "x/y.pyc", false),
            (b"**/*.pyc", "x/y.pyc", true),
            (b"*/temp*", "x/temporary/z", true),
            (b"temp?", "tempa", true),
            (b"*\n! a/keep.txt ", "a/keep.txt", false),
            (b"*\n!/a/keep.txt", "a/other.txt", true),
            (b"!\na", "a", true),
            (b"[\na", "a", true),
        ];
        for (text, path, expected) in table {
            let shown = String::from_utf8_lossy(text);
            assert_eq!(parse(text).excludes(&RepoPath::clean(path.as_bytes())), expected, "{shown:?} {path}");
        }
    }

    #[test]
    fn exceptions_bring_back_what_lies_below_an_ignored_directory() {
        let ignore = parse(b"*\n!shared\nshared/**/*.md\n!shared/**/README.md\n**/__pycache__\n");
        let table = [
            ("main.py", true),
            ("shared/a.py", false),
            ("shared/x/y.md", true),
            ("shared/x/README.md", false),
            ("shared/README.md", false),
            ("shared/x/__pycache__/a.pyc", true),
        ];
        for (path, expected) in table {
            assert_eq!(ignore.excludes(&RepoPath::clean(path.as_bytes())), expected, "{path}");
        }
    }

    /// `buildah bud` 1.28 leaves the same files out.
    #[test]
    fn builders_agree() {
        type Case = (&'static [u8], &'static [&'static str], &'static [&'static str]);
        let table: [Case; 7] = [
            (b"docs\n!docs/keep\n!docs/**/README.md", &["docs/a.md"], &["docs/keep/b.md", "docs/keep/README.md"]),
            (b"*/*.md\n[f-h]*\n!home.txt", &["x/a.md", "home.md", "foo1/a/b"], &["README.md", "x/y/a.md", "home.txt"]),
            (b"**/a.*\nx/**/z", &["a.txt", "x/y/a.md", "x/z/b", "x/y/y/z/b"], &["xa.txt", "x/y/zz", "z"]),
            (b"a\\ b.txt\narr\\[0\\].txt", &["a b.txt", "arr[0].txt"], &["a\\ b.txt", "arr0.txt"]),
            (b"shared/../x\n./y//", &["x/a", "y/a"], &["shared/a", "shared/x"]),
            (b"node_modules/**\nlogs/**/*.log", &["node_modules/p/a", "logs/a.log", "logs/d/b.log"], &["logs/a.txt"]),
            (b"docs/\n!docs/keep/\ndocs/keep/b.md", &["docs/a", "docs/keep/b.md"], &["docs/keep/c.md"]),
        ];
        for (text, ignored, kept) in table {
            let ignore = parse(text);
            let excludes = |path: &&&str| ignore.excludes(&RepoPath::clean(path.as_bytes()));
            let shown = String::from_utf8_lossy(text);
            assert_eq!(ignored.iter().find(|path| !excludes(path)), None, "{shown:?}");
            assert_eq!(kept.iter().find(excludes), None, "{shown:?}");
        }
    }

    /// Exceptions with wildcards: buildah 1.28 does not look for them in ignored directories, Docker does (fsutil
    /// skips a directory only if no exception can match below it).
    #[test]
    fn exceptions_with_wildcards_reach_into_ignored_directories() {
        let ignore = parse(b"node_modules\n!**/keep.txt\n");
        assert!(!ignore.excludes(&RepoPath::clean(b"node_modules/p/keep.txt")));
        assert!(ignore.excludes(&RepoPath::clean(b"node_modules/p/index.js")));
        assert!(!parse(b"*\n!*/*/").excludes(&RepoPath::clean(b"docs/a.md")));
    }

    #[test]
    fn names_are_bytes() {
        let ignore = parse(b"caf\xe9\n");
        assert!(ignore.excludes(&RepoPath::clean(b"caf\xe9/menu")));
        assert!(!ignore.excludes(&RepoPath::clean("café".as_bytes())));
    }

    #[test]
    fn the_top_is_never_ignored() {
        assert!(!parse(b"**\n*\n.").excludes(&RepoPath::root()));
    }
}
