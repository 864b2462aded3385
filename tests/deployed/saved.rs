//! Saved answers of Cloud Run, in the form of both versions of its API.

use serde_json::{Value, json};

use crate::stage::{Stage, causes};
use crate::support::cloud_run::{CloudRun, Service, Share};

fn saved(stage: &Stage, service: &str, documents: &[Value], verdict: &str) -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut arguments = vec!["deployed".to_owned(), service.to_owned(), "--format".to_owned(), "json".to_owned()];
    for (number, document) in documents.iter().enumerate() {
        let path = folder.path().join(format!("{number}.json"));
        std::fs::write(&path, document.to_string()).expect("the folder is ours");
        arguments.extend(["--service-json".to_owned(), path.display().to_string()]);
    }
    let nobody = CloudRun::serve(Vec::new());
    let report = stage.user(&nobody).run(&arguments).verdict(verdict);
    assert!(nobody.seen().is_empty(), "nothing is asked");
    report["services"][0].clone()
}

#[test]
fn both_forms_say_the_same() {
    let stage = Stage::new();
    let revisions = vec![stage.revision("phase4-00001-aaa", 1, "old"), stage.revision("phase4-00002-bbb", 2, "good")];
    let pinned = Service::new("phase4", revisions).wanting(vec![Share::of("phase4-00001-aaa", 100)]);
    let old = &pinned.revisions[0];
    for (service, revision) in [(pinned.v1(), pinned.v1_revision(old)), (pinned.v2(), pinned.v2_revision(old))] {
        let report = saved(&stage, "phase4", &[service.clone(), revision.clone()], "mismatch");
        assert_eq!(causes(&report), ["traffic-pinned"], "{report:#}");
        let list = json!([revision]);
        assert_eq!(causes(&saved(&stage, "phase4", &[service.clone(), list], "mismatch")), ["traffic-pinned"]);
        // Without the revision nobody knows what serves, and that is said.
        let report = saved(&stage, "phase4", &[service], "unknown");
        assert!(report["error"]["message"].to_string().contains("phase4-00001-aaa"), "{report:#}");
        assert!(report["error"]["hint"].to_string().contains("gcloud run revisions describe phase4-00001-aaa"));
    }
}

#[test]
fn the_newest_revision_is_in_the_service_itself() {
    let stage = Stage::new();
    let service = Service::new("phase3", vec![stage.revision("phase3-00001-aaa", 1, "good")]);
    for document in [service.v1(), service.v2()] {
        let report = saved(&stage, "phase3", &[document], "match");
        assert_eq!(report["serving"][0]["digest"], stage.digest("good"));
    }
}

#[test]
fn other_files_are_refused_by_name() {
    let stage = Stage::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pod.json");
    let nobody = CloudRun::serve(Vec::new());
    for text in ["{\"kind\": \"Pod\"}", "[]", "not json", "{\"kind\": \"Service\", \"metadata\": 3}"] {
        std::fs::write(&path, text).unwrap();
        let refused = stage.user(&nobody).run(&["deployed", "phase3", "--service-json", path.to_str().unwrap()]);
        let refused = refused.exits(2);
        assert!(refused.stderr.contains("pod.json is not what Cloud Run says"), "{text}: {refused:#?}");
    }
    let gone = stage.user(&nobody).run(&["deployed", "phase3", "--service-json", "gone.json"]).exits(2);
    assert!(gone.stderr.contains("gone.json cannot be read"), "{gone:#?}");
}
