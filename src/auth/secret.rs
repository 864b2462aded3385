//! Passwords and tokens that cannot be printed by accident.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Credential;

/// A password or token. `Debug` and `Display` print `[secret]`; [`Secret::expose`] is the only way to its text.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes `text` out of sight.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the request that needs it and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Credential {
    /// `text` without what this credential keeps secret, in any form in which it is sent. A server may repeat what it
    /// was sent, and its words end up in logs.
    pub fn concealed(&self, text: String) -> String {
        let texts = match self {
            Self::Anonymous => Vec::new(),
            Self::Basic { username, password } => {
                let header = STANDARD.encode(format!("{username}:{}", password.expose()));
                vec![header, password.expose().to_owned()]
            }
            Self::IdentityToken(token) | Self::RegistryToken(token) => vec![token.expose().to_owned()],
        };
        texts.iter().filter(|secret| !secret.is_empty()).fold(text, |text, secret| text.replace(secret, "[secret]"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_to_expose_only() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?} {secret:#?}"), "[secret] [secret] [secret]");
        assert_eq!(secret.expose(), "hunter2");
    }
}
