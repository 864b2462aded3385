//! What may be typed to look after the cache.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::limits;

use super::OutputArgs;

/// `shipproof cache`
#[derive(Debug, Subcommand)]
pub enum Cache {
    /// Say where it is and how much it holds
    Info(CacheUpkeep),
    /// Remove what was used longest ago until no more is left than --cache-size allows
    Prune(CacheUpkeep),
    /// Remove everything
    Clear(CacheUpkeep),
}

impl Cache {
    /// The options, which all of them have.
    pub fn options(&self) -> &CacheUpkeep {
        match self {
            Self::Info(options) | Self::Prune(options) | Self::Clear(options) => options,
        }
    }
}

/// Options of what is done with the cache.
#[derive(Debug, Args)]
pub struct CacheUpkeep {
    /// The cache
    #[command(flatten)]
    pub cache: CacheArgs,
    /// Options of the report
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The cache.
#[derive(Clone, Debug, Args)]
pub struct CacheArgs {
    /// Where the indexes of layers are kept [default: shipproof in the user's folder for caches]
    #[arg(long, value_name = "DIR", env = "SHIPPROOF_CACHE_DIR", hide_env_values = true)]
    pub cache_dir: Option<PathBuf>,
    /// MiB that they may take up
    #[arg(long, value_name = "MIB", default_value_t = limits::CACHE_BYTES >> 20)]
    pub cache_size: u64,
}
