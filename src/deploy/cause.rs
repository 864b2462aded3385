//! From what Cloud Run says and what the images hold to a verdict and its causes. Pure.

mod delivery;
mod images;

use crate::digest::Digest;

use super::firestore::Watched;
use super::observe::{Observed, Serving};
use super::service::Revision;
use delivery::{delivery, share};
use images::{any_content, images, labels, service_labels};

/// Whether what is served is what git says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is.
    Match,
    /// Nobody can tell.
    Unknown,
    /// It is not, or only in part.
    Mismatch,
}

impl Verdict {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Unknown => "unknown",
            Self::Mismatch => "mismatch",
        }
    }
}

/// Why something else is served than was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseKind {
    /// The newest revision did not come up.
    StartupFailed,
    /// The newest revision is being brought up.
    StillReconciling,
    /// The traffic is bound to a revision, and a newer one gets none of it.
    TrafficPinned,
    /// The newest revision was deployed without traffic.
    NoTraffic,
    /// The image is not in the registry any more.
    ImageDeleted,
    /// The tag that was deployed means another image today.
    TagMoved,
    /// The newest revision runs the image of the one before.
    ImageUnchanged,
    /// The image does not hold what git says.
    ImageContent,
    /// A label names a commit that the image is not.
    LabelWrong,
    /// The documents that the service writes are wrong.
    Evidence,
}

impl CauseKind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::StartupFailed => "startup-failed",
            Self::StillReconciling => "still-reconciling",
            Self::TrafficPinned => "traffic-pinned",
            Self::NoTraffic => "no-traffic",
            Self::ImageDeleted => "image-deleted",
            Self::TagMoved => "tag-moved",
            Self::ImageUnchanged => "image-unchanged",
            Self::ImageContent => "image-content",
            Self::LabelWrong => "label-wrong",
            Self::Evidence => "evidence",
        }
    }
}

/// A cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What went wrong.
    pub kind: CauseKind,
    /// The same in a sentence.
    pub summary: String,
    /// What speaks for it.
    pub evidence: Vec<String>,
    /// What to do next, a command where there is one.
    pub hint: String,
}

/// What an image was found to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// What git says.
    Agrees,
    /// Something else.
    Differs {
        /// What, and why, as `verify` has it.
        summary: String,
        /// What to do next, likewise.
        hint: String,
    },
    /// It is not in the registry any more.
    Deleted,
    /// Nobody can tell, for this reason.
    Unknown(String),
}

/// What was found out about the image of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// What it holds.
    pub content: Content,
    /// Labels of the revision that name a commit which it is not, and why.
    pub wrong_labels: Vec<String>,
    /// What the tag that was deployed means today, if that is another image.
    pub moved_to: Option<Digest>,
    /// Why it cannot start, as far as looking at it tells.
    pub obstacles: Vec<String>,
}

/// Everything that is known of one service.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What Cloud Run says.
    pub observed: &'a Observed,
    /// The images of the revisions that serve, in their order.
    pub serving: &'a [Looked],
    /// The image of the newest revision, where it serves nothing.
    pub latest: Option<&'a Looked>,
    /// What git says, in a word: the revision that was asked for.
    pub wanted: &'a str,
    /// The region, for commands.
    pub region: Option<&'a str>,
}

/// A verdict with its causes, the one that explains most first, and what else is worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether what is served is what git says.
    pub verdict: Verdict,
    /// Why not.
    pub causes: Vec<Cause>,
    /// What does not change the verdict.
    pub notes: Vec<String>,
}

impl Judgement {
    /// Takes into account that the documents, which were to be looked at, could not be.
    pub fn miss(&mut self, reason: &str) {
        self.verdict = self.verdict.max(Verdict::Unknown);
        self.notes.push(format!("the documents could not be looked at: {reason}"));
    }

    /// Takes into account what the documents say that the service writes.
    pub fn hear(&mut self, documents: &[Watched]) {
        let signs: Vec<String> = documents.iter().flat_map(Watched::signs).collect();
        let Some(first) = documents.iter().find(|watched| !watched.signs().is_empty()) else { return };
        self.verdict = Verdict::Mismatch;
        self.causes.push(Cause {
            kind: CauseKind::Evidence,
            summary: format!("wrong documents are being written to {}", first.first.collection),
            evidence: signs,
            hint: "look at what makes these ids; the documents tell what runs, whatever labels say".to_owned(),
        });
    }
}

/// Judges a service.
pub fn judge(facts: &Facts<'_>) -> Judgement {
    let mut causes: Vec<Cause> = [delivery(facts), share(facts)].into_iter().flatten().collect();
    causes.extend(images(facts));
    causes.extend(labels(facts));
    let verdict = verdict(facts);
    if causes.is_empty() && verdict == Verdict::Mismatch {
        causes.extend(any_content(facts));
    }
    let mut notes = service_labels(facts);
    notes.extend(facts.observed.serving.iter().zip(facts.serving).filter_map(
        |(serving, looked)| match &looked.content {
            Content::Unknown(reason) => Some(format!("what {} holds is not known: {reason}", serving.revision.name)),
            _ => None,
        },
    ));
    if verdict == Verdict::Match {
        notes.extend(causes.drain(..).map(|cause| format!("{}: {}", cause.kind.name(), cause.summary)));
    }
    Judgement { verdict, causes, notes }
}

fn verdict(facts: &Facts<'_>) -> Verdict {
    let contents = facts.serving.iter().map(|looked| match looked.content {
        Content::Agrees => Verdict::Match,
        Content::Differs { .. } => Verdict::Mismatch,
        Content::Deleted | Content::Unknown(_) => Verdict::Unknown,
    });
    // Whatever git says, a service that serves nothing does not serve it.
    contents.max().unwrap_or(Verdict::Mismatch)
}

impl Facts<'_> {
    fn name(&self) -> &str {
        &self.observed.service.name
    }

    /// A command of gcloud's for the service.
    fn command(&self, verb: &str, flags: &str) -> String {
        let region = self.region.map(|region| format!(" --region {region}")).unwrap_or_default();
        let collection = self.observed.service.kind.collection();
        format!(
            "gcloud run {collection} {verb} {}{}{flags}{region}",
            self.name(),
            if flags.is_empty() { "" } else { " " }
        )
    }

    /// What the traffic goes to, in words.
    fn stayed(&self) -> String {
        match self.observed.serving.as_slice() {
            [] => "nothing serves".to_owned(),
            [only] => format!("{} serves", only.revision.name),
            several => {
                let names: Vec<&str> = several.iter().map(|one| one.revision.name.as_str()).collect();
                format!("{} serve", names.join(" and "))
            }
        }
    }

    /// The revision that was deployed last, and what its image holds.
    fn newest(&self) -> Option<(&Revision, &Looked)> {
        match (&self.observed.latest, self.latest) {
            (Some(revision), Some(looked)) => Some((revision, looked)),
            (Some(_), None) => None,
            (None, _) => {
                let newest = self.observed.service.latest_created.as_deref();
                let is_newest = |one: &&(&Serving, &Looked)| newest.is_none_or(|name| one.0.revision.name == name);
                let both: Vec<(&Serving, &Looked)> = self.observed.serving.iter().zip(self.serving).collect();
                both.iter().find(is_newest).or(both.first()).map(|(serving, looked)| (&serving.revision, *looked))
            }
        }
    }
}
