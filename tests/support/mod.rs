//! What the integration tests share: images and repositories from text, servers and the real tools.
//!
//! A test binary takes it in with
//! `#[expect(dead_code, reason = "each test binary uses a part of the support module")] mod support;`.
//! Everything is hermetic: temporary folders, free loopback ports, no configuration of the user who runs the tests.
//! Where a program is missing, [`tools::require`] says so and the test ends early; under `CI=true` it fails.

mod archive;
pub(crate) mod artifact_registry;
pub(crate) mod builders;
pub(crate) mod cli;
pub(crate) mod cloud_run;
pub(crate) mod daemon;
pub(crate) mod escapes;
pub(crate) mod estargz;
pub(crate) mod firestore;
pub(crate) mod git;
pub(crate) mod http;
pub(crate) mod images;
pub(crate) mod large;
pub(crate) mod layers;
pub(crate) mod memory;
pub(crate) mod model;
pub(crate) mod random;
pub(crate) mod registry;
pub(crate) mod scene;
mod sparse;
pub(crate) mod tar_crate;
pub(crate) mod text;
pub(crate) mod tokens;
pub(crate) mod tools;
pub(crate) mod unpacked;
