//! Attestation manifests: what BuildKit attaches to an index beside the images.

use serde::Deserialize;

use oci_distribution::manifest::OciDescriptor;

use crate::descriptor::Descriptor;
use crate::limits;
use crate::source::{self, Source};

use super::{Image, ImageError, Manifest, ManifestError, Opened};

/// Media types of in-toto statements: bare as BuildKit writes them, in an envelope as cosign does, and in a bundle of
/// sigstore's as GitHub does.
const STATEMENTS: [&str; 3] =
    ["application/vnd.in-toto+json", "application/vnd.dsse.envelope.v1+json", "application/vnd.dev.sigstore.bundle"];
/// Which of the statements it is (an address), as BuildKit notes it beside each.
const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";
/// The digest of the image that an attestation manifest speaks of.
const SUBJECT: &str = "vnd.docker.reference.digest";

/// Whether an index entry is an attestation, which is not an image and does not run.
///
/// BuildKit marks them with an annotation and with the platform `unknown/unknown`
/// (moby/buildkit docs/attestations/attestation-storage.md).
pub(super) fn is_attestation(entry: &Descriptor) -> bool {
    let marked = entry.annotations.get("vnd.docker.reference.type").is_some_and(|kind| kind == "attestation-manifest");
    let nowhere =
        entry.platform.as_ref().is_some_and(|platform| platform.os == "unknown" && platform.architecture == "unknown");
    marked || nowhere
}

#[derive(Deserialize)]
struct AttestationManifest {
    #[serde(default)]
    layers: Vec<OciDescriptor>,
}

/// The provenance that the index attests of `image`: in-toto statements, proven but not looked into.
///
/// # Errors
/// See [`ImageError`]. No answer depends on an attestation, so the caller may go on without it.
pub fn provenance(source: &dyn Source, opened: &Opened, image: &Image) -> Result<Vec<Vec<u8>>, ImageError> {
    let subject = image.digest.to_string();
    let about = |entry: &&Descriptor| entry.annotations.get(SUBJECT).is_none_or(|digest| *digest == subject);
    statements_of(source, opened.attestations.iter().filter(about))
}

/// The provenance in manifests that refer to `image`, or to the index that it is from.
///
/// # Errors
/// As [`provenance`].
pub fn referring_provenance(source: &dyn Source, opened: &Opened, image: &Image) -> Result<Vec<Vec<u8>>, ImageError> {
    let mut statements = Vec::new();
    let index = Some(&opened.digest).filter(|digest| **digest != image.digest);
    for digest in index.into_iter().chain([&image.digest]) {
        let Some(bytes) = source.referrers(digest)? else { continue };
        if let Ok(Manifest::Index(entries)) = Manifest::parse(&bytes) {
            statements.extend(statements_of(source, entries.iter().take(limits::REFERRERS))?);
        }
    }
    Ok(statements)
}

fn statements_of<'d>(
    source: &dyn Source,
    manifests: impl Iterator<Item = &'d Descriptor>,
) -> Result<Vec<Vec<u8>>, ImageError> {
    let mut statements = Vec::new();
    for entry in manifests.filter(|entry| source.has(entry)) {
        let bytes = source::manifest(source, entry)?;
        for statement in statements_in(&bytes, entry)?.iter().filter(|statement| is_provenance(statement)) {
            statements.push(source::attestation(source, statement)?);
        }
    }
    Ok(statements)
}

fn statements_in(manifest: &[u8], entry: &Descriptor) -> Result<Vec<Descriptor>, ImageError> {
    let refuse = |reason| ImageError::Manifest { digest: entry.digest.to_string(), reason };
    let manifest: AttestationManifest =
        serde_json::from_slice(manifest).map_err(|error| refuse(ManifestError::Malformed(error.to_string())))?;
    let layers =
        manifest.layers.into_iter().filter(|layer| STATEMENTS.iter().any(|kind| layer.media_type.starts_with(kind)));
    layers.map(Descriptor::try_from).collect::<Result<_, _>>().map_err(|error| refuse(error.into()))
}

/// Statements of other kinds (an SBOM may have many megabytes) are not fetched.
fn is_provenance(statement: &Descriptor) -> bool {
    statement.annotations.get(PREDICATE_TYPE).is_none_or(|kind| kind.starts_with("https://slsa.dev/provenance/"))
}
