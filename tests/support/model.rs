//! Random histories, as values and as git repositories.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::random::Random;
use crate::support::tools;

/// What paths are made of: names that sort around a directory's slash, a directory that can be a file, depth.
pub(crate) const PATHS: [&str; 12] =
    ["a", "b", "d", "d-e", "d.x", "d/e/f", "d/e/z", "d/x", "d/y", "s p/q", "top/one/two/three/four", "top/one/x"];

/// How many different contents there are; the same ones come up at several paths.
pub(crate) const CONTENTS: usize = 6;

/// A file of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct File {
    pub(crate) content: usize,
    pub(crate) mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Mode {
    Regular,
    Executable,
    Symlink,
}

pub(crate) type Tree = BTreeMap<&'static str, File>;

/// A commit of the model; parents are numbers of earlier ones.
pub(crate) struct Commit {
    pub(crate) parents: Vec<usize>,
    pub(crate) time: u64,
    pub(crate) tree: Tree,
}

/// What a file with this number contains.
pub(crate) fn content(number: usize) -> String {
    format!("contents {number}\n")
}

/// A history, oldest first.
pub(crate) fn history(random: &mut Random) -> Vec<Commit> {
    let modes = random.below(2) == 0;
    let count = 1 + random.below(24);
    let mut commits: Vec<Commit> = Vec::new();
    for number in 0..count {
        let parents = parents(random, number);
        let mut tree = merged(random, &commits, &parents);
        for _ in 0..random.below(4) {
            edit(random, &mut tree, modes, &commits);
        }
        // Clocks are wrong at times, and no two commits have the same one.
        let skew = random.below(8) * if random.below(4) == 0 { 100 } else { 1 };
        let time = 1_700_000_000 + ((number + skew) * 100 + number) as u64;
        commits.push(Commit { parents, time, tree });
    }
    commits
}

fn parents(random: &mut Random, number: usize) -> Vec<usize> {
    let wanted = match random.below(10) {
        0 => 0,
        1..=5 => 1,
        6..=8 => 2,
        _ => 3 + random.below(2),
    };
    let mut parents = Vec::new();
    for _ in 0..wanted.min(number) {
        // Mostly something recent, so that lines of history arise that cross each other.
        let parent = if random.below(4) == 0 { random.below(number) } else { number - 1 - random.below(number.min(3)) };
        if !parents.contains(&parent) {
            parents.push(parent);
        }
    }
    parents
}

/// The first parent's tree, with some paths as another parent has them.
fn merged(random: &mut Random, commits: &[Commit], parents: &[usize]) -> Tree {
    let Some(&first) = parents.first() else {
        return Tree::new();
    };
    let mut tree = commits[first].tree.clone();
    for path in PATHS {
        let other = &commits[*random.pick(parents)].tree;
        match other.get(path) {
            Some(&file) => put(&mut tree, path, file),
            None => drop(tree.remove(path)),
        }
    }
    tree
}

fn edit(random: &mut Random, tree: &mut Tree, modes: bool, commits: &[Commit]) {
    let path = *random.pick(&PATHS);
    match random.below(8) {
        0 => drop(tree.remove(path)),
        // A rename keeps the contents.
        1 => {
            if let Some(file) = tree.remove(path) {
                put(tree, PATHS[random.below(PATHS.len())], file);
            }
        }
        // A revert of everything.
        2 if !commits.is_empty() => tree.clone_from(&random.pick(commits).tree),
        _ => {
            let modes: &[Mode] =
                if modes { &[Mode::Regular, Mode::Executable, Mode::Symlink] } else { &[Mode::Regular] };
            put(tree, path, File { content: random.below(CONTENTS), mode: *random.pick(modes) });
        }
    }
}

/// Puts a file where a directory may have been, or into a directory that may have been a file.
fn put(tree: &mut Tree, path: &'static str, file: File) {
    let is_above = |above: &str, below: &str| below.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
    tree.retain(|other, _| !is_above(other, path) && !is_above(path, other));
    tree.insert(path, file);
}

/// Commits that are no parents: the tips of branches.
pub(crate) fn heads(commits: &[Commit]) -> Vec<usize> {
    let parents: BTreeSet<usize> = commits.iter().flat_map(|commit| commit.parents.iter().copied()).collect();
    (0..commits.len()).filter(|number| !parents.contains(number)).collect()
}

/// A repository made from a model.
pub(crate) struct Made {
    home: PathBuf,
    /// The id of each commit.
    pub(crate) ids: Vec<String>,
}

impl Made {
    /// Makes a bare repository in `home`, with a branch for each head.
    pub(crate) fn new(home: &Path, commits: &[Commit]) -> Self {
        let mut made = Self { home: home.to_owned(), ids: Vec::new() };
        init(home);
        let marks = home.join("marks");
        let mut import = made.git();
        import.args(["fast-import", "--quiet", "--force"]).arg(format!("--export-marks={}", marks.display()));
        let mut child = import.stdin(Stdio::piped()).spawn().expect("git starts");
        child.stdin.take().expect("it is piped").write_all(stream(commits).as_bytes()).expect("git reads");
        assert!(child.wait().expect("git ends").success());
        made.ids = ids(&std::fs::read_to_string(marks).expect("git wrote them"), commits.len());
        made
    }

    /// A git command in the repository.
    pub(crate) fn git(&self) -> Command {
        let mut command = tools::command("git", &self.home);
        command.current_dir(&self.home).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        command
    }

    /// The lines that git prints.
    pub(crate) fn lines(&self, arguments: &[&str]) -> Vec<String> {
        tools::run_text(self.git().args(arguments)).lines().map(str::to_owned).collect()
    }
}

/// What `git init --bare` makes; a process for each case would take longer than all the rest.
fn init(folder: &Path) {
    for below in ["objects/info", "refs/heads", "refs/tags"] {
        std::fs::create_dir_all(folder.join(below)).expect("a new folder");
    }
    let config = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";
    for (name, contents) in [("HEAD", "ref: refs/heads/main\n"), ("config", config)] {
        std::fs::write(folder.join(name), contents).expect("a new file");
    }
}

fn stream(commits: &[Commit]) -> String {
    let mut stream = String::new();
    for (number, commit) in commits.iter().enumerate() {
        let time = commit.time;
        writeln!(stream, "commit refs/heads/b{number}\nmark :{}", number + 1).expect("a string takes everything");
        writeln!(stream, "committer T <t@example.com> {time} +0000\ndata 0").expect("as before");
        for (place, parent) in commit.parents.iter().enumerate() {
            let word = if place == 0 { "from" } else { "merge" };
            writeln!(stream, "{word} :{}", parent + 1).expect("as before");
        }
        stream.push_str("deleteall\n");
        for (path, file) in &commit.tree {
            let mode = match file.mode {
                Mode::Regular => "100644",
                Mode::Executable => "100755",
                Mode::Symlink => "120000",
            };
            let content = content(file.content);
            writeln!(stream, "M {mode} inline \"{path}\"\ndata {}\n{content}", content.len()).expect("as before");
        }
    }
    // Branches in the middle of others would give away what only a walk should find.
    let heads = heads(commits);
    for number in (0..commits.len()).filter(|number| !heads.contains(number)) {
        writeln!(stream, "reset refs/heads/b{number}\nfrom 0000000000000000000000000000000000000000\n")
            .expect("as before");
    }
    stream
}

fn ids(marks: &str, count: usize) -> Vec<String> {
    let mut ids = vec![String::new(); count];
    for line in marks.lines() {
        let (mark, id) = line.split_once(' ').expect("`:<mark> <id>`");
        let mark: usize = mark[1..].parse().expect("a number");
        ids[mark - 1] = id.to_owned();
    }
    ids
}
