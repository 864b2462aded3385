//! Will it start? Images that do and images that do not.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;

mod alarms;
mod reports;
mod stage;
mod started;
mod table;
