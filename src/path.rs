//! Paths inside an image and inside a repository: bytes, relative, clean, valid by construction.
//!
//! Both kinds look alike and mean different things, so they are two types and nothing converts one into the
//! other but a mapping. Names are bytes because neither tar nor git promises UTF-8.

use std::fmt;

/// Generates one path type; both behave alike and must not be mixed up.
macro_rules! clean_path {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(Vec<u8>);

        impl $name {
            /// The top: the path without components.
            pub const fn root() -> Self {
                Self(Vec::new())
            }

            /// Cleans any spelling of a path: `./x`, `/x`, `x/` and `a/../x` are all `x`, and nothing climbs above the top.
            pub fn clean(spelling: &[u8]) -> Self {
                if is_clean(spelling) {
                    return Self(spelling.to_vec());
                }
                let mut path = Self(Vec::with_capacity(spelling.len()));
                for component in spelling.split(|&byte| byte == b'/') {
                    match component {
                        b"" | b"." => {}
                        b".." => path = path.parent().unwrap_or_default(),
                        name => path.push(name),
                    }
                }
                path
            }

            /// Whether this is the top.
            pub fn is_root(&self) -> bool {
                self.0.is_empty()
            }

            /// The bytes, without a leading slash; empty for the top.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// The names from the top down.
            pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
                self.0.split(|&byte| byte == b'/').filter(|name| !name.is_empty())
            }

            /// The last name; `None` for the top.
            pub fn file_name(&self) -> Option<&[u8]> {
                self.components().next_back()
            }

            /// The directory that holds this path, as a clean spelling, and the last name; `None` for the top.
            pub fn split_last(&self) -> Option<(&[u8], &[u8])> {
                let end = self.0.iter().rposition(|&byte| byte == b'/');
                let (directory, name) = end.map_or((&[][..], &self.0[..]), |end| (&self.0[..end], &self.0[end + 1..]));
                (!self.is_root()).then_some((directory, name))
            }

            /// The directory that holds this path; `None` for the top.
            pub fn parent(&self) -> Option<Self> {
                if self.is_root() {
                    return None;
                }
                let end = self.0.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                Some(Self(self.0[..end].to_vec()))
            }

            /// This directory's entry `relative`, which is cleaned and cannot climb out of the top.
            #[must_use]
            pub fn join(&self, relative: &[u8]) -> Self {
                let mut spelling = Vec::with_capacity(self.0.len() + 1 + relative.len());
                spelling.extend_from_slice(&self.0);
                if !self.is_root() {
                    spelling.push(b'/');
                }
                spelling.extend_from_slice(relative);
                if is_clean(relative) { Self(spelling) } else { Self::clean(&spelling) }
            }

            /// Whether this is `directory` or lies below it.
            pub fn starts_with(&self, directory: &Self) -> bool {
                self.strip_prefix(directory).is_some()
            }

            /// What is left below `directory`: empty for the directory itself, `None` outside of it.
            pub fn strip_prefix(&self, directory: &Self) -> Option<&[u8]> {
                if directory.is_root() {
                    return Some(&self.0);
                }
                match self.0.strip_prefix(directory.as_bytes())? {
                    b"" => Some(b""),
                    rest => rest.strip_prefix(b"/"),
                }
            }

            fn push(&mut self, name: &[u8]) {
                if !self.0.is_empty() {
                    self.0.push(b'/');
                }
                self.0.extend_from_slice(name);
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), String::from_utf8_lossy(&self.0))
            }
        }
    };
}

/// Whether a spelling is the clean one already, which most are.
fn is_clean(spelling: &[u8]) -> bool {
    spelling.split(|&byte| byte == b'/').all(|component| !matches!(component, b"" | b"." | b".."))
}

clean_path! {
    /// A path inside an image's file system, relative to its root; shown as `/app/main.py`.
    ImagePath
}

clean_path! {
    /// A path inside a git tree, relative to the top of the repository; shown as `shared/main.py`, the top as `.`.
    RepoPath
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            b"" => f.write_str("."),
            bytes => f.write_str(&String::from_utf8_lossy(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_one_path() {
        for spelling in ["app/x", "./app/x", "/app/x", "app//x", "app/x/", "b/../app/./x", "../app/x", "/../../app/x"] {
            assert_eq!(ImagePath::clean(spelling.as_bytes()).as_bytes(), b"app/x", "{spelling}");
        }
        assert!(ImagePath::clean(b"/").is_root());
        assert!(ImagePath::clean(b"./").is_root());
    }

    #[test]
    fn prefixes_end_at_a_component() {
        let app = ImagePath::clean(b"app");
        assert_eq!(ImagePath::clean(b"app/x/y").strip_prefix(&app), Some(&b"x/y"[..]));
        assert_eq!(app.strip_prefix(&app), Some(&b""[..]));
        assert_eq!(ImagePath::clean(b"apple/x").strip_prefix(&app), None);
        assert_eq!(app.strip_prefix(&ImagePath::root()), Some(&b"app"[..]));
    }

    #[test]
    fn parents_end_at_the_top() {
        let path = RepoPath::clean(b"a/b");
        assert_eq!(path.parent(), Some(RepoPath::clean(b"a")));
        assert_eq!(RepoPath::clean(b"a").parent(), Some(RepoPath::root()));
        assert_eq!(RepoPath::root().parent(), None);
        assert_eq!(RepoPath::root().to_string(), ".");
        assert_eq!(path.join(b"../../../c"), RepoPath::clean(b"c"));
    }
}
