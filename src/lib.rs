//! shipproof
pub mod blob;
pub mod digest;
pub mod path;
pub mod platform;
