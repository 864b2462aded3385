//! The Cloud Run Admin API, version 1, which has the form of Knative Serving's
//! (<https://cloud.google.com/run/docs/reference/rest/v1/namespaces.services>); `gcloud … --format json` prints it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::document::{filled, last, or_default};
use super::service::{self, Kind, State, digest_of};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: String,
    #[serde(deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
    generation: Option<i64>,
    creation_timestamp: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Service {
    metadata: Metadata,
    spec: ServiceSpec,
    status: ServiceStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ServiceSpec {
    template: Template,
    #[serde(deserialize_with = "or_default")]
    traffic: Vec<Traffic>,
}

/// What revisions are made from; a job's has others inside, one for executions and one for tasks.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Template {
    metadata: Metadata,
    spec: TemplateSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TemplateSpec {
    #[serde(deserialize_with = "or_default")]
    containers: Vec<Container>,
    template: Option<Box<Template>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ServiceStatus {
    observed_generation: Option<i64>,
    #[serde(deserialize_with = "or_default")]
    conditions: Vec<Condition>,
    latest_ready_revision_name: Option<String>,
    latest_created_revision_name: Option<String>,
    #[serde(deserialize_with = "or_default")]
    traffic: Vec<Traffic>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Job {
    metadata: Metadata,
    spec: JobSpec,
    status: JobStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct JobSpec {
    template: Template,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct JobStatus {
    observed_generation: Option<i64>,
    #[serde(deserialize_with = "or_default")]
    conditions: Vec<Condition>,
    latest_created_execution: Option<Execution>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Execution {
    name: String,
    creation_timestamp: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Revision {
    metadata: Metadata,
    spec: TemplateSpec,
    status: RevisionStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RevisionStatus {
    #[serde(deserialize_with = "or_default")]
    conditions: Vec<Condition>,
    image_digest: Option<String>,
    log_url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Container {
    name: Option<String>,
    image: String,
    #[serde(deserialize_with = "or_default")]
    ports: Vec<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: Option<String>,
    reason: Option<String>,
    message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Traffic {
    revision_name: Option<String>,
    latest_revision: Option<bool>,
    percent: Option<u32>,
    tag: Option<String>,
}

impl From<Service> for service::Service {
    fn from(service: Service) -> Self {
        let Service { metadata, spec, status } = service;
        let ready = ready(status.conditions);
        let is_observed = status.observed_generation.is_none() || status.observed_generation == metadata.generation;
        let is_pending = ready.as_ref().is_some_and(|ready| ready.state == State::Pending);
        Self {
            kind: Kind::Service,
            name: last(&metadata.name),
            labels: metadata.labels,
            is_settled: is_observed && !is_pending,
            latest_created: filled(status.latest_created_revision_name),
            latest_ready: filled(status.latest_ready_revision_name),
            ready,
            wanted: spec.traffic.into_iter().map(Into::into).collect(),
            traffic: status.traffic.into_iter().map(Into::into).collect(),
            template: spec.template.into(),
        }
    }
}

impl From<Job> for service::Service {
    fn from(job: Job) -> Self {
        let Job { metadata, spec, status } = job;
        let execution = status.latest_created_execution.unwrap_or_default();
        let ready = ready(status.conditions);
        let mut template = service::Revision::from(spec.template);
        template.created = filled(execution.creation_timestamp);
        Self {
            kind: Kind::Job,
            name: last(&metadata.name),
            labels: metadata.labels,
            is_settled: status.observed_generation.is_none() || status.observed_generation == metadata.generation,
            latest_created: filled(Some(execution.name)),
            latest_ready: None,
            ready,
            wanted: Vec::new(),
            traffic: Vec::new(),
            template,
        }
    }
}

impl From<Template> for service::Revision {
    fn from(template: Template) -> Self {
        let (mut spec, metadata) = (template.spec, template.metadata);
        while let Some(inner) = spec.template {
            spec = inner.spec;
        }
        let containers = spec.containers.into_iter().map(Into::into).collect();
        Self { name: metadata.name, labels: metadata.labels, containers, ..Self::default() }
    }
}

impl From<Revision> for service::Revision {
    fn from(revision: Revision) -> Self {
        let Revision { metadata, spec, status } = revision;
        // The digest is that of the container that gets the requests, the only one that may name a port.
        let digest = status.image_digest.as_deref().and_then(digest_of);
        let main = spec.containers.iter().position(|container| !container.ports.is_empty()).unwrap_or(0);
        let mut containers: Vec<service::Container> = spec.containers.into_iter().map(Into::into).collect();
        if let Some(container) = containers.get_mut(main) {
            container.digest = digest.or(container.digest.take());
        }
        Self {
            name: last(&metadata.name),
            service: metadata.labels.get("serving.knative.dev/service").cloned(),
            created: filled(metadata.creation_timestamp),
            labels: metadata.labels,
            containers,
            ready: ready(status.conditions),
            logs: filled(status.log_url),
        }
    }
}

impl From<Container> for service::Container {
    fn from(container: Container) -> Self {
        let digest = digest_of(&container.image);
        Self { name: filled(container.name), image: container.image, digest }
    }
}

fn ready(conditions: Vec<Condition>) -> Option<service::Condition> {
    let ready = conditions.into_iter().find(|condition| condition.kind == "Ready")?;
    let state = match ready.status.as_deref() {
        Some("True") => State::Succeeded,
        Some("False") => State::Failed,
        _ => State::Pending,
    };
    Some(service::Condition { state, reason: filled(ready.reason), message: filled(ready.message) })
}

impl From<Traffic> for service::Target {
    fn from(traffic: Traffic) -> Self {
        let revision = filled(traffic.revision_name);
        let follows_latest = traffic.latest_revision.unwrap_or(revision.is_none());
        Self { revision, follows_latest, percent: traffic.percent.unwrap_or(0), tag: filled(traffic.tag) }
    }
}
