//! Images by a real builder, whose cache keeps what has changed.

use serde_json::json;

use crate::story::Story;
use crate::support::scene::{buildah_with_base, text};

const DOCKERFILE: &str = "f Dockerfile 0644 FROM localhost/base\\nWORKDIR /app\\nCOPY shared ./shared\\n\
                          COPY main.py ./\\nCMD [\"python\", \"main.py\"]\\n\nf .dockerignore 0644 **/*.md\\n\n";

#[test]
fn a_builder_and_its_cache() {
    let Some(buildah) = buildah_with_base() else { return };
    let mut story = Story::new();
    story.scene.repo.write(DOCKERFILE);
    story.ids.push(story.scene.repo.commit("Dockerfile"));
    let path = story.scene.repo.path();
    let build = |tag: &str, context: &std::path::Path| buildah.build(context, tag, &["--layers"]);
    let good = build("good", &path);
    assert_eq!(story.identity(&good, &[])[0], "exact 6 5");
    story.scene.report(&good, &[], "match");

    // A commit later, in `main.py` alone: the step of `shared` really comes from the cache. Then `shared` changes, and
    // an image is put together from the old step and the new one, as a cache does that misses the change.
    story.scene.repo.write(&crate::story::file("main.py", 5));
    story.ids.push(story.scene.repo.commit("Change main again"));
    story.scene.repo.write(&crate::story::file("shared/util.py", 5));
    story.ids.push(story.scene.repo.commit("Change util"));
    let context = story.scene.repo.beside("context");
    story.scene.repo.git(&["worktree", "add", "-q", "--detach", &context.display().to_string()]);
    story.scene.repo.git(&["-C", &context.display().to_string(), "checkout", "-q", "HEAD~1", "--", "shared"]);
    let stale = build("stale", &context);
    let report = story.scene.report(&stale, &[], "mismatch");
    assert_eq!(story.findings(&report), ["shared/util.py stale 7 1"]);

    story.scene.repo.write("f shared/util.py 0644 import pdb\\n");
    let dirty = build("dirty", &path);
    story.scene.report(&dirty, &["--worktree"], "match");
    story.scene.repo.git(&["checkout", "-q", "."]);
    let report = story.scene.report(&dirty, &[], "mismatch");
    assert_eq!(
        (&report["cause"]["kind"], story.findings(&report)),
        (&json!("dirty-build"), vec!["shared/util.py modified".into()])
    );

    let removed = buildah.change("dirty", "removed", |root| {
        std::fs::remove_file(root.join("app/shared/a.py")).expect("it is there");
    });
    let report = story.scene.report(&removed, &[], "mismatch");
    assert_eq!(report["cause"]["parts"], json!(["dirty-build", "missing-files"]), "{report:#}");
    assert!(text(&report["findings"][0]["note"]).contains("removed it"), "{report:#}");
}
