//! What Cloud Run knows of a service, a job or a revision, whichever API tells it.

use std::collections::BTreeMap;

use crate::digest::Digest;

/// What kind of thing runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A service, which answers requests.
    Service,
    /// A job, which runs to its end.
    Job,
}

impl Kind {
    /// The collection in the API's resource names.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Service => "services",
            Self::Job => "jobs",
        }
    }
}

/// A service or a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Which of both.
    pub kind: Kind,
    /// The last part of its name.
    pub name: String,
    /// Its own labels; revisions have theirs.
    pub labels: BTreeMap<String, String>,
    /// Whether what was last asked for has been carried out, or was given up.
    pub is_settled: bool,
    /// The newest revision, whatever became of it.
    pub latest_created: Option<String>,
    /// The newest revision that came up.
    pub latest_ready: Option<String>,
    /// Whether it is ready, and if not, why.
    pub ready: Option<Condition>,
    /// Where the traffic is meant to go; empty means all of it to the newest revision.
    pub wanted: Vec<Target>,
    /// Where the traffic goes.
    pub traffic: Vec<Target>,
    /// What the next revision, or the next execution of a job, is made from.
    pub template: Revision,
}

/// A share of the traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The revision; `None` where it is said to be the newest one, without its name.
    pub revision: Option<String>,
    /// Whether it follows the newest revision.
    pub follows_latest: bool,
    /// The share in percent.
    pub percent: u32,
    /// A name of its own in the service's address.
    pub tag: Option<String>,
}

/// A revision: what was deployed at one time, and does not change any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// The last part of its name; empty in a template that leaves it open.
    pub name: String,
    /// The service's name, where it is told.
    pub service: Option<String>,
    /// When it was made (RFC 3339).
    pub created: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its containers; the first one listed with a port gets the requests.
    pub containers: Vec<Container>,
    /// Whether it came up, and if not, why.
    pub ready: Option<Condition>,
    /// Where its logs are shown.
    pub logs: Option<String>,
}

/// A container of a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// The image, as it was deployed.
    pub image: String,
    /// The digest that it runs, where Cloud Run tells it.
    pub digest: Option<Digest>,
}

/// Whether something is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// How it stands.
    pub state: State,
    /// The reason as a word, as in `HEALTH_CHECK_CONTAINER_ERROR`.
    pub reason: Option<String>,
    /// The reason for people.
    pub message: Option<String>,
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is ready.
    Succeeded,
    /// It will not be.
    Failed,
    /// It is not known yet.
    Pending,
}

impl Revision {
    /// Whether it is known that it did not come up.
    pub fn failure(&self) -> Option<&Condition> {
        self.ready.as_ref().filter(|condition| condition.state == State::Failed)
    }
}

impl Container {
    /// The image without tag and digest.
    pub fn repository(&self) -> &str {
        let name = self.image.split('@').next().unwrap_or_default();
        match name.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => repository,
            _ => name,
        }
    }

    /// Whether the image was deployed by a name whose meaning may have changed since.
    pub fn is_by_tag(&self) -> bool {
        !self.image.contains('@')
    }
}

/// The digest at the end of a reference such as `HOST/NAME@sha256:…`.
pub(super) fn digest_of(reference: &str) -> Option<Digest> {
    reference.rsplit_once('@').and_then(|(_, digest)| digest.parse().ok())
}
