use std::collections::BTreeMap;

use serde_json::json;

use super::*;

pub(super) fn service(name: &str, state: State) -> Service {
    Service {
        kind: Kind::Service,
        name: name.to_owned(),
        labels: BTreeMap::new(),
        is_settled: true,
        latest_created: None,
        latest_ready: None,
        ready: Some(Condition { state, reason: None, message: None }),
        wanted: Vec::new(),
        traffic: Vec::new(),
        template: Revision::default(),
    }
}

#[test]
fn a_service_has_settled_once_its_last_generation_was_seen_or_has_failed() {
    let settled = |observed: &str, reconciling: bool, state: &str| {
        let service = json!({ "name": "projects/p/locations/l/services/s", "generation": "7", "observedGeneration": observed,
            "reconciling": reconciling, "terminalCondition": { "type": "Ready", "state": state } });
        Service::from(serde_json::from_value::<v2::Service>(service).unwrap()).is_settled
    };
    assert!(settled("7", false, "CONDITION_SUCCEEDED"));
    assert!(!settled("6", false, "CONDITION_SUCCEEDED"));
    assert!(!settled("7", true, "CONDITION_RECONCILING"));
    assert!(settled("6", false, "CONDITION_FAILED"));
    let settled = |observed: u32, status: &str| {
        let service = json!({ "metadata": { "name": "s", "generation": 7 },
            "status": { "observedGeneration": observed, "conditions": [{ "type": "Ready", "status": status }] } });
        Service::from(serde_json::from_value::<v1::Service>(service).unwrap()).is_settled
    };
    assert!(settled(7, "True") && settled(7, "False"));
    assert!(!settled(6, "True") && !settled(7, "Unknown"));
}

#[test]
fn nothing_but_the_name_has_to_be_said() {
    let bare =
        json!({ "name": "projects/p/locations/l/services/s", "labels": null, "traffic": null, "template": null });
    let service = Service::from(serde_json::from_value::<v2::Service>(bare).unwrap());
    assert_eq!((service.name.as_str(), service.latest_created), ("s", None));
    let bare = json!({ "kind": "Service", "metadata": { "name": "s" }, "spec": {}, "status": {} });
    assert_eq!(Service::from(serde_json::from_value::<v1::Service>(bare).unwrap()).name, "s");
}

#[test]
fn the_revision_before_is_the_newest_of_the_older_ones() {
    let revision = |name: &str, created: &str| {
        let (name, created) = (name.to_owned(), Some(created.to_owned()));
        Revision { name, created, ..Revision::default() }
    };
    let all = [
        revision("b", "2026-01-02"),
        revision("d", "2026-01-04"),
        revision("a", "2026-01-01"),
        revision("c", "2026-01-03"),
    ];
    let before = |name: &str| records::newest_before(&all, name).map(|revision| revision.name);
    assert_eq!(before("c").as_deref(), Some("b"));
    assert_eq!(before("d").as_deref(), Some("c"));
    assert_eq!((before("a"), before("gone")), (None, None));
}

#[test]
fn images_are_told_apart_from_their_tags_and_digests() {
    let container = |image: &str| Container { name: None, image: image.to_owned(), digest: None };
    let digest = format!("h:5000/a/b:v1@sha256:{}", "0a".repeat(32));
    let table = [("h/a:v1", "h/a", true), ("h:5000/a", "h:5000/a", true), ("h:5000/a/b:v1", "h:5000/a/b", true)];
    for (image, repository, by_tag) in table.into_iter().chain([(digest.as_str(), "h:5000/a/b", false)]) {
        assert_eq!((container(image).repository(), container(image).is_by_tag()), (repository, by_tag), "{image}");
    }
}

#[test]
fn what_differs_has_a_cause_although_the_newest_is_not_known() {
    let serving = |name: &str| Serving {
        percent: 50,
        follows_latest: false,
        revision: Revision { name: name.to_owned(), ..Revision::default() },
    };
    let mut service = service("s", State::Succeeded);
    service.latest_created = Some("s-2".to_owned());
    let observed = Observed { service, serving: vec![serving("s-2"), serving("s-1")], latest: None, previous: None };
    let looked = |content| Looked { content, wrong_labels: Vec::new(), moved_to: None, obstacles: Vec::new() };
    let differs = Content::Differs { summary: "old-image: x".to_owned(), hint: "build".to_owned() };
    let serving = [looked(Content::Unknown("no network".to_owned())), looked(differs)];
    let judgement =
        judge(&Facts { observed: &observed, serving: &serving, latest: None, wanted: "HEAD", region: None });
    let kinds: Vec<CauseKind> = judgement.causes.iter().map(|cause| cause.kind).collect();
    assert_eq!((judgement.verdict, kinds), (Verdict::Mismatch, vec![CauseKind::ImageContent]));
    assert_eq!(judgement.notes, ["what s-2 holds is not known: no network"]);
}
