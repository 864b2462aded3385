//! The merged file system against real runtimes, umoci and podman: the same entries, modes, sizes, link targets and
//! bytes; for images written as text in `testdata/layers`, for random ones, and for images of a real builder.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;

mod built;
mod case;
mod classes;
mod files;
mod maker;
mod ours;
mod parallel;
mod settled;
mod shown;
mod stack;
mod stacks;
