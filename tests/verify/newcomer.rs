//! The newcomer's table: images built by buildah from the repository's Dockerfile, `verify IMAGE` in the checkout.

use crate::scene::{Scene, buildah_with_base, findings, mappings, origins, text};
use crate::support::builders::{Buildah, skopeo_recompress};
use crate::support::git::Repo;
use crate::support::registry::{Mode, Registry};

const DOCKERFILE: &str = r#"f Dockerfile 0644 FROM localhost/base\nWORKDIR /app\nCOPY requirements.txt .\nCOPY shared/ ./shared/\nCOPY main.py ./\nCMD ["python", "main.py"]\n"#;
const START: &str = r"f .dockerignore 0644 # not for production\n**/__pycache__\n**/*.md\n
    f LICENSE 0644 Apache License, Version 2.0, January 2004, as everyone has it\n
    f README.md 0644 How to run the phases, and why there are three of them.\n
    f main.py 0755 #!/usr/bin/env python\nfrom shared.monitoring import heartbeat\nheartbeat.beat(1)\n
    f requirements.txt 0644 requests==2.32.3\n
    f shared/README.md 0644 What the phases share.\n
    f shared/__init__.py 0644
    f shared/monitoring/__init__.py 0644
    f shared/monitoring/heartbeat.py 0644 def doc_id(self):\n    return f'{self.name}_{self.run_id}'\n
    f shared/util.py 0644 def quote(text):\n    return text.strip()\n
    f tests/test_main.py 0644 def test_nothing():\n    pass  # one day there will be a test here\n";
const FIX: &str = "f shared/monitoring/heartbeat.py 0644 def doc_id(self):\\n    return self.name\\n";
const TOUCH: &str =
    "f main.py 0755 #!/usr/bin/env python\\nfrom shared.monitoring import heartbeat\\nheartbeat.beat(2)\\n";

const HEARTBEAT: &str = "shared/monitoring/heartbeat.py";
/// One layer for all steps, and no cache; much faster than the other way.
const FLAT: &str = "--layers=false";
/// With the cache and a layer for every step, and without either.
const BUILDS: [&str; 2] = ["--layers=true", FLAT];

/// A service in a checkout, and the id of its first commit; `HEAD` fixes `heartbeat.py` and touches `main.py`.
struct Service {
    scene: Scene,
    buildah: Buildah,
    first: String,
}

impl Service {
    fn new() -> Option<Self> {
        let buildah = buildah_with_base()?;
        let mut repo = Repo::with(&format!("{DOCKERFILE}\n{START}"));
        let first = repo.git(&["rev-parse", "HEAD"]);
        for (change, subject) in [(FIX, "Fix doc_id"), (TOUCH, "Beat twice")] {
            repo.write(change);
            repo.commit(subject);
        }
        Some(Self { scene: Scene::of(repo), buildah, first })
    }

    fn build(&self, tag: &str, options: &[&str]) -> String {
        self.buildah.build(&self.scene.repo.path(), tag, options)
    }

    fn git(&self, arguments: &[&str]) {
        self.scene.repo.git(arguments);
    }

    fn restore(&self) {
        self.git(&["checkout", "--force", "main", "--", "."]);
        assert_eq!(self.scene.repo.git(&["status", "--porcelain"]), "", "the checkout is clean again");
    }

    /// An image whose layer of `COPY shared/` came from the cache of the first commit.
    fn build_stale(&self, tag: &str, options: &[&str]) -> String {
        self.git(&["checkout", &self.first, "--", "shared", "main.py"]);
        self.build(&format!("{tag}-before"), options);
        self.git(&["checkout", "main", "--", "main.py"]);
        let image = self.build(tag, options);
        self.restore();
        image
    }
}

#[test]
fn a_good_image_matches() {
    let Some(service) = Service::new() else { return };
    for build in BUILDS {
        let report = service.scene.report(&service.build("good", &[build]), &[], "match");
        assert_eq!(findings(&report), [] as [&str; 0], "{build}");
        assert_eq!(report["counts"]["compared"], 6, "{build}");
        assert_eq!(origins(&report), ["dockerfile"], "{build}");
        assert_eq!(
            mappings(&report),
            ["/app/shared=shared", "/app/main.py=main.py", "/app/requirements.txt=requirements.txt"],
            "{build}"
        );
        assert_eq!(report["warnings"], serde_json::json!([]), "{build}");
    }
}

#[test]
fn a_stale_file_from_a_cached_layer_is_found_with_its_layer() {
    let Some(service) = Service::new() else { return };
    for build in BUILDS {
        let report = service.scene.report(&service.build_stale("stale", &[build]), &[], "mismatch");
        assert_eq!(findings(&report), [format!("{HEARTBEAT} stale")], "{build}");
        let finding = &report["findings"][0];
        assert_eq!(finding["image_path"], format!("/app/{HEARTBEAT}"));
        assert_eq!(finding["repo_blob"], service.scene.repo.blob_id("HEAD", HEARTBEAT));
        assert_eq!(finding["image_blob"], service.scene.repo.blob_id(&service.first, HEARTBEAT));
        let step = text(&finding["layer"]["step"]);
        assert!(build == FLAT || (step.starts_with("COPY dir:") && step.ends_with(" in ./shared/")), "{step}");
    }
}

#[test]
fn an_image_of_an_older_commit_differs_in_what_changed_since() {
    let Some(service) = Service::new() else { return };
    service.git(&["checkout", &service.first, "--", "."]);
    let image = service.build("old", &[FLAT]);
    service.restore();
    let report = service.scene.report(&image, &[], "mismatch");
    assert_eq!(findings(&report), ["main.py stale".to_owned(), format!("{HEARTBEAT} stale")]);
    service.scene.report(&image, &["--rev", &service.first], "match");
}

#[test]
fn an_uncommitted_edit_is_seen() {
    let Some(service) = Service::new() else { return };
    service.scene.repo.write("f shared/util.py 0644 import pdb; pdb.set_trace()  # just for a moment\\n");
    let image = service.build("dirty", &[FLAT]);
    service.scene.report(&image, &["--worktree"], "match");
    service.restore();
    let report = service.scene.report(&image, &[], "mismatch");
    assert_eq!(findings(&report), ["shared/util.py modified"]);
}

#[test]
fn a_file_deleted_before_the_build_is_missing_and_an_ignored_one_is_not() {
    let Some(service) = Service::new() else { return };
    service.scene.repo.remove("shared/util.py");
    let image = service.build("missing", &[FLAT]);
    service.restore();
    let report = service.scene.report(&image, &[], "mismatch");
    assert_eq!(findings(&report), ["shared/util.py missing"]);
    assert_eq!(report["findings"][0]["image_blob"], serde_json::Value::Null);
    let outcome = service.scene.verify(&image, &[]).exits(1);
    assert!(outcome.stdout.contains("hint: look for them in .dockerignore"), "{}", outcome.stdout);
}

#[test]
fn a_registry_and_zstd_change_nothing() {
    let Some(service) = Service::new() else { return };
    let Some(registry) = Registry::start(Mode::Plain) else { return };
    for (tag, image, verdict) in [
        ("good", service.build("good", &[FLAT]), "match"),
        ("stale", service.build_stale("stale", &[FLAT]), "mismatch"),
    ] {
        for format in ["gzip", "zstd"] {
            let packed = format!("oci:{}:{tag}", service.scene.images.path().join(format).display());
            skopeo_recompress(&image, &packed, format);
            let name = format!("nba/{format}:{tag}");
            let digest = registry.push(&packed, &name);
            let reference = registry.reference(&name);
            let report = service.scene.report(&reference, &[], verdict);
            assert_eq!(report["image"]["digest"], digest);
            assert_eq!(report["image"]["pinned"], format!("{}/nba/{format}@{digest}", registry.host()));
            let expected = if verdict == "match" { vec![] } else { vec![format!("{HEARTBEAT} stale")] };
            assert_eq!(findings(&report), expected, "{name}");
        }
    }
}

#[test]
fn the_application_directory_may_be_a_symbolic_link() {
    let Some(service) = Service::new() else { return };
    let dockerfile = DOCKERFILE.replace("WORKDIR /app", "WORKDIR /linked");
    service.scene.repo.write(&dockerfile);
    service.git(&["commit", "--quiet", "--all", "-m", "Move to /linked"]);
    let report = service.scene.report(&service.build("linked", &[FLAT]), &[], "match");
    assert_eq!((&report["counts"]["compared"], origins(&report)), (&6.into(), vec!["dockerfile".to_owned()]));
    let stale = service.scene.report(&service.build_stale("linked-stale", &[FLAT]), &[], "mismatch");
    assert_eq!(findings(&stale), [format!("{HEARTBEAT} stale")]);
}

#[test]
fn stages_are_told_apart() {
    let Some(buildah) = buildah_with_base() else { return };
    let dockerfile = "FROM localhost/base AS build\\nWORKDIR /build\\nCOPY . .\\nFROM localhost/base\\nWORKDIR /app\\n\
                      COPY --from=build /build/shared ./vendored\\nCOPY shared ./shared\\nCOPY --from=build /build/main.py .\\n";
    let scene = Scene::new(&format!("f Dockerfile 0644 {dockerfile}\n{START}"));
    let build = |tag: &str| buildah.build(&scene.repo.path(), tag, &[FLAT]);
    let report = scene.report(&build("good"), &[], "match");
    // What came by way of a stage is told by its contents.
    assert_eq!(mappings(&report), ["/app/shared=shared", "/app/vendored=shared"]);
    assert_eq!(origins(&report), ["dockerfile", "inferred"]);
    scene.repo.write("f shared/util.py 0644 import pdb; pdb.set_trace()  # just for a moment\\n");
    let image = build("stale");
    scene.repo.git(&["checkout", "."]);
    assert_eq!(findings(&scene.report(&image, &[], "mismatch")), ["shared/util.py modified"]);
    assert!(report["warnings"].to_string().contains("from another stage"), "{report:#}");
    // Copied by way of a stage or not: a file that is asked for is found.
    scene.report(&image, &["main.py"], "match");
    scene.report(&image, &["util.py"], "mismatch");
}
