//! Each way in which a deployment that succeeded leaves old code serving, with what tells it.

use serde_json::Value;

use crate::stage::{Stage, causes};
use crate::support::cloud_run::{CloudRun, REGION, Revision, Service, Share};
use crate::support::scene::text;

const HEALTH: &str = "The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment variable.";

fn hint(service: &Value) -> String {
    text(&service["cause"]["hint"])
}

#[test]
fn what_git_says_is_a_match() {
    let stage = Stage::new();
    let service = Service::new(
        "phase3",
        vec![stage.revision("phase3-00001-aaa", 1, "old"), stage.revision("phase3-00002-bbb", 2, "good")],
    );
    let report = stage.report(service, "match");
    assert_eq!(report["verdict"], "match");
    assert_eq!(report["cause"], Value::Null);
    let serving = &report["serving"][0];
    assert_eq!((text(&serving["revision"]), &serving["percent"]), ("phase3-00002-bbb".to_owned(), &Value::from(100)));
    assert_eq!(serving["digest"], stage.digest("good"));
    assert_eq!(serving["verify"]["verdict"], "match");
    assert_eq!(serving["verify"]["repo"]["commit"], stage.ids[1].as_str());
}

#[test]
fn a_revision_that_did_not_start() {
    let stage = Stage::new();
    let failed = stage.revision("phase3-00002-bbb", 2, "good").failed("HEALTH_CHECK_CONTAINER_ERROR", HEALTH);
    let report =
        stage.report(Service::new("phase3", vec![stage.revision("phase3-00001-aaa", 1, "old"), failed]), "mismatch");
    assert_eq!(causes(&report), ["startup-failed"]);
    let evidence = report["cause"]["evidence"].to_string();
    assert!(evidence.contains("PORT=8080") && evidence.contains("holds what HEAD says"), "{report:#}");
    assert!(text(&report["cause"]["summary"]).contains("phase3-00001-aaa serves"), "{report:#}");
    assert!(hint(&report).starts_with("logs: gcloud run services logs read phase3 --region us-west2"), "{report:#}");
    assert_eq!(report["latest"]["ready"]["reason"], "HEALTH_CHECK_CONTAINER_ERROR");
    assert_eq!(report["latest"]["verify"]["verdict"], "match");
}

#[test]
fn a_service_none_of_whose_revisions_ever_started() {
    let stage = Stage::new();
    let failed = stage.revision("scrapers-00001-aaa", 2, "good").failed("HEALTH_CHECK_CONTAINER_ERROR", HEALTH);
    let report = stage.report(Service::new("scrapers", vec![failed]), "mismatch");
    assert_eq!(causes(&report), ["startup-failed"]);
    assert!(text(&report["cause"]["summary"]).ends_with("nothing serves"), "{report:#}");
}

#[test]
fn traffic_that_is_bound_to_an_older_revision() {
    let stage = Stage::new();
    let revisions = vec![stage.revision("phase4-00001-aaa", 1, "old"), stage.revision("phase4-00002-bbb", 2, "good")];
    let pinned = Service::new("phase4", revisions.clone()).wanting(vec![Share::of("phase4-00001-aaa", 100)]);
    let report = stage.report(pinned, "mismatch");
    assert_eq!(causes(&report), ["traffic-pinned"]);
    assert_eq!(hint(&report), "gcloud run services update-traffic phase4 --to-latest --region us-west2");
    assert_eq!(report["serving"][0]["verify"]["cause"]["kind"], "old-image");

    let tagged = Share { tag: Some("canary".to_owned()), ..Share::of("phase4-00002-bbb", 0) };
    let silent = Service::new("phase4", revisions.clone()).wanting(vec![Share::of("phase4-00001-aaa", 100), tagged]);
    assert_eq!(causes(&stage.report(silent, "mismatch")), ["no-traffic"]);

    // Every revision with traffic counts, however little it gets.
    let split = Service::new("phase4", revisions).wanting(vec![Share::latest(90), Share::of("phase4-00001-aaa", 10)]);
    let report = stage.report(split, "mismatch");
    assert_eq!(causes(&report), ["traffic-pinned"]);
    assert!(text(&report["cause"]["summary"]).starts_with("10 % of the traffic"), "{report:#}");
    assert_eq!(report["serving"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_deployment_that_is_under_way() {
    let stage = Stage::new();
    let revisions = vec![stage.revision("phase3-00001-aaa", 1, "old"), stage.revision("phase3-00002-bbb", 2, "good")];
    let mut service = Service::new("phase3", revisions);
    service.reconciling = 2;
    let report = stage.report(service.clone(), "mismatch");
    assert_eq!(causes(&report), ["still-reconciling"]);
    assert_eq!(hint(&report), "shipproof deployed phase3 --wait");

    let waited = stage.deployed(vec![service.clone()], &["phase3", "--wait=60"]).exits(0);
    assert!(waited.stderr.contains("phase3: bringing up phase3-00002-bbb"), "{waited:#?}");
    service.reconciling = 1000;
    let gone = stage.deployed(vec![service.clone()], &["phase3", "--wait=0", "--format", "json"]);
    assert_eq!(gone.verdict("unknown")["services"][0]["error"]["kind"], "unsettled");
    service.reconciling = 0;
    let expected = ["--wait=1", "phase3", "--expect-revision", "phase3-00003-ccc"];
    let never = stage.deployed(vec![service.clone()], &expected).exits(2);
    assert!(never.stdout.contains("the newest revision is phase3-00002-bbb, not phase3-00003-ccc yet"), "{never:#?}");
    stage.deployed(vec![service], &["--wait", "phase3", "--expect-revision", "phase3-00002-bbb"]).exits(0);
}

#[test]
fn an_image_that_was_not_built_again() {
    let stage = Stage::new();
    let revisions = vec![stage.revision("phase3-00001-aaa", 1, "old"), stage.revision("phase3-00002-bbb", 2, "old")];
    let report = stage.report(Service::new("phase3", revisions), "mismatch");
    assert_eq!(causes(&report), ["image-unchanged", "image-content"]);
    // Another image that is as wrong is another one.
    let revisions = vec![stage.revision("phase3-00001-aaa", 1, "old"), stage.revision("phase3-00002-bbb", 2, "cached")];
    assert_eq!(causes(&stage.report(Service::new("phase3", revisions), "mismatch")), ["image-content"]);
    assert!(text(&report["causes"][1]["summary"]).contains("old-image"), "{report:#}");
}

#[test]
fn a_tag_that_was_pushed_again_after_the_deployment() {
    let stage = Stage::new();
    let image = format!("{}:good", stage.image());
    let revision = |digest: &str| Revision::new("phase3-00002-bbb", "2026-01-02T09:00:00Z", &image, digest);
    let report = stage.report(Service::new("phase3", vec![revision(stage.digest("old"))]), "mismatch");
    assert_eq!(causes(&report), ["tag-moved", "image-content"]);
    let good = stage.digest("good");
    assert!(hint(&report).contains(&format!("--image {}@{good}", stage.image())), "{report:#}");
    // The tag means what runs: nothing moved.
    stage.report(Service::new("phase3", vec![revision(good)]), "match");
}

#[test]
fn an_image_with_old_content() {
    let stage = Stage::new();
    let report =
        stage.report(Service::new("phase3", vec![stage.revision("phase3-00002-bbb", 2, "cached")]), "mismatch");
    assert_eq!(causes(&report), ["image-content"]);
    assert!(text(&report["cause"]["summary"]).contains("cached-layer"), "{report:#}");
    assert!(hint(&report).contains("docker build --no-cache"), "{report:#}");
    assert_eq!(report["serving"][0]["verify"]["findings"][0]["repo_path"], "shared/heartbeat.py");
}

#[test]
fn labels_are_those_of_the_serving_revision_and_held_against_its_files() {
    let stage = Stage::new();
    let (old, new) = (stage.ids[0].as_str(), stage.ids[1].as_str());
    let lying = stage.revision("phase3-00002-bbb", 2, "old").label("commit-sha", new);
    let mut service = Service::new("phase3", vec![lying]);
    service.labels.insert("commit-sha".to_owned(), new.to_owned());
    let report = stage.report(service, "mismatch");
    assert_eq!(causes(&report), ["image-content", "label-wrong"]);
    assert!(report["causes"][1]["evidence"].to_string().contains("label commit-sha of revision phase3-00002-bbb"));

    // The service's label has moved on, the serving revision's has not: that one tells the truth.
    let honest = stage.revision("phase3-00001-aaa", 1, "old").label("commit-sha", old);
    let newest = stage.revision("phase3-00002-bbb", 2, "good").label("commit-sha", new);
    let mut service = Service::new("phase3", vec![honest, newest]).wanting(vec![Share::of("phase3-00001-aaa", 100)]);
    service.labels.insert("commit-sha".to_owned(), new.to_owned());
    let report = stage.report(service, "mismatch");
    assert_eq!(causes(&report), ["traffic-pinned"]);
    assert!(report["notes"].to_string().contains("only a revision's own count"), "{report:#}");
}

#[test]
fn an_image_that_is_not_in_the_registry_any_more() {
    let stage = Stage::new();
    let gone = format!("sha256:{}", "ab".repeat(32));
    let image = format!("{}@{gone}", stage.image());
    let revision = Revision::new("phase3-00001-aaa", "2026-01-01T09:00:00Z", &image, &gone);
    let report = stage.report(Service::new("phase3", vec![revision]), "unknown");
    assert_eq!(causes(&report), ["image-deleted"]);
    assert_eq!(report["serving"][0]["verify"]["error"]["kind"], "not-found");
}

#[test]
fn helpers_beside_the_main_container_are_not_ours() {
    let stage = Stage::new();
    let mut revision = stage.revision("phase3-00001-aaa", 1, "good");
    // Of helpers Cloud Run tells no digest; it is what their tags mean today.
    revision.sidecars = vec![format!("{}:foreign", stage.image())];
    let report = stage.report(Service::new("phase3", vec![revision.clone()]), "match");
    assert_eq!(report["serving"][0]["containers"][1]["foreign"], true);
    revision.sidecars = vec![format!("{}:none", stage.image())];
    let report = stage.report(Service::new("phase3", vec![revision.clone()]), "unknown");
    assert_eq!(report["serving"][0]["containers"][1]["name"], "sidecar");
    // The main container has to be ours.
    let alone = stage.revision("phase3-00001-aaa", 1, "foreign");
    let report = stage.report(Service::new("phase3", vec![alone]), "unknown");
    assert_eq!(report["serving"][0]["verify"]["error"]["kind"], "no-mapping");
    revision.sidecars = vec![format!("{}:old", stage.image())];
    assert_eq!(causes(&stage.report(Service::new("phase3", vec![revision]), "mismatch")), ["image-content"]);
}

#[test]
fn a_job_runs_what_its_template_says() {
    let stage = Stage::new();
    let cloud_run = CloudRun::serve(Vec::new());
    cloud_run.job("nightly", &format!("{}@{}", stage.image(), stage.digest("old")));
    let run = |name: &str| stage.user(&cloud_run).run(&["deployed", name, "--region", REGION, "--format", "json"]);
    let report = run("jobs/nightly").verdict("mismatch");
    assert_eq!(
        (&report["services"][0]["kind"], causes(&report["services"][0])),
        (&"job".into(), vec!["image-content"])
    );
    // What a tag means today does not prove what the job runs.
    cloud_run.job("hourly", &format!("{}:good", stage.image()));
    let report = run("jobs/hourly").verdict("unknown");
    assert_eq!(report["services"][0]["serving"][0]["verify"]["verdict"], "match");
    let whole = run("projects/p/locations/l/services/s").exits(2);
    assert!(whole.stderr.contains("is not the name of a service"), "{whole:#?}");
    assert_eq!(run("nightly").verdict("unknown")["services"][0]["error"]["kind"], "no-such-service");
}

#[test]
fn the_report_for_people() {
    let stage = Stage::new();
    let failed = stage.revision("phase2-00002-bbb", 2, "good").failed("HEALTH_CHECK_CONTAINER_ERROR", HEALTH);
    let services = vec![
        Service::new("phase2", vec![stage.revision("phase2-00001-aaa", 1, "old"), failed]),
        Service::new("phase3", vec![stage.revision("phase3-00002-bbb", 2, "good")]),
    ];
    let shown = stage.deployed(services, &["phase2", "phase3"]).exits(1).stdout;
    let shown = shown
        .replace(&stage.image(), "IMAGE")
        .replace(stage.digest("good"), "GOOD")
        .replace(stage.digest("old"), "OLD");
    let shown = shown.replace(&stage.ids[1][..7], "NEWCMIT").replace(&stage.ids[0][..7], "OLDCMIT");
    let expected = include_str!("snapshots/two_services.txt");
    assert_eq!(shown, expected, "{shown}");
}
