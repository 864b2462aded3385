//! What a Python application needs: its module and the name in it, and the packages that it declares.

mod declared;
mod installed;
mod module;
mod requirements;
pub(super) mod server;

use crate::error::Error;
use crate::image::Image;
use crate::path::ImagePath;

use super::files::{File, Files};
use super::launch::{Work, base_name};
use super::program::Surroundings;
use super::{Finding, Kind, Preflight, settings};
use declared::Declared;
use installed::Python;
use module::{Has, Module};
use server::Target;

/// Programs whose package has another name than they have themselves.
const PACKAGES: [(&str, &str); 3] =
    [("waitress-serve", "waitress"), ("fastapi", "fastapi-cli"), ("django-admin", "django")];

/// Programs that come from packages of their name.
const SERVERS: [&str; 10] = [
    "gunicorn",
    "uvicorn",
    "hypercorn",
    "flask",
    "celery",
    "daphne",
    "granian",
    "streamlit",
    "alembic",
    "functions-framework",
];

/// An application of an image.
pub(super) struct App<'a> {
    pub(super) files: &'a Files<'a>,
    pub(super) directory: &'a ImagePath,
    /// Requirements that are not in the image.
    pub(super) extra: &'a [(String, Vec<u8>)],
    pub(super) image: &'a Image,
}

/// The package that a program comes from, where that is known.
fn package_of(program: &str) -> Option<&str> {
    let renamed = PACKAGES.iter().find(|(name, _)| *name == program).map(|(_, package)| *package);
    renamed.or_else(|| SERVERS.contains(&program).then_some(program))
}

impl App<'_> {
    fn machine(&self) -> &str {
        match self.image.platform.architecture.as_str() {
            "amd64" => "x86_64",
            "arm64" => "aarch64",
            other => other,
        }
    }

    fn declared(&self, python: &Python) -> Result<Declared, Error> {
        Declared::read(self.files, self.directory, self.extra, python.version.as_ref(), self.machine())
    }

    /// A program of Python that is missing is mostly one that nothing declares: the finding says so.
    pub(super) fn explain(&self, program: &str, finding: &mut Finding) -> Result<(), Error> {
        let Some(package) = package_of(base_name(program)).filter(|_| finding.kind == Kind::ProgramMissing) else {
            return Ok(());
        };
        let declared = self.declared(&Python::default())?;
        let Some(file) = declared.files.first() else {
            finding.fix = Some(format!("RUN pip install {package}, or declare it in requirements.txt"));
            return Ok(());
        };
        if let Some(listed) = declared.file_of(package) {
            finding.summary.push_str(&format!("; {listed} lists {package}, and it was not installed"));
            finding.fix = Some(format!("RUN pip install -r {listed}"));
        } else {
            finding.summary.push_str(&format!("; {file} does not list {package}"));
            finding.fix = Some(format!("add {package} to {file}"));
        }
        if let Some((path, layer)) = &declared.place {
            (finding.file, finding.layer) = (Some(path.clone()), Some(*layer));
        }
        Ok(())
    }

    /// Adds what there is to say of a program that can be run.
    pub(super) fn check(&self, work: &Work, preflight: &mut Preflight) -> Result<(), Error> {
        let Some(interpreter) = installed::interpreter(&work.program) else { return Ok(()) };
        let path = work.variables.get("PYTHONPATH").into_iter().flat_map(|paths| paths.split(':'));
        let path: Vec<ImagePath> = path.map(|path| work.around.absolute(path.as_bytes())).collect();
        let mut python = Python::of(self.files, &interpreter, &[self.user_base(work)?], &path);
        let changes = ["PYTHONHOME", "PYTHONSAFEPATH"].iter().any(|name| work.variables.contains_key(*name));
        let is_unknown = work.variables.get("PYTHONPATH").is_some_and(|paths| paths.contains('$'));
        python.is_open |= changes || is_unknown;
        let source = self.target(work, &python, preflight)?;
        let text = source.map(|file| self.files.text(&file).map(|text| (file, text))).transpose()?;
        let text = text.and_then(|(file, text)| Some((file, text?)));
        let has_places = !server::places(&work.arguments).is_empty() || self.is_configured(work)?;
        let text = text.filter(|(_, text)| !has_places && !module::changes_path(text));
        let declared = self.declared(&python)?;
        preflight.notes.extend(declared.notes.iter().cloned());
        declared.check(self.files, &python, text.as_ref(), preflight);
        let (program, _) = server::unwrapped(work);
        if let Some(package) = package_of(base_name(&program)).filter(|package| declared.lacks(package)) {
            let file = declared.files.first().cloned().unwrap_or_default();
            let summary = format!("the command runs `{}`, and {file} does not list {package}", base_name(&program));
            preflight
                .findings
                .push(Finding::warning(Kind::Undeclared, summary).fix(format!("add {package} to {file}")));
        }
        Ok(())
    }

    /// Where `pip install --user` puts packages (PEP 370).
    fn user_base(&self, work: &Work) -> Result<ImagePath, Error> {
        if let Some(base) = work.variables.get("PYTHONUSERBASE") {
            return Ok(work.around.absolute(base.as_bytes()));
        }
        let home = match work.variables.get("HOME") {
            Some(home) => ImagePath::clean(home.as_bytes()),
            None => settings::home(self.files, self.image)?,
        };
        Ok(home.join(b".local"))
    }

    /// The source that runs first, where it is there; adds what is missing.
    fn target(&self, work: &Work, python: &Python, preflight: &mut Preflight) -> Result<Option<File>, Error> {
        let (_, arguments) = server::unwrapped(work);
        let places = server::places(&arguments);
        match server::target(work) {
            None => Ok(None),
            Some(Target::Unclear(what)) => {
                preflight.notes.push(format!("not judged: {what}"));
                Ok(None)
            }
            Some(Target::Script(path)) => Ok(self.script(&path, &work.around, preflight)),
            Some(Target::Module(module)) => self.module(&module, None, work, python, &places, preflight),
            Some(Target::Name { module, name }) => self.module(&module, Some(&name), work, python, &places, preflight),
        }
    }

    fn script(&self, path: &str, around: &Surroundings, preflight: &mut Preflight) -> Option<File> {
        if path.contains('$') {
            preflight.notes.push(format!("not judged: the script `{path}`"));
            return None;
        }
        let place = around.absolute(path.as_bytes());
        // A directory or an archive with `__main__.py` runs, too.
        if self.files.is_directory(&place) {
            preflight.notes.push(format!("not judged: what {place} runs"));
            return None;
        }
        let file = self.files.file(&place);
        if file.is_none() {
            let summary = format!("the command runs {place}, which is not in the image");
            preflight
                .findings
                .push(Finding::error(Kind::FileMissing, summary).fix("copy it, or correct the command or WORKDIR"));
        }
        file.filter(|file| file.path.as_bytes().ends_with(b".py"))
    }

    fn module(
        &self,
        module: &str,
        name: Option<&str>,
        work: &Work,
        python: &Python,
        places: &[String],
        preflight: &mut Preflight,
    ) -> Result<Option<File>, Error> {
        let paths = places.iter().map(String::as_str).chain([""]);
        let mut directories: Vec<ImagePath> = paths.map(|path| work.around.absolute(path.as_bytes())).collect();
        directories.extend(python.packages.iter().chain(&python.library).cloned());
        let is_open = python.is_open || self.is_configured(work)? || places.iter().any(|place| place.contains('$'));
        match module::find(self.files, &directories, module) {
            Module::Missing { .. } if is_open || python.library.is_empty() => {
                preflight
                    .notes
                    .push(format!("not judged: the module `{module}`, which may lie where nothing was looked for"));
            }
            Module::Missing { name, similar } => {
                let summary =
                    format!("the command wants the module `{module}`, and no `{name}` is in {}", directories[0]);
                let fix = similar.map(|similar| format!("is `{similar}` meant?"));
                let fix = fix.unwrap_or_else(|| "copy it, or correct the command or WORKDIR".to_owned());
                preflight.findings.push(Finding::error(Kind::ModuleMissing, summary).fix(fix));
            }
            Module::Opaque => {}
            Module::Source(file) => {
                self.name(&file, name, preflight)?;
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// Whether gunicorn reads settings that may change where modules are.
    fn is_configured(&self, work: &Work) -> Result<bool, Error> {
        if work.variables.contains_key("GUNICORN_CMD_ARGS") {
            return Ok(true);
        }
        if work.arguments.iter().any(|word| word.starts_with("-c") || word.starts_with("--config") || word == "--paste")
        {
            return Ok(true);
        }
        let file = self.files.file(&work.around.absolute(b"gunicorn.conf.py"));
        let text = file.map(|file| self.files.text(&file)).transpose()?.flatten().unwrap_or_default();
        Ok(["chdir", "pythonpath", "sys.path"].iter().any(|word| text.contains(word)))
    }

    fn name(&self, file: &File, name: Option<&str>, preflight: &mut Preflight) -> Result<(), Error> {
        let Some(name) = name else { return Ok(()) };
        let Some(text) = self.files.text(file)? else { return Ok(()) };
        match module::has(&text, name) {
            Has::Yes => {}
            // A package has its modules as names once they are imported.
            Has::Unclear => preflight.notes.push(format!("not judged: whether {} has the name `{name}`", file.path)),
            Has::No if file.path.file_name() == Some(b"__init__.py") => {
                preflight.notes.push(format!("not judged: whether {} has the name `{name}`", file.path));
            }
            Has::No => {
                let summary = format!("the command wants `{name}` of {}, which never mentions it", file.path);
                let finding = Finding::error(Kind::AttributeMissing, summary).at(&file.path, file.layer);
                preflight.findings.push(finding.fix("name the application as the module does"));
            }
        }
        Ok(())
    }
}
