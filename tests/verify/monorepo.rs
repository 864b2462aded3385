//! One repository, several services with Dockerfiles that look alike, and code that they share.

use serde_json::json;

use crate::scene::{Scene, below, buildah_with_base, files, findings, legacy, mappings, origins, text, untold};
use crate::support::images::Image;

const PHASES: [&str; 4] = ["phase1", "phase2", "phase3", "phase4"];
const STALE: &str = "# this was written before anything was fixed\\n";
const CMD: [&str; 2] = ["python", "main.py"];

fn shared() -> String {
    files(&["shared/monitoring/heartbeat.py", "shared/monitoring/logs.py", "shared/util.py"])
}

fn own(phase: &str) -> String {
    format!("# this is the file services/{phase}/main.py and no other\\n")
}

/// Four services that differ in the contents of `main.py` alone, and the code that they share.
fn four() -> String {
    let service = |phase: &str| {
        format!(
            "f services/{phase}/Dockerfile 0644 FROM localhost/base\\nWORKDIR /app\\nCOPY shared/ ./shared/\\n\
             COPY services/{phase}/main.py ./\\nCMD [\"python\", \"main.py\"]\\n
             f services/{phase}/main.py 0644 {}\n",
            own(phase)
        )
    };
    PHASES.map(service).concat() + &shared()
}

/// What a build of one of the four makes, if its `main.py` and the shared code are these.
fn built(main: &str, shared: &str) -> Image {
    let main = format!("f app/main.py 0644 {main}");
    legacy(&[("dir", "./shared/", &below("app", shared)), ("file", "./", &main)])
        .edit(|config| config["config"]["Cmd"] = json!(CMD))
}

#[test]
fn buildah_builds_one_of_four_from_the_top() {
    let Some(buildah) = buildah_with_base() else { return };
    let scene = Scene::new(&four());
    let path = scene.repo.path();
    let file = path.join("services/phase3/Dockerfile").display().to_string();
    let build = |tag: &str| buildah.build(&path, tag, &["--layers=false", "--file", &file]);
    let report = scene.report(&build("good"), &[], "match");
    assert_eq!(mappings(&report), ["/app/shared=shared", "/app/main.py=services/phase3/main.py"]);
    scene.repo.write(&format!("f shared/util.py 0644 {STALE}"));
    let image = build("stale");
    scene.repo.git(&["checkout", "."]);
    assert_eq!(findings(&scene.report(&image, &[], "mismatch")), ["shared/util.py modified"]);
}

#[test]
fn buildah_builds_a_service_from_its_own_directory() {
    let Some(buildah) = buildah_with_base() else { return };
    let service = |name: &str| {
        format!(
            "f {name}/Dockerfile 0644 FROM localhost/base\\nWORKDIR /opt/app\\nCOPY . .\\n
             f {name}/.dockerignore 0644 Dockerfile\\n.dockerignore\\nnotes\\n
             f {name}/notes/secret.md 0644 do not ship this one, please\\n\n{}",
            files(&[&format!("{name}/main.py"), &format!("{name}/lib/util.py")])
        )
    };
    let scene = Scene::new(&(service("api") + &service("worker") + &files(&["README.md", "main.py"])));
    let path = scene.repo.path().join("worker");
    let report = scene.report(&buildah.build(&path, "good", &["--layers=false"]), &[], "match");
    assert_eq!(
        (mappings(&report), origins(&report)),
        (vec!["/opt/app=worker".to_owned()], vec!["dockerfile".to_owned()])
    );
    assert_eq!(report["counts"], json!({ "compared": 2, "same": 2 }));
    scene.repo.write(&format!("f worker/lib/util.py 0644 {STALE}"));
    let image = buildah.build(&path, "stale", &["--layers=false"]);
    scene.repo.git(&["checkout", "."]);
    assert_eq!(findings(&scene.report(&image, &[], "mismatch")), ["worker/lib/util.py modified"]);
}

#[test]
fn hashes_in_the_history_are_enough_to_find_the_service() {
    let scene = Scene::new(&four());
    for phase in PHASES {
        let report = scene.report(&scene.image(&built(&own(phase), &shared())), &[], "match");
        let main = format!("/app/main.py=services/{phase}/main.py");
        assert_eq!(mappings(&report), ["/app/shared=shared".to_owned(), main]);
        let old = shared().replace("the file shared/util.py", "what the file shared/util.py was");
        let report = scene.report(&scene.image(&built(&own(phase), &old)), &[], "mismatch");
        assert_eq!(findings(&report), ["shared/util.py modified"]);
    }
}

/// The one file that tells the services apart is stale, so that all four Dockerfiles fit equally well.
#[test]
fn a_stale_file_of_the_service_itself_is_never_a_match() {
    let scene = Scene::new(&four());
    let image = scene.image(&built(STALE, &shared()));
    let report = scene.report(&image, &[], "mismatch");
    assert_eq!(findings(&report), ["services/phase1/main.py modified"]);
    let warning = text(&report["warnings"][0]);
    assert!(PHASES.iter().all(|phase| warning.contains(&format!("services/{phase}/Dockerfile"))), "{warning}");
    assert!(warning.ends_with("fit the image equally well; --dockerfile FILE says which built it"), "{warning}");
    scene.report(&image, &["main.py"], "mismatch");
    let report = scene.report(&image, &["services/phase3/main.py"], "mismatch");
    assert_eq!(findings(&report), ["services/phase3/main.py modified"]);
    let report = scene.report(&image, &["--dockerfile", "services/phase4/Dockerfile"], "mismatch");
    assert_eq!((findings(&report), &report["warnings"]), (vec!["services/phase4/main.py modified".into()], &json!([])));
    // What is asked about is the same in all of them.
    scene.report(&image, &["shared"], "match");
}

/// With other line endings in every file nothing is equal byte by byte; the comparison tells the services apart.
#[test]
fn line_endings_do_not_hide_the_service() {
    let scene = Scene::new(&four());
    let crlf = |text: &str| text.replace("\\n", "\\r\\n").replace("\\r", "\\x0d");
    let report = scene.report(&scene.image(&built(&crlf(&own("phase3")), &crlf(&shared()))), &[], "match");
    assert_eq!(report["counts"], json!({ "compared": 4, "same-normalized": 4 }));
    assert!(findings(&report).contains(&"services/phase3/main.py same-normalized".to_owned()), "{report}");
    scene.report(&scene.image(&built(&crlf(STALE), &crlf(&shared()))), &[], "mismatch");
}

#[test]
fn services_with_the_same_bytes_are_as_good_as_one() {
    let same = four().replace("services/phase2/main.py and no other", "services/phase1/main.py and no other");
    let scene = Scene::new(&same);
    scene.report(&scene.image(&built(&own("phase1"), &shared())), &[], "match");
    scene.report(&scene.image(&built(&own("phase3"), &shared())), &[], "match");
    scene.report(&scene.image(&built(STALE, &shared())), &[], "mismatch");
    let old = shared().replace("the file shared/util.py", "what the file shared/util.py was");
    let report = scene.report(&scene.image(&built(&own("phase1"), &old)), &[], "mismatch");
    assert_eq!(findings(&report), ["shared/util.py modified"]);
}

/// No Dockerfile, no history: names and contents have to do.
#[test]
fn inference_puts_a_service_together_from_two_places() {
    let scene = Scene::new(&(PHASES.map(|phase| files(&[&format!("services/{phase}/main.py")])).concat() + &shared()));
    let image = |main: &str| scene.image(&untold(&format!("{}f app/main.py 0644 {main}", below("app", &shared()))));
    let good = image(&own("phase2"));
    for arguments in [&[][..], &["main.py"], &["/app/main.py"], &["services/phase2/main.py"]] {
        let report = scene.report(&good, arguments, "match");
        assert_eq!(mappings(&report), ["/app=.", "/app=services/phase2"], "{arguments:?}");
        assert_eq!(report["counts"]["compared"], if arguments.is_empty() { 4 } else { 1 }, "{arguments:?}");
    }
    let stale = image(STALE);
    assert_eq!(scene.report(&stale, &["main.py"], "mismatch")["counts"]["compared"], 0);
    // Which service it is cannot be known; that something was not compared is said aloud.
    let outcome = scene.verify(&stale, &[]);
    let note = "note: /app/main.py was not compared: git has no file in its place, but services/phase1/main.py and 3 \
                others of that name";
    assert!(outcome.stdout.contains(note), "{outcome:?}");
}

#[test]
fn what_could_be_two_services_is_neither() {
    let scene = Scene::new(
        &["api", "worker"].map(|name| files(&["main.py", "util.py"]).replace("f ", &format!("f {name}/"))).concat(),
    );
    let image = scene.image(&untold(&below("srv", &files(&["main.py", "util.py"]))));
    let report = scene.report(&image, &[], "unknown");
    assert_eq!(report["error"]["kind"], "no-mapping");
    assert_eq!(report["error"]["message"], "/srv could be any of api, worker of the repository");
    let outcome = scene.verify(&image, &[]).exits(2);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("hint: --map /srv=api chooses one of them"), "{outcome:?}");
    scene.report(&image, &["--map", "/srv=worker"], "match");
}
