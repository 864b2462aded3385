//! The search as a whole: order of the places, what is an error and what is only a miss.

use super::testing::{Home, Server, reply};
use super::*;

const GAR: &str = "us-docker.pkg.dev";

fn basic(username: &str, password: &str) -> Credential {
    Credential::Basic { username: username.to_owned(), password: Secret::new(password) }
}

fn auths(username: &str) -> String {
    format!(r#"{{"auths": {{"{GAR}": {{"username": "{username}", "password": "hunter2"}}}}}}"#)
}

async fn search(registry: &str, environment: &Environment) -> Found {
    find(registry, "project/repo/image", environment).await.unwrap()
}

fn attempts(found: &Found) -> Vec<String> {
    found.attempts.iter().map(|attempt| format!("{}: {}", attempt.source, attempt.outcome)).collect()
}

#[tokio::test]
async fn an_empty_machine_pulls_anonymously_and_says_why() {
    let home = Home::new();
    let found = search(GAR, &home.environment()).await;
    assert_eq!((found.credential.clone(), found.source.as_str()), (Credential::Anonymous, "anonymous"));
    let expected = [
        "~/.docker/config.json: no such file",
        "~/.config/containers/auth.json: no such file",
        "~/.config/gcloud/application_default_credentials.json: no such file",
        "metadata server 127.0.0.1:1: not reachable",
        "gcloud auth print-access-token: no program `gcloud` on PATH",
    ];
    assert_eq!(attempts(&found), expected);
}

#[tokio::test]
async fn places_are_asked_in_order() {
    let home = Home::new();
    let mut environment = home.environment();
    environment.xdg_runtime_dir = Some(home.path("run"));
    let files = [
        ("flag.json", "flag"),
        ("named.json", "named"),
        (".docker/config.json", "docker"),
        ("run/containers/auth.json", "run"),
        (".config/containers/auth.json", "config"),
    ];
    for (file, name) in files {
        home.write(file, &auths(name));
    }
    environment.auth_file = Some(home.path("flag.json"));
    environment.registry_auth_file = Some(home.path("named.json"));
    for (file, name) in files {
        let found = search(GAR, &environment).await;
        assert_eq!((found.credential, found.source), (basic(name, "hunter2"), format!("~/{file}")));
        match name {
            "flag" => environment.auth_file = None,
            "named" => environment.registry_auth_file = None,
            _ => std::fs::remove_file(home.path(file)).unwrap(),
        }
    }
    assert_eq!(search(GAR, &environment).await.credential, Credential::Anonymous);
}

#[tokio::test]
async fn a_helper_of_the_registry_comes_before_the_store_and_the_file() {
    let home = Home::new();
    let json = format!(r#"{{"credHelpers": {{"{GAR}": "own"}}, "credsStore": "store", {}"#, &auths("inline")[1..]);
    home.write(".docker/config.json", &json);
    let environment = home.environment();
    let not_found = "echo credentials not found in native keychain; exit 1";
    let answer = |name: &str| format!(r#"printf '{{"Username": "{name}", "Secret": "s"}}'"#);

    home.program("docker-credential-own", &answer("own"));
    home.program("docker-credential-store", &answer("store"));
    let found = search(GAR, &environment).await;
    assert_eq!(
        (found.credential, found.source.as_str()),
        (basic("own", "s"), "docker-credential-own of ~/.docker/config.json")
    );

    home.program("docker-credential-own", not_found);
    assert_eq!(search(GAR, &environment).await.credential, basic("store", "s"));

    home.program("docker-credential-store", "echo locked; exit 1");
    let found = search(GAR, &environment).await;
    assert_eq!(found.credential, basic("inline", "hunter2"));
    let expected = [
        "docker-credential-own of ~/.docker/config.json: no entry for us-docker.pkg.dev",
        "docker-credential-store of ~/.docker/config.json: failed: locked",
    ];
    assert_eq!(attempts(&found), expected);
}

#[tokio::test]
async fn docker_hub_has_its_own_name_in_helpers() {
    let home = Home::new();
    home.write(".docker/config.json", r#"{"auths": {"https://index.docker.io/v1/": {}}, "credsStore": "x"}"#);
    home.program("docker-credential-x", r#"read -r server; printf '{"Username": "%s", "Secret": "s"}' "$server""#);
    let found = find("docker.io", "library/busybox", &home.environment()).await.unwrap();
    assert_eq!(found.credential, basic("https://index.docker.io/v1/", "s"));
}

#[tokio::test]
async fn google_places_are_asked_in_order() {
    let home = Home::new();
    let mut environment = home.environment();
    let metadata = Server::start(|_| reply("200 OK", &["Metadata-Flavor: Google"], r#"{"access_token": "metadata"}"#));
    let key = |name: &str| format!(r#"{{"type": "service_account", "project_id": "{name}"}}"#);
    environment.google_application_credentials = Some(home.write("key.json", &key("named")));
    let adc = home.write(".config/gcloud/application_default_credentials.json", &key("adc"));
    environment.gce_metadata_host = Some(metadata.host());
    home.program("gcloud", r#"[ "$CLOUDSDK_CORE_DISABLE_PROMPTS:$*" = "1:auth print-access-token" ] && echo gcloud"#);

    let found = search(GAR, &environment).await;
    assert_eq!(
        (found.credential, found.source.as_str()),
        (basic("_json_key", &key("named")), "GOOGLE_APPLICATION_CREDENTIALS=~/key.json")
    );
    environment.google_application_credentials = None;
    assert_eq!(search("gcr.io", &environment).await.credential, basic("_json_key", &key("adc")));
    std::fs::remove_file(adc).unwrap();
    assert_eq!(search("eu.gcr.io:443", &environment).await.credential, basic("oauth2accesstoken", "metadata"));
    environment.gce_metadata_host = Some("127.0.0.1:1".to_owned());
    let found = search("US-docker.PKG.dev", &environment).await;
    assert_eq!(
        (found.credential, found.source.as_str()),
        (basic("oauth2accesstoken", "gcloud"), "gcloud auth print-access-token")
    );
}

#[tokio::test]
async fn google_credentials_are_for_google_only() {
    let home = Home::new();
    home.program("gcloud", "echo token");
    for registry in
        ["docker.io", "pkg.dev.evil.example", "evilgcr.io", "gcr.io.evil.example", "127.0.0.1:5000", "pkg.dev"]
    {
        let found = search(registry, &home.environment()).await;
        assert_eq!(found.credential, Credential::Anonymous, "{registry}");
        assert_eq!(found.attempts.len(), 2);
    }
}

#[tokio::test]
async fn gcloud_may_fail() {
    let table = [
        ("echo; echo 'ERROR: no active account' >&2; exit 1", "failed: ERROR: no active account"),
        ("echo hunter2; exit 1", "failed: exit status: 1"),
        ("echo hunter2 and more", "did not print a token"),
        ("exit 0", "did not print a token"),
    ];
    for (script, expected) in table {
        let home = Home::new();
        home.program("gcloud", script);
        let found = search(GAR, &home.environment()).await;
        assert_eq!(found.attempts.last().unwrap().outcome, expected, "{script}");
    }
}

#[tokio::test]
async fn a_google_file_that_does_not_serve_is_passed_over() {
    let home = Home::new();
    let mut environment = home.environment();
    environment.google_application_credentials = Some(home.write("key.json", r#"{"type": "authorized_user"}"#));
    let found = search(GAR, &environment).await;
    let attempt = "GOOGLE_APPLICATION_CREDENTIALS=~/key.json: it is not complete".to_owned();
    assert!(attempts(&found).contains(&attempt), "{found:?}");
}

#[tokio::test]
async fn the_flag_is_the_only_place() {
    let home = Home::new();
    home.write(".docker/config.json", &auths("docker"));
    home.program("gcloud", "echo token");
    let environment = Environment { auth_file: Some(home.write("flag.json", "{}")), ..home.environment() };
    let found = search(GAR, &environment).await;
    assert_eq!(found.credential, Credential::Anonymous);
    let expected =
        ["~/flag.json: no entry for us-docker.pkg.dev", "Google credentials: not looked for beside --auth-file"];
    assert_eq!(attempts(&found), expected);

    let environment = Environment { auth_file: Some(home.path("absent.json")), ..environment };
    let error = find(GAR, "a", &environment).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot read the credentials in {}", home.path("absent.json").display()));
}

#[tokio::test]
async fn what_exists_must_be_understood() {
    let bad = [
        ("config", "{\n\"auths\": {\"a\": \"hunter2\"}}", "is not a valid credentials file (line 2, column "),
        ("config", "hunter2", "is not a valid credentials file (line 1, column 1)"),
        (
            "config",
            r#"{"auths": {"us-docker.pkg.dev": {"auth": "hunter2!"}}}"#,
            "cannot use the entry for `us-docker.pkg.dev` in ",
        ),
        ("google", "hunter2", "is not a valid credentials file (line 1, column 1)"),
        ("google", "", "is not a valid credentials file (line 1, column 0)"),
    ];
    for (place, content, expected) in bad {
        let home = Home::new();
        let mut environment = home.environment();
        let file = home.write("bad.json", content);
        match place {
            "config" => environment.registry_auth_file = Some(file),
            _ => environment.google_application_credentials = Some(file),
        }
        let error = find(GAR, "a", &environment).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(error.to_string().contains(expected) && error.to_string().contains("bad.json"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn what_exists_must_be_readable() {
    let home = Home::new();
    home.write(".docker/config.json/not a file", "");
    let error = find(GAR, "a", &home.environment()).await.unwrap_err();
    assert!(matches!(error, AuthError::Unreadable { .. }), "{error}");

    let home = Home::new();
    home.write(".docker", "not a directory");
    assert_eq!(search("docker.io", &home.environment()).await.attempts[0].outcome, "no such file");

    let home = Home::new();
    home.write(".docker/config.json", &" ".repeat(2_000_000));
    let error = find(GAR, "a", &home.environment()).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "it is larger than 1024 KiB");
}

#[tokio::test]
async fn no_text_of_a_result_holds_the_secret() {
    let home = Home::new();
    home.write(".docker/config.json", &auths("user"));
    let found = search(GAR, &home.environment()).await;
    let text = format!("{found:?} {found:#?}");
    assert!(text.contains("[secret]") && !text.contains("hunter2"), "{text}");
}
