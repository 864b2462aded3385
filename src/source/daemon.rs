//! Images in a Docker daemon, or in Podman behind the same API.
//!
//! The daemon exports an image as one `docker save` stream, which is spooled to an unnamed file: asking for each
//! layer would make it export the whole image each time.

use std::path::{Path, PathBuf};

use bollard::Docker;
use futures_util::StreamExt as _;

use super::archive::Spool;
use super::{Options, Source, SourceError, docker_archive};

/// Sockets that are looked for when `DOCKER_HOST` is not set: Docker's, then Podman's for root.
const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/podman/podman.sock"];

/// Exports the image `name` and opens what came.
pub(super) fn open(name: &str, options: &Options) -> Result<Box<dyn Source>, SourceError> {
    let host = address(options);
    let fail = |reason: String| SourceError::Daemon { host: host.clone(), reason };
    let docker = Docker::connect_with_host(&host).map_err(|error| fail(error.to_string()))?;
    let spool = options.runtime.block_on(export(&docker, name)).map_err(|error| match error {
        bollard::errors::Error::DockerResponseServerError { status_code: 404, message } => {
            SourceError::NotFound { what: format!("image {name} in the daemon at {host}"), message }
        }
        other => fail(with_causes(&other)),
    })?;
    // The tag was chosen by the daemon; the stream holds that one image.
    docker_archive::open_archive(spool.into_archive(Path::new(&format!("docker-daemon:{name}")))?, None, None)
}

async fn export(docker: &Docker, name: &str) -> Result<Spool, bollard::errors::Error> {
    let mut spool = Spool::new()?;
    let mut stream = std::pin::pin!(docker.export_image(name));
    while let Some(chunk) = stream.next().await {
        spool.write(&chunk?)?;
    }
    Ok(spool)
}

/// The client's own messages leave out the reason (refused, no such file).
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let next_text = next.to_string();
        if !text.contains(&next_text) {
            text = format!("{text}: {next_text}");
        }
        cause = next.source();
    }
    text
}

fn address(options: &Options) -> String {
    if let Some(host) = options.docker_host.as_ref().filter(|host| !host.is_empty()) {
        return host.clone();
    }
    let mut sockets: Vec<PathBuf> = SOCKETS.iter().map(PathBuf::from).collect();
    sockets.extend(options.credentials.xdg_runtime_dir.iter().map(|dir| dir.join("podman/podman.sock")));
    let found = sockets.iter().find(|socket| socket.exists()).unwrap_or(&sockets[0]);
    format!("unix://{}", found.display())
}
