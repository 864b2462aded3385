//! A registry in this process that behaves as Google Artifact Registry does, as far as public reports tell, and that
//! misbehaves on demand. Each behaviour names the report it was taken from; none was measured by us.
//!
//! - Everything wants a Bearer token, whose challenge names `realm`, `service` and `scope`. Tokens are given for the
//!   user `oauth2accesstoken` with an access token, and for `_json_key` or `_json_key_base64` with a key file
//!   (<https://docs.cloud.google.com/artifact-registry/docs/docker/authentication>).
//! - An anonymous client is refused with 403, at the token server already
//!   (<https://github.com/docker/login-action/issues/606>); the text does not tell "forbidden" from "not there"
//!   (<https://github.com/google-github-actions/auth/issues/50>).
//! - A blob is answered with 302 and a *relative* `Location` on the same host, kilobytes long, which asks for no
//!   `Authorization` (<https://github.com/ahmetb/serverless-registry-proxy/issues/8>,
//!   <https://github.com/sonatype/nexus-public/issues/1061>).
//! - A closed range is honoured without `Accept-Ranges` being advertised
//!   (<https://github.com/anchore/stereoscope/issues/695>, measured at gcr.io); other ranges are ignored.
//! - Referrers are redirected to a login page (<https://github.com/awslabs/soci-snapshotter/blob/main/docs/registry.md>).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::cli::Shipproof;
use super::http::{Request, Response, Server};
use super::layers::digest_of;
use super::tools;

/// The access token that the token endpoint takes from the user `oauth2accesstoken`.
pub(crate) const ACCESS_TOKEN: &str = "ya29.a-token-of-the-tests";
/// The `client_email` of the key file that it takes from the user `_json_key`.
pub(crate) const KEY_EMAIL: &str = "reader@tests.iam.gserviceaccount.com";
/// The repository that is served: `project/repository/image`.
pub(crate) const REPOSITORY: &str = "box-scores/services/phase3";

/// Shorter and longer ones were seen; most tests use the longest.
const DOWNLOAD_TOKEN: usize = 8_000;
const DENIED: &str = "Permission \"artifactregistry.repositories.downloadArtifacts\" denied on resource \
                      \"projects/box-scores/locations/us-west2/repositories/services\" (or it may not exist)";

/// Which request a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// `GET /v2/`.
    Ping,
    /// The token endpoint.
    Token,
    /// A manifest by tag or digest.
    Manifest,
    /// A blob, before its redirect.
    Blob,
    /// Where the redirect leads.
    Download,
    /// Everything else.
    Other,
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// A status code, with `Retry-After` in seconds where given.
    Status(u16, Option<u64>),
    /// The connection is closed after so many bytes of the body.
    Cut(usize),
    /// The last byte of the body is another one.
    WrongBytes,
    /// `Docker-Content-Digest` names other content.
    WrongDigestHeader,
    /// 302 to this location instead of an answer.
    Redirect(String),
    /// Nothing comes for so long in the middle of the body.
    Stall(Duration),
    /// The body is this.
    Body(Vec<u8>),
    /// 401 as if the token had expired.
    Expired,
    /// All bytes, though only a range was asked for.
    Whole,
    /// The answer is changed like this.
    Change(fn(Response) -> Response),
}

/// A request, and what it was for.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// What it was for.
    pub(crate) phase: Phase,
    /// The request itself.
    pub(crate) request: Request,
    /// The status that it got.
    pub(crate) status: u16,
    /// Bytes of the body that it got.
    pub(crate) bytes: usize,
}

/// A running server; dropping it ends it.
pub(crate) struct ArtifactRegistry {
    server: Server,
    state: Arc<State>,
}

struct State {
    layout: PathBuf,
    downloads: Mutex<BTreeMap<String, String>>,
    faults: Mutex<BTreeMap<Phase, Vec<(Fault, usize)>>>,
    tokens: Mutex<Vec<String>>,
    recorded: Mutex<Vec<Recorded>>,
}

impl ArtifactRegistry {
    /// Serves an OCI layout folder as [`REPOSITORY`]. The folder is read at each request.
    pub(crate) fn serve(layout: &Path) -> Self {
        let state = Arc::new(State {
            layout: layout.to_owned(),
            downloads: Mutex::default(),
            faults: Mutex::default(),
            tokens: Mutex::default(),
            recorded: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        Self { server: Server::start(move |host, request| shared.serve(host, request)), state }
    }

    /// `127.0.0.1:<port>`.
    pub(crate) fn host(&self) -> String {
        self.server.host()
    }

    /// The reference of a tag.
    pub(crate) fn reference(&self, tag: &str) -> String {
        format!("{}/{REPOSITORY}:{tag}", self.host())
    }

    /// A Docker `config.json` with the access token, as `gcloud auth print-access-token | docker login` leaves it.
    pub(crate) fn docker_config(&self) -> String {
        let auth = STANDARD.encode(format!("oauth2accesstoken:{ACCESS_TOKEN}"));
        json!({ "auths": { self.host(): { "auth": auth } } }).to_string()
    }

    /// Writes that configuration where `user` looks for it.
    pub(crate) fn log_in(&self, user: &Shipproof) {
        let folder = user.home().join(".docker");
        fs::create_dir_all(&folder).expect("the folder can be made");
        tools::write_private(&folder.join("config.json"), self.docker_config());
    }

    /// Makes the next `times` requests of `phase` go wrong, after the faults that wait already.
    pub(crate) fn fault(&self, phase: Phase, fault: Fault, times: usize) {
        lock(&self.state.faults).entry(phase).or_default().push((fault, times));
    }

    /// Makes all requests of `phase` go wrong.
    pub(crate) fn always(&self, phase: Phase, fault: Fault) {
        self.fault(phase, fault, usize::MAX);
    }

    /// Forgets all tokens given out, as if they had expired.
    pub(crate) fn expire_tokens(&self) {
        lock(&self.state.tokens).clear();
    }

    /// All requests so far, in their order.
    pub(crate) fn recorded(&self) -> Vec<Recorded> {
        lock(&self.state.recorded).clone()
    }

    /// The requests of one phase.
    pub(crate) fn recorded_for(&self, phase: Phase) -> Vec<Recorded> {
        self.recorded().into_iter().filter(|entry| entry.phase == phase).collect()
    }
}

impl State {
    fn serve(&self, host: &str, request: &Request) -> Response {
        let phase = phase_of(request.path());
        let fault = self.next_fault(phase);
        let response = match fault {
            Some(Fault::Expired) => challenge(host, scope_of(phase)),
            Some(Fault::Status(status, after)) => failure(status, after),
            Some(Fault::Redirect(location)) => Response::new(302, "").header("Location", location),
            Some(Fault::Whole) => {
                let mut request = request.clone();
                request.headers.retain(|(name, _)| name != "range");
                self.honest(host, phase, &request)
            }
            fault => spoil(self.honest(host, phase, request), fault),
        };
        let entry = Recorded { phase, request: request.clone(), status: response.status, bytes: response.body.len() };
        lock(&self.recorded).push(entry);
        response
    }

    fn next_fault(&self, phase: Phase) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let waiting = faults.get_mut(&phase)?;
        let (fault, times) = waiting.first_mut()?;
        let current = fault.clone();
        *times -= 1;
        if *times == 0 {
            waiting.remove(0);
        }
        Some(current)
    }

    fn honest(&self, host: &str, phase: Phase, request: &Request) -> Response {
        match phase {
            Phase::Token => self.token(request),
            Phase::Download => self.download(request),
            _ if !self.authorised(request) => challenge(host, scope_of(phase)),
            Phase::Ping => Response::json(200, &json!({})),
            _ => self.repository(phase, request),
        }
    }

    fn authorised(&self, request: &Request) -> bool {
        request.bearer().is_some_and(|token| lock(&self.tokens).iter().any(|known| known == token))
    }

    fn token(&self, request: &Request) -> Response {
        if request.method != "GET" {
            return failure(404, None);
        }
        match request.basic() {
            None => failure(403, None),
            Some((user, password)) if is_known(&user, &password) => {
                let mut tokens = lock(&self.tokens);
                // Opaque on purpose: not every registry's token is a JWT.
                let token = format!("opaque.{}", digest_of(format!("token {}", tokens.len()).as_bytes()));
                tokens.push(token.clone());
                Response::json(200, &json!({ "token": token, "expires_in": 43_199 }))
            }
            Some(_) => errors(401, "UNAUTHORIZED", "authentication failed"),
        }
    }

    fn repository(&self, phase: Phase, request: &Request) -> Response {
        let rest = request.path().strip_prefix(&format!("/v2/{REPOSITORY}/"));
        let (Some(rest), "GET" | "HEAD") = (rest, request.method.as_str()) else {
            return failure(403, None);
        };
        let name = rest.rsplit_once('/').map_or("", |(_, name)| name);
        match (phase, rest) {
            (Phase::Manifest, _) => self.manifest(name),
            (Phase::Blob, _) => self.blob(name),
            (_, "tags/list") => Response::json(200, &json!({ "name": REPOSITORY, "tags": self.tags() })),
            (_, _) if rest.starts_with("referrers/") => {
                Response::new(302, "").header("Location", "https://accounts.google.com/ServiceLogin")
            }
            _ => failure(404, None),
        }
    }

    fn manifest(&self, name: &str) -> Response {
        let digest = if name.contains(':') { Some(name.to_owned()) } else { self.resolve(name) };
        let bytes = digest.as_deref().and_then(|digest| self.bytes(digest));
        let (Some(digest), Some(bytes)) = (digest, bytes) else {
            return errors(404, "MANIFEST_UNKNOWN", "Failed to fetch the manifest");
        };
        let parsed: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let media_type = parsed["mediaType"].as_str().unwrap_or("application/vnd.oci.image.manifest.v1+json");
        Response::new(200, bytes).header("Content-Type", media_type).header("Docker-Content-Digest", digest)
    }

    fn blob(&self, digest: &str) -> Response {
        if self.bytes(digest).is_none() {
            return errors(404, "BLOB_UNKNOWN", "blob unknown to registry");
        }
        let token = download_token(digest);
        let location = format!("/artifacts-downloads/namespaces/box-scores/repositories/services/downloads/{token}");
        lock(&self.downloads).insert(token, digest.to_owned());
        Response::new(302, "").header("Location", location)
    }

    fn download(&self, request: &Request) -> Response {
        let token = request.path().rsplit_once('/').map_or("", |(_, token)| token);
        let digest = lock(&self.downloads).get(token).cloned();
        let Some(bytes) = digest.and_then(|digest| self.bytes(&digest)) else {
            return Response::new(404, "not found");
        };
        match request.header("range").and_then(|range| closed_range(range, bytes.len())) {
            Some((first, last)) => Response::new(206, &bytes[first..=last])
                .header("Content-Range", format!("bytes {first}-{last}/{}", bytes.len())),
            None => Response::new(200, bytes),
        }
        .header("Content-Type", "application/octet-stream")
    }

    fn index(&self) -> Vec<Value> {
        let bytes = fs::read(self.layout.join("index.json")).expect("the layout has an index.json");
        let index: Value = serde_json::from_slice(&bytes).expect("index.json is JSON");
        index["manifests"].as_array().cloned().unwrap_or_default()
    }

    fn tags(&self) -> Vec<String> {
        self.index().iter().filter_map(tag_of).collect()
    }

    fn resolve(&self, tag: &str) -> Option<String> {
        let descriptor = self.index().into_iter().find(|entry| tag_of(entry).as_deref() == Some(tag))?;
        descriptor["digest"].as_str().map(str::to_owned)
    }

    fn bytes(&self, digest: &str) -> Option<Vec<u8>> {
        let hex = digest.strip_prefix("sha256:").filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        fs::read(self.layout.join("blobs/sha256").join(hex)).ok()
    }
}

fn phase_of(path: &str) -> Phase {
    match path {
        "/v2/" | "/v2" => Phase::Ping,
        "/v2/token" => Phase::Token,
        _ if path.starts_with("/artifacts-downloads/") => Phase::Download,
        _ if path.contains("/manifests/") => Phase::Manifest,
        _ if path.contains("/blobs/") => Phase::Blob,
        _ => Phase::Other,
    }
}

fn tag_of(descriptor: &Value) -> Option<String> {
    descriptor["annotations"]["org.opencontainers.image.ref.name"].as_str().map(str::to_owned)
}

fn scope_of(phase: Phase) -> Option<String> {
    (phase != Phase::Ping).then(|| format!("repository:{REPOSITORY}:pull"))
}

fn challenge(host: &str, scope: Option<String>) -> Response {
    let scope = scope.map_or(String::new(), |scope| format!(",scope=\"{scope}\""));
    let challenge = format!("Bearer realm=\"http://{host}/v2/token\",service=\"{host}\"{scope}");
    errors(401, "UNAUTHORIZED", "Unauthenticated request.").header("WWW-Authenticate", challenge)
}

fn failure(status: u16, retry_after: Option<u64>) -> Response {
    let response = match status {
        403 => errors(403, "DENIED", DENIED),
        404 => errors(404, "NAME_UNKNOWN", "Repository not found"),
        429 => errors(429, "TOOMANYREQUESTS", "Quota exceeded"),
        _ => errors(status, "UNKNOWN", "the server is not well"),
    };
    match retry_after {
        Some(seconds) => response.header("Retry-After", seconds.to_string()),
        None => response,
    }
}

fn errors(status: u16, code: &str, message: &str) -> Response {
    Response::json(status, &json!({ "errors": [{ "code": code, "message": message }] }))
}

fn spoil(mut response: Response, fault: Option<Fault>) -> Response {
    match fault {
        Some(Fault::Cut(length)) => response.cut = Some(length),
        Some(Fault::Stall(time)) => response.stall = Some(time),
        Some(Fault::Body(body)) => response.body = body,
        Some(Fault::Change(change)) => response = change(response),
        Some(Fault::WrongBytes) => {
            if let Some(last) = response.body.last_mut() {
                *last ^= 1;
            }
        }
        Some(Fault::WrongDigestHeader) => {
            response.headers.retain(|(name, _)| name != "Docker-Content-Digest");
            response = response.header("Docker-Content-Digest", digest_of(b"other content"));
        }
        // The others took the place of the answer before it was made.
        Some(Fault::Status(..) | Fault::Redirect(_) | Fault::Expired | Fault::Whole) | None => {}
    }
    response
}

fn is_known(user: &str, password: &str) -> bool {
    match user {
        "oauth2accesstoken" => password == ACCESS_TOKEN,
        "_json_key" => is_key(password.as_bytes()),
        "_json_key_base64" => STANDARD.decode(password).is_ok_and(|key| is_key(&key)),
        _ => false,
    }
}

fn is_key(text: &[u8]) -> bool {
    serde_json::from_slice::<Value>(text).is_ok_and(|key| key["client_email"] == KEY_EMAIL)
}

/// A long token that is the same for the same blob.
fn download_token(digest: &str) -> String {
    let seed = digest_of(format!("download {digest}").as_bytes());
    let hex = seed.strip_prefix("sha256:").unwrap_or(&seed);
    hex.chars().cycle().take(DOWNLOAD_TOKEN).collect()
}

/// First and last byte of `bytes=N-M` that lies in a body of `length` bytes; `M` may be behind its end.
fn closed_range(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && first < length).then(|| (first, last.min(length - 1)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no handler panics while it holds the lock")
}
