//! What `cache` shows.

use std::path::Path;

use serde::Serialize;

use crate::cache::{Holdings, KindHoldings};
use crate::count::human_size;

use super::escape::escape;
use super::head::{SCHEMA_VERSION, Tool};
use super::json::to_bytes;

/// The cache, after what was done with it.
#[derive(Clone, Copy, Debug)]
pub struct Upkeep<'a> {
    /// Where it is.
    pub folder: &'a Path,
    /// Bytes that it may take up.
    pub most: u64,
    /// What it holds.
    pub holdings: &'a Holdings,
    /// Bytes that were removed; `None` where nothing was to be.
    pub removed: Option<u64>,
}

#[derive(Serialize)]
struct Report<'a> {
    schema_version: u32,
    tool: Tool,
    cache: CacheReport<'a>,
}

#[derive(Serialize)]
struct CacheReport<'a> {
    path: String,
    limit: u64,
    bytes: u64,
    unusable: u64,
    removed: Option<u64>,
    kinds: Vec<KindReport<'a>>,
}

#[derive(Serialize)]
struct KindReport<'a> {
    kind: &'a str,
    entries: usize,
    bytes: u64,
}

/// A line for each kind of entry, then the whole.
pub fn upkeep_text(upkeep: &Upkeep<'_>) -> Vec<u8> {
    let Holdings { kinds, bytes, unusable } = upkeep.holdings;
    let mut text = String::new();
    if let Some(removed) = upkeep.removed {
        text.push_str(&format!("removed {}\n", human_size(removed)));
    }
    for KindHoldings { kind, entries, bytes } in kinds {
        text.push_str(&format!("{:<20}  {entries:>6}  {:>10}\n", kind.name(), human_size(*bytes)));
    }
    if *unusable > 0 {
        text.push_str(&format!("of other versions             {:>10}\n", human_size(*unusable)));
    }
    let (all, most) = (human_size(bytes + unusable), human_size(upkeep.most));
    text.push_str(&format!("{all} of at most {most} in {}\n", escape(&upkeep.folder.to_string_lossy())));
    text.into_bytes()
}

/// The same for programs.
pub fn upkeep_json(upkeep: &Upkeep<'_>) -> Vec<u8> {
    let Holdings { kinds, bytes, unusable } = upkeep.holdings;
    let kinds =
        kinds.iter().map(|held| KindReport { kind: held.kind.name(), entries: held.entries, bytes: held.bytes });
    let cache = CacheReport {
        path: upkeep.folder.display().to_string(),
        limit: upkeep.most,
        bytes: *bytes,
        unusable: *unusable,
        removed: upkeep.removed,
        kinds: kinds.collect(),
    };
    to_bytes(&Report { schema_version: SCHEMA_VERSION, tool: Tool::OWN, cache })
}
