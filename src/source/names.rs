//! What an image in an archive is called, and whether that is the name that was asked for.

/// Parts of a full name that Docker and Podman leave out when they show it.
const USUAL_HOSTS: [&str; 4] = ["docker.io/library/", "docker.io/", "index.docker.io/", "localhost/"];

/// The name as `docker images` shows it.
pub(super) fn familiar(name: &str) -> &str {
    USUAL_HOSTS.iter().find_map(|host| name.strip_prefix(host)).unwrap_or(name)
}

/// Whether the image `name` is the one `wanted`: `docker.io/library/app:v1` may be asked for as `app:v1`, and
/// `app:latest` as `app`.
pub(super) fn is_called(name: &str, wanted: &str) -> bool {
    let (short, wanted) = (familiar(name), familiar(wanted));
    short == wanted || short.strip_suffix(":latest") == Some(wanted)
}

/// Why nothing was chosen.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoChoice {
    /// There are no images.
    Empty,
    /// None has the name asked for.
    Unknown(String),
    /// Several images have the name asked for.
    Several(String),
    /// There are several, and none was asked for.
    Open,
}

impl NoChoice {
    /// What is missing, for [`SourceError::Choice`](super::SourceError::Choice).
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Empty => "there is nothing to look at".to_owned(),
            Self::Unknown(name) => format!("none is called {name}"),
            Self::Several(name) => format!("more than one is called {name}"),
            Self::Open => "none was chosen".to_owned(),
        }
    }
}

/// The one entry that is meant. An image may be listed under several names; `id` tells which entries are the same
/// image, and `is_named` whether an entry has a name.
pub(super) fn choose<'e, E>(
    entries: &'e [E],
    wanted: Option<&str>,
    id: impl Fn(&E) -> &str,
    is_named: impl Fn(&E, &str) -> bool,
) -> Result<&'e E, NoChoice> {
    let candidates: Vec<&E> =
        entries.iter().filter(|entry| wanted.is_none_or(|wanted| is_named(entry, wanted))).collect();
    match (candidates.split_first(), wanted) {
        (None, None) => Err(NoChoice::Empty),
        (None, Some(wanted)) => Err(NoChoice::Unknown(wanted.to_owned())),
        (Some((first, rest)), _) if rest.iter().all(|other| id(other) == id(first)) => Ok(first),
        (Some(_), None) => Err(NoChoice::Open),
        (Some(_), Some(wanted)) => Err(NoChoice::Several(wanted.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_shortened_as_docker_does() {
        let table = [
            ("app:v1", "app:v1", true),
            ("docker.io/library/app:v1", "app:v1", true),
            ("app:v1", "docker.io/library/app:v1", true),
            ("docker.io/team/app:v1", "team/app:v1", true),
            ("localhost/app:v1", "app:v1", true),
            ("app:latest", "app", true),
            ("app:v1", "app", false),
            ("other/app:v1", "app:v1", false),
            ("v1", "v1", true),
            ("localhost:5000/app:v1", "app:v1", false),
        ];
        for (name, wanted, expected) in table {
            assert_eq!(is_called(name, wanted), expected, "{name} as {wanted}");
        }
    }

    #[test]
    fn one_image_is_chosen_or_the_reason_said() {
        let same = [("id1", "a"), ("id1", "b")];
        let two = [("id1", "a"), ("id2", "a"), ("id3", "b")];
        let chosen = |entries: &'static [(&str, &str)], wanted| {
            choose(entries, wanted, |entry| entry.0, |entry, wanted| entry.1 == wanted).map(|entry| entry.0)
        };
        assert_eq!(chosen(&[], None), Err(NoChoice::Empty));
        assert_eq!(chosen(Box::leak(Box::new(same)), None), Ok("id1"));
        assert_eq!(chosen(Box::leak(Box::new(two)), None), Err(NoChoice::Open));
        assert_eq!(chosen(Box::leak(Box::new(two)), Some("b")), Ok("id3"));
        assert_eq!(chosen(Box::leak(Box::new(two)), Some("a")), Err(NoChoice::Several("a".to_owned())));
        assert_eq!(chosen(Box::leak(Box::new(two)), Some("c")), Err(NoChoice::Unknown("c".to_owned())));
    }
}
