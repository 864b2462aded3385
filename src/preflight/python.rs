//! Modules of Python: where they are looked for, and what is in them. Nothing is imported.

use regex::Regex;

use crate::tree::NodeKind;

use super::Look;
use super::files::{File, Files, join, path};

/// What became of a module's name.
#[derive(Debug)]
pub(super) enum Module {
    /// Its source.
    Source(File),
    /// Something that is imported without being read here: compiled code, a package without a file of its own.
    Other,
    /// It is nowhere. The part of its name that is a package, if one is.
    Missing(Option<String>),
}

/// Looks for `module` in `places`, in their order. The standard library is taken for granted where a module's first name
/// is nowhere else.
pub(super) fn target(files: &Files<'_>, module: &str, places: &[String]) -> Module {
    let names: Vec<&str> = module.split('.').collect();
    let mut known = None;
    for place in places {
        match within(files, place, &names) {
            Module::Missing(part) => known = known.or(part),
            found => return found,
        }
    }
    Module::Missing(known)
}

fn within(files: &Files<'_>, place: &str, names: &[&str]) -> Module {
    let whole = join(place, &names.join("/"));
    let source = [format!("{whole}.py"), format!("{whole}/__init__.py")];
    if let Some(file) = source.iter().find_map(|text| files.file(&path(text))) {
        return Module::Source(file);
    }
    // A directory without `__init__.py` is a package, too (PEP 420).
    if files.is_directory(&whole) || is_compiled(files, place, names) {
        return Module::Other;
    }
    let package = (1..names.len()).rev().map(|count| &names[..count]);
    let known = package.into_iter().find(|names| {
        let at = join(place, &names.join("/"));
        files.is_directory(&at) || files.file(&path(&format!("{at}.py"))).is_some()
    });
    Module::Missing(known.map(|names| names.join(".")))
}

/// `name.cpython-312-x86_64-linux-gnu.so`, `name.pyc`, `name.so`.
fn is_compiled(files: &Files<'_>, place: &str, names: &[&str]) -> bool {
    let Some((last, parents)) = names.split_last() else { return false };
    let Some(found) = files.lookup(&path(&join(place, &parents.join("/")))) else { return false };
    let NodeKind::Directory(entries) = &files.tree().node(found.id).kind else { return false };
    let is_it = |name: &[u8]| {
        let rest = name.strip_prefix(last.as_bytes());
        rest.is_some_and(|rest| rest.starts_with(b".") && (rest.ends_with(b".so") || rest.ends_with(b".pyc")))
    };
    entries.keys().any(|name| is_it(name))
}

/// Whether a source may have a name at its top level. Only where the name does not occur at all, and nothing can bring
/// names that are not written there, it surely has not.
pub(super) fn may_have(source: &str, name: &str) -> bool {
    let magic = ["import *", "__getattr__", "globals()", "exec(", "setattr("];
    if magic.iter().any(|word| source.contains(word)) {
        return true;
    }
    let word = Regex::new(&format!(r"(^|[^\w.]){}\b", regex::escape(name)));
    let is_code = |line: &&str| !line.trim_start().starts_with('#');
    word.map_or(true, |word| source.lines().filter(is_code).any(|line| word.is_match(line)))
}

impl Look<'_> {
    /// Where modules are looked for, in order: the directory, `PYTHONPATH`, and where packages are installed.
    pub(super) fn module_places(&self, directory: &str) -> Vec<String> {
        let set = self.image.config.env().filter(|(name, _)| *name == "PYTHONPATH").last().map(|(_, value)| value);
        let set = set.into_iter().flat_map(|value| value.split(':')).filter(|place| !place.is_empty());
        let set = set.map(|place| join(directory, place));
        let installed = super::installed::folders(self.files.tree()).into_iter().map(|folder| format!("/{folder}"));
        let library = super::installed::libraries(self.files.tree()).into_iter().map(|folder| format!("/{folder}"));
        std::iter::once(directory.to_owned()).chain(set).chain(installed).chain(library).collect()
    }

    /// A file that brings modules from elsewhere, if one is installed (`site`, editable installations).
    pub(super) fn import_hooks(&self) -> Option<String> {
        super::installed::folders(self.files.tree()).iter().find_map(|folder| {
            let found = self.files.lookup(folder)?;
            let NodeKind::Directory(entries) = &self.files.tree().node(found.id).kind else { return None };
            let usual = |name: &[u8]| name == b"distutils-precedence.pth";
            let hook = entries.keys().find(|name| name.ends_with(b".pth") && !usual(name))?;
            Some(folder.join(hook).to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::may_have;

    #[test]
    fn a_name_is_missed_only_where_nothing_can_bring_it() {
        let table = [
            ("app = Flask(__name__)", true),
            ("def app(environ, start): ...", true),
            ("from shop import (\n    app,\n)", true),
            ("from shop import *", true),
            ("def __getattr__(name): ...", true),
            ("# app is elsewhere\napplication = 1", false),
            ("self.app = 1\nmyapp = 2\napp2 = 3", false),
            ("", false),
        ];
        for (source, expected) in table {
            assert_eq!(may_have(source, "app"), expected, "{source}");
        }
    }
}
