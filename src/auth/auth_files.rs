//! Reads credential files, and asks docker's and podman's for a registry.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::AuthError;
use super::docker_config::{DockerConfig, Target};
use super::environment::Environment;
use super::helper;
use super::trail::{Hit, Trail};

/// Bytes read of a credentials file: real ones are a few kilobytes.
const FILE_LIMIT: u64 = 1024 * 1024;

/// Looks through the registry credential files and the helpers they name.
pub(super) async fn find(
    target: Target<'_>,
    environment: &Environment,
    trail: &mut Trail,
) -> Result<Option<Hit>, AuthError> {
    for file in environment.auth_files() {
        let name = environment.shown(&file);
        let Some(bytes) = read(&file)? else {
            missing(&file, environment)?;
            trail.missed(name, "no such file");
            continue;
        };
        let config = DockerConfig::parse(&bytes).map_err(|error| malformed(&file, &error))?;
        if let Some(hit) = ask_helpers(&config, &name, target, environment, trail).await {
            return Ok(Some(hit));
        }
        let inline = config.inline(target).map_err(|source| AuthError::Entry { file: file.clone(), source })?;
        match inline {
            Some(credential) => {
                trail.warned(exposure(&file, &name));
                return Ok(Some(Hit { source: name, credential }));
            }
            None => trail.missed(name, format!("no entry for {}", target.registry)),
        }
    }
    Ok(None)
}

async fn ask_helpers(
    config: &DockerConfig,
    file: &str,
    target: Target<'_>,
    environment: &Environment,
    trail: &mut Trail,
) -> Option<Hit> {
    let servers = config.server_names(target);
    for helper in config.helpers(target) {
        let source = format!("docker-credential-{helper} of {file}");
        match helper::get(helper, &servers, environment).await {
            Ok(credential) => return Some(Hit { source, credential }),
            Err(helper::HelperError::NotFound) => trail.missed(source, format!("no entry for {}", target.registry)),
            Err(error) => trail.missed(source, error),
        }
    }
    None
}

/// A file that was asked for with `--auth-file` must be there; the others are looked at in case they are.
fn missing(file: &Path, environment: &Environment) -> Result<(), AuthError> {
    if environment.auth_file.is_none() {
        return Ok(());
    }
    Err(AuthError::Unreadable { file: file.to_owned(), source: ErrorKind::NotFound.into() })
}

/// A warning if everybody on this machine can read `file`. It is no error: docker and podman take such files, and
/// secrets that are mounted into containers look like that. The group is left out, as many users have one of their own.
fn exposure(file: &Path, name: &str) -> Option<String> {
    const OTHERS_READ: u32 = 0o004;
    let exposed = file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & OTHERS_READ != 0);
    exposed.then(|| format!("everybody on this machine can read the password in {name}; chmod 600 {name} ends that"))
}

/// The bytes of a credentials file, `None` if there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, AuthError> {
    let unreadable = |source| AuthError::Unreadable { file: path.to_owned(), source };
    let file = match File::open(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        file => file.map_err(unreadable)?,
    };
    let mut bytes = Vec::new();
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(unreadable(io::Error::other(format!("it is larger than {} KiB", FILE_LIMIT / 1024))));
    }
    Ok(Some(bytes))
}

/// The error of a file that is not its JSON. Of serde's message only the place is kept, for the rest may quote the
/// file.
pub(super) fn malformed(file: &Path, error: &serde_json::Error) -> AuthError {
    AuthError::Malformed { file: file.to_owned(), line: error.line(), column: error.column() }
}
