//! What a Node application needs: its script, and the packages that this one asks for at once.

use serde_json::Value;

use crate::error::Error;
use crate::path::ImagePath;

use super::files::{File, Files};
use super::launch::{self, Work, base_name};
use super::{Finding, Kind, Preflight, lock};

/// Switches of Node that take no value and change nothing here.
const SWITCHES: [&str; 5] =
    ["--enable-source-maps", "--no-warnings", "--trace-warnings", "--no-deprecation", "--unhandled-rejections=strict"];

/// Adds what there is to say.
pub(super) fn check(
    files: &Files<'_>,
    work: &Work,
    architecture: &str,
    preflight: &mut Preflight,
) -> Result<(), Error> {
    let arguments: Vec<&str> = work.arguments.iter().map(String::as_str).collect();
    match (base_name(&work.name), arguments.as_slice()) {
        ("node" | "nodejs", arguments) => {
            let is_switch = |word: &&&str| SWITCHES.contains(*word) || word.starts_with("--max-old-space-size=");
            let count = arguments.iter().take_while(is_switch).count();
            match arguments.get(count) {
                Some(script) if !script.starts_with('-') && !script.contains('$') => {
                    script_of(files, work, script, preflight)
                }
                _ => {
                    preflight.notes.push("not judged: the arguments of `node`".to_owned());
                    Ok(())
                }
            }
        }
        // Options before `--` may choose another directory.
        ("npm" | "yarn" | "pnpm", ["start", ..] | ["run", _, ..]) if has_options(&arguments) => {
            preflight.notes.push(format!("not judged: the options of `{}`", work.name));
            Ok(())
        }
        ("npm" | "yarn" | "pnpm", ["start", ..]) => run(files, work, "start", architecture, preflight),
        ("npm" | "yarn" | "pnpm", ["run", name, ..]) => run(files, work, name, architecture, preflight),
        ("npm" | "yarn" | "pnpm" | "bun" | "deno", _) => {
            preflight.notes.push(format!("not judged: what `{}` starts", work.name));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn has_options(arguments: &[&str]) -> bool {
    arguments.iter().take_while(|word| **word != "--").any(|word| word.starts_with('-'))
}

/// Whether Yarn has packages elsewhere than in `node_modules` (Plug'n'Play).
fn has_map_of_packages(files: &Files<'_>, directory: &ImagePath) -> bool {
    let names = [".pnp.cjs", ".pnp.js"];
    above(directory).iter().any(|place| names.iter().any(|name| files.file(&place.join(name.as_bytes())).is_some()))
}

/// A directory and those that it lies in, the nearest first.
fn above(directory: &ImagePath) -> Vec<ImagePath> {
    std::iter::successors(Some(directory.clone()), ImagePath::parent).collect()
}

/// The script that Node loads for a path, by the rules of CommonJS.
fn resolve(files: &Files<'_>, path: &ImagePath) -> Result<Option<File>, Error> {
    let exact = |path: &ImagePath| {
        let with = |end: &str| ImagePath::clean(&[path.as_bytes(), end.as_bytes()].concat());
        ["", ".js", ".json", ".node", ".cjs", ".mjs"].iter().find_map(|end| files.file(&with(end)))
    };
    if let Some(file) = exact(path) {
        return Ok(Some(file));
    }
    let package = package(files, path)?;
    let main = package.as_ref().and_then(|(_, package)| package.get("main")?.as_str());
    let main = main.map(|main| path.join(main.as_bytes()));
    let found = main.and_then(|main| exact(&main).or_else(|| exact(&main.join(b"index"))));
    Ok(found.or_else(|| exact(&path.join(b"index"))))
}

fn package(files: &Files<'_>, directory: &ImagePath) -> Result<Option<(File, Value)>, Error> {
    let Some(file) = files.file(&directory.join(b"package.json")) else { return Ok(None) };
    let text = files.text(&file)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).map(|value| (file, value)))
}

fn script_of(files: &Files<'_>, work: &Work, script: &str, preflight: &mut Preflight) -> Result<(), Error> {
    let path = work.around.absolute(script.as_bytes());
    let Some(file) = resolve(files, &path)? else {
        let summary = format!("the command runs {path}, which is not in the image");
        let finding = Finding::error(Kind::FileMissing, summary).fix("copy it, or correct the command or WORKDIR");
        preflight.findings.push(finding);
        return Ok(());
    };
    let is_package = |place: &ImagePath| files.file(&place.join(b"package.json")).is_some();
    if let Some(directory) = above(&file.path).into_iter().find(is_package) {
        lock::check(files, &directory, preflight)?;
    }
    let Some(text) = files.text(&file)? else { return Ok(()) };
    if has_map_of_packages(files, &file.path) {
        preflight.notes.push("not judged: packages, which .pnp.cjs maps".to_owned());
        return Ok(());
    }
    if work.variables.contains_key("NODE_PATH") || work.variables.contains_key("NODE_OPTIONS") {
        preflight.notes.push("not judged: packages, as NODE_PATH or NODE_OPTIONS is set".to_owned());
        return Ok(());
    }
    for name in required(&text) {
        if !OWN.contains(&name) && !has_package(files, &file.path, name) && declares(files, &file.path, name)? {
            let summary = format!("{} loads the package {name}, and no node_modules above it has that", file.path);
            let finding = Finding::error(Kind::PackageMissing, summary).at(&file.path, file.layer);
            preflight.findings.push(finding.fix("RUN npm ci --omit=dev"));
        }
    }
    Ok(())
}

/// The modules that Node has itself (`module.builtinModules` of Node 20); they come before packages of the same name.
const OWN: [&str; 42] = [
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

/// The packages that a script loads at once, at the start of a line.
fn required(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut in_comment = false;
    for line in text.lines() {
        let was_in_comment = in_comment;
        match (line.rfind("/*"), line.rfind("*/")) {
            (Some(start), end) if end.is_none_or(|end| end < start) => in_comment = true,
            (_, Some(_)) => in_comment = false,
            _ => {}
        }
        if was_in_comment || line.starts_with("import type ") {
            continue;
        }
        let call = ["const ", "var ", "let "].iter().any(|word| line.starts_with(word));
        let quoted = if call {
            line.split_once("= require(").map(|(_, rest)| rest)
        } else if line.starts_with("import ") {
            line.split_once(" from ").map(|(_, rest)| rest).or_else(|| line.strip_prefix("import "))
        } else {
            None
        };
        let Some(quoted) = quoted.map(str::trim_start) else { continue };
        let Some(end) = quoted.chars().next().filter(|quote| matches!(quote, '"' | '\'')) else { continue };
        let name = quoted[1..].split(end).next().unwrap_or_default();
        if name.is_empty() || name.starts_with(['.', '/', '#']) || name.contains(':') {
            continue;
        }
        let parts = if name.starts_with('@') { 2 } else { 1 };
        let length = name.split('/').take(parts).map(|part| part.len() + 1).sum::<usize>() - 1;
        names.push(&name[..length]);
    }
    names
}

fn has_package(files: &Files<'_>, script: &ImagePath, name: &str) -> bool {
    let mut directory = script.parent();
    while let Some(place) = directory {
        if files.is_directory(&place.join(b"node_modules").join(name.as_bytes())) {
            return true;
        }
        directory = place.parent();
    }
    false
}

/// Whether the next `package.json` declares the package: what it does not may be a part of Node itself.
fn declares(files: &Files<'_>, script: &ImagePath, name: &str) -> Result<bool, Error> {
    let mut directory = script.parent();
    while let Some(place) = directory {
        if let Some((_, package)) = package(files, &place)? {
            return Ok(package.get("dependencies").and_then(|list| list.get(name)).is_some());
        }
        directory = place.parent();
    }
    Ok(false)
}

/// A script of `package.json`.
fn run(files: &Files<'_>, work: &Work, name: &str, architecture: &str, preflight: &mut Preflight) -> Result<(), Error> {
    // npm looks for the package in the directories above, too.
    let is_package = |place: &ImagePath| {
        files.file(&place.join(b"package.json")).is_some() || files.is_directory(&place.join(b"node_modules"))
    };
    let own = &work.around.directory;
    let directory = &above(own).into_iter().find(is_package).unwrap_or_else(|| own.clone());
    let Some((file, package)) = package(files, directory)? else {
        let path = directory.join(b"package.json");
        if files.file(&path).is_none() {
            let summary = format!("the command runs a script of {path}, which is not in the image");
            preflight.findings.push(Finding::error(Kind::FileMissing, summary).fix("copy it, or correct WORKDIR"));
        }
        return Ok(());
    };
    let Some(script) = package.get("scripts").and_then(|scripts| scripts.get(name)?.as_str()) else {
        // Yarn takes a program of a package for it.
        if base_name(&work.name) == "yarn" {
            preflight.notes.push(format!("not judged: `{}`, which is no script of {}", name, file.path));
            return Ok(());
        }
        // npm runs `server.js` where nothing says how to start.
        if name != "start" || files.file(&directory.join(b"server.js")).is_none() {
            let summary = format!("{} has no script `{name}`", file.path);
            preflight.findings.push(Finding::error(Kind::ScriptMissing, summary).at(&file.path, file.layer));
        }
        return Ok(());
    };
    let mut variables = work.variables.clone();
    let path = variables.get("PATH").map(String::as_str).unwrap_or_default();
    let own = above(directory).into_iter().map(|place| place.join(b"node_modules/.bin").to_string());
    let path = own.chain([path.to_owned()]).collect::<Vec<_>>().join(":");
    variables.insert("PATH".to_owned(), path);
    if has_map_of_packages(files, directory) {
        preflight.notes.push(format!("not judged: `{script}`, as .pnp.cjs maps the packages"));
        return Ok(());
    }
    let argv = ["/bin/sh", "-c", script].map(str::to_owned);
    let launch = launch::follow(files, &argv, directory, &variables, architecture)?;
    preflight.notes.extend(launch.notes);
    preflight.findings.extend(launch.findings.into_iter().map(|finding| match finding.kind {
        Kind::ProgramMissing => finding.fix("RUN npm ci --omit=dev"),
        _ => finding,
    }));
    match launch.work.filter(|work| matches!(base_name(&work.name), "node" | "nodejs")) {
        Some(work) => check(files, &work, architecture, preflight),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_loaded_at_once_are_seen() {
        let text = "const a = require('express');\nimport b from \"@x/y/z\";\nimport 'side';\nconst c = require('./own');\n\
                    import fs from 'node:fs';\n  const d = require('later');\ntry { require('e') } catch {}\n";
        assert_eq!(required(text), ["express", "@x/y", "side"]);
    }
}
