//! Images in a registry (OCI distribution specification).
//!
//! The registry crate supplies the manifest types. Its client is not used for the requests: it follows redirects from https to http, reads manifests and error pages without a
//! bound, hides `Retry-After`, sends credentials to whatever realm a challenge names, and goes on anonymously when
//! the token server refuses. None of that can be changed from outside, and each is a hole in a verifier, so the two
//! kinds of GET that reading an image takes are made here with the HTTP client underneath.

mod body;
mod session;
mod transport;
mod tries;
mod warning;

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use oci_distribution::manifest::OciImageIndex;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};

use crate::descriptor::Descriptor;
use crate::digest::{Algorithm, Digest, Hasher};
use crate::limits;
use crate::reference::RegistryRef;

use super::{BlobError, Options, RawManifest, Source, SourceError, TlsMode};
use session::Session;

/// What a manifest may be. Registries answer 404 for a manifest whose type is not named here.
const MANIFEST_TYPES: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.5, */*;q=0.1";

/// What lists of referrers are.
const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// An image in a registry.
pub(super) struct Registry {
    name: RegistryRef,
    runtime: tokio::runtime::Handle,
    session: Arc<Session>,
}

impl Registry {
    /// Prepares requests to the registry of `name`; sends none.
    pub(super) fn open(name: &RegistryRef, options: &Options) -> Result<Self, SourceError> {
        let scheme = if options.tls.mode == TlsMode::Plain || plain_loopback(name, options) { "http" } else { "https" };
        let base = format!("{scheme}://{}", name.api_host());
        let session = Session::new(base, name, options);
        Ok(Self { name: name.clone(), runtime: options.runtime.clone(), session: Arc::new(session) })
    }

    /// The bytes, and the digest that the registry says they have.
    fn get_manifest(&self, version: &str) -> Result<(Vec<u8>, Option<Digest>), SourceError> {
        let url = format!("{}/v2/{}/manifests/{version}", self.session.base(), self.name.repository);
        let what = format!("manifest {version} of {}/{}", self.name.host, self.name.repository);
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(MANIFEST_TYPES))]);
        self.runtime.block_on(self.session.read(&url, &headers, &what, limits::MANIFEST_BYTES))
    }

    /// A digest in the header of a tag's manifest proves nothing, and neither does a wrong one: there are caches that put
    /// an old header before new content. What the image is called follows from its bytes alone, but people should know.
    fn check_header(&self, said: Option<Digest>, bytes: &[u8]) {
        if let Some(said) = said.filter(|said| *said != digest_of(bytes, said.algorithm())) {
            let host = &self.name.host;
            let text =
                format!("{host} says {said} of a manifest that has another digest; a cache on the way may be stale");
            self.session.notices().warn(text);
        }
    }
}

fn digest_of(bytes: &[u8], algorithm: Algorithm) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish()
}

/// Registries on this machine mostly speak plain http; one that speaks https is told by `--ca-file` or by
/// `--insecure-skip-tls-verify`, without which its certificate could not be checked anyway.
fn plain_loopback(name: &RegistryRef, options: &Options) -> bool {
    name.is_loopback() && options.tls.mode == TlsMode::Verify && options.tls.ca_file.is_none()
}

impl Source for Registry {
    fn root(&self) -> Result<RawManifest, SourceError> {
        let (bytes, said) = self.get_manifest(&self.name.version())?;
        let asked = self.name.digest.as_ref();
        let digest = digest_of(&bytes, asked.map_or(Algorithm::Sha256, Digest::algorithm));
        if let Some(expected) = asked.filter(|expected| **expected != digest) {
            return Err(BlobError::Digest { expected: expected.clone(), actual: digest }.into());
        }
        if asked.is_none() {
            self.check_header(said, &bytes);
        }
        Ok(RawManifest { bytes, digest })
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        self.get_manifest(&descriptor.digest.to_string()).map(|(bytes, _)| bytes)
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        let url = format!("{}/v2/{}/blobs/{}", self.session.base(), self.name.repository, descriptor.digest);
        Ok(Box::new(body::stream(&self.runtime, Arc::clone(&self.session), url, descriptor.clone())))
    }

    fn range(&self, descriptor: &Descriptor, range: &Range<u64>) -> Result<Option<Vec<u8>>, SourceError> {
        let url = format!("{}/v2/{}/blobs/{}", self.session.base(), self.name.repository, descriptor.digest);
        let what = format!("blob {}", descriptor.digest);
        self.runtime.block_on(self.session.read_range(&url, range, &what))
    }

    /// By the referrers API or, where the registry has none, under the tag that takes its place (distribution-spec,
    /// "Referrers Tag Schema"). Artifact Registry has been seen to answer with a login page, which is no index either.
    fn referrers(&self, digest: &Digest) -> Result<Option<Vec<u8>>, SourceError> {
        let url = format!("{}/v2/{}/referrers/{digest}", self.session.base(), self.name.repository);
        let what = format!("list of referrers of {digest}");
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(INDEX_TYPE))]);
        let answer = self.runtime.block_on(self.session.read(&url, &headers, &what, limits::MANIFEST_BYTES));
        if let Ok((bytes, _)) = answer
            && is_index(&bytes)
        {
            return Ok(Some(bytes));
        }
        match self.get_manifest(&digest.to_string().replace(':', "-")) {
            Ok((bytes, _)) => Ok(Some(bytes).filter(|bytes| is_index(bytes))),
            Err(SourceError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn warnings(&self) -> Vec<String> {
        self.session.notices().warnings()
    }

    fn pinned(&self, digest: &Digest) -> String {
        self.name.pinned(digest)
    }
}

fn is_index(bytes: &[u8]) -> bool {
    serde_json::from_slice::<OciImageIndex>(bytes).is_ok()
}
