//! What may be typed to ask whether an image will start.

use std::path::PathBuf;

use clap::Args;

use super::{OutputArgs, ReadArgs};

/// `shipproof preflight`
#[derive(Debug, Args)]
pub struct Preflight {
    /// The image
    pub image: String,
    /// What this list (the format of pip's requirements.txt) requires has to be installed, too; may be repeated
    #[arg(long, value_name = "FILE")]
    pub requirements: Vec<PathBuf>,
    /// Options of reading images
    #[command(flatten)]
    pub read: ReadArgs,
    /// Options of the report
    #[command(flatten)]
    pub output: OutputArgs,
}
