//! Where Python would find a module, and whether it has a name. Rules of CPython's `importlib._bootstrap_external`.

use crate::path::ImagePath;
use crate::preflight::files::{File, Files};

/// What a search came to.
#[derive(Clone, Debug)]
pub(super) enum Module {
    /// Its source.
    Source(File),
    /// It is there, but not as source: a shared library, bytecode, a directory alone.
    Opaque,
    /// Not in any of the directories; the name that was missed, and where.
    Missing { name: String, similar: Option<String> },
}

/// Finds the module `dotted` in `directories`.
pub(super) fn find(files: &Files<'_>, directories: &[ImagePath], dotted: &str) -> Module {
    let mut places = directories.to_vec();
    let mut found = Module::Opaque;
    for name in dotted.split('.') {
        let (next, module) = match step(files, &places, name) {
            Some(step) => step,
            None => return Module::Missing { name: name.to_owned(), similar: similar(files, &places, name) },
        };
        (places, found) = (next, module);
    }
    found
}

/// Where to look for what is in `name`, and `name` itself.
fn step(files: &Files<'_>, places: &[ImagePath], name: &str) -> Option<(Vec<ImagePath>, Module)> {
    let mut spaces = Vec::new();
    for place in places {
        let directory = place.join(name.as_bytes());
        if let Some(file) = files.file(&directory.join(b"__init__.py")) {
            return Some((vec![directory], Module::Source(file)));
        }
        if let Some(file) = files.file(&place.join(format!("{name}.py").as_bytes())) {
            return Some((Vec::new(), Module::Source(file)));
        }
        let names = files.names(place).unwrap_or_default();
        let is_binary = |entry: &Vec<u8>| {
            let rest = entry.strip_prefix(name.as_bytes()).filter(|rest| rest.starts_with(b"."));
            rest.is_some_and(|rest| rest.ends_with(b".so") || rest.ends_with(b".pyc"))
        };
        if names.iter().any(is_binary) {
            return Some((Vec::new(), Module::Opaque));
        }
        if files.is_directory(&directory) {
            spaces.push(directory);
        }
    }
    (!spaces.is_empty()).then_some((spaces, Module::Opaque))
}

/// A module there that the name may have been meant for.
fn similar(files: &Files<'_>, places: &[ImagePath], name: &str) -> Option<String> {
    let entries = places.iter().take(1).flat_map(|place| files.names(place).unwrap_or_default());
    let modules = entries.filter_map(|entry| String::from_utf8(entry.strip_suffix(b".py")?.to_vec()).ok());
    let near = modules.map(|module| (distance(&module.to_lowercase(), &name.to_lowercase()), module));
    near.filter(|(distance, _)| *distance <= 2).min().map(|(_, module)| module)
}

/// Letters to change, add or remove.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (position, letter) in one.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], position + 1);
        for at in 0..other.len() {
            let changed = corner + usize::from(letter != other[at]);
            corner = row[at + 1];
            row[at + 1] = changed.min(row[at] + 1).min(corner + 1);
        }
    }
    row[other.len()]
}

/// Whether a module surely lacks a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Has {
    Yes,
    No,
    Unclear,
}

/// Constructs that may give a module names that its text does not show.
const DYNAMIC: [&str; 9] =
    ["import *", "__getattr__", "globals(", "setattr(", "exec(", "locals(", "vars(", "__dict__", "sys.modules"];

/// Whether the module with this text has `name`. Only a name that its code never mentions is surely missing.
pub(super) fn has(text: &str, name: &str) -> Has {
    let code = |line: &str| line.split('#').next().unwrap_or_default().to_owned();
    let lines: Vec<String> = text.lines().map(code).collect();
    let mentions = |line: &String| words(line).any(|word| word == name);
    let binds = |line: &&String| !line.starts_with([' ', '\t']) && mentions(line) && is_binding(line, name);
    if lines.iter().any(|line| binds(&line)) {
        return Has::Yes;
    }
    let is_unclear = text.lines().any(|line| words(line).any(|word| word == name));
    if is_unclear || DYNAMIC.iter().any(|construct| text.contains(construct)) {
        return Has::Unclear;
    }
    Has::No
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|character: char| !character.is_alphanumeric() && character != '_')
}

fn is_binding(line: &str, name: &str) -> bool {
    let mut first = words(line);
    match first.next() {
        Some("import" | "from") => true,
        Some("def" | "class") => first.next() == Some(name),
        Some("async") => first.nth(1) == Some(name),
        _ => line.split_once('=').is_some_and(|(left, _)| words(left).any(|word| word == name)),
    }
}

/// Whether the text may change where its imports are looked for.
pub(super) fn changes_path(text: &str) -> bool {
    ["sys.path", "addsitedir", "syspath"].iter().any(|word| text.contains(word))
}

/// The modules that the text imports at once when it is run itself, by their first name. Imports that are guarded, or
/// come later, are none of them.
pub(super) fn imports(text: &str) -> Vec<&str> {
    let mut imports = Vec::new();
    let mut in_text = None;
    for line in text.lines() {
        // Text in three quotes may look like code.
        for quotes in ["\"\"\"", "'''"] {
            if line.matches(quotes).count() % 2 == 1 && in_text.is_none_or(|open| open == quotes) {
                in_text = if in_text.is_some() { None } else { Some(quotes) };
            }
        }
        if in_text.is_some() {
            continue;
        }
        let code = line.split('#').next().unwrap_or_default();
        let first_name = |module: &'_ str| module.trim().split(['.', ' ']).next().map(str::len);
        if let Some(rest) = code.strip_prefix("from ") {
            let length = first_name(rest).unwrap_or_default();
            imports.extend(rest.trim_start().get(..length));
        } else if let Some(rest) = code.strip_prefix("import ") {
            imports.extend(rest.split(',').filter_map(|module| module.trim().split(['.', ' ']).next()));
        }
    }
    imports.retain(|name| !name.is_empty());
    imports
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_never_mentioned_is_missing() {
        let table = [
            ("app = Flask(__name__)", Has::Yes),
            ("def app(): ...", Has::Yes),
            ("async def app(scope): ...", Has::Yes),
            ("class app: ...", Has::Yes),
            ("from web import app", Has::Yes),
            ("from web import *", Has::Unclear),
            ("application: Flask = Flask()", Has::No),
            ("app: Flask = Flask()", Has::Yes),
            ("try:\n    app = x()\nexcept E: ...", Has::Unclear),
            ("# app = 1", Has::Unclear),
            ("server = Flask()", Has::No),
            ("def __getattr__(name): ...", Has::Unclear),
            ("from web import (\n    app,\n)", Has::Unclear),
        ];
        for (text, expected) in table {
            assert_eq!(has(text, "app"), expected, "{text}");
        }
    }

    #[test]
    fn imports_at_the_top_are_seen() {
        let text = "\"\"\"Doc\nimport no\n\"\"\"\nimport os, flask.x as y\nfrom google.cloud import a # c\ntry:\n    import b\nexcept E: pass\n";
        assert_eq!(imports(text), ["os", "flask", "google"]);
        assert_eq!([distance("main", "mian"), distance("a", "a"), distance("", "abc")], [2, 0, 3]);
    }
}
