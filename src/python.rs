//! What Python would run in place of a file that was compared: a second copy among the installed packages, or bytecode
//! that was compiled from other source. Pure; what it needs of contents is handed in.
//!
//! The rules are those of CPython's `importlib._bootstrap_external` (`SourceFileLoader.get_code`, `FileFinder`).

use crate::compare::Finding;
use crate::path::ImagePath;
use crate::tree::{FileTree, NodeId, NodeKind, Stored};

/// Directories of installed packages (`site` module; `dist-packages` is Debian's).
const PACKAGES: [&[u8]; 2] = [b"site-packages", b"dist-packages"];

/// Bytes of a bytecode file before the code: magic number, flags, then time and size or a hash (PEP 552).
pub const HEADER_BYTES: usize = 16;

/// Something that may be run instead of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    /// Where it is.
    pub path: ImagePath,
    /// Its contents.
    pub stored: Stored,
}

/// What a file system has of Python.
#[derive(Clone, Debug, Default)]
pub struct Installed {
    packages: Vec<(ImagePath, NodeId)>,
}

impl Installed {
    /// Looks through the directories of a whole file system.
    pub fn of(tree: &FileTree) -> Self {
        let is_packages = |path: &ImagePath| path.file_name().is_some_and(|name| PACKAGES.contains(&name));
        Self { packages: tree.directories().filter(|(path, _)| is_packages(path)).collect() }
    }

    /// Files among the installed packages that have the name of the module in `finding`, with other bytes: those whose
    /// path is the end of the file's path in git.
    pub fn copies(&self, tree: &FileTree, finding: &Finding) -> Vec<Rival> {
        let Some(module) = finding.repo.as_ref().map(|(path, _)| path).filter(|path| is_source(path.as_bytes())) else {
            return Vec::new();
        };
        let names: Vec<&[u8]> = module.components().collect();
        let places = self.packages.iter().flat_map(|(packages, id)| {
            // Few of the ends begin with the name of something that is installed.
            let ends = (0..names.len()).filter(|&start| tree.has_entry(*id, names[start]));
            ends.map(|start| packages.join(&names[start..].join(&b'/'))).collect::<Vec<_>>()
        });
        let others = places.filter(|place| *place != finding.image).filter_map(|place| regular(tree, place));
        let differs = |rival: &Rival| finding.file.is_none_or(|own| own.content.sha256 != rival.stored.content.sha256);
        // An empty file is in every package.
        others.filter(|rival| rival.stored.content.size > 0 && differs(rival)).collect()
    }
}

fn is_source(path: &[u8]) -> bool {
    path.ends_with(b".py")
}

fn regular(tree: &FileTree, path: ImagePath) -> Option<Rival> {
    let found = tree.lookup(&path).ok()??;
    let stored = *tree.node(found.id).stored()?;
    Some(Rival { path: found.path, stored })
}

/// The bytecode that Python runs where the file of `finding` is missing: `NAME.pyc` in the same directory.
pub fn orphan(tree: &FileTree, finding: &Finding) -> Option<Rival> {
    let name = finding.image.file_name().filter(|name| finding.file.is_none() && is_source(name))?;
    regular(tree, finding.image.parent()?.join(&[name, b"c"].concat()))
}

/// Bytecode of the file of `finding` that is in a lower layer than the file, and so was not compiled from it. Whether
/// Python takes it is for [`is_taken`] to tell from its first bytes.
pub fn older_bytecode(tree: &FileTree, finding: &Finding) -> Vec<Rival> {
    let bytecode = || {
        let source = finding.file.as_ref()?;
        let stem = finding.image.file_name()?.strip_suffix(b".py")?;
        let cache = tree.lookup(&finding.image.parent()?.join(b"__pycache__")).ok()??;
        let NodeKind::Directory(entries) = &tree.node(cache.id).kind else { return None };
        let is_ours =
            |name: &[u8]| name.strip_prefix(stem).is_some_and(|rest| rest.starts_with(b".") && rest.ends_with(b".pyc"));
        let ours = entries.iter().filter(|(name, _)| is_ours(name));
        let stored = ours.filter_map(|(name, id)| {
            let stored = *tree.node(*id).stored()?;
            (stored.layer < source.layer).then(|| Rival { path: cache.path.join(name), stored })
        });
        Some(stored.collect())
    };
    bytecode().unwrap_or_default()
}

/// Whether Python runs bytecode with this header for the source in `source`: its time and size are the source's, or it
/// says that it is not to be checked.
pub fn is_taken(header: &[u8], source: &Stored) -> bool {
    let word = |at: usize| header.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    // Python writes the lower 32 bits of both.
    let low = |value: u64| (value & u64::from(u32::MAX)) as u32;
    let (mtime, size) = (low(source.content.mtime.cast_unsigned()), low(source.content.size));
    match word(4) {
        Some(0) => word(8) == Some(mtime) && word(12) == Some(size),
        // Hashed, and unchecked.
        Some(1) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::{BlobId, ObjectFormat};
    use crate::compare::Status;
    use crate::layer::{Change, Entry, EntryKind, FileContent, LayerIndex};
    use crate::path::RepoPath;
    use crate::repo::{RepoFile, RepoFileKind};

    fn blob() -> BlobId {
        crate::blob::BlobHasher::new(0, ObjectFormat::Sha1).finish().expect("nothing was promised")
    }

    fn content(number: u8, size: u64) -> FileContent {
        FileContent { size, blob: blob(), sha256: [number; 32], mtime: 1_700_000_000, position: 0 }
    }

    fn layer(files: &[(&str, u8, u64)]) -> LayerIndex {
        let put = |(path, number, size): &(&str, u8, u64)| {
            let kind = EntryKind::Regular(content(*number, *size));
            Change::Put(Entry { path: ImagePath::clean(path.as_bytes()), mode: 0o644, kind })
        };
        LayerIndex { changes: files.iter().map(put).collect(), file_bytes: 0 }
    }

    fn tree(layers: &[&[(&str, u8, u64)]]) -> FileTree {
        let mut tree = FileTree::default();
        for (at, files) in layers.iter().enumerate() {
            tree.apply(at, &layer(files)).expect("the layers fit");
        }
        tree
    }

    fn finding(tree: &FileTree, image: &str, repo: &str) -> Finding {
        let image = ImagePath::clean(image.as_bytes());
        let file = regular(tree, image.clone()).map(|rival| rival.stored);
        let repo_file = RepoFile { kind: RepoFileKind::Regular, blob: blob(), size: None };
        Finding {
            status: Status::Same,
            repo: Some((RepoPath::clean(repo.as_bytes()), repo_file)),
            image,
            file,
            layer: None,
            counted_with: None,
            past: None,
            note: None,
        }
    }

    fn paths(rivals: &[Rival]) -> Vec<String> {
        rivals.iter().map(|rival| rival.path.to_string()).collect()
    }

    #[test]
    fn installed_copies_are_found_by_the_end_of_their_path() {
        let site = "usr/lib/python3.11/site-packages";
        let tree = tree(&[&[
            (&format!("{site}/pkg/beat.py"), 1, 5),
            (&format!("{site}/beat.py"), 2, 5),
            (&format!("{site}/other/beat.py"), 3, 5),
            (&format!("{site}/pkg/__init__.py"), 1, 0),
            ("usr/lib/python3/dist-packages/pkg/beat.py", 9, 5),
            ("app/src/pkg/beat.py", 9, 5),
            ("app/src/pkg/__init__.py", 9, 7),
        ]]);
        let installed = Installed::of(&tree);
        let found = installed.copies(&tree, &finding(&tree, "app/src/pkg/beat.py", "src/pkg/beat.py"));
        // Debian's has the same bytes.
        assert_eq!(paths(&found), [format!("/{site}/pkg/beat.py"), format!("/{site}/beat.py")]);
        let empty = installed.copies(&tree, &finding(&tree, "app/src/pkg/__init__.py", "src/pkg/__init__.py"));
        assert_eq!(paths(&empty), [""; 0]);
    }

    #[test]
    fn bytecode_beside_a_missing_source_is_an_orphan() {
        let tree = tree(&[&[("app/gone.pyc", 1, 5), ("app/there.pyc", 1, 5), ("app/there.py", 1, 5)]]);
        let gone = orphan(&tree, &finding(&tree, "app/gone.py", "gone.py"));
        assert_eq!(gone.map(|rival| rival.path.to_string()), Some("/app/gone.pyc".to_owned()));
        assert_eq!(orphan(&tree, &finding(&tree, "app/there.py", "there.py")), None);
    }

    #[test]
    fn bytecode_of_a_lower_layer_is_older() {
        let cache = "app/__pycache__";
        let tree = tree(&[
            &[
                (&format!("{cache}/beat.cpython-311.pyc"), 1, 5),
                (&format!("{cache}/beat.cpython-311.opt-1.pyc"), 1, 5),
                (&format!("{cache}/beater.cpython-311.pyc"), 1, 5),
                (&format!("{cache}/own.cpython-311.pyc"), 1, 5),
                ("app/own.py", 1, 5),
            ],
            &[("app/beat.py", 2, 5)],
        ]);
        let older = older_bytecode(&tree, &finding(&tree, "app/beat.py", "beat.py"));
        let expected = ["/app/__pycache__/beat.cpython-311.opt-1.pyc", "/app/__pycache__/beat.cpython-311.pyc"];
        assert_eq!(paths(&older), expected);
        assert_eq!(paths(&older_bytecode(&tree, &finding(&tree, "app/own.py", "own.py"))), [""; 0]);
    }

    #[test]
    fn python_takes_bytecode_by_time_and_size_or_unchecked() {
        let source = Stored { layer: 1, content: content(1, 77) };
        let header = |flags: u32, time: u32, size: u32| [0x0d0d_0aa7, flags, time, size].map(u32::to_le_bytes).concat();
        let table = [
            (header(0, 1_700_000_000, 77), true),
            (header(0, 1_700_000_001, 77), false),
            (header(0, 1_700_000_000, 78), false),
            (header(1, 5, 5), true),
            (header(3, 1_700_000_000, 77), false),
            (header(0, 1_700_000_000, 77)[..15].to_vec(), false),
            (Vec::new(), false),
        ];
        for (header, taken) in table {
            assert_eq!(is_taken(&header, &source), taken, "{header:?}");
        }
    }
}
