//! What an image says about its source: labels, environment variables, provenance. None of it is evidence; each claim
//! is held against the contents and never decides anything.

mod names;
mod provenance;

use crate::image::ImageConfig;
use crate::mapping::history;
use crate::repo::Commit;

pub use provenance::{Statement, from_statement};

/// What a claim is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// The commit that was built.
    Revision,
    /// The repository that it is from.
    Repository,
    /// A version of the software.
    Version,
    /// When it was built.
    Created,
}

impl Meaning {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Revision => "revision",
            Self::Repository => "repository",
            Self::Version => "version",
            Self::Created => "created",
        }
    }
}

/// Something that an image says about its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Where it says so: `label org.opencontainers.image.revision`, `env GIT_COMMIT`.
    pub source: String,
    /// What it is about.
    pub meaning: Meaning,
    /// What it says.
    pub value: String,
    /// Whether the base image says it, about its own source.
    pub inherited: bool,
}

/// A claim, held against the contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What is said.
    pub claim: Claim,
    /// The commit that it names, if it names one of the repository's.
    pub commit: Option<Commit>,
    /// Whether the contents are what it says; `None` where that cannot be told.
    pub agrees: Option<bool>,
    /// Why.
    pub note: String,
}

/// The claims in the configuration of an image: labels first, by name, then variables, in their order.
///
/// `own_from` is the position in the history of the first step that is known not to be the base image's.
pub fn of_config(config: &ImageConfig, own_from: Option<usize>) -> Vec<Claim> {
    let base = own_from.and_then(|first| end_of_base(config, first));
    let claim = |kind: &str, instruction: &str, name: &str, value: &str, meaning| Claim {
        source: format!("{kind} {name}"),
        meaning,
        value: value.to_owned(),
        inherited: base.is_some_and(|end| set_by(config, instruction, name).is_some_and(|step| step <= end)),
    };
    let labels = config.labels();
    let labels = labels.iter().filter_map(|(name, value)| {
        Some(claim("label", "LABEL", name, value, names::of_label(name)?)).filter(is_worth_judging)
    });
    let variables = config.env().filter_map(|(name, value)| {
        Some(claim("env", "ENV", name, value, names::of_variable(name)?)).filter(is_worth_judging)
    });
    labels.chain(variables).collect()
}

/// The claims in labels that are `whose`, as in `revision phase3-00042-abc`: deploying puts labels on what it makes.
pub fn of_labels<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>, whose: &str) -> Vec<Claim> {
    let claims = labels.filter_map(|(name, value)| {
        let source = format!("label {name}");
        let claim = Claim { source, meaning: names::of_label(name)?, value: value.to_owned(), inherited: false };
        is_worth_judging(&claim).then(|| Claim { source: format!("{} of {whose}", claim.source), ..claim })
    });
    claims.collect()
}

/// Words such as `commit` are used for all kinds of things; a commit's id is hexadecimal. A variable of the build that
/// was not set leaves nothing, and that is worth knowing of a name that means only one thing.
fn is_worth_judging(claim: &Claim) -> bool {
    let id = claim.value.strip_suffix(DIRTY).unwrap_or(&claim.value);
    let is_id = id.len() >= SHORTEST_ID && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    claim.meaning != Meaning::Revision || is_id || names::is_unmistakable(&claim.source)
}

/// What builds append to a commit's id when the work tree had changes (`git describe --dirty`).
pub const DIRTY: &str = "-dirty";

/// Digits of the shortest abbreviated id that git makes by itself.
const SHORTEST_ID: usize = 7;

/// The last entry of the base image's history. Where a Dockerfile's own entries begin is written nowhere; images that
/// others build upon mostly end in a `CMD` or an `ENTRYPOINT`, and whatever stands before that is theirs.
fn end_of_base(config: &ImageConfig, own_from: usize) -> Option<usize> {
    let ends = |text: &str| text.starts_with("CMD") || text.starts_with("ENTRYPOINT");
    config.history().iter().take(own_from).rposition(|entry| ends(&step(entry.created_by.as_deref())))
}

/// The last step of the history that sets `name` by `instruction`.
fn set_by(config: &ImageConfig, instruction: &str, name: &str) -> Option<usize> {
    config.history().iter().rposition(|entry| {
        let step = step(entry.created_by.as_deref());
        let words = step.strip_prefix(instruction).into_iter().flat_map(str::split_whitespace);
        let names = words.map(|word| word.trim_matches('"').split_once('=').map_or(word, |(name, _)| name));
        names.map(|found| found.trim_matches('"')).any(|found| found == name)
    })
}

fn step(created_by: Option<&str>) -> String {
    history::parse(created_by.unwrap_or_default()).text
}

#[cfg(test)]
mod tests;
