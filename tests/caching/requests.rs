//! What is asked of a registry, and what is not asked again.

use super::stage::{Asked, Stage, application, base, image};
use crate::support::git::Repo;
use crate::support::images::{Image, Layout};
use crate::support::layers::Layer;

const NOTHING_NEW: Asked = Asked { manifests: 1, blobs: 0 };

#[test]
fn the_second_look_asks_what_the_tag_means_and_nothing_else() {
    let stage = Stage::new();
    let cold = stage.verify("v1", &[]);
    cold.verdict("match");
    assert_eq!(stage.asked(), Asked { manifests: 1, blobs: 4 }, "a configuration and three layers");
    let warm = stage.verify("v1", &[]);
    assert_eq!(stage.asked(), NOTHING_NEW);
    assert_eq!(warm.stdout, cold.stdout);
    let reference = stage.registry.reference("v1");
    for command in [&["ls", &reference][..], &["layers", &reference], &["identify", &reference]] {
        stage.run(command).exits(0);
        assert_eq!(stage.asked(), NOTHING_NEW, "{command:?}");
    }
    let cat = stage.run(&["cat", &reference, "/app/main.py"]).exits(0);
    assert_eq!(stage.asked(), Asked { manifests: 1, blobs: 1 }, "the contents of a file are not kept");
    assert!(cat.stdout.contains("the file main.py"));
}

#[test]
fn an_index_and_what_it_lists_are_asked_for_once() {
    let stage = Stage::new();
    let mut layout = Layout::new();
    let arm = image("arm").platform("linux/arm64");
    layout.tag_index("both", &[image("one").platform("linux/amd64"), arm], None);
    stage.holds(&layout);
    let cold = stage.verify("both", &[]);
    cold.verdict("match");
    assert_eq!(stage.asked(), Asked { manifests: 3, blobs: 6 }, "two configurations, and four different layers");
    assert_eq!(stage.verify("both", &[]).stdout, cold.stdout);
    assert_eq!(stage.asked(), NOTHING_NEW);
}

#[test]
fn a_tag_is_asked_for_each_time() {
    let stage = Stage::new();
    stage.verify("v1", &[]).verdict("match");
    stage.asked();
    let moved = image("one").label("moved", "yes");
    stage.holds(&Layout::with("v1", &moved));
    stage.verify("v1", &[]).verdict("match");
    assert_eq!(stage.asked(), Asked { manifests: 1, blobs: 1 }, "the new configuration; all layers are known");
    stage.holds(&Layout::with("v1", &Image::new().layer("ADD rootfs /", base())));
    assert_eq!(stage.verify("v1", &[]).code, Some(2), "nothing of the application is left");
    stage.holds(&Layout::with("v2", &image("one")));
    let outcome = stage.verify("v1", &[]);
    assert_eq!(outcome.verdict("unknown")["error"]["kind"], "not-found", "the tag is gone");
}

#[test]
fn of_another_image_on_the_same_base_the_new_layers_are_read() {
    let stage = Stage::new();
    stage.verify("v1", &[]).verdict("match");
    stage.asked();
    stage.holds(&Layout::with("v1", &image("two")));
    let outcome = stage.verify("v1", &["--map", "/app=."]);
    outcome.verdict("match");
    assert_eq!(stage.asked(), Asked { manifests: 1, blobs: 2 }, "a configuration and one layer");
}

#[test]
fn without_a_cache_everything_is_asked_for_and_nothing_kept() {
    let stage = Stage::new();
    let all = Asked { manifests: 1, blobs: 4 };
    for _ in 0..2 {
        stage.verify("v1", &["--no-cache"]).verdict("match");
        assert_eq!(stage.asked(), all);
    }
    assert!(!stage.folder().exists());
    stage.verify("v1", &[]).verdict("match");
    stage.asked();
    stage.verify("v1", &["--no-cache"]).verdict("match");
    assert_eq!(stage.asked(), all, "what is kept is not looked at either");
}

#[test]
fn each_object_format_has_indexes_of_its_own() {
    let stage = Stage::new();
    stage.verify("v1", &[]).verdict("match");
    stage.asked();
    let mut repo = Repo::init(&["--object-format=sha256"]);
    repo.write(&application());
    repo.commit("the application");
    let path = repo.path();
    let arguments = ["--repo", path.to_str().expect("a temporary folder is UTF-8"), "--map", "/app=."];
    stage.verify("v1", &arguments).verdict("match");
    assert_eq!(stage.asked(), Asked { manifests: 1, blobs: 3 }, "the layers once more, the configuration not");
    stage.verify("v1", &arguments).verdict("match");
    assert_eq!(stage.asked(), NOTHING_NEW);
}

#[test]
fn a_layer_that_a_manifest_gives_another_size_is_not_taken_from_the_cache() {
    let stage = Stage::new();
    stage.verify("v1", &[]).verdict("match");
    let mut layout = Layout::new();
    let digest = layout.tag("right", &image("one"));
    let mut manifest: serde_json::Value = serde_json::from_slice(layout.blob(&digest)).expect("a manifest is JSON");
    let size = manifest["layers"][0]["size"].as_u64().expect("a number");
    manifest["layers"][0]["size"] = (size - 1).into();
    let descriptor = layout.add_blob("application/vnd.oci.image.manifest.v1+json", manifest.to_string().into_bytes());
    layout.add_tag("wrong", descriptor);
    stage.holds(&layout);
    let outcome = stage.verify("wrong", &[]);
    assert_eq!(outcome.verdict("unknown")["error"]["kind"], "corrupt-image", "{outcome:#?}");
}

#[test]
fn a_bad_layer_leaves_nothing_behind() {
    let stage = Stage::new();
    let mut layout = Layout::new();
    let image = image("one");
    layout.tag("v1", &image);
    let bad: &Layer = image.layers().last().expect("it has layers");
    layout.corrupt(&bad.digest(), |bytes| *bytes.last_mut().expect("it has bytes") ^= 1);
    stage.holds(&layout);
    for _ in 0..2 {
        assert_eq!(stage.verify("v1", &[]).verdict("unknown")["error"]["kind"], "corrupt-image");
    }
    stage.holds(&Layout::with("v1", &image));
    stage.verify("v1", &[]).verdict("match");
}
