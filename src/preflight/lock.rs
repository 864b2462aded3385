//! The packages that `package-lock.json` has, held against those in `node_modules`
//! (<https://docs.npmjs.com/cli/configuring-npm/package-lock-json>).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::count::counted;
use crate::error::Error;
use crate::path::ImagePath;

use super::files::Files;
use super::{Finding, Kind, Preflight};

/// Marks of packages that an installation may leave out, or has elsewhere.
const LEFT_OUT: [&str; 9] =
    ["dev", "optional", "devOptional", "peer", "link", "inBundle", "extraneous", "hasShrinkwrap", "bundled"];

/// Locks of other programs, which are not read.
const OTHERS: [&str; 4] = ["yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"];

/// Adds what there is to say of the package in `directory`. None of it is an error: of a lock, much is never loaded.
pub(super) fn check(files: &Files<'_>, directory: &ImagePath, preflight: &mut Preflight) -> Result<(), Error> {
    for name in OTHERS.iter().filter(|name| files.file(&directory.join(name.as_bytes())).is_some()) {
        preflight.notes.push(format!("not judged: the packages in {}", directory.join(name.as_bytes())));
    }
    let path = directory.join(b"package-lock.json");
    let installed = directory.join(b"node_modules");
    // Where nothing is installed, everything may be in one bundle.
    let (Some(file), true) = (files.file(&path), files.is_directory(&installed)) else { return Ok(()) };
    let Some(lock) = packages(files, &path)? else { return Ok(()) };
    // What npm has written of the installation (the "hidden lockfile").
    let own = packages(files, &installed.join(b".package-lock.json"))?.unwrap_or_default();
    let wanted: BTreeMap<&str, Option<&str>> =
        lock.iter().filter_map(|(name, package)| wanted(name, package)).collect();
    let missing: Vec<&str> =
        wanted.keys().filter(|name| !files.is_directory(&directory.join(name.as_bytes()))).copied().collect();
    let of_other_version = wanted.iter().filter_map(|(name, version)| {
        let there = own.get(*name)?.get("version")?.as_str()?;
        version.filter(|version| *version != there).map(|version| (*name, version, there))
    });
    let of_other_version: Vec<_> = of_other_version.collect();
    if let Some(first) = missing.first() {
        let summary = format!("{path} has {first}{}, which is not installed", others(missing.len()));
        let finding = Finding::warning(Kind::PackageMissing, summary).at(&file.path, file.layer);
        preflight.findings.push(finding.fix("RUN npm ci --omit=dev"));
    }
    if let Some((name, version, there)) = of_other_version.first() {
        let more = others(of_other_version.len());
        let summary = format!("{path} has {name} {version}{more}, and {there} is installed");
        let finding = Finding::warning(Kind::PackageVersion, summary).at(&file.path, file.layer);
        preflight.findings.push(finding.fix("RUN npm ci --omit=dev"));
    }
    Ok(())
}

fn others(count: usize) -> String {
    if count > 1 { format!(" and {}", counted(count - 1, "other package")) } else { String::new() }
}

/// The packages of a lock by where they are; `None` for one of npm before version 7, which has none.
fn packages(files: &Files<'_>, path: &ImagePath) -> Result<Option<Map<String, Value>>, Error> {
    let text = files.file(path).map(|file| files.text(&file)).transpose()?.flatten();
    let lock: Option<Value> = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(lock.and_then(|mut lock| match lock.get_mut("packages").map(Value::take) {
        Some(Value::Object(packages)) => Some(packages),
        _ => None,
    }))
}

/// A package that every installation has, and its version.
fn wanted<'a>(name: &'a str, package: &'a Value) -> Option<(&'a str, Option<&'a str>)> {
    let is_left_out = LEFT_OUT.iter().any(|mark| package.get(mark).is_some_and(|value| value == &Value::Bool(true)));
    let is_for_some = ["os", "cpu", "libc"].iter().any(|mark| package.get(mark).is_some());
    let is_there = name.starts_with("node_modules/") && !name.split('/').any(|part| part == "..");
    (is_there && !is_left_out && !is_for_some).then(|| (name, package.get("version").and_then(Value::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_every_installation_has_is_wanted() {
        let table = [
            ("node_modules/a", r#"{"version":"1.0.0"}"#, true),
            ("node_modules/a/node_modules/@b/c", r#"{"version":"1.0.0","dev":false}"#, true),
            ("", r#"{"name":"own"}"#, false),
            ("packages/own", "{}", false),
            ("node_modules/../../x", "{}", false),
            ("node_modules/own", r#"{"link":true}"#, false),
            ("node_modules/a", r#"{"dev":true}"#, false),
            ("node_modules/a", r#"{"optional":true}"#, false),
            ("node_modules/a", r#"{"os":["darwin"]}"#, false),
        ];
        for (name, package, expected) in table {
            let package: Value = serde_json::from_str(package).unwrap();
            assert_eq!(wanted(name, &package).is_some(), expected, "{name} {package}");
        }
    }
}
