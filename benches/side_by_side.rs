//! shipproof beside the tools that one would reach for without it, on the images that `benches/images.sh` makes.
//!
//! ```sh
//! benches/images.sh /var/tmp/images
//! cargo bench --bench side_by_side -- /var/tmp/images [ROUNDS [CASE…]]
//! ```
//!
//! Each round runs every contender of a case once, one after the other, so that whatever else the machine does meets
//! them alike. What is printed is a table in Markdown: how many times as long as shipproof each took (best and median
//! of the rounds), and the peak memory of its largest process. The registry serves from the page cache, and every tool
//! starts with an empty store and shipproof with an empty cache, which it fills, unless the case says otherwise. Tools
//! that are not on the PATH are left out and named.
//!
//! Needs root (for what unpacks images), bash, curl, docker-registry, git, GNU time, igzip (Debian's `isal`), jq,
//! podman, skopeo and umoci, and uses crane and regctl where they are. How the walk through a history compares with
//! `git log --raw` is measured by `cargo bench --bench history`.

#![expect(clippy::print_stdout, reason = "it reports to whoever runs it")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

/// Where the configuration that `images.sh` writes has the registry listen.
const HOST: &str = "127.0.0.1:5057";

/// A registry that does not answer after this time will not.
const START: Duration = Duration::from_secs(20);

/// What the contenders are.
const TOOLS: [&str; 8] = ["docker-registry", "skopeo", "umoci", "podman", "git", "igzip", "crane", "regctl"];

type Failure = Box<dyn std::error::Error>;

/// Something that is done with an image.
struct Case {
    name: &'static str,
    what: &'static str,
    /// What `$FILE` is.
    file: &'static str,
    /// The first is what the others are measured against.
    contenders: &'static [Contender],
}

/// Who does it, as a bash script. It starts in an empty folder of its own.
struct Contender {
    name: &'static str,
    /// The program without which it is left out.
    program: &'static str,
    /// What is done first and not measured.
    before: &'static str,
    script: &'static str,
}

const fn with(program: &'static str, name: &'static str, script: &'static str) -> Contender {
    Contender { name, program, before: "", script }
}

/// shipproof with the cache that reading `big:1` left.
const fn warm(name: &'static str, script: &'static str) -> Contender {
    let before = r#"[ -e "$KEPT/big" ] || { SHIPPROOF_CACHE_DIR=$KEPT/big verify big:1 orders; }
        mkdir -p "$KEPT/big" && cp -r "$KEPT/big" cache"#;
    Contender { name, program: "bash", before, script }
}

const FUNCTIONS: &str = include_str!("side_by_side.sh");

/// How a file is taken out of an image.
const ONE_FILE: &[Contender] = &[
    with("bash", "`shipproof cat`", r#""$SHIPPROOF" cat "$HOST/big:1" "/$FILE""#),
    with("skopeo", "`skopeo copy`, `umoci unpack`", r#"unpack big && cat "bundle-big/rootfs/$FILE""#),
    with(
        "podman",
        "`podman pull`, `podman cp`",
        r#"pull big && pod create --name it "$HOST/big:1" && pod cp "it:$FILE" -"#,
    ),
    with("igzip", "all layers by `curl` through `igzip -dc >/dev/null`", "inflate big"),
    with("crane", "`crane export`, `tar x`", r#"crane export --insecure "$HOST/big:1" - | tar xO "$FILE""#),
    with("regctl", "`regctl image get-file`", r#"regctl_http && regctl image get-file "$HOST/big:1" "/$FILE""#),
];

const CASES: &[Case] = &[
    Case {
        name: "start",
        what: "start-up, 100 times",
        file: "",
        contenders: &[
            with("bash", "`shipproof --version`", r#"for _ in {1..100}; do "$SHIPPROOF" --version; done"#),
            with("git", "`git --version`", "for _ in {1..100}; do git --version; done"),
        ],
    },
    Case { name: "top", what: "one file of the top layer", file: "app/main.py", contenders: ONE_FILE },
    Case { name: "bottom", what: "one file of the bottom layer", file: "etc/debian_version", contenders: ONE_FILE },
    Case {
        name: "all",
        what: "every file hashed and compared",
        file: "",
        contenders: &[
            with("bash", "`shipproof verify`", "verify big:1 orders"),
            with(
                "skopeo",
                "`skopeo copy`, `umoci unpack`, `git hash-object`",
                "unpack big && hash_all bundle-big/rootfs",
            ),
            with("podman", "`podman pull`, `podman image mount`, `git hash-object`", "pull big && hash_mounted big"),
            with("igzip", "all layers by `curl` through `igzip -dc >/dev/null`", "inflate big"),
            with("crane", "`crane export >/dev/null`", r#"crane export --insecure "$HOST/big:1" - >/dev/null"#),
            with("crane", "`crane export`, `tar x`, `git hash-object`", "export_all big && hash_all root"),
            with("bash", "`shipproof verify`, the image as zstd:chunked", "verify chunked:1 orders"),
            with("bash", "`shipproof verify`, a tenth of the image", "REPO=$REPO-tenth verify small:1 orders"),
        ],
    },
    Case {
        name: "again",
        what: "the same image again",
        file: "",
        contenders: &[
            warm("`shipproof verify`", "verify big:1 orders"),
            warm("`shipproof verify`, a tag that moved to known layers", "verify big:2 orders"),
            with("bash", "`shipproof verify`, with an empty cache", "verify big:1 orders"),
        ],
    },
    Case {
        name: "second",
        what: "a second image on the same base",
        file: "",
        contenders: &[
            warm("`shipproof verify`", "verify second:1 billing"),
            with("bash", "`shipproof verify`, with an empty cache", "verify second:1 billing"),
            Contender {
                name: "`skopeo copy`, `umoci unpack`, `git hash-object`, beside the first",
                program: "skopeo",
                before: "unpack big",
                script: "unpack second && hash_all bundle-second/rootfs",
            },
            Contender {
                name: "`podman pull`, `podman image mount`, `git hash-object`, beside the first",
                program: "podman",
                before: "pull big",
                script: "pull second && hash_mounted second",
            },
        ],
    },
];

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some((folder, rest)) = arguments.split_first() else {
        // `cargo bench` without arguments runs all benchmarks, and this one has nothing to read.
        println!("side_by_side: needs the folder that benches/images.sh filled");
        return Ok(());
    };
    let (rounds, wanted) = rest
        .split_first()
        .map_or(Ok((ROUNDS, rest)), |(rounds, cases)| rounds.parse().map(|rounds| (rounds, cases)))?;
    let folder = Path::new(folder).canonicalize()?;
    let _registry = Registry::start(&folder)?;
    machine()?;
    println!("| case | by | seconds, best | median | times as long, best | median | MiB |");
    println!("|---|---|---|---|---|---|---|");
    for case in CASES.iter().filter(|case| wanted.is_empty() || wanted.iter().any(|name| name == case.name)) {
        compare(case, &folder, rounds)?;
    }
    Ok(())
}

/// Tells what is compared, and on what.
fn machine() -> Result<(), Failure> {
    println!("{} cores, {} {}\n", std::thread::available_parallelism()?, std::env::consts::OS, std::env::consts::ARCH);
    for tool in TOOLS {
        let arguments: &[&str] = if matches!(tool, "crane" | "regctl") { &["version"] } else { &["--version"] };
        let version = Command::new(tool).args(arguments).output().map(|output| first_line(&output.stdout));
        println!("- {tool}: {}", version.unwrap_or_else(|_| "not on the PATH".to_owned()));
    }
    println!();
    Ok(())
}

fn first_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text).lines().find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

fn compare(case: &Case, folder: &Path, rounds: usize) -> Result<(), Failure> {
    let kept = tempfile::tempdir_in(folder)?;
    let contenders: Vec<&Contender> = case.contenders.iter().filter(|contender| is_there(contender.program)).collect();
    let mut runs = vec![Vec::new(); contenders.len()];
    for _ in 0..rounds {
        for (contender, runs) in contenders.iter().zip(&mut runs) {
            runs.push(run(contender, case.file, folder, kept.path())?);
        }
    }
    let load = std::fs::read_to_string("/proc/loadavg")?;
    println!("| **{}** | load {} | | | | | |", case.what, load.split(' ').next().unwrap_or_default());
    let ours = &runs[0];
    for (contender, theirs) in contenders.iter().zip(&runs) {
        let ratio = |pick: fn(&[Run]) -> f64| pick(theirs) / pick(ours);
        println!(
            "| | {} | {:.2} | {:.2} | {:.2} | {:.2} | {} |",
            contender.name,
            best(theirs),
            median(theirs),
            ratio(best),
            ratio(median),
            theirs.iter().map(|run| run.kibibytes >> 10).max().unwrap_or_default(),
        );
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    /// Of the largest process.
    kibibytes: u64,
}

fn best(runs: &[Run]) -> f64 {
    runs.iter().map(|run| run.seconds).fold(f64::INFINITY, f64::min)
}

fn median(runs: &[Run]) -> f64 {
    let mut seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn run(contender: &Contender, file: &str, folder: &Path, kept: &Path) -> Result<Run, Failure> {
    // Beside the images, because a temporary folder may lie in memory.
    let place = tempfile::tempdir_in(folder)?;
    let bash = |program: &mut Command, script: &str| -> Result<Duration, Failure> {
        program.args(["bash", "-c", &format!("{FUNCTIONS}{script}")]).current_dir(place.path());
        program.env("HOST", HOST).env("REPO", folder.join("repo")).env("KEPT", kept).env("FILE", file);
        program
            .env("SHIPPROOF", env!("CARGO_BIN_EXE_shipproof"))
            .env("SHIPPROOF_CACHE_DIR", place.path().join("cache"));
        let start = Instant::now();
        let output = program.stdin(Stdio::null()).output()?;
        let duration = start.elapsed();
        let text = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(duration) } else { Err(format!("{}: {script}: {text}", contender.name).into()) }
    };
    bash(&mut Command::new("env"), contender.before)?;
    // What earlier contenders wrote shall not be written back on this one's time.
    bash(&mut Command::new("env"), "sync")?;
    let duration = bash(Command::new("time").args(["--format=%M", "--output=peak"]), contender.script)?;
    let peak = std::fs::read_to_string(place.path().join("peak"))?;
    // podman leaves the folder of its store mounted on itself.
    bash(&mut Command::new("env"), "umount store/overlay 2>log || true")?;
    Ok(Run { seconds: duration.as_secs_f64(), kibibytes: peak.trim().parse()? })
}

fn is_there(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// The registry of the images; dropping it ends the server.
struct Registry(Child);

impl Registry {
    fn start(folder: &Path) -> Result<Self, Failure> {
        if std::net::TcpStream::connect(HOST).is_ok() {
            return Err(format!("something listens at {HOST} already").into());
        }
        let mut server = Command::new("docker-registry");
        server.arg("serve").arg(folder.join("registry.yml")).stdout(Stdio::null()).stderr(Stdio::null());
        let registry = Self(server.spawn()?);
        let until = Instant::now() + START;
        while std::net::TcpStream::connect(HOST).is_err() {
            if Instant::now() > until {
                return Err(format!("no registry listens at {HOST}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
