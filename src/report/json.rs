//! The report for programs. Adding a field is free; renaming or removing one changes `schema_version`.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::Serialize;

use crate::blob::BlobId;
use crate::compare::{Finding, Status};
use crate::error::Error;
use crate::image::Image;
use crate::mapping::Mapping;
use crate::platform::Platform;
use crate::verify::PlatformResult;

use super::head::{Head, SCHEMA_VERSION, Tool};
use super::identity::IdentityReport;
use super::reasons::{CauseReport, ClaimReport, PastReport};
use super::{Answer, Question, failure, step_of};

/// The image of a report about one platform.
#[derive(Debug, Serialize)]
pub struct OneImage<'a> {
    /// The image, as asked.
    pub reference: &'a str,
    /// The same by digest.
    pub pinned: &'a str,
    /// The platform looked at.
    pub platform: &'a Platform,
    /// What its source warned of.
    pub warnings: Vec<String>,
}

/// The report of a comparison.
#[derive(Serialize)]
pub(super) struct VerificationReport<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    verdict: &'static str,
    cause: Option<CauseReport<'a>>,
    counts: BTreeMap<&'static str, usize>,
    mappings: Vec<MappingReport>,
    findings: Vec<FindingReport<'a>>,
    identities: Vec<IdentityReport<'a>>,
    claims: Vec<ClaimReport<'a>>,
    warnings: Vec<String>,
    error: Option<ErrorReport>,
}

#[derive(Serialize)]
struct MappingReport {
    platform: String,
    image: Path,
    repo: Path,
    origin: &'static str,
    files: usize,
    equal: usize,
}

#[derive(Serialize)]
struct FindingReport<'a> {
    status: &'static str,
    platform: String,
    repo_path: Option<Path>,
    image_path: Path,
    image_blob: Option<BlobId>,
    repo_blob: Option<BlobId>,
    sha256: Option<String>,
    size: Option<u64>,
    layer: Option<LayerReport<'a>>,
    commit: Option<PastReport<'a>>,
    note: Option<&'a str>,
}

/// A layer, by what tells it apart.
#[derive(Serialize)]
pub(super) struct LayerReport<'a> {
    index: usize,
    digest: String,
    step: Option<String>,
    created: Option<&'a str>,
}

/// Why there is no answer.
#[derive(Serialize)]
pub(super) struct ErrorReport {
    kind: &'static str,
    message: String,
    hint: Option<String>,
}

/// A path: text where it is UTF-8, else its bytes in base64, so that nothing is lost.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Path {
    Text(String),
    Bytes { bytes: String },
}

impl Path {
    pub(super) fn new(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes { bytes: base64::engine::general_purpose::STANDARD.encode(bytes) },
        }
    }

    /// A path of the image, from its root.
    pub(super) fn in_image(path: &crate::path::ImagePath) -> Self {
        Self::new(&[b"/", path.as_bytes()].concat())
    }

    /// A path of the repository; the top is `.`.
    fn in_repo(path: &crate::path::RepoPath) -> Self {
        Self::new(if path.is_root() { b"." } else { path.as_bytes() })
    }
}

/// The finished answer. Files that are plainly the same are listed only when `everything` is asked for.
pub fn verification_json(answer: &Answer<'_>, everything: bool) -> Vec<u8> {
    to_bytes(&VerificationReport::new(answer, everything))
}

/// The report of a question without an answer; `warnings` came before the error.
pub fn unknown_json(question: &Question, error: &Error, warnings: Vec<String>) -> Vec<u8> {
    to_bytes(&VerificationReport::unknown(question, error, warnings))
}

impl<'a> VerificationReport<'a> {
    /// Of an answer.
    pub(super) fn new(answer: &'a Answer<'_>, everything: bool) -> Self {
        let verification = answer.verification;
        let shown = |finding: &&Finding| everything || finding.status != Status::Same;
        let findings = verification.platforms.iter().flat_map(|result| {
            result.findings.iter().filter(shown).map(|finding| finding_report(&result.image, finding))
        });
        Self {
            head: Head::new(answer),
            verdict: if verification.agrees() { "match" } else { "mismatch" },
            cause: verification.cause().map(CauseReport::new),
            counts: counts(answer),
            mappings: verification.platforms.iter().flat_map(mapping_reports).collect(),
            findings: findings.collect(),
            identities: verification.platforms.iter().filter_map(IdentityReport::new).collect(),
            claims: verification.platforms.iter().flat_map(claim_reports).collect(),
            warnings: verification.warnings(),
            error: None,
        }
    }

    /// Of a question without one.
    pub(super) fn unknown(question: &'a Question, error: &Error, warnings: Vec<String>) -> Self {
        Self {
            head: Head::unknown(question),
            verdict: "unknown",
            cause: None,
            counts: BTreeMap::new(),
            mappings: Vec::new(),
            findings: Vec::new(),
            identities: Vec::new(),
            claims: Vec::new(),
            warnings,
            error: Some(ErrorReport::new(error)),
        }
    }
}

impl ErrorReport {
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(super) fn new(error: &Error) -> Self {
        let (kind, message, hint) = failure(error);
        Self { kind, message, hint }
    }
}

/// The report of a command that looks into images and failed; `warnings` came before the error.
pub fn failure_json(error: &Error, warnings: Vec<String>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Report {
        schema_version: u32,
        tool: Tool,
        warnings: Vec<String>,
        error: ErrorReport,
    }
    let error = ErrorReport::new(error);
    to_bytes(&Report { schema_version: SCHEMA_VERSION, tool: Tool::OWN, warnings, error })
}

fn counts(answer: &Answer<'_>) -> BTreeMap<&'static str, usize> {
    let mut counts = answer.counts();
    counts.insert("compared", answer.verification.compared());
    counts
}

fn mapping_reports(result: &PlatformResult) -> impl Iterator<Item = MappingReport> {
    let platform = result.image.platform.to_string();
    result.plan.mappings.iter().map(move |mapping: &Mapping| MappingReport {
        platform: platform.clone(),
        image: Path::in_image(&mapping.image),
        repo: Path::in_repo(&mapping.repo),
        origin: mapping.origin.name(),
        files: mapping.files,
        equal: mapping.equal,
    })
}

fn claim_reports(result: &PlatformResult) -> impl Iterator<Item = ClaimReport<'_>> {
    result.claims.iter().map(|judged| ClaimReport::new(result.image.platform.to_string(), judged))
}

fn finding_report<'a>(image: &'a Image, finding: &'a Finding) -> FindingReport<'a> {
    let content = finding.file.map(|stored| stored.content);
    FindingReport {
        status: finding.status.name(),
        platform: image.platform.to_string(),
        repo_path: finding.repo.as_ref().map(|(path, _)| Path::in_repo(path)),
        image_path: Path::in_image(&finding.image),
        image_blob: content.map(|content| content.blob),
        repo_blob: finding.repo.as_ref().map(|(_, file)| file.blob),
        sha256: content.map(|content| content.sha256_hex()),
        size: content.map(|content| content.size),
        layer: finding.layer.and_then(|layer| layer_report(image, layer)),
        commit: finding.past.as_ref().map(PastReport::new),
        note: finding.note.as_deref(),
    }
}

/// The layer at a position, with the build step that made it.
pub(super) fn layer_report(image: &Image, index: usize) -> Option<LayerReport<'_>> {
    let layer = image.layers.get(index)?;
    let created = layer.step.as_ref().and_then(|step| step.created.as_deref());
    Some(LayerReport { index, digest: layer.digest().to_string(), step: step_of(image, index), created })
}

/// Pretty JSON with a newline at the end.
pub(super) fn to_bytes(report: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(report).expect("a report has string keys only");
    bytes.push(b'\n');
    bytes
}
