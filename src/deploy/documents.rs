//! Saved answers of Cloud Run: what `gcloud run … describe --format json` and `… list --format json` print, in the form
//! of either version of the API.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::DeployError;
use super::records::{Name, Records, newest_before};
use super::service::{Kind, Revision, Service};
use super::{v1, v2};

/// What the saved answers say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Documents {
    services: Vec<Service>,
    revisions: Vec<Revision>,
}

impl Documents {
    /// Adds what `text`, which people know as `name`, says: one document, or a list of them.
    ///
    /// # Errors
    /// [`DeployError::Form`] for anything else.
    pub fn add(&mut self, name: &str, text: &[u8]) -> Result<(), DeployError> {
        let form = |source| DeployError::Form { what: name.to_owned(), source };
        match serde_json::from_slice(text).map_err(|error| form(Some(error)))? {
            Value::Array(all) if all.is_empty() => Err(form(None)),
            Value::Array(all) => all.into_iter().try_for_each(|one| self.add_one(one).map_err(form)),
            one => self.add_one(one).map_err(form),
        }
    }

    fn add_one(&mut self, document: Value) -> Result<(), Option<serde_json::Error>> {
        let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kind, name) = (text("kind"), text("name"));
        match (kind.as_str(), name.contains("/revisions/"), name.contains("/services/"), name.contains("/jobs/")) {
            ("Service", ..) => self.services.push(read::<v1::Service>(document)?.into()),
            ("Job", ..) => self.services.push(read::<v1::Job>(document)?.into()),
            ("Revision", ..) => self.revisions.push(read::<v1::Revision>(document)?.into()),
            (_, true, ..) => self.revisions.push(read::<v2::Revision>(document)?.into()),
            (_, _, true, _) => self.services.push(read::<v2::Service>(document)?.into()),
            (_, _, _, true) => self.services.push(read::<v2::Job>(document)?.into()),
            _ => return Err(None),
        }
        Ok(())
    }
}

fn read<T: DeserializeOwned>(document: Value) -> Result<T, Option<serde_json::Error>> {
    serde_json::from_value(document).map_err(Some)
}

impl Records for Documents {
    fn names(&self) -> Result<Vec<Name>, DeployError> {
        Ok(self.services.iter().map(|service| Name { kind: service.kind, name: service.name.clone() }).collect())
    }

    fn service(&self, name: &Name) -> Result<Service, DeployError> {
        let found = self.services.iter().find(|service| service.kind == name.kind && service.name == name.name);
        found.cloned().ok_or_else(|| not_found(name, self.place()))
    }

    fn revision(&self, service: &Service, name: &str) -> Result<Option<Revision>, DeployError> {
        let saved = self.revisions.iter().find(|revision| revision.name == name).cloned();
        // The newest revision is made from the template, which is in the service itself.
        let is_newest = service.latest_created.as_deref() == Some(name) && service.is_settled;
        let ready = service.ready.clone();
        Ok(saved.or_else(|| is_newest.then(|| Revision { name: name.to_owned(), ready, ..service.template.clone() })))
    }

    fn before(&self, service: &Service, name: &str) -> Result<Option<Revision>, DeployError> {
        let own = self.revisions.iter().filter(|one| one.service.as_ref().is_none_or(|of| *of == service.name));
        Ok(newest_before(&own.cloned().collect::<Vec<_>>(), name))
    }

    fn place(&self) -> String {
        "the saved answers".to_owned()
    }
}

/// That there is no service of a name.
pub(super) fn not_found(name: &Name, place: String) -> DeployError {
    let kind = match name.kind {
        Kind::Service => "service",
        Kind::Job => "job",
    };
    DeployError::NotFound { kind, name: name.name.clone(), place }
}
