//! The real gcloud against the Cloud Run of the tests, so that this one is held against a client that is not ours, and
//! what gcloud prints is read.

use std::process::Command;

use serde_json::Value;

use crate::stage::{Stage, causes};
use crate::support::artifact_registry::ACCESS_TOKEN;
use crate::support::cloud_run::{CloudRun, PROJECT, REGION, Service, Share};
use crate::support::tools::{self, GCLOUD};

struct Gcloud {
    home: tempfile::TempDir,
    program: std::path::PathBuf,
}

impl Gcloud {
    fn new() -> Option<Self> {
        let program = tools::require(GCLOUD)?;
        let home = tempfile::tempdir().expect("a temporary folder");
        tools::write_private(&home.path().join("token"), ACCESS_TOKEN);
        Some(Self { home, program })
    }

    /// What `gcloud run …` prints. It puts the region before the host of the override, which is led to the server by the
    /// proxy.
    fn run(&self, cloud_run: &CloudRun, arguments: &[&str]) -> Vec<u8> {
        let mut command: Command = tools::command(&self.program, self.home.path());
        command.arg("run").args(arguments);
        command.args(["--region", REGION, "--project", PROJECT, "--format", "json", "--quiet"]);
        command
            .env("CLOUDSDK_CONFIG", self.home.path())
            .env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", self.home.path().join("token"));
        command
            .env("CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN", "http://run.invalid/")
            .env("http_proxy", cloud_run.address());
        command
            .env("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "1")
            .env("CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "1");
        tools::run(&mut command)
    }
}

#[test]
fn what_gcloud_prints_is_read() {
    let Some(gcloud) = Gcloud::new() else { return };
    let stage = Stage::new();
    let revisions = vec![stage.revision("phase4-00001-aaa", 1, "old"), stage.revision("phase4-00002-bbb", 2, "good")];
    let cloud_run =
        CloudRun::serve(vec![Service::new("phase4", revisions).wanting(vec![Share::of("phase4-00001-aaa", 100)])]);
    let service = gcloud.run(&cloud_run, &["services", "describe", "phase4"]);
    let revision = gcloud.run(&cloud_run, &["revisions", "describe", "phase4-00001-aaa"]);
    let said: Value = serde_json::from_slice(&service).expect("gcloud prints JSON");
    assert_eq!((&said["kind"], &said["metadata"]["name"]), (&"Service".into(), &"phase4".into()));
    let folder = tempfile::tempdir().unwrap();
    let paths = [("service.json", service), ("revision.json", revision)].map(|(name, bytes)| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    });
    let arguments =
        ["deployed", "phase4", "--service-json", &paths[0], "--service-json", &paths[1], "--format", "json"];
    let report = stage.user(&cloud_run).run(&arguments).verdict("mismatch");
    assert_eq!(causes(&report["services"][0]), ["traffic-pinned"]);
    assert_eq!(report["services"][0]["serving"][0]["digest"], stage.digest("old"));
}

#[test]
fn the_token_of_gcloud_is_used() {
    let Some(gcloud) = Gcloud::new() else { return };
    let stage = Stage::new();
    let cloud_run = CloudRun::serve(vec![Service::new("phase3", vec![stage.revision("phase3-00001-aaa", 1, "good")])]);
    let user = stage
        .user(&cloud_run)
        .variable("GCE_METADATA_HOST", "127.0.0.1:9")
        .variable("CLOUDSDK_CONFIG", gcloud.home.path())
        .variable("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", gcloud.home.path().join("token"));
    user.run(&["deployed", "phase3", "--project", PROJECT, "--region", REGION]).exits(0);
}
