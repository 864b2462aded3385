//! What is said of layers while they are read.

use std::process::Command;
use std::time::Duration;

use super::stage::{Stage, image};
use crate::support::artifact_registry::{Fault, Phase};
use crate::support::images::Layout;
use crate::support::tools;

fn notes(stderr: &str) -> Vec<&str> {
    stderr.lines().filter_map(|line| line.strip_prefix("note: ")).collect()
}

#[test]
fn verbose_says_what_became_of_each_layer() {
    let stage = Stage::new();
    let reference = stage.registry.reference("v1");
    let [base, build, app] = [0, 1, 2].map(|layer| image("one").layers()[layer].digest());
    let size = image("one").layers()[2].blob.len();
    let outcome = stage.run(&["cat", &reference, "/app/main.py", "--verbose"]).exits(0);
    let expected = [
        format!("layer {app}: read, {size} B"),
        format!("layer {base}: not needed"),
        format!("layer {build}: not needed"),
        format!("3 layers: 1 read ({size} B), 0 in the cache, 2 not needed"),
    ];
    assert_eq!(notes(&outcome.stderr), expected);
    let outcome = stage.verify("v1", &["--jobs", "1"]);
    let said = notes(&outcome.stderr);
    assert!(said.contains(&format!("layer {app}: in the cache").as_str()), "{said:#?}");
    assert!(said.last().is_some_and(|last| last.starts_with("3 layers: 2 read (")), "{said:#?}");
    for loudness in [&[][..], &["--quiet"]] {
        let outcome = stage.run(&[&["cat", &reference, "/app/main.py"], loudness].concat()).exits(0);
        assert_eq!(outcome.stderr, "", "{loudness:?}");
    }
}

/// What somebody sees who runs `command` at a terminal while the registry pauses in the middle of each blob.
fn at_a_terminal(command: &[&str]) -> String {
    let stage = Stage::new();
    stage.holds(&Layout::with("v1", &image("one")));
    stage.registry.always(Phase::Download, Fault::Stall(Duration::from_millis(700)));
    let reference = stage.registry.reference("v1");
    let program = stage.command();
    let words: Vec<&str> =
        command.iter().map(|word| if *word == "IMAGE" { reference.as_str() } else { word }).collect();
    let typed = format!("{} {}", program.get_program().to_string_lossy(), words.join(" "));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &typed, "/dev/null"]).env_clear().env("TERM", "xterm");
    script.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    script.current_dir(program.get_current_dir().expect("it runs somewhere"));
    String::from_utf8_lossy(&tools::output(&mut script).stdout).into_owned()
}

#[test]
fn bars_are_there_while_layers_are_read_and_gone_at_the_end() {
    if tools::require(tools::SCRIPT).is_none() {
        return;
    }
    let shown = at_a_terminal(&["cat", "IMAGE", "/app/main.py"]);
    let digest = image("one").layers()[2].digest();
    let bar = format!("{} [", &digest["sha256:".len()..][..12]);
    assert!(shown.contains(&bar), "{shown:?}");
    let (before, contents) = shown.split_once("# this is the file main.py").expect("the file is printed");
    assert!(before.ends_with("\r\u{1b}[2K\u{1b}[1A"), "the line was cleared: {before:?}");
    assert!(!contents.contains(&bar), "{contents:?}");
    let quiet = at_a_terminal(&["cat", "IMAGE", "/app/main.py", "--quiet"]);
    assert!(quiet.starts_with("# this is the file main.py"), "{quiet:?}");
}
