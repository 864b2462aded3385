//! An interpreter's directories, and the packages installed in them (PEP 376, PEP 405; Debian's site module).

use std::collections::BTreeMap;
use std::str::FromStr as _;

use pep440_rs::Version;

use crate::path::ImagePath;
use crate::preflight::files::Files;
use crate::preflight::program::Program;

use super::requirements::normalized;

/// A Python of the image.
#[derive(Clone, Debug, Default)]
pub(super) struct Python {
    /// Major and minor, where the directories say one.
    pub(super) version: Option<Version>,
    /// Directories of installed packages.
    pub(super) packages: Vec<ImagePath>,
    /// Directories of the standard library.
    pub(super) library: Vec<ImagePath>,
    /// Whether something adds directories that are not read here.
    pub(super) is_open: bool,
}

impl Python {
    /// The Python that is called as `interpreter`. What belongs to the directory that it really lies in is taken, too:
    /// a virtual environment may or may not see it, and a package too many is no false alarm.
    /// `more` are prefixes of installations beside it (the user's own), and `first` directories that come before all.
    pub(super) fn of(files: &Files<'_>, interpreter: &ImagePath, more: &[ImagePath], first: &[ImagePath]) -> Self {
        let real = files.file(interpreter).map(|file| file.path);
        let prefixes = [Some(interpreter.clone()), real.clone()];
        let mut prefixes: Vec<ImagePath> =
            prefixes.into_iter().flatten().filter_map(|path| path.parent()?.parent()).collect();
        // `/bin` may be a link to `/usr/bin`.
        if prefixes.iter().any(ImagePath::is_root) {
            prefixes.push(ImagePath::clean(b"usr"));
        }
        if prefixes.contains(&ImagePath::clean(b"usr")) {
            prefixes.extend([ImagePath::clean(b"usr/local"), ImagePath::clean(b"usr")]);
        }
        let named = real.as_ref().and_then(|path| version_of(path.file_name()?, b"python"));
        let mut python = Self { version: named, packages: first.to_vec(), ..Self::default() };
        for prefix in prefixes.iter().chain(more) {
            python.add(files, prefix);
        }
        python.is_open = python.packages.iter().any(|directory| has_links(files, directory));
        python
    }

    fn add(&mut self, files: &Files<'_>, prefix: &ImagePath) {
        for directory in [prefix.join(b"lib"), prefix.join(b"lib64")] {
            for name in files.names(&directory).unwrap_or_default() {
                let version = version_of(&name, b"python");
                if version.is_none() && name != b"python3" {
                    continue;
                }
                let library = directory.join(&name);
                if version.is_some() && self.version.is_some() && version != self.version {
                    continue;
                }
                let found = [b"site-packages", b"dist-packages"].map(|packages| library.join(packages));
                let found: Vec<_> = found.into_iter().filter(|path| files.is_directory(path)).collect();
                if version.is_some() && self.version.is_none() {
                    self.version = version;
                }
                self.packages.extend(found);
                self.library.push(library);
            }
        }
    }

    /// The installed packages and their versions, as far as those can be read.
    pub(super) fn installed(&self, files: &Files<'_>) -> BTreeMap<String, Option<Version>> {
        let names = self.packages.iter().flat_map(|directory| files.names(directory).unwrap_or_default());
        let mut installed = BTreeMap::new();
        for name in names.filter_map(|name| String::from_utf8(name).ok()) {
            if let Some((package, version)) = distribution(&name) {
                installed.entry(package).or_insert(version);
            }
        }
        installed
    }
}

/// `python3.12` is 3.12.
fn version_of(name: &[u8], prefix: &[u8]) -> Option<Version> {
    let text = std::str::from_utf8(name.strip_prefix(prefix)?).ok()?;
    text.contains('.').then(|| Version::from_str(text).ok()).flatten()
}

/// The package and its version in the name of the directory that describes it.
fn distribution(name: &str) -> Option<(String, Option<Version>)> {
    let (package, version) = if let Some(stem) = name.strip_suffix(".dist-info") {
        stem.rsplit_once('-').unwrap_or((stem, ""))
    } else if let Some(stem) = name.strip_suffix(".egg-info").or(name.strip_suffix(".egg")) {
        let (package, rest) = stem.split_once('-').unwrap_or((stem, ""));
        (package, rest.split("-py").next().unwrap_or_default())
    } else {
        (name.strip_suffix(".egg-link")?, "")
    };
    Some((normalized(package), Version::from_str(version).ok()))
}

/// Whether a `.pth` file or a module that runs first may add directories; those of common tools do not.
fn has_links(files: &Files<'_>, directory: &ImagePath) -> bool {
    let harmless: [&[u8]; 4] = [b"distutils-precedence.pth", b"_virtualenv.pth", b"matplotlib", b"protobuf"];
    let names = files.names(directory).unwrap_or_default();
    let is_custom = |name: &Vec<u8>| name == b"sitecustomize.py" || name == b"usercustomize.py";
    names.iter().any(is_custom)
        || names.iter().any(|name| name.ends_with(b".pth") && !harmless.iter().any(|known| name.starts_with(known)))
}

/// Which Python runs a program: itself, or the interpreter of its script.
pub(super) fn interpreter(program: &Program) -> Option<ImagePath> {
    let is_python = |path: &&ImagePath| {
        path.file_name().and_then(|name| std::str::from_utf8(name).ok()).is_some_and(super::server::is_python)
    };
    std::iter::once(&program.called).chain(&program.interpreters).find(is_python).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_directories_tell_packages() {
        let table = [
            ("Flask-3.0.0.dist-info", Some(("flask", "3.0.0"))),
            ("zope.interface-5.0.dist-info", Some(("zope-interface", "5.0"))),
            ("PyYAML-6.0-py3.12.egg-info", Some(("pyyaml", "6.0"))),
            ("flask", None),
        ];
        for (name, expected) in table {
            let found = distribution(name).map(|(name, version)| (name, version.unwrap().to_string()));
            assert_eq!(found, expected.map(|(name, version)| (name.to_owned(), version.to_owned())), "{name}");
        }
    }
}
