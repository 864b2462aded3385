//! What a container of the image runs.

use crate::image::Image;

use super::Look;
use super::files::join;
use super::finding::{Finding, Kind};
use crate::error::Error;

/// What a container runs: the entrypoint's words, and then the command's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The words.
    pub words: Vec<String>,
    /// Where it is run.
    pub workdir: String,
    /// How many of the words are the entrypoint's.
    pub entrypoint: usize,
}

impl Command {
    /// That of an image (image-spec config.md, "Entrypoint", "Cmd").
    pub fn of(image: &Image) -> Self {
        let (entrypoint, cmd) = (image.config.entrypoint(), image.config.cmd());
        let words = entrypoint.iter().chain(cmd).cloned().collect();
        Self { words, workdir: workdir(image), entrypoint: entrypoint.len() }
    }
}

/// The directory in which it is run.
pub(super) fn workdir(image: &Image) -> String {
    let set = image.config.working_dir();
    if set.is_empty() { "/".to_owned() } else { set.to_owned() }
}

/// Words on their way to the program that stays: shells, `exec`, init programs are passed through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) words: Vec<String>,
    pub(super) directory: String,
    /// Whether a shell looks for the program, which also runs files without a first line that names an interpreter.
    pub(super) by_shell: bool,
}

/// Steps passed through before it is taken for a riddle.
const MOST_STEPS: usize = 8;

impl Look<'_> {
    /// Follows the command to the program that stays, and looks at what that one needs.
    pub(super) fn command(&mut self, command: &Command) -> Result<(), Error> {
        if command.words.iter().all(String::is_empty) {
            let finding = Finding::error(Kind::NoCommand, "the image sets neither an entrypoint nor a command");
            self.find(finding.fix("add CMD [\"PROGRAM\", \"ARGUMENT\"] to the Dockerfile"));
            return self.requirements(None, &command.workdir);
        }
        let mut step = Step { words: command.words.clone(), directory: command.workdir.clone(), by_shell: false };
        for _ in 0..MOST_STEPS {
            let Some(program) = self.program(&step)? else { return self.requirements(None, &step.directory) };
            match next(&step, program.is_shell_script && command.entrypoint > 0) {
                Next::Step(inner) => step = inner,
                Next::Stays => return self.stays(&step),
                Next::Riddle(why) => {
                    self.note(format!("not judged: {why}"));
                    return self.requirements(None, &step.directory);
                }
            }
        }
        Ok(())
    }

    /// The program that stays was found.
    fn stays(&mut self, step: &Step) -> Result<(), Error> {
        self.port(&step.words);
        self.served(step)?;
        self.node(step)?;
        self.requirements(Some(step), &step.directory)
    }
}

/// What comes after a program was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It starts another one.
    Step(Step),
    /// It is the one that stays.
    Stays,
    /// That cannot be told.
    Riddle(String),
}

fn name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// What the first word's program does with the others.
pub(super) fn next(step: &Step, is_entry_script: bool) -> Next {
    let Some((first, rest)) = step.words.split_first() else { return Next::Stays };
    let inner = |words: &[String]| Step { words: words.to_vec(), by_shell: false, ..step.clone() };
    match name(first) {
        "sh" | "bash" | "dash" | "ash" | "zsh" => shell(step, rest),
        "tini" | "dumb-init" | "catatonit" | "tini-static" | "docker-init" => {
            let words =
                rest.iter().position(|word| word == "--").map_or_else(|| without_flags(rest), |at| &rest[at + 1..]);
            if words.is_empty() { Next::Stays } else { Next::Step(inner(words)) }
        }
        "env" => match without_variables(rest) {
            Some([]) => Next::Stays,
            Some(words) => Next::Step(inner(words)),
            None => Next::Riddle("the flags of env".to_owned()),
        },
        "exec" | "nohup" if !rest.is_empty() => Next::Step(inner(rest)),
        _ if is_entry_script && !rest.is_empty() => {
            Next::Riddle(format!("what {first}, a script, does with `{}`", rest.join(" ")))
        }
        _ => Next::Stays,
    }
}

fn without_flags(words: &[String]) -> &[String] {
    let start = words.iter().position(|word| !word.starts_with('-')).unwrap_or(words.len());
    &words[start..]
}

fn without_variables(words: &[String]) -> Option<&[String]> {
    let start = words.iter().position(|word| !is_assignment(word)).unwrap_or(words.len());
    words.get(start).is_none_or(|word| !word.starts_with('-')).then_some(&words[start..])
}

fn is_assignment(word: &str) -> bool {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// `sh -c LINE`, or a script.
fn shell(step: &Step, rest: &[String]) -> Next {
    let flags = rest.iter().take_while(|word| word.starts_with('-') || *word == "pipefail").count();
    let runs_line =
        rest[..flags].iter().any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('c'));
    match rest.get(flags) {
        None => Next::Stays,
        Some(line) if runs_line => line_of(step, line),
        Some(script) => {
            let words: Vec<String> = [&[script.clone()], &rest[flags + 1..]].concat();
            Next::Riddle(format!("what the script `{}` does", words.join(" ")))
        }
    }
}

/// The last command of a shell's line. Anything beyond words, `&&`, `cd` and variables is left alone.
pub(super) fn line_of(step: &Step, line: &str) -> Next {
    let riddle = || Next::Riddle(format!("the shell's line `{line}`"));
    let beyond = ["|", ";", "<", ">", "(", ")", "`", "\n", "*", "~", "{ ", "!"];
    if beyond.iter().any(|mark| line.contains(mark)) || line.replace("&&", "").contains('&') {
        return riddle();
    }
    let Some(words) = shlex::split(line) else { return riddle() };
    let mut directory = step.directory.clone();
    let mut commands = words.split(|word| word == "&&").peekable();
    while let Some(command) = commands.next() {
        let start = command.iter().position(|word| !is_assignment(word)).unwrap_or(command.len());
        let command = &command[start..];
        let command = if command.first().is_some_and(|word| word == "exec") { &command[1..] } else { command };
        let last = commands.peek().is_none();
        match command {
            [cd, to] if cd == "cd" && !to.contains('$') => directory = join(&directory, to),
            [cd, ..] if cd == "cd" => return riddle(),
            [] => return riddle(),
            [program, ..] if last && program.contains('$') => return riddle(),
            command if last => return Next::Step(Step { words: command.to_vec(), directory, by_shell: true }),
            // What is done before may fail for reasons that nobody can read.
            _ => {}
        }
    }
    riddle()
}
