//! `shipproof verify` from the command line, against real git repositories, real builders and images from text.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;

mod arguments;
mod conversions;
mod flags;
mod guard;
mod histories;
mod monorepo;
mod names;
mod newcomer;
mod reports;

use support::scene;
