//! Any bytes as a manifest: no panic, never more layers or images than the JSON lists, in its order, and every
//! descriptor names a blob by a digest that may stand in a URL or in a path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shipproof::descriptor::Descriptor;
use shipproof::digest::{Algorithm, Digest};
use shipproof::image::Manifest;

fuzz_target!(|bytes: &[u8]| {
    let manifest = Manifest::parse(bytes);
    // In annotations there may be strings that are no Unicode, which this reader takes for an error.
    let Ok(json) = serde_json::from_slice::<Value>(bytes) else { return };
    match manifest {
        Ok(Manifest::Image(manifest)) => {
            check_all(&json, ["layers", "manifests"], &manifest.layers);
            check(&manifest.config);
        }
        Ok(Manifest::Index(entries)) => check_all(&json, ["manifests", "layers"], &entries),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

fn check_all(json: &Value, [list, other]: [&str; 2], descriptors: &[Descriptor]) {
    let object = json.as_object().expect("a manifest is an object");
    // Go's readers take a key in any case, and would see another list (CVE-2021-41190 is of that kind).
    let keys = |name: &str| object.keys().filter(|key| key.eq_ignore_ascii_case(name)).count();
    assert!(keys(list) == 1 && object.get(other).is_none_or(Value::is_null));
    let listed = json[list].as_array().expect("a manifest has a list");
    assert_eq!(descriptors.len(), listed.len());
    for (descriptor, listed) in descriptors.iter().zip(listed) {
        assert_eq!(Some(&*descriptor.digest.to_string()), listed["digest"].as_str());
        assert_eq!(Some(descriptor.size), listed["size"].as_u64());
        check(descriptor);
    }
}

fn check(descriptor: &Descriptor) {
    let digest = &descriptor.digest;
    let digits = match digest.algorithm() {
        Algorithm::Sha256 => 64,
        Algorithm::Sha512 => 128,
    };
    assert!(digest.hex().len() == digits && digest.hex().bytes().all(|byte| b"0123456789abcdef".contains(&byte)));
    assert_eq!(digest.to_string().parse::<Digest>().as_ref(), Ok(digest));
}
