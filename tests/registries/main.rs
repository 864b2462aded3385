//! Registries as they are run: with and without passwords, tokens and certificates, and on their bad days.
//!
//! Everything that the program writes in these tests is searched for the secrets it was given.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;

mod artifact_registry;
mod bad_days;
mod certificates;
mod lies;
mod notices;
mod passwords;
mod ranges;
mod redirects;
mod referrers;
mod stage;
mod tokens;
