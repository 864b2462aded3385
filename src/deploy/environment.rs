//! What asking Cloud Run and Firestore takes from outside, under the names that Google's own tools use.

use std::ffi::OsString;
use std::path::PathBuf;

/// What may be known of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `CLOUDSDK_CORE_PROJECT` or `GOOGLE_CLOUD_PROJECT`: the project.
    pub project: Option<String>,
    /// `CLOUDSDK_RUN_REGION`: the region.
    pub region: Option<String>,
    /// The folder of gcloud's configurations: `CLOUDSDK_CONFIG`, or `~/.config/gcloud`.
    pub gcloud: Option<PathBuf>,
    /// `CLOUDSDK_ACTIVE_CONFIG_NAME`: which of them.
    pub gcloud_configuration: Option<String>,
    /// `CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN`: the address of the Cloud Run Admin API.
    pub run_endpoint: Option<String>,
    /// `FIRESTORE_EMULATOR_HOST`: host and port of an emulator that takes the place of Firestore.
    pub firestore_emulator: Option<String>,
}

impl Environment {
    /// The environment of this process.
    pub fn from_process() -> Self {
        Self::from_variables(|name| std::env::var_os(name))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().into_owned());
        let home = || set("HOME").map(|home| PathBuf::from(home).join(".config/gcloud"));
        Self {
            project: text("CLOUDSDK_CORE_PROJECT").or_else(|| text("GOOGLE_CLOUD_PROJECT")),
            region: text("CLOUDSDK_RUN_REGION"),
            gcloud: set("CLOUDSDK_CONFIG").map(PathBuf::from).or_else(home),
            gcloud_configuration: text("CLOUDSDK_ACTIVE_CONFIG_NAME"),
            run_endpoint: text("CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN"),
            firestore_emulator: text("FIRESTORE_EMULATOR_HOST"),
        }
    }

    /// A property of gcloud's active configuration, as `gcloud config get SECTION/KEY` prints it.
    pub(super) fn gcloud_property(&self, section: &str, key: &str) -> Option<String> {
        let folder = self.gcloud.as_ref()?;
        let active = || std::fs::read_to_string(folder.join("active_config")).ok();
        let name = self.gcloud_configuration.clone().or_else(active);
        let name = name.map_or_else(|| "default".to_owned(), |name| name.trim().to_owned());
        let text = std::fs::read_to_string(folder.join("configurations").join(format!("config_{name}"))).ok()?;
        property(&text, section, key)
    }
}

/// A value of an INI file, as Python's `configparser` writes them.
fn property(text: &str, section: &str, key: &str) -> Option<String> {
    let mut current = "";
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            current = name;
        } else if let Some((name, value)) = line.split_once('=')
            && current == section
            && name.trim() == key
        {
            return Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gcloud_s_active_configuration_is_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("configurations")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("configurations/config_default", "[core]\nproject = one\n[run]\nregion = us-west2\n");
        write("configurations/config_other", "[compute]\nproject = no\n\n[core]\naccount = a@b\nproject=two\n");
        let environment = |active: Option<&str>| Environment {
            gcloud: Some(folder.path().to_owned()),
            gcloud_configuration: active.map(str::to_owned),
            ..Environment::default()
        };
        assert_eq!(environment(None).gcloud_property("core", "project").as_deref(), Some("one"));
        assert_eq!(environment(None).gcloud_property("run", "region").as_deref(), Some("us-west2"));
        assert_eq!(environment(Some("other")).gcloud_property("core", "project").as_deref(), Some("two"));
        assert_eq!(environment(Some("other")).gcloud_property("run", "region"), None);
        write("active_config", "other\n");
        assert_eq!(environment(None).gcloud_property("core", "project").as_deref(), Some("two"));
        assert_eq!(environment(Some("gone")).gcloud_property("core", "project"), None);
    }

    #[test]
    fn gcloud_s_variables_come_before_others() {
        let variables = [("GOOGLE_CLOUD_PROJECT", "b"), ("CLOUDSDK_CORE_PROJECT", "a"), ("HOME", "/h")];
        let of = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        let environment = Environment::from_variables(of);
        assert_eq!(environment.project.as_deref(), Some("a"));
        assert_eq!(environment.gcloud, Some("/h/.config/gcloud".into()));
    }
}
