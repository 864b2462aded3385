//! JSON that every reader understands alike.
//!
//! Go's encoding/json, with which the runtimes read manifests, takes a key in any case (`Layers`, and even `layerſ`) and
//! of several the last. A reader that knows one spelling alone sees another image then.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Where keys are free text, and case tells them apart for all readers.
const FREE: [&str; 2] = ["annotations", "labels"];

/// Checks that no object in `bytes` has a key twice, in whatever case.
///
/// # Errors
/// Where that is not so, and where `bytes` are not JSON.
pub fn check_keys(bytes: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<Checked>(bytes).map(drop)
}

/// A value of whatever kind, passed over.
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Checked)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Checked>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self, A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = object.next_key::<String>()? {
            let folded = folded(&key);
            if FREE.contains(&folded.as_str()) {
                object.next_value::<IgnoredAny>()?;
            } else {
                object.next_value::<Checked>()?;
            }
            if !seen.insert(folded) {
                return Err(A::Error::custom(format_args!("an object has `{}` twice", key.escape_debug())));
            }
        }
        Ok(self)
    }
}

/// The key as Go compares it: besides ASCII, two characters have an ASCII letter as their other case.
fn folded(key: &str) -> String {
    let fold = |character: char| match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    key.chars().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_there_once_in_whatever_case() {
        let table = [
            (r#"{"layers":[{"digest":"a","size":-1.5}],"config":null,"x":true}"#, None),
            (r#"{"annotations":{"a":1,"A":2},"layers":[]}"#, None),
            (r#"{"layers":[],"Layers":[]}"#, Some("`Layers`")),
            (r#"{"layers":[],"layer\u017f":[]}"#, Some("`layerſ`")),
            (r#"{"kind":1,"\u212aind":2}"#, Some("twice")),
            (r#"{"layers":[{"digest":"a","DIGEST":"b"}]}"#, Some("`DIGEST`")),
            (r#"{"x":1,"x":1}"#, Some("`x`")),
            (r#"{"x":1"#, Some("EOF")),
            (r#"{"x":"\ud800"}"#, Some("")),
        ];
        for (text, expected) in table {
            let error = check_keys(text.as_bytes()).err().map(|error| error.to_string());
            assert_eq!(error.is_some(), expected.is_some(), "{text}: {error:?}");
            assert!(error.unwrap_or_default().contains(expected.unwrap_or_default()), "{text}");
        }
    }
}
