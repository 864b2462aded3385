//! The Firestore emulator of Google's SDK, with documents in it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http::post;
use super::tools::{self, JAVA};

/// The emulator starts within seconds; on a machine that is busy with other tests it may take longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// The emulator, below the SDK's folder.
const JAR: &str = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar";

/// Ports tried.
const TRIES: usize = 3;

/// A running emulator; dropping it ends it.
pub(crate) struct Firestore {
    process: Child,
    port: u16,
    _home: tempfile::TempDir,
}

impl Firestore {
    /// Starts one; `None` where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let java = tools::require(JAVA)?;
        let jar = tools::require_in_sdk(JAR, "google-cloud-cli-firestore-emulator, of an archive of its own")?;
        // Another test may take the port before the emulator does; then it ends, and the next one gets another port.
        let started = (0..TRIES).find_map(|_| Self::launch(&java, &jar));
        Some(started.expect("the Firestore emulator starts"))
    }

    fn launch(java: &Path, jar: &Path) -> Option<Self> {
        let home = tempfile::tempdir().expect("a temporary folder");
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = port.expect("loopback has a free port").port();
        // Without the script around it: that one leaves java behind when it is killed.
        let mut command: Command = tools::command(java, home.path());
        command.arg("-cp").arg(jar).arg("com.google.cloud.datastore.emulator.firestore.CloudFirestore");
        command.arg("start").arg("--host=127.0.0.1").arg(format!("--port={port}"));
        command.arg("--database-mode=firestore-native").stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("java starts");
        let mut firestore = Self { process, port, _home: home };
        firestore.is_up().then_some(firestore)
    }

    fn is_up(&mut self) -> bool {
        let start = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(start.elapsed() < PATIENCE, "the Firestore emulator does not answer");
            std::thread::sleep(Duration::from_millis(100));
            if self.process.try_wait().expect("a child can be asked").is_some() {
                return false;
            }
        }
        self.process.try_wait().expect("a child can be asked").is_none()
    }

    /// `127.0.0.1:<port>`.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Writes documents of these ids, 400 at a time.
    pub(crate) fn write(&self, project: &str, collection: &str, ids: &[String]) {
        let documents = format!("projects/{project}/databases/(default)/documents");
        for ids in ids.chunks(400) {
            let update =
                |id: &String| json!({ "update": { "name": format!("{documents}/{collection}/{id}"), "fields": {} } });
            let writes: Vec<Value> = ids.iter().map(update).collect();
            let target = format!("/v1/{documents}:commit");
            let headers = [("Authorization", "Bearer owner"), ("Content-Type", "application/json")];
            let answer = post(&self.host(), &target, &headers, json!({ "writes": writes }).to_string().as_bytes());
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }
}

impl Drop for Firestore {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
