//! Whether what the image's own lists require is installed.

use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder, Requirement, VersionOrUrl};

use crate::error::Error;
use crate::mapping::history;
use crate::path::ImagePath;
use crate::tree::NodeKind;

use super::Look;
use super::command::Step;
use super::files::{join, path};
use super::finding::{Finding, Kind, Weight};
use super::installed::{self, normalized};

/// Words in the names of lists that are not for what runs.
const ELSEWHERE: [&str; 6] = ["dev", "test", "lint", "doc", "build", "ci"];

/// Lists that include each other, followed so far.
const MOST_LISTS: usize = 16;

/// A list of requirements.
struct List {
    name: String,
    /// Whether it is known to be the one that was installed from, or is to be.
    binding: bool,
    lines: Vec<String>,
    place: Option<(ImagePath, usize)>,
}

impl Look<'_> {
    /// Holds the lists of requirements against what is installed.
    pub(super) fn requirements(&mut self, step: Option<&Step>, directory: &str) -> Result<(), Error> {
        let lists = self.lists(directory)?;
        if lists.is_empty() {
            return Ok(());
        }
        let packages = installed::packages(self.files.tree());
        if packages.is_empty() && !lists.iter().any(|list| list.binding) {
            self.note("not judged: requirements, because no installed package was found");
            return Ok(());
        }
        let environment = installed::version(self.files.tree()).and_then(|version| self.environment(&version));
        for list in &lists {
            for line in &list.lines {
                self.requirement(list, line, &packages, environment.as_ref());
            }
        }
        if let Some(step) = step {
            self.declared(step, &lists, &packages);
        }
        Ok(())
    }

    /// That the program which is not there is not required either, and what mends that.
    pub(super) fn undeclared(&mut self, word: &str) -> Result<Option<(String, String)>, Error> {
        let directory = super::command::workdir(self.image);
        let lists = self.lists(&directory)?;
        let Some(first) = lists.first() else { return Ok(None) };
        let is_listed = lists.iter().any(|list| list.lines.iter().any(|line| name_in(line) == Some(normalized(word))));
        Ok(Some(match is_listed {
            true => (
                format!("{} requires it, but it was not installed", first.name),
                format!("RUN pip install -r {}", first.name),
            ),
            false => {
                (format!("{} does not list it", first.name), format!("add {word} to {} and build again", first.name))
            }
        }))
    }

    /// The program that runs is installed as a package that no list requires.
    fn declared(
        &mut self,
        step: &Step,
        lists: &[List],
        packages: &std::collections::BTreeMap<String, Option<pep440_rs::Version>>,
    ) {
        let Some(program) = step.words.first().map(|word| normalized(word.rsplit('/').next().unwrap_or(word))) else {
            return;
        };
        let is_listed = lists.iter().any(|list| list.lines.iter().any(|line| name_in(line).as_ref() == Some(&program)));
        if packages.contains_key(&program) && !is_listed {
            let text =
                format!("the command runs {program}, which is installed, but {} does not list it", lists[0].name);
            self.find(Finding::warning(Kind::Undeclared, text).fix(format!("add {program} to {}", lists[0].name)));
        }
    }

    fn requirement(
        &mut self,
        list: &List,
        line: &str,
        packages: &std::collections::BTreeMap<String, Option<pep440_rs::Version>>,
        environment: Option<&MarkerEnvironment>,
    ) {
        let Ok(requirement) = line.parse::<Requirement>() else {
            self.note(format!("not judged: `{line}` of {}", list.name));
            return;
        };
        match environment {
            Some(environment) if !requirement.evaluate_markers(environment, &[]) => return,
            None if !requirement.marker.is_true() => {
                self.note(format!("not judged: `{line}` of {}, for want of the image's Python", list.name));
                return;
            }
            _ => {}
        }
        let name = requirement.name.to_string();
        let text = match packages.get(&normalized(&name)) {
            None => format!("{} requires {name}, which is not installed", list.name),
            Some(Some(version)) => match &requirement.version_or_url {
                Some(VersionOrUrl::VersionSpecifier(wanted)) if !wanted.contains(version) => {
                    format!("{} requires {name}{wanted}, and {version} is installed", list.name)
                }
                _ => return,
            },
            Some(None) => return,
        };
        // A list that nothing was installed from may be another program's.
        let weight = if list.binding { Weight::Error } else { Weight::Warning };
        let finding = Finding { weight, ..Finding::error(Kind::Requirement, text) };
        let finding = finding.fix(format!("RUN pip install -r {} in the Dockerfile", list.name));
        self.find(match &list.place {
            Some((path, layer)) => finding.at(path, *layer),
            None => finding,
        });
    }

    /// The lists of the application's directory, and those that were given.
    fn lists(&mut self, directory: &str) -> Result<Vec<List>, Error> {
        let given = self.options.requirements.iter();
        let mut lists: Vec<List> = given
            .map(|(name, text)| List { name: name.clone(), binding: true, lines: lines_of(text).0, place: None })
            .collect();
        let mut waiting = self.names_in(directory);
        let mut done: Vec<String> = Vec::new();
        while let Some(name) = waiting.pop() {
            if done.contains(&name) || done.len() >= MOST_LISTS {
                continue;
            }
            done.push(name.clone());
            let at = path(&join(directory, &name));
            let Some(file) = self.files.file(&at) else { continue };
            let Some(text) = self.files.text(&at)? else { continue };
            let (lines, others) = if name == "pyproject.toml" { (project(&text), Vec::new()) } else { lines_of(&text) };
            let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
            waiting.extend(others.into_iter().map(|other| join(folder, &other).trim_start_matches('/').to_owned()));
            if !lines.is_empty() {
                let binding = self.was_installed(&name);
                lists.push(List { name, binding, lines, place: Some((file.path, file.layer)) });
            }
        }
        Ok(lists)
    }

    /// The names of the lists in a directory.
    fn names_in(&mut self, directory: &str) -> Vec<String> {
        let Some(found) = self.files.lookup(&path(directory)) else { return Vec::new() };
        let NodeKind::Directory(entries) = &self.files.tree().node(found.id).kind else { return Vec::new() };
        let names = entries.keys().filter_map(|name| std::str::from_utf8(name).ok());
        let lists = names.filter(|name| {
            let is_list = name.starts_with("requirements") && name.ends_with(".txt");
            (is_list && !ELSEWHERE.iter().any(|word| name.contains(word))) || *name == "pyproject.toml"
        });
        let lists = lists.map(str::to_owned).collect();
        for lock in ["poetry.lock", "uv.lock", "Pipfile.lock"] {
            if entries.contains_key(lock.as_bytes()) {
                self.note(format!("not judged: {lock}"));
            }
        }
        lists
    }

    /// Whether a step of the build installed from a list.
    fn was_installed(&self, name: &str) -> bool {
        let own = name.rsplit('/').next().unwrap_or(name);
        self.image.config.history().iter().any(|entry| {
            let step = history::parse(entry.created_by.as_deref().unwrap_or_default()).text;
            step.contains("pip install") && step.contains(own)
        })
    }

    fn environment(&self, version: &str) -> Option<MarkerEnvironment> {
        let machine = match self.image.platform.architecture.as_str() {
            "amd64" => "x86_64",
            "arm64" => "aarch64",
            other => other,
        };
        let full = format!("{version}.0");
        MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: &full,
            os_name: "posix",
            platform_machine: machine,
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system: "Linux",
            platform_version: "",
            python_full_version: &full,
            python_version: version,
            sys_platform: "linux",
        }
        .try_into()
        .ok()
    }
}

/// The requirements of a list, and the lists that it includes (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>).
fn lines_of(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut others) = (Vec::new(), Vec::new());
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        let other = line.strip_prefix("-r ").or_else(|| line.strip_prefix("--requirement "));
        if let Some(other) = other.or_else(|| line.strip_prefix("--requirement=")) {
            others.push(other.trim().to_owned());
            continue;
        }
        // Options of their own line, and what has no name to look for.
        let skipped =
            line.is_empty() || line.starts_with(['#', '-', '.', '/']) || line.contains("://") || line.contains("${");
        if !skipped {
            lines.push(line.split(" --").next().unwrap_or_default().trim().to_owned());
        }
    }
    (lines, others)
}

/// `[project] dependencies` of a `pyproject.toml` (PEP 621).
fn project(text: &str) -> Vec<String> {
    let table: toml::Table = toml::from_str(text).unwrap_or_default();
    let dependencies = table.get("project").and_then(|project| project.get("dependencies")?.as_array());
    dependencies.into_iter().flatten().filter_map(|line| line.as_str().map(str::to_owned)).collect()
}

/// The name at the beginning of a requirement, normalized.
fn name_in(line: &str) -> Option<String> {
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(line.len());
    (end > 0).then(|| normalized(&line[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_pip_reads_them() {
        let text = "# all\nflask==3.0.3 # web\n-r base.txt\n--index-url https://x\ngunicorn>=22 \\\n  --hash=sha256:aa\n\
                    ./local\ngit+https://x/y\n-e .\nuvloop; sys_platform != 'win32'\n";
        let (lines, others) = lines_of(text);
        assert_eq!(lines, ["flask==3.0.3", "gunicorn>=22", "uvloop; sys_platform != 'win32'"]);
        assert_eq!(others, ["base.txt"]);
        assert_eq!(name_in("Google_Cloud.Firestore[x]>=2").as_deref(), Some("google-cloud-firestore"));
        assert_eq!(project("[project]\nname='a'\ndependencies=['flask>=3']"), ["flask>=3"]);
        assert_eq!(project("not toml ="), Vec::<String>::new());
    }
}
