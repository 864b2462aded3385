//! What a Python command line asks for: which program, which module, which name in it.

use crate::preflight::launch::{Work, base_name};

/// What has to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A script by its path.
    Script(String),
    /// A module that is run (`python -m`).
    Module(String),
    /// A name of a module, as servers want it.
    Name { module: String, name: String },
    /// Not read here, and why.
    Unclear(String),
}

/// Options of servers that take no value.
const FLAGS: [(&str, &[&str]); 3] = [
    (
        "gunicorn",
        &[
            "--reload",
            "--check-config",
            "--print-config",
            "--preload",
            "--no-sendfile",
            "--reuse-port",
            "-D",
            "--daemon",
            "-R",
            "--enable-stdio-inheritance",
            "--capture-output",
            "--log-syslog",
            "--spew",
            "--proxy-protocol",
            "--initgroups",
            "--do-handshake-on-connect",
            "--suppress-ragged-eofs",
            "--strip-header-spaces",
            "--disable-redirect-access-to-syslog",
            "--permit-obsolete-folding",
            "--permit-unconventional-http-method",
            "--permit-unconventional-http-version",
            "--casefold-http-method",
        ],
    ),
    (
        "uvicorn",
        &[
            "--reload",
            "--factory",
            "--proxy-headers",
            "--no-proxy-headers",
            "--server-header",
            "--no-server-header",
            "--date-header",
            "--no-date-header",
            "--access-log",
            "--no-access-log",
            "--use-colors",
            "--no-use-colors",
        ],
    ),
    ("hypercorn", &["--reload", "-D", "--daemon", "--debug"]),
];

/// Options that change where modules are looked for.
const PLACES: [&str; 3] = ["--chdir", "--app-dir", "--pythonpath"];

/// The program and its arguments, behind `python -m`.
pub(in crate::preflight) fn unwrapped(work: &Work) -> (String, Vec<String>) {
    let arguments = after_switches(&work.arguments);
    match arguments {
        [flag, module, rest @ ..] if is_python(base_name(&work.name)) && flag == "-m" => {
            (module.clone(), rest.to_vec())
        }
        _ => (work.name.clone(), work.arguments.clone()),
    }
}

/// Whether a program of this name is Python itself.
pub(super) fn is_python(name: &str) -> bool {
    let version = name.strip_prefix("python");
    version.is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// Switches of Python that change nothing here.
fn after_switches(arguments: &[String]) -> &[String] {
    let is_switch = |word: &&String| matches!(word.as_str(), "-u" | "-B" | "-O" | "-OO" | "-b" | "-v" | "-q" | "-d");
    &arguments[arguments.iter().take_while(is_switch).count()..]
}

/// Directories that options put before all others, in order.
pub(super) fn places(arguments: &[String]) -> Vec<String> {
    let mut places = Vec::new();
    for (position, word) in arguments.iter().enumerate() {
        match word.split_once('=') {
            Some((option, value)) if PLACES.contains(&option) => places.push(value.to_owned()),
            None if PLACES.contains(&word.as_str()) => places.extend(arguments.get(position + 1).cloned()),
            _ => {}
        }
    }
    // `--pythonpath` takes a list.
    places.iter().flat_map(|place| place.split(',')).map(str::to_owned).collect()
}

/// What the command asks for; `None` where it asks for nothing of Python.
pub(super) fn target(work: &Work) -> Option<Target> {
    let (name, arguments) = unwrapped(work);
    let name = base_name(&name).to_owned();
    if is_python(&name) {
        return python(&arguments);
    }
    let target = match name.as_str() {
        "gunicorn" | "uvicorn" | "hypercorn" => served(&name, &arguments),
        "flask" => flask(work, &arguments),
        _ if name == work.name || !is_python(base_name(&work.name)) => return None,
        _ => checked(&name, None),
    };
    Some(target)
}

fn python(arguments: &[String]) -> Option<Target> {
    let arguments = after_switches(arguments);
    let first = arguments.first()?;
    if first.starts_with('-') {
        return Some(Target::Unclear(format!("`python {first}`")));
    }
    Some(Target::Script(first.clone()))
}

fn served(name: &str, arguments: &[String]) -> Target {
    let flags = FLAGS.iter().find(|(server, _)| *server == name).map_or(&[][..], |(_, flags)| flags);
    let mut words = arguments.iter();
    let mut positional = None;
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            positional = Some(word);
            break;
        }
        let has_value = word.contains('=') || !word.starts_with("--") && word.len() > 2;
        if !has_value && !flags.contains(&word.as_str()) {
            words.next();
        }
    }
    match positional {
        None => Target::Unclear(format!("what `{name}` serves, which its arguments do not say")),
        Some(word) => named(
            word,
            if name == "gunicorn" { Some("application") } else { Some("app").filter(|_| name == "hypercorn") },
        ),
    }
}

fn flask(work: &Work, arguments: &[String]) -> Target {
    let mut app = work.variables.get("FLASK_APP").cloned();
    for (position, word) in arguments.iter().enumerate() {
        match word.strip_prefix("--app=") {
            Some(value) => app = Some(value.to_owned()),
            None if word == "--app" || word == "-A" => app = arguments.get(position + 1).cloned(),
            None => {}
        }
    }
    match app {
        None => Target::Unclear("which application `flask` runs".to_owned()),
        Some(app) => {
            let module = app.split(':').next().unwrap_or_default();
            match module.strip_suffix(".py").unwrap_or(module) {
                path if path.contains('/') => Target::Script(module.to_owned()),
                module => checked(module, None),
            }
        }
    }
}

/// `module:name`, `module:name()` or `module`.
fn named(word: &str, usual: Option<&str>) -> Target {
    let (module, name) = match word.split_once(':') {
        Some((module, name)) => (module, Some(name)),
        None => (word, usual),
    };
    let name = name.map(|name| name.split(['(', '.']).next().unwrap_or_default());
    checked(module, name)
}

fn checked(module: &str, name: Option<&str>) -> Target {
    let is_name = |text: &str| {
        text.chars().all(|c| c.is_alphanumeric() || c == '_') && !text.is_empty() && !text.starts_with(char::is_numeric)
    };
    if !module.split('.').all(is_name) || !name.is_none_or(is_name) {
        return Target::Unclear(format!("the application `{module}`"));
    }
    match name {
        Some(name) => Target::Name { module: module.to_owned(), name: name.to_owned() },
        None => Target::Module(module.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(module: &str, name: &str) -> Target {
        Target::Name { module: module.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn servers_name_what_they_serve() {
        let table = [
            ("gunicorn", "-w 4 --bind 0.0.0.0:$PORT main:app", name("main", "app")),
            ("gunicorn", "--preload -b:80 pkg.web", name("pkg.web", "application")),
            ("gunicorn", "--timeout=0 pkg.web:create_app()", name("pkg.web", "create_app")),
            ("gunicorn", "-k uvicorn.workers.UvicornWorker a:b.c", name("a", "b")),
            ("uvicorn", "main:app --host 0.0.0.0", name("main", "app")),
            ("uvicorn", "--factory --port 8080 main:make", name("main", "make")),
            ("hypercorn", "main", name("main", "app")),
        ];
        for (server, arguments, expected) in table {
            let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
            assert_eq!(served(server, &arguments), expected, "{server} {arguments:?}");
        }
        assert!(matches!(served("gunicorn", &["-c".to_owned(), "x.py".to_owned()]), Target::Unclear(_)));
        assert!(matches!(named("$APP", None), Target::Unclear(_)));
        assert!(is_python("python3.12") && is_python("python") && !is_python("pythonic"));
    }
}
