//! Dockerfiles: which files of the build context they put where.
//!
//! Reads the instructions that decide this (`FROM`, `ARG`, `ENV`, `WORKDIR`, `COPY`, `ADD`, and `CMD` and `ENTRYPOINT`
//! for what is started); all others, `ONBUILD` among them, are passed over. The rules are BuildKit's
//! (`frontend/dockerfile` of moby/buildkit). A word that depends on something the file does not tell, such as a build
//! argument nobody gave, makes its step unresolved: it is reported with the reason, and never guessed.

mod copy;
mod error;
mod expand;
mod instruction;
mod lines;
mod resolve;
mod words;

pub use error::DockerfileError;
pub use expand::Unknown;
pub use instruction::Command;
pub use resolve::{BuildArguments, ResolvedStage, UnresolvedStep};

pub(super) use copy::{WrittenCopy, path_of_history, words_of_history};
use instruction::{Instruction, Numbered};

/// A parsed Dockerfile: its stages, with nothing substituted yet.
#[derive(Clone, Debug)]
pub struct Dockerfile {
    escape: char,
    global: Vec<Numbered>,
    stages: Vec<Stage>,
}

/// From one `FROM` to the next.
#[derive(Clone, Debug)]
struct Stage {
    line: usize,
    text: String,
    image: String,
    name: Option<String>,
    instructions: Vec<Numbered>,
}

/// Parses the text of a Dockerfile. Bytes that are not UTF-8 become U+FFFD, as BuildKit has it.
pub fn parse(text: &[u8]) -> Result<Dockerfile, DockerfileError> {
    let script = lines::read(&String::from_utf8_lossy(text))?;
    let mut dockerfile = Dockerfile { escape: script.escape, global: Vec::new(), stages: Vec::new() };
    for line in &script.lines {
        match Instruction::parse(line, script.escape)? {
            Some(Instruction::From { image, name }) => {
                let (line, text) = (line.number, line.text.clone());
                dockerfile.stages.push(Stage { line, text, image, name, instructions: Vec::new() });
            }
            Some(instruction) => {
                dockerfile.push(Numbered { line: line.number, text: line.text.clone(), instruction })?
            }
            None => {}
        }
    }
    if dockerfile.stages.is_empty() { Err(DockerfileError::NoStage) } else { Ok(dockerfile) }
}

impl Dockerfile {
    fn push(&mut self, numbered: Numbered) -> Result<(), DockerfileError> {
        match (self.stages.last_mut(), &numbered.instruction) {
            (Some(stage), _) => stage.instructions.push(numbered),
            (None, Instruction::Arg(_)) => self.global.push(numbered),
            (None, _) => return Err(DockerfileError::BeforeFrom { line: numbered.line }),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
