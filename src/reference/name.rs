//! The grammar of `HOST/NAME[:TAG][@DIGEST]` (github.com/distribution/reference, and distribution-spec "Pulling
//! manifests" for names and tags), and what Docker makes of names without a host.
//!
//! The registry crate has the same grammar as one regular expression, whose tag takes letters of every script: compiling
//! it was a quarter of the time of a `verify` that finds all layers in the cache. The tests hold this against it.

use crate::digest::DigestError;

use super::RegistryRef;

/// Characters of a repository's name that registries take.
const NAME_LENGTH: usize = 255;

/// Characters of a tag.
const TAG_LENGTH: usize = 128;

/// The host of names that have none, and what it was called once.
const HUB: [&str; 2] = ["docker.io", "index.docker.io"];

impl RegistryRef {
    /// Reads a reference without its transport.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (name, None),
        };
        let digest = digest.map(str::parse).transpose().map_err(|error: DigestError| error.to_string())?;
        let (host, repository) = split_host(name);
        check(!name.is_empty(), "it has no name")?;
        check(repository.split('/').all(is_component), "a repository's name is lowercase letters, digits and . _ - /")?;
        check(tag.is_none_or(is_tag), "a tag is up to 128 letters of ASCII, digits and . _ -")?;
        check_host(host)?;
        let (host, repository) = named_in_full(host, repository);
        check(repository.len() <= NAME_LENGTH, "a repository's name is at most 255 characters long")?;
        let tag = tag.or_else(|| digest.is_none().then_some("latest")).map(str::to_owned);
        Ok(Self { host, repository, tag, digest })
    }
}

fn check(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

/// A first part with a dot or a port is a host, and so is `localhost`.
fn split_host(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), rest),
        _ => (None, name),
    }
}

/// With Docker Hub as the host of what has none, and the folder of images without one there.
fn named_in_full(host: Option<&str>, repository: &str) -> (String, String) {
    let host = host.filter(|host| *host != HUB[1]).unwrap_or(HUB[0]);
    let is_official = host == HUB[0] && !repository.contains('/');
    let folder = if is_official { "library/" } else { "" };
    (host.to_owned(), format!("{folder}{repository}"))
}

/// Runs of letters and digits, with one dot, one or two underscores, or any number of hyphens between them.
fn is_component(text: &str) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()].into_iter().all(|end| end.is_some_and(is_word));
    let separators = text.split(|letter: char| u8::try_from(letter).is_ok_and(|byte| is_word(&byte)));
    ends && separators
        .into_iter()
        .all(|separator| matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-'))
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= TAG_LENGTH
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

fn check_host(host: Option<&str>) -> Result<(), String> {
    let Some(host) = host else { return Ok(()) };
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    check(name.split('.').all(is_label), "a host is letters, digits and hyphens between dots")?;
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    check(port.is_none_or(is_port), "a port is a number up to 65535")?;
    check(is_address_or_name(name), "its host is a number and no address")
}

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.into_iter().all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// Whether a host that ends in a number is an address. A URL takes `127.1` and `0x7f.1` for addresses, too (WHATWG URL,
/// "ends in a number"), and registry clients take them for names.
fn is_address_or_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    !is_number || name.parse::<std::net::Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use crate::digest::Digest;

    use super::*;

    /// What the registry crate makes of a text, but for what it takes that no registry has.
    fn by_the_crate(text: &str) -> Option<RegistryRef> {
        let parsed: oci_distribution::Reference = text.parse().ok()?;
        let (host, port) = parsed.registry().split_once(':').unwrap_or((parsed.registry(), "0"));
        let is_sound = is_address_or_name(host)
            && host.split('.').all(is_label)
            && port.parse::<u16>().is_ok()
            && !parsed.repository().bytes().any(|byte| byte.is_ascii_uppercase() || byte == b':')
            && parsed.tag().is_none_or(str::is_ascii);
        let digest = parsed.digest().map(str::parse).transpose().ok()?;
        let (host, repository) = (parsed.registry().to_owned(), parsed.repository().to_owned());
        is_sound.then(|| RegistryRef { host, repository, tag: parsed.tag().map(str::to_owned), digest })
    }

    #[test]
    fn it_is_the_crates_grammar() {
        let digest = format!("@{}", Digest::of(b"a"));
        let words = [
            "a",
            "b",
            "7",
            "Z",
            ".",
            "_",
            "__",
            "-",
            "--",
            "/",
            ":",
            "@",
            "localhost",
            "docker.io/",
            "index.docker.io/",
            "a.b/",
            "h:5000/",
            "127.0.0.1:5000/",
            "127.1/",
            ":v1",
            ":Tag",
            "library/",
            "\u{e4}",
            "0x7f",
            &digest,
        ];
        let (mut state, mut taken) = (88_172_645_463_325_252_u64, 0);
        for _ in 0..60_000 {
            let mut text = String::new();
            for _ in 0..=state % 7 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                text.push_str(words[(state >> 33) as usize % words.len()]);
            }
            let ours = RegistryRef::parse(&text);
            taken += usize::from(ours.is_ok());
            assert_eq!(ours.as_ref().ok(), by_the_crate(&text).as_ref(), "{text}: {ours:?}");
        }
        assert!(taken > 3000, "{taken}");
    }

    #[test]
    fn lengths_have_limits() {
        let table = [
            (format!("a.b/{}", "x".repeat(255)), true),
            (format!("a.b/{}", "x".repeat(256)), false),
            (format!("a:{}", "x".repeat(128)), true),
            (format!("a:{}", "x".repeat(129)), false),
        ];
        for (text, expected) in table {
            assert_eq!(RegistryRef::parse(&text).is_ok(), expected, "{text}");
            assert_eq!(by_the_crate(&text).is_some(), expected, "{text}");
        }
    }
}
