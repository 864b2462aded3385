//! Any text as `WWW-Authenticate` headers, one a line: no panic, nothing empty in what is understood, and no realm,
//! whether a challenge names it or a line is one, may have credentials sent
//!
//! - over plain http, unless to the registry's own address or from this machine to itself,
//! - to an address with a user name,
//! - to an address of this machine or of a private network that is not the registry's own.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use shipproof::auth::challenge::{self, Bearer, Challenge};
use shipproof::auth::realm::check_realm;
use shipproof::auth::token::TokenError;
use url::{Host, Url};

const REGISTRIES: [&str; 6] = [
    "https://registry.example",
    "https://10.0.0.5:5000",
    "http://10.0.0.5:5000",
    "http://127.0.0.1:5000",
    "http://localhost",
    "https://[fd00::5]",
];

fuzz_target!(|text: &str| {
    let challenges = challenge::parse(text.lines());
    for offered in &challenges {
        if let Challenge::Bearer(Bearer { realm, service, scope }) = offered {
            assert!(!realm.is_empty() && service.as_deref() != Some("") && scope.as_deref() != Some(""));
            check(realm);
        }
    }
    text.lines().for_each(check);
});

fn check(realm: &str) {
    for base in REGISTRIES {
        let registry = Url::parse(base).expect("a registry's address");
        match check_realm(base, realm) {
            Ok(()) => assert_eq!(objection(&Url::parse(realm).expect("a URL"), &registry), None, "{realm:?} of {base}"),
            Err(error) => {
                assert!(matches!(error, TokenError::RealmRefused { .. }), "{error:?}");
                assert!(!error.to_string().contains(char::is_control), "{error}");
            }
        }
    }
}

/// The rules, written a second time.
fn objection(realm: &Url, registry: &Url) -> Option<&'static str> {
    let own = realm.origin() == registry.origin();
    let own_host = realm.host() == registry.host() && realm.port_or_known_default() == registry.port_or_known_default();
    let both_here = is_here(realm) && is_here(registry);
    match realm.scheme() {
        _ if !realm.username().is_empty() || realm.password().is_some() => Some("a user name"),
        "http" if !own && !both_here => Some("http to elsewhere"),
        "http" | "https" if own_host || both_here || !is_private(realm) => None,
        "http" | "https" => Some("a private address"),
        _ => Some("another scheme"),
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.octets()[0] == 127,
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

fn is_private(url: &Url) -> bool {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => embedded(address).map_or(IpAddr::V6(address), IpAddr::V4),
        _ => return is_here(url),
    };
    match address {
        IpAddr::V4(address) => matches!(
            address.octets(),
            [0 | 10 | 127, ..]
                | [100, 64..128, ..]
                | [169, 254, ..]
                | [172, 16..32, ..]
                | [192, 168, ..]
                | [255, 255, 255, 255]
        ),
        // ::, ::1, fc00::/7, fe80::/10
        IpAddr::V6(address) => {
            matches!(address.octets(), [0xfc | 0xfd, ..] | [0xfe, 0x80..0xc0, ..]) || u128::from(address) <= 1
        }
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible (RFC 4291), or behind NAT64 (RFC 6052).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = u128::from(address);
    let v4 = Ipv4Addr::from((bits & 0xffff_ffff) as u32);
    match bits >> 32 {
        0xffff | 0x64_ff9b_0000_0000_0000_0000 => Some(v4),
        0 if bits > 0xffff => Some(v4),
        _ => None,
    }
}
