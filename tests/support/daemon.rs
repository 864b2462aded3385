//! Podman as the daemon of the tests: the Docker API on a private socket over a private storage.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::builders::skopeo_copy;
use super::tools;

const START: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(50);

/// A running `podman system service`; dropping it ends it.
pub(crate) struct Podman {
    child: Child,
    folder: TempDir,
}

impl Podman {
    /// Starts the service over an empty storage, or says what is missing (it has to run as root).
    pub(crate) fn start() -> Option<Self> {
        if !(tools::require_all(&[tools::PODMAN, tools::RUNC, tools::SKOPEO]) && tools::require_root()) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        write_settings(folder.path());
        let mut command = command(folder.path());
        let url = format!("unix://{}", folder.path().join("podman.sock").display());
        command.args(["system", "service", "--time", "0", &url]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut podman = Self { child: child.expect("podman starts"), folder };
        podman.wait_until_ready();
        Some(podman)
    }

    /// The socket of the API.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("podman.sock")
    }

    /// The value of `DOCKER_HOST` for this daemon.
    pub(crate) fn docker_host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Loads an image from a skopeo reference such as `oci:FOLDER:TAG` and calls it `name` (`localhost/phase3:v1`).
    pub(crate) fn load(&self, source: &str, name: &str) {
        // `podman pull oci:…` refuses folders with upper-case letters, which temporary folders have.
        let archive = self.folder.path().join("load.tar");
        let plain = ["--dest-oci-accept-uncompressed-layers"];
        skopeo_copy(source, &format!("oci-archive:{}:{name}", archive.display()), &plain);
        tools::run(command(self.folder.path()).args(["load", "--quiet", "--input"]).arg(&archive));
        fs::remove_file(archive).expect("skopeo wrote it");
    }

    /// Writes `podman save --format docker-archive` of `name` to `file`.
    pub(crate) fn save(&self, name: &str, file: &Path) {
        let mut command = command(self.folder.path());
        tools::run(command.args(["save", "--quiet", "--format", "docker-archive", "--output"]).arg(file).arg(name));
    }

    /// Runs the image `name` as its configuration says, without a network, and removes it: the exit code, and what was
    /// printed to both streams.
    pub(crate) fn run(&self, name: &str) -> (Option<i32>, String) {
        let mut run = command(self.folder.path());
        run.args(["run", "--rm", "--network", "none", "--env", "PORT=8080", name]);
        let output = tools::output(&mut run);
        tools::run(command(self.folder.path()).args(["rmi", "--force", name]));
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    }

    fn wait_until_ready(&mut self) {
        let until = Instant::now() + START;
        while UnixStream::connect(self.socket()).is_err() {
            let ended = self.child.try_wait().expect("a child can be asked");
            assert!(ended.is_none() && Instant::now() < until, "podman system service does not listen ({ended:?})");
            thread::sleep(TICK);
        }
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A small machine refuses podman's default limits, and runc is the runtime that Debian has everywhere.
pub(super) fn write_settings(folder: &Path) {
    let limits = "default_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"]";
    let settings = format!("[containers]\n{limits}\n[engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\n");
    fs::write(folder.join("containers.conf"), settings).expect("the file can be written");
    let policy = "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}";
    let place = folder.join(".config/containers");
    fs::create_dir_all(&place).expect("an empty temporary folder");
    fs::write(place.join("policy.json"), policy).expect("the file can be written");
}

/// A podman whose storage and settings are in `folder`.
pub(super) fn command(folder: &Path) -> Command {
    let mut command = tools::command("podman", folder);
    command.current_dir(folder).env("CONTAINERS_CONF", folder.join("containers.conf")).env("TMPDIR", folder);
    let (root, runroot) = (folder.join("root"), folder.join("runroot"));
    command.args(["--storage-driver", "vfs", "--root"]).arg(root).arg("--runroot").arg(runroot);
    command
}
