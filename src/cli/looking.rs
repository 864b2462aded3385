//! What may be typed to look inside of images beyond single files.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::{CompareArgs, OutputArgs, ReadArgs};

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

/// `shipproof grep`
#[derive(Debug, Args)]
pub struct Grep {
    /// The image
    pub image: String,
    /// A regular expression, as ripgrep has it
    pub pattern: String,
    /// Files to search (all when none is named): an absolute image path, the end of a path (every copy in the image),
    /// or a glob; a directory means everything below it; - reads a list from standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<OsString>,
    /// Options of the search
    #[command(flatten)]
    pub search: SearchArgs,
    /// Options of reading images
    #[command(flatten)]
    pub read: ReadArgs,
    /// Options of the report
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `shipproof diff`
#[derive(Debug, Args)]
pub struct Diff {
    /// The image
    pub image: String,
    /// Another image to compare it with, for the same platform, if the first of these has a transport, a tag or a digest
    /// (`HOST/NAME:TAG`); then files to compare (all when none is named), named as in `verify` against git, and as in
    /// `ls` against an image; - reads a list from standard input
    #[arg(value_name = "OTHER|FILE")]
    pub others: Vec<OsString>,
    /// Print the paths that differ, and nothing else
    #[arg(long)]
    pub name_only: bool,
    /// Lines to print of each file that changed
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub max_diff_lines: usize,
    /// Options of the comparison with git
    #[command(flatten)]
    pub compare: CompareArgs,
    /// Options of reading images
    #[command(flatten)]
    pub read: ReadArgs,
    /// Options of the report
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Flags of `grep`, as everyone knows them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Search")]
pub struct SearchArgs {
    /// Letters match in either case
    #[arg(short, long)]
    pub ignore_case: bool,
    /// The pattern is plain text
    #[arg(short = 'F', long)]
    pub fixed_strings: bool,
    /// Only whole words match
    #[arg(short, long)]
    pub word_regexp: bool,
    /// Print the paths of files that match, and nothing else
    #[arg(short = 'l', long, conflicts_with = "count")]
    pub files_with_matches: bool,
    /// Print how many lines of each file match, and no lines
    #[arg(short, long)]
    pub count: bool,
    /// Print line numbers (the default)
    #[arg(short = 'n', long)]
    pub line_number: bool,
    /// Print no line numbers
    #[arg(short = 'N', long, conflicts_with = "line_number")]
    pub no_line_number: bool,
    /// Lines to print after each match
    #[arg(short = 'A', long, value_name = "N")]
    pub after_context: Option<usize>,
    /// Lines to print before each match
    #[arg(short = 'B', long, value_name = "N")]
    pub before_context: Option<usize>,
    /// Lines to print before and after each match
    #[arg(short = 'C', long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub context: usize,
}
