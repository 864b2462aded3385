//! The real `docker-registry` on a free loopback port, in the modes in which registries are run.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tempfile::TempDir;

use super::tokens::{PASSWORD, SERVICE, TokenServer, USER};
use super::tools;

/// The entry of [`USER`] with [`PASSWORD`], in bcrypt; made by crypt(3), in the form of `htpasswd -B`.
const HTPASSWD: &str = "tester:$2y$05$abcdefghijklmnopqrstuuZ0Fx87Pb/Aqb0E90lfvCwzXnaFKUHpS";
/// A registry that has not said where it listens after this time will not.
const START: Duration = Duration::from_secs(20);
const TICK: Duration = Duration::from_millis(20);

/// What a registry asks of its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Plain http, no credentials.
    Plain,
    /// Plain http, Basic with a bcrypt file.
    Htpasswd,
    /// https with a certificate of a private CA, no credentials.
    Tls,
    /// Plain http, Bearer with tokens of a [`TokenServer`].
    Token,
}

/// A running registry; dropping it ends the server and removes its files.
pub(crate) struct Registry {
    mode: Mode,
    address: String,
    child: Child,
    tokens: Option<TokenServer>,
    folder: TempDir,
}

impl Registry {
    /// Starts a registry, or says which program is missing.
    pub(crate) fn start(mode: Mode) -> Option<Self> {
        if !tools::require_all(&[tools::DOCKER_REGISTRY, tools::SKOPEO, tools::OPENSSL]) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let tokens = (mode == Mode::Token).then(|| TokenServer::start(folder.path()));
        if mode == Mode::Tls {
            make_certificates(folder.path());
        }
        let config = config(mode, folder.path(), tokens.as_ref());
        fs::write(folder.path().join("config.yml"), config).expect("the configuration can be written");
        let mut child = spawn(folder.path());
        let address = wait_for_address(&mut child, &folder.path().join("log"));
        Some(Self { mode, address, child, tokens, folder })
    }

    /// `127.0.0.1:<port>`.
    pub(crate) fn host(&self) -> &str {
        &self.address
    }

    /// `http://` or `https://`, and the host.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.mode == Mode::Tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The reference of `name` in this registry, as `shipproof` takes it.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// The certificate of the private CA, in PEM.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("certs/ca.crt")
    }

    /// Where tokens come from, in the token mode.
    pub(crate) fn realm(&self) -> Option<String> {
        self.tokens.as_ref().map(TokenServer::realm)
    }

    /// A Docker `config.json` with the password for this registry.
    pub(crate) fn auth_file(&self) -> PathBuf {
        let auth = STANDARD.encode(format!("{USER}:{PASSWORD}"));
        let path = self.folder.path().join("auth.json");
        let config = json!({ "auths": { &self.address: { "auth": auth } } });
        tools::write_private(&path, config.to_string());
        path
    }

    /// Copies an image with all its platforms, unchanged, from a skopeo reference (`oci:DIR:TAG`, …) to `name`, which
    /// is `NAME:TAG`. Gives the digest of what was pushed.
    pub(crate) fn push(&self, source: &str, name: &str) -> String {
        let digest = self.folder.path().join("digest");
        let mut command = self.skopeo();
        command.args(["copy", "--quiet", "--all", "--preserve-digests", "--digestfile"]).arg(&digest);
        match self.mode {
            Mode::Tls => command.arg("--dest-cert-dir").arg(self.folder.path().join("certs")),
            _ => command.arg("--dest-tls-verify=false"),
        };
        tools::run(command.arg(source).arg(format!("docker://{}", self.reference(name))));
        fs::read_to_string(digest).expect("skopeo writes the digest").trim().to_owned()
    }

    /// The file that holds a blob or a manifest, so that a test can change its bytes behind the registry's back.
    pub(crate) fn blob_file(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").expect("a sha256 digest");
        self.folder.path().join(format!("data/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]))
    }

    fn skopeo(&self) -> Command {
        let mut command = tools::command("skopeo", self.folder.path());
        command.arg("--insecure-policy").env("REGISTRY_AUTH_FILE", self.auth_file());
        command
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn spawn(folder: &Path) -> Child {
    let log = File::create(folder.join("log")).expect("the log can be made");
    let mut command = tools::command("docker-registry", folder);
    command.arg("serve").arg(folder.join("config.yml")).stdin(Stdio::null());
    command.stdout(log.try_clone().expect("a file can be shared")).stderr(log);
    command.spawn().expect("docker-registry starts")
}

/// The registry binds a free port by itself and says which one in its log, so that no port is ever taken twice.
fn wait_for_address(child: &mut Child, log: &Path) -> String {
    let until = Instant::now() + START;
    loop {
        let text = fs::read_to_string(log).unwrap_or_default();
        if let Some(address) = listening_address(&text) {
            return address;
        }
        let ended = child.try_wait().expect("a child can be asked");
        assert!(ended.is_none() && Instant::now() < until, "docker-registry does not listen:\n{text}");
        thread::sleep(TICK);
    }
}

fn listening_address(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("listening on ")?;
    let end = rest.find(|byte: char| !byte.is_ascii_digit() && byte != '.' && byte != ':')?;
    Some(rest[..end].to_owned())
}

fn config(mode: Mode, folder: &Path, tokens: Option<&TokenServer>) -> String {
    let folder = folder.display();
    let http = match mode {
        Mode::Tls => {
            format!(
                "\n  tls:\n    certificate: {folder}/certs/server/server.crt\n    key: {folder}/certs/server/server.key"
            )
        }
        _ => String::new(),
    };
    let auth = match (mode, tokens) {
        (Mode::Htpasswd, _) => htpasswd_config(&folder.to_string()),
        (Mode::Token, Some(tokens)) => token_config(tokens),
        _ => String::new(),
    };
    format!(
        "version: 0.1\nlog:\n  accesslog:\n    disabled: true\n  level: info\nstorage:\n  filesystem:\n    \
         rootdirectory: {folder}/data\n  delete:\n    enabled: true\nhttp:\n  addr: 127.0.0.1:0{http}\n{auth}"
    )
}

fn htpasswd_config(folder: &str) -> String {
    fs::write(format!("{folder}/htpasswd"), format!("{HTPASSWD}\n")).expect("the file can be written");
    format!("auth:\n  htpasswd:\n    realm: shipproof tests\n    path: {folder}/htpasswd\n")
}

fn token_config(tokens: &TokenServer) -> String {
    format!(
        "auth:\n  token:\n    realm: {}\n    service: {SERVICE}\n    issuer: {SERVICE}\n    rootcertbundle: {}\n",
        tokens.realm(),
        tokens.certificate().display()
    )
}

/// A private CA, and a server certificate for 127.0.0.1 and localhost, in `folder`/certs.
fn make_certificates(folder: &Path) {
    let certs = folder.join("certs");
    fs::create_dir(&certs).expect("an empty temporary folder");
    let settings = "[req]\ndistinguished_name = name\n[name]\n\
                    [ca]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign\n\
                    [server]\nbasicConstraints = critical,CA:FALSE\nextendedKeyUsage = serverAuth\n\
                    subjectAltName = IP:127.0.0.1,DNS:localhost\n";
    fs::write(certs.join("openssl.cnf"), settings).expect("the file can be written");
    let new = "req -x509 -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    let ca = "-extensions ca -keyout ca.key -out ca.crt -subj /CN=shipproof-test-ca";
    let server = "-extensions server -CA ca.crt -CAkey ca.key -keyout server.key -out server.crt -subj /CN=localhost";
    for rest in [ca, server] {
        let mut command = tools::command("openssl", folder);
        command.current_dir(&certs).args(new.split(' ')).args(rest.split(' '));
        tools::run(&mut command);
    }
    // skopeo takes every .key in a certificate folder for a client's.
    fs::remove_file(certs.join("ca.key")).expect("the CA's key was made");
    fs::create_dir(certs.join("server")).expect("a new name");
    for name in ["server.key", "server.crt"] {
        fs::rename(certs.join(name), certs.join("server").join(name)).expect("the file was made");
    }
}
