//! shipproof answers one question about a container image: is the code that git says should be in it really in it?
//!
//! It pulls the manifest from a registry (or reads a layout, an archive, a daemon), streams the layers, computes the
//! git blob id of every file it meets, and compares with the local git tree. Data flows one way; a module uses only
//! modules before it, and a test holds it to that:
//!
//! ```text
//! reference -> source -> image -> layer -> tree -+
//!                                                +-> mapping -> compare -> verify -> report -> exit code
//! git repository ------------------> repo -------+
//! ```
//!
//! # Words
//!
//! - **image**: a configuration and a list of layers, for one platform; an *index* lists images for several.
//! - **manifest**, **descriptor**: the list itself, and an entry in it: media type, digest, size.
//! - **layer**: a set of changes to a file system, stored as a tar that is mostly compressed. Its *digest* covers the
//!   stored bytes, its *diff id* the uncompressed tar.
//! - **whiteout**: an entry of a layer that removes a path of the layers below.
//! - **layer index**: everything one layer does to a file system, from one pass over it.
//! - **table of contents**: a list of a layer's files with their SHA-256, which some builders put beside the tar.
//! - **blob id**: the hash under which git stores a file's contents.
//! - **snapshot**: the files of a revision or of the work tree.
//! - **mapping**: which image directory is which repository directory.
//! - **finding**: how one file stands: same, modified, missing and so on. All of them make the **verdict**.
//!
//! # Example
//!
//! Verify the image of `testdata/demo` against its repository:
//!
//! ```
//! use std::path::Path;
//! use std::time::Duration;
//!
//! use shipproof::{auth, cache, compare::Strictness, layer, mapping, repo, select::Selection, source, verify};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
//! let source = source::open(
//!     &"oci:testdata/demo/image:phase3".parse()?,
//!     &source::Options {
//!         runtime: runtime.handle().clone(),
//!         credentials: auth::Environment::default(),
//!         tls: source::Tls::default(),
//!         timeout: Duration::from_secs(30),
//!         docker_host: None,
//!         observer: source::Observer::default(),
//!         cache: cache::Cache::off(),
//!     },
//! )?;
//! let repository = repo::Repository::open(Path::new("testdata/demo/repo.git"))?;
//! let options = verify::Options {
//!     platforms: Vec::new(),
//!     against: verify::Against::Revision("HEAD".to_owned()),
//!     mapping: mapping::Request::default(),
//!     selection: Selection::default(),
//!     strictness: Strictness::Contents,
//!     depth: verify::Depth::Differences,
//!     effort: layer::Effort::default(),
//!     trust_tables: false,
//!     said: Vec::new(),
//! };
//! let verification = verify::verify(source.as_ref(), &repository, &options)?;
//! assert!(!verification.agrees(), "the demo image holds an old file");
//! # Ok(())
//! # }
//! ```

// Words.
pub mod blob;
pub mod cache;
pub mod compression;
pub mod count;
pub mod descriptor;
pub mod digest;
pub mod json;
pub mod limits;
pub mod lines;
pub mod path;
pub mod platform;
pub mod spool;
// Where an image comes from.
pub mod auth;
pub mod reference;
pub mod source;
// What an image is, and what its layers say.
pub mod image;
pub mod layer;
pub mod tree;
// The git side.
pub mod repo;
// Bringing both together.
pub mod claims;
pub mod compare;
pub mod diagnosis;
pub mod identify;
pub mod mapping;
pub mod python;
pub mod select;
// What a team deploys, and what runs of it.
pub mod config;
pub mod deploy;
// Looking inside one image, or two.
pub mod difference;
pub mod extract;
pub mod lookup;
pub mod search;
// The main job, and telling of it.
pub mod error;
pub mod preflight;
pub mod report;
pub mod verify;
// The command line.
pub mod cli;
pub mod commands;
pub mod exit;
