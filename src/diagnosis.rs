//! From findings and history to a cause: what went wrong, what speaks for it, what to do next. Pure.

mod evidence;
mod files;
mod layers;

use crate::compare::{Finding, Status, Strictness};
use crate::count::counted;
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
    /// Whether that is the work tree, of which commits are told by the one that it is based on.
    pub is_work_tree: bool,
    /// Which files were looked at.
    pub scope: Scope,
    /// Whether history ends too early to say that bytes are in no commit.
    pub is_shallow: bool,
    /// The stages that copy, by their names in the Dockerfile, where they are known and have some.
    pub stages: &'a [String],
    /// What may be run in place of files that differ.
    pub shadows: &'a [String],
}

/// Which files of the image were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All that are mapped.
    Everything,
    /// Those that were named; what is true of them need not be true of the image.
    Named,
}

impl<'a> Symptoms<'a> {
    fn differing(&self) -> impl Iterator<Item = &'a Finding> {
        let strictness = self.strictness;
        self.findings.iter().filter(move |finding| finding.status.differs(strictness))
    }

    /// The command that runs the copying steps anew.
    fn without_cache(&self) -> String {
        match self.stages {
            [] => "docker build --no-cache".to_owned(),
            stages => format!("docker build --no-cache-filter {}", stages.join(",")),
        }
    }

    fn with(&self, status: Status) -> impl Iterator<Item = &'a Finding> {
        self.findings.iter().filter(move |finding| finding.status == status)
    }
}

/// The cause of what differs; `None` where nothing does.
pub fn diagnose(symptoms: &Symptoms<'_>) -> Option<Cause> {
    symptoms.differing().next()?;
    let mut cause = of_files(symptoms)?;
    cause.evidence.extend_from_slice(symptoms.shadows);
    Some(cause)
}

fn of_files(symptoms: &Symptoms<'_>) -> Option<Cause> {
    if let Some(cause) = of_one_commit(symptoms) {
        return Some(cause);
    }
    let looks = [
        layers::cached,
        layers::mixed,
        files::uncommitted,
        files::dirty,
        files::beyond_reach,
        files::missing,
        files::leftover,
        files::elsewhere,
        files::executable,
    ];
    let mut causes: Vec<Cause> = looks.iter().filter_map(|look| look(symptoms)).collect();
    Some(if causes.len() == 1 { causes.remove(0) } else { together(causes) })
}

/// Everything is one commit's: the image is that commit, and not the one asked for.
fn of_one_commit(symptoms: &Symptoms<'_>) -> Option<Cause> {
    let whole = symptoms.whole?;
    let newest = &whole.exact()?.newest;
    if symptoms.scope == Scope::Named && matches!(newest.relation, Relation::Behind(_)) {
        return Some(of_the_named(symptoms, whole, newest));
    }
    let (kind, place) = match newest.relation {
        Relation::Asked if symptoms.is_work_tree => {
            (CauseKind::OldImage, "and the work tree has changes since".to_owned())
        }
        Relation::Asked => return None,
        Relation::Behind(count) => {
            (CauseKind::OldImage, format!("{} before {}", counted(count, "commit"), symptoms.revision))
        }
        Relation::Ahead(count) => {
            (CauseKind::NewerImage, format!("{} after {}", counted(count, "commit"), symptoms.revision))
        }
        Relation::Apart => (CauseKind::OtherBranch, format!("which is not in the history of {}", symptoms.revision)),
    };
    let hint = match kind {
        CauseKind::OldImage if newest.relation == Relation::Asked => files::COMMIT_OR_COMPARE.to_owned(),
        CauseKind::OldImage => {
            format!("build {} and push it; what was pushed or deployed is an older build", symptoms.revision)
        }
        CauseKind::NewerImage => format!("compare with what it was built from: --rev {}", newest.commit.short),
        _ => format!("deploy the branch that was meant, or compare with this one: --rev {}", newest.commit.short),
    };
    let subject = match symptoms.scope {
        Scope::Everything => "the image is",
        Scope::Named => "what was looked at is of",
    };
    Some(Cause {
        kind,
        summary: format!("{subject} {}, {place}", named(newest)),
        evidence: vec![all_equal(whole.compared), evidence::built(symptoms.image)],
        hint,
        parts: Vec::new(),
    })
}

/// Of some files alone nobody can tell an old image from a new one with an old layer.
fn of_the_named(symptoms: &Symptoms<'_>, whole: &Identity, newest: &Placed) -> Cause {
    let behind = match newest.relation {
        Relation::Behind(count) => format!(", {} before {}", counted(count, "commit"), symptoms.revision),
        _ => String::new(),
    };
    let mut evidence = vec![all_equal(whole.compared)];
    evidence.extend(symptoms.layers.iter().filter_map(|layer| evidence::age(symptoms.image, layer.layer)));
    evidence.push(evidence::built(symptoms.image));
    Cause {
        kind: CauseKind::Mixed,
        summary: format!(
            "what was looked at is of {}{behind}: an old image, or a new one with a step from the cache",
            named(newest)
        ),
        evidence,
        hint: format!(
            "verify the whole image, without FILE, to know which; then build again without the cache ({}) and push",
            symptoms.without_cache()
        ),
        parts: vec![CauseKind::OldImage, CauseKind::CachedLayer],
    }
}

fn all_equal(count: usize) -> String {
    if count == 1 {
        "the only file equals that commit".to_owned()
    } else {
        format!("all {} equal that commit", counted(count, "file"))
    }
}

/// Several causes at once, each of which is named.
fn together(causes: Vec<Cause>) -> Cause {
    let mut kinds: Vec<CauseKind> = causes.iter().map(|cause| cause.kind).collect();
    kinds.dedup();
    let join = |part: fn(&Cause) -> &str| causes.iter().map(part).collect::<Vec<_>>().join("; ");
    Cause {
        kind: if kinds.len() == 1 { kinds[0] } else { CauseKind::Mixed },
        summary: join(|cause| &cause.summary),
        evidence: causes.iter().flat_map(|cause| cause.evidence.clone()).collect(),
        hint: join(|cause| &cause.hint),
        parts: if kinds.len() == 1 { Vec::new() } else { kinds },
    }
}

/// A commit for people: its short id and, if that says more, its name.
pub fn named(placed: &Placed) -> String {
    let short = &placed.commit.short;
    if placed.name.is_empty() || placed.name == *short { short.clone() } else { format!("{short} ({})", placed.name) }
}
