//! Images and layers made from text.

use std::fs;

use serde_json::json;

use crate::support::builders::skopeo_copy;
use crate::support::images::docker_archive::{DockerArchive, docker_archive};
use crate::support::images::{Image, Layout};
use crate::support::layers::{Compression, Layer, compress, digest_of};
use crate::support::registry::{Mode, Registry};
use crate::support::tools;
use crate::support::unpacked::umoci_unpack;
use crate::{file_of, skopeo_reference};

#[test]
fn umoci_understands_what_the_builder_writes() {
    let long = format!("app/{}/deep.py", "n".repeat(150));
    let lower = format!(
        "d app 0755\nf app/main.py 0640 print('x')\\n\nf app/old 0644 x\nf {long} 0644 long\nd app/dir\nf app/dir/a 0644 a"
    );
    let upper = "w app/.wh.old\nw app/dir/.wh..wh..opq\nf ./app/dir/b 0600 b\nl app/link -> main.py\n\
                 f app/first 0644 same\nh app/hard -> app/first\npax f app/in-pax\\xc3\\xa9 0644 p";
    let image = Image::new().text(&lower).text(upper);
    let folder = tempfile::tempdir().expect("a temporary folder");
    Layout::with("v1", &image).write_to(folder.path());
    let Some(tree) = umoci_unpack(folder.path(), "v1") else { return };
    let paths: Vec<_> = tree.keys().map(|path| String::from_utf8_lossy(path).into_owned()).collect();
    let parent = long.strip_suffix("/deep.py").expect("the suffix is there");
    let expected = [
        "app",
        "app/dir",
        "app/dir/b",
        "app/first",
        "app/hard",
        "app/in-paxé",
        "app/link",
        "app/main.py",
        parent,
        &long,
    ];
    assert_eq!(paths, expected);
    assert_eq!(file_of(&tree, "app/main.py").mode, 0o640);
    assert_eq!(file_of(&tree, "app/main.py").sha256.as_deref(), Some(&*digest_of(b"print('x')\n")));
    assert_eq!(file_of(&tree, "app/hard").sha256, file_of(&tree, "app/first").sha256);
    assert_eq!(file_of(&tree, "app/link").target.as_deref(), Some(&b"main.py"[..]));
}

#[test]
fn every_compression_holds_the_same_tar() {
    let tar = Layer::text("f a 0644 some content\nf b 0644 more").tar;
    let gunzip = |bytes: &[u8]| {
        let mut out = Vec::new();
        std::io::copy(&mut flate2::read::MultiGzDecoder::new(bytes), &mut out).expect("it is gzip");
        out
    };
    assert_eq!(gunzip(&compress(&tar, Compression::Gzip)), tar);
    assert_eq!(gunzip(&compress(&tar, Compression::GzipMembers(3))), tar);
    assert_eq!(zstd::decode_all(&*compress(&tar, Compression::Zstd)).expect("it is zstd"), tar);
    assert_eq!(zstd::decode_all(&*compress(&tar, Compression::ZstdFrames(3))).expect("it is zstd"), tar);
    assert_eq!(compress(&tar, Compression::GzipMembers(3)).windows(3).filter(|w| w == b"\x1f\x8b\x08").count(), 3);
    assert_eq!(compress(&tar, Compression::None), tar);
}

#[test]
fn skopeo_reads_every_archive_and_finds_the_same_layers() {
    // skopeo unpacks an oci-archive with its owners.
    if tools::require(tools::SKOPEO).is_none() || !tools::require_root() {
        return;
    }
    let same = Layer::text("f app/a 0644 a");
    let image =
        Image::of("f app/main.py 0644 x").layer("COPY a .", same.clone()).layer("COPY a .", same).label("k", "v");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archives = [
        ("docker-archive", "old.tar", docker_archive(DockerArchive::Old, "team/app:v1", &image)),
        ("docker-archive", "new.tar", docker_archive(DockerArchive::New, "team/app:v1", &image)),
        ("oci-archive", "oci.tar", Layout::with("v1", &image).archive()),
    ];
    for (transport, name, bytes) in archives {
        let file = folder.path().join(name);
        fs::write(&file, bytes).expect("the file can be written");
        let result = folder.path().join(format!("{name}.layout"));
        skopeo_copy(&format!("{transport}:{}", file.display()), &skopeo_reference(&result, "v1"), &[]);
        let Some(tree) = umoci_unpack(&result, "v1") else { return };
        assert_eq!(tree.keys().map(Vec::as_slice).collect::<Vec<_>>(), [b"app".as_slice(), b"app/a", b"app/main.py"]);
    }
}

#[test]
fn an_index_has_its_platforms_and_attestations() {
    let images = ["linux/amd64", "linux/arm64/v8"].map(|platform| Image::of("f app/a 0644 a").platform(platform));
    let mut layout = Layout::new();
    let digest = layout.tag_index("v1", &images, Some(("v0.2", &json!({ "builder": { "id": "" } }))));
    let index: serde_json::Value = serde_json::from_slice(layout.blob(&digest)).expect("an index is JSON");
    let platforms: Vec<_> =
        index["manifests"].as_array().expect("an array").iter().map(|m| m["platform"].clone()).collect();
    let unknown = json!({ "os": "unknown", "architecture": "unknown" });
    let arm = json!({ "os": "linux", "architecture": "arm64", "variant": "v8" });
    assert_eq!(platforms, [json!({ "os": "linux", "architecture": "amd64" }), arm, unknown.clone(), unknown]);
    let Some(registry) = Registry::start(Mode::Plain) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    layout.write_to(folder.path());
    assert_eq!(registry.push(&skopeo_reference(folder.path(), "v1"), "team/app:v1"), digest);
}
