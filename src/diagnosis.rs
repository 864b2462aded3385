//! From findings and history to a cause: what went wrong, what speaks for it, what to do next. Pure.

mod evidence;
mod layers;

use crate::compare::{Finding, Status, Strictness};
use crate::identify::{Identity, LayerIdentity, Placed, Relation};
use crate::image::Image;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CauseKind {
    /// All files equal one earlier commit.
    OldImage,
    /// All files equal a later commit.
    NewerImage,
    /// All files equal a commit that is on another branch.
    OtherBranch,
    /// Some files are those of an earlier commit, because a step was not run again.
    CachedLayer,
    /// Some files are those of no commit.
    DirtyBuild,
    /// Files are not there.
    MissingFiles,
    /// Files are there that git deleted.
    LeftoverFiles,
    /// None of these alone.
    Mixed,
}

impl CauseKind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::OldImage => "old-image",
            Self::NewerImage => "newer-image",
            Self::OtherBranch => "other-branch",
            Self::CachedLayer => "cached-layer",
            Self::DirtyBuild => "dirty-build",
            Self::MissingFiles => "missing-files",
            Self::LeftoverFiles => "leftover-files",
            Self::Mixed => "mixed",
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
    /// The causes that a mixed one is made of.
    pub parts: Vec<CauseKind>,
}

/// What is known when the cause is looked for.
#[derive(Clone, Copy)]
pub struct Symptoms<'a> {
    /// The image.
    pub image: &'a Image,
    /// The files.
    pub findings: &'a [Finding],
    /// What counts as a difference.
    pub strictness: Strictness,
    /// What all files together were found to be, where history was looked at.
    pub whole: Option<&'a Identity>,
    /// The same for each layer that brought some.
    pub layers: &'a [LayerIdentity],
    /// The revision asked for, as it is shown.
    pub revision: &'a str,
}

impl<'a> Symptoms<'a> {
    fn differing(&self) -> impl Iterator<Item = &'a Finding> {
        let strictness = self.strictness;
        self.findings.iter().filter(move |finding| finding.status.differs(strictness))
    }

    fn with(&self, status: Status) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(move |finding| finding.status == status)
    }
}

/// The cause of what differs; `None` where nothing does.
pub fn diagnose(symptoms: &Symptoms<'_>) -> Option<Cause> {
    symptoms.differing().next()?;
    if let Some(cause) = of_one_commit(symptoms) {
        return Some(cause);
    }
    let looks = [layers::cached, dirty, missing, leftover];
    let mut causes: Vec<Cause> = looks.iter().filter_map(|look| look(symptoms)).collect();
    Some(match causes.len() {
        1 => causes.remove(0),
        0 => unexplained(symptoms),
        _ => together(causes),
    })
}

/// Everything is one commit's: the image is that commit, and not the one asked for.
fn of_one_commit(symptoms: &Symptoms<'_>) -> Option<Cause> {
    let whole = symptoms.whole?;
    let newest = &whole.exact()?.newest;
    let (kind, place) = match newest.relation {
        Relation::Asked => return None,
        Relation::Behind(count) => (CauseKind::OldImage, format!("{} before {}", commits(count), symptoms.revision)),
        Relation::Ahead(count) => (CauseKind::NewerImage, format!("{} after {}", commits(count), symptoms.revision)),
        Relation::Apart => (CauseKind::OtherBranch, format!("which is not in the history of {}", symptoms.revision)),
    };
    let hint = match kind {
        CauseKind::OldImage => {
            format!("build {} and push it; what was pushed or deployed is an older build", symptoms.revision)
        }
        CauseKind::NewerImage => format!("compare with what it was built from: --rev {}", newest.commit.short),
        _ => format!("deploy the branch that was meant, or compare with this one: --rev {}", newest.commit.short),
    };
    let all = whole.compared;
    Some(Cause {
        kind,
        summary: format!("the image is {}, {place}", named(newest)),
        evidence: vec![format!("all {all} files equal that commit"), evidence::built(symptoms.image)],
        hint,
        parts: Vec::new(),
    })
}

fn dirty(symptoms: &Symptoms<'_>) -> Option<Cause> {
    let files: Vec<&Finding> = symptoms.differing().filter(|finding| is_in_no_commit(finding)).collect();
    let first = files.first()?;
    Some(Cause {
        kind: CauseKind::DirtyBuild,
        summary: format!("{} in no commit: built from a work tree with uncommitted changes", are(files.len(), "file")),
        evidence: vec![format!("{} has bytes that no commit looked at has there", evidence::path_of(first))],
        hint:
            "commit what is in the image, or build again from a clean checkout (git status --short shows what is not \
               committed)"
                .to_owned(),
        parts: Vec::new(),
    })
}

fn is_in_no_commit(finding: &Finding) -> bool {
    matches!(finding.status, Status::Modified | Status::Kind | Status::Mode | Status::Untracked)
}

fn missing(symptoms: &Symptoms<'_>) -> Option<Cause> {
    let files: Vec<&Finding> =
        symptoms.with(Status::Missing).filter(|finding| !layers::explains(symptoms, finding)).collect();
    let first = files.first()?;
    let reason = first.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    Some(Cause {
        kind: CauseKind::MissingFiles,
        summary: format!("{} missing from the image", are(files.len(), "file")),
        evidence: vec![format!("{}{reason}", evidence::path_of(first))],
        hint: "look for them in .dockerignore, in the COPY instructions, and in what later steps delete".to_owned(),
        parts: Vec::new(),
    })
}

fn leftover(symptoms: &Symptoms<'_>) -> Option<Cause> {
    let files: Vec<&Finding> =
        symptoms.with(Status::Leftover).filter(|finding| !layers::explains(symptoms, finding)).collect();
    let first = files.first()?;
    Some(Cause {
        kind: CauseKind::LeftoverFiles,
        summary: format!("{} in the image though git deleted them", are(files.len(), "file")),
        evidence: vec![format!(
            "{}: {}",
            evidence::path_of(first),
            first.note.as_deref().unwrap_or("deleted from git")
        )],
        hint: "build from a clean checkout (git clean -ndX and git status --short show what lies beside git's files)"
            .to_owned(),
        parts: Vec::new(),
    })
}

fn unexplained(symptoms: &Symptoms<'_>) -> Cause {
    let mut summary = "no single cause explains what differs".to_owned();
    if let Some((whole, range)) = symptoms.whole.and_then(|whole| Some((whole, whole.commits.as_ref()?))) {
        let (matched, compared) = (whole.matched, whole.compared);
        summary = format!("{summary}; {matched} of {compared} files equal {}", named(&range.newest));
    }
    let others: Vec<String> = symptoms
        .with(Status::Other)
        .take(1)
        .map(|finding| {
            format!("{}: {}", evidence::path_of(finding), finding.note.as_deref().unwrap_or("known elsewhere"))
        })
        .collect();
    Cause {
        kind: CauseKind::Mixed,
        summary,
        evidence: others,
        hint: "build again from a clean checkout without the cache (docker build --no-cache), push, and verify again"
            .to_owned(),
        parts: Vec::new(),
    }
}

fn together(causes: Vec<Cause>) -> Cause {
    let join = |part: fn(&Cause) -> &str| causes.iter().map(part).collect::<Vec<_>>().join("; ");
    Cause {
        kind: CauseKind::Mixed,
        summary: join(|cause| &cause.summary),
        evidence: causes.iter().flat_map(|cause| cause.evidence.clone()).collect(),
        hint: join(|cause| &cause.hint),
        parts: causes.iter().map(|cause| cause.kind).collect(),
    }
}

/// A commit for people: its short id and, if that says more, its name.
pub fn named(placed: &Placed) -> String {
    let short = &placed.commit.short;
    if placed.name.is_empty() || placed.name == *short { short.clone() } else { format!("{short} ({})", placed.name) }
}

fn commits(count: usize) -> String {
    if count == 1 { "1 commit".to_owned() } else { format!("{count} commits") }
}

fn are(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what} is") } else { format!("{count} {what}s are") }
}
