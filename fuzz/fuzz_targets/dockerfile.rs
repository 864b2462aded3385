//! Any text as a Dockerfile, and after the first NUL as the `.dockerignore` beside it: no panic, no more memory than
//! [`most`] allows, and what its copies put into the image has a clean path there and comes from a file of the context
//! that is not ignored.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use shipproof::limits;
use shipproof::mapping::dockerfile::{self, BuildArguments, ResolvedStage};
use shipproof::mapping::dockerignore;
use shipproof::path::ImagePath;

#[path = "../copying.rs"]
mod copying;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let (text, ignore) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    let Ok(dockerfile) = dockerfile::parse(text) else { return };
    let known = BTreeMap::from([("VERSION".to_owned(), "1".to_owned())]);
    let build = BuildArguments {
        args: &known,
        target: None,
        inherited_env: &known,
        inherited_workdir: ImagePath::clean(b"srv"),
    };
    let stage = dockerfile.resolve(&build).expect("the last stage is always there");
    let lines = text.iter().filter(|&&byte| byte == b'\n').count() + 1;
    assert!(stage.steps.iter().all(|step| (1..=lines).contains(&step.line)));
    assert!(stage.unresolved.iter().all(|step| (1..=lines).contains(&step.line)));
    assert!(size(&stage) <= most(text), "{} bytes of steps from {}", size(&stage), text.len());
    copying::check(&stage.steps, &dockerignore::parse(ignore));
});

fn size(stage: &ResolvedStage) -> usize {
    let workdir = stage.workdir.as_ref().map_or(0, |path| path.as_bytes().len());
    workdir + stage.steps.iter().map(copying::size).sum::<usize>()
}

/// Bytes that the steps of a Dockerfile may take: its own (three times, where U+FFFD stands for each of its bytes),
/// with what its variables may stand for and one destination for each line.
fn most(text: &[u8]) -> usize {
    6 * text.len() + limits::SUBSTITUTED_BYTES + text.len() / "ADD a b".len() * copying::PATH
}
