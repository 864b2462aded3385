//! A small history, and images of its commits.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::cli::{Outcome, Shipproof};
use crate::support::git::Repo;
use crate::support::images::Image;
use crate::support::scene::{Scene, below, buildkit, text};

/// A repository with the commits of its main line, oldest first.
pub(crate) struct Story {
    pub(crate) scene: Scene,
    pub(crate) ids: Vec<String>,
}

impl Story {
    /// Six commits: the start, `a.py` changed, `c.py` added, `b.py` deleted, `main.py` changed, `a.py` changed again to
    /// what is as long.
    pub(crate) fn new() -> Self {
        Self::of(Repo::new())
    }

    /// The same in an empty repository.
    pub(crate) fn of(mut repo: Repo) -> Self {
        repo.write(&["main.py", "shared/a.py", "shared/b.py", "shared/util.py"].map(|path| file(path, 1)).concat());
        let mut ids = vec![repo.commit("Start")];
        repo.write(&file("shared/a.py", 2));
        ids.push(repo.commit("Change a"));
        repo.write(&file("shared/c.py", 1));
        ids.push(repo.commit("Add c"));
        repo.remove("shared/b.py");
        ids.push(repo.commit("Delete b"));
        repo.write(&file("main.py", 2));
        ids.push(repo.commit("Change main"));
        repo.write(&file("shared/a.py", 3));
        ids.push(repo.commit("Change a again"));
        Self { scene: Scene::of(repo), ids }
    }

    /// The lines of a layer with what is at `path` in a commit, below `/app`.
    pub(crate) fn lines(&self, revision: &str, path: &str) -> String {
        let repo = &self.scene.repo;
        let listed = repo.git(&["ls-tree", "-r", "--name-only", revision, "--", path]);
        let mut lines = String::new();
        for path in listed.lines() {
            let content = repo.git(&["show", &format!("{revision}:{path}")]).replace('\n', "\\n");
            writeln!(lines, "f {path} 0644 {content}\\n").expect("a string takes everything");
        }
        below("app", &lines)
    }

    /// An image with `shared/` of one revision and `main.py` of another, in layers 1 and 2.
    pub(crate) fn image(&self, shared: &str, main: &str) -> Image {
        built(&self.lines(shared, "shared"), &self.lines(main, "main.py"))
    }

    /// The number of a commit of the main line in a report, or what is there instead.
    pub(crate) fn number(&self, commit: &Value) -> String {
        let id = text(&commit["id"]);
        let number = self.ids.iter().position(|other| *other == id);
        number
            .map_or_else(|| if commit.is_null() { "-".to_owned() } else { text(&commit["subject"]) }, |n| n.to_string())
    }

    /// `shipproof COMMAND …` in the checkout.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        Shipproof::new().directory(self.scene.repo.path()).run(arguments)
    }

    /// The findings as `path status commit behind`.
    pub(crate) fn findings(&self, report: &Value) -> Vec<String> {
        let all = report["findings"].as_array().expect("a report has findings");
        let one = |finding: &Value| {
            let path = if finding["repo_path"].is_null() { &finding["image_path"] } else { &finding["repo_path"] };
            let commit = &finding["commit"];
            let place =
                if commit.is_null() { String::new() } else { format!(" {} {}", self.number(commit), commit["behind"]) };
            format!("{} {}{place}", text(path), text(&finding["status"]))
        };
        all.iter().map(one).collect()
    }

    /// What `identify` says: `match newest oldest`, of the image and then of each layer with its index.
    pub(crate) fn identity(&self, image: &str, more: &[&str]) -> Vec<String> {
        let outcome = self.run(&[&["identify", image, "--format", "json"][..], more].concat());
        let report = outcome.json();
        let fit = |fit: &Value| {
            format!("{} {} {}", text(&fit["match"]), self.number(&fit["newest"]), self.number(&fit["oldest"]))
        };
        assert_eq!(outcome.code, Some(i32::from(report["match"] != "exact")), "{outcome:#?}");
        let layers = report["layers"].as_array().expect("layers").iter();
        let layers = layers.map(|layer| format!("{}: {}", layer["index"], fit(layer)));
        std::iter::once(fit(&report)).chain(layers).collect()
    }
}

/// The line of a file in one of its versions, all as long.
pub(crate) fn file(path: &str, version: usize) -> String {
    format!("f {path} 0644 # this is version {version} of {path}\\n\n")
}

/// An image with these lines in its layers 1 and 2.
pub(crate) fn built(shared: &str, main: &str) -> Image {
    buildkit(&[("COPY shared/ ./shared/", shared), ("COPY main.py ./", main)])
}
