//! `shipproof verify` from the command line, against real git repositories, real builders and images from text.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;

mod histories;
mod monorepo;
mod newcomer;
mod scene;
