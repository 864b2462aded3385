//! Images of a real builder, held against umoci.

use std::fs;
use std::path::Path;

use super::ours::{listed, reference, wrong_content};
use super::shown::shown;
use super::support::builders::{Buildah, skopeo_recompress};
use super::support::git::Repo;
use super::support::layers::Layer;
use super::support::tools;
use super::support::unpacked::{Tree, umoci_unpack};

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
