//! The walk through a history beside `git log`, on a repository of 20,000 commits and 5,000 files.
//!
//! `cargo bench --bench history [-- FOLDER]` makes the repositories in FOLDER (or in a temporary one), runs each
//! contender in turn for several rounds and prints times, ratios and the most memory that the walk took. Nothing is
//! asserted.

#![expect(clippy::print_stdout, reason = "it reports to whoever runs it")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use shipproof::path::RepoPath;
use shipproof::repo::history::{History, Query, Wanted};
use shipproof::repo::{Repository, Settings, of_revision};

const COMMITS: usize = 20_000;
const FILES: usize = 5_000;
const ROUNDS: usize = 7;

/// One commit in so many is a merge of a side branch.
const MERGE_EVERY: usize = 12;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [command, repository, prefix] = arguments.as_slice()
        && command == "walk"
    {
        return walk(Path::new(repository), prefix);
    }
    let temporary = tempfile::tempdir()?;
    let folder = arguments.first().map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    for layout in [Layout::Nested, Layout::Flat] {
        let repository = folder.join(layout.name());
        if !repository.exists() {
            make(&repository, layout)?;
        }
        for graph in [Graph::None, Graph::Plain, Graph::ChangedPaths] {
            graph.write(&repository)?;
            compare(&repository, layout, graph)?;
        }
    }
    Ok(())
}

/// How the files lie in directories.
#[derive(Clone, Copy)]
enum Layout {
    /// In 250 directories, three levels deep.
    Nested,
    /// In one directory.
    Flat,
}

impl Layout {
    fn name(self) -> &'static str {
        match self {
            Self::Nested => "nested",
            Self::Flat => "flat",
        }
    }

    fn path(self, file: usize) -> String {
        match self {
            Self::Nested => format!("services/s{:02}/m{:02}/file_{file:04}.py", file / 200, file / 20 % 10),
            Self::Flat => format!("files/file_{file:04}.py"),
        }
    }

    /// What is asked for, with a word for it.
    fn queries(self) -> Vec<(&'static str, String)> {
        let one = ("one file", self.path(FILES / 2));
        match self {
            Self::Nested => vec![("all files", String::new()), ("a directory", "services/s12".to_owned()), one],
            Self::Flat => vec![("all files", String::new()), one],
        }
    }
}

#[derive(Clone, Copy)]
enum Graph {
    None,
    Plain,
    ChangedPaths,
}

impl Graph {
    fn name(self) -> &'static str {
        match self {
            Self::None => "no commit-graph",
            Self::Plain => "commit-graph",
            Self::ChangedPaths => "commit-graph with changed paths",
        }
    }

    fn write(self, repository: &Path) -> Result<(), Failure> {
        let info = repository.join("objects").join("info");
        for leftover in ["commit-graph", "commit-graphs"] {
            let leftover = info.join(leftover);
            if leftover.is_dir() { std::fs::remove_dir_all(&leftover) } else { std::fs::remove_file(&leftover) }.ok();
        }
        let options: &[&str] = match self {
            Self::None => return Ok(()),
            Self::Plain => &["commit-graph", "write", "--reachable", "--no-progress"],
            Self::ChangedPaths => &["commit-graph", "write", "--reachable", "--no-progress", "--changed-paths"],
        };
        succeed(git(repository).args(options))
    }
}

fn compare(repository: &Path, layout: Layout, graph: Graph) -> Result<(), Failure> {
    let queries = layout.queries();
    let mut log = Vec::new();
    let mut ours = vec![Vec::new(); queries.len()];
    let mut memory = vec![0; queries.len()];
    for _ in 0..ROUNDS {
        log.push(time(git(repository).args(["log", "--raw", "--no-renames"]))?.0);
        for (at, (_, prefix)) in queries.iter().enumerate() {
            let mut walk = Command::new(std::env::current_exe()?);
            let (duration, kibibytes) = time(walk.arg("walk").arg(repository).arg(prefix))?;
            ours[at].push(duration);
            memory[at] = memory[at].max(kibibytes);
        }
    }
    println!("{}, {}: git log --raw {}", layout.name(), graph.name(), milliseconds(&log));
    for (at, (what, _)) in queries.iter().enumerate() {
        let ratio = |pick: fn(&[Duration]) -> Duration| pick(&log).as_secs_f64() / pick(&ours[at]).as_secs_f64();
        println!(
            "  {what:<12} {}, {:.2} (best) and {:.2} (median) times as fast, {} MiB",
            milliseconds(&ours[at]),
            ratio(best),
            ratio(median),
            memory[at] / 1024,
        );
    }
    Ok(())
}

fn milliseconds(times: &[Duration]) -> String {
    format!("{} ms best, {} ms median", best(times).as_millis(), median(times).as_millis())
}

fn best(times: &[Duration]) -> Duration {
    times.iter().min().copied().unwrap_or_default()
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

/// How long a command takes, and the number that the walk prints.
fn time(command: &mut Command) -> Result<(Duration, u64), Failure> {
    let start = Instant::now();
    let is_walk = command.get_program() != "git";
    let output = command.stdout(if is_walk { Stdio::piped() } else { Stdio::null() }).output()?;
    let duration = start.elapsed();
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let printed = String::from_utf8(output.stdout)?;
    Ok((duration, printed.trim().parse().unwrap_or(0)))
}

/// Looks for the files of `HEAD~1000` at and below `prefix`, and prints the most memory that took, in KiB.
fn walk(repository: &Path, prefix: &str) -> Result<(), Failure> {
    let repository = Repository::open_with(repository, Settings::RepositoryOnly)?;
    let snapshot = of_revision(&repository, &repository.resolve("HEAD~1000")?)?;
    let prefix = RepoPath::clean(prefix.as_bytes());
    let files = snapshot.files.iter().filter(|(path, _)| path.starts_with(&prefix));
    let wanted: Vec<Wanted> = files
        .map(|(path, file)| Wanted {
            path: path.clone(),
            kind: file.kind,
            blobs: vec![file.blob],
            absent: false,
            group: 0,
        })
        .collect();
    let query = Query { wanted: &wanted, anywhere: &[] };
    let history = History::walk(&repository, &repository.resolve("HEAD")?, &query)?;
    let best = history.best(usize::MAX, &[]);
    if best.matched != wanted.len() || wanted.is_empty() {
        return Err(format!("{} of {} files agree", best.matched, wanted.len()).into());
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("{}", peak.and_then(|peak| peak.split_whitespace().next()).unwrap_or("0"));
    Ok(())
}

fn make(repository: &Path, layout: Layout) -> Result<(), Failure> {
    std::fs::create_dir_all(repository)?;
    succeed(git(repository).args(["init", "--quiet", "--bare", "--initial-branch=main"]))?;
    let mut import = git(repository).args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped()).spawn()?;
    let mut stream = std::io::BufWriter::new(import.stdin.take().ok_or("no pipe")?);
    stream.write_all(history(layout).as_bytes())?;
    drop(stream);
    if !import.wait()?.success() {
        return Err("git fast-import failed".into());
    }
    // As a server packs: without the deltas of the import, whose bases are older trees. In the flat layout each of
    // 20,000 trees has 175 kB, and a wider window takes an hour.
    let window = if matches!(layout, Layout::Flat) { "--window=2" } else { "--window=10" };
    succeed(git(repository).args(["repack", "-a", "-d", "-f", "-q", window]))?;
    succeed(git(repository).args(["pack-refs", "--all"]))?;
    Graph::None.write(repository)
}

/// A stream for `git fast-import`: most commits change one to three files, and side branches are merged back.
fn history(layout: Layout) -> String {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut below = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 33).unwrap_or(0) % limit
    };
    let mut stream = String::new();
    let mut side: Option<usize> = None;
    let mut main = 0;
    for number in 1..=COMMITS {
        let merges = number % MERGE_EVERY == 0 && side.is_some();
        let on_side = !merges && number % MERGE_EVERY > MERGE_EVERY - 4;
        let branch = if on_side { "side" } else { "main" };
        let message = format!("Change {number}\n\nIn some detail, because messages have a body as well.\n");
        let _ = writeln!(stream, "commit refs/heads/{branch}\nmark :{number}");
        let _ = writeln!(stream, "committer T <t@example.com> {} +0000", 1_500_000_000 + number * 600);
        let _ = writeln!(stream, "data {}\n{message}", message.len());
        if on_side && side.is_none() {
            let _ = writeln!(stream, "from :{main}");
        }
        if let Some(tip) = side.filter(|_| merges) {
            let _ = writeln!(stream, "merge :{tip}");
        }
        main = if on_side { main } else { number };
        side = if on_side { Some(number) } else { side.filter(|_| !merges) };
        let files = if number == 1 {
            (0..FILES).collect()
        } else {
            (0..1 + below(3)).map(|_| below(FILES)).collect::<Vec<_>>()
        };
        for file in files {
            let content = format!("# file {file}\nversion = {number}\n");
            let _ = writeln!(stream, "M 100644 inline {}\ndata {}\n{content}", layout.path(file), content.len());
        }
        if merges {
            let _ = writeln!(stream, "reset refs/heads/side\nfrom 0000000000000000000000000000000000000000\n");
        }
    }
    stream
}

fn git(repository: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(repository).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.stdout(Stdio::null());
    command
}

fn succeed(command: &mut Command) -> Result<(), Failure> {
    if command.status()?.success() { Ok(()) } else { Err(format!("{command:?} failed").into()) }
}
