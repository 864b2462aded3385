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
    /// A name without a slash: files of that name anywhere, and directories of that name at `places`.
    Name { name: Vec<u8>, places: Vec<RepoPath> },
    /// At or below a path of the image.
    Image(ImagePath),
    /// At or below paths of the repository.
    Repo(Vec<RepoPath>),
    /// A glob, or the very name: `app/[id]/page.tsx` is one, too.
    Glob { globs: Vec<GlobMatcher>, side: Side, literal: Box<Meaning> },
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
pub enum PatternError {
    /// An empty argument, as a script passes it whose variable is not set. It must not mean everything.
    #[error("an empty file name names no file")]
    Empty,
    /// A malformed glob.
    #[error("`{text}` is not a glob: {reason}")]
    Glob {
        /// As typed.
        text: String,
        /// What is wrong.
        reason: String,
    },
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
            Meaning::Name { name, .. } => Some(name.as_slice()),
            _ => None,
        })
    }

    /// Whether a file is meant by no more than its name.
    pub fn is_name_only(&self, repo: &RepoPath, image: &ImagePath) -> bool {
        let mut meant = self.patterns.iter().filter(|pattern| pattern.matches(Some(repo), image));
        meant.all(|pattern| pattern.matches_name_only(repo))
    }

    /// Whether a file is meant, by its path on either side.
    pub fn matches(&self, repo: Option<&RepoPath>, image: &ImagePath) -> bool {
        self.is_everything() || self.patterns.iter().any(|pattern| pattern.matches(repo, image))
    }

    /// Whether a file is named so that it is expected to be there: by its name, a path, or a directory above it. A glob
    /// names what there is.
    pub fn promises(&self, repo: &RepoPath, image: &ImagePath) -> bool {
        self.patterns.iter().any(|pattern| {
            let literal = pattern.meaning.literal_part();
            literal.matches_repo(repo) || literal.matches_image(image)
        })
    }
}

impl Pattern {
    fn parse(text: &[u8], prefix: &RepoPath) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        let literal = Meaning::literal(text, prefix);
        if !is_glob(text) {
            return Ok(Self { text: text.to_vec(), meaning: literal });
        }
        let side = match &literal {
            Meaning::Image(_) => Side::Image,
            Meaning::Name { .. } => Side::FileName,
            _ => Side::Repo,
        };
        let mut globs = Vec::new();
        if !is_relative(text) {
            globs.push(glob(text, &RepoPath::root())?);
        }
        if side == Side::Repo {
            globs.push(glob(text, prefix)?);
        }
        Ok(Self { text: text.to_vec(), meaning: Meaning::Glob { globs, side, literal: Box::new(literal) } })
    }

    /// Whether a file is meant, by its path on either side.
    pub fn matches(&self, repo: Option<&RepoPath>, image: &ImagePath) -> bool {
        self.matches_image(image) || repo.is_some_and(|repo| self.matches_repo(repo))
    }

    /// Whether wildcards stand in it.
    pub fn is_glob(&self) -> bool {
        matches!(self.meaning, Meaning::Glob { .. })
    }

    /// Whether a file is meant by no more than its name: any file of that name would do.
    pub fn matches_name_only(&self, repo: &RepoPath) -> bool {
        match &self.meaning {
            Meaning::Name { name, places } => {
                repo.file_name() == Some(name) && !places.iter().any(|place| repo.starts_with(place))
            }
            _ => false,
        }
    }

    /// Whether a file of the image is meant.
    pub fn matches_image(&self, path: &ImagePath) -> bool {
        self.meaning.matches_image(path)
    }

    /// Whether a file of the repository is meant.
    pub fn matches_repo(&self, path: &RepoPath) -> bool {
        self.meaning.matches_repo(path)
    }
}

impl Meaning {
    /// What `text` means without wildcards.
    fn literal(text: &[u8], prefix: &RepoPath) -> Self {
        if is_relative(text) {
            Self::Repo(vec![prefix.join(text)])
        } else if text.starts_with(b"/") {
            Self::Image(ImagePath::clean(text))
        } else if text.contains(&b'/') {
            Self::Repo(vec![RepoPath::clean(text), prefix.join(text)])
        } else {
            Self::Name { name: text.to_vec(), places: vec![RepoPath::clean(text), prefix.join(text)] }
        }
    }

    fn literal_part(&self) -> &Self {
        match self {
            Self::Glob { literal, .. } => literal,
            other => other,
        }
    }

    fn matches_image(&self, path: &ImagePath) -> bool {
        match self {
            Self::Name { name, .. } => path.file_name() == Some(name),
            Self::Image(top) => path.starts_with(top),
            Self::Repo(_) => false,
            Self::Glob { globs, side, literal } => {
                literal.matches_image(path)
                    || match side {
                        Side::Image => is_match(globs, path.as_bytes()),
                        Side::FileName => is_match(globs, path.file_name().unwrap_or_default()),
                        Side::Repo => false,
                    }
            }
        }
    }

    fn matches_repo(&self, path: &RepoPath) -> bool {
        match self {
            Self::Name { name, places } => {
                path.file_name() == Some(name) || places.iter().any(|place| path.starts_with(place))
            }
            Self::Image(_) => false,
            Self::Repo(tops) => tops.iter().any(|top| path.starts_with(top)),
            Self::Glob { globs, side, literal } => {
                literal.matches_repo(path)
                    || match side {
                        Side::Repo => is_match(globs, path.as_bytes()),
                        Side::FileName => is_match(globs, path.file_name().unwrap_or_default()),
                        Side::Image => false,
                    }
            }
        }
    }
}

/// Whether it is written as starting from the current directory, and so from nowhere else.
fn is_relative(text: &[u8]) -> bool {
    text.starts_with(b"./") || text.starts_with(b"../") || text == b"." || text == b".."
}

/// Whether `text` has characters that mean others.
pub(crate) fn is_glob(text: &[u8]) -> bool {
    text.iter().any(|byte| b"*?[".contains(byte))
}

/// A glob below `directory`.
fn glob(text: &[u8], directory: &RepoPath) -> Result<GlobMatcher, PatternError> {
    let directory = globset::escape(&String::from_utf8_lossy(directory.as_bytes()));
    let whole = RepoPath::clean(&[directory.as_bytes(), b"/", text].concat());
    compile(text, whole.as_bytes())
}

/// The glob `text`, as `whole` over whole paths without a leading slash; `*` stops at a slash.
pub(crate) fn compile(text: &[u8], whole: &[u8]) -> Result<GlobMatcher, PatternError> {
    let glob = GlobBuilder::new(&String::from_utf8_lossy(whole)).literal_separator(true).build();
    let text = String::from_utf8_lossy(text).into_owned();
    let glob = glob.map_err(|error| PatternError::Glob { text, reason: error.kind().to_string() })?;
    Ok(glob.compile_matcher())
}

fn is_match(globs: &[GlobMatcher], path: &[u8]) -> bool {
    globs.iter().any(|glob| glob.is_match(OsStr::from_bytes(path)))
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
            ("./beat.py", "beat.py", "srv/beat.py", false),
            ("../beat.py", "beat.py", "srv/x", true),
            ("../beat.py", "sub/beat.py", "srv/x", false),
            (".", "sub/beat.py", "srv/x", true),
            (".", "beat.py", "srv/x", false),
            ("deep/*.py", "sub/deep/beat.py", "srv/x", true),
            ("./*.py", "beat.py", "srv/x", false),
            ("../*.py", "beat.py", "srv/x", true),
            ("deep", "sub/deep/beat.py", "srv/x", true),
            ("[id].tsx", "pages/[id].tsx", "srv/x", true),
            ("pages/[id].tsx", "pages/[id].tsx", "srv/x", true),
            ("pages/[id].tsx", "pages/i.tsx", "srv/x", true),
            ("/srv/[id].tsx", "x", "srv/[id].tsx", true),
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
    fn nothing_named_is_everything_and_a_bad_or_empty_name_is_refused() {
        assert!(Selection::default().matches(None, &ImagePath::root()));
        let error = Selection::parse(&[b"a[".to_vec()], &RepoPath::root()).unwrap_err();
        assert!(error.to_string().starts_with("`a[` is not a glob"), "{error}");
        assert!(Selection::parse(&[Vec::new()], &RepoPath::root()).is_err());
    }
}
