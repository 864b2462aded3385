//! Where services are looked for, who is asking, and what the configuration file says.

use crate::stage::Stage;
use crate::support::cloud_run::{CloudRun, PROJECT, REGION, Service};

fn stage_and_service() -> (Stage, CloudRun) {
    let stage = Stage::new();
    let service = Service::new("phase3", vec![stage.revision("phase3-00001-aaa", 1, "good")]);
    (stage, CloudRun::serve(vec![service]))
}

#[test]
fn project_and_region_come_from_flags_variables_gcloud_or_the_machine() {
    let (stage, cloud_run) = stage_and_service();
    let user = || stage.user(&cloud_run);
    user().run(&["deployed", "phase3"]).exits(0);
    user().run(&["deployed", "phase3", "--project", PROJECT, "--region", REGION]).exits(0);
    let elsewhere = user().run(&["deployed", "phase3", "--project", "other"]).exits(2);
    assert!(elsewhere.stdout.contains("there is no service `phase3` in other (us-west2)"), "{elsewhere:#?}");
    let elsewhere = user().variable("CLOUDSDK_RUN_REGION", "europe-west1").run(&["deployed", "phase3"]).exits(2);
    assert!(elsewhere.stdout.contains("in box-scores (europe-west1)"), "{elsewhere:#?}");
    let gcloud = user();
    let folder = gcloud.home().join(".config/gcloud/configurations");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config_default"), "[run]\nregion = us-east4\n").unwrap();
    let elsewhere = gcloud.run(&["deployed", "phase3"]).exits(2);
    assert!(elsewhere.stdout.contains("in box-scores (us-east4)"), "{elsewhere:#?}");
    let nowhere = user().variable("GCE_METADATA_HOST", "127.0.0.1:9").run(&["deployed", "phase3"]).exits(2);
    assert!(nowhere.stdout.contains("nothing says which project to look in"), "{nowhere:#?}");
    assert!(nowhere.stdout.contains("--project sets it"), "{nowhere:#?}");
}

#[test]
fn nobody_who_is_not_logged_in_is_told_anything() {
    let (stage, cloud_run) = stage_and_service();
    let nobody = stage.user(&cloud_run).variable("GCE_METADATA_HOST", "127.0.0.1:9").variable("PATH", "/nowhere");
    let refused = nobody.run(&["deployed", "phase3", "--project", PROJECT, "--region", REGION]).exits(2);
    assert!(refused.stdout.contains("no credentials for Google's APIs: "), "{refused:#?}");
    assert!(refused.stdout.contains("gcloud auth application-default login"), "{refused:#?}");
    assert!(cloud_run.seen().is_empty(), "no request without a token");
    let far = stage.user(&cloud_run).variable("CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN", "http://run.example/");
    let far = far.run(&["deployed", "phase3"]).exits(2);
    assert!(far.stdout.contains("no token is sent there"), "{far:#?}");
}

#[test]
fn a_server_that_is_busy_is_asked_again_and_a_refusal_is_told() {
    let (stage, cloud_run) = stage_and_service();
    cloud_run.refuse(503, "try again", 2);
    stage.user(&cloud_run).run(&["deployed", "phase3"]).exits(0);
    cloud_run.refuse(403, "Permission 'run.services.get' denied", 1);
    let refused = stage.user(&cloud_run).run(&["deployed", "phase3"]).exits(2);
    assert!(refused.stdout.contains("answered 403: Permission 'run.services.get' denied"), "{refused:#?}");
    assert!(refused.stdout.contains("roles/run.viewer"), "{refused:#?}");
    let token = crate::support::artifact_registry::ACCESS_TOKEN;
    assert!(!format!("{refused:?}").contains(token));
    // A token that has expired in between is replaced by a new one.
    cloud_run.refuse(401, "expired", 1);
    stage.user(&cloud_run).run(&["deployed", "phase3"]).exits(0);
}

#[test]
fn all_services_of_a_region_or_of_the_configuration_file() {
    let stage = Stage::new();
    let service = |name: &str, tag| Service::new(name, vec![stage.revision(&format!("{name}-00001-aaa"), 1, tag)]);
    // More than fit on one page of the fake's lists.
    let services = vec![service("phase2", "good"), service("phase3", "old"), service("phase4", "good")];
    let cloud_run = CloudRun::serve(services);
    cloud_run.job("nightly", &format!("{}@{}", stage.image(), stage.digest("good")));
    let names = |arguments: &[&str], verdict: &str| {
        let report = stage.user(&cloud_run).run(&[&["deployed", "--format", "json"], arguments].concat());
        let report = report.verdict(verdict);
        let services = report["services"].as_array().unwrap().clone();
        services.iter().map(|one| format!("{} {}", one["name"], one["verdict"]).replace('"', "")).collect::<Vec<_>>()
    };
    let everything = ["phase2 match", "phase3 mismatch", "phase4 match", "jobs/nightly match"];
    assert_eq!(names(&["--all"], "mismatch"), everything);

    let config = stage.scene.repo.path().join("shipproof.toml");
    let write = |text: &str| std::fs::write(&config, text).unwrap();
    write("region = \"us-west2\"\n[services.phase2]\n[services.\"jobs/nightly\"]\n");
    assert_eq!(names(&["--all"], "match"), ["jobs/nightly match", "phase2 match"]);
    write("[services.phase4]\nfiles = [\"heartbeat.py\"]\n");
    assert_eq!(names(&["--all"], "match"), ["phase4 match"]);
    write("[services.phase4]\nfiles = [\"heartbeat.py\", \"gone.py\"]\n");
    assert_eq!(names(&["--all"], "mismatch"), ["phase4 mismatch"]);
    write("[services.phase4]\nmap = { \"/app/shared\" = \"shared\" }\n");
    assert_eq!(names(&["--all"], "match"), ["phase4 match"]);
    write("[services.phase4]\nimages = \"x\"\n");
    let wrong = stage.user(&cloud_run).run(&["deployed", "--all"]).exits(2);
    assert!(wrong.stderr.contains("line 2: unknown field `images`") && wrong.stderr.contains("did you mean `image`?"));
}
