//! From an image's entrypoint and command to the program that does the work, through shells and wrappers.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::path::ImagePath;

use super::files::Files;
use super::program::{self, By, Program, Surroundings, USUAL_PATH};
use super::shell::{self, Simple};
use super::{Finding, Kind};

/// Shells, by the names that they are called by.
const SHELLS: [&str; 5] = ["sh", "bash", "dash", "ash", "busybox"];

/// What shells do themselves, and what is no work of an application (POSIX.1-2024, 2.15; bash and busybox ash).
const BUILTINS: [&str; 38] = [
    ":", "alias", "break", "builtin", "cd", "command", "continue", "declare", "echo", "enable", "exit", "export",
    "false", "getopts", "hash", "help", "history", "jobs", "kill", "let", "local", "printf", "pwd", "read", "readonly",
    "return", "set", "shift", "shopt", "test", "times", "trap", "true", "type", "ulimit", "umask", "unset", "wait",
];

/// Programs that look for another one by rules of their own.
const OPAQUE: [&str; 20] = [
    "poetry",
    "uv",
    "uvx",
    "pipenv",
    "pdm",
    "hatch",
    "conda",
    "mamba",
    "micromamba",
    "gosu",
    "su-exec",
    "su",
    "sudo",
    "npx",
    "supervisord",
    "honcho",
    "opentelemetry-instrument",
    "ddtrace-run",
    "newrelic-admin",
    "s6-svscan",
];

/// Steps from one wrapper to the next; more is no real command.
const MOST_STEPS: usize = 16;

/// The end of the way: a program with its arguments and what is around it.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
    pub(super) program: Program,
    pub(super) around: Surroundings,
    pub(super) variables: BTreeMap<String, String>,
    /// Whether a shell put the values of variables into the arguments.
    pub(super) is_expanded: bool,
}

/// What came of following a command.
#[derive(Debug, Default)]
pub(super) struct Launch {
    pub(super) work: Option<Work>,
    /// The program that could not be run, by its name.
    pub(super) failed: Option<String>,
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
}

/// Where a command stands.
struct Step {
    words: Vec<String>,
    around: Surroundings,
    variables: BTreeMap<String, String>,
    by: By,
    /// Whether a shell put the values of variables into the words.
    is_expanded: bool,
}

/// Follows the command of an image.
pub(super) fn follow(
    files: &Files<'_>,
    argv: &[String],
    directory: &ImagePath,
    variables: &BTreeMap<String, String>,
    architecture: &str,
) -> Result<Launch, Error> {
    let path = variables.get("PATH").map_or(USUAL_PATH, String::as_str).to_owned();
    let around = Surroundings { path, directory: directory.clone() };
    let mut step =
        Step { words: argv.to_vec(), around, variables: variables.clone(), by: By::System, is_expanded: false };
    let mut launch = Launch::default();
    for _ in 0..MOST_STEPS {
        match launch.take(files, step, architecture)? {
            Some(next) => step = next,
            None => return Ok(launch),
        }
    }
    launch.refuse("a command of too many wrappers");
    Ok(launch)
}

/// The last name of a program's path.
pub(super) fn base_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

impl Launch {
    fn refuse(&mut self, what: &str) {
        self.notes.push(format!("not judged: {what}"));
    }

    /// A program that cannot be run.
    fn fail(&mut self, name: &str, finding: Finding, around: &Surroundings) {
        if finding.kind == Kind::ProgramMissing && around.path.contains('$') {
            self.refuse(&format!("where `{name}` is, as a variable is part of PATH"));
            return;
        }
        self.failed = Some(name.to_owned());
        self.findings.push(finding);
    }

    /// Finds the program of a step, and the next step where that is a wrapper.
    fn take(&mut self, files: &Files<'_>, step: Step, architecture: &str) -> Result<Option<Step>, Error> {
        let Some((name, arguments)) = step.words.split_first() else { return Ok(None) };
        if name.contains('$') && step.by == By::Shell {
            self.refuse(&format!("the program `{name}`, which a variable names"));
            return Ok(None);
        }
        let program = match program::find(files, name, &step.around, step.by, architecture)? {
            Ok(program) => program,
            Err(finding) => {
                self.fail(name, finding, &step.around);
                return Ok(None);
            }
        };
        let base = base_name(name);
        let next = |words: Vec<String>, step: &Step, by| Step {
            words,
            around: step.around.clone(),
            variables: step.variables.clone(),
            by,
            is_expanded: step.is_expanded,
        };
        let wrapped = match base {
            "tini" | "dumb-init" | "catatonit" => Some(after_options(arguments, &["-p", "-e", "-r", "--rewrite"])),
            "env" if arguments.first().is_some_and(|first| !first.starts_with('-')) => return Ok(self.env(step)),
            "nice" | "nohup" | "exec" if arguments.first().is_some_and(|first| !first.starts_with('-')) => {
                Some(arguments.to_vec())
            }
            _ => None,
        };
        if let Some(words) = wrapped.filter(|words| !words.is_empty()) {
            return Ok(Some(next(words, &step, By::Wrapper)));
        }
        let is_applet = base == "busybox" && !arguments.first().is_some_and(|first| SHELLS.contains(&first.as_str()));
        if SHELLS.contains(&base) && !is_applet {
            return self.shell(files, &step, program, architecture);
        }
        self.settle(files, step, program, architecture)?;
        Ok(None)
    }

    /// The program that does the work; of a script that starts another command, that one is looked at, too.
    fn settle(&mut self, files: &Files<'_>, step: Step, program: Program, architecture: &str) -> Result<(), Error> {
        let Some((name, arguments)) = step.words.split_first() else { return Ok(()) };
        if OPAQUE.contains(&base_name(name)) {
            self.refuse(&format!("what `{name}` starts"));
        } else if is_shell_script(&program) {
            self.refuse(&format!("what the script {} does", program.file.path));
            if let Some(first) = arguments.first().filter(|first| !first.starts_with('-'))
                && let Err(finding) = program::find(files, first, &step.around, By::System, architecture)?
            {
                self.notes.push(format!("if {} runs its arguments: {}", program.file.path, finding.summary));
            }
        }
        let (name, arguments) = (name.clone(), arguments.to_vec());
        let Step { around, variables, is_expanded, .. } = step;
        self.work = Some(Work { name, arguments, program, around, variables, is_expanded });
        Ok(())
    }

    fn env(&mut self, mut step: Step) -> Option<Step> {
        let is_assignment = |word: &&String| word.contains('=');
        step.by = By::Wrapper;
        let words = step.words.split_off(1);
        let count = words.iter().take_while(is_assignment).count();
        for word in &words[..count] {
            let (name, value) = word.split_once('=').unwrap_or_default();
            step.set(name, value);
        }
        step.words = words[count..].to_vec();
        if step.words.first().is_some_and(|first| first.starts_with('-')) {
            self.refuse("options of `env`");
            return None;
        }
        Some(step)
    }

    /// A shell: the commands of `-c`, or a script.
    fn shell(
        &mut self,
        files: &Files<'_>,
        step: &Step,
        program: Program,
        architecture: &str,
    ) -> Result<Option<Step>, Error> {
        let shell = if base_name(&step.words[0]) == "busybox" { 2 } else { 1 };
        let mut arguments = after_shell_options(step.words.get(shell..).unwrap_or_default()).iter();
        let Some(first) = arguments.next() else {
            self.refuse("a shell without a command, which ends at once");
            return Ok(None);
        };
        let is_command = first.starts_with('-') && !first.starts_with("--") && first.ends_with('c');
        if first.starts_with("-l") || first == "-lc" || first.contains('l') && is_command {
            self.refuse("a login shell, which may change PATH");
            return Ok(None);
        }
        if is_command {
            let Some(text) = arguments.next() else { return Ok(None) };
            return match shell::parse(text, &step.variables) {
                Ok(commands) => self.list(files, step, &commands, architecture),
                Err(what) => {
                    self.refuse(&what);
                    Ok(None)
                }
            };
        }
        if first.starts_with(['-', '+']) {
            self.refuse(&format!("options of the shell `{}`", step.words[0]));
            return Ok(None);
        }
        let path = step.around.absolute(first.as_bytes());
        // bash looks for it in PATH, too.
        let is_there = || step.around.candidates(first.as_bytes()).iter().any(|path| files.file(path).is_some());
        if files.file(&path).is_none() && !is_there() {
            self.failed = Some(first.clone());
            self.findings.push(Finding::error(Kind::FileMissing, format!("the script {path} is not in the image")));
            return Ok(None);
        }
        self.refuse(&format!("what the script {path} does"));
        self.work = Some(Work {
            name: step.words[0].clone(),
            arguments: step.words[1..].to_vec(),
            program,
            around: step.around.clone(),
            variables: step.variables.clone(),
            is_expanded: step.is_expanded,
        });
        Ok(None)
    }

    /// The commands of a shell, of which the last does the work.
    fn list(
        &mut self,
        files: &Files<'_>,
        step: &Step,
        commands: &[Simple],
        architecture: &str,
    ) -> Result<Option<Step>, Error> {
        let (around, variables) = (step.around.clone(), step.variables.clone());
        let mut shell = Step { words: Vec::new(), around, variables, by: By::Shell, is_expanded: true };
        let Some((last, before)) = commands.split_last() else { return Ok(None) };
        for command in before {
            if let Some(what) = shell.builtin(command) {
                self.refuse(&what);
                return Ok(None);
            }
            let Some(name) = command.words.first().filter(|name| !BUILTINS.contains(&name.as_str())) else { continue };
            if name.contains('$') {
                continue;
            }
            if let Err(finding) = program::find(files, name, &shell.around, By::Shell, architecture)? {
                if command.must_succeed {
                    self.fail(name, finding, &shell.around);
                    return Ok(None);
                }
                self.notes.push(finding.summary);
            }
        }
        last.assignments.iter().for_each(|(name, value)| shell.set(name, value));
        shell.words = last.words.clone();
        while shell.words.first().is_some_and(|first| first == "exec" || first == "command") {
            shell.words.remove(0);
        }
        let first = shell.words.first().map(String::as_str).unwrap_or_default();
        if first.starts_with('-') || BUILTINS.contains(&first) || matches!(first, "." | "source" | "eval" | "") {
            self.refuse(&format!("the shell command `{}`", last.words.join(" ")));
            return Ok(None);
        }
        Ok(Some(shell))
    }
}

impl Step {
    fn set(&mut self, name: &str, value: &str) {
        if name == "PATH" {
            self.around.path = value.to_owned();
        }
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// What a command of the shell itself changes; the text names one that is not followed.
    fn builtin(&mut self, command: &Simple) -> Option<String> {
        let Some((name, arguments)) = command.words.split_first() else {
            command.assignments.iter().for_each(|(name, value)| self.set(name, value));
            return None;
        };
        match (name.as_str(), arguments) {
            ("cd", [directory]) if !directory.contains('$') && directory != "-" => {
                self.around.directory = self.around.absolute(directory.as_bytes());
            }
            ("cd" | "pushd" | "popd" | "." | "source" | "eval" | "exec" | "exit" | "return" | "trap" | "shift", _) => {
                return Some(format!("the shell command `{}`", command.words.join(" ")));
            }
            ("export", arguments) => {
                for (name, value) in arguments.iter().filter_map(|word| word.split_once('=')) {
                    self.set(name, value);
                }
            }
            _ => {}
        }
        None
    }
}

/// What stands after the options of a wrapper; `valued` take the next word.
fn after_options(arguments: &[String], valued: &[&str]) -> Vec<String> {
    let mut rest = arguments;
    while let Some((first, others)) = rest.split_first() {
        rest = match first.as_str() {
            "--" => return others.to_vec(),
            option if valued.contains(&option) => others.get(1..).unwrap_or_default(),
            option if option.starts_with('-') => others,
            _ => break,
        };
    }
    rest.to_vec()
}

/// What stands after the options of a shell that change nothing here.
fn after_shell_options(arguments: &[String]) -> &[String] {
    match arguments {
        [option, value, rest @ ..] if option == "-o" && value == "pipefail" => after_shell_options(rest),
        [option, rest @ ..] if matches!(option.as_str(), "-e" | "-u" | "-x" | "-eu" | "-ex" | "-eux") => {
            after_shell_options(rest)
        }
        [option, value, rest @ ..]
            if matches!(option.as_str(), "-eo" | "-euo" | "-exo" | "-euxo") && value == "pipefail" =>
        {
            after_shell_options(rest)
        }
        _ => arguments,
    }
}

fn is_shell_script(program: &Program) -> bool {
    let names = program.interpreters.iter().filter_map(ImagePath::file_name);
    // The first interpreter is the one in the `#!` line; `env` stands before it.
    let script = names.clone().find(|name| *name != b"env");
    script.is_some_and(|name| SHELLS.iter().any(|shell| shell.as_bytes() == name)) && names.count() > 0
}
