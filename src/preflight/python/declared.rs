//! The packages that an application declares, held against those that are installed.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;

use crate::error::Error;
use crate::path::ImagePath;
use crate::preflight::files::{File, Files};
use crate::preflight::{Finding, Kind, Preflight};

use super::installed::Python;
use super::module;
use super::requirements::{self, Line, Requirement};

/// Files that include one another; more is no real application.
const MOST_FILES: usize = 16;

/// Words in the names of lists for something else than what runs.
const ELSEWHERE: [&str; 6] = ["build", "ci", "dev", "doc", "lint", "test"];

/// Every declaration that was read.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// The names of the files, in the order read.
    pub(super) files: Vec<String>,
    /// Where the first of them is in the image, and the layer.
    pub(super) place: Option<(ImagePath, usize)>,
    pub(super) notes: Vec<String>,
    /// With the position of the file.
    requirements: Vec<(usize, Requirement)>,
    places: BTreeMap<usize, (ImagePath, usize)>,
    /// Whether something was declared that was not read.
    is_partial: bool,
}

impl Declared {
    /// Reads `requirements*.txt` and `pyproject.toml` of the application's directory, and what is handed in.
    pub(super) fn read(
        files: &Files<'_>,
        directory: &ImagePath,
        extra: &[(String, Vec<u8>)],
        python: Option<&Version>,
        machine: &str,
    ) -> Result<Self, Error> {
        let mut declared = Self::default();
        let mut open = declared.lists(files, directory);
        let mut seen = BTreeSet::new();
        while let Some(path) = open.pop() {
            let Some(file) = files.file(&path).filter(|file| seen.insert(file.path.clone())) else { continue };
            let Some(text) = files.text(&file)? else { continue };
            let position = declared.file(path.to_string(), Some(&file));
            let included = declared.lines(requirements::parse(&text, python, machine), position, &path.to_string());
            let beside = path.parent().unwrap_or_default();
            open.extend(included.iter().map(|name| beside.join(name.as_bytes())).take(MOST_FILES));
        }
        if let Some(file) = files.file(&directory.join(b"pyproject.toml"))
            && let Some(text) = files.text(&file)?
        {
            declared.project(&text, &file, python, machine);
        }
        for (name, text) in extra {
            let position = declared.file(name.clone(), None);
            let lines = requirements::parse(&String::from_utf8_lossy(text), python, machine);
            let included = declared.lines(lines, position, name);
            declared.is_partial |= !included.is_empty();
        }
        declared.place = declared.places.get(&0).cloned();
        for name in files.names(directory).unwrap_or_default() {
            let name = String::from_utf8_lossy(&name).into_owned();
            if matches!(name.as_str(), "poetry.lock" | "uv.lock" | "Pipfile.lock" | "Pipfile" | "pdm.lock") {
                declared.is_partial = true;
                declared.notes.push(format!("not judged: the packages in {}", directory.join(name.as_bytes())));
            }
        }
        Ok(declared)
    }

    /// The lists of requirements in a directory, the one that everyone has last, which is read first.
    fn lists(&mut self, files: &Files<'_>, directory: &ImagePath) -> Vec<ImagePath> {
        let mut lists = Vec::new();
        for name in files.names(directory).unwrap_or_default() {
            let Ok(text) = std::str::from_utf8(&name) else { continue };
            let Some(rest) = text.strip_prefix("requirements").and_then(|rest| rest.strip_suffix(".txt")) else {
                continue;
            };
            match ELSEWHERE.iter().any(|word| rest.contains(word)) {
                true => self.notes.push(format!("not judged: {}, which is not for what runs", directory.join(&name))),
                false => lists.push(directory.join(&name)),
            }
        }
        lists.sort_by_key(|path| path.file_name() == Some(b"requirements.txt"));
        lists
    }

    fn file(&mut self, name: String, file: Option<&File>) -> usize {
        self.files.push(name);
        let position = self.files.len() - 1;
        self.places.extend(file.map(|file| (position, (file.path.clone(), file.layer))));
        position
    }

    fn lines(&mut self, lines: Vec<Line>, position: usize, name: &str) -> Vec<String> {
        let mut included = Vec::new();
        let mut unclear = 0;
        for line in lines {
            match line {
                Line::Requirement(requirement) => self.requirements.push((position, requirement)),
                Line::Include(name) => included.push(name),
                Line::Nothing => {}
                Line::Unclear => unclear += 1,
            }
        }
        if unclear > 0 {
            self.is_partial = true;
            let lines = crate::count::counted(unclear, "line");
            self.notes.push(format!("not judged: {lines} of {name} (URLs, paths, or markers)"));
        }
        included
    }

    fn project(&mut self, text: &str, file: &File, python: Option<&Version>, machine: &str) {
        let Ok(table) = text.parse::<toml::Table>() else { return };
        // Poetry's own table has a syntax of its own.
        self.is_partial |= table.get("tool").and_then(|tool| tool.get("poetry")).is_some();
        let Some(dependencies) = table.get("project").and_then(|project| project.get("dependencies")?.as_array())
        else {
            return;
        };
        let lines = dependencies.iter().filter_map(|line| line.as_str());
        let lines = lines.map(|line| requirements::parse_line(line, python, machine)).collect();
        let position = self.file(file.path.to_string(), Some(file));
        self.lines(lines, position, &file.path.to_string());
    }

    /// The file that declares a package.
    pub(super) fn file_of(&self, package: &str) -> Option<&str> {
        let (position, _) = self.requirements.iter().find(|(_, requirement)| requirement.name == package)?;
        self.files.get(*position).map(String::as_str)
    }

    /// Whether everything that is declared was read, and the package is not there. Some packages bring a server along.
    pub(super) fn lacks(&self, package: &str) -> bool {
        let brings = |other: &str| self.file_of(other).is_some();
        let brought = match package {
            "uvicorn" | "fastapi-cli" => brings("fastapi"),
            "gunicorn" | "flask" => ["functions-framework", "mlflow", "apache-airflow"].into_iter().any(brings),
            _ => false,
        };
        !self.files.is_empty() && !self.is_partial && !brought && self.file_of(package).is_none()
    }

    /// Adds what is not installed. It is an error only where the source that runs first imports it at once.
    pub(super) fn check(
        &self,
        files: &Files<'_>,
        python: &Python,
        source: Option<&(File, String)>,
        preflight: &mut Preflight,
    ) {
        if self.requirements.is_empty() {
            return;
        }
        if python.packages.is_empty() || python.version.is_none() {
            preflight.notes.push("not judged: what is installed, as no directory of packages was found".to_owned());
            return;
        }
        let installed = python.installed(files);
        let imports: Vec<String> = source
            .map(|(_, text)| module::imports(text))
            .unwrap_or_default()
            .iter()
            .map(|name| requirements::normalized(name))
            .collect();
        let mut unsure = Vec::new();
        for (position, requirement) in &self.requirements {
            let name = &requirement.name;
            let declared = &self.files[*position];
            let place = self.places.get(position);
            let at = |finding: Finding| place.map_or(finding.clone(), |(path, layer)| finding.at(path, *layer));
            match installed.get(name) {
                None if python.is_open => unsure.push(name.as_str()),
                None => {
                    let is_local = !matches!(
                        module::find(files, &self.around(source, python), name),
                        module::Module::Missing { .. }
                    );
                    let imported = imports.contains(name) && !is_local;
                    let used = source.filter(|_| imported).map(|(file, _)| format!(", and {} imports it", file.path));
                    let summary =
                        format!("{declared} lists {name}, which is not installed{}", used.unwrap_or_default());
                    let make = if imported { Finding::error } else { Finding::warning };
                    let fix = format!("RUN pip install -r {declared}");
                    preflight.findings.push(at(make(Kind::PackageMissing, summary)).fix(fix));
                }
                Some(Some(version)) if !requirement.versions.contains(version) => {
                    let summary =
                        format!("{declared} wants {name} {}, and {version} is installed", requirement.versions);
                    let fix = format!("RUN pip install -r {declared}");
                    preflight.findings.push(at(Finding::warning(Kind::PackageVersion, summary)).fix(fix));
                }
                Some(_) => {}
            }
        }
        if !unsure.is_empty() {
            let names = unsure.join(", ");
            preflight.notes.push(format!("not judged: whether installed, as directories may be added: {names}"));
        }
    }

    /// Where the source may find a module without a package: beside itself, in a directory above, or among what is installed by hand.
    fn around(&self, source: Option<&(File, String)>, python: &Python) -> Vec<ImagePath> {
        let own = source.and_then(|(file, _)| file.path.parent());
        std::iter::successors(own, ImagePath::parent).chain(python.packages.iter().cloned()).collect()
    }
}
