//! The documents that a service writes, as evidence of what it does: ids are ground truth. Only reads, by the REST API
//! (<https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.documents>).

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth;
use crate::config;

use super::api::{Api, Login};
use super::environment::Environment;
use super::error::DeployError;

/// The address of the API.
const ADDRESS: &str = "https://firestore.googleapis.com/";

/// Documents asked for at once, of which only names come.
const PAGE_SIZE: usize = 1_000;

/// Documents that are looked at of one collection: each costs the project a read.
pub const SAMPLE: usize = 10_000;

/// What a collection looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Its path.
    pub collection: String,
    /// How many documents it has.
    pub total: u64,
    /// How many there should be.
    pub expected: Option<u64>,
    /// How many of them were looked at, from the beginning of the order of ids.
    pub sampled: usize,
    /// The wrong ones among those.
    pub offenders: usize,
    /// The wrong ones by what their ids begin with, the most frequent first.
    pub groups: Vec<Group>,
    /// When the youngest wrong one was made (RFC 3339).
    pub newest_offender: Option<String>,
}

/// Wrong documents whose ids begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they begin with, up to where the pattern matches.
    pub prefix: String,
    /// How many there are.
    pub count: usize,
    /// The id of one of them.
    pub example: String,
}

/// A collection, looked at once or twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The first look.
    pub first: Survey,
    /// The second one.
    pub again: Option<Survey>,
    /// When what serves now was made (RFC 3339, UTC).
    pub since: Option<String>,
}

impl Watched {
    /// The look that counts.
    pub fn last(&self) -> &Survey {
        self.again.as_ref().unwrap_or(&self.first)
    }

    /// What shows that wrong documents are being written now. Those from before what serves was made say nothing of it.
    pub fn signs(&self) -> Vec<String> {
        let last = self.last();
        let Some(newest) = &last.newest_offender else { return Vec::new() };
        let before = self.again.as_ref().map(|_| self.first.newest_offender.as_deref().unwrap_or_default());
        let mut signs = Vec::new();
        if let Some(since) = self.since.as_deref().filter(|since| instant(newest) > instant(since)) {
            signs.push(format!("{}: a wrong document was made at {newest}, what serves at {since}", last.collection));
        }
        if before.is_some_and(|before| instant(newest) > instant(before)) {
            let grown = last.total.saturating_sub(self.first.total);
            let documents = crate::count::counted(usize::try_from(grown).unwrap_or(usize::MAX), "document");
            signs.push(format!("{}: {documents} more while it was watched, wrong ones among them", last.collection));
        }
        signs
    }
}

/// A time in UTC (RFC 3339) in a form that has the order of time: to the second, and nine digits of the fraction, of which
/// the API leaves out zeros.
fn instant(time: &str) -> (&str, String) {
    let (seconds, fraction) = time.trim_end_matches('Z').split_once('.').unwrap_or((time.trim_end_matches('Z'), ""));
    (seconds, format!("{fraction:0<9}"))
}

/// The database of one project.
pub struct Firestore {
    api: Api,
    documents: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    document: Option<Document>,
    result: Option<Aggregate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    name: String,
    create_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Aggregate {
    aggregate_fields: BTreeMap<String, Value>,
}

impl Firestore {
    /// Prepares requests to a database (`(default)` where none is named); sends none.
    ///
    /// # Errors
    /// See [`DeployError`].
    pub fn new(
        project: &str,
        database: Option<&str>,
        environment: &Environment,
        credentials: &auth::Environment,
        timeout: Duration,
        runtime: tokio::runtime::Handle,
    ) -> Result<Self, DeployError> {
        let (base, login) = match &environment.firestore_emulator {
            Some(host) => (format!("http://{host}/"), Login::Emulator),
            None => (ADDRESS.to_owned(), Login::Google(Box::new(credentials.clone()))),
        };
        let database = database.unwrap_or("(default)");
        let documents = format!("projects/{project}/databases/{database}/documents");
        Ok(Self { api: Api::new(&base, login, timeout, runtime)?, documents })
    }

    /// Looks at a collection.
    ///
    /// # Errors
    /// See [`DeployError`].
    pub fn survey(&self, evidence: &config::Evidence) -> Result<Survey, DeployError> {
        let pattern = Regex::new(&evidence.bad_ids).map_err(|_| DeployError::Pattern(evidence.bad_ids.clone()))?;
        let total = self.count(&evidence.collection)?;
        let documents = self.sample(&evidence.collection)?;
        let mut survey = Survey {
            collection: evidence.collection.clone(),
            total,
            expected: evidence.expected,
            sampled: documents.len(),
            offenders: 0,
            groups: Vec::new(),
            newest_offender: None,
        };
        for document in &documents {
            survey.look(document, &pattern);
        }
        survey.groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.prefix.cmp(&b.prefix)));
        Ok(survey)
    }

    /// How many documents a collection has.
    fn count(&self, collection: &str) -> Result<u64, DeployError> {
        let (parent, id) = self.parent(collection);
        let query = json!({ "structuredAggregationQuery": {
            "structuredQuery": { "from": [{ "collectionId": id }] },
            "aggregations": [{ "alias": "total", "count": {} }],
        }});
        let answers: Vec<Answer> = self.api.query(&format!("v1/{parent}:runAggregationQuery"), &query)?;
        let fields = answers.into_iter().find_map(|answer| answer.result).map(|result| result.aggregate_fields);
        let total = fields.as_ref().and_then(|fields| fields.get("total")?.get("integerValue"));
        // Numbers of 64 bits are strings.
        let total = total.and_then(|total| total.as_str().map_or_else(|| total.as_u64(), |text| text.parse().ok()));
        total.ok_or_else(|| DeployError::Form { what: format!("the count of {collection}"), source: None })
    }

    /// The names of at most [`SAMPLE`] documents, in the order of ids, which is the only one that needs no index.
    fn sample(&self, collection: &str) -> Result<Vec<Document>, DeployError> {
        let (parent, id) = self.parent(collection);
        let mut documents: Vec<Document> = Vec::new();
        while documents.len() < SAMPLE {
            let mut query = json!({
                "from": [{ "collectionId": id }],
                "select": { "fields": [{ "fieldPath": "__name__" }] },
                "orderBy": [{ "field": { "fieldPath": "__name__" } }],
                "limit": PAGE_SIZE.min(SAMPLE - documents.len()),
            });
            if let Some(last) = documents.last() {
                query["startAt"] = json!({ "values": [{ "referenceValue": last.name }], "before": false });
            }
            let query = json!({ "structuredQuery": query });
            let answers: Vec<Answer> = self.api.query(&format!("v1/{parent}:runQuery"), &query)?;
            let page: Vec<Document> = answers.into_iter().filter_map(|answer| answer.document).collect();
            if page.is_empty() {
                break;
            }
            documents.extend(page);
        }
        Ok(documents)
    }

    /// The document that a collection belongs to, or the database, and the collection's own id.
    fn parent<'a>(&self, collection: &'a str) -> (String, &'a str) {
        match collection.trim_matches('/').rsplit_once('/') {
            Some((parent, id)) => (format!("{}/{parent}", self.documents), id),
            None => (self.documents.clone(), collection.trim_matches('/')),
        }
    }
}

impl Survey {
    fn look(&mut self, document: &Document, pattern: &Regex) {
        let id = document.name.rsplit('/').next().unwrap_or_default();
        let Some(found) = pattern.find(id) else { return };
        self.offenders += 1;
        let known = self.newest_offender.as_deref().unwrap_or_default();
        if let Some(created) = document.create_time.as_ref().filter(|created| instant(created) > instant(known)) {
            self.newest_offender = Some(created.clone());
        }
        let prefix = &id[..found.start()];
        match self.groups.iter_mut().find(|group| group.prefix == prefix) {
            Some(group) => group.count += 1,
            None => self.groups.push(Group { prefix: prefix.to_owned(), count: 1, example: id.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_order_of_time() {
        let times = [
            "",
            "2026-01-31T14:02:10.999Z",
            "2026-01-31T14:02:11Z",
            "2026-01-31T14:02:11.000001Z",
            "2026-01-31T14:02:11.2Z",
            "2026-01-31T14:02:11.200000001Z",
            "2026-01-31T14:02:12Z",
        ];
        assert!(times.windows(2).all(|pair| instant(pair[0]) < instant(pair[1])));
        assert_eq!(instant("2026-01-31T14:02:11.200Z"), instant("2026-01-31T14:02:11.2Z"));
    }

    #[test]
    fn the_youngest_wrong_document_counts() {
        let mut survey = Survey {
            collection: "c".to_owned(),
            total: 3,
            expected: None,
            sampled: 3,
            offenders: 0,
            groups: Vec::new(),
            newest_offender: None,
        };
        let pattern = Regex::new("_None_").expect("a pattern");
        for (id, time) in [("a_None_1", "T10.5Z"), ("b_None_1", "T11Z"), ("c_None_1", "T10.9Z"), ("fine", "T12Z")] {
            survey.look(&Document { name: format!("x/{id}"), create_time: Some(time.to_owned()) }, &pattern);
        }
        assert_eq!((survey.offenders, survey.newest_offender.as_deref()), (3, Some("T11Z")));
        let watched = |since: &str| Watched { first: survey.clone(), again: None, since: Some(since.to_owned()) };
        assert_eq!((watched("T10.99Z").signs().len(), watched("T11Z").signs().len()), (1, 0));
    }
}
