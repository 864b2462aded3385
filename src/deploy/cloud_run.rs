//! The Cloud Run Admin API. Services, revisions and jobs are asked for by version 2; only version 1 tells the digest that
//! a revision runs (`RevisionStatus.imageDigest`).

use std::time::Duration;

use serde::Deserialize;

use crate::auth;

use super::api::{Api, Login};
use super::documents::not_found;
use super::environment::Environment;
use super::error::DeployError;
use super::place::Place;
use super::records::{Name, Records, newest_before};
use super::service::{Kind, Revision, Service};
use super::{v1, v2};

/// The address of the API.
const ADDRESS: &str = "https://run.googleapis.com/";

/// Entries asked for at once, the most that the API gives.
const PAGE_SIZE: &str = "100";

/// Cloud Run in one project and one region.
pub struct CloudRun {
    api: Api,
    place: Place,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    services: Vec<v2::Service>,
    #[serde(default)]
    jobs: Vec<v2::Job>,
    #[serde(default)]
    revisions: Vec<v2::Revision>,
    next_page_token: Option<String>,
}

impl CloudRun {
    /// Prepares requests; sends none.
    ///
    /// # Errors
    /// See [`DeployError`].
    pub fn new(
        place: Place,
        environment: &Environment,
        credentials: &auth::Environment,
        timeout: Duration,
        runtime: tokio::runtime::Handle,
    ) -> Result<Self, DeployError> {
        let base = environment.run_endpoint.as_deref().unwrap_or(ADDRESS);
        let login = Login::Google(Box::new(credentials.clone()));
        Ok(Self { api: Api::new(base, login, timeout, runtime)?, place })
    }

    fn parent(&self) -> String {
        format!("projects/{}/locations/{}", self.place.project, self.place.region)
    }

    fn pages(&self, path: &str) -> Result<Vec<Page>, DeployError> {
        let mut pages: Vec<Page> = Vec::new();
        loop {
            let token = pages.last().and_then(|page| page.next_page_token.clone()).unwrap_or_default();
            if !pages.is_empty() && token.is_empty() {
                return Ok(pages);
            }
            pages.push(self.api.get(path, &[("pageSize", PAGE_SIZE), ("pageToken", &token)])?);
        }
    }

    fn with_digest(&self, revision: Revision) -> Result<Revision, DeployError> {
        if revision.containers.iter().all(|container| container.digest.is_some()) {
            return Ok(revision);
        }
        let path = format!("v1/{}/revisions/{}", self.parent(), revision.name);
        match self.api.get::<v1::Revision>(&path, &[]) {
            Ok(told) => Ok(Revision { containers: Revision::from(told).containers, ..revision }),
            // Without it a tag can still be resolved, and that is said.
            Err(DeployError::Refused { status: 403 | 404, .. }) => Ok(revision),
            Err(error) => Err(error),
        }
    }
}

/// The answer, or `None` where there is no such thing.
fn if_there<T>(answer: Result<T, DeployError>) -> Result<Option<T>, DeployError> {
    match answer {
        Err(DeployError::Refused { status: 404, .. }) => Ok(None),
        answer => answer.map(Some),
    }
}

impl Records for CloudRun {
    fn names(&self) -> Result<Vec<Name>, DeployError> {
        let services = self.pages(&format!("v2/{}/services", self.parent()))?;
        let jobs = self.pages(&format!("v2/{}/jobs", self.parent()))?;
        let name = |kind, service: Service| Name { kind, name: service.name };
        let services = services.into_iter().flat_map(|page| page.services);
        let jobs = jobs.into_iter().flat_map(|page| page.jobs);
        let services = services.map(|service| name(Kind::Service, service.into()));
        let mut names: Vec<Name> = services.chain(jobs.map(|job| name(Kind::Job, job.into()))).collect();
        names.sort();
        Ok(names)
    }

    fn service(&self, name: &Name) -> Result<Service, DeployError> {
        let path = format!("v2/{}/{}/{}", self.parent(), name.kind.collection(), name.name);
        let found = match name.kind {
            Kind::Service => if_there(self.api.get::<v2::Service>(&path, &[]))?.map(Service::from),
            Kind::Job => if_there(self.api.get::<v2::Job>(&path, &[]))?.map(Service::from),
        };
        found.ok_or_else(|| not_found(name, self.place()))
    }

    fn revision(&self, service: &Service, name: &str) -> Result<Option<Revision>, DeployError> {
        let path = format!("v2/{}/services/{}/revisions/{name}", self.parent(), service.name);
        let revision = if_there(self.api.get::<v2::Revision>(&path, &[]))?.map(Revision::from);
        revision.map(|revision| self.with_digest(revision)).transpose()
    }

    fn before(&self, service: &Service, name: &str) -> Result<Option<Revision>, DeployError> {
        let pages = self.pages(&format!("v2/{}/services/{}/revisions", self.parent(), service.name))?;
        let revisions: Vec<Revision> = pages.into_iter().flat_map(|page| page.revisions).map(Revision::from).collect();
        newest_before(&revisions, name).map(|revision| self.with_digest(revision)).transpose()
    }

    fn place(&self) -> String {
        format!("{} ({})", self.place.project, self.place.region)
    }
}
