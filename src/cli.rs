//! What may be typed. Doc comments are the help text; every check that spans several flags lives in `commands`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::limits;
use crate::platform::Platform;
use crate::report::Detail;

mod deployed;
mod looking;
mod preflight;
mod upkeep;

pub use deployed::{Deployed, Init, PlaceArgs};
pub use looking::{Diff, Extract, Grep, SearchArgs};
pub use preflight::Preflight;
pub use upkeep::{Cache, CacheArgs, CacheUpkeep};

const AFTER_HELP: &str = "\
IMAGE is [docker://]HOST/NAME[:TAG][@DIGEST], oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:TAG]
or docker-daemon:NAME[:TAG].

Exit status: 0 agrees, 1 differs, 2 could not tell.";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "shipproof",
    version,
    max_term_width = 100,
    about = "Proves what code a container image holds, by comparing its files with the git tree, byte for byte",
    after_help = AFTER_HELP
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Command {
    /// Options of the report, where there is one.
    pub fn output(&self) -> Option<&OutputArgs> {
        match self {
            Self::Verify(args) => Some(&args.output),
            Self::Identify(args) => Some(&args.output),
            Self::Contains(args) => Some(&args.output),
            Self::Deployed(args) => Some(&args.output),
            Self::Cat(_) | Self::Init(_) => None,
            Self::Ls(args) => Some(&args.output),
            Self::Grep(args) => Some(&args.output),
            Self::Extract(args) => Some(&args.output),
            Self::Diff(args) => Some(&args.output),
            Self::Layers(args) => Some(&args.output),
            Self::Preflight(args) => Some(&args.output),
            Self::Cache(args) => Some(&args.options().output),
        }
    }

    /// How much to say on standard error.
    pub fn detail(&self) -> Detail {
        match self {
            Self::Cat(args) => Detail::of(args.quiet, args.verbose),
            _ => self.output().map_or(Detail::Normal, OutputArgs::detail),
        }
    }

    /// Options of reading images, where one is read.
    pub fn read(&self) -> Option<&ReadArgs> {
        match self {
            Self::Verify(args) => Some(&args.read),
            Self::Identify(args) => Some(&args.read),
            Self::Contains(args) => Some(&args.read),
            Self::Deployed(args) => Some(&args.read),
            Self::Cat(args) => Some(&args.read),
            Self::Ls(args) => Some(&args.read),
            Self::Grep(args) => Some(&args.read),
            Self::Extract(args) => Some(&args.read),
            Self::Diff(args) => Some(&args.read),
            Self::Layers(args) => Some(&args.read),
            Self::Preflight(args) => Some(&args.read),
            Self::Cache(_) | Self::Init(_) => None,
        }
    }
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check that the image holds the files that git says
    Verify(Verify),
    /// Find the commit, or the range of commits, that the image's files equal, and those of each layer
    Identify(Identify),
    /// Check that the change of a commit is in the image
    Contains(Contains),
    /// Write a first configuration file, from the Dockerfiles of the repository and the services of the project
    Init(Init),
    /// Check that what Cloud Run serves holds the files that git says
    Deployed(Deployed),
    /// Check, without running it, that the image will start: its program, modules, packages and port
    Preflight(Preflight),
    /// Print files of the image
    Cat(Cat),
    /// List files of the image
    Ls(Ls),
    /// Search the files of the image for a pattern
    Grep(Grep),
    /// Write files of the image into a directory
    Extract(Extract),
    /// Print how the image's files differ from git's, or from another image's
    Diff(Diff),
    /// List the layers of the image and the build steps that made them
    Layers(Layers),
    /// Look at what is kept of images that were read, or remove it
    #[command(subcommand)]
    Cache(Cache),
}

/// `shipproof verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// The image
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub image: Option<String>,
    /// Files to check (all mapped files when none is named): a bare name (every copy in the image), a repository
    /// path, an absolute image path, or a glob; - reads a list from standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<OsString>,
    /// Check the images of all services of the configuration file
    #[arg(long, conflicts_with_all = ["maps", "dockerfile", "context", "diff"])]
    pub all: bool,
    /// Print the lines that differ, too
    #[arg(long)]
    pub diff: bool,
    /// Lines to print of each file that differs
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub max_diff_lines: usize,
    /// The configuration file
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Options of the comparison
    #[command(flatten)]
    pub compare: CompareArgs,
    /// Options of reading images
    #[command(flatten)]
    pub read: ReadArgs,
    /// Options of the report
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `shipproof identify`
#[derive(Debug, Args)]
pub struct Identify {
    /// The image
    pub image: String,
    /// Files to look at (all mapped ones when none is named), named as in `verify`
    #[arg(value_name = "FILE")]
    pub files: Vec<OsString>,
    /// Options of the comparison
    #[command(flatten)]
    pub compare: CompareArgs,
    /// Options of reading images
    #[command(flatten)]
    pub read: ReadArgs,
    /// Options of the report
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `shipproof contains`
#[derive(Debug, Args)]
pub struct Contains {
    /// The image
    pub image: String,
    /// The commit whose change is looked for; of a merge, what it brought to its first parent
    #[arg(value_name = "COMMIT")]
    pub commit: String,
    /// Options of the comparison
    #[command(flatten)]
    pub compare: CompareArgs,
    /// Options of reading images
    #[command(flatten)]
    pub read: ReadArgs,
    /// Options of the report
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `shipproof cat`
#[derive(Debug, Args)]
pub struct Cat {
    /// The image
    pub image: String,
    /// Files to print: an absolute image path, or a bare name if only one file has it
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<OsString>,
    /// Say nothing on standard error but errors
    #[arg(long, short, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say which layers were read
    #[arg(long, short)]
    pub verbose: bool,
    /// Options of reading images
    #[command(flatten)]
    pub read: ReadArgs,
}

/// `shipproof ls`
#[derive(Debug, Args)]
pub struct Ls {
    /// The image
    pub image: String,
    /// The directory to list, with everything below it
    #[arg(value_name = "DIR", default_value = "/")]
    pub directory: OsString,
    /// Options of reading images
    #[command(flatten)]
    pub read: ReadArgs,
    /// Options of the report
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `shipproof layers`
#[derive(Debug, Args)]
pub struct Layers {
    /// The image
    pub image: String,
    /// Options of the comparison; inside a repository whose files the image has, it is told which commits they are
    #[command(flatten)]
    pub compare: CompareArgs,
    /// Options of reading images
    #[command(flatten)]
    pub read: ReadArgs,
    /// Options of the report
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Flags of all commands that read the configuration file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// The configuration file [default: shipproof.toml at the top of the repository, if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Flags of all commands that compare.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Comparison")]
pub struct CompareArgs {
    /// The git repository [default: .]
    #[arg(long, value_name = "DIR")]
    pub repo: Option<PathBuf>,
    /// The revision to compare with
    #[arg(long, value_name = "REV", default_value = "HEAD", conflicts_with = "worktree")]
    pub rev: String,
    /// Compare with the work tree as it is on disk, instead of with a revision
    #[arg(long)]
    pub worktree: bool,
    /// An image directory that holds a repository directory (. is the top); may be repeated
    #[arg(long = "map", value_name = "IMAGE_DIR=REPO_DIR")]
    pub maps: Vec<String>,
    /// The Dockerfile that built the image; it says what was copied where
    #[arg(long, value_name = "FILE", conflicts_with = "maps")]
    pub dockerfile: Option<PathBuf>,
    /// The directory of the repository that was the build context
    #[arg(long, value_name = "DIR", conflicts_with = "maps")]
    pub context: Option<String>,
    /// Take layers with a table of contents (eStargz, zstd:chunked) by that table, without reading them. Runtimes mostly
    /// unpack the tar beside it: the answer is the builder's word then, and proves nothing of what runs
    #[arg(long)]
    pub trust_toc: bool,
    /// Let file modes and untracked files count too
    #[arg(long)]
    pub strict: bool,
}

/// Flags of all commands that read images.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Reading images")]
pub struct ReadArgs {
    /// Look at this platform only; may be repeated [default: all, or linux/amd64 where one is enough]
    #[arg(long = "platform", value_name = "OS/ARCH[/VARIANT]")]
    pub platforms: Vec<Platform>,
    /// Speak http with the registry (registries on this machine need no flag)
    #[arg(long, conflicts_with_all = ["ca_file", "insecure_skip_tls_verify"])]
    pub plain_http: bool,
    /// Trust the certificate authorities in this PEM file, too
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Accept any certificate of the registry
    #[arg(long)]
    pub insecure_skip_tls_verify: bool,
    /// Take credentials from this file only (the format of docker's config.json)
    #[arg(long, value_name = "FILE")]
    pub auth_file: Option<PathBuf>,
    /// Read every layer anew, and keep nothing
    #[arg(long)]
    pub no_cache: bool,
    /// The cache
    #[command(flatten)]
    pub cache: CacheArgs,
    /// Seconds without data after which a connection counts as broken
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    /// Layers read at once [default: the number of processors, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// MiB that the list of what the layers hold may take up, and again the one of the merged file system
    #[arg(long, value_name = "MIB", default_value_t = limits::INDEX_BYTES >> 20)]
    pub memory: usize,
}

/// Flags of all commands that report.
#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
pub struct OutputArgs {
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Print only the verdict and what differs
    #[arg(long, short, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print every file, and what was noticed on the way
    #[arg(long, short)]
    pub verbose: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

impl OutputArgs {
    /// How much to say.
    pub fn detail(&self) -> Detail {
        Detail::of(self.quiet, self.verbose)
    }
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
