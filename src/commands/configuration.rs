//! The configuration file, and what it says in place of flags.

use std::path::{Path, PathBuf};

use crate::cli::{CompareArgs, ConfigArgs};
use crate::config::{Config, FILE_NAME, Service};
use crate::error::Error;
use crate::repo::Repository;

/// Where the configuration file is: where it was named, or at the top of the repository.
pub(super) fn path(args: &ConfigArgs, repository: &Repository) -> PathBuf {
    args.config.clone().unwrap_or_else(|| repository.path().join(FILE_NAME))
}

/// The configuration file that was named, or the one at the top of the repository, if there is one.
pub(super) fn load(args: &ConfigArgs, repository: &Repository) -> Result<Option<Config>, Error> {
    match &args.config {
        Some(path) => Ok(Some(Config::read(path)?)),
        None => Ok(Config::read_if_there(&path(args, repository))?),
    }
}

/// How the image of a service is compared: as flags say and, where they say nothing, as the file does. `folder` is the
/// file's.
pub(super) fn compare_args(service: &Service, folder: &Path, args: &CompareArgs) -> CompareArgs {
    let mut args = args.clone();
    if args.maps.is_empty() && args.dockerfile.is_none() && args.context.is_none() {
        args.maps = service.map.iter().map(|(image, repo)| format!("{image}={repo}")).collect();
        // A bare repository has no files on disk; there it is a path of the revision.
        let on_disk = |path: &PathBuf| Some(folder.join(path)).filter(|path| path.exists());
        args.dockerfile = service.dockerfile.as_ref().map(|path| on_disk(path).unwrap_or_else(|| path.clone()));
        args.context.clone_from(&service.context);
    }
    args
}
