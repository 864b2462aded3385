//! Registries as they are run: with and without passwords, tokens and certificates, and on their bad days.
//!
//! Everything that the program writes in these tests is searched for the secrets it was given.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tempfile::TempDir;

use support::artifact_registry::{ACCESS_TOKEN, ArtifactRegistry, Fault, KEY_EMAIL, Phase, Recorded};
use support::cli::{Outcome, Shipproof};
use support::git::Repo;
use support::http::{Request, Response, Server, get};
use support::images::{Image, Layout};
use support::layers::{Compression, Layer, digest_of};
use support::registry::{Mode, Registry};
use support::tokens::{PASSWORD, USER};
use support::tools;

const NAME: &str = "team/app:v1";
const WRONG_PASSWORD: &str = "wrong-battery";
const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----";

fn basic(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

/// A Docker `config.json` with one password.
fn config(host: &str, user: &str, password: &str) -> String {
    json!({ "auths": { host: { "auth": basic(user, password) } } }).to_string()
}

/// Texts that may stand in no output. `opaque.` and `eyJ` start the tokens of the test servers.
fn secrets() -> Vec<String> {
    let plain = [PASSWORD, WRONG_PASSWORD, ACCESS_TOKEN, PRIVATE_KEY, "opaque.", "eyJ"].map(str::to_owned);
    let encoded =
        [(USER, PASSWORD), (USER, WRONG_PASSWORD), ("oauth2accesstoken", ACCESS_TOKEN)].map(|(u, p)| basic(u, p));
    plain.into_iter().chain(encoded).collect()
}

/// The program in a checkout, with settings that a test makes, and with eyes on what it says.
struct User {
    caller: Shipproof,
    /// Keeps the checkout.
    _repo: Repo,
}

impl User {
    fn new() -> Self {
        let repo = Repo::with(&files(""));
        Self { caller: Shipproof::new().directory(repo.path()), _repo: repo }
    }

    fn variable(mut self, name: &str, value: impl Into<std::ffi::OsString>) -> Self {
        self.caller = self.caller.variable(name, value);
        self
    }

    /// Writes a file below the home folder.
    fn has(self, path: &str, content: &str) -> Self {
        let file = self.caller.home().join(path);
        fs::create_dir_all(file.parent().expect("a file lies in a folder")).expect("the folder can be made");
        fs::write(file, content).expect("the file can be written");
        self
    }

    /// Puts a shell script first on the `PATH`.
    fn has_program(self, name: &str, script: &str) -> Self {
        let user = self.has(&format!("{name}.sh"), &format!("#!/bin/sh\n{script}\n"));
        let home = user.caller.home().to_owned();
        fs::create_dir_all(home.join("bin")).expect("the folder can be made");
        // Not written by this process: a test that forks meanwhile would keep the file open, and it could not be run.
        let (from, to) = (home.join(format!("{name}.sh")), home.join("bin").join(name));
        tools::run(tools::command("install", &home).args(["-m", "755"]).arg(from).arg(to));
        let path = std::env::var("PATH").expect("the tests have a PATH");
        user.variable("PATH", format!("{}:{path}", home.join("bin").display()))
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        let outcome = self.caller.run(arguments);
        for secret in secrets() {
            assert!(!outcome.stdout.contains(&secret) && !outcome.stderr.contains(&secret), "{secret} in {outcome:#?}");
        }
        outcome
    }

    fn verify(&self, image: &str, more: &[&str]) -> Outcome {
        self.run(&[&["verify", image, "--format", "json"], more].concat())
    }

    /// Asserts that the image is read, whole.
    fn agrees(&self, image: &str, more: &[&str]) {
        let report = self.verify(image, more).verdict("match");
        assert_eq!(report["counts"], json!({ "compared": 3, "same": 3 }));
    }

    /// Asserts that nothing can be told, of which `kind`, and that people are told all of `words`.
    fn is_refused(&self, image: &str, more: &[&str], kind: &str, words: &[&str]) -> Outcome {
        let outcome = self.verify(image, more);
        assert_eq!(outcome.verdict("unknown")["error"]["kind"], kind, "{outcome:#?}");
        assert!(outcome.stderr.starts_with("error: "), "{outcome:#?}");
        for word in words {
            assert!(outcome.stderr.contains(word), "no `{word}` in {outcome:#?}");
        }
        outcome
    }
}

/// What git and the image have, below `prefix`; more bytes than fit into one read of a socket.
fn files(prefix: &str) -> String {
    let data = "0123456789abcdefghijklmnopqrstuvwxyz\\n".repeat(8000);
    format!(
        "f {prefix}main.py 0644 print('the main program of the tests')\\n\n\
         f {prefix}shared/beat.py 0644 print('a beat of the tests')\\n\nf {prefix}data.txt 0644 {data}"
    )
}

fn image() -> Image {
    let layer = Layer::text(&files("app/")).stored(Compression::None);
    Image::new().workdir("/app").layer("COPY . . # buildkit", layer)
}

/// [`image`] as a layout folder, tagged `v1`.
fn layout() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    Layout::with("v1", &image()).write_to(folder.path());
    folder
}

/// A registry that holds [`image`] as [`NAME`].
fn registry(mode: Mode) -> Option<Registry> {
    let registry = Registry::start(mode)?;
    let layout = layout();
    registry.push(&format!("oci:{}:v1", layout.path().display()), NAME);
    Some(registry)
}

// --- passwords -------------------------------------------------------------------------------------------------------

#[test]
fn a_plain_registry_on_this_machine_needs_no_flag() {
    let Some(registry) = registry(Mode::Plain) else { return };
    let (user, reference) = (User::new(), registry.reference(NAME));
    user.agrees(&reference, &[]);
    user.agrees(&format!("docker://{reference}"), &[]);
    user.agrees(&reference, &["--plain-http"]);
    user.agrees(&reference.replace("127.0.0.1", "localhost"), &[]);
    let digest = Layout::new().tag("v1", &image());
    user.agrees(&registry.reference(&format!("team/app@{digest}")), &[]);
    let report = user.verify(&reference, &[]).verdict("match");
    assert_eq!(report["image"]["digest"], digest);
    assert_eq!(report["image"]["pinned"], registry.reference(&format!("team/app@{digest}")));
    user.is_refused(&registry.reference("team/app:v2"), &[], "not-found", &["manifest v2 of", "team/app", "hint: "]);
    user.is_refused(&registry.reference("team/other:v1"), &[], "not-found", &["team/other"]);
}

#[test]
fn a_password_is_found_wherever_docker_and_podman_keep_it() {
    let Some(registry) = registry(Mode::Htpasswd) else { return };
    let (host, reference) = (registry.host(), registry.reference(NAME));
    let right = config(host, USER, PASSWORD);
    User::new().has(".docker/config.json", &right).agrees(&reference, &[]);
    User::new().has("containers/auth.json", &right).agrees(&reference, &[]);
    User::new().has(".config/containers/auth.json", &right).agrees(&reference, &[]);
    User::new().has("other/config.json", &right).variable("DOCKER_CONFIG", "other").is_refused(
        &reference,
        &[],
        "unauthorized",
        &["other/config.json"],
    );
    let user = User::new().has("other/config.json", &right);
    let folder = user.caller.home().join("other");
    user.variable("DOCKER_CONFIG", folder).agrees(&reference, &[]);
    let auth_file = registry.auth_file().display().to_string();
    User::new().variable("REGISTRY_AUTH_FILE", auth_file.clone()).agrees(&reference, &[]);
    User::new().agrees(&reference, &["--auth-file", &auth_file]);
    // The file that was named is the only one looked at.
    let user = User::new().has(".docker/config.json", &config(host, USER, WRONG_PASSWORD));
    user.agrees(&reference, &["--auth-file", &auth_file]);
    let empty = User::new().has(".docker/config.json", &right).has("empty.json", "{}");
    let file = empty.caller.home().join("empty.json").display().to_string();
    empty.is_refused(&reference, &["--auth-file", &file], "unauthorized", &["empty.json: no entry for"]);
    let absent = empty.caller.home().join("absent.json").display().to_string();
    empty.is_refused(&reference, &["--auth-file", &absent], "unauthorized", &["absent.json"]);
}

/// A credential helper that knows one server.
fn helper(host: &str, user: &str, secret: &str) -> String {
    let answer = json!({ "ServerURL": host, "Username": user, "Secret": secret });
    format!(
        "read -r server\nif [ \"$1 $server\" = 'get {host}' ]; then echo '{answer}'; exit 0; fi\n\
         echo 'credentials not found in native keychain'; exit 1"
    )
}

#[test]
fn a_password_is_asked_of_a_credential_helper() {
    let Some(registry) = registry(Mode::Htpasswd) else { return };
    let (host, reference) = (registry.host(), registry.reference(NAME));
    for settings in [json!({ "credHelpers": { host: "tests" } }), json!({ "credsStore": "tests" })] {
        let user = User::new().has(".docker/config.json", &settings.to_string());
        user.has_program("docker-credential-tests", &helper(host, USER, PASSWORD)).agrees(&reference, &[]);
        let user = User::new().has(".docker/config.json", &settings.to_string());
        let words = ["docker-credential-tests", "no program", "docker login"];
        user.is_refused(&reference, &[], "unauthorized", &words);
        let user = User::new().has(".docker/config.json", &settings.to_string());
        let user = user.has_program("docker-credential-tests", &helper("another.example", USER, PASSWORD));
        user.is_refused(&reference, &[], "unauthorized", &["docker-credential-tests", "no entry"]);
        let user = User::new().has(".docker/config.json", &settings.to_string());
        let user = user.has_program("docker-credential-tests", &helper(host, USER, WRONG_PASSWORD));
        user.is_refused(&reference, &[], "unauthorized", &["docker-credential-tests", "refused"]);
        let user = User::new().has(".docker/config.json", &settings.to_string());
        let broken = format!("echo '{{\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"'; exit 3");
        let user = user.has_program("docker-credential-tests", &broken);
        user.is_refused(&reference, &[], "unauthorized", &["docker-credential-tests", "failed"]);
    }
}

#[test]
fn a_missing_or_wrong_password_is_told_with_what_was_tried() {
    let Some(registry) = registry(Mode::Htpasswd) else { return };
    let (host, reference) = (registry.host(), registry.reference(NAME));
    let places = ["~/.docker/config.json: no such file", "containers/auth.json: no such file", "docker login"];
    User::new().is_refused(&reference, &[], "unauthorized", &places);
    let user = User::new().has(".docker/config.json", &config(host, USER, WRONG_PASSWORD));
    user.is_refused(&reference, &[], "unauthorized", &[host, "team/app", "~/.docker/config.json: refused"]);
    let file = user.caller.home().join(".docker/config.json").display().to_string();
    user.is_refused(&reference, &["--auth-file", &file], "unauthorized", &["~/.docker/config.json: refused"]);
    let user = User::new().has(".docker/config.json", &config("another.example", USER, PASSWORD));
    user.is_refused(&reference, &[], "unauthorized", &[&format!("~/.docker/config.json: no entry for {host}")]);
    // What cannot be understood is no reason to go on without a password.
    let broken = config(host, USER, PASSWORD).replace("}}}", "}");
    let user = User::new().has(".docker/config.json", &broken);
    user.is_refused(&reference, &[], "unauthorized", &[".docker/config.json is not a valid credentials file"]);
    let torn = json!({ "auths": { host: { "auth": "no base64!" } } }).to_string();
    let user = User::new().has(".docker/config.json", &torn);
    user.is_refused(&reference, &[], "unauthorized", &[".docker/config.json"]);
}

// --- tokens ----------------------------------------------------------------------------------------------------------

#[test]
fn a_token_is_fetched_with_the_password() {
    let Some(registry) = registry(Mode::Token) else { return };
    let (host, reference) = (registry.host(), registry.reference(NAME));
    let realm = registry.realm().expect("the token mode has a realm");
    User::new().has(".docker/config.json", &config(host, USER, PASSWORD)).agrees(&reference, &[]);
    let words = ["gave no token", &realm, "incorrect username or password", "~/.docker/config.json", "docker login"];
    User::new().is_refused(&reference, &[], "unauthorized", &words);
    let user = User::new().has(".docker/config.json", &config(host, USER, WRONG_PASSWORD));
    user.is_refused(&reference, &[], "unauthorized", &["incorrect username", "~/.docker/config.json: refused"]);
}

/// Public images of Docker Hub and ghcr.io want a token, too, which everybody gets.
#[test]
fn a_token_is_fetched_without_a_password_where_everybody_gets_one() {
    let Some(registry) = registry(Mode::Plain) else { return };
    let inner = registry.host().to_owned();
    let server = Server::start(move |host, request| match request.path() {
        "/token" if request.header("authorization").is_some() => Response::new(400, "nobody asked for a password"),
        "/token" => Response::json(200, &json!({ "access_token": "opaque.anonymous" })),
        _ if request.bearer() == Some("opaque.anonymous") => forward(&inner, request, &[]),
        _ => {
            let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"tests\",scope=\"unused\"");
            Response::json(401, &json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "token please" }] }))
                .header("WWW-Authenticate", challenge)
        }
    });
    User::new().agrees(&format!("{}/{NAME}", server.host()), &[]);
}

/// Asks `host` what `request` asks, with `replaced` texts in the answer's headers.
fn forward(host: &str, request: &Request, replaced: &[(&str, &str)]) -> Response {
    let kept = |name: &str| matches!(name, "authorization" | "accept" | "range");
    let headers = request.headers.iter().filter(|(name, _)| kept(name));
    let headers: Vec<(&str, &str)> = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let target = request
        .target
        .strip_prefix("http://")
        .map_or(request.target.as_str(), |rest| &rest[rest.find('/').expect("an address has a path")..]);
    let answer = get(host, target, &headers);
    let mut response = Response::new(answer.status, answer.body);
    for (name, value) in answer.headers {
        if !matches!(name.as_str(), "content-length" | "connection" | "transfer-encoding") {
            let value = replaced.iter().fold(value, |value, (from, to)| value.replace(from, to));
            response = response.header(&name, value);
        }
    }
    response
}

/// A registry that sends credentials elsewhere gets none, and one that repeats them is not quoted.
#[test]
fn credentials_go_to_no_address_of_the_registrys_choice() {
    for (realm, reason) in [
        ("http://registry.example/token", "it is not https"),
        ("https://169.254.169.254/token", "an address of a private network"),
        ("ftp://127.0.0.1/token", "it is not https"),
    ] {
        let challenge = format!("Bearer realm=\"{realm}\",service=\"tests\"");
        let server = Server::start(move |_, _| Response::new(401, "").header("WWW-Authenticate", challenge.clone()));
        let user = User::new().has(".docker/config.json", &config(&server.host(), USER, PASSWORD));
        let reference = format!("{}/{NAME}", server.host());
        user.is_refused(&reference, &[], "unauthorized", &[realm, "which is refused", reason]);
    }
}

#[test]
fn a_refusal_that_repeats_the_credentials_is_quoted_without_them() {
    let servers = [("Basic realm=\"tests\"", 401), ("Basic realm=\"tests\"", 403), ("Bearer realm=\"TOKEN\"", 403)];
    for (challenge, status) in servers {
        let server = Server::start(move |host, request| {
            let challenge = challenge.replace("TOKEN", &format!("http://{host}/token"));
            match request.header("authorization") {
                _ if request.path() == "/token" => Response::json(200, &json!({ "token": "opaque.x" })),
                None => Response::new(401, "").header("WWW-Authenticate", challenge),
                Some(sent) => {
                    let password = request.basic().map(|(_, password)| password).unwrap_or_default();
                    let message = format!("you sent {sent}, which is {password}, and that will not do");
                    Response::json(status, &json!({ "errors": [{ "code": "DENIED", "message": message }] }))
                }
            }
        });
        let user = User::new().has(".docker/config.json", &config(&server.host(), USER, PASSWORD));
        let outcome = user.verify(&format!("{}/{NAME}", server.host()), &[]);
        outcome.verdict("unknown");
        assert!(outcome.stderr.contains("and that will not do"), "{outcome:#?}");
    }
}

// --- certificates ----------------------------------------------------------------------------------------------------

#[test]
fn a_private_authority_is_trusted_when_it_is_named() {
    let (Some(registry), Some(other)) = (registry(Mode::Tls), Registry::start(Mode::Tls)) else { return };
    let (user, reference) = (User::new(), registry.reference(NAME));
    let ca_file = |registry: &Registry| registry.ca_file().display().to_string();
    user.agrees(&reference, &["--ca-file", &ca_file(&registry)]);
    user.agrees(&reference.replace("127.0.0.1", "localhost"), &["--ca-file", &ca_file(&registry)]);
    user.agrees(&reference, &["--insecure-skip-tls-verify"]);
    let words = ["certificate", &registry.url(), "hint: for a private certificate authority pass --ca-file FILE"];
    let started = Instant::now();
    user.is_refused(&reference, &["--ca-file", &ca_file(&other)], "network", &words);
    assert!(started.elapsed() < Duration::from_secs(3), "a certificate does not get better by trying again");
    // On this machine plain http is spoken without a flag, which a server with a certificate does not understand.
    user.is_refused(&reference, &[], "network", &["answered 400", "hint: ", "--ca-file"]);
    let empty = user.has("empty.pem", "");
    let file = empty.caller.home().join("empty.pem").display().to_string();
    empty.is_refused(&reference, &["--ca-file", &file], "usage", &["empty.pem holds no PEM certificate"]);
    let absent = empty.caller.home().join("absent.pem").display().to_string();
    empty.is_refused(&reference, &["--ca-file", &absent], "read", &["absent.pem"]);
}

/// A proxy that makes connections to any host end at `target`; gives its address.
fn tunnel(target: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let target = target.clone();
            thread::spawn(move || connect(client, &target));
        }
    });
    format!("http://{address}")
}

fn connect(mut client: TcpStream, target: &str) {
    let mut reader = BufReader::new(client.try_clone().expect("a socket can be shared"));
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
        line.clear();
    }
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").expect("the client waits for this");
    let server = TcpStream::connect(target).expect("the target listens");
    let back = (server.try_clone().expect("a socket can be shared"), client);
    let there = thread::spawn(move || pipe(reader, server));
    pipe(back.0, back.1);
    there.join().expect("a pipe does not panic");
}

fn pipe(mut from: impl Read, mut to: TcpStream) {
    std::io::copy(&mut from, &mut to).ok();
    to.shutdown(Shutdown::Both).ok();
}

/// A name that is not this machine's, as a private registry in a company has.
#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_with_advice() {
    let Some(registry) = registry(Mode::Tls) else { return };
    let user = User::new().variable("https_proxy", tunnel(registry.host().to_owned()));
    let reference = format!("registry.test/{NAME}");
    let words = ["https://registry.test/v2/team/app/manifests/v1 cannot be read", "certificate", "--ca-file FILE"];
    user.is_refused(&reference, &[], "network", &words);
    user.agrees(&reference, &["--insecure-skip-tls-verify"]);
    let ca_file = registry.ca_file().display().to_string();
    // The authority is the right one, but its certificate is for another host.
    user.is_refused(&reference, &["--ca-file", &ca_file], "network", &["certificate", "registry.test"]);
}

/// `openssl s_server`, which answers with files as they are.
struct FileServer {
    child: Child,
    host: String,
}

impl FileServer {
    /// Serves the files below `folder` with the certificate of `registry`.
    fn start(folder: &Path, registry: &Registry) -> Self {
        let certs = registry.ca_file().parent().expect("a file lies in a folder").join("server");
        let mut command = tools::command("openssl", folder);
        command.args(["s_server", "-HTTP", "-accept", "127.0.0.1:0"]).current_dir(folder);
        command.arg("-cert").arg(certs.join("server.crt")).arg("-key").arg(certs.join("server.key"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("openssl starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let host = lines.find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned)).expect("it listens");
        // Whoever closes the pipe ends the server with its next line.
        thread::spawn(move || lines.for_each(drop));
        Self { child, host }
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn a_redirect_from_https_to_http_is_not_followed() {
    let Some(registry) = registry(Mode::Tls) else { return };
    let seen = Arc::new(Mutex::new(0));
    let count = Arc::clone(&seen);
    let plain = Server::start(move |_, _| {
        *count.lock().expect("nothing panics while it holds the lock") += 1;
        Response::new(200, "{}")
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let manifest = folder.path().join("v2/team/app/manifests/v1");
    fs::create_dir_all(manifest.parent().expect("a file lies in a folder")).expect("the folder can be made");
    let location = format!("http://{}/manifest", plain.host());
    fs::write(manifest, format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"))
        .expect("the file can be written");
    let server = FileServer::start(folder.path(), &registry);
    let ca_file = registry.ca_file().display().to_string();
    let words = [location.as_str(), "which is refused: it leaves https"];
    User::new().is_refused(&format!("{}/{NAME}", server.host), &["--ca-file", &ca_file], "network", &words);
    assert_eq!(*seen.lock().expect("nothing panics while it holds the lock"), 0);
}

// --- Artifact Registry -----------------------------------------------------------------------------------------------

/// Artifact Registry with [`image`] as `v1`, and a user who is logged in.
struct Artifacts {
    registry: ArtifactRegistry,
    user: User,
    folder: TempDir,
}

impl Artifacts {
    fn new() -> Self {
        let folder = layout();
        let registry = ArtifactRegistry::serve(folder.path());
        let user = User::new().has(".docker/config.json", &registry.docker_config());
        Self { registry, user, folder }
    }

    fn reference(&self) -> String {
        self.registry.reference("v1")
    }

    fn agrees(&self) {
        self.user.agrees(&self.reference(), &[]);
    }

    fn is_refused(&self, kind: &str, words: &[&str]) -> Outcome {
        self.user.is_refused(&self.reference(), &[], kind, words)
    }

    fn requests(&self, phase: Phase) -> Vec<Recorded> {
        self.registry.recorded_for(phase)
    }
}

#[test]
fn artifact_registry_is_read_through_its_long_redirects() {
    let artifacts = Artifacts::new();
    artifacts.agrees();
    let downloads = artifacts.requests(Phase::Download);
    assert_eq!(downloads.len(), 2, "a configuration and a layer");
    for download in &downloads {
        assert!(download.request.target.len() > 8000, "{download:?}");
        assert_eq!((download.status, download.request.header("authorization")), (200, None));
    }
    assert_eq!(artifacts.requests(Phase::Token).len(), 1, "one token serves for everything");
    for request in artifacts.requests(Phase::Blob) {
        assert!(request.request.bearer().is_some(), "{request:?}");
    }
}

#[test]
fn a_key_file_is_a_password() {
    let folder = layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let key = json!({ "type": "service_account", "client_email": KEY_EMAIL, "private_key": PRIVATE_KEY }).to_string();
    for (user, password) in [("_json_key", key.clone()), ("_json_key_base64", STANDARD.encode(&key))] {
        let user = User::new().has(".docker/config.json", &config(&registry.host(), user, &password));
        user.agrees(&registry.reference("v1"), &[]);
    }
}

const GOOGLE: &str = "us-west2-docker.pkg.dev";

/// A proxy behind which [`GOOGLE`]'s registry is the one of the tests, in plain http.
fn google(registry: &ArtifactRegistry) -> Server {
    let inner = registry.host();
    let start = format!("http://{GOOGLE}/");
    Server::start(move |_, request| match request.target.starts_with(&start) {
        true => forward(&inner, request, &[(&inner, GOOGLE)]),
        false => Response::new(502, "nobody is there"),
    })
}

fn google_reference() -> String {
    format!("{GOOGLE}/{}:v1", support::artifact_registry::REPOSITORY)
}

#[test]
fn googles_credentials_are_found_where_googles_tools_keep_them() {
    let folder = layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let proxy = google(&registry);
    let user = || User::new().variable("http_proxy", format!("http://{}", proxy.host()));
    let reference = google_reference();
    let key = json!({ "type": "service_account", "client_email": KEY_EMAIL, "private_key": PRIVATE_KEY }).to_string();
    let gcloud = |token: &str| format!("[ \"$*\" = 'auth print-access-token' ] && echo {token}");

    user().has_program("gcloud", &gcloud(ACCESS_TOKEN)).agrees(&reference, &["--plain-http"]);
    let default = ".config/gcloud/application_default_credentials.json";
    user().has(default, &key).agrees(&reference, &["--plain-http"]);
    let named = user().has("key.json", &key);
    let file = named.caller.home().join("key.json");
    named.variable("GOOGLE_APPLICATION_CREDENTIALS", file).agrees(&reference, &["--plain-http"]);
    // What docker was told goes first.
    let docker = user().has(".docker/config.json", &config(GOOGLE, "oauth2accesstoken", ACCESS_TOKEN));
    docker.has_program("gcloud", &gcloud("ya29.stale")).agrees(&reference, &["--plain-http"]);
    let helper = user().has(".docker/config.json", &json!({ "credHelpers": { GOOGLE: "gcloud" } }).to_string());
    let script = self::helper(GOOGLE, "oauth2accesstoken", ACCESS_TOKEN);
    helper.has_program("docker-credential-gcloud", &script).agrees(&reference, &["--plain-http"]);
}

#[test]
fn a_refusal_of_google_names_all_places_and_the_next_step() {
    let folder = layout();
    let registry = ArtifactRegistry::serve(folder.path());
    let proxy = google(&registry);
    let user = || User::new().variable("http_proxy", format!("http://{}", proxy.host()));
    let next_step = format!("hint: gcloud auth configure-docker {GOOGLE}");
    let places = [
        "~/.docker/config.json: no such file",
        "~/.config/gcloud/application_default_credentials.json: no such file",
        "metadata server",
        "gcloud auth print-access-token: no program `gcloud` on PATH",
        "artifactregistry.repositories.downloadArtifacts",
        &next_step,
    ];
    user().variable("PATH", "/nonexistent").is_refused(&google_reference(), &["--plain-http"], "unauthorized", &places);
    let stale = user().has_program("gcloud", "echo ya29.stale");
    let words = ["authentication failed", "gcloud auth print-access-token: refused", &next_step];
    let outcome = stale.is_refused(&google_reference(), &["--plain-http"], "unauthorized", &words);
    assert!(!outcome.stderr.contains("ya29.stale"), "{outcome:#?}");
    let failing = user().has_program("gcloud", "echo 'ERROR: no active account' >&2; exit 1");
    let words = ["ERROR: no active account", &next_step];
    failing.is_refused(&google_reference(), &["--plain-http"], "unauthorized", &words);
}

#[test]
fn a_denial_is_shown_in_the_registrys_words() {
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
    artifacts.registry.always(Phase::Manifest, Fault::Status(403, None));
    let words = ["Permission \"artifactregistry.repositories.downloadArtifacts\" denied", "(or it may not exist)"];
    artifacts.is_refused("denied", &words);
    artifacts.is_refused("denied", &["hint: docker login", &artifacts.registry.host()]);
    // Nobody is logged in: the token server says no.
    let artifacts = Artifacts::new();
    let user = User::new();
    user.is_refused(
        &artifacts.reference(),
        &[],
        "unauthorized",
        &["403", "(or it may not exist)", "hint: docker login"],
    );
}

// --- bad days --------------------------------------------------------------------------------------------------------

const PHASES: [Phase; 4] = [Phase::Manifest, Phase::Token, Phase::Blob, Phase::Download];

/// Runs `test` for all phases at once: they wait more than they work.
fn in_each(phases: &[Phase], test: impl Fn(Phase) + Sync) {
    thread::scope(|scope| {
        for &phase in phases {
            let test = &test;
            scope.spawn(move || test(phase));
        }
    });
}

#[test]
fn a_server_that_is_unwell_is_asked_again() {
    in_each(&PHASES, |phase| {
        let artifacts = Artifacts::new();
        artifacts.registry.fault(phase, Fault::Status(503, None), 1);
        artifacts.agrees();
        assert_eq!(artifacts.requests(phase)[0].status, 503, "{phase:?}");
    });
}

#[test]
fn a_server_that_asks_for_patience_gets_it() {
    in_each(&PHASES, |phase| {
        let artifacts = Artifacts::new();
        artifacts.registry.fault(phase, Fault::Status(429, Some(1)), 1);
        let started = Instant::now();
        artifacts.agrees();
        assert!(started.elapsed() >= Duration::from_secs(1), "{phase:?} was asked again too early");
    });
    // Nobody waits for an hour.
    let artifacts = Artifacts::new();
    artifacts.registry.always(Phase::Manifest, Fault::Status(429, Some(3600)));
    let started = Instant::now();
    artifacts.is_refused("network", &["answered 429", "Quota exceeded"]);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_token_that_expires_is_renewed() {
    for phase in [Phase::Manifest, Phase::Blob] {
        let artifacts = Artifacts::new();
        // The first request goes without a token anyway.
        artifacts.registry.fault(phase, Fault::Expired, 1);
        artifacts.agrees();
    }
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Blob, Fault::Expired, 1);
    artifacts.agrees();
    assert_eq!(artifacts.requests(Phase::Token).len(), 2);
    let artifacts = Artifacts::new();
    artifacts.registry.always(Phase::Blob, Fault::Expired);
    artifacts.is_refused("unauthorized", &["Unauthenticated request"]);
}

#[test]
fn a_download_that_breaks_off_is_resumed() {
    let artifacts = Artifacts::new();
    let size = image().layers()[0].blob.len();
    // The configuration is the first download, the layer the second.
    artifacts.registry.fault(Phase::Download, Fault::Cut(100_000_000), 1);
    artifacts.registry.fault(Phase::Download, Fault::Cut(70_000), 2);
    artifacts.agrees();
    let ranges: Vec<_> = artifacts.requests(Phase::Download);
    let ranges: Vec<_> = ranges.iter().map(|entry| entry.request.header("range")).collect();
    let (second, third) = (format!("bytes=70000-{}", size - 1), format!("bytes=140000-{}", size - 1));
    assert_eq!(ranges, [None, None, Some(second.as_str()), Some(third.as_str())]);

    // The rest is another one than before.
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Download, Fault::Cut(100_000_000), 1);
    artifacts.registry.fault(Phase::Download, Fault::Cut(70_000), 1);
    artifacts.registry.fault(Phase::Download, Fault::WrongBytes, 1);
    artifacts.is_refused("corrupt-image", &[&image().layers()[0].digest(), "other contents"]);
}

/// Runs every command that reads layers, and asserts that nothing of the image is printed.
fn nothing_is_shown(artifacts: &Artifacts, words: &[&str]) {
    let reference = artifacts.reference();
    for command in [&["verify"][..], &["cat"], &["ls"], &["layers"]] {
        let file = if command == ["cat"] { vec!["main.py"] } else { Vec::new() };
        let outcome = artifacts.user.run(&[command, &[reference.as_str()], &file].concat()).exits(2);
        assert_eq!(outcome.stdout, "", "{command:?}");
        assert!(words.iter().all(|word| outcome.stderr.contains(word)), "{command:?} {outcome:#?}");
    }
}

#[test]
fn bytes_that_were_tampered_with_are_never_shown() {
    let artifacts = Artifacts::new();
    let layer = image().layers()[0].digest();
    let path = artifacts.folder.path().join("blobs/sha256").join(&layer["sha256:".len()..]);
    let right = fs::read(&path).expect("the layer is there");
    let spoil = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = right.clone();
        change(&mut bytes);
        fs::write(&path, bytes).expect("the file can be written");
    };
    let middle = right.len() / 2;
    spoil(&|bytes| bytes[middle] ^= 1);
    nothing_is_shown(&artifacts, &["error: ", &layer, "other contents"]);
    // Behind the end of the tar.
    spoil(&|bytes| *bytes.last_mut().expect("it is not empty") = 1);
    nothing_is_shown(&artifacts, &["error: ", &layer, "other contents"]);
    spoil(&|bytes| bytes.extend([0; 512]));
    nothing_is_shown(&artifacts, &["error: ", &layer, "where its manifest says"]);
    spoil(&|_| {});
    artifacts.agrees();
}

#[test]
fn manifests_are_what_their_digest_says() {
    let artifacts = Artifacts::new();
    // A header that lies about right content is not believed either way.
    artifacts.registry.always(Phase::Manifest, Fault::WrongDigestHeader);
    artifacts.agrees();
    let artifacts = Artifacts::new();
    let digest = Layout::new().tag("v1", &image());
    let reference = artifacts.reference().replace(":v1", &format!("@{digest}"));
    artifacts.user.agrees(&reference, &[]);
    let other = Layout::with("v1", &image().label("another", "image"));
    let other = other.blob(&Layout::new().tag("v1", &image().label("another", "image"))).to_vec();
    artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
    artifacts.registry.always(Phase::Manifest, Fault::Body(other));
    artifacts.user.is_refused(&reference, &[], "corrupt-image", &[&digest, "other contents"]);
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
    artifacts.registry.always(Phase::Manifest, Fault::Body(b"<html>Please log in</html>".to_vec()));
    artifacts.is_refused("corrupt-image", &["the manifest is malformed"]);
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
    artifacts.registry.always(Phase::Manifest, Fault::Body(vec![b' '; 5 << 20]));
    artifacts.is_refused("corrupt-image", &["is larger than 4194304 bytes"]);
    let artifacts = Artifacts::new();
    artifacts.registry.always(Phase::Token, Fault::Body(b"<html>Please log in</html>".to_vec()));
    artifacts.is_refused("unauthorized", &["did not answer with the JSON of a token"]);
}

/// A storage server that gives blobs to everybody, and remembers what it was asked.
fn storage(folder: PathBuf) -> (Server, Arc<Mutex<Vec<Request>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let remembered = Arc::clone(&seen);
    let server = Server::start(move |_, request| {
        remembered.lock().expect("nothing panics while it holds the lock").push(request.clone());
        let name = request.path().rsplit('/').next().unwrap_or_default();
        match fs::read(folder.join("blobs/sha256").join(name)) {
            Ok(bytes) => Response::new(200, bytes),
            Err(_) => Response::new(404, "no such object"),
        }
    });
    (server, seen)
}

#[test]
fn a_redirect_to_another_host_carries_no_credentials() {
    let artifacts = Artifacts::new();
    let (storage, seen) = storage(artifacts.folder.path().to_owned());
    let hex = |digest: String| digest.replace("sha256:", "");
    let (layer, config) = (hex(image().layers()[0].digest()), hex(digest_of(&image().config_bytes())));
    let elsewhere = storage.host().replace("127.0.0.1", "localhost");
    for (host, name) in [(&storage.host(), config), (&elsewhere, layer)] {
        let location = format!("http://{host}/bucket/{name}?X-Signature=opaque.signature");
        artifacts.registry.fault(Phase::Blob, Fault::Redirect(location), 1);
    }
    artifacts.agrees();
    let seen = seen.lock().expect("nothing panics while it holds the lock");
    assert_eq!(seen.len(), 2);
    for request in seen.iter() {
        assert_eq!((request.header("authorization"), request.header("cookie")), (None, None), "{request:?}");
    }
    assert!(seen.iter().all(|request| request.target.ends_with("?X-Signature=opaque.signature")));
    assert!(artifacts.requests(Phase::Blob).iter().all(|entry| entry.request.bearer().is_some()));
}

#[test]
fn a_redirect_that_leads_nowhere_is_named_without_its_signature() {
    let artifacts = Artifacts::new();
    let (storage, _) = storage(artifacts.folder.path().to_owned());
    let location = format!("http://{}/bucket/none?X-Signature=opaque.signature", storage.host());
    artifacts.registry.always(Phase::Blob, Fault::Redirect(location));
    artifacts.is_refused("not-found", &["does not exist", "no such object"]);
    let table = [
        ("ftp://127.0.0.1/blob?X-Signature=opaque.signature", "its scheme is not http"),
        ("http://[/?X-Signature=opaque.signature", "its location is not an address"),
    ];
    for (location, reason) in table {
        let artifacts = Artifacts::new();
        artifacts.registry.always(Phase::Blob, Fault::Redirect(location.to_owned()));
        artifacts.is_refused("network", &["which is refused", reason]);
    }
    let artifacts = Artifacts::new();
    artifacts.registry.always(Phase::Download, Fault::Redirect("/artifacts-downloads/again".to_owned()));
    artifacts.is_refused("network", &["too many redirects"]);
}

/// A registry in which the layer ends in its middle, though every answer is complete.
fn with_half_a_layer() -> Artifacts {
    let artifacts = Artifacts::new();
    let image = image();
    let layer = &image.layers()[0];
    let path = artifacts.folder.path().join("blobs/sha256").join(&layer.digest()["sha256:".len()..]);
    fs::write(path, &layer.blob[..layer.blob.len() / 2]).expect("the file can be written");
    artifacts
}

fn with_fault(phase: Phase, fault: Fault) -> Artifacts {
    let artifacts = Artifacts::new();
    artifacts.registry.always(phase, fault);
    artifacts
}

#[test]
fn what_stays_broken_is_given_up() {
    let stall = || Fault::Stall(Duration::from_secs(60));
    let still = "no data within the time limit";
    let table = [
        (with_fault(Phase::Manifest, stall()), vec![still]),
        (with_fault(Phase::Token, stall()), vec!["no answer from the token server"]),
        (with_fault(Phase::Download, stall()), vec![still, "/artifacts-downloads/", "tried 5 times"]),
        (with_fault(Phase::Manifest, Fault::Status(503, None)), vec!["answered 503", "the server is not well"]),
        (with_fault(Phase::Token, Fault::Status(503, None)), vec!["503", "the server is not well"]),
        (with_fault(Phase::Download, Fault::Cut(0)), vec!["/artifacts-downloads/", "tried 5 times"]),
        (with_half_a_layer(), vec!["it ended after 150016 of 300032 bytes"]),
    ];
    // All at once: they wait more than they work.
    thread::scope(|scope| {
        for (artifacts, words) in &table {
            scope.spawn(move || {
                let started = Instant::now();
                let timeout = ["--timeout", "1"];
                let outcome = artifacts.user.is_refused(&artifacts.reference(), &timeout, "network", words);
                // One second for each of five tries, and the pauses between them.
                assert!(started.elapsed() < Duration::from_secs(20), "{:?} for {outcome:#?}", started.elapsed());
            });
        }
    });
}

#[test]
fn a_download_that_stands_still_once_goes_on() {
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Download, Fault::Stall(Duration::from_secs(60)), 2);
    artifacts.user.agrees(&artifacts.reference(), &["--timeout", "1"]);
}

/// A part that begins before the byte asked for is used from that byte on; one that begins after it is no use.
#[test]
fn a_resumed_download_may_bring_more_than_was_asked_for() {
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Download, Fault::Cut(100_000_000), 1);
    artifacts.registry.fault(Phase::Download, Fault::Cut(70_000), 1);
    artifacts.registry.fault(Phase::Download, Fault::LargerRange, 1);
    artifacts.agrees();
    assert!(artifacts.requests(Phase::Download)[2].request.header("range").is_some());
}

/// A signed location serves for minutes; the registry gives another one.
#[test]
fn a_signed_location_that_has_expired_is_asked_for_again() {
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Download, Fault::Status(403, None), 2);
    artifacts.agrees();
    assert_eq!(artifacts.requests(Phase::Blob).len(), 4, "two blobs, one of them three times");
    let artifacts = with_fault(Phase::Download, Fault::Status(403, None));
    artifacts.is_refused("network", &["answered 403", "tried 5 times"]);
}

#[test]
fn retries_are_told_to_who_wants_to_know() {
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
    artifacts.registry.fault(Phase::Manifest, Fault::Status(503, None), 2);
    let outcome = artifacts.user.verify(&artifacts.reference(), &["--verbose"]);
    let told: Vec<&str> = outcome.stderr.lines().filter(|line| line.contains("answered 503")).collect();
    assert_eq!(told.len(), 2, "{outcome:#?}");
    assert!(told[0].starts_with("note: http://") && told[0].contains("; try 1 of 5, again in "), "{outcome:#?}");
    assert!(told[1].contains("; try 2 of 5, again in "), "{outcome:#?}");
    let artifacts = Artifacts::new();
    artifacts.registry.fault(Phase::Manifest, Fault::Expired, 1);
    artifacts.registry.fault(Phase::Manifest, Fault::Status(503, None), 1);
    assert_eq!(artifacts.user.verify(&artifacts.reference(), &[]).stderr, "");
}

/// distribution-spec, "Warnings": shown to people, each once, and nothing more.
#[test]
fn what_a_registry_warns_of_is_shown_once() {
    let artifacts = Artifacts::new();
    for phase in [Phase::Manifest, Phase::Download] {
        artifacts.registry.always(phase, Fault::Warning("this image is ::error::old"));
    }
    let outcome = artifacts.user.verify(&artifacts.reference(), &[]);
    assert_eq!(outcome.stderr, "note: the registry warns: this image is ::error::old\n");
    let report = outcome.verdict("match");
    assert_eq!(report["warnings"], json!(["the registry warns: this image is ::error::old"]));
    assert_eq!(artifacts.user.verify(&artifacts.reference(), &["--quiet"]).stderr, "");
}
