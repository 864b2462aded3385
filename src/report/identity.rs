//! Which commits an image and its layers equal, for people and for programs.

use serde::Serialize;

use crate::count::counted;
use crate::identify::{Identity, LayerIdentity, Placed, Relation};
use crate::image::Image;
use crate::verify::PlatformResult;

use super::escape::{escape, escape_bytes};
use super::head::Head;
use super::json::{Path, to_bytes};
use super::reasons::commit_words;
use super::{Answer, Detail, Style, step_of, text_of};

/// Files listed before the rest is counted.
const MOST_UNMATCHED: usize = 20;

/// A commit in reports.
#[derive(Serialize)]
pub(super) struct PlacedReport<'a> {
    id: &'a str,
    short: &'a str,
    subject: &'a str,
    time: &'a str,
    name: &'a str,
    behind: Option<usize>,
    ahead: Option<usize>,
}

impl<'a> PlacedReport<'a> {
    fn new(placed: &'a Placed) -> Self {
        let (behind, ahead) = match placed.relation {
            Relation::Asked => (Some(0), None),
            Relation::Behind(count) => (Some(count), None),
            Relation::Ahead(count) => (None, Some(count)),
            Relation::Apart => (None, None),
        };
        let commit = &placed.commit;
        Self {
            id: &commit.id,
            short: &commit.short,
            subject: &commit.subject,
            time: &commit.time,
            name: &placed.name,
            behind,
            ahead,
        }
    }
}

/// How a set of files fits.
#[derive(Serialize)]
pub(super) struct FitReport<'a> {
    r#match: &'static str,
    compared: usize,
    matched: usize,
    newest: Option<PlacedReport<'a>>,
    oldest: Option<PlacedReport<'a>>,
    /// Further runs of commits that fit as well.
    rivals: usize,
}

impl<'a> FitReport<'a> {
    pub(super) fn new(identity: &'a Identity) -> Self {
        let commits = identity.commits.as_ref();
        Self {
            r#match: identity.fit().name(),
            compared: identity.compared,
            matched: identity.matched,
            newest: commits.map(|range| PlacedReport::new(&range.newest)),
            oldest: commits.map(|range| PlacedReport::new(&range.oldest)),
            rivals: identity.rivals,
        }
    }
}

#[derive(Serialize)]
struct LayerFit<'a> {
    index: usize,
    digest: String,
    step: Option<String>,
    #[serde(flatten)]
    fit: FitReport<'a>,
}

/// The image of one platform and its layers.
#[derive(Serialize)]
pub(super) struct IdentityReport<'a> {
    platform: String,
    #[serde(flatten)]
    fit: FitReport<'a>,
    layers: Vec<LayerFit<'a>>,
    unmatched: Vec<Path>,
}

impl<'a> IdentityReport<'a> {
    /// `None` where history was not looked at.
    pub(super) fn new(result: &'a PlatformResult) -> Option<Self> {
        let identity = result.identity.as_ref()?;
        let layer = |layer: &'a LayerIdentity| LayerFit {
            index: layer.layer,
            digest: result.image.layers.get(layer.layer).map(|layer| layer.digest().to_string()).unwrap_or_default(),
            step: step_of(&result.image, layer.layer),
            fit: FitReport::new(&layer.identity),
        };
        Some(Self {
            platform: result.image.platform.to_string(),
            fit: FitReport::new(identity),
            layers: result.layers.iter().map(layer).collect(),
            unmatched: identity.unmatched.iter().map(|path| Path::new(path.as_bytes())).collect(),
        })
    }
}

/// Where a commit stands to the revision, in words.
fn relation(relation: Relation) -> String {
    match relation {
        Relation::Asked => "the revision".to_owned(),
        Relation::Behind(count) => format!("{} behind", counted(count, "commit")),
        Relation::Ahead(count) => format!("{} ahead", counted(count, "commit")),
        Relation::Apart => "not in its history".to_owned(),
    }
}

/// What a set of files is, in a few words: `e15739c, 9 commits behind`, or how many of them fit the best commit.
pub(super) fn summary(identity: &Identity) -> String {
    let Some(range) = &identity.commits else {
        return format!("0 of {} in any commit", counted(identity.compared, "file"));
    };
    let newest = &range.newest;
    let place = match newest.relation {
        Relation::Asked => newest.commit.short.clone(),
        other => format!("{}, {}", newest.commit.short, relation(other)),
    };
    match identity.exact() {
        Some(_) => place,
        None => format!("{} of {} as in {place}", identity.matched, counted(identity.compared, "file")),
    }
}

/// The layers that brought files, one a line: position, commit, build step.
pub(super) fn layer_lines(image: &Image, layers: &[LayerIdentity]) -> Vec<String> {
    let summaries: Vec<String> = layers.iter().map(|layer| summary(&layer.identity)).collect();
    let width = summaries.iter().map(|summary| summary.chars().count()).max().unwrap_or_default();
    let line = |(layer, summary): (&LayerIdentity, &String)| {
        let step = step_of(image, layer.layer).unwrap_or_else(|| "step unknown".to_owned());
        format!("  {:>3}  {summary:<width$}  {}", layer.layer, escape(&step))
    };
    layers.iter().zip(&summaries).map(line).collect()
}

/// The commits of an image, for people.
pub fn identity_text(answer: &Answer<'_>, style: Style) -> Vec<u8> {
    let verification = answer.verification;
    let mut lines = Vec::new();
    for result in &verification.platforms {
        let Some(identity) = &result.identity else { continue };
        lines.push(format!("{}: {}", identity.fit().name(), summary(identity)));
        if style.detail == Detail::Quiet {
            continue;
        }
        lines.push(String::new());
        lines.push(format!("image     {}", escape(&answer.question.reference)));
        lines.push(format!("pinned    {}", escape(&verification.opened.pinned)));
        lines.push(format!("platform  {}", escape(&result.image.platform.to_string())));
        lines.extend(range_lines(identity));
        lines.extend(unmatched_lines(identity, style.detail));
        let layers = layer_lines(&result.image, &result.layers);
        if !layers.is_empty() {
            lines.extend([String::new(), "layers".to_owned()]);
            lines.extend(layers);
        }
    }
    if style.detail != Detail::Quiet {
        lines.extend(verification.warnings().iter().map(|warning| format!("\nnote: {}", escape(warning))));
    }
    text_of(&lines)
}

fn range_lines(identity: &Identity) -> Vec<String> {
    let Some(range) = &identity.commits else { return Vec::new() };
    let named = |placed: &Placed| match placed.name == placed.commit.short {
        true => commit_words(&placed.commit),
        false => format!("{}  {}", commit_words(&placed.commit), escape(&placed.name)),
    };
    let mut lines = vec![format!("newest    {}", named(&range.newest))];
    if range.oldest.commit.id != range.newest.commit.id {
        lines.push(format!("oldest    {}", named(&range.oldest)));
    }
    lines.push(format!("files     {} of {} the same", identity.matched, identity.compared));
    if identity.rivals > 0 {
        let fit = if identity.rivals == 1 { "fits" } else { "fit" };
        lines.push(format!("also      {} of commits {fit} as well", counted(identity.rivals, "further run")));
    }
    lines
}

fn unmatched_lines(identity: &Identity, detail: Detail) -> Vec<String> {
    let most = if detail == Detail::Verbose { usize::MAX } else { MOST_UNMATCHED };
    let shown = identity.unmatched.iter().take(most);
    let mut lines: Vec<String> = shown.map(|path| format!("differs   {}", escape_bytes(path.as_bytes()))).collect();
    let rest = identity.unmatched.len().saturating_sub(most);
    lines.extend((rest > 0).then(|| format!("and {rest} more (--verbose lists them)")));
    lines
}

/// The same for programs. The fields of the first platform stand at the top, as most images have no other.
pub fn identity_json(answer: &Answer<'_>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Report<'a> {
        #[serde(flatten)]
        head: Head<'a>,
        #[serde(flatten)]
        first: Option<IdentityReport<'a>>,
        others: Vec<IdentityReport<'a>>,
        warnings: Vec<String>,
        error: Option<()>,
    }
    let mut identities = answer.verification.platforms.iter().filter_map(IdentityReport::new);
    let first = identities.next();
    let (others, warnings) = (identities.collect(), answer.verification.warnings());
    to_bytes(&Report { head: Head::new(answer), first, others, warnings, error: None })
}
