//! Runs a program that answers one question: without a shell, for a limited time, with a limited answer.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::future::join3;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::Environment;

/// Bytes read of a program's answer: tokens are a few kilobytes.
const OUTPUT_LIMIT: u64 = 64 * 1024;

/// What a program said.
pub(super) struct Answer {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Why a program gave no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error("no program `{0}` on PATH")]
    NotFound(String),
    #[error("cannot be run: {0}")]
    Io(#[from] io::Error),
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    #[error("answered more than {} KiB", OUTPUT_LIMIT / 1024)]
    TooMuch,
}

/// Runs `program` from the environment's `PATH` with `input` as its standard input. When the time is over it is killed.
pub(super) async fn run(
    program: &str,
    arguments: &[&str],
    input: &str,
    environment: &Environment,
) -> Result<Answer, RunError> {
    let file = environment.program(program).ok_or_else(|| RunError::NotFound(program.to_owned()))?;
    let child = Command::new(file)
        .args(arguments)
        .envs(environment.path.as_ref().map(|path| ("PATH", path)))
        // gcloud, by its own name or as a credential helper, asks questions otherwise.
        .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let limit = environment.time_limit;
    tokio::time::timeout(limit, converse(child, input)).await.unwrap_or(Err(RunError::TimedOut(limit)))
}

async fn converse(mut child: Child, input: &str) -> Result<Answer, RunError> {
    let stdin = child.stdin.take();
    let ask = async {
        if let Some(mut stdin) = stdin {
            // A program may answer without having read the question.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
    };
    let (stdout, stderr) = (read(child.stdout.take()), read(child.stderr.take()));
    let ((), stdout, stderr) = join3(ask, stdout, stderr).await;
    Ok(Answer { stdout: stdout?, stderr: stderr?, status: child.wait().await? })
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, RunError> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(OUTPUT_LIMIT + 1).read_to_end(&mut bytes).await?;
    }
    if bytes.len() as u64 > OUTPUT_LIMIT { Err(RunError::TooMuch) } else { Ok(bytes) }
}
