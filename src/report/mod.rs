//! Telling people and machines: one file a form, bytes out of a finished result.

mod containment;
mod deployed;
mod difference;
pub mod escape;
mod git_difference;
mod head;
mod identity;
mod images;
mod json;
mod layers;
mod listing;
mod matches;
mod preflight;
mod reasons;
mod text;
mod timeline;
mod unified;
mod upkeep;

use std::collections::BTreeMap;

use crate::error::Error;
use crate::image::Image;
use crate::mapping::history;
use crate::repo::Repository;
use crate::verify::Verification;

pub use containment::{containment_json, containment_text};
pub use deployed::{ContainerReport, RevisionReport, ServiceReport, deployed_json, deployed_text};
pub use difference::{Compared, ComparedImage, difference_json, difference_names, difference_text};
pub use git_difference::{git_difference_text, git_differences_text};
pub use identity::{identity_json, identity_text};
pub use images::{VerifiedImage, images_json, images_text, overall};
pub use json::{OneImage, failure_json, unknown_json, verification_json};
pub use layers::{LayerRow, layers_in_history_text, layers_json, layers_text};
pub use listing::{ListedEntry, listing_json, listing_text};
pub use matches::{MatchStyle, Matches, SearchedFile, matches_json, matches_text};
pub use preflight::{preflight_json, preflight_text};
pub use text::{error_text, verification_text};
pub use upkeep::{Upkeep, upkeep_json, upkeep_text};

/// How much to say, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// How much.
    pub detail: Detail,
    /// Whether escape sequences may be used.
    pub colored: bool,
}

/// How much to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The verdict and what differs.
    Quiet,
    /// What a reader needs to believe it.
    Normal,
    /// Every file, and what was noticed on the way.
    Verbose,
}

impl Detail {
    /// What `--quiet` and `--verbose` ask for.
    pub fn of(quiet: bool, verbose: bool) -> Self {
        match (quiet, verbose) {
            (true, _) => Self::Quiet,
            (_, true) => Self::Verbose,
            _ => Self::Normal,
        }
    }
}

/// What was asked, for reports of an answer or of its absence.
#[derive(Clone, Debug)]
pub struct Question {
    /// The image, as asked.
    pub reference: String,
    /// The revision, as asked; `None` for the work tree.
    pub revision: Option<String>,
}

/// A finished answer with what its reports need.
pub struct Answer<'a> {
    /// What was asked.
    pub question: &'a Question,
    /// The repository.
    pub repository: &'a Repository,
    /// What came of it.
    pub verification: &'a Verification,
}

impl Answer<'_> {
    /// How many findings of each status there are, by the status's name.
    fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for finding in self.verification.findings() {
            *counts.entry(finding.status.name()).or_default() += 1;
        }
        counts
    }
}

/// The build step of a layer, for people; `None` when it is not known.
pub fn step_of(image: &Image, layer: usize) -> Option<String> {
    let step = image.layers.get(layer)?.step.as_ref()?;
    Some(history::parse(&step.created_by).text)
}

/// Lines, each with its end.
fn text_of(lines: &[String]) -> Vec<u8> {
    let mut text = lines.join("\n");
    text.push('\n');
    text.into_bytes()
}

/// What kind of failure, what happened, and what to do next.
fn failure(error: &Error) -> (&'static str, String, Option<String>) {
    (error.kind(), error.chain(), error.hint())
}
