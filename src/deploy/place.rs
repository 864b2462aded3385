//! Where a service is: its project and its region, from the places where people set them.

use crate::auth;

use super::environment::Environment;
use super::error::DeployError;

/// A project and a region of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The project's id or number.
    pub project: String,
    /// The region, as in `us-west2`.
    pub region: String,
}

/// The place that `project` and `region` name and, for what they leave open, the environment, gcloud's active
/// configuration and the metadata server, in that order.
///
/// # Errors
/// [`DeployError::NoPlace`] if none of them says.
pub fn place(
    project: Option<&str>,
    region: Option<&str>,
    environment: &Environment,
    credentials: &auth::Environment,
    runtime: &tokio::runtime::Handle,
) -> Result<Place, DeployError> {
    let project = self::project(project, environment, credentials, runtime)?;
    let region = region.map(str::to_owned).or_else(|| environment.region.clone());
    let region = region.or_else(|| environment.gcloud_property("run", "region"));
    // The server answers with the whole name, as in `projects/1234/regions/us-west2`.
    let metadata = || runtime.block_on(auth::metadata_text("instance/region", credentials));
    let region = region.or_else(|| metadata()?.rsplit('/').next().map(str::to_owned));
    Ok(Place { project, region: region.ok_or(DeployError::NoPlace("region"))? })
}

/// The project alone, likewise.
///
/// # Errors
/// [`DeployError::NoPlace`] if nothing says it.
pub fn project(
    project: Option<&str>,
    environment: &Environment,
    credentials: &auth::Environment,
    runtime: &tokio::runtime::Handle,
) -> Result<String, DeployError> {
    let project = project.map(str::to_owned).or_else(|| environment.project.clone());
    let project = project.or_else(|| environment.gcloud_property("core", "project"));
    let metadata = || runtime.block_on(auth::metadata_text("project/project-id", credentials));
    project.or_else(metadata).ok_or(DeployError::NoPlace("project"))
}
