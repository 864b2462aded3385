//! Runs every command of the README: what it promises is what a reader gets.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use support::tools;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PROGRAM: &str = env!("CARGO_BIN_EXE_shipproof");
/// How the README runs the program from a checkout.
const CARGO_RUN: &str = "cargo run --quiet -- ";

/// Words that only one block has, and so tell which test is for it.
const DEPLOY: &str = "gcloud run deploy";
const ONE_FILE: &str = "\"$IMAGE\" processor_heartbeat.py";
const IN_CI: &str = "exit \"$status\"";
const CREDENTIALS: &str = "gcloud auth configure-docker";
/// Commands of the README that `.ci/run` runs, because a test cannot run what runs the tests.
const BY_CI: [&str; 2] = ["cargo test --locked", "cargo install --locked --path ."];

// --- the README --------------------------------------------------------------------------------------------------------

/// A fenced block.
struct Block {
    language: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).expect("the README can be read");
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in readme.lines() {
        match (open.take(), line.trim_start().strip_prefix("```")) {
            (None, None) => {}
            (None, Some(language)) => open = Some(Block { language: language.to_owned(), text: String::new() }),
            (Some(block), Some("")) => blocks.push(block),
            (Some(mut block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
        }
    }
    assert!(open.is_none(), "the last block of the README is not closed");
    blocks
}

/// The text of the one `sh` block with `words`.
fn recipe(words: &str) -> String {
    let mut found: Vec<Block> = blocks();
    found.retain(|block| block.language == "sh" && block.text.contains(words));
    assert_eq!(found.len(), 1, "sh blocks with `{words}`");
    found.remove(0).text
}

#[test]
fn every_block_has_its_test() {
    for block in blocks() {
        let known = match block.language.as_str() {
            "console" => block.text.starts_with("$ "),
            "sh" => {
                let recipes = [DEPLOY, ONE_FILE, IN_CI, CREDENTIALS];
                let by_ci = block.text.lines().all(|line| BY_CI.contains(&line));
                by_ci || recipes.iter().filter(|words| block.text.contains(*words)).count() == 1
            }
            // A configuration, which is read as one.
            "toml" => true,
            _ => false,
        };
        assert!(known, "nothing runs this block:\n```{}\n{}```", block.language, block.text);
    }
}

#[test]
fn the_configuration_file_is_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut found = 0;
    for block in blocks().iter().filter(|block| block.language == "toml") {
        let path = folder.path().join("shipproof.toml");
        fs::write(&path, &block.text).expect("the file can be written");
        let config = shipproof::config::Config::read(&path).expect("the README's configuration is read");
        assert!(config.service("phase3").is_some_and(|service| !service.evidence.is_empty()));
        found += 1;
    }
    assert_eq!(found, 1, "configurations in the README");
}

#[test]
fn what_tests_cannot_run_is_run_by_ci() {
    let script = fs::read_to_string(Path::new(ROOT).join(".ci/run")).expect("the script can be read");
    for command in BY_CI {
        assert!(recipe(command).lines().eq([command]), "{command} stands alone");
        let run = |line: &str| line.strip_prefix(command).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
        assert!(script.lines().any(run), ".ci/run does not run `{command}`");
    }
}

// --- console -------------------------------------------------------------------------------------------------------------

/// The commands of a `console` block, each with the lines that follow it.
fn commands(text: &str) -> Vec<(&str, String)> {
    let mut commands: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command, String::new())),
            (None, Some((_, output))) => *output += &format!("{line}\n"),
            (None, None) => panic!("`{line}` stands before the first command"),
        }
    }
    commands
}

#[test]
fn console_blocks_show_what_is_printed() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let console = blocks().into_iter().filter(|block| block.language == "console");
    let mut run = 0;
    for (command, expected) in console.collect::<Vec<_>>().iter().flat_map(|block| commands(&block.text)) {
        let built = command.replace(CARGO_RUN, &format!("'{PROGRAM}' "));
        assert_ne!(built, command, "`{command}` does not run the built program");
        let mut bash = tools::command("bash", home.path());
        let output = tools::output(bash.args(["-o", "pipefail", "-c", &built]).current_dir(ROOT));
        let printed = String::from_utf8(output.stdout).expect("the program writes UTF-8");
        if !expected.is_empty() {
            assert_eq!(printed, expected, "{command}");
        }
        let verdicts = ["mismatch: ", "lacks: ", "not ready: "];
        let differs = expected.lines().any(|line| verdicts.iter().any(|verdict| line.starts_with(verdict)));
        let code = i32::from(differs);
        assert_eq!(output.status.code(), Some(code), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        run += 1;
    }
    assert!(run >= 2, "the README shows {run} commands");
}

// --- recipes -------------------------------------------------------------------------------------------------------------

/// A checkout of the demo's repository, and a `PATH` with the built program and a `gcloud` that only takes notes.
struct Checkout {
    folder: TempDir,
}

/// What a recipe did.
#[derive(Debug)]
struct Done {
    code: Option<i32>,
    stdout: String,
    #[expect(dead_code, reason = "shown by an assertion that fails")]
    stderr: String,
    /// The arguments of each call of `gcloud`.
    gcloud: Vec<Vec<String>>,
    /// `shipproof.json`.
    report: Option<Value>,
}

impl Checkout {
    /// `None` and a line where jq or git is missing.
    fn new() -> Option<Self> {
        if !tools::require_all(&[tools::JQ, tools::GIT]) {
            return None;
        }
        let checkout = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        checkout.clone(&[]);
        fs::create_dir(checkout.programs()).expect("an empty folder");
        symlink(PROGRAM, checkout.programs().join("shipproof")).expect("the link can be made");
        checkout.program("gcloud", "#!/bin/sh\n{ printf '%s\\t' \"$@\"; echo; } >>\"$HOME/gcloud\"\n");
        Some(checkout)
    }

    fn clone(&self, options: &[&str]) {
        let target = self.work_tree();
        fs::remove_dir_all(&target).ok();
        let source = format!("file://{ROOT}/testdata/demo/repo.git");
        let mut git = tools::command("git", self.folder.path());
        tools::run(
            git.env("GIT_CONFIG_NOSYSTEM", "1").args(["clone", "--quiet"]).args(options).arg(source).arg(target),
        );
    }

    fn work_tree(&self) -> PathBuf {
        self.folder.path().join("checkout")
    }

    fn programs(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.programs().join(name);
        fs::write(&path, script).expect("the program can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the mode can be set");
    }

    /// Runs `recipe` with `shell`, a program and its options, on the demo's image called `tag`.
    fn run(&self, shell: &str, recipe: &str, tag: &str) -> Done {
        let calls = self.folder.path().join("gcloud");
        let report = self.work_tree().join("shipproof.json");
        for old in [&calls, &report] {
            fs::remove_file(old).ok();
        }
        let mut words = shell.split(' ');
        let mut command = tools::command(words.next().expect("a shell has a name"), self.folder.path());
        let output = tools::output(self.prepare(&mut command, tag).args(words).args(["-c", recipe]));
        let lines = fs::read_to_string(calls).unwrap_or_default();
        let arguments = |line: &str| line.split_terminator('\t').map(str::to_owned).collect();
        let parse = |text: String| serde_json::from_str(&text).expect("a report is JSON");
        Done {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("recipes write UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            gcloud: lines.lines().map(arguments).collect(),
            report: fs::read_to_string(report).ok().map(parse),
        }
    }

    fn prepare<'c>(&self, command: &'c mut Command, tag: &str) -> &'c mut Command {
        let path = std::env::var_os("PATH").expect("there is a PATH");
        let path = std::env::join_paths([self.programs()].into_iter().chain(std::env::split_paths(&path)));
        command.env("PATH", path.expect("folders can be joined")).env("IMAGE", image(tag)).current_dir(self.work_tree())
    }
}

fn image(tag: &str) -> String {
    format!("oci:{ROOT}/testdata/demo/image:{tag}")
}

/// The demo's image called `tag`, by the digest that its layout has for it.
fn pinned(tag: &str) -> String {
    let index = fs::read_to_string(Path::new(ROOT).join("testdata/demo/image/index.json")).expect("it can be read");
    let index: Value = serde_json::from_str(&index).expect("an index is JSON");
    let manifests = index["manifests"].as_array().expect("an index has manifests");
    let named = |manifest: &&Value| manifest["annotations"]["org.opencontainers.image.ref.name"] == tag;
    let manifest = manifests.iter().find(named).expect("the demo has this tag");
    format!("oci:{ROOT}/testdata/demo/image@{}", manifest["digest"].as_str().expect("a digest is a text"))
}

/// As a script of its own, in either shell, and in a step of a CI service.
const SHELLS: [&str; 3] = ["sh", "bash", "bash -e -o pipefail"];

#[test]
fn only_what_was_verified_is_deployed() {
    let Some(checkout) = Checkout::new() else { return };
    let recipe = recipe(DEPLOY);
    // A script goes on after the recipe; nothing of that may run for an image that was not verified.
    let script = format!("{recipe}gcloud run services update-traffic phase3 --to-latest\n");
    for shell in SHELLS {
        let good = checkout.run(shell, &recipe, "good");
        assert_eq!(good.code, Some(0), "{shell} {good:#?}");
        assert_eq!(good.gcloud, [["run", "deploy", "phase3", "--image", &pinned("good")]], "{shell}");
        for (tag, code) in [("phase3", 1), ("no-such-tag", 2)] {
            let bad = checkout.run(shell, &script, tag);
            assert_eq!((bad.code, bad.gcloud.len()), (Some(code), 0), "{shell} {bad:#?}");
            let report = bad.report.expect("a report is written in all cases");
            assert_eq!(report["verdict"], if code == 1 { "mismatch" } else { "unknown" });
        }
    }
    checkout.program("jq", "#!/bin/sh\nexit 5\n");
    for shell in SHELLS {
        let without = checkout.run(shell, &script, "good");
        assert!(without.code != Some(0) && without.gcloud.is_empty(), "{shell} {without:#?}");
    }
}

#[test]
fn one_file_is_looked_at() {
    let Some(checkout) = Checkout::new() else { return };
    let recipe = recipe(ONE_FILE);
    for shell in SHELLS {
        let stale = checkout.run(shell, &recipe, "phase3");
        assert_eq!(stale.code, Some(1), "{shell} {stale:#?}");
        assert!(stale.stdout.contains("\nstale  shared/monitoring/processor_heartbeat.py\n"), "{}", stale.stdout);
        let good = checkout.run(shell, &recipe, "good");
        assert_eq!(good.code, Some(0), "{shell} {good:#?}");
        assert!(good.stdout.contains("\ncompared 1: 1 same\n"), "{}", good.stdout);
    }
}

#[test]
fn ci_keeps_the_verdict_and_the_report() {
    let Some(checkout) = Checkout::new() else { return };
    let recipe = recipe(IN_CI);
    // A shallow clone cannot know that the bytes are an earlier commit's.
    for (depth, status) in [(&[][..], "stale"), (&["--depth", "1"], "modified")] {
        let differs = json!([{ "status": status, "repo_path": "shared/monitoring/processor_heartbeat.py" }]);
        let table =
            [("good", 0, "match", json!([])), ("phase3", 1, "mismatch", differs), ("none", 2, "unknown", json!([]))];
        checkout.clone(depth);
        for shell in SHELLS {
            for (tag, code, verdict, findings) in &table {
                let done = checkout.run(shell, &recipe, tag);
                assert_eq!(done.code, Some(*code), "{shell} {done:#?}");
                let summary: Value = serde_json::from_str(&done.stdout).expect("jq writes JSON");
                assert_eq!((&summary["verdict"], &summary["findings"]), (&json!(verdict), findings), "{shell} {tag}");
                let report = done.report.expect("the report is kept");
                assert_eq!(report["counts"], summary["counts"]);
            }
        }
    }
}

#[test]
fn the_credential_helper_is_set_up_for_the_registry_of_the_recipes() {
    let Some(checkout) = Checkout::new() else { return };
    let done = checkout.run("sh", &recipe(CREDENTIALS), "good");
    let host = "europe-west1-docker.pkg.dev";
    assert_eq!(done.gcloud, [["auth", "configure-docker", host]]);
    assert!([DEPLOY, ONE_FILE, IN_CI].iter().all(|words| recipe(words).contains(&format!("{{IMAGE:-{host}/"))));
}
