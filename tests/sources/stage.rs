//! What these tests share: one image that differs from git, one that does not, and how they are held against it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::cli::{Outcome, Shipproof};
use crate::support::git::Repo;
use crate::support::images::{Image, Layout, OCI_INDEX};
use crate::support::layers::Layer;
use crate::support::tools;

pub(super) const NAME: &str = "team/app:v1";

/// What git has. Each file is long enough to tell which directory is which.
pub(super) const FILES: &str = "
    f requirements.txt 0644 flask==3.1.0\\nrequests==2.32.3\\n
    f main.py 0644 import\\sshared.beat\\n\\nprint('the main program of the tests')\\n
    f run.sh 0755 #!/bin/sh\\nexec\\spython3\\smain.py\\n
    f shared/beat.py 0644 def\\sdoc_id(name):\\n\\s\\sreturn\\sname\\s+\\s'-fixed'\\n
    f shared/util.py 0644 def\\sfirst(items):\\n\\s\\sreturn\\sitems[0]\\n
    f shared/absent.py 0644 print('this one never reaches the image')\\n
    l latest -> shared
";
pub(super) const OLD_BEAT: &str = "def\\sdoc_id(name):\\n\\s\\sreturn\\sname\\n";

/// An image of several layers, one of them there twice, that differs from [`FILES`] in two files.
pub(super) fn image() -> Image {
    let base = Layer::text(
        "d etc\nf etc/os-release 0644 ID=tests\\n\nd app\nf app/shared/gone.py 0644 old\\n\nl lib -> usr/lib",
    );
    let again = Layer::text("f etc/again 0644 twice\\n");
    let shared = format!(
        "d app/shared\nf app/shared/beat.py 0644 {OLD_BEAT}\nf app/shared/util.py 0644 \
         def\\sfirst(items):\\n\\s\\sreturn\\sitems[0]\\n\nw app/shared/.wh.gone.py"
    );
    let files: String = FILES.lines().filter(|line| !line.contains("shared/")).map(in_app).collect();
    Image::new()
        .layer("/bin/sh -c #(nop) ADD file:0123 in / ", base)
        .layer("RUN /bin/sh -c echo twice > /etc/again # buildkit", again.clone())
        .empty_step("WORKDIR /app")
        .layer("RUN /bin/sh -c echo twice > /etc/again # buildkit", again)
        .layer("COPY shared shared # buildkit", Layer::text(&shared))
        .layer("COPY requirements.txt main.py run.sh latest ./ # buildkit", Layer::text(&files))
        .workdir("/app")
}

/// A line of [`FILES`] with its path below `/app`.
pub(super) fn in_app(line: &str) -> String {
    let line = line.trim_start();
    line.split_once(' ').map_or(String::new(), |(kind, rest)| format!("{kind} app/{rest}\n"))
}

/// A repository with [`FILES`] and the Dockerfile of [`image`].
pub(super) fn repository() -> Repo {
    let dockerfile =
        "FROM base\\nWORKDIR /app\\nCOPY shared shared\\nCOPY requirements.txt main.py run.sh latest ./\\n";
    Repo::with(&format!("{FILES}\nf Dockerfile 0644 {dockerfile}"))
}

pub(super) fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let file = folder.join(name);
    // Credentials that everybody may read are warned of.
    tools::write_private(&file, bytes);
    file.display().to_string()
}

/// An image of one layer that has all of [`FILES`] in `/app`.
pub(super) fn whole_image() -> Image {
    Image::of(&FILES.lines().map(in_app).collect::<String>())
}

/// A repository with [`FILES`] and nothing else.
pub(super) fn plain_repository() -> Repo {
    Repo::with(FILES)
}

pub(super) fn verify(caller: &Shipproof, image: &str, more: &[&str]) -> Outcome {
    caller.run(&[&["verify", image, "--format", "json"], more].concat())
}

/// Asserts that `image` cannot be opened, that the report has `kind`, and that people are told all of `words`.
pub(super) fn refused(caller: &Shipproof, image: &str, kind: &str, words: &[&str]) {
    let outcome = verify(caller, image, &[]);
    let report = outcome.verdict("unknown");
    assert_eq!(report["error"]["kind"], kind, "{image}: {outcome:#?}");
    assert!(outcome.stderr.lines().any(|line| line.starts_with("error: ")), "{image}: {outcome:#?}");
    for word in words {
        assert!(outcome.stderr.contains(word), "{image}: no `{word}` in {outcome:#?}");
    }
}

/// Removes what has to differ from place to place: how the image was asked for, and digests of manifests and layers,
/// which an archive of Docker does not keep.
pub(super) fn comparable(mut report: Value) -> Value {
    for field in ["reference", "digest", "pinned"] {
        report["image"][field] = Value::Null;
    }
    let empty = &mut Vec::new();
    for platform in report["image"]["platforms"].as_array_mut().unwrap_or(empty) {
        platform["digest"] = Value::Null;
    }
    for finding in report["findings"].as_array_mut().unwrap_or(empty) {
        if finding["layer"].is_object() {
            finding["layer"]["digest"] = Value::Null;
        }
    }
    for identity in report["identities"].as_array_mut().unwrap_or(empty) {
        for layer in identity["layers"].as_array_mut().expect("an identity has layers") {
            layer["digest"] = Value::Null;
        }
    }
    for layer in report["layers"].as_array_mut().unwrap_or(empty) {
        for field in ["digest", "media_type", "size"] {
            layer[field] = Value::Null;
        }
    }
    report
}

/// The members of a tar of plain files.
pub(super) fn members(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().expect("it is a tar");
    let entries = entries.map(|entry| {
        let mut entry = entry.expect("it is a tar");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("it is a tar");
        (entry.path().expect("the name is text").display().to_string(), bytes)
    });
    entries.collect()
}

pub(super) fn tar_of(members: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, bytes.as_slice()).expect("writing to memory does not fail");
    }
    builder.into_inner().expect("writing to memory does not fail")
}

/// A repository, and two images of which only the first agrees with it.
pub(super) fn right_and_wrong() -> (Repo, Image, Image) {
    let wrong = whole_image().text(&format!("f app/shared/beat.py 0644 {OLD_BEAT}"));
    (plain_repository(), whole_image(), wrong)
}

/// [`FILES`] for amd64, and an old file for arm64.
pub(super) fn platforms() -> [Image; 2] {
    let (_, right, wrong) = right_and_wrong();
    [right.platform("linux/amd64"), wrong.platform("linux/arm64/v8")]
}

pub(super) fn platforms_of(report: &Value) -> Vec<&str> {
    let platforms = report["image"]["platforms"].as_array().expect("a report has platforms");
    platforms.iter().filter_map(|platform| platform["platform"].as_str()).collect()
}

/// An index that lists `entries`, as a blob of `layout`.
pub(super) fn index_of(layout: &mut Layout, entries: &[Value]) -> Value {
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries });
    layout.add_blob(OCI_INDEX, index.to_string().into_bytes())
}
