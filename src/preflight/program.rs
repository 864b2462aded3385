//! One program: where it is, and whether the system could run it (execve(2): exec bit, `#!` line, ELF machine, loader).

use crate::error::Error;
use crate::limits;
use crate::path::ImagePath;

use super::elf::{self, Loader};
use super::files::{File, Files};
use super::{Finding, Kind};

/// Where programs are looked for when nothing says so (containerd's and runc's default).
pub(super) const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Who runs a program. A shell takes a file without a `#!` line for a script of its own, and so does `execvp` of glibc,
/// by which other programs start one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    System,
    Wrapper,
    Shell,
}

/// Where names are looked up.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) path: String,
    pub(super) directory: ImagePath,
}

impl Surroundings {
    /// A path as the process would have it.
    pub(super) fn absolute(&self, name: &[u8]) -> ImagePath {
        if name.starts_with(b"/") { ImagePath::clean(name) } else { self.directory.join(name) }
    }

    /// Where a program of this name may be.
    pub(super) fn candidates(&self, name: &[u8]) -> Vec<ImagePath> {
        if name.contains(&b'/') {
            return vec![self.absolute(name)];
        }
        self.path.split(':').map(|directory| self.absolute(directory.as_bytes()).join(name)).collect()
    }
}

/// A program that can be run.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// Its path as it is called, links not followed: a virtual environment is known by it.
    pub(super) called: ImagePath,
    /// The file.
    pub(super) file: File,
    /// Its interpreters as they are called, the script's first, then that one's loader.
    pub(super) interpreters: Vec<ImagePath>,
}

/// Finds the program `name`, and everything that the system needs to run it. The finding says why it cannot.
pub(super) fn find(
    files: &Files<'_>,
    name: &str,
    around: &Surroundings,
    by: By,
    architecture: &str,
) -> Result<Result<Program, Finding>, Error> {
    let (called, file) = match located(files, name, around) {
        Ok(found) => found,
        Err(finding) => return Ok(Err(finding)),
    };
    let mut chain = Chain { files, around, architecture, interpreters: Vec::new() };
    let fault = chain.follow(&file, by, 0)?;
    Ok(match fault {
        Some(finding) => Err(finding),
        None => Ok(Program { called, file, interpreters: chain.interpreters }),
    })
}

/// The first file of that name that can be run; failing that, why the first of all cannot.
fn located(files: &Files<'_>, name: &str, around: &Surroundings) -> Result<(ImagePath, File), Finding> {
    let mut denied = None;
    for path in around.candidates(name.as_bytes()) {
        match files.file(&path) {
            Some(file) if file.mode & 0o111 != 0 => return Ok((path, file)),
            Some(file) => drop(denied.get_or_insert((path, file))),
            None if name.contains('/') && files.is_directory(&path) => {
                return Err(Finding::error(Kind::NotAProgram, format!("{path} is a directory, no program")));
            }
            None => {}
        }
    }
    Err(match denied {
        Some((path, file)) => {
            let mode = file.mode & 0o7777;
            let summary = format!("{path} has no exec bit (mode {mode:04o}), so that it cannot be run");
            let name = String::from_utf8_lossy(path.file_name().unwrap_or_default()).into_owned();
            let fix = format!("git update-index --chmod=+x {name}, or RUN chmod +x {path}");
            Finding::error(Kind::NotExecutable, summary).at(&file.path, file.layer).fix(fix)
        }
        None if name.contains('/') => {
            let path = around.absolute(name.as_bytes());
            Finding::error(Kind::ProgramMissing, format!("the command runs {path}, which is not in the image"))
        }
        None => {
            let summary = format!("the command runs `{name}`, and no directory of PATH ({}) has it", around.path);
            Finding::error(Kind::ProgramMissing, summary)
        }
    })
}

/// Scripts and their interpreters.
struct Chain<'a> {
    files: &'a Files<'a>,
    around: &'a Surroundings,
    architecture: &'a str,
    interpreters: Vec<ImagePath>,
}

impl Chain<'_> {
    fn follow(&mut self, file: &File, by: By, depth: usize) -> Result<Option<Finding>, Error> {
        let head = self.files.head(file)?;
        if elf::is_elf(&head) {
            return Ok(self.binary(file, &head));
        }
        if let Some(line) = head.strip_prefix(b"#!") {
            return self.script(file, line, depth);
        }
        let is_text = !head.is_empty() && !head.iter().take(4096).any(|&byte| byte == 0);
        if by != By::System && is_text {
            return Ok(None);
        }
        let what = match (head.is_empty(), is_text) {
            (true, _) => "is empty",
            (_, true) => "has no #! line",
            _ => "is neither ELF nor a script",
        };
        let summary = format!("{} {what}, so that the system cannot run it (exec format error)", file.path);
        let finding = Finding::error(Kind::NotAProgram, summary).at(&file.path, file.layer);
        Ok(Some(if is_text { finding.fix("begin it with #!/bin/sh") } else { finding }))
    }

    fn binary(&mut self, file: &File, head: &[u8]) -> Option<Finding> {
        // Too broken to say anything of it.
        let elf = elf::parse(head)?;
        let fits = elf::machine_of(self.architecture).is_none_or(|(machine, _)| {
            // Kernels for 64 bits run programs for 32, too.
            let narrow = matches!((self.architecture, elf.machine), ("amd64", 3) | ("arm64", 40));
            machine == elf.machine || narrow
        });
        if !fits {
            let summary = format!(
                "{} is a program for {}, and the image is for {}",
                file.path,
                elf::architecture(&elf),
                self.architecture
            );
            let fix = format!("build it for {}: docker build --platform linux/{0}", self.architecture);
            return Some(Finding::error(Kind::WrongArchitecture, summary).at(&file.path, file.layer).fix(fix));
        }
        let Loader::Path(path) = elf.loader else { return None };
        let loader = self.around.absolute(&path);
        if self.files.file(&loader).is_some() {
            self.interpreters.push(loader);
            return None;
        }
        let libc = if loader.as_bytes().windows(4).any(|window| window == b"musl") {
            "it was built for musl (Alpine), and the image has no musl"
        } else {
            "it was built for glibc (Debian and others), and the image has no glibc"
        };
        let summary =
            format!("{} needs the loader {loader}, which is not in the image (no such file or directory)", file.path);
        let fix = format!("{libc}: build it on the image's own base, or statically");
        Some(Finding::error(Kind::InterpreterMissing, summary).at(&file.path, file.layer).fix(fix))
    }

    fn script(&mut self, file: &File, line: &[u8], depth: usize) -> Result<Option<Finding>, Error> {
        let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let found = |finding: Finding| Ok(Some(finding.at(&file.path, file.layer)));
        if line.ends_with(b"\r") {
            let summary = format!(
                "the #! line of {} ends in a carriage return, which becomes part of the interpreter's name",
                file.path
            );
            let fix = "dos2unix on the file, and `*.sh text eol=lf` in .gitattributes";
            return found(Finding::error(Kind::CrlfShebang, summary).fix(fix));
        }
        let words: Vec<&[u8]> =
            line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty()).collect();
        let Some((&first, arguments)) = words.split_first() else {
            return found(Finding::error(Kind::NotAProgram, format!("the #! line of {} names nothing", file.path)));
        };
        if depth >= limits::INTERPRETERS {
            return found(Finding::error(Kind::InterpreterMissing, format!("{} has too many interpreters", file.path)));
        }
        let mut wanted = vec![first];
        if ImagePath::clean(first).file_name() == Some(b"env") {
            let arguments = arguments.iter().skip_while(|word| **word == b"-S");
            // Options of `env` and variables say more than is read here.
            let name = arguments.copied().next().filter(|word| !word.starts_with(b"-") && !word.contains(&b'='));
            wanted.extend(name);
        }
        for name in wanted {
            if let Some(finding) = self.interpreter(file, name, depth)? {
                return Ok(Some(finding));
            }
        }
        Ok(None)
    }

    fn interpreter(&mut self, file: &File, name: &[u8], depth: usize) -> Result<Option<Finding>, Error> {
        let shown = String::from_utf8_lossy(name).into_owned();
        match located(self.files, &shown, self.around) {
            Err(finding) => {
                let summary = match finding.kind {
                    Kind::ProgramMissing => format!("{} is a script for {shown}, which is not in the image", file.path),
                    _ => format!("{} is a script for {shown}: {}", file.path, finding.summary),
                };
                let kind = if finding.kind == Kind::ProgramMissing { Kind::InterpreterMissing } else { finding.kind };
                Ok(Some(Finding { kind, summary, ..finding }.at(&file.path, file.layer)))
            }
            Ok((path, interpreter)) => {
                self.interpreters.push(path);
                self.follow(&interpreter, By::System, depth + 1)
            }
        }
    }
}
