//! What `FILE` arguments name in one image, when no repository stands beside it.
//!
//! A name that is there as it is typed is taken so, even one like `[id].js`; only then may it be a glob. An absolute
//! path is looked up as a process in the image would, symbolic links followed; a relative one means everything whose
//! path ends in it, wherever that lies. A directory stands for all below it, a link for itself and what it leads to;
//! links below a directory, and links that a glob matches, stand for themselves only. Paths are given as they really
//! are, with no link on the way, so a file that several names lead to comes once.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::error::Error;
use crate::path::ImagePath;
use crate::select;
use crate::tree::{Entries, FileTree, Found, NodeId, NodeKind, Stored, TreeError};

/// Every entry that one of `names` means; all entries there are when nothing is named.
///
/// # Errors
/// [`Error::NoMatch`] for a name that means nothing, and what [`named`] fails with.
pub fn entries(tree: &FileTree, names: &[Vec<u8>]) -> Result<Entries, Error> {
    if names.is_empty() {
        return Ok(tree.all().collect());
    }
    let mut entries = Entries::new();
    for name in names {
        let found = named(tree, name)?;
        if found.is_empty() {
            return Err(no_match(name));
        }
        entries.extend(found);
    }
    Ok(entries)
}

/// Every entry that `name` means, which may be none.
///
/// # Errors
/// [`Error::Pattern`] for a malformed glob, [`Error::Tree`] for an absolute path whose links lead in a circle.
pub fn named(tree: &FileTree, name: &[u8]) -> Result<Entries, Error> {
    let mut entries = Entries::new();
    for path in literal(tree, name)? {
        entries.extend(followed(tree, &path, name)?);
    }
    if entries.is_empty() && select::is_glob(name) {
        entries.extend(globbed(tree, name)?);
    }
    entries.retain(|path, _| !path.is_root());
    Ok(entries)
}

/// The paths that `names` are, if each of them can mean one path alone: absolute, and no glob. No name means all files.
pub fn fixed_paths(names: &[Vec<u8>]) -> Option<Vec<ImagePath>> {
    let is_fixed = |name: &Vec<u8>| is_absolute(name) && !select::is_glob(name);
    if names.is_empty() {
        return None;
    }
    names.iter().map(|name| is_fixed(name).then(|| ImagePath::clean(name))).collect()
}

/// The last part of `name`.
pub fn file_name(name: &[u8]) -> &[u8] {
    name.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}

/// The one regular file that `name` means; several with the same contents are one.
///
/// # Errors
/// [`Error::NoMatch`], [`Error::AmbiguousName`], [`Error::Usage`] for what is no regular file, and what [`named`]
/// fails with.
pub fn file(tree: &FileTree, name: &[u8]) -> Result<Stored, Error> {
    let mut paths = literal(tree, name)?;
    if paths.is_empty() && select::is_glob(name) {
        paths = globbed(tree, name)?.into_keys().collect();
    }
    let mut files: BTreeMap<ImagePath, Stored> = BTreeMap::new();
    for path in &paths {
        if let Some(found) = forgiving(tree.lookup(path), name)?.flatten()
            && let Some(stored) = tree.node(found.id).stored()
        {
            files.insert(found.path, *stored);
        }
    }
    let Some(first) = files.values().next() else {
        return Err(if paths.is_empty() {
            no_match(name)
        } else {
            Error::Usage(format!("{} is no regular file", shown(name)))
        });
    };
    if files.values().all(|stored| stored.content.sha256 == first.content.sha256) {
        return Ok(*first);
    }
    Err(Error::AmbiguousName { name: shown(name), paths: files.keys().map(ToString::to_string).collect() })
}

/// The paths that `name` is, or ends, as it is typed.
fn literal(tree: &FileTree, name: &[u8]) -> Result<Vec<ImagePath>, Error> {
    let wanted = ImagePath::clean(name);
    if is_absolute(name) {
        let there = tree.lookup(&wanted)?.is_some() || tree.entry(&wanted)?.is_some();
        return Ok(there.then_some(wanted).into_iter().collect());
    }
    let ends_so = |path: &ImagePath| {
        let mut names = path.components().rev();
        !wanted.is_root() && wanted.components().rev().all(|wanted| names.next() == Some(wanted))
    };
    Ok(tree.all().map(|(path, _)| path).filter(ends_so).collect())
}

/// What the glob `name` matches, directories excepted.
fn globbed(tree: &FileTree, name: &[u8]) -> Result<Entries, Error> {
    let whole = if is_absolute(name) { ImagePath::clean(name) } else { ImagePath::clean(&[b"**/", name].concat()) };
    let glob = select::compile(name, whole.as_bytes())?;
    let matches = |(path, id): &(ImagePath, NodeId)| {
        !matches!(tree.node(*id).kind, NodeKind::Directory(_)) && glob.is_match(OsStr::from_bytes(path.as_bytes()))
    };
    Ok(tree.all().filter(matches).collect())
}

/// The links that `path` leads through, what it leads to, and everything below that.
fn followed(tree: &FileTree, path: &ImagePath, name: &[u8]) -> Result<Entries, Error> {
    let trail = match forgiving(tree.trail(path), name)? {
        Some(trail) => trail,
        None => tree.entry(path)?.into_iter().collect(),
    };
    let mut entries = Entries::new();
    if let Some(directory @ Found { .. }) = trail.last() {
        entries.extend(tree.below(directory));
    }
    entries.extend(trail.into_iter().map(|found| (found.path, found.id)));
    Ok(entries)
}

/// Links in a circle are an error for whoever named them by their path, and nothing for whoever searches.
fn forgiving<T>(looked_up: Result<T, TreeError>, name: &[u8]) -> Result<Option<T>, Error> {
    match looked_up {
        Err(TreeError::Cycle(_)) if !is_absolute(name) => Ok(None),
        other => Ok(Some(other?)),
    }
}

fn is_absolute(name: &[u8]) -> bool {
    name.starts_with(b"/")
}

fn no_match(name: &[u8]) -> Error {
    Error::NoMatch(shown(name))
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::{BlobId, ObjectFormat};
    use crate::layer::{Change, Entry, EntryKind, FileContent, LayerIndex};

    fn put(path: &str, kind: EntryKind) -> Change {
        Change::Put(Entry { path: ImagePath::clean(path.as_bytes()), mode: 0o644, kind })
    }

    fn regular(path: &str, number: u8) -> Change {
        let blob = BlobId::of(&[number], ObjectFormat::Sha1).unwrap();
        put(path, EntryKind::Regular(FileContent { size: 1, blob, sha256: [number; 32], mtime: 0, position: 0 }))
    }

    fn link(path: &str, target: &str) -> Change {
        put(path, EntryKind::Symlink(target.as_bytes().to_vec()))
    }

    fn tree() -> FileTree {
        let changes = vec![
            regular("app/r1/main.py", 1),
            regular("app/r1/[id].js", 2),
            regular("app/r1/i.js", 3),
            regular("srv/main.py", 1),
            regular("srv/r1x/other.py", 4),
            link("app/current", "r1"),
            link("app/circle", "circle"),
            link("app/nowhere", "/none"),
            put("app/fifo", EntryKind::Special),
        ];
        let mut tree = FileTree::default();
        tree.apply(0, &LayerIndex { changes, file_bytes: 0 }).unwrap();
        tree
    }

    #[test]
    fn each_spelling_finds_what_it_looks_like() {
        let table: [(&str, &[&str]); 14] = [
            ("/app/r1/main.py", &["/app/r1/main.py"]),
            ("/app/current/main.py", &["/app/current", "/app/r1/main.py"]),
            ("/app/current", &["/app/current", "/app/r1", "/app/r1/[id].js", "/app/r1/i.js", "/app/r1/main.py"]),
            ("current", &["/app/current", "/app/r1", "/app/r1/[id].js", "/app/r1/i.js", "/app/r1/main.py"]),
            ("/app/nowhere", &["/app/nowhere"]),
            ("/app/nothing", &[]),
            ("main.py", &["/app/r1/main.py", "/srv/main.py"]),
            ("r1/main.py", &["/app/r1/main.py"]),
            ("[id].js", &["/app/r1/[id].js"]),
            ("[ix].js", &["/app/r1/i.js"]),
            ("*.py", &["/app/r1/main.py", "/srv/main.py", "/srv/r1x/other.py"]),
            ("/srv/*.py", &["/srv/main.py"]),
            ("r1*/*.py", &["/app/r1/main.py", "/srv/r1x/other.py"]),
            ("circle", &["/app/circle"]),
        ];
        for (name, expected) in table {
            let found: Vec<String> = named(&tree(), name.as_bytes()).unwrap().keys().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn the_root_is_everything_and_no_entry() {
        let tree = tree();
        assert_eq!(named(&tree, b"/").unwrap(), entries(&tree, &[]).unwrap());
        assert!(entries(&tree, &[b"main.py".to_vec(), b"gone".to_vec()]).unwrap_err().to_string().contains("`gone`"));
        assert!(matches!(named(&tree, b"/app/circle"), Err(Error::Tree(TreeError::Cycle(_)))));
        assert!(matches!(named(&tree, b"a["), Err(Error::Pattern(_))));
    }

    #[test]
    fn one_file_is_one_even_if_it_is_there_twice() {
        let tree = tree();
        assert_eq!(file(&tree, b"main.py").unwrap().content.sha256, [1; 32]);
        assert_eq!(file(&tree, b"/app/current/[id].js").unwrap().content.sha256, [2; 32]);
        assert!(matches!(file(&tree, b"*.py"), Err(Error::AmbiguousName { paths, .. }) if paths.len() == 3));
        for name in ["/app", "app", "fifo", "circle"] {
            assert!(matches!(file(&tree, name.as_bytes()), Err(Error::Usage(_))), "{name}");
        }
        assert!(matches!(file(&tree, b"gone"), Err(Error::NoMatch(_))));
    }
}
