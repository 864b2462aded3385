//! The Cloud Run Admin API, version 2 (`google/cloud/run/v2/{service,revision,job,condition,traffic_target}.proto`).
//! Numbers of 64 bits are strings there.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::document::{filled, last, or_default};
use super::service::{self, Kind, State, digest_of};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Service {
    pub(super) name: String,
    #[serde(deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
    generation: Option<Number>,
    observed_generation: Option<Number>,
    #[serde(deserialize_with = "or_default")]
    reconciling: bool,
    terminal_condition: Option<Condition>,
    latest_created_revision: Option<String>,
    latest_ready_revision: Option<String>,
    #[serde(deserialize_with = "or_default")]
    traffic: Vec<Traffic>,
    #[serde(deserialize_with = "or_default")]
    traffic_statuses: Vec<Traffic>,
    #[serde(deserialize_with = "or_default")]
    template: Template,
}

/// What revisions and tasks are made from; a job's has another one inside.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Template {
    revision: Option<String>,
    #[serde(deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    containers: Vec<Container>,
    template: Option<Box<Template>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Job {
    pub(super) name: String,
    #[serde(deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    reconciling: bool,
    terminal_condition: Option<Condition>,
    latest_created_execution: Option<Execution>,
    #[serde(deserialize_with = "or_default")]
    template: Template,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Execution {
    name: String,
    create_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Revision {
    name: String,
    service: Option<String>,
    create_time: Option<String>,
    #[serde(deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    containers: Vec<Container>,
    #[serde(deserialize_with = "or_default")]
    conditions: Vec<Condition>,
    log_uri: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    name: Option<String>,
    #[serde(default)]
    image: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    state: Option<String>,
    message: Option<String>,
    reason: Option<String>,
    revision_reason: Option<String>,
    execution_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Traffic {
    #[serde(rename = "type")]
    kind: Option<String>,
    revision: Option<String>,
    percent: Option<u32>,
    tag: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
enum Number {
    Text(String),
    Number(i64),
}

impl From<Service> for service::Service {
    fn from(service: Service) -> Self {
        // A failure is final although the generation that failed is never counted as observed.
        let failed = service.terminal_condition.as_ref().is_some_and(|condition| condition.state() == State::Failed);
        let observed = service.observed_generation.is_none() || service.observed_generation == service.generation;
        Self {
            kind: Kind::Service,
            name: last(&service.name),
            labels: service.labels,
            is_settled: !service.reconciling && (observed || failed),
            latest_created: filled(service.latest_created_revision).map(|name| last(&name)),
            latest_ready: filled(service.latest_ready_revision).map(|name| last(&name)),
            ready: service.terminal_condition.map(Into::into),
            wanted: service.traffic.into_iter().map(Into::into).collect(),
            traffic: service.traffic_statuses.into_iter().map(Into::into).collect(),
            template: service.template.into(),
        }
    }
}

impl From<Job> for service::Service {
    fn from(job: Job) -> Self {
        let execution = job.latest_created_execution.unwrap_or_default();
        let mut template = service::Revision::from(job.template);
        template.created = filled(execution.create_time);
        Self {
            kind: Kind::Job,
            name: last(&job.name),
            labels: job.labels,
            is_settled: !job.reconciling,
            latest_created: filled(Some(last(&execution.name))),
            latest_ready: None,
            ready: job.terminal_condition.map(Into::into),
            wanted: Vec::new(),
            traffic: Vec::new(),
            template,
        }
    }
}

impl From<Template> for service::Revision {
    fn from(template: Template) -> Self {
        let containers = match template.template {
            Some(inner) => inner.containers,
            None => template.containers,
        };
        Self {
            name: template.revision.unwrap_or_default(),
            labels: template.labels,
            containers: containers.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

impl From<Revision> for service::Revision {
    fn from(revision: Revision) -> Self {
        let ready = revision.conditions.into_iter().find(|condition| condition.kind == "Ready");
        Self {
            name: last(&revision.name),
            service: filled(revision.service).map(|name| last(&name)),
            created: filled(revision.create_time),
            labels: revision.labels,
            containers: revision.containers.into_iter().map(Into::into).collect(),
            ready: ready.map(Into::into),
            logs: filled(revision.log_uri),
        }
    }
}

impl From<Container> for service::Container {
    fn from(container: Container) -> Self {
        let digest = digest_of(&container.image);
        Self { name: filled(container.name), image: container.image, digest }
    }
}

impl Condition {
    fn state(&self) -> State {
        match self.state.as_deref() {
            Some("CONDITION_SUCCEEDED") => State::Succeeded,
            Some("CONDITION_FAILED") => State::Failed,
            _ => State::Pending,
        }
    }
}

impl From<Condition> for service::Condition {
    fn from(condition: Condition) -> Self {
        let state = condition.state();
        let reason = filled(condition.revision_reason).or(filled(condition.execution_reason));
        Self { state, reason: reason.or(filled(condition.reason)), message: filled(condition.message) }
    }
}

impl From<Traffic> for service::Target {
    fn from(traffic: Traffic) -> Self {
        let revision = filled(traffic.revision).map(|name| last(&name));
        let follows_latest = match traffic.kind.as_deref() {
            Some("TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST") => true,
            Some("TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION") => false,
            _ => revision.is_none(),
        };
        Self { revision, follows_latest, percent: traffic.percent.unwrap_or(0), tag: filled(traffic.tag) }
    }
}
