//! `Warning` headers: what a registry wants people to know (distribution-spec, "Warnings"; RFC 9111 has left them out).

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use reqwest::header::{HeaderMap, WARNING};

use crate::limits;
use crate::source::{Notice, Observer};

/// What was said so far.
#[derive(Default)]
pub(super) struct Warnings(Mutex<BTreeSet<String>>);

impl Warnings {
    /// Takes the warnings of an answer, and tells of those that are new.
    pub(super) fn take(&self, headers: &HeaderMap, observer: &Observer) {
        let mut room = limits::WARNING_BYTES;
        for value in headers.get_all(WARNING) {
            let text = value.to_str().ok().and_then(text);
            let Some(text) = text.filter(|text| text.len() <= room) else { continue };
            room -= text.len();
            let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if said.insert(text.clone()) {
                observer.tell(&Notice::Warning(text));
            }
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// The text of `299 - "text"`; other codes are caches' and proxies' talk.
fn text(value: &str) -> Option<String> {
    let quoted = value.trim().strip_prefix("299 ")?.trim_start().strip_prefix('-')?.trim();
    let text = quoted.strip_prefix('"')?.strip_suffix('"')?.replace("\\\"", "\"").replace("\\\\", "\\");
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_specification_describes_is_a_warning() {
        let table = [
            (r#"299 - "This image is deprecated""#, Some("This image is deprecated")),
            (r#"299 -  "say \"no\"" "#, Some(r#"say "no""#)),
            (r#"299 - """#, None),
            (r#"199 - "Miscellaneous""#, None),
            (r#"299 proxy.example "text""#, None),
            ("299 - text", None),
            ("", None),
        ];
        for (value, expected) in table {
            assert_eq!(text(value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn each_is_told_once_and_no_flood_is() {
        let warnings = Warnings::default();
        let long = format!("299 - \"{}\"", "x".repeat(limits::WARNING_BYTES));
        let values = ["299 - \"a\"", "299 - \"a\"", &long, "299 - \"b\""];
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WARNING, value.parse().unwrap());
        }
        warnings.take(&headers, &Observer::default());
        assert_eq!(warnings.all(), ["a", "b"]);
    }
}
