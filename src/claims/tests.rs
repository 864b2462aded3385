use super::*;

fn config(text: &str) -> ImageConfig {
    ImageConfig::parse(text.as_bytes()).unwrap()
}

fn texts(claims: &[Claim]) -> Vec<String> {
    let text = |claim: &Claim| {
        let inherited = if claim.inherited { " (inherited)" } else { "" };
        format!("{} = {} ({}){inherited}", claim.source, claim.value, claim.meaning.name())
    };
    claims.iter().map(text).collect()
}

#[test]
fn labels_and_variables_speak_of_commits_under_many_names() {
    let config = config(
        r#"{"config":{"Labels":{"org.opencontainers.image.revision":"abc","commit-sha":"","maintainer":"me",
            "org.label-schema.vcs-url":"https://git.example/a","commit":"yes","org.opencontainers.image.version":"1.2"},
            "Env":["PATH=/bin","GIT_COMMIT=0123456-dirty","SOURCE_VERSION=1.2.3","COMMIT_SHA=$COMMIT_SHA","COMMIT=0123456",
            "REVISION=012345"]}}"#,
    );
    let expected = [
        "label commit-sha =  (revision)",
        "label org.label-schema.vcs-url = https://git.example/a (repository)",
        "label org.opencontainers.image.revision = abc (revision)",
        "label org.opencontainers.image.version = 1.2 (version)",
        "env GIT_COMMIT = 0123456-dirty (revision)",
        "env COMMIT_SHA = $COMMIT_SHA (revision)",
        "env COMMIT = 0123456 (revision)",
    ];
    assert_eq!(texts(&of_config(&config, None)), expected);
}

#[test]
fn what_the_base_image_set_is_inherited() {
    let text = r#"{"config":{"Labels":{"org.opencontainers.image.revision":"base","org.opencontainers.image.version":"1"},
        "Env":["GIT_SHA=0123456"]},
        "history":[{"created_by":"ADD rootfs.tar / # buildkit"},
            {"created_by":"LABEL org.opencontainers.image.revision=base org.opencontainers.image.version=0"},
            {"created_by":"ENV GIT_SHA=0123456"},
            {"created_by":"/bin/sh -c #(nop)  CMD [\"python3\"]"},
            {"created_by":"LABEL \"org.opencontainers.image.version\"=\"1\""},{"created_by":"COPY . . # buildkit"}]}"#;
    let expected = [
        "label org.opencontainers.image.revision = base (revision) (inherited)",
        "label org.opencontainers.image.version = 1 (version)",
        "env GIT_SHA = 0123456 (revision) (inherited)",
    ];
    assert_eq!(texts(&of_config(&config(text), Some(5))), expected);
    assert!(of_config(&config(text), None).iter().all(|claim| !claim.inherited));
}

fn provenance(predicate_type: &str, predicate: &str) -> Vec<String> {
    let text = format!(r#"{{"_type":"x","predicateType":"{predicate_type}","predicate":{predicate}}}"#);
    let bare = texts(&from_statement(&Statement::parse(text.as_bytes()).unwrap()));
    let payload = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let envelope = format!(r#"{{"payloadType":"application/vnd.in-toto+json","payload":"{payload}","signatures":[]}}"#);
    let bundle =
        format!(r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{envelope}}}"#);
    for stored in [envelope, bundle] {
        assert_eq!(texts(&from_statement(&Statement::parse(stored.as_bytes()).unwrap())), bare);
    }
    bare
}

#[test]
fn provenance_names_commit_and_repository() {
    let buildkit = r#"{"metadata":{"https://mobyproject.org/buildkit@v1#metadata":{"vcs":{"revision":"abc","source":"https://git.example/a"}}},
        "invocation":{"configSource":{"entryPoint":"Dockerfile"}},
        "materials":[{"uri":"pkg:docker/python@3","digest":{"sha256":"00"}}]}"#;
    let expected =
        ["provenance SLSA v0.2 = abc (revision)", "provenance SLSA v0.2 = https://git.example/a (repository)"];
    assert_eq!(provenance("https://slsa.dev/provenance/v0.2", buildkit), expected);

    let remote = r#"{"invocation":{"configSource":{"uri":"https://git.example/b.git#refs/heads/main","digest":{"sha1":"def"}}},
        "materials":[{"uri":"https://git.example/b.git#refs/heads/main","digest":{"sha1":"def"}}]}"#;
    let expected = [
        "provenance SLSA v0.2 = def (revision)",
        "provenance SLSA v0.2 = https://git.example/b.git#refs/heads/main (repository)",
    ];
    assert_eq!(provenance("https://slsa.dev/provenance/v0.2", remote), expected);

    let buildkit = r#"{"buildDefinition":{"externalParameters":{"configSource":{"path":"Dockerfile"}}},
        "runDetails":{"metadata":{"buildkit_metadata":{"vcs":{"revision":"abc-dirty"}}}}}"#;
    assert_eq!(provenance("https://slsa.dev/provenance/v1", buildkit), ["provenance SLSA v1 = abc-dirty (revision)"]);

    let cloud_build = r#"{"buildDefinition":{"resolvedDependencies":[{"uri":"git+https://git.example/c","digest":{"gitCommit":"123"}}]}}"#;
    let expected =
        ["provenance SLSA v1 = 123 (revision)", "provenance SLSA v1 = git+https://git.example/c (repository)"];
    assert_eq!(provenance("https://slsa.dev/provenance/v1", cloud_build), expected);
}

#[test]
fn each_place_of_a_commit_is_enough() {
    let source = r#"{"uri":"https://git.example/d","digest":{"sha1":"456"}}"#;
    let table = [
        ("v0.2", format!(r#"{{"invocation":{{"configSource":{source}}}}}"#)),
        ("v0.2", format!(r#"{{"materials":[{source}]}}"#)),
        ("v1", format!(r#"{{"buildDefinition":{{"externalParameters":{{"configSource":{source}}}}}}}"#)),
        ("v1", format!(r#"{{"buildDefinition":{{"resolvedDependencies":[{source}]}}}}"#)),
    ];
    for (version, predicate) in table {
        let claims = provenance(&format!("https://slsa.dev/provenance/{version}"), &predicate);
        let source = format!("provenance SLSA {version}");
        let expected = [format!("{source} = 456 (revision)"), format!("{source} = https://git.example/d (repository)")];
        assert_eq!(claims, expected, "{predicate}");
    }
}

#[test]
fn other_statements_claim_nothing() {
    assert!(provenance("https://spdx.dev/Document", r#"{"metadata":{"vcs":{"revision":"abc"}}}"#).is_empty());
    assert!(provenance("https://slsa.dev/provenance/v1", "null").is_empty());
    for text in ["", "{}", "[]", r#"{"payload":"!"}"#, r#"{"payload":"e30="}"#] {
        assert!(Statement::parse(text.as_bytes()).is_none(), "{text}");
    }
}
