//! Which files a user named: bare names, repository paths, image paths and globs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use globset::{GlobBuilder, GlobMatcher};

use crate::path::{ImagePath, RepoPath};

/// The files a user named; everything when none was.
#[derive(Debug, Default)]
pub struct Selection {
    patterns: Vec<Pattern>,
}

/// One `FILE` argument.
#[derive(Debug)]
pub struct Pattern {
    /// As typed.
    pub text: Vec<u8>,
    meaning: Meaning,
}

#[derive(Debug)]
enum Meaning {
    /// A name without a slash: files of that name anywhere, and what lies at that path.
    Name(Vec<u8>),
    /// Below the image's root.
    Image(ImagePath),
    /// Below the top of the repository, or below the directory the user stands in.
    Repo([RepoPath; 2]),
    Glob {
        glob: GlobMatcher,
        side: Side,
    },
}

#[derive(Debug, PartialEq, Eq)]
enum Side {
    /// A glob with a leading slash.
    Image,
    /// A glob with a slash further on.
    Repo,
    /// A glob without one.
    FileName,
}

/// A pattern that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a glob: {reason}")]
pub struct PatternError {
    text: String,
    reason: String,
}

impl Selection {
    /// Reads `FILE` arguments. `prefix` is the directory of the repository that relative paths may start from.
    ///
    /// # Errors
    /// [`PatternError`] for a malformed glob.
    pub fn parse(arguments: &[Vec<u8>], prefix: &RepoPath) -> Result<Self, PatternError> {
        let patterns = arguments.iter().map(|text| Pattern::parse(text, prefix)).collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    /// Whether all files are meant.
    pub fn is_everything(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns, in order.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// The bare names among the patterns.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.patterns.iter().filter_map(|pattern| match &pattern.meaning {
            Meaning::Name(name) => Some(name.as_slice()),
            _ => None,
        })
    }

    /// Whether a file is meant, by its path on either side.
    pub fn matches(&self, repo: Option<&RepoPath>, image: &ImagePath) -> bool {
        self.is_everything() || self.patterns.iter().any(|pattern| pattern.matches(repo, image))
    }

    /// Whether a file itself is named, by its name or one of its paths, not by a directory or a glob.
    pub fn names_file(&self, repo: &RepoPath, image: &ImagePath) -> bool {
        self.patterns.iter().any(|pattern| match &pattern.meaning {
            Meaning::Name(name) => repo.file_name() == Some(name),
            Meaning::Image(path) => path == image,
            Meaning::Repo(paths) => paths.contains(repo),
            Meaning::Glob { .. } => false,
        })
    }
}

impl Pattern {
    fn parse(text: &[u8], prefix: &RepoPath) -> Result<Self, PatternError> {
        let absolute = text.starts_with(b"/");
        let has_slash = text.contains(&b'/');
        let meaning = if text.iter().any(|byte| b"*?[".contains(byte)) {
            let side = match (absolute, has_slash) {
                (true, _) => Side::Image,
                (false, true) => Side::Repo,
                (false, false) => Side::FileName,
            };
            Meaning::Glob { glob: glob(text)?, side }
        } else if absolute {
            Meaning::Image(ImagePath::clean(text))
        } else if has_slash {
            Meaning::Repo([RepoPath::clean(text), prefix.join(text)])
        } else {
            Meaning::Name(text.to_vec())
        };
        Ok(Self { text: text.to_vec(), meaning })
    }

    /// Whether a file is meant, by its path on either side.
    pub fn matches(&self, repo: Option<&RepoPath>, image: &ImagePath) -> bool {
        self.matches_image(image) || repo.is_some_and(|repo| self.matches_repo(repo))
    }

    /// Whether a file of the image is meant.
    pub fn matches_image(&self, path: &ImagePath) -> bool {
        match &self.meaning {
            Meaning::Name(name) => path.file_name() == Some(name),
            Meaning::Image(top) => path.starts_with(top),
            Meaning::Repo(_) => false,
            Meaning::Glob { glob, side: Side::Image } => is_match(glob, path.as_bytes()),
            Meaning::Glob { glob, side: Side::FileName } => is_match(glob, path.file_name().unwrap_or_default()),
            Meaning::Glob { side: Side::Repo, .. } => false,
        }
    }

    /// Whether a file of the repository is meant.
    pub fn matches_repo(&self, path: &RepoPath) -> bool {
        match &self.meaning {
            Meaning::Name(name) => path.file_name() == Some(name) || path.starts_with(&RepoPath::clean(name)),
            Meaning::Image(_) => false,
            Meaning::Repo(tops) => tops.iter().any(|top| path.starts_with(top)),
            Meaning::Glob { glob, side: Side::Repo } => is_match(glob, path.as_bytes()),
            Meaning::Glob { glob, side: Side::FileName } => is_match(glob, path.file_name().unwrap_or_default()),
            Meaning::Glob { side: Side::Image, .. } => false,
        }
    }
}

fn glob(text: &[u8]) -> Result<GlobMatcher, PatternError> {
    let shown = String::from_utf8_lossy(text).into_owned();
    // Paths are matched without a leading slash or dot.
    let relative = shown.trim_start_matches("./").trim_start_matches('/');
    let glob = GlobBuilder::new(relative).literal_separator(true).build();
    let glob = glob.map_err(|error| PatternError { text: shown.clone(), reason: error.kind().to_string() })?;
    Ok(glob.compile_matcher())
}

fn is_match(glob: &GlobMatcher, path: &[u8]) -> bool {
    glob.is_match(OsStr::from_bytes(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_means_what_it_looks_like() {
        let table = [
            ("beat.py", "shared/beat.py", "app/shared/beat.py", true),
            ("beat.py", "shared/heartbeat.py", "app/shared/heartbeat.py", false),
            ("shared", "shared/beat.py", "app/shared/beat.py", true),
            ("shared/beat.py", "shared/beat.py", "srv/x", true),
            ("shared/", "shared/beat.py", "srv/x", true),
            ("./beat.py", "sub/beat.py", "srv/x", true),
            ("/app", "x", "app/shared/beat.py", true),
            ("/app/shared/beat.py", "x", "app/shared/beat.py", true),
            ("/ap", "x", "app/y", false),
            ("*.py", "shared/beat.py", "srv/x", true),
            ("*.py", "x", "srv/beat.py", true),
            ("shared/*.py", "shared/beat.py", "srv/x", true),
            ("shared/*.py", "shared/deep/beat.py", "srv/x", false),
            ("**/beat.py", "shared/deep/beat.py", "srv/x", true),
            ("/app/**/*.py", "x", "app/shared/beat.py", true),
            ("/app/*.py", "app/beat.py", "srv/x", false),
        ];
        for (text, repo, image, expected) in table {
            let selection = Selection::parse(&[text.as_bytes().to_vec()], &RepoPath::clean(b"sub")).unwrap();
            let (repo, image) = (RepoPath::clean(repo.as_bytes()), ImagePath::clean(image.as_bytes()));
            assert_eq!(selection.matches(Some(&repo), &image), expected, "{text} {repo} {image}");
        }
    }

    #[test]
    fn nothing_named_is_everything_and_a_bad_glob_is_named() {
        assert!(Selection::default().matches(None, &ImagePath::root()));
        let error = Selection::parse(&[b"a[".to_vec()], &RepoPath::root()).unwrap_err();
        assert!(error.to_string().starts_with("`a[` is not a glob"), "{error}");
    }
}
