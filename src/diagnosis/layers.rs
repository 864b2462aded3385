//! Layers that stayed behind: the mark of a step that was not run again.

use std::collections::BTreeSet;

use crate::compare::{Finding, Status};
use crate::count::counted;
use crate::identify::{Identity, LayerIdentity, Relation};

use super::{Cause, CauseKind, Symptoms, evidence, named};

/// Steps whose files are an earlier commit's while others' are the revision's.
pub(super) fn cached(symptoms: &Symptoms<'_>) -> Option<Cause> {
    let stale = stale_layers(symptoms);
    stale.first()?;
    let one = |layer: &&LayerIdentity| describe(symptoms, layer);
    let mut evidence: Vec<String> =
        stale.iter().filter_map(|layer| evidence::age(symptoms.image, layer.layer)).collect();
    let layers: BTreeSet<usize> = stale.iter().map(|layer| layer.layer).collect();
    evidence.extend(evidence::equal_sizes(symptoms.findings.iter().filter(|finding| is_in(finding, &layers))));
    evidence.extend(current(symptoms, &layers));
    Some(Cause {
        kind: CauseKind::CachedLayer,
        summary: stale.iter().map(one).collect::<Vec<_>>().join("; "),
        evidence,
        hint: format!(
            "build again without the cache ({}), push, and verify the new image before deploying it",
            symptoms.without_cache()
        ),
        parts: Vec::new(),
    })
}

/// Whether a missing or leftover file is so because its layer is that of an earlier commit.
pub(super) fn explains(symptoms: &Symptoms<'_>, finding: &Finding) -> bool {
    let older = |identity: &Identity| {
        identity.exact().is_some_and(|range| matches!(range.newest.relation, Relation::Behind(_)))
    };
    finding
        .counted_with
        .is_some_and(|layer| symptoms.layers.iter().any(|other| other.layer == layer && older(&other.identity)))
}

/// Layers with differing files that equal an earlier commit as a whole.
fn stale_layers<'a>(symptoms: &Symptoms<'a>) -> Vec<&'a LayerIdentity> {
    let differs = |layer: usize| symptoms.differing().any(|finding| finding.counted_with == Some(layer));
    let behind = |layer: &&LayerIdentity| {
        let range = layer.identity.exact();
        range.is_some_and(|range| matches!(range.newest.relation, Relation::Behind(_))) && differs(layer.layer)
    };
    symptoms.layers.iter().filter(behind).collect()
}

fn describe(symptoms: &Symptoms<'_>, layer: &LayerIdentity) -> String {
    let step = evidence::step(symptoms.image, layer.layer);
    match layer.identity.exact().map(|range| &range.newest) {
        Some(newest) => {
            let behind = match newest.relation {
                Relation::Behind(count) => format!(", {} before {}", counted(count, "commit"), symptoms.revision),
                _ => String::new(),
            };
            format!("{step} is at {}{behind}", named(newest))
        }
        None => step,
    }
}

fn is_in(finding: &Finding, layers: &BTreeSet<usize>) -> bool {
    finding.counted_with.is_some_and(|layer| layers.contains(&layer))
}

fn current(symptoms: &Symptoms<'_>, stale: &BTreeSet<usize>) -> Option<String> {
    let same = symptoms.findings.iter().filter(|finding| !is_in(finding, stale) && finding.status.is_comparison());
    let (same, others): (Vec<_>, Vec<_>) = same.partition(|finding| !finding.status.differs(symptoms.strictness));
    (!same.is_empty() && others.is_empty())
        .then(|| format!("the other {} compared are those of {}", counted(same.len(), "file"), symptoms.revision))
}

/// Stale files beside current ones in one layer: the step ran again, but what it copied was not all of one commit.
pub(super) fn mixed(symptoms: &Symptoms<'_>) -> Option<Cause> {
    let layers: BTreeSet<usize> = stale_layers(symptoms).iter().map(|layer| layer.layer).collect();
    let is_older = |finding: &&Finding| finding.past.as_ref().is_none_or(|past| past.behind != Some(0));
    let stale: Vec<&Finding> =
        symptoms.with(Status::Stale).filter(is_older).filter(|finding| !is_in(finding, &layers)).collect();
    let first = stale.first()?;
    let mut evidence = vec![format!(
        "{} is an earlier version, beside files of {} in the same layer",
        evidence::path_of(first),
        symptoms.revision
    )];
    let unseen = evidence::equal_sizes(stale.iter().copied());
    let unseen_by_builder = unseen.is_some();
    evidence.extend(unseen);
    let (kind, summary, hint) = if unseen_by_builder {
        let summary = format!(
            "{} stale in a layer that is otherwise newer: the builder did not see the change",
            counted(stale.len(), "file")
        );
        (
            CauseKind::CachedLayer,
            summary,
            format!("touch the files and build again without the cache ({})", symptoms.without_cache()),
        )
    } else {
        let summary = format!(
            "{} stale in a layer that equals no commit: built from a work tree of mixed states",
            counted(stale.len(), "file")
        );
        (
            CauseKind::DirtyBuild,
            summary,
            "build again from a clean checkout (git status --short shows what is not committed)".to_owned(),
        )
    };
    Some(Cause { kind, summary, evidence, hint, parts: Vec::new() })
}
