//! Who tells what Cloud Run knows.

use super::error::DeployError;
use super::service::{Kind, Revision, Service};

/// A service or a job, as people name it: `phase3`, `jobs/nightly`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Which of both.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

impl Name {
    /// What was typed.
    ///
    /// # Errors
    /// [`DeployError::Name`] for whole resource names, too: project and region have flags of their own.
    pub fn parse(text: &str) -> Result<Self, DeployError> {
        let (kind, name) = match text.split_once('/') {
            Some(("jobs", name)) => (Kind::Job, name),
            Some(("services", name)) => (Kind::Service, name),
            _ => (Kind::Service, text),
        };
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_name { Ok(Self { kind, name: name.to_owned() }) } else { Err(DeployError::Name(text.to_owned())) }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            Kind::Service => f.write_str(&self.name),
            Kind::Job => write!(f, "jobs/{}", self.name),
        }
    }
}

/// What Cloud Run knows of the services of one project in one region.
pub trait Records {
    /// The names of all services and jobs.
    ///
    /// # Errors
    /// See [`DeployError`].
    fn names(&self) -> Result<Vec<Name>, DeployError>;

    /// One of them.
    ///
    /// # Errors
    /// [`DeployError::NotFound`] where there is none of that name; see [`DeployError`].
    fn service(&self, name: &Name) -> Result<Service, DeployError>;

    /// A revision of a service, with the digests that it runs; `None` where nobody knows of it.
    ///
    /// # Errors
    /// See [`DeployError`].
    fn revision(&self, service: &Service, name: &str) -> Result<Option<Revision>, DeployError>;

    /// The revision that was made last before the revision `name`, if there is one.
    ///
    /// # Errors
    /// See [`DeployError`].
    fn before(&self, service: &Service, name: &str) -> Result<Option<Revision>, DeployError>;

    /// Where they are, for people.
    fn place(&self) -> String;
}

/// The newest of `revisions` that is older than the one called `name`. Times in UTC have the order of their texts, as
/// far as they have the same form; those of one API do.
pub(super) fn newest_before(revisions: &[Revision], name: &str) -> Option<Revision> {
    let own = revisions.iter().find(|revision| revision.name == name)?;
    let older = revisions.iter().filter(|revision| revision.name != name && revision.created < own.created);
    older.max_by(|a, b| a.created.cmp(&b.created)).cloned()
}
