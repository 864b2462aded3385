//! One request, with its redirects: what may be followed, what may be sent where, and how much may come back.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;
use std::ops::Range;
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_RANGE, HeaderMap, HeaderValue, LOCATION, RANGE};
use reqwest::{Client, Response, StatusCode, Url};

use crate::digest::Digest;
use crate::limits;
use crate::reference::ImageRef;
use crate::source::{Options, SourceError, TlsMode};

/// How long connecting may take; a registry that needs longer is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a refusal may take to explain itself.
const MESSAGE_TIME: Duration = Duration::from_secs(10);

/// The HTTP client: never follows a redirect and never inflates a body by itself.
pub(super) fn client(options: &Options) -> Result<Client, SourceError> {
    crate::auth::install_crypto_provider();
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("shipproof/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(options.timeout)
        .danger_accept_invalid_certs(options.tls.mode == TlsMode::SkipVerify);
    if let Some(path) = &options.tls.ca_file {
        let pem = std::fs::read(path).map_err(|source| SourceError::File { path: path.clone(), source })?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if certificates.is_empty() {
            return Err(SourceError::Setup(format!("{} holds no PEM certificate", path.display())));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| SourceError::Setup(format!("cannot set up https: {}", reason(&error))))
}

/// Why one attempt failed, and whether another may succeed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Worth another try, after `wait` where the server named a time.
    Transient { error: Box<SourceError>, wait: Option<Duration> },
    /// The address that a redirect led to says no, as it does when its signature has expired. Worth another try from the
    /// start, but only one.
    Refused(Box<SourceError>),
    /// Not worth one.
    Final(SourceError),
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::Final(error)
    }
}

impl Failure {
    /// Whether the token server said no, as opposed to not answering.
    pub(super) fn is_refused_token(&self) -> bool {
        matches!(self, Self::Final(SourceError::Token { .. }))
    }
}

/// Sends one GET and follows its redirects. `authorization` goes to the address asked for and nowhere else, for
/// what a redirect leads to is signed in itself and some storage refuses a second credential.
pub(super) async fn get(
    client: &Client,
    url: &str,
    headers: &HeaderMap,
    authorization: Option<&HeaderValue>,
) -> Result<Response, Failure> {
    let first = parse(url)?;
    let mut target = first.clone();
    for _ in 0..=limits::REDIRECTS {
        let mut request = client.get(target.clone()).headers(headers.clone());
        if let Some(value) = authorization.filter(|_| target == first) {
            request = request.header(AUTHORIZATION, value.clone());
        }
        let response = request.send().await.map_err(|error| network(&target, &error))?;
        match next_hop(&response)? {
            Some(next) => target = next,
            None => return Ok(response),
        }
    }
    let reason = "too many redirects";
    Err(SourceError::Redirect { url: shown(&first), target: shown(&target), reason }.into())
}

fn parse(url: &str) -> Result<Url, SourceError> {
    Url::parse(url).map_err(|error| SourceError::Setup(format!("{url} is not an address: {error}")))
}

/// Where a redirect leads; relative locations are relative to the address that answered.
fn next_hop(response: &Response) -> Result<Option<Url>, Failure> {
    let redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = response.headers().get(LOCATION).filter(|_| redirect) else { return Ok(None) };
    let from = response.url();
    let refuse = |target: String, reason| SourceError::Redirect { url: shown(from), target, reason };
    let text = location.to_str().map_err(|_| refuse(String::new(), "its location is not text"))?;
    let target = from.join(text).map_err(|_| refuse(String::new(), "its location is not an address"))?;
    match target.scheme() {
        "https" => Ok(Some(target)),
        "http" if from.scheme() == "http" => Ok(Some(target)),
        "http" => Err(refuse(shown(&target), "it leaves https").into()),
        _ => Err(refuse(shown(&target), "its scheme is not http").into()),
    }
}

/// An address without what may be secret in it: user, password, query.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for addresses that cannot have them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if is_call(url.path()) {
        return url.to_string();
    }
    // Artifact Registry's signed locations carry their token in the path, and whoever has it needs no other.
    let path = url.path().split('/').map(shortened).collect::<Vec<_>>().join("/");
    url.set_path("");
    format!("{}{path}", url.as_str().trim_end_matches('/'))
}

/// Whether a path is one that registries are asked for, of which no part is secret (distribution-spec, "Endpoints").
fn is_call(path: &str) -> bool {
    let Some(call) = path.strip_prefix("/v2/") else { return false };
    let mut parts = call.rsplitn(3, '/');
    let (Some(version), Some(kind), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return call.is_empty();
    };
    let mark = if version.parse::<Digest>().is_ok() { '@' } else { ':' };
    let reference = format!("registry.invalid/{name}{mark}{version}").parse();
    matches!(kind, "manifests" | "blobs" | "referrers") && matches!(reference, Ok(ImageRef::Registry(_)))
}

/// The beginning of what is too long to be a name.
fn shortened(segment: &str) -> Cow<'_, str> {
    const LONGEST_NAME: usize = 24;
    const BEGINNING: usize = 6;
    let is_name = segment.chars().nth(LONGEST_NAME).is_none();
    if is_name { segment.into() } else { segment.chars().take(BEGINNING).chain(['…']).collect::<String>().into() }
}

/// The headers that ask for the bytes of `range`, which are some. A closed range: some registries answer 416 to an open
/// one.
pub(super) fn range(range: &Range<u64>) -> HeaderMap {
    let text = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
    HeaderMap::from_iter([(RANGE, HeaderValue::from_str(&text).expect("digits are a header"))])
}

/// Which byte of the blob the body begins with; `None` where the answer does not say (RFC 9110, "Content-Range").
pub(super) fn first_byte(response: &Response) -> Option<u64> {
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return Some(0);
    }
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (first, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    first.trim().parse().ok()
}

/// The failure of a connection; certificates that cannot be trusted will not be trusted the next time either.
pub(super) fn network(url: &Url, error: &reqwest::Error) -> Failure {
    let hopeless = is_hopeless(error);
    let error = SourceError::Network { url: shown(url), tries: 1, reason: reason(error) };
    if hopeless { Failure::Final(error) } else { Failure::Transient { error: Box::new(error), wait: None } }
}

/// The failure of an answer whose bytes come too slowly to be waited for.
pub(super) fn too_slow(url: &Url) -> Failure {
    let reason = "it sends too little to ever end; --timeout raises the limit".to_owned();
    SourceError::Network { url: shown(url), tries: 1, reason }.into()
}

/// Whether the same connection would fail the same way again.
pub(super) fn is_hopeless(error: &reqwest::Error) -> bool {
    let mut causes = std::iter::successors(error.source(), |cause| (*cause).source());
    error.is_builder() || causes.any(|cause| is_untrusted(cause) || is_no_host(cause))
}

/// Whether a certificate was refused. What an I/O error wraps is not among the sources that it names.
fn is_untrusted(cause: &(dyn StdError + 'static)) -> bool {
    if let Some(inner) = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        return is_untrusted(inner);
    }
    matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_)))
}

/// Whether there is no such host, as opposed to a resolver that does not answer just now. The standard library passes
/// on the words of `gai_strerror` and no code.
fn is_no_host(cause: &(dyn StdError + 'static)) -> bool {
    let text = cause.to_string();
    text.starts_with("failed to lookup address information") && !text.contains("Temporary failure")
}

/// The innermost reasons of a client error, without its address.
fn reason(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(next) = cause {
        causes.push(next.to_string());
        cause = next.source();
    }
    if error.is_timeout() {
        causes = vec!["no data within the time limit".to_owned()];
    }
    // A wrapper often repeats what it wraps.
    causes.dedup_by(|inner, outer| outer.contains(inner.as_str()));
    if causes.is_empty() { "the request failed".to_owned() } else { causes.join(": ") }
}

/// How the body is packed, other than as it is. Nothing here asks for that, but proxies and storage do it all the same;
/// for a layer that was stored so, the digest is that of the packed bytes.
pub(super) fn coding(response: &Response) -> Option<String> {
    let value = response.headers().get(CONTENT_ENCODING)?;
    let coding = String::from_utf8_lossy(value.as_bytes()).into_owned();
    (!coding.is_empty() && !coding.eq_ignore_ascii_case("identity")).then_some(coding)
}

/// The body, of at most `limit` bytes.
pub(super) async fn bounded_body(response: Response, what: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    let url = response.url().clone();
    if let Some(coding) = coding(&response) {
        return Err(SourceError::Coding { url: shown(&url), coding }.into());
    }
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(SourceError::TooLarge { what: what.to_owned(), limit }.into());
    }
    let mut bytes = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.map_err(|error| network(&url, &error))?);
        if bytes.len() as u64 > limit {
            return Err(SourceError::TooLarge { what: what.to_owned(), limit }.into());
        }
    }
    Ok(bytes)
}

/// An error body of the registry protocol (distribution-spec, "Error Codes"). The codes are not looked at, because
/// registries have some of their own.
#[derive(serde::Deserialize)]
struct Envelope {
    errors: Vec<EnvelopeError>,
}

#[derive(serde::Deserialize)]
struct EnvelopeError {
    code: Option<String>,
    message: Option<String>,
}

impl EnvelopeError {
    fn text(self) -> String {
        self.message.filter(|message| !message.is_empty()).or(self.code).unwrap_or_default()
    }
}

/// What a refusal says, in one line of bounded length: the registry's own error where it sent one. A registry may
/// repeat what it was sent, so `conceal` sees the text first.
pub(super) async fn message(response: Response, conceal: impl Fn(String) -> String) -> String {
    let mut bytes = Vec::new();
    let mut stream = response.bytes_stream();
    let until = tokio::time::Instant::now() + MESSAGE_TIME;
    while let Ok(Some(Ok(chunk))) = tokio::time::timeout_at(until, stream.next()).await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limits::ERROR_BODY_BYTES {
            bytes.truncate(limits::ERROR_BODY_BYTES);
            break;
        }
    }
    if let Ok(envelope) = serde_json::from_slice::<Envelope>(&bytes) {
        let errors: Vec<String> = envelope.errors.into_iter().map(EnvelopeError::text).collect();
        return one_line(&conceal(errors.join("; ")));
    }
    let text = conceal(String::from_utf8_lossy(&bytes).into_owned());
    // A page of HTML says nothing that the status does not.
    if text.trim_start().starts_with('<') { String::new() } else { one_line(&text) }
}

fn one_line(text: &str) -> String {
    const CHARACTERS: usize = 400;
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_lets_people_in() {
        let cases = [
            ("https://u:p@r.example/v2/a/b/manifests/v1?token=t#f", "https://r.example/v2/a/b/manifests/v1"),
            ("https://r.example/v2/", "https://r.example/v2/"),
            (
                "https://r.example/v2/a-long-name-of-a-service-of-ours/manifests/v1",
                "https://r.example/v2/a-long-name-of-a-service-of-ours/manifests/v1",
            ),
            // Storage that a redirect leads to may call its addresses what it likes.
            ("https://s.example/v2/eyJhbGciOiJSUzI1NiIsInR5cCI6/blobs/b", "https://s.example/v2/eyJhbG…/blobs/b"),
            ("https://s.example/get/AbCdEfGhIjKlMnOpQrStUvWxYz", "https://s.example/get/AbCdEf…"),
        ];
        for (address, expected) in cases {
            assert_eq!(shown(&Url::parse(address).expect("an address")), expected);
        }
    }
}
