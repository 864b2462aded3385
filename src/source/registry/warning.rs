//! `Warning` headers: what a registry wants people to know (distribution-spec, "Warnings").

use reqwest::header::{HeaderMap, WARNING};

/// Bytes of all warnings of one answer; registries may send no more.
const BYTES: usize = 4096;

/// How every warning starts: code 299 and no agent. Others are of caches, for clients that understand them.
const START: &str = "299 - \"";

/// The texts of the warnings among `headers`.
pub(super) fn texts(headers: &HeaderMap) -> Vec<String> {
    let mut left = BYTES;
    let mut texts = Vec::new();
    for value in headers.get_all(WARNING) {
        let Some(rest) = left.checked_sub(value.len()) else { break };
        left = rest;
        let value = String::from_utf8_lossy(value.as_bytes());
        texts.extend(value.strip_prefix(START).and_then(quoted));
    }
    texts
}

/// The text up to the closing quotation mark, with its escapes undone (RFC 9110, "Quoted Strings").
fn quoted(rest: &str) -> Option<String> {
    let mut text = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return (!text.is_empty()).then_some(text),
            '\\' => text.push(characters.next()?),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn parsed(values: &[&str]) -> Vec<String> {
        let values = values.iter().map(|value| (WARNING, HeaderValue::from_bytes(value.as_bytes()).unwrap()));
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(name, value);
        }
        texts(&headers)
    }

    #[test]
    fn only_what_the_specification_describes_is_a_warning() {
        let table: [(&[&str], &[&str]); 7] = [
            (&["299 - \"soon gone\""], &["soon gone"]),
            (&["299 - \"one\"", "299 - \"two\""], &["one", "two"]),
            (
                &["299 - \"say \\\"please\\\" \\\\ or so\" \"Wed, 21 Oct 2015 07:28:00 GMT\""],
                &["say \"please\" \\ or so"],
            ),
            (&["299 - \"ümlaut\""], &["ümlaut"]),
            (&["110 - \"stale\"", "299 agent \"x\"", "soon gone", ""], &[]),
            (&["299 - \"unfinished", "299 - \"torn\\", "299 - \"\""], &[]),
            (&[], &[]),
        ];
        for (values, expected) in table {
            assert_eq!(parsed(values), expected, "{values:?}");
        }
    }

    #[test]
    fn what_is_too_much_is_not_told() {
        let long = format!("299 - \"{}\"", "x".repeat(2500));
        assert_eq!(parsed(&[&long, &long]).len(), 1);
        assert!(parsed(&[&format!("299 - \"{}\"", "x".repeat(5000))]).is_empty());
    }
}
