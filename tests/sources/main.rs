//! One image, every place it can lie in: the answer may not depend on the place.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;

mod artifacts;
mod choice;
mod compression;
mod everywhere;
mod indexes;
mod nowhere;
mod stage;
