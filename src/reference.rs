//! Image references: where an image comes from and what it is called there.
//!
//! The transport names are those of skopeo and podman (containers-transports(5)); a bare name is a registry image.

mod name;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::digest::Digest;

/// A parsed `IMAGE` argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageRef {
    /// `[docker://]HOST/NAME[:TAG][@DIGEST]`
    Registry(RegistryRef),
    /// `oci:DIR[:TAG]`
    Layout(FileRef),
    /// `oci-archive:FILE[:TAG]`
    OciArchive(FileRef),
    /// `docker-archive:FILE[:TAG]`
    DockerArchive(FileRef),
    /// `docker-daemon:NAME[:TAG]`
    DockerDaemon(String),
}

/// An image in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryRef {
    /// Host and port as the user knows them (`docker.io` for bare names).
    pub host: String,
    /// The repository, without the host.
    pub repository: String,
    /// The tag, where given; `latest` stands in when neither tag nor digest is.
    pub tag: Option<String>,
    /// The digest, where given; it wins over the tag.
    pub digest: Option<Digest>,
}

/// An image in a file or directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRef {
    /// The layout's directory, or the archive.
    pub path: PathBuf,
    /// Which of several images.
    pub tag: Option<String>,
}

/// Why a text is not an image reference.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not an image reference: {reason}")]
pub struct ReferenceError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Transports of skopeo and podman that hold images in ways this program does not read.
const OTHER_TRANSPORTS: [&str; 4] = ["containers-storage", "dir", "ostree", "sif"];

impl FromStr for ImageRef {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let fail = |reason: &str| ReferenceError { text: text.to_owned(), reason: reason.to_owned() };
        let Some((transport, rest)) = text.split_once(':') else {
            return RegistryRef::parse(text).map(Self::Registry).map_err(|reason| fail(&reason));
        };
        match transport {
            "docker" => {
                let name = rest.strip_prefix("//").ok_or_else(|| fail("docker: is followed by //"))?;
                RegistryRef::parse(name).map(Self::Registry).map_err(|reason| fail(&reason))
            }
            "oci" => FileRef::parse(rest).map(Self::Layout).ok_or_else(|| fail("oci: needs a directory")),
            "oci-archive" => {
                FileRef::parse(rest).map(Self::OciArchive).ok_or_else(|| fail("oci-archive: needs a file"))
            }
            "docker-archive" => {
                FileRef::parse(rest).map(Self::DockerArchive).ok_or_else(|| fail("docker-archive: needs a file"))
            }
            "docker-daemon" if rest.is_empty() => Err(fail("docker-daemon: needs an image name")),
            "docker-daemon" => Ok(Self::DockerDaemon(rest.to_owned())),
            "http" | "https" => Err(fail("leave out the scheme (HOST/NAME:TAG, with --plain-http for http)")),
            other if OTHER_TRANSPORTS.contains(&other) => {
                Err(fail("that transport is not supported (copy the image to an oci: directory with skopeo)"))
            }
            _ => RegistryRef::parse(text).map(Self::Registry).map_err(|reason| fail(&reason)),
        }
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(name) => name.fmt(f),
            Self::Layout(file) => write!(f, "oci:{file}"),
            Self::OciArchive(file) => write!(f, "oci-archive:{file}"),
            Self::DockerArchive(file) => write!(f, "docker-archive:{file}"),
            Self::DockerDaemon(name) => write!(f, "docker-daemon:{name}"),
        }
    }
}

impl RegistryRef {
    /// Host and port that answer the registry protocol; Docker Hub's differ from its name.
    pub fn api_host(&self) -> &str {
        match self.host.as_str() {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            host => host,
        }
    }

    /// The tag or digest to ask for.
    pub fn version(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }

    /// This image named by `digest` and nothing that can move.
    pub fn pinned(&self, digest: &Digest) -> String {
        format!("{}/{}@{digest}", self.host, self.repository)
    }

    /// Whether the registry is on this machine, where plain http needs no flag.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.rsplit_once(':').map_or(self.host.as_str(), |(host, _)| host);
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for RegistryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

impl FileRef {
    /// `PATH`, `PATH:TAG` or `PATH@DIGEST`; a colon before a slash belongs to the path. `PATH:` is `PATH`, and nothing
    /// where that would be a path and a tag.
    fn parse(text: &str) -> Option<Self> {
        match text.trim_end_matches(':') {
            whole if whole == text => Self::parse_whole(text),
            start => Self::parse_whole(start).filter(|file| file.tag.is_none()),
        }
    }

    fn parse_whole(text: &str) -> Option<Self> {
        let (path, tag) = match text.rsplit_once('@') {
            Some((path, digest)) if digest.parse::<Digest>().is_ok() => (path, Some(digest)),
            _ => match text.rsplit_once(':') {
                Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
                _ => (text, None),
            },
        };
        // `NAME:TAG` as the tag of an archive: the file ends at the first colon.
        let (path, tag) = match path.split_once(':') {
            Some((file, name)) if tag.is_some() && !name.is_empty() => {
                (file, Some(format!("{name}:{}", tag.unwrap_or_default())))
            }
            _ => (path, tag.map(str::to_owned)),
        };
        (!path.is_empty()).then(|| Self { path: PathBuf::from(path), tag })
    }
}

impl fmt::Display for FileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.tag.as_ref().map_or(Ok(()), |tag| write!(f, ":{tag}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_printed_in_full() {
        let table = [
            ("alpine", "docker.io/library/alpine:latest"),
            ("docker://alpine:3", "docker.io/library/alpine:3"),
            ("127.0.0.1:5055/nba/phase3:stale", "127.0.0.1:5055/nba/phase3:stale"),
            ("us-docker.pkg.dev/p/r/i", "us-docker.pkg.dev/p/r/i:latest"),
            ("oci:testdata/demo/image", "oci:testdata/demo/image"),
            ("oci:testdata/demo/image:phase3", "oci:testdata/demo/image:phase3"),
            ("oci:testdata/demo/image:", "oci:testdata/demo/image"),
            ("oci-archive:/tmp/a.tar:v1", "oci-archive:/tmp/a.tar:v1"),
            ("docker-archive:/tmp/a.tar:repo/app:v1", "docker-archive:/tmp/a.tar:repo/app:v1"),
            ("docker-archive:/tmp/a.tar:localhost:5000/app:v1", "docker-archive:/tmp/a.tar:localhost:5000/app:v1"),
            ("docker-daemon:app:v1", "docker-daemon:app:v1"),
        ];
        for (text, printed) in table {
            assert_eq!(text.parse::<ImageRef>().unwrap().to_string(), printed, "{text}");
        }
    }

    #[test]
    fn a_tag_with_slashes_is_split_from_its_archive() {
        let Ok(ImageRef::DockerArchive(file)) = "docker-archive:/tmp/a.tar:repo/app:v1".parse() else { panic!() };
        assert_eq!((file.path.to_str(), file.tag.as_deref()), (Some("/tmp/a.tar"), Some("repo/app:v1")));
    }

    #[test]
    fn what_is_no_reference_is_refused_with_a_reason() {
        for text in [
            "",
            "UPPER/case",
            "docker:alpine",
            "oci:",
            "https://gcr.io/x",
            "dir:/tmp",
            "docker-daemon:",
            "oci::",
            "oci:a:b:",
            "a@sha256:12",
            "a:\u{e4}",
            "a.b:65536/c",
            "127.1:5000/a",
            "a.0x7f/b",
        ] {
            let error = text.parse::<ImageRef>().unwrap_err();
            assert!(!error.reason.is_empty(), "{text}");
        }
    }

    #[test]
    fn loopback_is_told_from_other_hosts() {
        let table = [
            ("127.0.0.1:5000/a", true),
            ("localhost:5000/a", true),
            ("127.0.0.1.example.com/a", false),
            ("gcr.io/a/b", false),
        ];
        for (text, expected) in table {
            let Ok(ImageRef::Registry(name)) = text.parse() else { panic!("{text}") };
            assert_eq!(name.is_loopback(), expected, "{text}");
        }
    }
}
