//! Holds the merged file system against `umoci unpack`: the same entries, modes, sizes, link targets and bytes.
//!
//! Where umoci 0.4 refuses an image or departs from the specification, the case says so and carries the tree that is
//! right instead.

#[path = "differential/cases.rs"]
mod cases;
#[expect(dead_code, reason = "each test binary uses a part of the support module")]
mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tempfile::TempDir;

use cases::{Case, Right};
use support::builders::{Buildah, Tree, Unpacked, skopeo_recompress, try_umoci_unpack, umoci_unpack};
use support::cli::Shipproof;
use support::git::Repo;
use support::images::{Image, Layout};
use support::layers::{Compression, Layer, digest_of, tar_of};
use support::text::{self, Kind};
use support::tools;

const TAG: &str = "v1";

// --- the two sides -----------------------------------------------------------------------------------------------------

fn reference(layout: &Path, tag: &str) -> String {
    format!("oci:{}:{tag}", layout.display())
}

/// What `shipproof ls` says, or the error of its exit.
fn listed(layout: &Path, tag: &str) -> Result<Tree, String> {
    let outcome = Shipproof::new().run(&["ls", "--format", "json", &reference(layout, tag)]);
    match outcome.code {
        Some(0) => Ok(entries_of(&outcome.json())),
        Some(2) if outcome.json().get("entries").is_none() => Err(outcome.stderr),
        _ => panic!("{outcome:#?}"),
    }
}

fn entries_of(report: &Value) -> Tree {
    let entries = report["entries"].as_array().expect("a listing has entries");
    entries.iter().map(|entry| (bytes_of(&entry["path"])[1..].to_vec(), entry_of(entry))).collect()
}

fn entry_of(entry: &Value) -> Unpacked {
    let kind = ["file", "directory", "symlink"].into_iter().find(|kind| entry["kind"] == *kind);
    let mode = entry["mode"].as_str().expect("a mode is a text");
    Unpacked {
        kind: kind.unwrap_or("other"),
        mode: u32::from_str_radix(mode, 8).expect("a mode is octal"),
        size: entry["size"].as_u64().unwrap_or(0),
        target: (!entry["link"].is_null()).then(|| bytes_of(&entry["link"])),
        sha256: entry["sha256"].as_str().map(|hex| format!("sha256:{hex}")),
    }
}

/// A path of a report, which is an object where it is not UTF-8.
fn bytes_of(path: &Value) -> Vec<u8> {
    match path.as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => STANDARD.decode(path["bytes"].as_str().expect("bytes in base64")).expect("bytes in base64"),
    }
}

/// A file system in the form of the images' text, every directory named.
fn tree_of(text: &str) -> Tree {
    let entry = |entry: text::Entry| {
        let empty = Unpacked { kind: "other", mode: entry.mode, size: 0, target: None, sha256: None };
        let unpacked = match entry.kind {
            Kind::Directory => Unpacked { kind: "directory", ..empty },
            Kind::Symlink(target) => Unpacked { kind: "symlink", target: Some(target), ..empty },
            Kind::File(content) => {
                let size = u64::try_from(content.len()).expect("test files are small");
                Unpacked { kind: "file", size, sha256: Some(digest_of(&content)), ..empty }
            }
            Kind::Hardlink(_) => panic!("a tree has files under several names, not links"),
            Kind::Fifo => empty,
        };
        (entry.path, unpacked)
    };
    text::parse(text).into_iter().map(entry).collect()
}

/// A side as lines.
fn shown(side: &Result<Tree, String>) -> String {
    match side {
        Ok(tree) => lines_of(tree),
        Err(refusal) => format!("    refused: {refusal}"),
    }
}

fn lines_of(tree: &Tree) -> String {
    let line = |(path, entry): (&Vec<u8>, &Unpacked)| {
        let target = entry.target.as_deref().map(|target| format!(" -> {}", target.escape_ascii())).unwrap_or_default();
        let sha256 = entry.sha256.as_deref().map(|digest| &digest[..15]).unwrap_or_default();
        format!("    {} {:04o} {}{target} {} {sha256}\n", entry.kind, entry.mode, path.escape_ascii(), entry.size)
    };
    tree.iter().map(line).collect()
}

/// The first file of `tree` of which `cat` prints something else.
fn wrong_content(layout: &Path, tag: &str, tree: &Tree) -> Option<String> {
    let shipproof = Shipproof::new();
    let mut files = tree.iter().filter(|(_, entry)| entry.kind == "file");
    let wrong = files.find(|(path, file)| {
        let absolute = [b"/", path.as_slice()].concat();
        let mut command = shipproof.command();
        let output = tools::output(command.arg("cat").arg(reference(layout, tag)).arg(OsStr::from_bytes(&absolute)));
        !output.status.success() || Some(digest_of(&output.stdout)) != file.sha256
    });
    wrong.map(|(path, _)| format!("cat prints something else for {}", path.escape_ascii()))
}

// --- the table -------------------------------------------------------------------------------------------------------

fn image_of(layers: &str) -> Image {
    let lines: Vec<&str> = layers.lines().collect();
    lines.split(|line| *line == "--").fold(Image::new(), |image, layer| image.text(&layer.join("\n")))
}

/// A folder with `image` in an OCI layout.
fn layout_of(image: &Image) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    Layout::with(TAG, image).write_to(folder.path());
    folder
}

/// What is wrong with what `shipproof` makes of the case.
fn check(case: &Case) -> Option<String> {
    let folder = layout_of(&image_of(case.layers));
    let found = listed(folder.path(), TAG);
    let (right, why) = match &case.right {
        Right::Umoci => (try_umoci_unpack(folder.path(), TAG)?, "umoci unpack"),
        Right::Tree { tree, why } => (Ok(tree_of(tree)), *why),
        Right::None { words } => {
            let refused = found.as_ref().is_err_and(|message| message.contains(words));
            return (!refused).then(|| format!("not refused with `{words}`:\n{}", shown(&found)));
        }
    };
    if found.is_err() || found != right {
        return Some(format!("found:\n{}\nright ({why}):\n{}", shown(&found), shown(&right)));
    }
    found.ok().and_then(|tree| wrong_content(folder.path(), TAG, &tree))
}

/// Not root's umoci makes files of pipes, and not root's test cannot look into every directory.
fn needs_root(case: &Case) -> bool {
    case.layers.lines().any(|line| line.starts_with("p ") || line.contains(" 0000"))
}

fn check_all(table: &[Case]) {
    let run = |case: &&Case| !needs_root(case) || tools::require_root();
    let wrong = table.iter().filter(run).filter_map(|case| Some(format!("--- {}\n{}", case.name, check(case)?)));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), table.len(), wrong.join("\n"));
}

#[test]
fn whiteouts() {
    check_all(cases::WHITEOUTS);
}

#[test]
fn opaque_markers() {
    check_all(cases::OPAQUE);
}

#[test]
fn replacements() {
    check_all(cases::REPLACEMENTS);
}

#[test]
fn duplicates() {
    check_all(cases::DUPLICATES);
}

#[test]
fn hard_links() {
    check_all(cases::HARD_LINKS);
}

#[test]
fn symlinked_parents() {
    check_all(cases::SYMLINKED_PARENTS);
}

#[test]
fn names() {
    check_all(cases::NAMES);
}

#[test]
fn layers() {
    check_all(cases::LAYERS);
}

// --- layers that text cannot write ---------------------------------------------------------------------------------------

/// Asserts that `shipproof` makes of `image` what umoci makes of `reference`.
fn assert_same(name: &str, image: &Image, reference: &Image) {
    let folder = layout_of(image);
    let Some(right) = umoci_unpack(layout_of(reference).path(), TAG) else { return };
    let found = listed(folder.path(), TAG);
    assert_eq!(shown(&found), shown(&Ok(right)), "{name}");
    assert_eq!(found.ok().and_then(|tree| wrong_content(folder.path(), TAG, &tree)), None, "{name}");
}

const THREE_LAYERS: [&str; 3] = [
    "d app 0750\nf app/main.py 0644 print('x')\\n\nf app/old 0644 old\nf srv/data 0640 data\nl link -> app",
    "w app/.wh.old\nf link/new 0755 new\nh app/hard -> link/new",
    "f srv/more 0600 more\nw srv/.wh..wh..opq",
];

fn three_layers(store: impl Fn(Layer) -> Layer) -> Image {
    THREE_LAYERS.iter().fold(Image::new(), |image, text| image.layer("COPY", store(Layer::text(text))))
}

/// umoci 0.4 reads gzip and plain tars only, and believes the media type; it gets the same tars as one gzip member.
#[test]
fn every_compression_under_any_media_type() {
    let gzip = three_layers(|layer| layer);
    let compressions = [
        Compression::None,
        Compression::Gzip,
        Compression::GzipMembers(2),
        Compression::GzipMembers(7),
        Compression::Zstd,
        Compression::ZstdFrames(5),
    ];
    for compression in compressions {
        let honest = three_layers(|layer| layer.stored(compression));
        assert_same(&format!("{compression:?}"), &honest, &gzip);
        for said in ["", "+gzip", "+zstd"] {
            let media_type = format!("application/vnd.oci.image.layer.v1.tar{said}");
            let image = three_layers(|layer| layer.stored(compression).called(&media_type));
            assert_same(&format!("{compression:?} called `tar{said}`"), &image, &gzip);
        }
    }
}

#[test]
fn what_follows_the_end_of_an_archive_is_not_part_of_it() {
    let other = Layer::text("f late 0644 late").tar;
    type Append = fn(Vec<u8>, &[u8]) -> Vec<u8>;
    let table: [(&str, Append); 5] = [
        ("zeros to the next 10 KiB", |tar, _| padded(tar)),
        ("another archive", |tar, other| [&tar, other].concat()),
        ("noise", |tar, _| [&tar[..], b"noise"].concat()),
        ("no end", |tar, _| tar[..tar.len() - 1024].to_vec()),
        ("half an end", |tar, _| tar[..tar.len() - 512].to_vec()),
    ];
    for (name, change) in table {
        let changed = |layer: Layer| Layer::tar(change(layer.tar, &other), Compression::Gzip);
        assert_same(name, &three_layers(changed), &three_layers(changed));
    }
}

fn padded(mut tar: Vec<u8>) -> Vec<u8> {
    tar.resize(tar.len().next_multiple_of(10 << 10), 0);
    tar
}

/// A gzip stream with bytes behind its last member is refused, as Go's readers and so most runtimes refuse it. Zeros
/// alone can hide nothing, and `unpigz`, which docker and containerd prefer to Go's reader, passes over them.
#[test]
fn bytes_behind_the_compression_are_refused_unless_they_are_padding() {
    for (junk, readable) in [(&[0; 512][..], true), (b"junk", false)] {
        let image = three_layers(|mut layer| {
            layer.blob.extend(junk);
            layer
        });
        let folder = layout_of(&image);
        let listing = listed(folder.path(), TAG);
        assert_eq!(listing.is_ok(), readable, "{listing:?}");
        assert!(readable || listing.is_err_and(|refusal| refusal.contains("its tar cannot be read")));
        let Some(unpacked) = try_umoci_unpack(folder.path(), TAG) else { return };
        assert!(unpacked.is_err(), "umoci goes on after {} bytes of junk", junk.len());
    }
}

/// What a tar may hold and the file system does not show: modes of symbolic links, types above the permission bits.
#[test]
fn odd_modes() {
    let mut entries = text::parse("f a 0644 1\nd d 0755\nl l -> a\nh h -> l");
    for (entry, mode) in entries.iter_mut().zip([0o100_755, 0o040_700, 0o120_600, 0o644]) {
        entry.mode = mode;
    }
    let image = Image::new().layer("ADD a.tar /", Layer::tar(tar_of(&entries), Compression::Gzip));
    assert_same("odd modes", &image, &image);
}

/// gzip of a tar without any block, and the 32 bytes that Docker writes for a layer of nothing.
#[test]
fn layers_of_nothing() {
    let docker = Layer::tar(vec![0; 1024], Compression::Gzip);
    let nothing = Layer::tar(Vec::new(), Compression::Gzip);
    let full = Layer::text("f a 0644 1");
    let image = [docker.clone(), full, nothing, docker]
        .into_iter()
        .fold(Image::new(), |image, layer| image.layer("RUN", layer));
    assert_same("layers of nothing", &image, &image);
}

// --- images of a real builder --------------------------------------------------------------------------------------------

const DOCKERFILE: &str = r"FROM scratch AS build
WORKDIR /out
COPY src/ ./
COPY --chmod=0755 run.sh ./bin/run
ADD data.tar.gz ./data/

FROM scratch
COPY src /app
COPY --from=build /out/bin /usr/bin
COPY --from=build /out/data /app/data
ADD data.tar.gz /
ADD --chmod=0600 src/main.py /app/main.py
COPY src/deep /app
WORKDIR /srv/empty
COPY src/link run.sh ./
";

fn write_context(folder: &Path) {
    let long = format!("src/{}/{}/long.py", "n".repeat(120), "m".repeat(90));
    let context = Repo::with(&format!(
        "f src/main.py 0644 print('x')\\n\nf src/deep/a/b/c.py 0640 c\nl src/link -> deep/a\nl src/up -> ../../etc\n\
         f {long} 0644 long\nf src/caf\\xc3\\xa9 0644 1\nf src/\\xff 0644 2\nf run.sh 0644 #!/bin/sh\\n"
    ));
    tools::run(tools::command("cp", folder).args(["-a", "src", "run.sh"]).arg(folder).current_dir(context.path()));
    fs::write(folder.join("Dockerfile"), DOCKERFILE).expect("the file can be written");
    let archive = "d app 0711\nf app/added 4755 added\nh app/again -> app/added\nl lib -> usr/lib\nf usr/lib/x 0444 x\nd tmp 1777";
    fs::write(folder.join("data.tar.gz"), Layer::text(archive).blob).expect("the file can be written");
}

/// Asserts that `shipproof` and umoci agree on an image that others made.
fn assert_agreement(layout: &Path, tag: &str) -> Tree {
    let right = umoci_unpack(layout, tag).expect("umoci is there");
    let found = listed(layout, tag);
    assert_eq!(shown(&found), shown(&Ok(right)), "{tag}");
    let tree = found.expect("it equals a file system");
    assert_eq!(wrong_content(layout, tag, &tree), None, "{tag}");
    tree
}

#[test]
fn images_built_by_buildah() {
    let Some(buildah) = Buildah::new() else { return };
    if tools::require(tools::UMOCI).is_none() {
        return;
    }
    let context = tempfile::tempdir().expect("a temporary folder");
    write_context(context.path());
    buildah.build(context.path(), "built", &[]);
    let built = assert_agreement(&buildah.layout(), "built");
    for path in ["usr/bin/run", "app/data/app/again", "app/a/b/c.py", "lib", "srv/empty/run.sh"] {
        assert!(built.contains_key(path.as_bytes()), "{path} in\n{}", shown(&Ok(built)));
    }
    buildah.change("built", "deleted", |root| {
        fs::remove_file(root.join("app/main.py")).expect("it was built");
        fs::remove_dir_all(root.join("app/deep")).expect("it was built");
        fs::remove_dir_all(root.join("app/data")).expect("it was built");
        fs::create_dir(root.join("app/data")).expect("it was removed");
        fs::write(root.join("app/data/new"), "new").expect("the file can be written");
        fs::remove_file(root.join("lib")).expect("it was built");
        fs::create_dir(root.join("lib")).expect("it was removed");
    });
    let deleted = assert_agreement(&buildah.layout(), "deleted");
    assert!(!deleted.contains_key(b"app/main.py".as_slice()) && deleted.contains_key(b"app/data/new".as_slice()));
    buildah.change("deleted", "again", |root| {
        fs::create_dir_all(root.join("app/deep/a")).expect("it was removed");
        fs::write(root.join("app/main.py"), "again").expect("the file can be written");
        fs::remove_dir(root.join("lib")).expect("it was made");
        fs::write(root.join("lib"), "a file").expect("the file can be written");
    });
    assert_agreement(&buildah.layout(), "again");
    assert_recompressed(&buildah.layout(), "again");
}

/// Asserts that zstd copies by skopeo, which umoci does not read, hold the same.
fn assert_recompressed(layout: &Path, tag: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let right = listed(layout, tag);
    for format in ["zstd", "zstd:chunked"] {
        let copy = folder.path().join(format.replace(':', "-"));
        skopeo_recompress(&reference(layout, tag), &reference(&copy, tag), format);
        let found = listed(&copy, tag);
        assert_eq!(shown(&found), shown(&right), "{format}");
        assert_eq!(found.ok().and_then(|tree| wrong_content(&copy, tag, &tree)), None, "{format}");
    }
}
