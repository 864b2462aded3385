//! What makes a text no Dockerfile.

/// Why a Dockerfile cannot be read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum DockerfileError {
    /// There is nothing to build.
    #[error("the Dockerfile has no FROM instruction")]
    NoStage,
    /// The wanted stage does not exist.
    #[error("the Dockerfile has no stage `{0}`")]
    UnknownTarget(String),
    /// An instruction belongs to no stage.
    #[error("line {line}: only ARG may stand before the first FROM")]
    BeforeFrom {
        /// The line, from 1.
        line: usize,
    },
    /// A `FROM` of no known form.
    #[error("line {line}: FROM needs an image, and after it nothing but `AS name`")]
    MalformedFrom {
        /// The line, from 1.
        line: usize,
    },
    /// A `COPY` or `ADD` with fewer than two words.
    #[error("line {line}: {instruction} needs a source and a destination")]
    IncompleteCopy {
        /// The line, from 1.
        line: usize,
        /// `COPY` or `ADD`.
        instruction: &'static str,
    },
    /// An `# escape=` directive that names neither of the two characters.
    #[error("line {line}: the escape character is \\ or `, not `{found}`")]
    MalformedEscape {
        /// The line, from 1.
        line: usize,
        /// What stands there.
        found: String,
    },
    /// A here-document without its last line.
    #[error("line {line}: the here-document `{delimiter}` is never closed")]
    OpenHeredoc {
        /// The line of the instruction, from 1.
        line: usize,
        /// The line that should close it.
        delimiter: String,
    },
}
