//! Everything the search for credentials takes from outside, gathered in one place so that a test can be its own world.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a helper, `gcloud` or a Google token endpoint may take: starting gcloud takes seconds on a slow disk.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// How long the metadata server may take. It answers within milliseconds where it exists, and everywhere else each
/// run waits this long for nothing.
const METADATA_TIME_LIMIT: Duration = Duration::from_millis(800);

/// What the search for credentials may know of the process and the machine.
#[derive(Clone, Debug)]
pub struct Environment {
    /// `--auth-file`: if given, the only place looked at.
    pub auth_file: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `DOCKER_CONFIG`: the directory of docker's `config.json`.
    pub docker_config: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`, where podman keeps `containers/auth.json`.
    pub xdg_runtime_dir: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, `~/.config` if not given.
    pub xdg_config_home: Option<PathBuf>,
    /// `REGISTRY_AUTH_FILE`: takes the place of docker's and podman's files.
    pub registry_auth_file: Option<PathBuf>,
    /// `GOOGLE_APPLICATION_CREDENTIALS`: a credential file of Google's.
    pub google_application_credentials: Option<PathBuf>,
    /// `CLOUDSDK_CONFIG`: gcloud's directory, `~/.config/gcloud` if not given.
    pub cloudsdk_config: Option<PathBuf>,
    /// `GCE_METADATA_HOST`: host and port of the metadata server.
    pub gce_metadata_host: Option<String>,
    /// `GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1`: a credential file of Google's may name a program to run
    /// (AIP-4117).
    pub google_allow_executables: bool,
    /// `PATH`, where helpers and `gcloud` are looked for.
    pub path: Option<OsString>,
    /// How long a helper, `gcloud` or a Google token endpoint may take.
    pub time_limit: Duration,
    /// How long the metadata server may take.
    pub metadata_time_limit: Duration,
}

impl Default for Environment {
    /// An empty world with the usual time limits.
    fn default() -> Self {
        Self::from_variables(|_| None)
    }
}

impl Environment {
    /// The environment of this process.
    pub fn from_process() -> Self {
        Self::from_variables(|name| std::env::var_os(name))
    }

    /// An environment out of variables; one that is set but empty counts as not set.
    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let path = |name: &str| set(name).map(PathBuf::from);
        Self {
            auth_file: None,
            home: path("HOME"),
            docker_config: path("DOCKER_CONFIG"),
            xdg_runtime_dir: path("XDG_RUNTIME_DIR"),
            xdg_config_home: path("XDG_CONFIG_HOME"),
            registry_auth_file: path("REGISTRY_AUTH_FILE"),
            google_application_credentials: path("GOOGLE_APPLICATION_CREDENTIALS"),
            cloudsdk_config: path("CLOUDSDK_CONFIG"),
            gce_metadata_host: set("GCE_METADATA_HOST").map(|host| host.to_string_lossy().into_owned()),
            google_allow_executables: set("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES").is_some_and(|flag| flag == "1"),
            path: set("PATH"),
            time_limit: TIME_LIMIT,
            metadata_time_limit: METADATA_TIME_LIMIT,
        }
    }

    /// The registry credential files to read, in order: the one that was asked for, else docker's, else podman's
    /// (containers-auth.json(5)).
    pub(super) fn auth_files(&self) -> Vec<PathBuf> {
        if let Some(only) = self.auth_file.as_ref().or(self.registry_auth_file.as_ref()) {
            return vec![only.clone()];
        }
        let docker = self.docker_config.clone().or_else(|| self.in_home(".docker"));
        let directories = [
            docker.map(|directory| directory.join("config.json")),
            self.xdg_runtime_dir.as_ref().map(|directory| directory.join("containers/auth.json")),
            self.config_home().map(|directory| directory.join("containers/auth.json")),
        ];
        directories.into_iter().flatten().collect()
    }

    /// Where `gcloud auth application-default login` leaves its credentials.
    pub(super) fn gcloud_file(&self) -> Option<PathBuf> {
        let directory = self.cloudsdk_config.clone().or_else(|| self.in_home(".config/gcloud"))?;
        Some(directory.join("application_default_credentials.json"))
    }

    /// The program `name` on `PATH`. Entries that are not absolute are passed over: what runs must not depend on the
    /// directory somebody happens to stand in, which may be a repository full of foreign files.
    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        let directories = self.path.as_ref().map(std::env::split_paths)?;
        directories
            .filter(|directory| directory.is_absolute())
            .map(|directory| directory.join(name))
            .find(|file| is_executable(file))
    }

    /// `path` as people write it: below the home directory with `~`.
    pub(super) fn shown(&self, path: &Path) -> String {
        let below_home = self.home.as_ref().and_then(|home| path.strip_prefix(home).ok());
        below_home.map_or_else(|| path.display().to_string(), |rest| format!("~/{}", rest.display()))
    }

    fn in_home(&self, relative: &str) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(relative))
    }

    fn config_home(&self) -> Option<PathBuf> {
        self.xdg_config_home.clone().or_else(|| self.in_home(".config"))
    }
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: Variables<'_>) -> Environment {
        Environment::from_variables(|wanted| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| OsString::from(value))
        })
    }

    type Variables<'a> = &'a [(&'a str, &'a str)];

    #[test]
    fn auth_files_come_in_order() {
        let table: [(Variables<'_>, &[&str]); 5] = [
            (&[], &[]),
            (&[("HOME", "/h")], &["/h/.docker/config.json", "/h/.config/containers/auth.json"]),
            (
                &[("HOME", "/h"), ("DOCKER_CONFIG", "/d"), ("XDG_RUNTIME_DIR", "/r"), ("XDG_CONFIG_HOME", "/c")],
                &["/d/config.json", "/r/containers/auth.json", "/c/containers/auth.json"],
            ),
            (&[("HOME", "/h"), ("REGISTRY_AUTH_FILE", "/a.json")], &["/a.json"]),
            (
                &[("HOME", "/h"), ("DOCKER_CONFIG", ""), ("REGISTRY_AUTH_FILE", "")],
                &["/h/.docker/config.json", "/h/.config/containers/auth.json"],
            ),
        ];
        for (variables, files) in table {
            let expected: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
            assert_eq!(environment(variables).auth_files(), expected, "{variables:?}");
        }
    }

    #[test]
    fn the_flag_is_the_only_file() {
        let mut environment = environment(&[("HOME", "/h"), ("REGISTRY_AUTH_FILE", "/a.json")]);
        environment.auth_file = Some("/flag.json".into());
        assert_eq!(environment.auth_files(), [PathBuf::from("/flag.json")]);
    }

    #[test]
    fn gcloud_keeps_its_file_in_its_directory() {
        let file = |variables| environment(variables).gcloud_file();
        assert_eq!(file(&[]), None);
        assert_eq!(file(&[("HOME", "/h")]), Some("/h/.config/gcloud/application_default_credentials.json".into()));
        assert_eq!(
            file(&[("HOME", "/h"), ("CLOUDSDK_CONFIG", "/g")]),
            Some("/g/application_default_credentials.json".into())
        );
    }

    #[test]
    fn programs_are_looked_for_in_absolute_directories_only() {
        assert!(environment(&[("PATH", "bin:/nowhere:/bin")]).program("sh").is_some());
        for path in ["", "bin:.", "../../../../../../../bin", "/nowhere"] {
            assert_eq!(environment(&[("PATH", path)]).program("sh"), None, "{path}");
        }
    }

    #[test]
    fn home_is_shown_short() {
        let environment = environment(&[("HOME", "/h")]);
        assert_eq!(environment.shown(Path::new("/h/.docker/config.json")), "~/.docker/config.json");
        assert_eq!(environment.shown(Path::new("/home/x")), "/home/x");
    }
}
