//! Provenance that refers to an image: by the referrers API, by the tag that takes its place, and from registries that
//! have neither.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::http::{Response, Server};
use crate::support::images::{Image, Layout, OCI_INDEX, OCI_MANIFEST};

use super::stage::{User, files};

/// What a registry answers when it is asked for referrers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    /// The list.
    Index,
    /// There is no such API, and the list is under the tag.
    Tag,
    /// A page that wants people to log in, as Artifact Registry has been seen to send; the list is under the tag.
    LoginPage,
    /// There is no such API, and no tag.
    Nothing,
}

/// A registry with an image, one file of which is in no commit, and with provenance that names `revision`.
fn serve(api: Api, revision: &str) -> Server {
    let image = Image::of(&files("app/").replace("a beat of", "another beat of"));
    let mut layout = Layout::new();
    let digest = layout.tag("v1", &image);
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1", "subject": [],
        "predicate": { "buildDefinition": { "resolvedDependencies": [
            { "uri": "git+https://git.example/app", "digest": { "gitCommit": revision } } ] } },
    });
    let layer = layout.add_blob("application/vnd.in-toto+json", statement.to_string().into_bytes());
    let empty = layout.add_blob("application/vnd.oci.empty.v1+json", b"{}".to_vec());
    let manifest = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": empty, "layers": [layer] });
    let manifest = layout.add_blob(OCI_MANIFEST, manifest.to_string().into_bytes());
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [manifest] }).to_string();
    let blobs: BTreeMap<String, Vec<u8>> = layout
        .files()
        .into_iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix("blobs/sha256/")?.to_owned(), bytes)))
        .collect();
    let tag = digest.replace(':', "-");
    Server::start(move |_, request| {
        let name = request.path().rsplit('/').next().unwrap_or_default().replace("sha256:", "");
        let found = |bytes: &[u8]| Response::new(200, bytes.to_vec());
        match request.path() {
            path if path.contains("/referrers/") => match api {
                Api::Index => found(index.as_bytes()),
                Api::LoginPage => found(b"<html>Please log in</html>"),
                Api::Tag | Api::Nothing => Response::new(404, "404 page not found"),
            },
            path if path.ends_with(&tag) && api != Api::Nothing => found(index.as_bytes()),
            path if path.ends_with("/manifests/v1") => found(&blobs[&digest.replace("sha256:", "")]),
            _ => blobs.get(&name).map_or_else(|| Response::new(404, "no such thing"), |bytes| found(bytes)),
        }
    })
}

fn provenance_in(report: &Value) -> Vec<&Value> {
    let claims = report["claims"].as_array().expect("a report has claims");
    claims.iter().filter(|claim| claim["source"] == "provenance SLSA v1" && claim["meaning"] == "revision").collect()
}

#[test]
fn provenance_of_referrers_is_held_against_the_contents() {
    let user = User::new();
    let revision = user.head();
    for api in [Api::Index, Api::Tag, Api::LoginPage, Api::Nothing] {
        let server = serve(api, &revision);
        let report = user.verify(&format!("{}/team/app:v1", server.host()), &[]).verdict("mismatch");
        let claims = provenance_in(&report);
        assert_eq!(claims.len(), usize::from(api != Api::Nothing), "{api:?} {report}");
        for claim in claims {
            assert_eq!((&claim["value"], &claim["agrees"]), (&json!(revision), &json!(false)), "{api:?}");
        }
        assert_eq!(report["warnings"], json!([]), "{api:?}");
    }
}
