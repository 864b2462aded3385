//! What may be typed to look inside of images beyond single files.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::{OutputArgs, ReadArgs};

/// `shipproof extract`
#[derive(Debug, Args)]
pub struct Extract {
    /// The image
    pub image: String,
    /// Files to write: an absolute image path, the end of a path (every copy in the image), or a glob; a directory
    /// comes with everything below it, a link with what it leads to; - reads a list from standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<OsString>,
    /// The directory to write to, as in DIR/app/main.py; it is made if it is missing
    #[arg(short = 'o', long = "directory", value_name = "DIR")]
    pub directory: PathBuf,
    /// Overwrite files and links that are there already
    #[arg(long)]
    pub force: bool,
    /// Options of reading images
    #[command(flatten)]
    pub read: ReadArgs,
    /// Options of the report
    #[command(flatten)]
    pub output: OutputArgs,
}
