//! SLSA provenance: what a builder attests of the source it built.
//!
//! BuildKit attaches it to the index (docs.docker.com, "SLSA definitions"), other builders refer to the image from a
//! manifest of their own. It comes as an in-toto statement, bare or in a DSSE envelope. Signatures are not checked:
//! a claim decides nothing here.

use base64::Engine as _;
use serde::Deserialize;
use serde_json::Value;

use super::{Claim, Meaning};

/// BuildKit's own part of the metadata in SLSA v0.2.
const BUILDKIT_METADATA: &str = "https://mobyproject.org/buildkit@v1#metadata";

/// What predicate types of SLSA provenance begin with; `v0.1`, `v0.2` or `v1` follows.
const PROVENANCE: &str = "https://slsa.dev/provenance/v";

/// An in-toto statement, as far as it is read.
#[derive(Clone, Debug, Deserialize)]
pub struct Statement {
    /// What kind of predicate it is, an address.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    #[serde(default)]
    predicate: Value,
}

/// The forms in which statements are kept.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Statement(Statement),
    Envelope(Envelope),
    Bundle {
        #[serde(rename = "dsseEnvelope")]
        envelope: Envelope,
    },
}

#[derive(Deserialize)]
struct Envelope {
    payload: String,
}

impl Statement {
    /// Reads a statement, bare, in a DSSE envelope or in a sigstore bundle with one; `None` for anything else.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match serde_json::from_slice(bytes).ok()? {
            Stored::Statement(statement) => Some(statement),
            Stored::Envelope(envelope) | Stored::Bundle { envelope } => {
                let payload = base64::engine::general_purpose::STANDARD.decode(envelope.payload).ok()?;
                serde_json::from_slice(&payload).ok()
            }
        }
    }
}

/// The claims of a statement, each once; none unless it is SLSA provenance.
pub fn from_statement(statement: &Statement) -> Vec<Claim> {
    let Some(version) = statement.predicate_type.strip_prefix(PROVENANCE) else { return Vec::new() };
    let predicate = &statement.predicate;
    let metadata = match predicate.pointer("/runDetails/metadata") {
        Some(metadata) => metadata.get("buildkit_metadata"),
        None => predicate.get("metadata").and_then(|metadata| metadata.get(BUILDKIT_METADATA)),
    };
    let mut claims = Vec::new();
    let mut add = |meaning, value: Option<&str>| {
        let source = format!("provenance SLSA v{version}");
        let value = value.filter(|value| !value.is_empty());
        claims.extend(value.map(|value| Claim { source, meaning, value: value.to_owned(), inherited: false }));
    };
    let vcs = |name| metadata?.get("vcs")?.get(name)?.as_str();
    add(Meaning::Revision, vcs("revision"));
    add(Meaning::Repository, vcs("source"));
    for source in sources(predicate) {
        add(Meaning::Revision, git_commit(source));
        add(Meaning::Repository, git_commit(source).and(source.get("uri")).and_then(Value::as_str));
    }
    let mut unique: Vec<Claim> = Vec::new();
    for claim in claims {
        if !unique.contains(&claim) {
            unique.push(claim);
        }
    }
    unique
}

/// The sources of a build that may be git commits: what it was configured by, and what it read. Images are among the
/// latter, and have no commit.
fn sources(predicate: &Value) -> impl Iterator<Item = &Value> {
    let configured = ["/invocation/configSource", "/buildDefinition/externalParameters/configSource"];
    let read = ["/materials", "/buildDefinition/resolvedDependencies"];
    let configured = configured.into_iter().filter_map(|place| predicate.pointer(place));
    let read = read.into_iter().filter_map(|place| predicate.pointer(place)?.as_array()).flatten();
    configured.chain(read)
}

fn git_commit(source: &Value) -> Option<&str> {
    let digest = source.get("digest")?;
    // `sha1` is SLSA v0.2's word, `gitCommit` SLSA v1's (and Cloud Build's).
    ["gitCommit", "sha1"].into_iter().find_map(|name| digest.get(name)?.as_str())
}
