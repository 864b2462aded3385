//! Where the program listens, as far as its arguments say so. Cloud Run sends requests to `$PORT`, 8080 unless the
//! service says otherwise, on all interfaces (Cloud Run's container runtime contract).

use crate::image::Image;

use super::launch::{Work, base_name};
use super::python::server;
use super::{Finding, Kind, Preflight};

/// The port unless the service has another.
const USUAL_PORT: &str = "8080";

/// Options that name an address, a port, or both.
const OPTIONS: [(&str, &[&str]); 4] = [
    ("gunicorn", &["-b", "--bind"]),
    ("uvicorn", &["--host", "--port"]),
    ("hypercorn", &["-b", "--bind"]),
    ("flask", &["-h", "--host", "-p", "--port"]),
];

/// Servers that listen on this machine only, unless told otherwise.
const LOCAL: [(&str, &str); 3] = [("uvicorn", "UVICORN_HOST"), ("hypercorn", ""), ("flask", "FLASK_RUN_HOST")];

/// Adds what there is to say.
pub(super) fn check(work: &Work, preflight: &mut Preflight) {
    let (name, arguments) = server::unwrapped(work);
    let name = base_name(&name);
    let Some((_, options)) = OPTIONS.iter().find(|(server, _)| *server == name) else { return };
    let values = values(&arguments, options);
    for value in &values {
        preflight.findings.extend(if work.is_expanded {
            address(value)
        } else {
            literal(name, value).or(address(value))
        });
    }
    let says_where = |value: &String| !value.is_empty() && !value.bytes().all(|byte| byte.is_ascii_digit());
    let local = LOCAL.iter().find(|(server, _)| *server == name);
    let configured =
        arguments.iter().any(|word| word == "-c" || word.starts_with("--config") || word == "--uds" || word == "--fd");
    if let Some((_, variable)) = local.filter(|_| !configured)
        && !values.iter().any(|value| says_where(value) && value != "$PORT")
        && !work.variables.contains_key(*variable)
    {
        let summary = format!("`{name}` listens on 127.0.0.1 unless told otherwise, so that no request arrives");
        let option = if name == "hypercorn" { "--bind 0.0.0.0:$PORT" } else { "--host 0.0.0.0 --port $PORT" };
        preflight.findings.push(Finding::warning(Kind::LocalAddress, summary).fix(option));
    }
}

/// That the image says where it listens, and that Cloud Run does not listen to that.
pub(super) fn exposed(image: &Image) -> Option<String> {
    let port = |said: &'_ str| said.split('/').next().unwrap_or_default().to_owned();
    let ports: Vec<String> = image.config.exposed_ports().map(port).collect();
    let elsewhere = !ports.is_empty() && !ports.iter().any(|port| port == USUAL_PORT);
    elsewhere.then(|| {
        let ports = ports.join(" ");
        format!("EXPOSE {ports} means nothing to Cloud Run, which sends requests to $PORT ({USUAL_PORT} unless set)")
    })
}

/// The values of `options`.
fn values(arguments: &[String], options: &[&str]) -> Vec<String> {
    let mut values = Vec::new();
    for (position, word) in arguments.iter().enumerate() {
        for option in options {
            if word == option {
                values.extend(arguments.get(position + 1).cloned());
            } else if let Some(rest) = word.strip_prefix(option)
                && (option.len() == 2 || rest.starts_with('='))
            {
                values.push(rest.trim_start_matches('=').to_owned());
            }
        }
    }
    values
}

/// A port that is a variable, in a command that no shell reads: all of these servers refuse it.
fn literal(server: &str, value: &str) -> Option<Finding> {
    let port = value.rsplit(':').next().unwrap_or_default();
    let is_variable = port.starts_with('$') && !value.starts_with("unix:");
    is_variable.then(|| {
        let summary = format!("`{server}` gets the port `{port}` as it stands: no shell puts its value in");
        let fix = "the shell form, CMD exec PROGRAM ARGUMENTS, instead of CMD [\"PROGRAM\", \"ARGUMENTS\"]";
        Finding::error(Kind::UnexpandedVariable, summary).fix(fix)
    })
}

fn address(value: &str) -> Option<Finding> {
    if value.starts_with("unix:") || value.starts_with("fd:") {
        return None;
    }
    let (host, port) = match value.rsplit_once(':') {
        Some((host, port)) => (host, port),
        None if value.bytes().all(|byte| byte.is_ascii_digit()) => ("", value),
        None => (value, ""),
    };
    if matches!(host, "127.0.0.1" | "localhost" | "[::1]" | "::1") {
        let summary = format!("the command listens on {host}, where no request arrives");
        return Some(Finding::warning(Kind::LocalAddress, summary).fix("listen on 0.0.0.0"));
    }
    if port.is_empty() || port == USUAL_PORT || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let summary =
        format!("the command listens on port {port}, and Cloud Run sends requests to $PORT (8080 unless set)");
    Some(Finding::warning(Kind::FixedPort, summary).fix("listen on $PORT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_judged() {
        let table = [
            ("0.0.0.0:8080", None),
            (":$PORT", None),
            ("0.0.0.0:5000", Some(Kind::FixedPort)),
            ("5000", Some(Kind::FixedPort)),
            ("127.0.0.1:8080", Some(Kind::LocalAddress)),
            ("localhost", Some(Kind::LocalAddress)),
            ("unix:/run/x.sock", None),
            ("[::]:8080", None),
        ];
        for (value, expected) in table {
            assert_eq!(address(value).map(|finding| finding.kind), expected, "{value}");
        }
        assert!(literal("gunicorn", "0.0.0.0:$PORT").is_some() && literal("uvicorn", "${PORT}").is_some());
        assert!(literal("gunicorn", "0.0.0.0:80").is_none() && literal("gunicorn", "unix:$X").is_none());
        let words = ["-b:80", "--bind=a:1", "--bind", "b", "--binder=x"].map(str::to_owned);
        assert_eq!(values(&words, &["-b", "--bind"]), [":80", "a:1", "b"]);
    }
}
