//! Platforms of an image: `os/arch[/variant]`, and choosing among those an index offers.

use std::fmt;
use std::str::FromStr;

/// An operating system, an architecture and, where there are several, a variant of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    /// The operating system in Go's spelling (`linux`).
    pub os: String,
    /// The architecture in Go's spelling (`amd64`).
    pub architecture: String,
    /// The variant (`v7`), where given.
    pub variant: Option<String>,
}

/// A text that is not `os/arch[/variant]`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a platform (expected OS/ARCH or OS/ARCH/VARIANT, such as linux/amd64)")]
pub struct PlatformError(String);

impl Platform {
    /// The platform of nearly all servers, and the only one of Cloud Run
    /// (<https://cloud.google.com/run/docs/container-contract>).
    pub fn linux_amd64() -> Self {
        Self { os: "linux".into(), architecture: "amd64".into(), variant: None }
    }

    /// Whether an image for `offered` is what this platform asks for. A variant that is not asked for may be any;
    /// `arm64` and `arm64/v8` are the same (containerd's platform normalisation).
    pub fn accepts(&self, offered: &Self) -> bool {
        self.os == offered.os
            && self.architecture == offered.architecture
            && self.variant.as_deref().is_none_or(|wanted| {
                offered.variant.as_deref().unwrap_or(default_variant(&offered.architecture)) == wanted
            })
    }
}

fn default_variant(architecture: &str) -> &'static str {
    match architecture {
        "arm64" => "v8",
        "arm" => "v7",
        _ => "",
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let parts: Vec<&str> = text.split('/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(PlatformError(text.to_owned()));
        }
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant.to_owned())),
            _ => return Err(PlatformError(text.to_owned())),
        };
        Ok(Self { os: os.to_owned(), architecture: architecture.to_owned(), variant })
    }
}

impl serde::Serialize for Platform {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    #[test]
    fn variants_matter_only_when_asked_for() {
        let table = [
            ("linux/amd64", "linux/amd64", true),
            ("linux/arm", "linux/arm/v6", true),
            ("linux/arm/v7", "linux/arm/v6", false),
            ("linux/arm64/v8", "linux/arm64", true),
            ("linux/amd64", "linux/arm64", false),
            ("windows/amd64", "linux/amd64", false),
        ];
        for (wanted, offered, expected) in table {
            assert_eq!(platform(wanted).accepts(&platform(offered)), expected, "{wanted} {offered}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "linux", "linux/", "/amd64", "linux/arm/v7/x"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }
}
