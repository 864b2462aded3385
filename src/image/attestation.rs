//! Attestation manifests: what BuildKit attaches to an index beside the images.

use crate::descriptor::Descriptor;

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
