//! Certificates: whom https trusts, and that it is not left.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::support::http::{Response, Server};
use crate::support::registry::{Mode, Registry};
use crate::support::tools;

use super::stage::{NAME, User, registry};

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
