//! What counts of what Cloud Run knows: the revisions that get traffic, and the one that was to get it.

use super::error::DeployError;
use super::records::Records;
use super::service::{Kind, Revision, Service, Target};

/// A service with the revisions that matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The service.
    pub service: Service,
    /// The revisions that get traffic, the largest share first; of a job what its next execution runs.
    pub serving: Vec<Serving>,
    /// The newest revision, where it is another one than those.
    pub latest: Option<Revision>,
    /// The revision before the newest one.
    pub previous: Option<Revision>,
}

/// A revision that gets traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    /// Its share in percent.
    pub percent: u32,
    /// Whether the traffic would follow to a newer revision.
    pub follows_latest: bool,
    /// The revision.
    pub revision: Revision,
}

/// Looks at a service.
///
/// # Errors
/// [`DeployError::UnknownRevision`] where nobody says what a revision runs, [`DeployError::ServesNothing`] where none
/// gets traffic and no newer one is known; see [`DeployError`].
pub fn observe(records: &dyn Records, service: Service) -> Result<Observed, DeployError> {
    if service.kind == Kind::Job {
        return Ok(job(service));
    }
    let mut serving = Vec::new();
    for (name, target) in shares(&service) {
        let revision = records.revision(&service, &name)?;
        let revision = revision.ok_or_else(|| DeployError::UnknownRevision(name.clone()))?;
        serving.push(Serving { percent: target.percent, follows_latest: target.follows_latest, revision });
    }
    let newest = service.latest_created.clone().filter(|name| !serving.iter().any(|one| one.revision.name == *name));
    let latest = match newest {
        Some(name) => records.revision(&service, &name)?,
        None => None,
    };
    if serving.is_empty() && latest.is_none() {
        return Err(DeployError::ServesNothing(service.name));
    }
    let previous = match &service.latest_created {
        Some(name) => records.before(&service, name)?,
        None => None,
    };
    Ok(Observed { service, serving, latest, previous })
}

/// The shares above nothing by the revision's name, the largest first. A share that follows the newest revision is that
/// of the newest one that came up; where nothing is said, that one gets everything.
fn shares(service: &Service) -> Vec<(String, Target)> {
    let everything = Target { revision: None, follows_latest: true, percent: 100, tag: None };
    let said = if service.traffic.is_empty() { vec![everything] } else { service.traffic.clone() };
    let mut shares: Vec<(String, Target)> = Vec::new();
    for target in said.into_iter().filter(|target| target.percent > 0) {
        let Some(name) = target.revision.clone().or_else(|| service.latest_ready.clone()) else { continue };
        match shares.iter_mut().find(|(known, _)| *known == name) {
            Some((_, share)) => {
                share.percent += target.percent;
                share.follows_latest |= target.follows_latest;
            }
            None => shares.push((name, target)),
        }
    }
    shares.sort_by_key(|(_, target)| std::cmp::Reverse(target.percent));
    shares
}

/// A job has no revisions; each execution is made from the template.
fn job(service: Service) -> Observed {
    let name = service.latest_created.clone().unwrap_or_else(|| service.name.clone());
    let revision = Revision { name, ready: service.ready.clone(), ..service.template.clone() };
    let serving = vec![Serving { percent: 100, follows_latest: true, revision }];
    Observed { service, serving, latest: None, previous: None }
}

#[cfg(test)]
mod tests {
    use super::super::service::State;
    use super::super::tests::service;
    use super::*;

    fn target(revision: Option<&str>, percent: u32) -> Target {
        let follows_latest = revision.is_none();
        Target { revision: revision.map(str::to_owned), follows_latest, percent, tag: None }
    }

    #[test]
    fn shares_are_those_of_the_status() {
        let mut service = service("phase3", State::Succeeded);
        service.latest_ready = Some("phase3-2".to_owned());
        let names = |service: &Service| {
            let shares = shares(service).into_iter();
            shares.map(|(name, target)| format!("{name} {}", target.percent)).collect::<Vec<_>>()
        };
        assert_eq!(names(&service), ["phase3-2 100"], "nothing said means everything to the newest that is ready");
        service.traffic = vec![target(Some("phase3-1"), 30), target(None, 70), target(Some("phase3-0"), 0)];
        assert_eq!(names(&service), ["phase3-2 70", "phase3-1 30"]);
        service.traffic = vec![target(Some("phase3-1"), 40), target(Some("phase3-1"), 60)];
        assert_eq!(names(&service), ["phase3-1 100"]);
        service.latest_ready = None;
        service.traffic.clear();
        assert!(shares(&service).is_empty());
    }
}
