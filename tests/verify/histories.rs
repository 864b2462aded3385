//! What the image tells of its making, in the words of several builders, or does not tell.

use serde_json::json;

use crate::scene::{Scene, below, buildkit, files, findings, mappings, origins, text, untold};
use crate::support::images::Image;
use crate::support::layers::{Compression, Layer};
use crate::support::registry::{Mode, Registry};

fn service() -> String {
    files(&["main.py", "requirements.txt", "shared/beat.py", "shared/deep/logs.py", "tests/test_main.py", "README.md"])
        + "f .dockerignore 0644 **/*.md\\n\nf shared/README.md 0644 not shipped, for it is ignored\\n\n"
}

fn shared() -> String {
    files(&["shared/beat.py", "shared/deep/logs.py"])
}

/// As BuildKit builds `service`, with this in the layer of `shared/`.
fn built(shared: &str) -> Image {
    buildkit(&[
        ("COPY requirements.txt .", &below("app", &files(&["requirements.txt"]))),
        ("RUN /bin/sh -c pip install -r requirements.txt", "f usr/lib/python3/site-packages/installed.py 0644 x"),
        ("COPY shared/ ./shared/", &below("app", shared)),
        ("COPY main.py ./", &below("app", &files(&["main.py"]))),
    ])
    .empty_step("ENV PYTHONUNBUFFERED=1")
    .empty_step("CMD [\"python\" \"main.py\"]")
}

#[test]
fn buildkit_names_its_sources() {
    let scene = Scene::new(&service());
    let report = scene.report(&scene.image(&built(&shared())), &[], "match");
    assert_eq!(origins(&report), ["history"]);
    assert_eq!(
        mappings(&report),
        ["/app/shared=shared", "/app/main.py=main.py", "/app/requirements.txt=requirements.txt"]
    );
    assert_eq!(report["counts"], json!({ "compared": 4, "same": 4 }));
    let stale = shared().replace("deep/logs.py and", "deep/logs.py as it was and");
    let report = scene.report(&scene.image(&built(&stale)), &[], "mismatch");
    assert_eq!(findings(&report), ["shared/deep/logs.py modified"]);
    let layer = &report["findings"][0]["layer"];
    assert_eq!((&layer["index"], &layer["step"]), (&json!(3), &json!("COPY shared/ ./shared/")));
    let report = scene.report(&scene.image(&built(&files(&["shared/beat.py"]))), &[], "mismatch");
    assert_eq!(findings(&report), ["shared/deep/logs.py missing"]);
}

#[test]
fn copy_everything_respects_dockerignore() {
    let scene = Scene::new(&(service() + "f Dockerfile 0644 FROM x\\nWORKDIR /app\\nCOPY . .\\n"));
    let shipped = files(&["main.py", "requirements.txt", "tests/test_main.py"])
        + &shared()
        + "f .dockerignore 0644 **/*.md\\n\nf Dockerfile 0644 FROM x\\nWORKDIR /app\\nCOPY . .\\n\n";
    let image = |text: &str| scene.image(&buildkit(&[("COPY . .", &below("app", text))]));
    let report = scene.report(&image(&shipped), &[], "match");
    assert_eq!((origins(&report), &report["counts"]["compared"]), (vec!["dockerfile".to_owned()], &json!(7)));
    let generated = shipped.clone() + "f shared/__pycache__/beat.pyc 0644 x\nf build.log 0644 x\n";
    let report = scene.report(&image(&generated), &[], "match");
    assert_eq!(findings(&report), ["/app/build.log untracked", "/app/shared/__pycache__/beat.pyc untracked"]);
    let without_tests = shipped.replace("f tests/", "f tests-of-another-day/");
    let report = scene.report(&image(&without_tests), &[], "mismatch");
    assert!(findings(&report).contains(&"tests/test_main.py missing".to_owned()), "{report}");
}

#[test]
fn copies_from_stages_are_left_out() {
    let dockerfile = "FROM node AS web\\nCOPY web/ /web\\nRUN make\\nFROM python\\nWORKDIR /app\\n\
                      COPY --from=web /web/dist ./static\\nCOPY shared ./shared\\nCOPY --from=web /web/a.py ./b.py\\n";
    let scene =
        Scene::new(&(shared() + &files(&["web/index.js", "web/dist/old.js"]) + "f Dockerfile 0644 " + dockerfile));
    let image = |shared: &str| {
        scene.image(&buildkit(&[
            ("COPY /web/dist ./static", "f app/static/bundle.js 0644 x"),
            ("COPY shared ./shared", &below("app", shared)),
            ("COPY /web/a.py ./b.py", "f app/b.py 0644 x"),
        ]))
    };
    let report = scene.report(&image(&shared()), &[], "match");
    assert_eq!((origins(&report), mappings(&report)), (vec!["dockerfile".into()], vec!["/app/shared=shared".into()]));
    let report = scene.report(&image(&files(&["shared/beat.py"])), &[], "mismatch");
    assert_eq!(findings(&report), ["shared/deep/logs.py missing"]);
}

#[test]
fn a_dockerfile_that_says_something_else_is_not_believed() {
    let other = "f Dockerfile 0644 FROM x\\nWORKDIR /app\\nCOPY tests/ ./tests/\\nCOPY main.py ./\\n";
    let scene = Scene::new(&(service() + other));
    let report = scene.report(&scene.image(&built(&shared())), &[], "match");
    assert_eq!(origins(&report), ["history"]);
}

/// kaniko writes the Dockerfile's own lines.
#[test]
fn kaniko_is_understood() {
    let scene = Scene::new(&service());
    let image = Image::new()
        .workdir("/app")
        .empty_step("WORKDIR /app")
        .layer("COPY shared/ ./shared/", Layer::text(&below("app", &shared())))
        .layer(
            "COPY main.py requirements.txt ./",
            Layer::text(&below("app", &files(&["main.py", "requirements.txt"]))),
        );
    let report = scene.report(&scene.image(&image), &[], "match");
    assert_eq!((origins(&report), &report["counts"]["compared"]), (vec!["history".to_owned()], &json!(4)));
}

#[test]
fn without_a_history_the_dockerfile_is_enough() {
    let dockerfile = "f Dockerfile 0644 FROM x\\nWORKDIR /app\\nCOPY shared/ ./shared/\\nCOPY main.py ./\\n";
    let scene = Scene::new(&(service() + dockerfile));
    let squashed = |text: &str| {
        let image = Image::new().workdir("/app").layer("", Layer::text(&below("app", text)));
        scene.image(&image.edit(|config| config["history"] = json!([])))
    };
    let report = scene.report(&squashed(&(shared() + &files(&["main.py"]))), &[], "match");
    assert_eq!((origins(&report), &report["counts"]["compared"]), (vec!["dockerfile".to_owned()], &json!(3)));
    let report = scene.report(&squashed(&shared()), &[], "mismatch");
    assert_eq!((findings(&report), &report["findings"][0]["layer"]), (vec!["main.py missing".into()], &json!(null)));
}

#[test]
fn inference_misses_one_of_many_and_not_what_was_never_copied() {
    let many: Vec<String> = (1..=8).map(|number| format!("pkg/module{number}.py")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let rest = files(&["docs/a.py", "docs/b.py", "docs/c.py", "setup.py", "main.py"]);
    let scene = Scene::new(&(files(&many) + &rest));
    let image = |modules: &[&str]| scene.image(&untold(&below("srv/code", &(files(modules) + &files(&["main.py"])))));
    let report = scene.report(&image(&many), &[], "match");
    assert_eq!((origins(&report), mappings(&report)), (vec!["inferred".into()], vec!["/srv/code=.".into()]));
    let warning = text(&report["warnings"][0]);
    assert!(warning.starts_with("4 files of the mapped directories not in the image"), "{warning}");
    let report = scene.report(&image(&many[1..]), &[], "mismatch");
    assert_eq!(findings(&report), ["pkg/module1.py missing"]);
    // Asked for, a file has to be there.
    assert_eq!(findings(&scene.report(&image(&many), &["docs"], "mismatch")).len(), 3);
}

#[test]
fn an_image_of_something_else_is_not_judged() {
    let licence = "f LICENSE 0644 Apache License, Version 2.0, January 2004, as everyone has it\\n\n";
    let common = licence.to_owned() + "f pkg/__init__.py 0644\nf pkg/py.typed 0644\nf pkg/one.txt 0644 1\\n\n";
    let dockerfile = "f Dockerfile 0644 FROM x\\nWORKDIR /app\\nCOPY . .\\n\n";
    let ours = files(&["main.py", "pkg/a.py", "pkg/b.py", "pkg/c.py", "pkg/d.py", "pkg/e.py"]);
    let theirs = below("app", &(common.clone() + &files(&["server.js", "lib/x.js"])));
    for text in [ours.clone() + &common, ours + &common + dockerfile] {
        let scene = Scene::new(&text);
        let images = [
            untold("f usr/bin/tool 0755 \\x7fELF and so on, for quite a while"),
            untold(&theirs),
            untold(&common),
            buildkit(&[("COPY . .", &theirs)]),
            Image::new(),
        ];
        for image in images {
            let report = scene.report(&scene.image(&image), &[], "unknown");
            assert_eq!(report["error"]["kind"], "no-mapping", "{report}");
            let outcome = scene.verify(&scene.image(&image), &[]).exits(2);
            assert_eq!(outcome.stdout, "");
            assert!(outcome.stderr.contains("is this the repository that the image was built from?"), "{outcome:?}");
        }
    }
}

#[test]
fn every_platform_is_checked() {
    let scene = Scene::new(&service());
    let stale = shared().replace("beat.py and", "beat.py as it was and");
    let index =
        |arm: &str| scene.index(&[built(&shared()).platform("linux/amd64"), built(arm).platform("linux/arm64/v8")]);
    let report = scene.report(&index(&shared()), &[], "match");
    assert_eq!((&report["counts"]["compared"], findings(&report)), (&json!(8), vec![]));
    let image = index(&stale);
    let report = scene.report(&image, &[], "mismatch");
    assert_eq!(findings(&report), ["shared/beat.py modified"]);
    assert_eq!(report["findings"][0]["platform"], "linux/arm64/v8");
    let platforms = report["image"]["platforms"].as_array().expect("an array");
    assert_eq!(
        platforms.iter().map(|one| text(&one["platform"])).collect::<Vec<_>>(),
        ["linux/amd64", "linux/arm64/v8"]
    );
    if let Some(registry) = Registry::start(Mode::Plain) {
        registry.push(&image, "team/app:v1");
        let pushed = scene.report(&registry.reference("team/app:v1"), &[], "mismatch");
        assert_eq!(pushed["findings"], report["findings"]);
    }
    scene.report(&image, &["--platform", "linux/amd64"], "match");
    let report = scene.report(&image, &["--platform", "linux/arm64"], "mismatch");
    assert_eq!(report["counts"]["compared"], 4);
    let report = scene.report(&image, &["--platform", "linux/s390x"], "unknown");
    let message = text(&report["error"]["message"]);
    assert!(message.contains("linux/amd64") && message.contains("linux/arm64/v8"), "{message}");
    // One platform that has nothing to do with the repository leaves the whole open.
    let half = scene.index(&[built(&shared()), untold("f x 0644 x").platform("linux/arm64")]);
    scene.report(&half, &[], "unknown");
}

#[test]
fn layers_may_be_packed_in_any_way() {
    let scene = Scene::new(&service());
    let all = shared() + &files(&["main.py", "requirements.txt"]);
    for compression in [Compression::None, Compression::GzipMembers(3), Compression::Zstd, Compression::ZstdFrames(2)] {
        let image = |text: &str| {
            let layer = Layer::text(&below("app", text)).stored(compression);
            scene.image(&Image::new().layer("COPY shared main.py requirements.txt /app # buildkit", layer))
        };
        scene.report(&image(&all), &["--map", "/app/shared=shared"], "match");
        let stale = all.replace("beat.py and", "beat.py as it was and");
        let report = scene.report(&image(&stale), &["--map", "/app/shared=shared"], "mismatch");
        assert!(findings(&report).contains(&"shared/beat.py modified".to_owned()), "{compression:?}");
    }
}

/// A later layer has the last word, whatever it is: an edit, a removal, a `chown -R` that copies everything up.
#[test]
fn later_layers_decide() {
    let scene = Scene::new(&service());
    let then = |text: &str| {
        let layer = Layer::text(text);
        scene.image(&built(&shared()).layer("RUN /bin/sh -c something # buildkit", layer))
    };
    let report = scene.report(&then("f app/main.py 0644 sed was here"), &[], "mismatch");
    assert_eq!(findings(&report), ["main.py modified"]);
    assert_eq!(report["findings"][0]["layer"]["step"], "RUN something");
    let report = scene.report(&then("w app/shared/deep/.wh.logs.py"), &[], "mismatch");
    assert_eq!(findings(&report), ["shared/deep/logs.py missing"]);
    let report = scene.report(&then("d app/shared\nw app/shared/.wh..wh..opq"), &[], "mismatch");
    assert_eq!(findings(&report), ["shared/beat.py missing", "shared/deep/logs.py missing"]);
    scene.report(&then(&below("app", &shared())), &[], "match");
}
