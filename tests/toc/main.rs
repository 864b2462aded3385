//! Layers with a table of contents: what trusting it saves, that it changes no answer of an honest image, and what it
//! costs with one that lies.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;

mod answers;
mod lies;
mod ordinary;
mod stage;
