//! Which image directory is which repository directory, and which files a build should have put where.
//!
//! Owns what the user, a Dockerfile, a `.dockerignore`, an image's build history and the files themselves say about
//! that. Reads no files: parsers take bytes, and what cannot be known from them is reported as unresolved instead of
//! guessed.

mod build;
pub mod copies;
mod discover;
pub mod dockerfile;
pub mod dockerignore;
mod error;
mod glob;
pub mod history;
mod infer;
mod patterns;
mod plan;
mod presence;
pub mod step;

pub use error::MappingError;
pub use plan::{
    Evidence, Expected, GivenDockerfile, Mapping, MappingOrigin, Plan, Presence, Request, add_stray_copies, plan,
};
