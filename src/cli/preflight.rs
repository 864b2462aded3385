//! What may be typed to ask whether an image will start.

use std::path::PathBuf;

use clap::Args;

use super::{OutputArgs, ReadArgs};

/// `shipproof preflight`
#[derive(Debug, Args)]
pub struct Preflight {
    /// The image
    pub image: String,
    /// A requirements file that is not in the image, such as the repository's; may be repeated
    #[arg(long = "requirements", value_name = "FILE")]
    pub requirements: Vec<PathBuf>,
    /// Options of reading images
    #[command(flatten)]
    pub read: ReadArgs,
    /// Options of the report
    #[command(flatten)]
    pub output: OutputArgs,
}
