//! What may be typed to look at what is deployed.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{CompareArgs, ConfigArgs, OutputArgs, ReadArgs};

/// `shipproof deployed`
#[derive(Debug, Args)]
pub struct Deployed {
    /// The services, by their names in Cloud Run; jobs/NAME for a job
    #[arg(value_name = "SERVICE", required_unless_present = "all", conflicts_with = "all")]
    pub services: Vec<String>,
    /// Look at all services of the configuration file or, without one, of the project and region
    #[arg(long, conflicts_with_all = ["maps", "dockerfile", "context"])]
    pub all: bool,
    /// Where they are
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Take what `gcloud run … describe --format json` (or `list`) printed from this file instead of asking Cloud Run; -
    /// is standard input; may be repeated, for services and for revisions
    #[arg(long = "service-json", value_name = "FILE", conflicts_with_all = ["project", "region", "wait"])]
    pub documents: Vec<PathBuf>,
    /// Wait until a deployment that is under way has ended, at most so long
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "600")]
    pub wait: Option<u64>,
    /// Wait, too, until this is the newest revision
    #[arg(long, value_name = "REVISION", requires = "wait", conflicts_with = "all")]
    pub expect_revision: Option<String>,
    /// Look at the documents, too, that the services of the configuration file write
    #[arg(long)]
    pub evidence: bool,
    /// Look at them again after so many minutes, and tell what grew
    #[arg(long, value_name = "MINUTES", requires = "evidence", value_parser = minutes)]
    pub watch: Option<Duration>,
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

fn minutes(text: &str) -> Result<Duration, String> {
    const DAY: f64 = 24.0 * 60.0;
    let minutes: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match minutes > 0.0 && minutes <= DAY {
        true => Ok(Duration::from_secs_f64(minutes * 60.0)),
        false => Err("not more than nothing and at most a day, 1440".to_owned()),
    }
}

/// `shipproof init`
#[derive(Debug, Args)]
pub struct Init {
    /// The git repository [default: .]
    #[arg(long, value_name = "DIR")]
    pub repo: Option<PathBuf>,
    /// The file to write [default: shipproof.toml at the top of the repository]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Overwrite it
    #[arg(long)]
    pub force: bool,
    /// Where to look for services
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Where services are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cloud Run")]
pub struct PlaceArgs {
    /// The project [default: that of the configuration file, the environment, gcloud, or this machine]
    #[arg(long, value_name = "PROJECT")]
    pub project: Option<String>,
    /// The region [default: likewise]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
}
