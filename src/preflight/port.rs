//! Where the command listens. Cloud Run sends requests to the port that it names in `PORT`, 8080 unless another is set
//! (<https://cloud.google.com/run/docs/container-contract>).

use super::Look;
use super::finding::{Finding, Kind};

/// The port that requests come to unless another is set.
const USUAL: &str = "8080";

impl Look<'_> {
    /// Looks for an address in the command that requests will not come to.
    pub(super) fn port(&mut self, words: &[String]) {
        let Some((host, port)) = address(words) else { return };
        if matches!(host.as_deref(), Some("127.0.0.1" | "localhost" | "::1" | "[::1]")) {
            let text = "the command listens on this machine's own address only; no request from outside arrives";
            self.find(Finding::warning(Kind::Port, text).fix("listen on 0.0.0.0"));
        }
        let set = self.image.config.env().filter(|(name, _)| *name == "PORT").last().map(|(_, value)| value.to_owned());
        let expected = set.unwrap_or_else(|| USUAL.to_owned());
        if let Some(port) = port.filter(|port| *port != expected) {
            let text =
                format!("the command listens on port {port}; Cloud Run sends requests to $PORT, {USUAL} unless set");
            self.find(Finding::warning(Kind::Port, text).fix(format!("listen on $PORT, or deploy with --port {port}")));
        }
    }
}

/// Host and port that the flags of a server name, as far as they are written out.
pub(super) fn address(words: &[String]) -> Option<(Option<String>, Option<String>)> {
    let (mut host, mut port) = (None, None);
    for (at, word) in words.iter().enumerate() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word.as_str(), words.get(at + 1).map(String::as_str)),
        };
        let Some(value) = value else { continue };
        match flag {
            "--bind" | "-b" => {
                let (before, after) = value.rsplit_once(':').unwrap_or((value, ""));
                (host, port) = (Some(before.to_owned()), Some(after.to_owned()));
            }
            "--host" | "-h" => host = Some(value.to_owned()),
            "--port" | "-p" => port = Some(value.to_owned()),
            _ => {}
        }
    }
    let is_port = |port: &String| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.filter(is_port);
    (host.is_some() || port.is_some()).then_some((host, port))
}
