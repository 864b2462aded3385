//! Why images are not what git says, and labels that say otherwise.

use super::{Cause, CauseKind, Content, Facts, Looked};
use crate::deploy::service::{Kind, Revision};
use crate::digest::Digest;

/// Why the image that was deployed last is not what git says.
pub(super) fn images(facts: &Facts<'_>) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (serving, looked) in facts.observed.serving.iter().zip(facts.serving) {
        if looked.content == Content::Deleted {
            causes.push(deleted(facts, &serving.revision));
        }
    }
    let Some((revision, looked)) = facts.newest() else { return causes };
    if let Some(content) = content(facts, revision, looked) {
        causes.extend(moved(facts, revision, looked));
        causes.extend(unchanged(facts, revision));
        causes.push(content);
    }
    causes
}

/// That of any revision with traffic, where nothing tells more.
pub(super) fn any_content(facts: &Facts<'_>) -> Option<Cause> {
    let mut both = facts.observed.serving.iter().zip(facts.serving);
    both.find_map(|(serving, looked)| content(facts, &serving.revision, looked))
}

fn content(facts: &Facts<'_>, revision: &Revision, looked: &Looked) -> Option<Cause> {
    let Content::Differs { summary, hint } = &looked.content else { return None };
    Some(Cause {
        kind: CauseKind::ImageContent,
        summary: format!("the image of {} does not hold what {} says: {summary}", revision.name, facts.wanted),
        evidence: Vec::new(),
        hint: hint.clone(),
    })
}

fn deleted(facts: &Facts<'_>, revision: &Revision) -> Cause {
    let image = revision.containers.first().map(|container| container.image.as_str()).unwrap_or_default();
    Cause {
        kind: CauseKind::ImageDeleted,
        summary: format!("{} runs {image}, which is not in the registry any more", revision.name),
        evidence: vec!["Cloud Run keeps a copy of the image while a revision serves".to_owned()],
        hint: format!("build and deploy {} again; nobody can look into this one", facts.wanted),
    }
}

fn moved(facts: &Facts<'_>, revision: &Revision, looked: &Looked) -> Option<Cause> {
    let digest = looked.moved_to.as_ref()?;
    let container = revision.containers.first()?;
    Some(Cause {
        kind: CauseKind::TagMoved,
        summary: format!("{} was pushed again since {} was deployed", container.image, revision.name),
        evidence: vec![format!("it means {digest} today; a tag is resolved once, when a revision is made")],
        hint: facts.command("update", &format!("--image {}@{digest}", container.repository())),
    })
}

fn unchanged(facts: &Facts<'_>, revision: &Revision) -> Option<Cause> {
    let previous = facts.observed.previous.as_ref()?;
    let digests = |revision: &Revision| -> Option<Vec<Digest>> {
        revision.containers.iter().map(|container| container.digest.clone()).collect()
    };
    let (own, before) = (digests(revision)?, digests(previous)?);
    if own != before || own.is_empty() {
        return None;
    }
    Some(Cause {
        kind: CauseKind::ImageUnchanged,
        summary: format!(
            "{} runs the very image of {}: nothing was built, or not pushed",
            revision.name, previous.name
        ),
        evidence: own.iter().map(Digest::to_string).collect(),
        hint: format!("build and push {}, and deploy the digest that the push prints", facts.wanted),
    })
}

pub(super) fn labels(facts: &Facts<'_>) -> Option<Cause> {
    let both = facts.observed.serving.iter().zip(facts.serving);
    let (serving, looked) = both.into_iter().find(|(_, looked)| !looked.wrong_labels.is_empty())?;
    Some(Cause {
        kind: CauseKind::LabelWrong,
        summary: format!("a label of {} names a commit that its image is not", serving.revision.name),
        evidence: looked.wrong_labels.clone(),
        hint: "set the label from the commit that was built; the deploying job only repeats what it was told"
            .to_owned(),
    })
}

/// Labels of the service that its serving revisions do not have.
pub(super) fn service_labels(facts: &Facts<'_>) -> Vec<String> {
    let service = &facts.observed.service;
    let revisions = facts.observed.serving.iter().map(|one| &one.revision);
    let differing = revisions.flat_map(|revision| {
        let differs = |(name, value): &(&String, &String)| revision.labels.get(*name).is_some_and(|own| own != *value);
        service.labels.iter().filter(differs).map(move |(name, value)| {
            let own = &revision.labels[name];
            format!(
                "the service's label {name} is {value}, that of {} is {own}: only a revision's own count",
                revision.name
            )
        })
    });
    if service.kind == Kind::Job { Vec::new() } else { differing.collect() }
}
