//! Which packages of Python are installed, and for which Python.

use std::collections::BTreeMap;

use pep440_rs::Version;

use crate::path::ImagePath;
use crate::tree::{FileTree, NodeKind};

/// The folders where packages are installed.
pub(super) fn folders(tree: &FileTree) -> Vec<ImagePath> {
    let is_it = |path: &ImagePath| matches!(path.file_name(), Some(b"site-packages" | b"dist-packages"));
    tree.directories().map(|(path, _)| path).filter(is_it).collect()
}

/// The folders of the standard library, as in `usr/local/lib/python3.12`.
pub(super) fn libraries(tree: &FileTree) -> Vec<ImagePath> {
    let is_it = |path: &ImagePath| path.file_name().is_some_and(|name| version_in(name).is_some());
    tree.directories().map(|(path, _)| path).filter(is_it).collect()
}

/// The version in `python3.12`.
fn version_in(name: &[u8]) -> Option<String> {
    let version = std::str::from_utf8(name).ok()?.strip_prefix("python")?;
    let is_version = version.contains('.') && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_version.then(|| version.to_owned())
}

/// The version of the only Python in the image, as in `3.12`; `None` where there is none, or several.
pub(super) fn version(tree: &FileTree) -> Option<String> {
    let names = libraries(tree).into_iter().filter_map(|path| version_in(path.file_name()?));
    let mut versions: Vec<String> = names.collect();
    versions.sort();
    versions.dedup();
    match versions.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// A name as all its spellings are the same (PEP 503).
pub(super) fn normalized(name: &str) -> String {
    let mut normal = String::new();
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c => normal.push(c.to_ascii_lowercase()),
        }
    }
    normal
}

/// The installed packages by their normalized names, with their versions where they are told
/// (<https://packaging.python.org/en/latest/specifications/recording-installed-packages/>).
pub(super) fn packages(tree: &FileTree) -> BTreeMap<String, Option<Version>> {
    let mut packages = BTreeMap::new();
    for folder in folders(tree) {
        let Some(found) = tree.lookup(&folder).ok().flatten() else { continue };
        let NodeKind::Directory(entries) = &tree.node(found.id).kind else { continue };
        for name in entries.keys().filter_map(|name| std::str::from_utf8(name).ok()) {
            if let Some((package, version)) = record(name) {
                packages.insert(package, version);
            }
        }
    }
    packages
}

/// `Flask-3.0.3.dist-info`, `requests-2.28.1.egg-info`, `mypkg.egg-info`.
fn record(name: &str) -> Option<(String, Option<Version>)> {
    let stem = name.strip_suffix(".dist-info").or_else(|| name.strip_suffix(".egg-info"))?;
    let (name, version) = stem.split_once('-').map_or((stem, None), |(name, rest)| (name, Some(rest)));
    let version = version.and_then(|version| version.split("-py").next()?.parse().ok());
    Some((normalized(name), version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_tell_name_and_version() {
        let of = |name| record(name).map(|(name, version)| (name, version.map(|version| version.to_string())));
        let some = |name: &str, version: &str| Some((name.to_owned(), Some(version.to_owned())));
        assert_eq!(of("Flask-3.0.3.dist-info"), some("flask", "3.0.3"));
        assert_eq!(of("google_cloud_firestore-2.19.0.dist-info"), some("google-cloud-firestore", "2.19.0"));
        assert_eq!(of("zope.interface-5.5.2-py3.11.egg-info"), some("zope-interface", "5.5.2"));
        assert_eq!(of("mypkg.egg-info"), Some(("mypkg".to_owned(), None)));
        assert_eq!(of("flask"), None);
        assert_eq!(normalized("A__b-.-C"), "a-b-c");
        assert_eq!(version_in(b"python3.12"), Some("3.12".to_owned()));
        assert_eq!((version_in(b"python3"), version_in(b"python3.x")), (None, None));
    }
}
