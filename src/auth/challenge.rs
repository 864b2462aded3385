//! What a registry asks for when it answers 401: the `WWW-Authenticate` header.

use http_auth::ChallengeRef;
use http_auth::parser::ChallengeParser;

/// One way to authenticate that a registry offers. Others than these two are not spoken here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// A user name and password with every request.
    Basic,
    /// A token that another server issues.
    Bearer(Bearer),
}

/// Where a token comes from (distribution token specification).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The address of the token server as the registry spells it; it is checked before anything is sent there.
    pub realm: String,
    /// The name under which the token server knows the registry.
    pub service: Option<String>,
    /// What the registry says the token must permit.
    pub scope: Option<String>,
}

/// The challenges in the values of all `WWW-Authenticate` headers of one response, in order. What cannot be understood
/// is left out: a registry may offer schemes of the future beside those of today.
pub fn parse<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<Challenge> {
    values.into_iter().flat_map(ChallengeParser::new).flatten().filter_map(|offer| challenge(&offer)).collect()
}

fn challenge(offer: &ChallengeRef<'_>) -> Option<Challenge> {
    if offer.scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !offer.scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let parameter = |name: &str| {
        let value = offer.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        value.map(|value| value.to_unescaped()).filter(|value| !value.is_empty())
    };
    let bearer = Bearer { realm: parameter("realm")?, service: parameter("service"), scope: parameter("scope") };
    Some(Challenge::Bearer(bearer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Challenge::Bearer(Bearer { realm: realm.to_owned(), service: owned(service), scope: owned(scope) })
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let hub =
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull""#;
        let table: [(&[&str], Vec<Challenge>); 9] = [
            (&[], vec![]),
            (&[""], vec![]),
            (&["Basic realm=\"Registry\""], vec![Challenge::Basic]),
            (
                &[hub],
                vec![bearer("https://auth.docker.io/token", Some("registry.docker.io"), Some("repository:a/b:pull"))],
            ),
            (
                &[r#"bearer REALM="https://a/t", scope="repository:a:pull,push", error="invalid_token""#],
                vec![bearer("https://a/t", None, Some("repository:a:pull,push"))],
            ),
            (
                &[r#"Bearer realm="https://a/t", Basic realm="b""#],
                vec![bearer("https://a/t", None, None), Challenge::Basic],
            ),
            (
                &["Basic realm=\"a\"", r#"Bearer realm="https://a/t""#],
                vec![Challenge::Basic, bearer("https://a/t", None, None)],
            ),
            (&[r#"Negotiate, Bearer realm="a\"b",service="""#], vec![bearer("a\"b", None, None)]),
            (&["Bearer service=\"no realm\"", "Bearer", "Basic realm=\"a", "\u{1}"], vec![]),
        ];
        for (values, expected) in table {
            assert_eq!(parse(values.iter().copied()), expected, "{values:?}");
        }
    }
}
