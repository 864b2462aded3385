use super::*;

#[test]
fn all_that_can_be_said() {
    let config = Config::parse(
        r#"
        project = "box-scores"
        region = "us-west2"

        [mirrors]
        "h/a" = "oci:copies"

        [services.phase3]
        image = "us-west2-docker.pkg.dev/box-scores/services/phase3:latest"
        dockerfile = "phase3/Dockerfile"
        context = "."
        files = ["processor_heartbeat.py"]

        [[services.phase3.evidence]]
        collection = "processor_heartbeats"
        bad_ids = "_None_|_202"
        expected = 30

        [services.scrapers]
        region = "us-east1"
        map = { "/app" = "scrapers", "/app/shared" = "shared" }
        "#,
    )
    .unwrap();
    let digest: Digest = format!("sha256:{}", "0a".repeat(32)).parse().unwrap();
    assert_eq!(config.pinned("h/a", &digest), format!("oci:copies@{digest}"));
    assert_eq!(config.pinned("h/b", &digest), format!("h/b@{digest}"));
    let phase3 = config.service("phase3").unwrap();
    assert_eq!((phase3.project.as_deref(), phase3.region.as_deref()), (Some("box-scores"), Some("us-west2")));
    assert_eq!(phase3.evidence[0].expected, Some(30));
    let scrapers = config.service("scrapers").unwrap();
    assert_eq!(scrapers.region.as_deref(), Some("us-east1"));
    assert_eq!(scrapers.map["/app/shared"], "shared");
    assert_eq!(config.service("phase4"), None);
}

#[test]
fn what_is_not_understood_is_named_with_what_was_meant() {
    let table = [
        ("regoin = \"x\"", "shipproof.toml, line 1: unknown field `regoin`", Some("did you mean `region`?")),
        ("\n[services.a]\nfile = []", "shipproof.toml, line 3: unknown field `file`", Some("did you mean `files`?")),
        ("[services.a]\nzzz = 1", "shipproof.toml, line 2: unknown field `zzz`", None),
        ("project = 1", "shipproof.toml, line 1: invalid type: integer `1`, expected a string", None),
        ("project = \"a\"\nproject = \"b\"", "shipproof.toml, line 2: duplicate key", None),
        ("[services.a]\nmap = { \"/app\" = \".\" }\ncontext = \".\"", "service `a`: `map` takes the place of", None),
        (
            "[[services.a.evidence]]\ncollection = \"c\"\nbad_ids = \"(\"",
            "service `a`: `bad_ids = \"(\"` is no regular expression: unclosed group",
            None,
        ),
        ("[[services.a.evidence]]\ncollection = \"c\"", "missing field `bad_ids`", None),
    ];
    for (text, message, hint) in table {
        let error = Config::parse(text).unwrap_err().within(Path::new("shipproof.toml"));
        assert!(error.to_string().contains(message), "{text}: {error}");
        assert_eq!(error.hint().as_deref(), hint, "{text}");
    }
}

#[test]
fn a_file_that_is_not_there_is_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    assert_eq!(Config::read_if_there(&path).unwrap(), None);
    assert!(matches!(Config::read(&path), Err(ConfigError::Unreadable { .. })));
    std::fs::write(&path, "project = \"p\"").unwrap();
    let config = Config::read_if_there(&path).unwrap().unwrap();
    assert_eq!((config.project.as_deref(), config.folder.as_path()), (Some("p"), folder.path()));
}
