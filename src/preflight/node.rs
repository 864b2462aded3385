//! What a command of Node.js names: a file, or a script of `package.json`; and whether the lock's packages are there.

use serde_json::Value;

use crate::error::Error;

use super::Look;
use super::command::{Next, Step, line_of};
use super::files::{join, path};
use super::finding::{Finding, Kind};

impl Look<'_> {
    /// Whether what the command names is there.
    pub(super) fn node(&mut self, step: &Step) -> Result<(), Error> {
        let words: Vec<&str> = step.words.iter().map(String::as_str).collect();
        let Some((first, rest)) = words.split_first() else { return Ok(()) };
        match (first.rsplit('/').next().unwrap_or(first), rest) {
            ("node" | "nodejs", rest) => {
                if let Some(file) = rest.iter().find(|word| !word.starts_with('-')) {
                    self.entry(&join(&step.directory, file))?;
                }
                self.locked(&step.directory)
            }
            ("npm" | "yarn" | "pnpm", ["start" | "run" | "run-script", rest @ ..]) => {
                let script = if words[1] == "start" { "start" } else { rest.first().copied().unwrap_or_default() };
                self.package_script(step, script)?;
                self.locked(&step.directory)
            }
            _ => Ok(()),
        }
    }

    /// Whether Node finds a file: itself, with an ending, or what a directory's `package.json` names
    /// (<https://nodejs.org/api/modules.html>, "All together").
    fn entry(&mut self, text: &str) -> Result<(), Error> {
        let endings = ["", ".js", ".mjs", ".cjs", ".json", ".node", "/index.js"];
        if endings.iter().any(|ending| self.files.file(&path(&format!("{text}{ending}"))).is_some()) {
            return Ok(());
        }
        let main = self.json(&format!("{text}/package.json"))?;
        let main = main.as_ref().and_then(|package| package.get("main")?.as_str());
        let named = main.map(|main| join(text, main));
        let is_there =
            |base: &String| endings.iter().any(|ending| self.files.file(&path(&format!("{base}{ending}"))).is_some());
        if !named.as_ref().is_some_and(is_there) {
            let missing = path(named.as_deref().unwrap_or(text));
            let what = format!("the command runs {missing}, which is not in the image");
            self.find(Finding::error(Kind::FileMissing, what).fix("COPY it, or build it before: npm run build"));
        }
        Ok(())
    }

    fn package_script(&mut self, step: &Step, script: &str) -> Result<(), Error> {
        let Some(package) = self.json(&join(&step.directory, "package.json"))? else {
            let what = format!("there is no package.json in {}", step.directory);
            self.find(Finding::error(Kind::FileMissing, what).fix("COPY package.json to the working directory"));
            return Ok(());
        };
        let line = package.get("scripts").and_then(|scripts| scripts.get(script)?.as_str()).map(str::to_owned);
        match line {
            // Without one npm runs server.js.
            None if script == "start" => self.entry(&join(&step.directory, "server.js")),
            None => {
                let what = format!("package.json has no script `{script}`");
                self.find(Finding::error(Kind::FileMissing, what).fix("add the script, or mend the command"));
                Ok(())
            }
            Some(line) => match line_of(step, &line) {
                Next::Step(inner) => self.script_line(&inner),
                _ => {
                    self.note(format!("not judged: the script `{line}` of package.json"));
                    Ok(())
                }
            },
        }
    }

    /// Scripts of `package.json` find programs in `node_modules/.bin`, too.
    fn script_line(&mut self, step: &Step) -> Result<(), Error> {
        let Some(word) = step.words.first() else { return Ok(()) };
        let local = join(&step.directory, &format!("node_modules/.bin/{word}"));
        if self.files.lookup(&path(&local)).is_some() {
            return Ok(());
        }
        match self.program(step)? {
            Some(_) if word == "node" => self.node(step),
            _ => Ok(()),
        }
    }

    /// Whether the packages of `package-lock.json` are installed, those that every installation has.
    fn locked(&mut self, directory: &str) -> Result<(), Error> {
        let Some(lock) = self.json(&join(directory, "package-lock.json"))? else { return Ok(()) };
        let Some(packages) = lock.get("packages").and_then(Value::as_object) else { return Ok(()) };
        let flag = |package: &Value, name: &str| package.get(name).is_some_and(|value| value == &Value::Bool(true));
        let needed = packages.iter().filter(|(name, package)| {
            let elsewhere = ["dev", "optional", "devOptional", "peer", "link"].iter().any(|name| flag(package, name));
            name.starts_with("node_modules/")
                && !elsewhere
                && package.get("os").is_none()
                && package.get("cpu").is_none()
        });
        let missing: Vec<&String> = needed
            .map(|(name, _)| name)
            .filter(|name| self.files.lookup(&path(&join(directory, name))).is_none())
            .collect();
        if let Some(first) = missing.first() {
            let others = if missing.len() > 1 { format!(" and {} more", missing.len() - 1) } else { String::new() };
            let what = format!("package-lock.json requires {first}{others}, and they are not installed");
            self.find(Finding::error(Kind::Requirement, what).fix("RUN npm ci --omit=dev in the Dockerfile"));
        }
        Ok(())
    }

    fn json(&mut self, text: &str) -> Result<Option<Value>, Error> {
        let text = self.files.text(&path(text))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }
}
