//! The cache: what it saves, and that no answer depends on it.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;

mod damage;
mod needed;
mod progress;
mod requests;
mod stage;
mod upkeep;
