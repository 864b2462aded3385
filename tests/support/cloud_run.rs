//! Cloud Run in this process, as far as its documentation and its clients tell; none of it was measured by us.
//!
//! - Version 2 of the Admin API for services, revisions and jobs, with pages
//!   (<https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services>); numbers of 64 bits are strings.
//! - Version 1 under `/v1/projects/P/locations/L/revisions/R`, which alone has the digest
//!   (`RevisionStatus.imageDigest`), and in the form of Knative under `/apis/serving.knative.dev/v1/namespaces/P/…`,
//!   which is what gcloud asks for.
//! - Every request wants the access token as Bearer; errors have Google's form
//!   (<https://cloud.google.com/apis/design/errors>).
//! - gcloud puts the region before the host of its endpoint override and can be led here by `http_proxy`, so that targets
//!   may be whole addresses.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::artifact_registry::ACCESS_TOKEN;
use super::http::{Request, Response, Server};

/// The project that is served.
pub(crate) const PROJECT: &str = "box-scores";
/// The region that is served.
pub(crate) const REGION: &str = "us-west2";

/// Entries on one page of a list, fewer than were asked for, as is allowed.
const PAGE: usize = 2;

/// A revision.
#[derive(Clone, Debug)]
pub(crate) struct Revision {
    pub(crate) name: String,
    pub(crate) created: String,
    pub(crate) labels: BTreeMap<String, String>,
    /// The image as it was deployed, and what it was resolved to.
    pub(crate) image: String,
    pub(crate) digest: Option<String>,
    /// Containers beside the main one.
    pub(crate) sidecars: Vec<String>,
    /// Reason and message, where it did not come up.
    pub(crate) failure: Option<(String, String)>,
}

impl Revision {
    pub(crate) fn new(name: &str, created: &str, image: &str, digest: &str) -> Self {
        Self {
            name: name.to_owned(),
            created: created.to_owned(),
            labels: BTreeMap::new(),
            image: image.to_owned(),
            digest: Some(digest.to_owned()),
            sidecars: Vec::new(),
            failure: None,
        }
    }

    pub(crate) fn label(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn failed(mut self, reason: &str, message: &str) -> Self {
        self.failure = Some((reason.to_owned(), message.to_owned()));
        self
    }

    fn repository(&self) -> &str {
        let name = self.image.split('@').next().unwrap_or_default();
        name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(name, |(name, _)| name)
    }
}

/// A share of the traffic: a revision's name, or the newest one.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    pub(crate) revision: Option<String>,
    pub(crate) percent: u32,
    pub(crate) tag: Option<String>,
}

impl Share {
    pub(crate) fn latest(percent: u32) -> Self {
        Self { revision: None, percent, tag: None }
    }

    pub(crate) fn of(revision: &str, percent: u32) -> Self {
        Self { revision: Some(revision.to_owned()), percent, tag: None }
    }
}

/// A service, its revisions from the oldest to the newest.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) revisions: Vec<Revision>,
    /// Where the traffic is meant to go; empty for all to the newest.
    pub(crate) wanted: Vec<Share>,
    /// How many more times the service says that it is reconciling.
    pub(crate) reconciling: usize,
}

impl Service {
    pub(crate) fn new(name: &str, revisions: Vec<Revision>) -> Self {
        Self {
            name: name.to_owned(),
            labels: BTreeMap::new(),
            revisions,
            wanted: vec![Share::latest(100)],
            reconciling: 0,
        }
    }

    pub(crate) fn wanting(mut self, wanted: Vec<Share>) -> Self {
        self.wanted = wanted;
        self
    }

    fn newest(&self) -> &Revision {
        self.revisions.last().expect("a service has revisions")
    }

    /// While a revision is brought up it is not ready yet, and the one before serves.
    fn ready(&self) -> Option<&Revision> {
        let up = self.revisions.len() - usize::from(self.reconciling > 0);
        self.revisions[..up].iter().rev().find(|revision| revision.failure.is_none())
    }

    /// What version 2 says of it.
    pub(crate) fn v2(&self) -> Value {
        let full = |revision: &Revision| format!("{}/revisions/{}", self.full_name(), revision.name);
        let failed = self.newest().failure.is_some();
        let state = match (self.reconciling > 0, failed) {
            (true, _) => "CONDITION_RECONCILING",
            (_, true) => "CONDITION_FAILED",
            _ => "CONDITION_SUCCEEDED",
        };
        let reason = failed.then_some("REVISION_FAILED");
        let message = self.newest().failure.as_ref().map(|(_, message)| message.clone());
        let observed = if self.reconciling > 0 || failed { "6" } else { "7" };
        // A share that follows the newest revision comes without its name.
        let shares: Vec<Value> = self.wanted.iter().map(v2_share).collect();
        let traffic = if self.ready().is_some() { shares.clone() } else { Vec::new() };
        json!({
            "name": self.full_name(), "generation": "7", "observedGeneration": observed, "labels": self.labels,
            "createTime": "2026-01-05T08:00:00.000000Z", "template": {
                "labels": self.newest().labels, "containers": containers(self.newest()),
            },
            "traffic": shares, "trafficStatuses": traffic,
            "terminalCondition": { "type": "Ready", "state": state, "reason": reason, "message": message },
            "latestCreatedRevision": full(self.newest()), "latestReadyRevision": self.ready().map(full),
            "reconciling": self.reconciling > 0, "uri": format!("https://{}-x.a.run.app", self.name),
        })
    }

    /// What version 1 says of it.
    pub(crate) fn v1(&self) -> Value {
        let failure = &self.newest().failure;
        let status = match (self.reconciling > 0, failure) {
            (true, _) => "Unknown",
            (_, Some(_)) => "False",
            _ => "True",
        };
        let share = |share: &Share| v1_share(share, None);
        let traffic = |share: &Share| v1_share(share, self.ready().map(|ready| ready.name.as_str()));
        let condition = json!({ "type": "Ready", "status": status,
            "reason": failure.as_ref().map(|(reason, _)| reason), "message": failure.as_ref().map(|(_, message)| message) });
        json!({
            "apiVersion": "serving.knative.dev/v1", "kind": "Service",
            "metadata": { "name": self.name, "namespace": "1234", "generation": 7, "labels": self.v1_labels(),
                "creationTimestamp": "2026-01-05T08:00:00.000000Z" },
            "spec": {
                "template": { "metadata": { "labels": self.newest().labels },
                    "spec": { "containers": containers(self.newest()) } },
                "traffic": self.wanted.iter().map(share).collect::<Vec<_>>(),
            },
            "status": {
                "observedGeneration": 7, "conditions": [condition],
                "latestCreatedRevisionName": self.newest().name,
                "latestReadyRevisionName": self.ready().map(|ready| &ready.name),
                "traffic": self.wanted.iter().map(traffic).collect::<Vec<_>>(),
                "url": format!("https://{}-x.a.run.app", self.name),
            },
        })
    }

    fn v1_labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.labels.clone();
        labels.insert("cloud.googleapis.com/location".to_owned(), REGION.to_owned());
        labels
    }

    fn full_name(&self) -> String {
        format!("projects/{PROJECT}/locations/{REGION}/services/{}", self.name)
    }

    /// What version 2 says of a revision.
    pub(crate) fn v2_revision(&self, revision: &Revision) -> Value {
        let state = if revision.failure.is_some() { "CONDITION_FAILED" } else { "CONDITION_SUCCEEDED" };
        let (reason, message) = revision.failure.clone().unzip();
        json!({
            "name": format!("{}/revisions/{}", self.full_name(), revision.name), "service": self.full_name(),
            "generation": "1", "labels": revision.labels, "createTime": revision.created,
            "containers": containers(revision), "observedGeneration": "1",
            "conditions": [
                { "type": "ResourcesAvailable", "state": "CONDITION_SUCCEEDED" },
                { "type": "Ready", "state": state, "revisionReason": reason, "message": message },
            ],
            "logUri": format!("https://console.cloud.google.com/logs/viewer?revision={}", revision.name),
        })
    }

    /// What version 1 says of a revision.
    pub(crate) fn v1_revision(&self, revision: &Revision) -> Value {
        let status = if revision.failure.is_some() { "False" } else { "True" };
        let (reason, message) = revision.failure.clone().unzip();
        let mut labels = revision.labels.clone();
        labels.insert("serving.knative.dev/service".to_owned(), self.name.clone());
        let digest = revision.digest.as_ref().map(|digest| format!("{}@{digest}", revision.repository()));
        json!({
            "apiVersion": "serving.knative.dev/v1", "kind": "Revision",
            "metadata": { "name": revision.name, "namespace": "1234", "labels": labels, "generation": 1,
                "creationTimestamp": revision.created },
            "spec": { "containers": containers(revision) },
            "status": { "observedGeneration": 1, "imageDigest": digest,
                "conditions": [{ "type": "Ready", "status": status, "reason": reason, "message": message }] },
        })
    }
}

fn containers(revision: &Revision) -> Vec<Value> {
    let main = json!({ "image": revision.image, "name": "app", "ports": [{ "containerPort": 8080 }] });
    let others = revision.sidecars.iter().map(|image| json!({ "image": image, "name": "sidecar" }));
    std::iter::once(main).chain(others).collect()
}

fn v2_share(share: &Share) -> Value {
    let kind = if share.revision.is_some() { "REVISION" } else { "LATEST" };
    json!({ "type": format!("TRAFFIC_TARGET_ALLOCATION_TYPE_{kind}"), "revision": share.revision,
        "percent": share.percent, "tag": share.tag })
}

fn v1_share(share: &Share, ready: Option<&str>) -> Value {
    let revision = share.revision.as_deref().or(ready);
    json!({ "revisionName": revision, "latestRevision": share.revision.is_none(), "percent": share.percent, "tag": share.tag })
}

/// A running server; dropping it ends it.
pub(crate) struct CloudRun {
    server: Server,
    state: Arc<State>,
}

struct State {
    services: Mutex<Vec<Service>>,
    jobs: Mutex<Vec<Value>>,
    refusals: Mutex<Vec<Response>>,
    seen: Mutex<Vec<String>>,
}

impl CloudRun {
    pub(crate) fn serve(services: Vec<Service>) -> Self {
        let state = Arc::new(State {
            services: Mutex::new(services),
            jobs: Mutex::default(),
            refusals: Mutex::default(),
            seen: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        Self { server: Server::start(move |_, request| shared.answer(request)), state }
    }

    /// Adds a job that runs `image`.
    pub(crate) fn job(&self, name: &str, image: &str) {
        let full = format!("projects/{PROJECT}/locations/{REGION}/jobs/{name}");
        self.state.jobs.lock().expect("nobody panics while holding it").push(json!({
            "name": full, "generation": "3", "observedGeneration": "3",
            "template": { "taskCount": 1, "template": { "containers": [{ "image": image }] } },
            "latestCreatedExecution": { "name": format!("{name}-x7k2p"), "createTime": "2026-01-31T06:00:00.000000Z" },
            "terminalCondition": { "type": "Ready", "state": "CONDITION_SUCCEEDED" },
        }));
    }

    /// Answers the next requests like this.
    pub(crate) fn refuse(&self, status: u16, message: &str, times: usize) {
        let response = error(status, message);
        self.state.refusals.lock().expect("nobody panics while holding it").extend(vec![response; times]);
    }

    /// `http://127.0.0.1:<port>/`.
    pub(crate) fn address(&self) -> String {
        format!("http://{}/", self.server.host())
    }

    /// The paths that were asked for.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.state.seen.lock().expect("nobody panics while holding it").clone()
    }
}

impl State {
    fn answer(&self, request: &Request) -> Response {
        let target = request
            .target
            .split_once("://")
            .map_or(request.target.as_str(), |(_, rest)| rest.find('/').map_or("/", |start| &rest[start..]));
        let (path, _) = target.split_once('?').unwrap_or((target, ""));
        self.seen.lock().expect("nobody panics while holding it").push(path.to_owned());
        if request.bearer() != Some(ACCESS_TOKEN) {
            return error(401, "Request had invalid authentication credentials.");
        }
        if let Some(refusal) = self.refusals.lock().expect("nobody panics while holding it").pop() {
            return refusal;
        }
        let page = request.query("pageToken").first().and_then(|token| token.parse().ok()).unwrap_or(0);
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let found = match parts.as_slice() {
            ["v2", "projects", PROJECT, "locations", REGION, rest @ ..] => self.v2(rest, page),
            ["v1", "projects", PROJECT, "locations", REGION, "revisions", name] => self.v1_revision(name),
            ["apis", "serving.knative.dev", "v1", "namespaces", PROJECT, "revisions", name] => self.v1_revision(name),
            ["apis", "serving.knative.dev", "v1", "namespaces", PROJECT, "services", name] => {
                self.service(name).map(|service| service.v1())
            }
            _ => None,
        };
        match found {
            Some(found) => Response::json(200, &found),
            None => {
                error(404, &format!("Resource '{}' of kind 'SERVICE' does not exist.", parts.last().unwrap_or(&"")))
            }
        }
    }

    fn v2(&self, rest: &[&str], page: usize) -> Option<Value> {
        match rest {
            ["services"] => {
                let services =
                    self.services.lock().expect("nobody panics while holding it").iter().map(Service::v2).collect();
                Some(paged("services", services, page))
            }
            ["services", name] => self.service(name).map(|service| service.v2()),
            ["services", name, "revisions"] => {
                let service = self.service(name)?;
                let newest_first = service.revisions.iter().rev();
                Some(paged("revisions", newest_first.map(|one| service.v2_revision(one)).collect(), page))
            }
            ["services", name, "revisions", revision] => {
                let service = self.service(name)?;
                let revision = service.revisions.iter().find(|one| one.name == *revision)?;
                Some(service.v2_revision(revision))
            }
            ["jobs"] => Some(paged("jobs", self.jobs.lock().expect("nobody panics while holding it").clone(), page)),
            ["jobs", name] => {
                let ends = |job: &&Value| job["name"].as_str().is_some_and(|full| full.ends_with(&format!("/{name}")));
                self.jobs.lock().expect("nobody panics while holding it").iter().find(ends).cloned()
            }
            _ => None,
        }
    }

    /// A service; each look brings it nearer to having settled.
    fn service(&self, name: &str) -> Option<Service> {
        let mut services = self.services.lock().expect("nobody panics while holding it");
        let service = services.iter_mut().find(|service| service.name == name)?;
        let now = service.clone();
        service.reconciling = service.reconciling.saturating_sub(1);
        Some(now)
    }

    fn v1_revision(&self, name: &str) -> Option<Value> {
        let services = self.services.lock().expect("nobody panics while holding it");
        services.iter().find_map(|service| {
            let revision = service.revisions.iter().find(|one| one.name == name)?;
            Some(service.v1_revision(revision))
        })
    }
}

fn paged(name: &str, all: Vec<Value>, start: usize) -> Value {
    let end = (start + PAGE).min(all.len());
    let next = if end < all.len() { end.to_string() } else { String::new() };
    json!({ name: all[start.min(end)..end], "nextPageToken": next })
}

fn error(status: u16, message: &str) -> Response {
    let word = match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        _ => "UNAVAILABLE",
    };
    Response::json(status, &json!({ "error": { "code": status, "message": message, "status": word } }))
}
