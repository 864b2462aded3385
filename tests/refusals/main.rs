//! Whatever is wrong: exit code 2, a message that names it, and nothing that looks like a verdict.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;

mod images;
mod nothing;
mod outputs;
mod references;
mod registries;
mod repositories;
mod stage;
