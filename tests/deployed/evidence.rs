//! The documents that a service writes, in the real emulator of Firestore.

use serde_json::Value;

use crate::stage::{Stage, causes};
use crate::support::cli::Shipproof;
use crate::support::cloud_run::{CloudRun, PROJECT, Service};
use crate::support::firestore::Firestore;
use crate::support::scene::text;

const CONFIG: &str = "
[services.phase3]
[[services.phase3.evidence]]
collection = \"heartbeats\"
bad_ids = \"_None_|_202\\\\d\"
expected = 3
";

struct Watching {
    stage: Stage,
    cloud_run: CloudRun,
    firestore: Firestore,
}

impl Watching {
    /// A service that serves what git says since `day`, and an emulator.
    fn new(day: &str) -> Option<Self> {
        let firestore = Firestore::start()?;
        let stage = Stage::new();
        let mut revision = stage.revision("phase3-00002-bbb", 2, "good");
        revision.created = format!("{day}T09:00:00.000000Z");
        let cloud_run = CloudRun::serve(vec![Service::new("phase3", vec![revision])]);
        std::fs::write(stage.scene.repo.path().join("shipproof.toml"), CONFIG).expect("the checkout is ours");
        Some(Self { stage, cloud_run, firestore })
    }

    fn user(&self) -> Shipproof {
        self.stage.user(&self.cloud_run).variable("FIRESTORE_EMULATOR_HOST", self.firestore.host())
    }

    fn report(&self, verdict: &str) -> Value {
        let arguments = ["deployed", "phase3", "--evidence", "--format", "json"];
        self.user().run(&arguments).verdict(verdict)["services"][0].clone()
    }
}

fn ids(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number:04}")).collect()
}

#[test]
fn wrong_documents_are_counted_grouped_and_dated() {
    // The emulator dates documents by the clock, so that these are from after what serves was made.
    let Some(watching) = Watching::new("2026-01-02") else { return };
    watching.firestore.write(PROJECT, "heartbeats", &["phase2".to_owned(), "phase3".to_owned()]);
    let clean = watching.report("match");
    assert_eq!(clean["documents"][0]["first"]["total"], 2);
    assert_eq!(clean["documents"][0]["first"]["offenders"], 0);

    watching.firestore.write(PROJECT, "heartbeats", &ids("phase3_None_", 650));
    watching.firestore.write(PROJECT, "heartbeats", &ids("phase4_2026-01-", 40));
    // Another collection and another project are nobody's business here.
    watching.firestore.write(PROJECT, "others", &ids("phase9_None_", 3));
    watching.firestore.write("elsewhere", "heartbeats", &ids("phase9_None_", 3));
    let report = watching.report("mismatch");
    assert_eq!(causes(&report), ["evidence"]);
    let survey = &report["documents"][0]["first"];
    assert_eq!((&survey["total"], &survey["sampled"], &survey["offenders"]), (&692.into(), &692.into(), &690.into()));
    let groups: Vec<String> = survey["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| format!("{} {} {}", text(&group["prefix"]), group["count"], text(&group["example"])))
        .collect();
    assert_eq!(groups, ["phase3 650 phase3_None_0000", "phase4 40 phase4_2026-01-0000"]);
    let shown = watching.user().run(&["deployed", "phase3", "--evidence"]).exits(1).stdout;
    assert!(shown.contains("documents heartbeats: 692, 3 expected\n"), "{shown}");
    assert!(shown.contains("690 of 692 that were looked at are wrong\n"), "{shown}");
    assert!(shown.contains("650  phase3  as in phase3_None_0000\n"), "{shown}");
}

#[test]
fn documents_from_before_the_deployment_say_nothing_of_it() {
    let Some(watching) = Watching::new("2099-01-01") else { return };
    watching.firestore.write(PROJECT, "heartbeats", &ids("phase3_None_", 5));
    let report = watching.report("match");
    assert_eq!(report["documents"][0]["first"]["offenders"], 5);
    assert_eq!(report["documents"][0]["live"], false);
}

#[test]
fn what_grows_while_it_is_watched_is_live() {
    let Some(watching) = Watching::new("2099-01-01") else { return };
    watching.firestore.write(PROJECT, "heartbeats", &ids("phase3_None_", 5));
    let mut command = watching.user().command();
    let arguments = ["deployed", "phase3", "--evidence", "--watch", "0.1", "--format", "json"];
    let mut child = command
        .args(arguments)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Told before it waits; then the documents grow.
    let mut said = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stderr.take().unwrap()), &mut said).unwrap();
    assert!(said.contains("phase3: its documents are looked at again in 6 s"), "{said}");
    watching.firestore.write(PROJECT, "heartbeats", &ids("phase4_None_", 7));
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let service = &report["services"][0];
    assert_eq!((output.status.code(), causes(service)), (Some(1), vec!["evidence"]), "{report:#}");
    assert!(service["cause"]["evidence"].to_string().contains("7 documents more while it was watched"), "{report:#}");
}

#[test]
fn documents_that_cannot_be_looked_at_leave_it_open() {
    let stage = Stage::new();
    let cloud_run = CloudRun::serve(vec![Service::new("phase3", vec![stage.revision("phase3-00002-bbb", 2, "good")])]);
    std::fs::write(stage.scene.repo.path().join("shipproof.toml"), CONFIG).unwrap();
    let user = stage
        .user(&cloud_run)
        .variable("FIRESTORE_EMULATOR_HOST", cloud_run.address().replace("http://", "").replace('/', ""));
    let report = user.run(&["deployed", "phase3", "--evidence", "--format", "json"]).verdict("unknown");
    let service = &report["services"][0];
    assert!(
        service["notes"].to_string().contains("the documents could not be looked at: 127.0.0.1 answered 401"),
        "{report:#}"
    );
    assert_eq!(service["serving"][0]["verify"]["verdict"], "match", "nothing else is lost");
}

#[test]
fn evidence_that_nobody_configured_is_an_error() {
    let stage = Stage::new();
    let cloud_run = CloudRun::serve(vec![Service::new("phase3", vec![stage.revision("phase3-00002-bbb", 2, "good")])]);
    let refused = stage.user(&cloud_run).run(&["deployed", "phase3", "--evidence"]).exits(2);
    assert!(refused.stderr.contains("shipproof.toml names no services with evidence"), "{refused:#?}");
}
