//! `shipproof.toml`: what a team deploys, and what has to be in it.

mod error;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::digest::Digest;

pub use error::{ConfigError, nearest};

/// The name of the file, at the top of a repository.
pub const FILE_NAME: &str = "shipproof.toml";

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The Google Cloud project of the services, unless they say another one.
    pub project: Option<String>,
    /// The region of the services, likewise.
    pub region: Option<String>,
    /// The services, by their names in Cloud Run.
    #[serde(default)]
    pub services: BTreeMap<String, Service>,
    /// Copies of images, by the repositories that they are of: `HOST/NAME = "HOST/NAME"`, or `"oci:DIR"`. They are asked by
    /// digest only, so that it does not matter whose copy it is.
    #[serde(default)]
    pub mirrors: BTreeMap<String, String>,
    /// The file's folder, to which the paths in it are relative.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// One service: its image, how that is built, and what has to be true of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The image, as in `HOST/NAME:TAG`.
    pub image: Option<String>,
    /// The project, where it is not the file's.
    pub project: Option<String>,
    /// The region, where it is not the file's.
    pub region: Option<String>,
    /// The Dockerfile.
    pub dockerfile: Option<PathBuf>,
    /// The directory of the repository that is the build context.
    pub context: Option<String>,
    /// Image directories, and the repository directories that they hold.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
    /// Files that have to be in the image, named as in `verify`.
    #[serde(default)]
    pub files: Vec<String>,
    /// What has to be true of the documents that the service writes.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

/// A collection of Firestore whose documents tell whether the service behaves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The path of the collection, as in `processor_heartbeats` or `users/U/events`.
    pub collection: String,
    /// A regular expression that the ids of wrong documents match, as in `_None_|_202`.
    pub bad_ids: String,
    /// How many documents there are when all is well.
    pub expected: Option<u64>,
    /// The database, where it is not the default one.
    pub database: Option<String>,
    /// The project, where it is not the service's.
    pub project: Option<String>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let config = Self::parse(&text).map_err(|error| error.within(path))?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self { folder, ..config })
    }

    /// Reads a file that need not be there.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn read_if_there(path: &Path) -> Result<Option<Self>, ConfigError> {
        if path.exists() { Self::read(path).map(Some) } else { Ok(None) }
    }

    fn parse(text: &str) -> Result<Self, error::Misunderstood> {
        let config: Self = toml::from_str(text).map_err(|error| error::Misunderstood::new(text, &error))?;
        for (name, service) in &config.services {
            service.check(name)?;
        }
        Ok(config)
    }

    /// The reference by which the image of `repository` with this digest is read: at its copy, where there is one.
    pub fn pinned(&self, repository: &str, digest: &Digest) -> String {
        let place = self.mirrors.get(repository).map_or(repository, String::as_str);
        format!("{place}@{digest}")
    }

    /// The service `name`, with the file's project and region where it has none of its own.
    pub fn service(&self, name: &str) -> Option<Service> {
        let service = self.services.get(name)?.clone();
        let project = service.project.clone().or_else(|| self.project.clone());
        let region = service.region.clone().or_else(|| self.region.clone());
        Some(Service { project, region, ..service })
    }
}

impl Service {
    fn check(&self, name: &str) -> Result<(), error::Misunderstood> {
        let refuse = |message| Err(error::Misunderstood::of_service(name, message));
        if !self.map.is_empty() && (self.dockerfile.is_some() || self.context.is_some()) {
            return refuse(
                "`map` takes the place of `dockerfile` and `context`; only one of them can be given".to_owned(),
            );
        }
        for evidence in &self.evidence {
            if let Err(error) = regex::Regex::new(&evidence.bad_ids) {
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
                return refuse(format!("`bad_ids = {:?}` is no regular expression: {reason}", evidence.bad_ids));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
