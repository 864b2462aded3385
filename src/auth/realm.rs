//! Where credentials may be exchanged for a token.
//!
//! Registries name the server that issues the tokens themselves, so this is where credentials get stolen. The rules:
//! tokens are fetched over https, or from the registry's own address, or on this machine if the registry is on it;
//! never from an address of a private network that is not the registry's own. The names of hosts are not resolved to
//! find out where they lead.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

use super::text;
use super::token::TokenError;

/// Whether credentials of the registry at `registry_base` may be sent to `realm`, by the rules above.
///
/// # Errors
///
/// [`TokenError::RealmRefused`] with the rule that forbids it, and [`TokenError::Registry`].
pub fn check_realm(registry_base: &str, realm: &str) -> Result<(), TokenError> {
    checked_realm(registry_base, realm).map(drop)
}

/// The realm as an address that credentials may be sent to.
pub(super) fn checked_realm(registry_base: &str, realm: &str) -> Result<Url, TokenError> {
    let registry = Url::parse(registry_base).map_err(|_| TokenError::Registry(text::printable(registry_base)))?;
    let refused =
        |realm: String, reason| TokenError::RealmRefused { registry: without_query(&registry), realm, reason };
    let written = realm.split(['?', '#']).next().unwrap_or_default();
    let realm = Url::parse(realm).map_err(|_| refused(text::printable(written), "it is not a URL"))?;
    match objection(&realm, &registry) {
        None => Ok(realm),
        Some(reason) => Err(refused(without_query(&realm), reason)),
    }
}

/// The rule against sending credentials of `registry` to `realm`.
fn objection(realm: &Url, registry: &Url) -> Option<&'static str> {
    let same_place =
        realm.host() == registry.host() && realm.port_or_known_default() == registry.port_or_known_default();
    if !realm.username().is_empty() || realm.password().is_some() {
        return Some("it carries a user name");
    }
    if !matches!(realm.scheme(), "http" | "https") {
        return Some("it is not https");
    }
    if same_place && realm.scheme() == registry.scheme() || is_loopback(realm) && is_loopback(registry) {
        return None;
    }
    if realm.scheme() != "https" {
        return Some("it is not https");
    }
    (!same_place && is_internal(realm)).then_some("it is an address of a private network")
}

fn is_loopback(url: &Url) -> bool {
    match address(url) {
        Some(address) => address.is_loopback(),
        None => name(url) == "localhost" || name(url).ends_with(".localhost"),
    }
}

/// Whether the address leads to this machine or its private network.
fn is_internal(url: &Url) -> bool {
    is_loopback(url)
        || match address(url) {
            Some(IpAddr::V4(v4)) => is_internal_v4(v4),
            Some(IpAddr::V6(v6)) => {
                v6.is_unspecified()
                    || v6.is_unique_local()
                    || v6.is_unicast_link_local()
                    || translated(v6).is_some_and(|v4| v4.is_loopback() || is_internal_v4(v4))
            }
            None => false,
        }
}

fn is_internal_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    // RFC 6598: addresses shared behind a carrier's NAT, also used for cloud metadata.
    let is_shared = first == 100 && (64..128).contains(&second);
    first == 0 || address.is_private() || address.is_link_local() || address.is_broadcast() || is_shared
}

/// The IPv4 address that a translator puts in the place of `address`: the one behind NAT64's prefix (RFC 6052), or that
/// of an IPv4-compatible address (RFC 4291).
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

/// The address that stands in place of a host name. URL parsing has already turned `0x7f.1` and the like into digits.
fn address(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host.parse().ok().map(|address: IpAddr| address.to_canonical())
}

fn name(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_end_matches('.')
}

/// The address without what may be secret or long: user, query, fragment.
pub(super) fn without_query(url: &Url) -> String {
    text::printable(&format!("{}{}", url.origin().ascii_serialization(), url.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn realms_that_credentials_may_go_to() {
        let allowed = [
            ("https://registry.example", "https://registry.example/token"),
            ("https://registry-1.docker.io", "https://auth.docker.io/token"),
            ("https://registry.example", "https://auth.example:8443/token"),
            ("https://us-docker.pkg.dev", "https://us-docker.pkg.dev/v2/token"),
            ("https://10.0.0.5:5000", "https://10.0.0.5:5000/token"),
            ("https://10.0.0.5", "https://10.0.0.5:443/token"),
            ("http://10.0.0.5:5000", "http://10.0.0.5:5000/token"),
            ("http://10.0.0.5:5000", "https://10.0.0.5:5000/token"),
            ("http://registry.test", "http://registry.test:80/token"),
            ("http://127.0.0.1:5000", "http://localhost:5001/token"),
            ("http://localhost:5000", "http://[::1]:5001/token"),
            ("https://registry.example", "https://8.8.8.8/token"),
            ("https://registry.example", "https://[64:ff9b::808:808]/token"),
        ];
        for (registry, realm) in allowed {
            assert!(checked_realm(registry, realm).is_ok(), "{registry} {realm}");
        }
    }

    #[test]
    fn realms_that_credentials_may_not_go_to() {
        let plain = "it is not https";
        let private = "it is an address of a private network";
        let registry = "https://registry.example";
        let refused = [
            (registry, "http://registry.example/token", plain),
            (registry, "http://evil.example/token", plain),
            (registry, "http://localhost/token", plain),
            (registry, "file:///etc/passwd", plain),
            (registry, "/token", "it is not a URL"),
            (registry, "", "it is not a URL"),
            (registry, "https://", "it is not a URL"),
            (registry, "https://user:p@auth.example/token", "it carries a user name"),
            (registry, "https://169.254.169.254/token", private),
            (registry, "https://10.1.2.3/token", private),
            (registry, "https://172.16.0.1/token", private),
            (registry, "https://192.168.0.1/token", private),
            (registry, "https://100.100.100.200/token", private),
            (registry, "https://127.0.0.1/token", private),
            (registry, "https://0x7f.1/token", private),
            (registry, "https://2130706433/token", private),
            (registry, "https://0.0.0.0/token", private),
            (registry, "https://localhost/token", private),
            (registry, "https://a.localhost./token", private),
            (registry, "https://a.localhost../token", private),
            (registry, "https://[::1]/token", private),
            (registry, "https://[::ffff:10.0.0.1]/token", private),
            (registry, "https://[fe80::1]/token", private),
            (registry, "https://[64:ff9b::a9fe:a9fe]/token", private),
            (registry, "https://[64:ff9b::7f00:1]/token", private),
            (registry, "https://[::10.0.0.1]/token", private),
            (registry, "https://[fd00:ec2::254]/token", private),
            ("https://10.0.0.5:5000", "https://10.0.0.5:5001/token", private),
            ("https://10.0.0.5:5000", "https://10.0.0.6:5000/token", private),
            ("https://10.0.0.5:5000", "http://10.0.0.5:5000/token", plain),
            ("http://registry.test", "http://auth.test/token", plain),
            ("http://registry.test:5000", "http://registry.test/token", plain),
            ("http://127.0.0.1:5000", "http://10.0.0.5:5000/token", plain),
            ("http://127.0.0.1:5000", "https://10.0.0.5/token", private),
            ("http://10.0.0.5:5000", "http://127.0.0.1:5000/token", plain),
        ];
        for (registry, realm, expected) in refused {
            match checked_realm(registry, realm) {
                Err(TokenError::RealmRefused { reason, .. }) => assert_eq!(reason, expected, "{registry} {realm}"),
                other => panic!("{registry} {realm}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_refused_realm_is_shown_without_query_and_user() {
        let text = |realm| checked_realm("https://r.example", realm).unwrap_err().to_string();
        assert!(text("https://u:p@a.example/t?k=v").contains("sent to https://a.example/t, which"));
        assert!(text("\u{1b}]0;x?k=v").contains("sent to \\u{1b}]0;x, which"));
        assert!(matches!(checked_realm("r.example", "https://a/"), Err(TokenError::Registry(_))));
    }
}
