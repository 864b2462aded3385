//! From what Cloud Run says and what the images hold to a verdict and its causes. Pure.

use crate::digest::Digest;

use super::firestore::Watched;
use super::observe::{Observed, Serving};
use super::service::{Condition, Kind, Revision, Target};

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
    let mut notes = service_labels(facts);
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

/// Why the newest revision gets no traffic.
fn delivery(facts: &Facts<'_>) -> Option<Cause> {
    let latest = facts.observed.latest.as_ref()?;
    let service = &facts.observed.service;
    if let Some(failure) = latest.failure() {
        return Some(startup_failed(facts, latest, failure));
    }
    if !service.is_settled {
        let name = facts.name();
        return Some(Cause {
            kind: CauseKind::StillReconciling,
            summary: format!("{} is being brought up; until it is ready {}", latest.name, facts.stayed()),
            evidence: holds(facts, latest).into_iter().collect(),
            hint: format!("shipproof deployed {name} --wait"),
        });
    }
    let is_newest = |target: &Target| target.follows_latest || target.revision.as_ref() == Some(&latest.name);
    let silent = service.wanted.iter().chain(&service.traffic).any(|target| target.percent == 0 && is_newest(target));
    let (kind, how) = match silent {
        true => (CauseKind::NoTraffic, "was deployed without traffic"),
        false => (CauseKind::TrafficPinned, "gets no traffic, because all of it is bound to an older revision"),
    };
    let mut evidence: Vec<String> = holds(facts, latest).into_iter().collect();
    if kind == CauseKind::TrafficPinned {
        evidence.push("a rollback, a split or --no-traffic binds it, and later deployments keep that".to_owned());
    }
    Some(Cause {
        kind,
        summary: format!("{} {how}; {}", latest.name, facts.stayed()),
        evidence,
        hint: facts.command("update-traffic", "--to-latest"),
    })
}

fn startup_failed(facts: &Facts<'_>, latest: &Revision, failure: &Condition) -> Cause {
    let reason = failure.reason.as_deref().unwrap_or("no reason given");
    let mut evidence: Vec<String> = failure.message.iter().cloned().collect();
    evidence.extend(facts.latest.iter().flat_map(|looked| looked.obstacles.clone()));
    evidence.extend(holds(facts, latest));
    let logs = latest.logs.as_ref().map(|logs| format!(", or {logs}")).unwrap_or_default();
    let obstacle = facts.latest.is_some_and(|looked| !looked.obstacles.is_empty());
    let first = if obstacle { "mend what keeps the image from starting and deploy again; its " } else { "" };
    Cause {
        kind: CauseKind::StartupFailed,
        summary: format!("{} did not start ({reason}); {}", latest.name, facts.stayed()),
        evidence,
        hint: format!("{first}logs: {}{logs}", facts.command("logs read", "")),
    }
}

/// What the newest revision would serve.
fn holds(facts: &Facts<'_>, latest: &Revision) -> Option<String> {
    match &facts.latest?.content {
        Content::Agrees => Some(format!("the image of {} holds what {} says", latest.name, facts.wanted)),
        Content::Deleted => Some(format!("the image of {} is not in the registry", latest.name)),
        // Told as a cause of its own.
        Content::Differs { .. } => None,
        Content::Unknown(reason) => Some(format!("what the image of {} holds is not known: {reason}", latest.name)),
    }
}

/// A part of the traffic that is bound to an older revision while the rest goes to the newest one.
fn share(facts: &Facts<'_>) -> Option<Cause> {
    let both = || facts.observed.serving.iter().zip(facts.serving);
    let (_, newest) = facts.newest().filter(|_| facts.observed.latest.is_none())?;
    if facts.observed.serving.len() < 2 || newest.content != Content::Agrees {
        return None;
    }
    let stale = both().find(|(_, looked)| matches!(looked.content, Content::Differs { .. }))?;
    let Serving { percent, revision, .. } = stale.0;
    Some(Cause {
        kind: CauseKind::TrafficPinned,
        summary: format!("{percent} % of the traffic is bound to {}, an older revision", revision.name),
        evidence: vec!["every revision with traffic was looked at".to_owned()],
        hint: facts.command("update-traffic", "--to-latest"),
    })
}

/// Why the image that was deployed last is not what git says.
fn images(facts: &Facts<'_>) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (serving, looked) in facts.observed.serving.iter().zip(facts.serving) {
        if looked.content == Content::Deleted {
            causes.push(deleted(facts, &serving.revision));
        }
    }
    let Some((revision, looked)) = facts.newest() else { return causes };
    if let Content::Differs { summary, hint } = &looked.content {
        causes.extend(moved(facts, revision, looked));
        causes.extend(unchanged(facts, revision));
        causes.push(Cause {
            kind: CauseKind::ImageContent,
            summary: format!("the image of {} does not hold what {} says: {summary}", revision.name, facts.wanted),
            evidence: Vec::new(),
            hint: hint.clone(),
        });
    }
    causes
}

fn deleted(facts: &Facts<'_>, revision: &Revision) -> Cause {
    let image = revision.containers.first().map(|container| container.image.as_str()).unwrap_or_default();
    Cause {
        kind: CauseKind::ImageDeleted,
        summary: format!("{} runs {image}, which is not in the registry any more", revision.name),
        evidence: vec!["Cloud Run keeps a copy of the image while a revision serves".to_owned()],
        hint: format!("build and deploy {} again; nobody can look into this one", facts.wanted),
    }
}

fn moved(facts: &Facts<'_>, revision: &Revision, looked: &Looked) -> Option<Cause> {
    let digest = looked.moved_to.as_ref()?;
    let container = revision.containers.first()?;
    Some(Cause {
        kind: CauseKind::TagMoved,
        summary: format!("{} was pushed again since {} was deployed", container.image, revision.name),
        evidence: vec![format!("it means {digest} today; a tag is resolved once, when a revision is made")],
        hint: facts.command("update", &format!("--image {}@{digest}", container.repository())),
    })
}

fn unchanged(facts: &Facts<'_>, revision: &Revision) -> Option<Cause> {
    let previous = facts.observed.previous.as_ref()?;
    let digests = |revision: &Revision| -> Option<Vec<Digest>> {
        revision.containers.iter().map(|container| container.digest.clone()).collect()
    };
    let (own, before) = (digests(revision)?, digests(previous)?);
    if own != before || own.is_empty() {
        return None;
    }
    Some(Cause {
        kind: CauseKind::ImageUnchanged,
        summary: format!(
            "{} runs the very image of {}: nothing was built, or not pushed",
            revision.name, previous.name
        ),
        evidence: own.iter().map(Digest::to_string).collect(),
        hint: format!("build and push {}, and deploy the digest that the push prints", facts.wanted),
    })
}

fn labels(facts: &Facts<'_>) -> Option<Cause> {
    let both = facts.observed.serving.iter().zip(facts.serving);
    let (serving, looked) = both.into_iter().find(|(_, looked)| !looked.wrong_labels.is_empty())?;
    Some(Cause {
        kind: CauseKind::LabelWrong,
        summary: format!("a label of {} names a commit that its image is not", serving.revision.name),
        evidence: looked.wrong_labels.clone(),
        hint: "set the label from the commit that was built; the deploying job only repeats what it was told"
            .to_owned(),
    })
}

/// Labels of the service that its serving revisions do not have.
fn service_labels(facts: &Facts<'_>) -> Vec<String> {
    let service = &facts.observed.service;
    let revisions = facts.observed.serving.iter().map(|one| &one.revision);
    let differing = revisions.flat_map(|revision| {
        let differs = |(name, value): &(&String, &String)| revision.labels.get(*name).is_some_and(|own| own != *value);
        service.labels.iter().filter(differs).map(move |(name, value)| {
            let own = &revision.labels[name];
            format!(
                "the service's label {name} is {value}, that of {} is {own}: only a revision's own count",
                revision.name
            )
        })
    });
    if service.kind == Kind::Job { Vec::new() } else { differing.collect() }
}
