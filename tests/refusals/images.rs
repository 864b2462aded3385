//! Images that cannot be believed or read.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::cli::Shipproof;
use crate::support::images::{Image, Layout};
use crate::support::layers::{Compression, Layer, compress, digest_of};

use super::stage::{Case, check_all, files, good, image, laid_out, repository};

#[test]
fn what_the_refusals_start_from_is_fine() {
    let (_folder, reference) = good();
    let repo = repository();
    let report = Shipproof::new().directory(repo.path()).run(&["verify", &reference, "--format", "json"]);
    assert_eq!(report.verdict("match")["counts"], json!({ "compared": 3, "same": 3 }));
}

/// An image whose last layer is stored as `blob`, with a manifest that says so truthfully.
fn with_blob(blob: Vec<u8>) -> Layout {
    let layer = Layer { blob, ..Layer::text(&files("app/")) };
    Layout::with("v1", &Image::new().workdir("/app").layer("COPY . . # buildkit", layer))
}

/// The good image, and a layer or its configuration changed after the manifest was written.
fn corrupted(digest: &str, change: impl FnOnce(&mut Vec<u8>)) -> Layout {
    let mut layout = Layout::with("v1", &image());
    layout.corrupt(digest, change);
    layout
}

#[test]
fn images_that_are_not_what_their_manifest_says() {
    let layer = image().layers()[0].digest();
    let config = digest_of(&image().config_bytes());
    let manifest = Layout::new().tag("v1", &image());
    let flip = |bytes: &mut Vec<u8>| bytes[20] ^= 1;
    let table = [
        ("a layer with other bytes", corrupted(&layer, flip), &layer, "other contents"),
        ("a layer that is too long", corrupted(&layer, |bytes| bytes.push(0)), &layer, "where its manifest says"),
        ("a layer that is too short", corrupted(&layer, |bytes| bytes.truncate(50)), &layer, "has 50 bytes where"),
        ("an empty layer file", corrupted(&layer, Vec::clear), &layer, "has 0 bytes where"),
        ("a configuration with other bytes", corrupted(&config, flip), &config, "other contents"),
        ("a configuration that is too long", corrupted(&config, |bytes| bytes.push(b' ')), &config, "has"),
        ("a manifest with other bytes", corrupted(&manifest, flip), &manifest, "other contents"),
    ];
    let laid: Vec<_> = table.iter().map(|(_, layout, ..)| laid_out(layout)).collect();
    let cases = table.iter().zip(&laid).map(|((what, _, digest, words), (_, reference))| {
        Case::new(what, reference, "corrupt-image").names(&[digest, words])
    });
    check_all(&repository(), &cases.collect::<Vec<_>>());
    for (_, reference) in &laid {
        nothing_is_shown(reference);
    }
}

/// Asserts that no command prints anything of an image that cannot be believed.
fn nothing_is_shown(reference: &str) {
    let caller = Shipproof::new();
    for command in [&["cat", reference, "/app/main.py"][..], &["ls", reference], &["layers", reference]] {
        let outcome = caller.run(command).exits(2);
        assert_eq!(outcome.stdout, "", "{command:?} {outcome:#?}");
        assert!(outcome.stderr.starts_with("error: "), "{command:?} {outcome:#?}");
    }
}

#[test]
fn layers_that_are_no_readable_tar() {
    let tar = Layer::text(&files("app/")).tar;
    let gzip = compress(&tar, Compression::Gzip);
    let zstd = compress(&tar, Compression::Zstd);
    let mut checksum = gzip.clone();
    let end = checksum.len() - 6;
    checksum[end] ^= 1;
    let header_only = &Layer::text("f app/long.py 0644 more than nothing").tar[..520];
    let table = [
        ("a truncated gzip", gzip[..gzip.len() / 2].to_vec()),
        ("a gzip without its end", gzip[..gzip.len() - 4].to_vec()),
        ("a gzip with a wrong checksum", checksum),
        ("a gzip with rubbish behind it", [&gzip[..], b"rubbish"].concat()),
        ("a truncated zstd", zstd[..zstd.len() / 2].to_vec()),
        ("a gzip of a text", compress(&b"this is not a tar\n".repeat(100), Compression::Gzip)),
        ("a text", b"this is not a tar\n".repeat(100)),
        ("a page of HTML", b"<html>Please log in</html>".to_vec()),
        ("a tar that ends within a file", compress(header_only, Compression::Gzip)),
        ("a tar that ends within a header", tar[..tar.len() - 1024 - 700].to_vec()),
        ("a whiteout of nothing", Layer::text("w app/.wh.").blob),
    ];
    let laid: Vec<_> = table.iter().map(|(_, blob)| (digest_of(blob), laid_out(&with_blob(blob.clone())))).collect();
    let cases = table.iter().zip(&laid).map(|((what, _), (digest, (_, reference)))| {
        Case::new(what, reference, "corrupt-image").names(&["error: layer ", digest])
    });
    check_all(&repository(), &cases.collect::<Vec<_>>());
    for (_, (_, reference)) in &laid {
        nothing_is_shown(reference);
    }
}

/// Permissions do not stop root, who may run the tests; a folder in place of a file stops everybody.
#[test]
fn files_that_cannot_be_read() {
    let repo = repository();
    let blob = |folder: &Path, digest: &str| folder.join("blobs").join(digest.replace(':', "/"));
    let replaced = |path: PathBuf| {
        fs::remove_file(&path).expect("the file is there");
        fs::create_dir(&path).expect("the name is free");
    };
    let (layer, config) = (image().layers()[0].digest(), digest_of(&image().config_bytes()));
    let folders = [good(), good(), good(), good(), good()];
    replaced(blob(folders[0].0.path(), &layer));
    replaced(blob(folders[1].0.path(), &config));
    replaced(folders[2].0.path().join("index.json"));
    fs::remove_file(blob(folders[3].0.path(), &layer)).expect("the file is there");
    let text = folders[4].0.path().join("index.json");
    fs::write(&text, "{\"manifests\":").expect("the file can be written");
    let absent = repo.beside("absent").display().to_string();
    let cases = [
        Case::new("a layer that is a folder", &folders[0].1, "read").names(&[&layer]),
        Case::new("a configuration that is a folder", &folders[1].1, "read").names(&[&config]),
        Case::new("an index that is a folder", &folders[2].1, "read").names(&["index.json"]),
        Case::new("a layer that is missing", &folders[3].1, "not-found").names(&[&layer, "does not exist"]),
        Case::new("an index that is torn", &folders[4].1, "corrupt-image").names(&["index.json"]),
        Case::new("a layout that is missing", format!("oci:{absent}"), "read").names(&[&absent]),
        Case::new("an archive that is missing", format!("oci-archive:{absent}"), "read").names(&[&absent]),
        Case::new("a docker archive that is missing", format!("docker-archive:{absent}"), "read").names(&[&absent]),
    ];
    check_all(&repo, &cases);
}
