//! `verify --all` and `init`: the configuration file, used and written.

use crate::stage::Stage;
use crate::support::cli::Shipproof;
use crate::support::cloud_run::{CloudRun, Service};
use crate::support::git::Repo;
use crate::support::scene::text;

fn summary(report: &serde_json::Value) -> Vec<String> {
    let images = report["images"].as_array().expect("a report has images");
    images
        .iter()
        .map(|one| format!("{} {} {}", text(&one["name"]), text(&one["verdict"]), text(&one["verify"]["verdict"])))
        .collect()
}

#[test]
fn the_images_of_all_services_are_verified() {
    let stage = Stage::new();
    let user = stage.user(&CloudRun::serve(Vec::new()));
    let config = stage.scene.repo.path().join("shipproof.toml");
    let image = |tag: &str| format!("image = \"{}:{tag}\"\n", stage.image());
    let write = |services: &[(&str, String)]| {
        let services = services.iter().map(|(name, keys)| format!("[services.{name}]\n{keys}"));
        std::fs::write(&config, services.collect::<String>()).expect("the checkout is ours");
    };
    let verify = || user.run(&["verify", "--all", "--format", "json"]);

    write(&[("phase2", image("good")), ("phase3", image("good")), ("none", String::new())]);
    assert_eq!(summary(&verify().verdict("match")), ["phase2 match match", "phase3 match match"]);
    let shown = user.run(&["verify", "--all"]).exits(0).stdout;
    assert!(shown.ends_with("\nmatch: all 2 hold what git says\n"), "{shown}");

    write(&[("phase2", image("gone")), ("phase3", image("cached")), ("phase4", image("good"))]);
    let expected = ["phase2 unknown unknown", "phase3 mismatch mismatch", "phase4 match match"];
    assert_eq!(summary(&verify().verdict("mismatch")), expected);
    let shown = user.run(&["verify", "--all"]).exits(1).stdout;
    assert!(shown.contains("phase3  mismatch  ") && shown.contains("  cached-layer: "), "{shown}");
    assert!(shown.ends_with("mismatch: 1 of 3 images is not what git says, and 1 could not be judged\n"), "{shown}");

    write(&[("phase2", image("gone"))]);
    assert_eq!(summary(&verify().verdict("unknown")), ["phase2 unknown unknown"]);
    // What has to be there is asked for beyond what is mapped.
    write(&[("phase2", image("good") + "files = [\"heartbeat.py\", \"deploy.sh\"]\n")]);
    assert_eq!(summary(&verify().verdict("mismatch")), ["phase2 mismatch match"]);
    let shown = user.run(&["verify", "--all"]).exits(1).stdout;
    assert!(shown.contains("missing-files: deploy.sh has to be in it and is not"), "{shown}");

    write(&[("none", String::new())]);
    let nothing = user.run(&["verify", "--all"]).exits(2);
    assert!(nothing.stderr.contains("names no services with image"), "{nothing:#?}");
    std::fs::remove_file(&config).expect("the file is ours");
    let nothing = user.run(&["verify", "--all", "--format", "json"]).exits(2);
    assert!(nothing.stderr.contains("there is no ") && nothing.stderr.contains("shipproof init"), "{nothing:#?}");
    assert_eq!(nothing.json()["error"]["kind"], "configuration");
    user.run(&["verify"]).exits(2);
}

#[test]
fn a_first_file_is_written_from_dockerfiles_and_services() {
    let repo = Repo::with(
        "f phase3/Dockerfile 0644 FROM scratch\\n
         f Scrape_Jobs/Dockerfile 0644 FROM scratch\\n
         f docs/Dockerfile.md 0644 no\\n",
    );
    let config = repo.path().join("shipproof.toml");
    let alone = Shipproof::new().directory(repo.path());
    let written = alone.run(&["init"]).exits(0);
    assert!(written.stderr.contains("Cloud Run are left out: nothing says which project"), "{written:#?}");
    let expected = "# What this repository deploys: shipproof verify --all, shipproof deployed --all.\n\
        # project = \"PROJECT\"\n# region = \"us-central1\"\n\n\
        [services.\"phase3\"]\n# image = \"HOST/NAME:TAG\"\ndockerfile = \"phase3/Dockerfile\"\n\n\
        [services.\"scrape-jobs\"]\n# image = \"HOST/NAME:TAG\"\ndockerfile = \"Scrape_Jobs/Dockerfile\"\n";
    assert_eq!(std::fs::read_to_string(&config).unwrap(), expected);
    let again = alone.run(&["init"]).exits(2);
    assert!(again.stderr.contains("shipproof.toml is there already; --force overwrites it"), "{again:#?}");

    let stage = Stage::new();
    let services = vec![Service::new("phase3", vec![stage.revision("phase3-00001-aaa", 1, "good")])];
    let cloud_run = CloudRun::serve(services);
    stage.user(&cloud_run).run(&["init"]).exits(0);
    let written = std::fs::read_to_string(stage.scene.repo.path().join("shipproof.toml")).unwrap();
    let image = format!("image = \"{}@{}\"", stage.image(), stage.digest("good"));
    assert!(
        written.contains("project = \"box-scores\"\nregion = \"us-west2\"\n") && written.contains(&image),
        "{written}"
    );
    // What was written is what both commands go by.
    stage.user(&cloud_run).run(&["verify", "--all"]).exits(0);
    stage.user(&cloud_run).run(&["deployed", "--all"]).exits(0);
}
