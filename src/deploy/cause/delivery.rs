//! Why the newest revision gets no traffic, or not all of it.

use super::{Cause, CauseKind, Content, Facts};
use crate::deploy::observe::Serving;
use crate::deploy::service::{Condition, Revision, Target};

/// Why the newest revision gets no traffic.
pub(super) fn delivery(facts: &Facts<'_>) -> Option<Cause> {
    let latest = facts.observed.latest.as_ref()?;
    let service = &facts.observed.service;
    if let Some(failure) = latest.failure() {
        return Some(startup_failed(facts, latest, failure));
    }
    if !service.is_settled {
        let name = facts.name();
        return Some(Cause {
            kind: CauseKind::StillReconciling,
            summary: format!("{} is being brought up; until it is ready {}", latest.name, facts.stayed()),
            evidence: holds(facts, latest).into_iter().collect(),
            hint: format!("shipproof deployed {name} --wait"),
        });
    }
    let is_newest = |target: &Target| target.follows_latest || target.revision.as_ref() == Some(&latest.name);
    let silent = service.wanted.iter().chain(&service.traffic).any(|target| target.percent == 0 && is_newest(target));
    let (kind, how) = match silent {
        true => (CauseKind::NoTraffic, "was deployed without traffic"),
        false => (CauseKind::TrafficPinned, "gets no traffic, because all of it is bound to an older revision"),
    };
    let mut evidence: Vec<String> = holds(facts, latest).into_iter().collect();
    if kind == CauseKind::TrafficPinned {
        evidence.push("a rollback, a split or --no-traffic binds it, and later deployments keep that".to_owned());
    }
    Some(Cause {
        kind,
        summary: format!("{} {how}; {}", latest.name, facts.stayed()),
        evidence,
        hint: facts.command("update-traffic", "--to-latest"),
    })
}

fn startup_failed(facts: &Facts<'_>, latest: &Revision, failure: &Condition) -> Cause {
    let reason = failure.reason.as_deref().unwrap_or("no reason given");
    let mut evidence: Vec<String> = failure.message.iter().cloned().collect();
    evidence.extend(facts.latest.iter().flat_map(|looked| looked.obstacles.clone()));
    evidence.extend(holds(facts, latest));
    let logs = latest.logs.as_ref().map(|logs| format!(", or {logs}")).unwrap_or_default();
    let obstacle = facts.latest.is_some_and(|looked| !looked.obstacles.is_empty());
    let first = if obstacle { "mend what keeps the image from starting and deploy again; its " } else { "" };
    Cause {
        kind: CauseKind::StartupFailed,
        summary: format!("{} did not start ({reason}); {}", latest.name, facts.stayed()),
        evidence,
        hint: format!("{first}logs: {}{logs}", facts.command("logs read", "")),
    }
}

/// What the newest revision would serve.
fn holds(facts: &Facts<'_>, latest: &Revision) -> Option<String> {
    match &facts.latest?.content {
        Content::Agrees => Some(format!("the image of {} holds what {} says", latest.name, facts.wanted)),
        Content::Deleted => Some(format!("the image of {} is not in the registry", latest.name)),
        // Told as a cause of its own.
        Content::Differs { .. } => None,
        Content::Unknown(reason) => Some(format!("what the image of {} holds is not known: {reason}", latest.name)),
    }
}

/// A part of the traffic that is bound to an older revision while the rest goes to the newest one.
pub(super) fn share(facts: &Facts<'_>) -> Option<Cause> {
    let both = || facts.observed.serving.iter().zip(facts.serving);
    let (_, newest) = facts.newest().filter(|_| facts.observed.latest.is_none())?;
    if facts.observed.serving.len() < 2 || newest.content != Content::Agrees {
        return None;
    }
    let stale = both().find(|(_, looked)| matches!(looked.content, Content::Differs { .. }))?;
    let Serving { percent, revision, .. } = stale.0;
    Some(Cause {
        kind: CauseKind::TrafficPinned,
        summary: format!("{percent} % of the traffic is bound to {}, an older revision", revision.name),
        evidence: vec!["every revision with traffic was looked at".to_owned()],
        hint: facts.command("update-traffic", "--to-latest"),
    })
}
