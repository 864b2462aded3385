//! Docker's `config.json` and podman's `auth.json`: which entry or helper speaks for an image.
//!
//! Pure: bytes in, answer out. Reading files and running helpers is done elsewhere. Keys come in many spellings
//! (`host`, `host:port`, `https://host`, `https://host/v1/`, `host/namespace/repository`); the most specific one wins
//! (containers-auth.json(5)), and of equals the spelling docker itself writes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::de::IgnoredAny;

use super::{Credential, Secret};

/// The key under which docker keeps the credentials of Docker Hub.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Padding is sometimes lost when people write the field by hand.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A parsed configuration file.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DockerConfig {
    auths: Option<BTreeMap<String, Option<Entry>>>,
    cred_helpers: Option<BTreeMap<String, String>>,
    creds_store: Option<String>,
}

/// What `auths` says about one key; all fields empty (docker writes `{}` when a store is used) is no credential.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase", default)]
struct Entry {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
    registrytoken: Option<Secret>,
}

/// An entry whose `auth` is not base64 of `user:password`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`auth` of `{key}` is not the base64 form of user:password")]
pub struct EntryError {
    /// The key of the entry.
    pub key: String,
}

/// The image that credentials are wanted for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Host and, if given, port.
    pub registry: &'a str,
    /// The repository's path on that host.
    pub repository: &'a str,
}

impl DockerConfig {
    /// Parses a file; an empty one is an empty configuration, as for docker. The error's text may quote the file, so
    /// only its position may be shown.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        // A list would pass for a struct.
        serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(bytes)?;
        serde_json::from_slice(bytes)
    }

    /// The names of the helpers to ask: the one for this registry, then the store for all of them. An empty name in
    /// `credHelpers` switches the store off for its registry, as in docker.
    pub fn helpers(&self, target: Target<'_>) -> Vec<&str> {
        let matching = self.cred_helpers.as_ref().map(|helpers| matching(helpers, target)).unwrap_or_default();
        let own = matching.first().map(|(_, name)| name.as_str());
        let store = self.creds_store.as_deref().filter(|store| !store.is_empty());
        match own {
            Some("") => Vec::new(),
            Some(own) => std::iter::once(own).chain(store.filter(|store| *store != own)).collect(),
            None => store.into_iter().collect(),
        }
    }

    /// The names under which a helper may know the registry: docker's own first, then those that `auths` lists.
    pub fn server_names<'a>(&'a self, target: Target<'a>) -> Vec<&'a str> {
        let listed = self.entries(target).map(|(key, _)| key);
        let mut names = vec![docker_key(target.registry)];
        for name in listed {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The credential written into the file itself.
    pub fn inline(&self, target: Target<'_>) -> Result<Option<Credential>, EntryError> {
        for (key, entry) in self.entries(target) {
            let credential = entry.credential().ok_or_else(|| EntryError { key: key.to_owned() })?;
            if credential.is_some() {
                return Ok(credential);
            }
        }
        Ok(None)
    }

    fn entries<'a>(&'a self, target: Target<'_>) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let matching = self.auths.as_ref().map(|auths| matching(auths, target)).unwrap_or_default();
        matching.into_iter().filter_map(|(key, entry)| Some((key, entry.as_ref()?)))
    }
}

impl Entry {
    /// `Some(None)` if the entry is empty, `None` if it cannot be understood. Tokens come first: docker writes a
    /// meaningless `auth` beside an identity token.
    fn credential(&self) -> Option<Option<Credential>> {
        let given = |secret: &Option<Secret>| secret.clone().filter(|secret| !secret.is_empty());
        if let Some(token) = given(&self.registrytoken) {
            return Some(Some(Credential::RegistryToken(token)));
        }
        if let Some(token) = given(&self.identitytoken) {
            return Some(Some(Credential::IdentityToken(token)));
        }
        if let Some(auth) = given(&self.auth) {
            return decode(auth.expose()).map(Some);
        }
        let username = self.username.clone().filter(|name| !name.is_empty());
        Some(username.zip(given(&self.password)).map(|(username, password)| Credential::Basic { username, password }))
    }
}

/// Reads base64 of `user:password`; the password may hold colons, and docker drops NULs around it.
fn decode(auth: &str) -> Option<Credential> {
    let text = String::from_utf8(BASE64.decode(auth.trim()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    let password = Secret::new(password.trim_matches('\0'));
    (!username.is_empty()).then(|| Credential::Basic { username: username.to_owned(), password })
}

/// The values whose keys speak for `target`, best first.
fn matching<'a, V>(map: &'a BTreeMap<String, V>, target: Target<'_>) -> Vec<(&'a str, &'a V)> {
    let rank = |key: &str| Some((Reverse(specificity(key, target)?), key != docker_key(target.registry)));
    let mut found: Vec<_> = map.iter().filter_map(|(key, value)| Some((rank(key)?, (key.as_str(), value)))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// How many path components of `target` the key names; `None` if it speaks for something else.
fn specificity(key: &str, target: Target<'_>) -> Option<usize> {
    let (host, path) = split_key(key);
    if !same_host(host, target.registry) {
        return None;
    }
    let mut repository = target.repository.split('/');
    let mut components = path.split('/').filter(|component| !component.is_empty());
    components.try_fold(0, |length, component| (repository.next() == Some(component)).then_some(length + 1))
}

/// Host and path of a key. The API versions that docker appends are not a path.
fn split_key(key: &str) -> (&str, &str) {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let is_url = bare.len() != key.len();
    match path {
        "v1/" | "v2/" => (host, ""),
        "v1" | "v2" if is_url => (host, ""),
        path => (host, path),
    }
}

fn same_host(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || is_docker_hub(a) && is_docker_hub(b)
}

fn is_docker_hub(host: &str) -> bool {
    ["docker.io", "index.docker.io", "registry-1.docker.io"].iter().any(|name| host.eq_ignore_ascii_case(name))
}

/// The name docker gives to a registry in its configuration and to its helpers.
fn docker_key(registry: &str) -> &str {
    if is_docker_hub(registry) { DOCKER_HUB_KEY } else { registry }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAR: Target<'_> = Target { registry: "us-docker.pkg.dev", repository: "project/repo/image" };
    const HUB: Target<'_> = Target { registry: "docker.io", repository: "library/busybox" };
    const LOCAL: Target<'_> = Target { registry: "localhost:5000", repository: "a/b" };

    fn config(json: &str) -> DockerConfig {
        DockerConfig::parse(json.as_bytes()).unwrap()
    }

    fn basic(username: &str, password: &str) -> Credential {
        Credential::Basic { username: username.to_owned(), password: Secret::new(password) }
    }

    fn entry_for(name: &str) -> String {
        format!(r#"{{"username": "{name}", "password": "p"}}"#)
    }

    /// The user name that a file with these keys gives for `target`; each entry's user is called as its key.
    fn chosen(keys: &[&str], target: Target<'_>) -> Option<String> {
        let entries: Vec<String> = keys.iter().map(|key| format!("\"{key}\": {}", entry_for(key))).collect();
        match config(&format!("{{\"auths\": {{{}}}}}", entries.join(","))).inline(target).unwrap() {
            Some(Credential::Basic { username, .. }) => Some(username),
            _ => None,
        }
    }

    #[test]
    fn every_spelling_of_a_key_is_understood() {
        let spellings: [(Target<'_>, &[&str]); 3] = [
            (
                GAR,
                &[
                    "us-docker.pkg.dev",
                    "US-docker.pkg.dev",
                    "us-docker.pkg.dev/",
                    "https://us-docker.pkg.dev",
                    "https://us-docker.pkg.dev/",
                    "https://us-docker.pkg.dev/v1/",
                    "https://us-docker.pkg.dev/v2",
                    "http://us-docker.pkg.dev/v2/",
                    "us-docker.pkg.dev/v1/",
                    "us-docker.pkg.dev/project",
                    "us-docker.pkg.dev/project/repo/image",
                ],
            ),
            (HUB, &["docker.io", "index.docker.io", "https://index.docker.io/v1/", "registry-1.docker.io"]),
            (LOCAL, &["localhost:5000", "http://localhost:5000"]),
        ];
        for (target, keys) in spellings {
            for key in keys {
                assert_eq!(chosen(&[key], target).as_deref(), Some(*key));
            }
        }
    }

    #[test]
    fn keys_of_something_else_are_passed_over() {
        let others: [(Target<'_>, &[&str]); 3] = [
            (
                GAR,
                &[
                    "",
                    "docker.pkg.dev",
                    "us-docker.pkg.dev:443",
                    "us-docker.pkg.dev.evil.example",
                    "us-docker.pkg.dev/proj",
                    "us-docker.pkg.dev/project/repo/image/more",
                    "us-docker.pkg.dev/v1",
                    "us-docker.pkg.dev@evil.example",
                    "ftp://us-docker.pkg.dev",
                ],
            ),
            (HUB, &["hub.docker.com", "https://index.docker.io/v1/refresh-token", "docker.io/library/busybox2"]),
            (LOCAL, &["localhost", "localhost:500", "127.0.0.1:5000"]),
        ];
        for (target, keys) in others {
            assert_eq!(chosen(keys, target), None);
        }
    }

    #[test]
    fn the_most_specific_key_wins() {
        let table: [(&[&str], Target<'_>, &str); 5] = [
            (&["us-docker.pkg.dev", "us-docker.pkg.dev/project"], GAR, "us-docker.pkg.dev/project"),
            (
                &["us-docker.pkg.dev/project", "us-docker.pkg.dev/project/repo", "us-docker.pkg.dev/other/repo/image"],
                GAR,
                "us-docker.pkg.dev/project/repo",
            ),
            (&["https://us-docker.pkg.dev/", "us-docker.pkg.dev"], GAR, "us-docker.pkg.dev"),
            (&["docker.io", "https://index.docker.io/v1/"], HUB, "https://index.docker.io/v1/"),
            (&["docker.io/library", "https://index.docker.io/v1/"], HUB, "docker.io/library"),
        ];
        for (keys, target, expected) in table {
            assert_eq!(chosen(keys, target).as_deref(), Some(expected), "{keys:?}");
        }
    }

    #[test]
    fn entries_hold_credentials_in_several_forms() {
        let none = [
            "{}",
            "null",
            r#"{"auth": ""}"#,
            r#"{"email": "x"}"#,
            r#"{"username": "u"}"#,
            r#"{"password": "p"}"#,
            r#"{"username": "", "password": "p"}"#,
            r#"{"auth": null, "identitytoken": "", "registrytoken": ""}"#,
        ];
        let table = [
            (r#"{"auth": "dXNlcjpwYXNz"}"#, basic("user", "pass")),
            (r#"{"auth": "dXNlcjpwYTpzczo="}"#, basic("user", "pa:ss:")),
            (r#"{"auth": "dXNlcjpwYTpzczo"}"#, basic("user", "pa:ss:")),
            (r#"{"auth": "dXNlcjpwYXNzAAA="}"#, basic("user", "pass")),
            (r#"{"auth": "dXNlcjo="}"#, basic("user", "")),
            (r#"{"auth": "dXNlcjpwYXNz", "username": "other", "password": "other"}"#, basic("user", "pass")),
            (r#"{"username": "u", "password": "p:q"}"#, basic("u", "p:q")),
            (r#"{"auth": "MDAwOg==", "identitytoken": "t"}"#, Credential::IdentityToken(Secret::new("t"))),
            (r#"{"registrytoken": "r", "identitytoken": "t"}"#, Credential::RegistryToken(Secret::new("r"))),
        ];
        for (entry, expected) in none.map(|entry| (entry, None)).into_iter().chain(table.map(|(e, c)| (e, Some(c)))) {
            let config = config(&format!("{{\"auths\": {{\"us-docker.pkg.dev\": {entry}}}}}"));
            assert_eq!(config.inline(GAR).unwrap(), expected, "{entry}");
        }
    }

    #[test]
    fn an_empty_entry_does_not_hide_a_wider_one() {
        let json = format!(r#"{{"auths": {{"docker.io/library": {{}}, "docker.io": {}}}}}"#, entry_for("wide"));
        assert_eq!(config(&json).inline(HUB), Ok(Some(basic("wide", "p"))));
    }

    #[test]
    fn an_auth_that_is_no_user_and_password_is_an_error_for_its_own_host_only() {
        for auth in ["hunter2", "%%%", "dXNlcg==", "OnBhc3M=", "/////w=="] {
            let config = config(&format!(r#"{{"auths": {{"localhost:5000": {{"auth": "{auth}"}}}}}}"#));
            let error = config.inline(LOCAL).unwrap_err();
            assert_eq!(error.key, "localhost:5000", "{auth}");
            assert!(!format!("{error} {error:?}").contains(auth));
            assert_eq!(config.inline(GAR), Ok(None));
        }
    }

    #[test]
    fn helpers_come_in_order() {
        let table: [(&str, Target<'_>, &[&str]); 8] = [
            ("{}", GAR, &[]),
            (r#"{"credHelpers": null, "credsStore": ""}"#, GAR, &[]),
            (r#"{"credsStore": "desktop"}"#, GAR, &["desktop"]),
            (
                r#"{"credHelpers": {"us-docker.pkg.dev": "gcloud"}, "credsStore": "desktop"}"#,
                GAR,
                &["gcloud", "desktop"],
            ),
            (r#"{"credHelpers": {"us-docker.pkg.dev": "gcloud"}, "credsStore": "gcloud"}"#, GAR, &["gcloud"]),
            (r#"{"credHelpers": {"gcr.io": "gcr", "us-docker.pkg.dev": ""}, "credsStore": "x"}"#, GAR, &[]),
            (r#"{"credHelpers": {"gcr.io": "gcr"}}"#, GAR, &[]),
            (r#"{"credHelpers": {"docker.io": "a", "docker.io/library": "b"}}"#, HUB, &["b"]),
        ];
        for (json, target, expected) in table {
            assert_eq!(config(json).helpers(target), expected, "{json}");
        }
    }

    #[test]
    fn helpers_are_asked_by_the_names_docker_uses() {
        assert_eq!(config("{}").server_names(HUB), ["https://index.docker.io/v1/"]);
        assert_eq!(config(r#"{"auths": {"docker.io": {}}}"#).server_names(HUB), [DOCKER_HUB_KEY, "docker.io"]);
        let listed = config(r#"{"auths": {"https://localhost:5000": {}, "localhost:5000": {}, "gcr.io": {}}}"#);
        assert_eq!(listed.server_names(LOCAL), ["localhost:5000", "https://localhost:5000"]);
    }

    #[test]
    fn what_is_not_a_configuration_is_an_error() {
        for bytes in ["", " \n", "{}", r#"{"auths": null, "HttpHeaders": {"a": "b"}, "currentContext": "c"}"#] {
            assert_eq!(DockerConfig::parse(bytes.as_bytes()).unwrap().inline(GAR), Ok(None), "{bytes}");
        }
        for bytes in ["{", "[]", "null", "\"x\"", r#"{"auths": []}"#, r#"{"auths": {"a": "hunter2"}}"#, "{} {}"] {
            assert!(DockerConfig::parse(bytes.as_bytes()).is_err(), "{bytes}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = format!(
            "{:?}",
            config(r#"{"auths": {"a": {"auth": "hunter2", "password": "hunter2", "identitytoken": "hunter2"}}}"#)
        );
        assert!(text.contains("[secret]") && !text.contains("hunter2"), "{text}");
    }
}
