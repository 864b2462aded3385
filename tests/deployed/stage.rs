//! A repository, images of its commits in a registry, Cloud Run that runs them, and somebody who is logged in.

use std::collections::BTreeMap;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::artifact_registry::{ACCESS_TOKEN, ArtifactRegistry, REPOSITORY};
use crate::support::cli::{Outcome, Shipproof};
use crate::support::cloud_run::{CloudRun, PROJECT, REGION, Revision, Service};
use crate::support::git::Repo;
use crate::support::http::{Request, Response, Server};
use crate::support::images::Layout;
use crate::support::scene::{Scene, below, buildkit};

/// Everything that a test needs; the parts end with it.
pub(crate) struct Stage {
    pub(crate) scene: Scene,
    /// The commits, oldest first.
    pub(crate) ids: Vec<String>,
    registry: ArtifactRegistry,
    pub(crate) metadata: Server,
    digests: BTreeMap<&'static str, String>,
    _layout: TempDir,
}

/// The head of a static program for 64-bit x86, which is all that is read of it.
const SERVER: &str = "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x3e\\x00\\x01\\x00\\x00\\x00\
    \\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\
    \\x00\\x00\\x00\\x00\\x40\\x00\\x38\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00";

fn file(path: &str, version: u32) -> String {
    format!("f {path} 0644 # {path} as of version {version}, and no other\\n\n")
}

/// An image with the two directories at these versions.
fn image(app: u32, shared: u32) -> crate::support::images::Image {
    let image = buildkit(&[
        ("RUN make server", &format!("f server 0755 {SERVER}")),
        ("COPY shared/ ./shared/", &below("app", &file("shared/heartbeat.py", shared))),
        ("COPY main.py .", &below("app", &file("main.py", app))),
    ]);
    image.edit(|config| config["config"]["Cmd"] = serde_json::json!(["/server"]))
}

impl Stage {
    /// Two commits, and images: `good` is the second, `old` the first, `cached` has `shared/` of the first.
    pub(crate) fn new() -> Self {
        let mut repo = Repo::new();
        repo.write(&[file("main.py", 1), file("shared/heartbeat.py", 1)].concat());
        let mut ids = vec![repo.commit("Start")];
        repo.write(&[file("main.py", 2), file("shared/heartbeat.py", 2)].concat());
        ids.push(repo.commit("Fix the heartbeat"));
        let mut layout = Layout::new();
        let images = [("good", image(2, 2)), ("old", image(1, 1)), ("cached", image(2, 1))];
        let digests = images.iter().map(|(tag, image)| (*tag, layout.tag(tag, image))).collect();
        let folder = tempfile::tempdir().expect("a temporary folder");
        layout.write_to(folder.path());
        let registry = ArtifactRegistry::serve(folder.path());
        Self { scene: Scene::of(repo), ids, registry, metadata: metadata(), digests, _layout: folder }
    }

    /// The digest of a tag.
    pub(crate) fn digest(&self, tag: &str) -> &str {
        &self.digests[tag]
    }

    /// The image without its tag.
    pub(crate) fn image(&self) -> String {
        format!("{}/{REPOSITORY}", self.registry.host())
    }

    /// A revision that runs the image of `tag`, which was deployed by digest.
    pub(crate) fn revision(&self, name: &str, day: u32, tag: &str) -> Revision {
        let digest = self.digest(tag);
        let image = format!("{}@{digest}", self.image());
        Revision::new(name, &format!("2026-01-{day:02}T09:00:00.000000Z"), &image, digest)
    }

    /// Somebody who works in the repository, logged in at the registry and, by the metadata server, at Google's APIs.
    pub(crate) fn user(&self, cloud_run: &CloudRun) -> Shipproof {
        let user = Shipproof::new()
            .directory(self.scene.repo.path())
            .variable("GCE_METADATA_HOST", self.metadata.host())
            .variable("CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN", cloud_run.address());
        self.registry.log_in(&user);
        user
    }

    /// `shipproof deployed` with these arguments, of these services.
    pub(crate) fn deployed(&self, services: Vec<Service>, arguments: &[&str]) -> Outcome {
        let cloud_run = CloudRun::serve(services);
        self.user(&cloud_run).run(&[&["deployed", "--region", REGION][..], arguments].concat())
    }

    /// The report of the only service, which must have this verdict.
    pub(crate) fn report(&self, service: Service, verdict: &str) -> Value {
        let name = service.name.clone();
        let report = self.deployed(vec![service], &[&name, "--format", "json"]).verdict(verdict);
        assert_eq!(report["services"].as_array().map(Vec::len), Some(1));
        report["services"][0].clone()
    }
}

/// The metadata server of a machine in the project: a token, the project, the region
/// (<https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys>).
fn metadata() -> Server {
    Server::start(|_, request: &Request| {
        if request.header("metadata-flavor") != Some("Google") {
            return Response::new(403, "Missing Metadata-Flavor:Google header.");
        }
        let text = match request.path() {
            "/computeMetadata/v1/project/project-id" => PROJECT.to_owned(),
            "/computeMetadata/v1/instance/region" => format!("projects/1234/regions/{REGION}"),
            "/computeMetadata/v1/instance/service-accounts/default/token" => {
                format!("{{\"access_token\":\"{ACCESS_TOKEN}\",\"expires_in\":3599,\"token_type\":\"Bearer\"}}")
            }
            _ => return Response::new(404, "not found"),
        };
        Response::new(200, text).header("Metadata-Flavor", "Google")
    })
}

/// The kinds of the causes of a service's report.
pub(crate) fn causes(service: &Value) -> Vec<&str> {
    let causes = service["causes"].as_array().expect("a report has causes");
    causes.iter().filter_map(|cause| cause["kind"].as_str()).collect()
}
