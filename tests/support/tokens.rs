//! A token server as the distribution project describes it: RS256 tokens with the certificate in `x5c`
//! (<https://distribution.github.io/distribution/spec/auth/jwt/>). openssl signs.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::http::{Request, Response, Server};
use super::tools;

/// Who asks, and with which password; every server of the tests knows this user.
pub(crate) const USER: &str = "tester";
/// The password of [`USER`].
pub(crate) const PASSWORD: &str = "correct-horse";
/// The `service` and the `issuer` of the tokens.
pub(crate) const SERVICE: &str = "shipproof-tests";

/// A running token server.
pub(crate) struct TokenServer {
    server: Server,
    certificate: PathBuf,
}

impl TokenServer {
    /// Makes a key in `folder` and serves tokens signed with it to [`USER`].
    pub(crate) fn start(folder: &Path) -> Self {
        let signer = Signer::new(folder);
        let certificate = signer.certificate.clone();
        let server = Server::start(move |_, request| answer(&signer, request));
        Self { server, certificate }
    }

    /// The URL at which tokens are given.
    pub(crate) fn realm(&self) -> String {
        format!("http://{}/token", self.server.host())
    }

    /// The certificate that a registry has to trust.
    pub(crate) fn certificate(&self) -> &Path {
        &self.certificate
    }
}

fn answer(signer: &Signer, request: &Request) -> Response {
    let known = request.basic().is_some_and(|(user, password)| user == USER && password == PASSWORD);
    if !known {
        return Response::json(401, &json!({ "details": "incorrect username or password" }));
    }
    let access: Vec<Value> = request.query("scope").iter().filter_map(|scope| grant(scope)).collect();
    let token = signer.token(&json!(access));
    Response::json(200, &json!({ "token": token, "access_token": token, "expires_in": 300 }))
}

/// `repository:team/app:pull,push` as the token's `access` says it.
fn grant(scope: &str) -> Option<Value> {
    let (rest, actions) = scope.rsplit_once(':')?;
    let (kind, name) = rest.split_once(':')?;
    Some(json!({ "type": kind, "name": name, "actions": actions.split(',').collect::<Vec<_>>() }))
}

struct Signer {
    home: PathBuf,
    key: PathBuf,
    certificate: PathBuf,
}

impl Signer {
    fn new(folder: &Path) -> Self {
        let (key, certificate) = (folder.join("token.key"), folder.join("token.pem"));
        let mut command = tools::command("openssl", folder);
        command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=shipproof tokens"]);
        tools::run(command.arg("-keyout").arg(&key).arg("-out").arg(&certificate));
        Self { home: folder.to_owned(), key, certificate }
    }

    fn token(&self, access: &Value) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs();
        let header = json!({ "typ": "JWT", "alg": "RS256", "x5c": [STANDARD.encode(self.certificate_der())] });
        let claims = json!({
            "iss": SERVICE, "sub": USER, "aud": SERVICE, "exp": now + 300, "nbf": now - 60, "iat": now,
            "jti": now.to_string(), "access": access,
        });
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn certificate_der(&self) -> Vec<u8> {
        let mut command = tools::command("openssl", &self.home);
        tools::run(command.args(["x509", "-outform", "der", "-in"]).arg(&self.certificate))
    }

    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let file = NamedTempFile::new_in(&self.home).expect("a temporary file");
        std::fs::write(file.path(), bytes).expect("the file can be written");
        let mut command = tools::command("openssl", &self.home);
        tools::run(command.args(["dgst", "-sha256", "-binary", "-sign"]).arg(&self.key).arg(file.path()))
    }
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
