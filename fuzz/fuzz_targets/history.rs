//! Any text as the `created_by` of an image's history, one a line: no panic, no more memory than [`most`] allows, steps in
//! their order, and what their copies put into the image has a clean path there and comes from a file of the context.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shipproof::mapping::dockerignore::Dockerignore;
use shipproof::mapping::history::{self, Action, LocatedCopy, Sources};
use shipproof::mapping::step::{CopyKind, CopyStep};
use shipproof::path::ImagePath;

#[path = "../copying.rs"]
mod copying;

fuzz_target!(|text: &str| {
    let lines: Vec<&str> = text.split('\n').collect();
    let copies = history::copy_steps(lines.iter().copied(), &ImagePath::clean(b"srv"));
    assert!(copies.is_sorted_by(|one, next| one.index < next.index));
    let steps: Vec<CopyStep> = copies.into_iter().filter_map(|copy| step(&lines, copy)).collect();
    let size: usize = steps.iter().map(copying::size).sum();
    assert!(size <= most(text), "{size} bytes of steps from {}", text.len());
    copying::check(&steps, &Dockerignore::default());
});

/// The copy as a step, where it names its sources and its destination.
fn step(lines: &[&str], copy: LocatedCopy) -> Option<CopyStep> {
    let parsed = history::parse(lines[copy.index]);
    assert_eq!((&parsed.text, parsed.action), (&copy.text, Action::Copy(copy.copy.clone())));
    assert!(copy.text.len() <= lines[copy.index].len());
    let (Sources::Named(sources), Some(destination)) = (copy.copy.sources, copy.destination) else { return None };
    Some(CopyStep {
        line: 0,
        text: copy.text,
        unpack: copy.copy.kind == CopyKind::Add,
        kind: copy.copy.kind,
        sources,
        destination,
        parents: copy.copy.parents,
        exclude: Vec::new(),
        origin: copy.copy.origin,
    })
}

/// Bytes that the steps of a history may take: its own, and one destination for each line.
fn most(text: &str) -> usize {
    2 * text.len() + text.len() / "ADD a b".len() * copying::PATH
}
