//! Any text as an image reference: what parses is printed in a form that parses to the same, and the parts of a
//! registry's image are what they say they are when they stand in a URL or in a path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shipproof::digest::Digest;
use shipproof::reference::{ImageRef, RegistryRef};
use url::Url;

fuzz_target!(|text: &str| {
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
        assert!(digest.hex().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    let Ok(image) = text.parse::<ImageRef>() else { return };
    let printed = image.to_string();
    let again: ImageRef = printed.parse().unwrap_or_else(|error| panic!("{image:?} is printed as {printed}: {error}"));
    assert_eq!(again, image, "printed as {printed}");
    match image {
        ImageRef::Registry(name) => check(&name),
        ImageRef::Layout(file) | ImageRef::OciArchive(file) | ImageRef::DockerArchive(file) => {
            assert!(!file.path.as_os_str().is_empty());
            assert!(file.tag.is_none_or(|tag| !tag.is_empty()));
        }
        ImageRef::DockerDaemon(name) => assert!(!name.is_empty()),
    }
});

fn check(name: &RegistryRef) {
    let clean = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    for part in name.repository.split('/') {
        assert!(!part.is_empty() && part.bytes().all(clean) && !part.starts_with('.'), "{name:?}");
    }
    // distribution-spec, "Pulling manifests": the grammar of tags.
    if let Some(tag) = &name.tag {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        assert!(tag.bytes().all(allowed) && !tag.starts_with(['.', '-']) && (1..=128).contains(&tag.len()), "{name:?}");
    }
    for path in ["manifests", "blobs"] {
        let (host, version) = (name.api_host(), name.version());
        let path = format!("/v2/{}/{path}/{version}", name.repository);
        let Ok(url) = Url::parse(&format!("https://{host}{path}")) else { return };
        assert_eq!((url.path(), url.query(), url.fragment()), (&*path, None, None), "{name:?}");
        assert!(url.username().is_empty() && url.password().is_none(), "{name:?}");
        let seen = url.host_str().unwrap_or_default();
        let (given, port) = host.split_once(':').map_or((host, None), |(given, port)| (given, port.parse().ok()));
        assert_eq!((seen, url.port_or_known_default()), (&*given.to_lowercase(), port.or(Some(443))), "{name:?}");
        if name.is_loopback() {
            let address = seen.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
            assert!(seen == "localhost" || address.is_ok_and(|address| address.is_loopback()), "{name:?}");
        }
    }
}
