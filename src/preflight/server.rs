//! What a Python command names: a script, a module, or an application for a server to import.

use crate::error::Error;

use super::Look;
use super::command::Step;
use super::files::{join, path};
use super::finding::{Finding, Kind};
use super::python::{Module, target};

/// Servers that import an application which the command names.
const SERVERS: [&str; 5] = ["gunicorn", "uvicorn", "hypercorn", "daphne", "waitress-serve"];

/// What the words of a Python command name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A file to run.
    Script(String),
    /// A module to run.
    Module(String),
    /// A module, and what in it is the application.
    Application { module: String, attribute: Option<String> },
    /// Nothing that is known here.
    Nothing,
}

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// Whether a word is a Python interpreter's name: `python`, `python3`, `python3.12`.
pub(super) fn is_python(word: &str) -> bool {
    base(word).strip_prefix("python").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// What `words` name.
pub(super) fn named(words: &[String]) -> Named {
    let Some((first, rest)) = words.split_first() else { return Named::Nothing };
    if !is_python(first) {
        return by_server(base(first), rest);
    }
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-m" => {
                let module = rest.next().cloned().unwrap_or_default();
                return match by_server(&module, rest.as_slice()) {
                    Named::Nothing => Named::Module(module),
                    named => named,
                };
            }
            "-c" | "-" => return Named::Nothing,
            "-W" | "-X" => {
                rest.next();
            }
            flag if flag.starts_with('-') => {}
            script => return Named::Script(script.to_owned()),
        }
    }
    Named::Nothing
}

fn by_server(server: &str, rest: &[String]) -> Named {
    if server == "flask" {
        let app = value_of(rest, &["--app", "-A"]);
        return app.map_or(Named::Nothing, |app| {
            application(&app).unwrap_or(Named::Application { module: app, attribute: None })
        });
    }
    if !SERVERS.contains(&server) {
        return Named::Nothing;
    }
    rest.iter().rev().find_map(|word| application(word)).unwrap_or(Named::Nothing)
}

/// `pkg.module:app`, `module:create_app()`.
fn application(word: &str) -> Option<Named> {
    let (module, attribute) = word.split_once(':')?;
    let attribute = attribute.split(['(', '.']).next().unwrap_or_default();
    let is_name = |name: &str| {
        let starts = |c: char| c.is_alphabetic() || c == '_';
        name.starts_with(starts) && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let is_module = module.split('.').all(is_name);
    (is_module && is_name(attribute))
        .then(|| Named::Application { module: module.to_owned(), attribute: Some(attribute.to_owned()) })
}

/// The value of a flag, as `--flag VALUE` or `--flag=VALUE`.
fn value_of(words: &[String], flags: &[&str]) -> Option<String> {
    words.iter().enumerate().find_map(|(at, word)| match word.split_once('=') {
        Some((flag, value)) if flags.contains(&flag) => Some(value.to_owned()),
        _ if flags.contains(&word.as_str()) => words.get(at + 1).cloned(),
        _ => None,
    })
}

impl Look<'_> {
    /// Whether what the command names is there.
    pub(super) fn served(&mut self, step: &Step) -> Result<(), Error> {
        let moved = value_of(&step.words, &["--chdir", "--app-dir"]);
        let directory = moved.map_or_else(|| step.directory.clone(), |to| join(&step.directory, &to));
        match named(&step.words) {
            Named::Nothing => Ok(()),
            Named::Script(script) => {
                self.script_there(&join(&step.directory, &script));
                Ok(())
            }
            Named::Module(module) => self.module(&module, None, &directory),
            Named::Application { module, attribute } => self.module(&module, attribute.as_deref(), &directory),
        }
    }

    /// Python runs files, and directories and archives with a `__main__.py` in them.
    fn script_there(&mut self, script: &str) {
        if self.files.lookup(&path(script)).is_none() {
            let text = format!("the command runs {}, which is not in the image", path(script));
            self.find(Finding::error(Kind::FileMissing, text).fix("COPY it in the Dockerfile, or mend the command"));
        }
    }

    fn module(&mut self, module: &str, attribute: Option<&str>, directory: &str) -> Result<(), Error> {
        let places = self.module_places(directory);
        let found = target(&self.files, module, &places);
        let file = match found {
            Module::Source(file) => file,
            Module::Other => return Ok(()),
            Module::Missing(known) => {
                let hooks = self.import_hooks();
                let text = match known {
                    Some(package) => {
                        format!("the command names the module {module}, and the package {package} has no such part")
                    }
                    None => format!("the command names the module {module}, which is not in {directory} nor installed"),
                };
                match hooks {
                    Some(hook) => self.note(format!("not judged: {text}, but {hook} may bring it")),
                    None => {
                        let fix = format!("COPY it to {directory}, or mend the command");
                        self.find(Finding::error(Kind::ModuleMissing, text).fix(fix));
                    }
                }
                return Ok(());
            }
        };
        let Some(attribute) = attribute else { return Ok(()) };
        let Some(source) = self.files.text(&file.path)? else { return Ok(()) };
        if super::python::may_have(&source, attribute) {
            return Ok(());
        }
        let text = format!("the command names `{attribute}` in {}, which has nothing of that name", file.path);
        let fix = format!("name what is there, as in {module}:app");
        self.find(Finding::error(Kind::AttributeMissing, text).at(&file.path, file.layer).fix(fix));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Named {
        named(&shlex::split(line).unwrap())
    }

    #[test]
    fn what_commands_name() {
        let application = |module: &str, attribute: &str| Named::Application {
            module: module.to_owned(),
            attribute: Some(attribute.to_owned()),
        };
        let table = [
            ("gunicorn --bind :$PORT --workers 1 --threads 8 main:app", application("main", "app")),
            ("/usr/local/bin/gunicorn -b 0.0.0.0:8080 'shop.web:create_app()'", application("shop.web", "create_app")),
            ("gunicorn -k uvicorn.workers.UvicornWorker main:app --bind localhost:8080", application("main", "app")),
            ("uvicorn app.main:api.app --host 0.0.0.0", application("app.main", "api")),
            ("python -m gunicorn main:app", application("main", "app")),
            ("python3.12 -u -m uvicorn main:app", application("main", "app")),
            ("flask --app hello run", Named::Application { module: "hello".to_owned(), attribute: None }),
            ("flask --app=hello:web run --port 8080", application("hello", "web")),
            ("flask run", Named::Nothing),
            ("gunicorn -c conf.py", Named::Nothing),
            ("python main.py --port 5000", Named::Script("main.py".to_owned())),
            ("python -W ignore -u /srv/main.py", Named::Script("/srv/main.py".to_owned())),
            ("python -m http.server 8080", Named::Module("http.server".to_owned())),
            ("python -c 'import x:y'", Named::Nothing),
            ("node server.js", Named::Nothing),
        ];
        for (line, expected) in table {
            assert_eq!(of(line), expected, "{line}");
        }
    }
}
