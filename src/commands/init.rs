//! `shipproof init`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::Init;
use crate::config::FILE_NAME;
use crate::deploy::{self, CloudRun, DeployError, Place, Records as _};
use crate::error::Error;
use crate::exit::Exit;
use crate::path::RepoPath;
use crate::repo::{self, Repository};
use crate::report::escape::escape;

use super::Process;

/// How long Cloud Run may keep a first configuration waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is known of a service.
#[derive(Default)]
struct Found {
    image: Option<String>,
    dockerfile: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &Init, process: &Process) -> Result<Exit, Error> {
    let repository = Repository::open(args.repo.as_deref().unwrap_or(Path::new(".")))?;
    let path = args.config.clone().unwrap_or_else(|| repository.path().join(FILE_NAME));
    let mut services = dockerfiles(&repository)?;
    let place = match cloud_run(args, process) {
        Ok((place, images)) => {
            images.into_iter().for_each(|(name, image)| services.entry(name).or_default().image = Some(image));
            Some(place)
        }
        Err(error) => {
            say(&format!("note: the services of Cloud Run are left out: {}", Error::from(error).chain()));
            None
        }
    };
    write(&path, args.force, &text(place.as_ref(), &services))?;
    say(&format!("{}: {} services; look it over, and then: shipproof verify --all", path.display(), services.len()));
    Ok(Exit::Agrees)
}

fn say(text: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{}", escape(text));
}

/// The Dockerfiles of the checkout by the services that they are probably for: the folders that they are in.
fn dockerfiles(repository: &Repository) -> Result<BTreeMap<String, Found>, Error> {
    let snapshot = match repository.resolve("HEAD") {
        Ok(commit) => repo::of_revision(repository, &commit)?,
        Err(_) => repo::of_worktree(repository)?,
    };
    let own = repository.path().canonicalize().ok();
    let own = own.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let mut services = BTreeMap::new();
    for path in snapshot.files.keys().filter(|path| is_dockerfile(path)) {
        let text = String::from_utf8_lossy(path.as_bytes()).into_owned();
        let folder = text.rsplit('/').nth(1).map(str::to_owned).or_else(|| own.clone());
        let name = service_name(folder.as_deref().unwrap_or("service"));
        services.entry(name).or_insert(Found { image: None, dockerfile: Some(text) });
    }
    Ok(services)
}

fn is_dockerfile(path: &RepoPath) -> bool {
    matches!(path.components().last(), Some(b"Dockerfile" | b"Containerfile"))
}

/// Names of services have lower-case letters, digits and dashes
/// (<https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services/create>).
fn service_name(folder: &str) -> String {
    let dashed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    folder.chars().map(dashed).collect::<String>().trim_matches('-').to_owned()
}

/// The services of the project and region, with their images.
fn cloud_run(args: &Init, process: &Process) -> Result<(Place, Vec<(String, String)>), DeployError> {
    let (project, region) = (args.place.project.as_deref(), args.place.region.as_deref());
    let (environment, credentials) = (&process.deploy, &process.credentials);
    let place = deploy::place(project, region, environment, credentials, &process.runtime)?;
    let records = CloudRun::new(place.clone(), environment, credentials, PATIENCE, process.runtime.clone())?;
    let mut images = Vec::new();
    for name in records.names()? {
        let service = records.service(&name)?;
        if let Some(container) = service.template.containers.first() {
            images.push((name.to_string(), container.image.clone()));
        }
    }
    Ok((place, images))
}

fn text(place: Option<&Place>, services: &BTreeMap<String, Found>) -> String {
    let mut text = "# What this repository deploys: shipproof verify --all, shipproof deployed --all.\n".to_owned();
    let place = place.map(|place| (quoted(&place.project), quoted(&place.region)));
    let (project, region) = place.unwrap_or_else(|| ("# \"PROJECT\"".to_owned(), "# \"us-central1\"".to_owned()));
    let set = |name: &str, value: &str| match value.strip_prefix("# ") {
        Some(example) => format!("# {name} = {example}\n"),
        None => format!("{name} = {value}\n"),
    };
    text.push_str(&set("project", &project));
    text.push_str(&set("region", &region));
    for (name, found) in services {
        let _ = write!(text, "\n[services.{}]\n", quoted(name));
        let image = found.image.as_deref().map_or_else(|| "# \"HOST/NAME:TAG\"".to_owned(), quoted);
        text.push_str(&set("image", &image));
        if let Some(dockerfile) = &found.dockerfile {
            text.push_str(&set("dockerfile", &quoted(dockerfile)));
        }
    }
    text
}

/// A string of TOML; those of JSON are some.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write(path: &PathBuf, force: bool, text: &str) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create(force).truncate(force).create_new(!force);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(Error::Usage(format!("{} is there already; --force overwrites it", path.display())))
        }
        written => written.map_err(|source| Error::File { path: path.clone(), verb: "written", source }),
    }
}
