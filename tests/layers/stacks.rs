//! Random layer stacks: shipproof makes of them what umoci and podman make of them, or the difference is of a class that
//! is listed in [`classes`](super::classes) and, with what we chose and why, in `testdata/layers/README.md`.
//!
//! `SHIPPROOF_STACKS=10000 SHIPPROOF_SEED=7 cargo test --test layers random` is a longer run; podman gets a third.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::classes::{Runtime, Written, agree, written_for};
use super::ours::{TAG, merged};
use super::parallel::in_parallel;
use super::shown::shown;
use super::stack::Stack;
use super::support::images::{Image, Layout};
use super::support::random::given_seed;
use super::support::tools;
use super::support::unpacked::{Made, podman_unpack, try_umoci_unpack};

/// Stacks of a run, and the seed of the first.
const STACKS: u64 = 300;
const SEED: u64 = 1;
/// Stacks for umoci to one for podman, which takes several times as long.
const PODMAN_SHARE: u64 = 3;
/// Stacks that share a podman storage, which gets slower with each.
const AT_ONCE: usize = 25;
/// Differences that are made smaller and shown.
const SHOWN: usize = 3;

/// The name of a class, or what differs.
type Verdict = Result<String, String>;

fn setting(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

fn by_umoci(stacks: &[Stack]) -> Option<Vec<Made>> {
    let unpack = |stack: &Stack| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Layout::with(TAG, &stack.image()).write_to(folder.path());
        try_umoci_unpack(folder.path(), TAG)
    };
    stacks.iter().map(unpack).collect()
}

fn by_podman(stacks: &[Stack]) -> Option<Vec<Made>> {
    let images: Vec<Image> = stacks.iter().map(Stack::image).collect();
    podman_unpack(&images.iter().collect::<Vec<&Image>>())
}

/// What came of each of `stacks`. Those that differ are unpacked once more, written as the runtime needs them.
fn judge(runtime: Runtime, stacks: &[Stack], unpack: impl Fn(&[Stack]) -> Option<Vec<Made>>) -> Option<Vec<Verdict>> {
    let made = unpack(stacks)?;
    let ours: Vec<Made> = stacks.iter().map(|stack| merged(&stack.layers())).collect();
    let differing = stacks.iter().zip(&ours).zip(&made).filter(|((_, ours), made)| !agree(ours, made));
    let written: Vec<Written> = differing.map(|((stack, ours), _)| written_for(runtime, stack, ours)).collect();
    let rewritten: Vec<Stack> = written.iter().map(|written| written.stack.clone()).collect();
    let mut again = written.into_iter().zip(unpack(&rewritten)?);
    let verdict = |(ours, made): (&Made, &Made)| {
        if agree(ours, made) {
            return Ok(if ours.is_ok() { "the same" } else { "refused by both" }.to_owned());
        }
        let (written, second) = again.next().expect("each that differs was unpacked again");
        let names = written.names.join(" + ");
        let told = || format!("shipproof makes\n{}and {runtime:?} makes\n{}", shown(ours), shown(made));
        if agree(&written.ours, &second) { Ok(names) } else { Err(format!("{}[{names}]\n{}", told(), shown(&second))) }
    };
    Some(ours.iter().zip(&made).map(verdict).collect())
}

fn run(runtime: Runtime, count: u64, unpack: impl Fn(&[Stack]) -> Option<Vec<Made>> + Sync) {
    let first = given_seed().unwrap_or(SEED);
    let seeds: Vec<u64> = (first..first + count).collect();
    let chunks: Vec<&[u64]> = seeds.chunks(AT_ONCE).collect();
    let judged = in_parallel(&chunks, |seeds| {
        let stacks: Vec<Stack> = seeds.iter().copied().map(Stack::random).collect();
        Some(seeds.iter().copied().zip(judge(runtime, &stacks, &unpack)?).collect::<Vec<_>>())
    });
    // `None` where the runtime is missing, which was said.
    let Some(judged) = judged.into_iter().collect::<Option<Vec<_>>>() else { return };
    let mut counts = BTreeMap::new();
    let mut different = Vec::new();
    for (seed, verdict) in judged.into_iter().flatten() {
        *counts.entry(verdict.clone().unwrap_or_else(|_| "different".to_owned())).or_insert(0) += 1;
        different.extend(verdict.is_err().then_some(seed));
    }
    // Not `eprintln!`: the test harness would keep it to itself where the test passes.
    let line = format!("{count} random stacks from seed {first} against {runtime:?}: {counts:?}\n");
    std::io::stderr().write_all(line.as_bytes()).expect("standard error is open");
    let shown: Vec<String> = different.iter().take(SHOWN).map(|seed| difference(runtime, *seed, &unpack)).collect();
    assert!(different.is_empty(), "{line}\n{}", shown.join("\n"));
}

/// The stack of `seed`, as small as it still makes a difference.
fn difference(runtime: Runtime, seed: u64, unpack: &impl Fn(&[Stack]) -> Option<Vec<Made>>) -> String {
    let verdict = |stack: &Stack| {
        let verdicts = judge(runtime, std::slice::from_ref(stack), unpack);
        verdicts.expect("the runtime was there before").remove(0)
    };
    let small = Stack::random(seed).shrunk(|stack| verdict(stack).is_err());
    let what = verdict(&small).expect_err("it was different before");
    format!("--- seed {seed}, made smaller:\n{small}{what}")
}

#[test]
fn random_stacks_are_what_umoci_unpacks() {
    if tools::require_root() {
        run(Runtime::Umoci, setting("SHIPPROOF_STACKS", STACKS), by_umoci);
    }
}

#[test]
fn random_stacks_are_what_podman_unpacks() {
    if tools::require_root() {
        run(Runtime::Podman, setting("SHIPPROOF_STACKS", STACKS) / PODMAN_SHARE, by_podman);
    }
}
