//! Which image directory is which repository directory, and which files a build should have put where.
//!
//! Owns what the user, a Dockerfile, a `.dockerignore`, an image's build history and the files themselves say about
//! that. Reads no files: parsers take bytes, and what cannot be known from them is reported as unresolved instead of
//! guessed.

mod build;
mod choose;
pub mod copies;
mod discover;
pub mod dockerfile;
pub mod dockerignore;
mod error;
mod evidence;
mod glob;
pub mod history;
mod infer;
mod patterns;
mod plan;
mod presence;
pub mod step;
mod stray;

pub use choose::plan;
pub use error::MappingError;
pub use evidence::Evidence;
pub use plan::{Expected, GivenDockerfile, Mapping, MappingOrigin, Plan, Presence, Request};
pub use stray::add_stray_copies;
