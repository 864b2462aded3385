//! Of the layers, the ones that an answer depends on are read, from the top down.

use super::stage::{Asked, Stage, image};
use crate::support::images::{Image, Layout};
use crate::support::layers::Layer;

/// What `command` with `--no-cache` asks for, beside the manifest and the configuration.
fn layers(stage: &Stage, code: i32, command: &[&str]) -> usize {
    let reference = stage.registry.reference("v1");
    let command: Vec<&str> =
        command.iter().map(|word| if *word == "IMAGE" { reference.as_str() } else { word }).collect();
    stage.asked();
    stage.run(&[&command[..], &["--no-cache", "--jobs", "1"]].concat()).exits(code);
    let Asked { manifests: 1, blobs } = stage.asked() else { panic!("one manifest") };
    blobs - 1
}

#[test]
fn a_file_costs_the_layers_down_to_its_own() {
    let stage = Stage::new();
    let table: [(&[&str], usize); 9] = [
        (&["cat", "IMAGE", "/app/main.py"], 1),
        (&["cat", "IMAGE", "/app/main.py", "/app/shared/beat.py"], 1),
        // Its layer lists no directory `etc`, which might be a link below.
        (&["cat", "IMAGE", "/etc/build"], 3),
        (&["cat", "IMAGE", "/etc/os-release"], 3),
        (&["cat", "IMAGE", "/app/main.py", "/etc/os-release"], 3),
        // Every copy in the image is meant.
        (&["cat", "IMAGE", "main.py"], 3),
        // What is searched is read in a second pass.
        (&["grep", "IMAGE", "this is", "/app/main.py"], 1 + 1),
        (&["grep", "IMAGE", "this is", "/app"], 3 + 1),
        (&["grep", "IMAGE", "this is"], 3 + 3),
    ];
    for (command, expected) in table {
        assert_eq!(layers(&stage, 0, command), expected, "{command:?}");
    }
}

/// Three layers over a base, each with its directories, as builders write them.
fn moved() -> Image {
    let layers = [
        "d app 0755\nd app/releases 0755\nf app/old.py 0644 old\nf app/kept.py 0644 kept",
        "d app 0755\nw app/.wh.old.py\nd app/releases 0755\nd app/releases/2 0755\nf app/releases/2/main.py 0644 two",
        "d app 0755\nl app/current -> releases/2\nf app/releases/2/other.py 0644 other",
    ];
    let base = Image::new().layer("ADD rootfs /", Layer::text("d etc 0755\nf etc/passwd 0644 root"));
    layers.iter().fold(base, |image, text| image.layer("RUN make", Layer::text(text)))
}

#[test]
fn removed_files_and_links_are_settled_as_well() {
    let stage = Stage::new();
    stage.holds(&Layout::with("v1", &moved()));
    let table = [
        ("/app/current/main.py", 0, 2, "two"),
        ("/app/releases/2/main.py", 0, 2, "two"),
        ("/app/kept.py", 0, 3, "kept"),
        // That `app` was no link is certain with the layer that made it.
        ("/app/old.py", 1, 3, ""),
        ("/app/none.py", 1, 4, ""),
        ("/etc/passwd", 0, 4, "root"),
    ];
    for (path, code, expected, contents) in table {
        assert_eq!(layers(&stage, code, &["cat", "IMAGE", path]), expected, "{path}");
        let reference = stage.registry.reference("v1");
        let outcome = stage.run(&["cat", &reference, path, "--no-cache"]);
        assert_eq!(outcome.stdout, contents, "{path}");
    }
}

#[test]
fn a_layer_below_is_looked_at_when_it_may_lead_elsewhere() {
    let stage = Stage::new();
    let image = Image::new()
        .layer("ADD rootfs /", Layer::text("l app -> srv\nd srv 0755"))
        .layer("COPY old /app/", Layer::text("f app/main.py 0644 old"))
        .layer("COPY new /srv/", Layer::text("d srv 0755\nf srv/main.py 0644 new"));
    stage.holds(&Layout::with("v1", &image));
    let reference = stage.registry.reference("v1");
    for path in ["/app/main.py", "/srv/main.py"] {
        assert_eq!(stage.run(&["cat", &reference, path]).exits(0).stdout, "new", "{path}");
    }
}

#[test]
fn a_hard_link_to_a_lower_layer_is_followed_there() {
    let stage = Stage::new();
    let image = Image::new()
        .layer("ADD rootfs /", Layer::text("d app 0755\nf app/one 0644 one"))
        .layer("RUN ln", Layer::text("d app 0755\nh app/two -> app/one\nf app/three 0644 three"));
    stage.holds(&Layout::with("v1", &image));
    let reference = stage.registry.reference("v1");
    for (path, contents) in [("/app/two", "one"), ("/app/three", "three")] {
        assert_eq!(stage.run(&["cat", &reference, path]).exits(0).stdout, contents, "{path}");
    }
}

#[test]
fn known_layers_are_not_asked_for_on_the_way_down() {
    let stage = Stage::new();
    let reference = stage.registry.reference("v1");
    stage.run(&["cat", &reference, "/app/main.py"]).exits(0);
    stage.asked();
    stage.run(&["cat", &reference, "/app/main.py"]).exits(0);
    assert_eq!(stage.asked(), Asked { manifests: 1, blobs: 1 }, "the contents");
    stage.run(&["cat", &reference, "/etc/os-release"]).exits(0);
    assert_eq!(stage.asked(), Asked { manifests: 1, blobs: 2 }, "the two other layers");
    stage.verify("v1", &[]).verdict("match");
    assert_eq!(stage.asked(), Asked { manifests: 1, blobs: 0 });
}

#[test]
fn a_bad_layer_below_is_no_reason_to_refuse_and_one_above_is() {
    let stage = Stage::new();
    let image = image("one");
    for (position, code) in [(0, 0), (1, 0), (2, 2)] {
        let mut layout = Layout::new();
        layout.tag("v1", &image);
        let bad = image.layers()[position].digest();
        layout.corrupt(&bad, |bytes| *bytes.last_mut().expect("it has bytes") ^= 1);
        stage.holds(&layout);
        let reference = stage.registry.reference("v1");
        let outcome = stage.run(&["cat", &reference, "/app/main.py", "--no-cache"]).exits(code);
        assert_eq!(outcome.stdout.is_empty(), code != 0, "nothing is printed of what is not proven");
    }
}
