//! From a word to the program that the kernel would run, with its interpreters.

use crate::error::Error;
use crate::path::ImagePath;

use super::Look;
use super::command::Step;
use super::elf::Elf;
use super::files::{File, join, path};
use super::finding::{Finding, Kind};

/// What `PATH` is where the image sets none (runc and Docker agree).
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Interpreters of interpreters that Linux follows (`binfmt_script`).
const MOST_INTERPRETERS: usize = 5;

/// Bytes of a program's beginning, which say what runs it. Loaders put the name near the start.
const HEAD_BYTES: u64 = 64 << 10;

/// A program of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The word that names it.
    pub word: String,
    /// Where it is.
    pub path: ImagePath,
    /// What runs it, if it is a script: the interpreter that its first line names, and that one's.
    pub interpreters: Vec<ImagePath>,
    /// Whether a shell runs it.
    pub is_shell_script: bool,
}

/// Where a program was looked for and not found, or found and of no use.
enum Absent {
    Missing,
    Useless(File),
}

impl Look<'_> {
    /// The program of a step, if it can be run; why not becomes a finding.
    pub(super) fn program(&mut self, step: &Step) -> Result<Option<Program>, Error> {
        let Some(word) = step.words.first() else { return Ok(None) };
        if step.by_shell && is_builtin(word) {
            return Ok(Some(Program {
                word: word.clone(),
                path: path(word),
                interpreters: Vec::new(),
                is_shell_script: false,
            }));
        }
        let file = match self.locate(word, &step.directory) {
            Ok(file) => file,
            Err(absent) => {
                let finding = self.absent(word, absent)?;
                self.find(finding);
                return Ok(None);
            }
        };
        let mut program =
            Program { word: word.clone(), path: file.path.clone(), interpreters: Vec::new(), is_shell_script: false };
        let runs = self.runs(&file, step, &mut program, 0)?;
        if runs {
            self.programs.push(program.clone());
        }
        Ok(runs.then_some(program))
    }

    /// Looks for a program as `execvp(3)` does.
    fn locate(&self, word: &str, directory: &str) -> Result<File, Absent> {
        let places: Vec<String> = match word.contains('/') {
            true => vec![join(directory, word)],
            false => self.search_path().split(':').map(|folder| join(&join(directory, folder), word)).collect(),
        };
        let mut useless = None;
        for file in places.iter().filter_map(|place| self.files.file(&path(place))) {
            if file.mode & 0o111 != 0 {
                return Ok(file);
            }
            useless.get_or_insert(file);
        }
        Err(useless.map_or(Absent::Missing, Absent::Useless))
    }

    pub(super) fn search_path(&self) -> String {
        let set = self.image.config.env().filter(|(name, _)| *name == "PATH").last();
        set.map_or(USUAL_PATH, |(_, value)| value).to_owned()
    }

    fn absent(&mut self, word: &str, absent: Absent) -> Result<Finding, Error> {
        if let Absent::Useless(file) = absent {
            let text = format!("{} is not executable (mode {:o})", file.path, file.mode);
            let fix = format!("RUN chmod +x {} in the Dockerfile, or git update-index --chmod=+x", file.path);
            return Ok(Finding::error(Kind::NotExecutable, text).at(&file.path, file.layer).fix(fix));
        }
        let mut text = match word.contains('/') {
            true => format!("{word} is not in the image"),
            false => format!("there is no `{word}` on the PATH of the image ({})", self.search_path()),
        };
        let mut fix = format!("install {word} in the Dockerfile");
        if let Some((said, mending)) = self.undeclared(word)? {
            text = format!("{text}, and {said}");
            fix = mending;
        }
        Ok(Finding::error(Kind::ProgramMissing, text).fix(fix))
    }

    /// Whether the kernel can run a file; what runs it is added to `program`.
    fn runs(&mut self, file: &File, step: &Step, program: &mut Program, depth: usize) -> Result<bool, Error> {
        let Some(head) = self.files.head(file, HEAD_BYTES)? else {
            self.note(format!("not judged: {} is too large to be read", file.path));
            return Ok(true);
        };
        if let Some(line) = head.strip_prefix(b"#!") {
            let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
            return self.script(file, line, step, program, depth);
        }
        if Elf::is_elf(&head) {
            return Ok(self.binary(file, &head));
        }
        if step.by_shell && depth == 0 {
            program.is_shell_script = true;
            return Ok(true);
        }
        let text = format!("{} is neither a program nor a script whose first line names its interpreter", file.path);
        let fix = "begin the script with #!/bin/sh, or run it by a shell: CMD [\"sh\", \"SCRIPT\"]";
        self.find(Finding::error(Kind::NoProgram, text).at(&file.path, file.layer).fix(fix));
        Ok(false)
    }

    fn binary(&mut self, file: &File, head: &[u8]) -> bool {
        let Some(elf) = Elf::parse(head) else {
            self.note(format!("not judged: the head of {} could not be read", file.path));
            return true;
        };
        let wanted = &self.image.platform.architecture;
        if elf.runs_on(wanted) == Some(false) {
            let text = format!("{} is a program for {}, and the image is for {wanted}", file.path, elf.architecture());
            let fix =
                format!("build the image for {}: docker build --platform {}", self.image.platform, self.image.platform);
            self.find(Finding::error(Kind::Architecture, text).at(&file.path, file.layer).fix(fix));
            return false;
        }
        let Some(loader) = &elf.interpreter else { return true };
        if self.files.file(&ImagePath::clean(loader)).is_some() {
            return true;
        }
        let loader = String::from_utf8_lossy(loader);
        let text =
            format!("{} needs {loader}, which is not in the image: it was built for another C library", file.path);
        let fix = "build it in the distribution that it runs in (musl for Alpine, glibc for Debian), or statically";
        self.find(Finding::error(Kind::InterpreterMissing, text).at(&file.path, file.layer).fix(fix));
        false
    }

    fn script(
        &mut self,
        file: &File,
        line: &[u8],
        step: &Step,
        program: &mut Program,
        depth: usize,
    ) -> Result<bool, Error> {
        let line = String::from_utf8_lossy(line).into_owned();
        if line.ends_with('\r') {
            let text =
                format!("the first line of {} ends with a carriage return, so that no interpreter is found", file.path);
            let fix = "store it with plain line ends: `*.sh text eol=lf` in .gitattributes, or dos2unix";
            self.find(Finding::error(Kind::CrlfShebang, text).at(&file.path, file.layer).fix(fix));
            return Ok(false);
        }
        let mut words = line.split_whitespace();
        let interpreter = words.next().unwrap_or_default().to_owned();
        let argument = words.next().map(str::to_owned);
        let by_env = interpreter.ends_with("/env");
        let missing = |what: &str| {
            let text = format!("{} is run by {what}, which is not in the image", file.path);
            Finding::error(Kind::InterpreterMissing, text).at(&file.path, file.layer).fix(format!("install {what}"))
        };
        if by_env && argument.as_ref().is_some_and(|word| word.starts_with('-') && word != "-S") {
            self.note(format!("not judged: the first line of {}, `{line}`", file.path));
            return Ok(true);
        }
        let named = if by_env { words_of_env(&line) } else { interpreter.clone() };
        let locate = |look: &Self, word: &str| look.locate(word, &step.directory).ok();
        if by_env && self.files.file(&path(&interpreter)).is_none() {
            self.find(missing(&interpreter));
            return Ok(false);
        }
        let Some(found) = locate(self, &named) else {
            self.find(missing(&named));
            return Ok(false);
        };
        program.interpreters.push(found.path.clone());
        program.is_shell_script |= matches!(named.rsplit('/').next(), Some("sh" | "bash" | "dash" | "ash"));
        if depth >= MOST_INTERPRETERS {
            return Ok(true);
        }
        self.runs(&found, step, program, depth + 1)
    }
}

/// The program that `#!/usr/bin/env [-S] PROGRAM …` looks for.
fn words_of_env(line: &str) -> String {
    line.split_whitespace().skip(1).find(|word| *word != "-S").unwrap_or_default().to_owned()
}

/// What a shell does itself.
fn is_builtin(word: &str) -> bool {
    matches!(word, ":" | "." | "source" | "true" | "false" | "echo" | "test" | "[" | "exit" | "wait" | "set" | "export")
}
