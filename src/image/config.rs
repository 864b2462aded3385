//! Image configurations: what the image says about itself (image-spec config.md). Any optional field may be null.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::platform::Platform;

/// The parts of an image configuration that this program uses.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ImageConfig {
    /// When the image was built (RFC 3339), as its builder says.
    pub created: Option<String>,
    /// The operating system.
    pub os: Option<String>,
    /// The architecture.
    pub architecture: Option<String>,
    /// The architecture's variant.
    pub variant: Option<String>,
    #[serde(default)]
    config: Option<Execution>,
    #[serde(default)]
    rootfs: Option<Rootfs>,
    #[serde(default)]
    history: Option<Vec<HistoryEntry>>,
}

/// How a container of the image runs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Execution {
    env: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    working_dir: Option<String>,
    user: Option<String>,
    exposed_ports: Option<BTreeMap<String, serde_json::Value>>,
    labels: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Rootfs {
    #[serde(default)]
    diff_ids: Option<Vec<String>>,
}

/// One step of the build.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct HistoryEntry {
    /// When the step ran (RFC 3339); a step from the build cache keeps the time of its first run.
    pub created: Option<String>,
    /// What the step was, in its builder's words.
    pub created_by: Option<String>,
    /// Whether the step left no layer.
    pub empty_layer: Option<bool>,
}

impl ImageConfig {
    /// Reads the configuration in `bytes`.
    ///
    /// # Errors
    /// The JSON error when the bytes have another shape.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The platform, where the configuration names one.
    pub fn platform(&self) -> Option<Platform> {
        let (os, architecture) = (self.os.clone()?, self.architecture.clone()?);
        let variant = self.variant.clone().filter(|variant| !variant.is_empty());
        (!os.is_empty() && !architecture.is_empty()).then_some(Platform { os, architecture, variant })
    }

    /// The environment as name and value, in order.
    pub fn env(&self) -> impl Iterator<Item = (&str, &str)> {
        let env = self.config.iter().flat_map(|config| config.env.iter().flatten());
        env.filter_map(|variable| variable.split_once('='))
    }

    /// The labels.
    pub fn labels(&self) -> BTreeMap<&str, &str> {
        let labels = self.config.iter().flat_map(|config| config.labels.iter().flatten());
        labels.map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or_default())).collect()
    }

    /// The working directory; empty where none is set.
    pub fn working_dir(&self) -> &str {
        self.config.as_ref().and_then(|config| config.working_dir.as_deref()).unwrap_or_default()
    }

    /// Who the command runs as, `USER[:GROUP]`; empty where nothing is set, which means root.
    pub fn user(&self) -> &str {
        self.config.as_ref().and_then(|config| config.user.as_deref()).unwrap_or_default()
    }

    /// The ports that the image says it listens on, such as `8080/tcp`.
    pub fn exposed_ports(&self) -> impl Iterator<Item = &str> {
        let ports = self.config.iter().flat_map(|config| config.exposed_ports.iter().flatten());
        ports.map(|(port, _)| port.as_str())
    }

    /// The command's words; empty where none is set.
    pub fn cmd(&self) -> &[String] {
        self.config.as_ref().and_then(|config| config.cmd.as_deref()).unwrap_or_default()
    }

    /// The entrypoint's words; empty where none is set.
    pub fn entrypoint(&self) -> &[String] {
        self.config.as_ref().and_then(|config| config.entrypoint.as_deref()).unwrap_or_default()
    }

    /// The digests of the layers' uncompressed tars, base layer first.
    pub fn diff_ids(&self) -> &[String] {
        self.rootfs.as_ref().and_then(|rootfs| rootfs.diff_ids.as_deref()).unwrap_or_default()
    }

    /// The build steps, first to last.
    pub fn history(&self) -> &[HistoryEntry] {
        self.history.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_and_absences_are_empty() {
        for text in [
            "{}",
            r#"{"config":null,"rootfs":null,"history":null,"created":""}"#,
            r#"{"config":{"Env":null,"Labels":null}}"#,
        ] {
            let config = ImageConfig::parse(text.as_bytes()).unwrap();
            assert_eq!((config.env().count(), config.labels().len(), config.history().len()), (0, 0, 0), "{text}");
            assert_eq!(config.platform(), None);
        }
    }

    #[test]
    fn fields_are_found() {
        let text = r#"{"os":"linux","architecture":"arm64","variant":"v8","config":{"Env":["A=b=c"],"WorkingDir":"/app","Cmd":["x"],"User":"app:app",
            "ExposedPorts":{"8080/tcp":{}},"Labels":{"k":"v"}},
            "rootfs":{"type":"layers","diff_ids":["sha256:00"]},"history":[{"created_by":"COPY a b","empty_layer":true}]}"#;
        let config = ImageConfig::parse(text.as_bytes()).unwrap();
        assert_eq!(config.env().next(), Some(("A", "b=c")));
        assert_eq!(config.labels()["k"], "v");
        assert_eq!((config.working_dir(), config.cmd()), ("/app", &["x".to_owned()][..]));
        assert_eq!((config.user(), config.exposed_ports().collect()), ("app:app", vec!["8080/tcp"]));
        assert_eq!(config.platform().unwrap().to_string(), "linux/arm64/v8");
        assert_eq!(config.history()[0].empty_layer, Some(true));
    }
}
