//! What the documents say that a service writes.

use std::time::Duration;

use crate::config;
use crate::deploy::firestore::{Firestore, Survey, Watched};
use crate::deploy::{self, DeployError, Observed};
use crate::error::Error;

use super::Job;
use crate::commands::output;

impl Job<'_> {
    /// Looks at the collections of a service and, if that is wanted, looks again later.
    pub(super) fn documents_of(&self, settings: &config::Service, observed: &Observed) -> Result<Vec<Watched>, Error> {
        if !self.args.evidence || settings.evidence.is_empty() {
            return Ok(Vec::new());
        }
        let all = &settings.evidence;
        let databases =
            all.iter().map(|evidence| self.firestore(settings, evidence)).collect::<Result<Vec<_>, DeployError>>()?;
        let survey = || -> Result<Vec<Survey>, DeployError> {
            databases.iter().zip(all).map(|(database, evidence)| database.survey(evidence)).collect()
        };
        let first = survey()?;
        let mut again = self.later(&observed.service.name).then(survey).transpose()?.unwrap_or_default().into_iter();
        let since = observed.serving.first().and_then(|serving| serving.revision.created.clone());
        Ok(first.into_iter().map(|first| Watched { first, again: again.next(), since: since.clone() }).collect())
    }

    /// Waits, if it is to be looked at again.
    fn later(&self, name: &str) -> bool {
        let Some(pause) = self.args.watch else { return false };
        output::note(&self.args.output, &format!("{name}: its documents are looked at again in {} s", pause.as_secs()));
        std::thread::sleep(pause);
        true
    }

    fn firestore(&self, settings: &config::Service, evidence: &config::Evidence) -> Result<Firestore, DeployError> {
        let (timeout, runtime) = (Duration::from_secs(self.args.read.timeout), self.process.runtime.clone());
        let (environment, credentials) = (&self.process.deploy, self.credentials());
        let said = evidence.project.as_deref().or(self.args.place.project.as_deref()).or(settings.project.as_deref());
        let project = deploy::project(said, environment, &credentials, &runtime)?;
        Firestore::new(&project, evidence.database.as_deref(), environment, &credentials, timeout, runtime)
    }
}
