//! The demo that the README shows.

use std::path::{Path, PathBuf};

use crate::support::layers::digest_of;
use crate::support::tools;
use crate::support::unpacked::umoci_unpack;

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/demo").join(name)
}

/// git in the demo's repository, or in one that was just made.
fn demo_git(repository: &Path, arguments: &[&str]) -> String {
    let mut command = tools::command("git", Path::new("/nonexistent"));
    // The checkout may belong to another user than the tests' (a container in CI).
    command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
    tools::run_text(command.env("GIT_DIR", repository).args(arguments))
}

/// The files below /app whose git blob is not the one of `revision`.
fn differing(tag: &str, revision: &str) -> Option<Vec<String>> {
    let tree = umoci_unpack(&demo("image"), tag)?;
    let repository = demo("repo.git");
    let files = tree.iter().filter(|(_, node)| node.kind == "file");
    let app = files.filter_map(|(path, node)| {
        let path = std::str::from_utf8(path).expect("the demo's names are UTF-8").strip_prefix("app/")?;
        Some((path.to_owned(), node.sha256.clone()))
    });
    let content = |path: &str| {
        let mut command = tools::command("git", Path::new("/nonexistent"));
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
        tools::run(command.env("GIT_DIR", &repository).args(["cat-file", "blob", &format!("{revision}:{path}")]))
    };
    Some(
        app.filter(|(path, sha256)| sha256.as_deref() != Some(&*digest_of(&content(path))))
            .map(|(path, _)| path)
            .collect(),
    )
}

#[test]
fn the_demo_tells_its_story() {
    let heartbeat = "shared/monitoring/processor_heartbeat.py";
    let Some(stale) = differing("phase3", "main") else { return };
    assert_eq!(stale, [heartbeat]);
    assert_eq!(differing("good", "main"), Some(Vec::new()));
    let fix = demo_git(&demo("repo.git"), &["log", "--format=%H", "-1", "main", "--", heartbeat]);
    let before_fix = differing("phase3", &format!("{fix}^")).expect("umoci is there");
    assert_eq!(before_fix, ["main.py"]);
}

#[test]
fn the_demo_is_what_its_script_makes() {
    if !tools::require_all(&[tools::GIT, tools::UMOCI]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let made = folder.path().join("demo");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/make-demo.sh");
    tools::run(tools::command(script, folder.path()).arg(&made));
    let head = |repository: &Path| demo_git(repository, &["rev-parse", "main"]);
    assert_eq!(head(&made.join("repo.git")), head(&demo("repo.git")));
    for tag in ["phase3", "good"] {
        assert_eq!(umoci_unpack(&made.join("image"), tag), umoci_unpack(&demo("image"), tag));
    }
}
