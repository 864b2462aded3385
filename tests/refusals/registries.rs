//! Registries that do not give the image.

use std::net::TcpListener;

use serde_json::json;

use crate::support::artifact_registry::{ArtifactRegistry, Fault, Phase};
use crate::support::http::{Response, Server};
use crate::support::layers::digest_of;
use crate::support::tools;

use super::stage::{Case, check_all, good, repository};

/// `127.0.0.1:PORT` where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").to_string()
}

#[test]
fn registries_that_do_not_give_the_image() {
    let (folder, _) = good();
    let artifacts = ArtifactRegistry::serve(folder.path());
    let refusing = ArtifactRegistry::serve(folder.path());
    refusing.always(Phase::Manifest, Fault::Status(403, None));
    let closed = Server::start(|_, _| Response::new(401, "").header("WWW-Authenticate", "Basic realm=\"tests\""));
    let login = folder.path().join("auth.json");
    tools::write_private(&login, artifacts.docker_config());
    let login = ["--auth-file", login.to_str().expect("the folder's name is UTF-8")];
    let nobody = nobody();
    let other = digest_of(b"another image");
    let lying = Server::start(|_, _| Response::json(200, &json!({})));
    let pinned = artifacts.reference("v1").replace(":v1", &format!("@{other}"));
    let cases = [
        Case::new("an unknown host", "registry.invalid/team/app:v1", "network").names(&["registry.invalid", "dns"]),
        Case::new("a refused connection", format!("{nobody}/app:v1"), "network").names(&[&nobody, "refused", "hint: "]),
        Case::new("401", format!("{}/team/app:v1", closed.host()), "unauthorized").names(&[
            &closed.host(),
            "team/app",
            "~/.docker/config.json",
            "hint: docker login",
        ]),
        Case::new("403", refusing.reference("v1"), "denied").names(&[
            &refusing.host(),
            "services/phase3",
            "artifactregistry.repositories.downloadArtifacts",
        ]),
        Case::new("403 of the token server", artifacts.reference("v1"), "unauthorized").names(&[
            &artifacts.host(),
            "403",
            "anonymous: refused",
        ]),
        Case::new("a tag that is not there", artifacts.reference("v9"), "not-found").flags(&login).names(&[
            "manifest v9",
            &artifacts.host(),
            "does not exist",
            "hint: check the name and the tag",
        ]),
        Case::new("a digest that is not there", pinned, "not-found").flags(&login).names(&[&other]),
        Case::new("a digest with other content", format!("{}/team/app@{other}", lying.host()), "corrupt-image")
            .names(&[&other, "other contents"]),
        Case::new("a platform that is not there", artifacts.reference("v1"), "no-platform")
            .flags(&login)
            .flags(&["--platform", "linux/s390x"])
            .names(&["linux/s390x", "on offer: linux/amd64", "hint: --platform linux/amd64"]),
    ];
    check_all(&repository(), &cases);
}
