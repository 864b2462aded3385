//! Memory stays flat: reading an image takes as much of it for large layers and files as for small ones.
//!
//! The images are larger than [`PEAK_KIB`] in every way in which something could be held whole: as files, as layers
//! uncompressed, and as stored blobs. `--jobs 8` is what a machine with eight processors does by itself. What is
//! measured is the peak of the process, by GNU time. All of it takes about half a minute of processor time in a debug
//! build.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
mod support;

use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use support::artifact_registry::{ArtifactRegistry, Fault, Phase};
use support::cli::Shipproof;
use support::git::Repo;
use support::http::{Framing, Response, Tail};
use support::large::{Content, Hashed, LargeLayer, write_layout};
use support::layers::Compression;
use support::registry::{Mode, Registry};
use support::tools;

/// 100 MiB.
const PEAK_KIB: u64 = 100 << 10;
const MIB: u64 = 1 << 20;
const TAG: &str = "large";

/// 1.6 GiB uncompressed. Eight layers are stored as they are, so that eight large downloads go on at once; of the
/// others some hold few large files and some many small ones, in either compression.
const LAYERS: [LargeLayer; 14] = [
    layer("plain-1", 1, 96 * MIB, Compression::None),
    layer("plain-2", 1, 96 * MIB, Compression::None),
    layer("plain-3", 1, 96 * MIB, Compression::None),
    layer("plain-4", 1, 96 * MIB, Compression::None),
    layer("plain-5", 2, 48 * MIB, Compression::None),
    layer("plain-6", 2, 48 * MIB, Compression::None),
    layer("plain-7", 2, 48 * MIB, Compression::None),
    layer("plain-8", 2, 48 * MIB, Compression::None),
    layer("gzip", 1, 192 * MIB, Compression::Gzip),
    layer("zstd", 1, 256 * MIB, Compression::Zstd),
    layer("zstd-2", 2, 128 * MIB, Compression::Zstd),
    layer("small", 12_000, 8 << 10, Compression::Gzip),
    layer("small-2", 12_000, 8 << 10, Compression::Zstd),
    layer("app", 9, 1000, Compression::Gzip),
];

const fn layer(directory: &'static str, files: u64, bytes: u64, compression: Compression) -> LargeLayer {
    LargeLayer { directory, files, bytes, compression }
}

/// What a program took, and what it printed.
struct Measured {
    peak_kib: u64,
    code: Option<i32>,
    stdout_bytes: u64,
    stdout_sha256: String,
}

/// Runs `command` under GNU time; what it prints is hashed on the way.
fn measure(command: &Command) -> Measured {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = folder.path().join("peak");
    let mut timed = tools::command("time", folder.path());
    timed
        .args(["--quiet", "--format", "%M", "--output"])
        .arg(&report)
        .arg(command.get_program())
        .args(command.get_args());
    timed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    timed.current_dir(command.get_current_dir().unwrap_or(folder.path()));
    let mut child = timed.stdout(Stdio::piped()).spawn().expect("GNU time starts");
    let mut printed = Hashed::new(io::sink());
    let mut stdout = child.stdout.take().expect("a pipe was asked for");
    let stdout_bytes = io::copy(&mut stdout, &mut printed).expect("the pipe can be read");
    let code = child.wait().expect("a child can be waited for").code();
    let peak = fs::read_to_string(&report).expect("GNU time reports");
    Measured {
        peak_kib: peak.trim().parse().unwrap_or_else(|_| panic!("`{peak}` is no number of KiB")),
        code,
        stdout_bytes,
        stdout_sha256: printed.hex(),
    }
}

/// Runs `shipproof` and asserts that it does well within [`PEAK_KIB`].
fn run(arguments: &[&str]) -> Measured {
    ends_with(0, &Shipproof::new(), arguments)
}

/// The same for another end, and in other surroundings.
fn ends_with(code: i32, shipproof: &Shipproof, arguments: &[&str]) -> Measured {
    let mut command = shipproof.command();
    let measured = measure(command.args(arguments));
    assert_eq!(measured.code, Some(code), "{arguments:?}");
    assert!(measured.peak_kib < PEAK_KIB, "{arguments:?} took {} KiB, more than {PEAK_KIB}", measured.peak_kib);
    measured
}

/// `tail` keeps what it prints, so this must be seen.
#[test]
fn the_meter_sees_memory() {
    let Some(_) = tools::require(tools::TIME) else { return };
    let mut hoarder = Command::new("sh");
    hoarder.args(["-c", "head -c 150M /dev/zero | tail -c 120M"]).env("PATH", "/usr/bin:/bin");
    let measured = measure(&hoarder);
    assert_eq!((measured.code, measured.stdout_bytes), (Some(0), 120 * MIB));
    assert!(measured.peak_kib > PEAK_KIB, "{} KiB", measured.peak_kib);
    assert!(measure(Command::new("true").env("PATH", "/usr/bin:/bin")).peak_kib < PEAK_KIB / 10);
}

/// A repository with the files of the last layer.
fn repository() -> Repo {
    let mut repo = Repo::new();
    let last = LAYERS.last().expect("there are layers");
    for number in 0..last.files {
        let mut file = fs::File::create(repo.path().join(number.to_string())).expect("the file can be made");
        io::copy(&mut Content::new(number, last.bytes), &mut file).expect("the file can be written");
    }
    repo.commit("Start");
    repo
}

#[test]
fn an_image_of_large_layers() {
    let Some(_) = tools::require(tools::TIME) else { return };
    let total: u64 = LAYERS.iter().map(|layer| layer.files * layer.bytes).sum();
    assert!(total > 3 << 29, "{total} bytes are not 1.5 GiB");
    let (folder, repo) = (tempfile::tempdir().expect("a temporary folder"), repository());
    write_layout(folder.path(), TAG, &LAYERS);
    let repository = repo.path().display().to_string();
    let read = |image: &str| {
        run(&["ls", image, "--jobs", "8"]);
        run(&["verify", image, "--jobs", "8", "--repo", &repository, "--map", "/app=."]);
    };
    let layout = format!("oci:{}:{TAG}", folder.path().display());
    read(&layout);
    let Some(registry) = Registry::start(Mode::Plain) else { return };
    registry.push(&layout, "team/large:v1");
    read(&registry.reference("team/large:v1"));
}

#[test]
fn a_large_file() {
    let Some(_) = tools::require(tools::TIME) else { return };
    let layer = layer("data", 1, 1024 * MIB, Compression::Gzip);
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_layout(folder.path(), TAG, &[layer]);
    let layout = format!("oci:{}:{TAG}", folder.path().display());
    run(&["ls", &layout]);
    let printed = run(&["cat", &layout, "/data/0"]);
    assert_eq!(printed.stdout_bytes, layer.bytes);
    assert_eq!(printed.stdout_sha256, Content::new(0, layer.bytes).sha256());
}

/// A registry that breaks off, starts anew and never ends.
#[test]
fn a_registry_on_a_bad_day() {
    let Some(_) = tools::require(tools::TIME) else { return };
    let layer = layer("data", 1, 160 * MIB, Compression::None);
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_layout(folder.path(), TAG, &[layer]);
    let endless = |_: Response| {
        Response::new(500, "there is no end ").framed(Framing::Chunked).tail(Tail::Endless(Duration::ZERO))
    };
    let start = || {
        let registry = ArtifactRegistry::serve(folder.path());
        let user = Shipproof::new();
        registry.log_in(&user);
        (registry, user)
    };

    let (registry, user) = start();
    registry.fault(Phase::Manifest, Fault::Change(endless), 1);
    // The configuration is the first download, the layer the second.
    registry.fault(Phase::Download, Fault::Cut(100_000_000_000), 1);
    registry.fault(Phase::Download, Fault::Cut(60 << 20), 1);
    registry.fault(Phase::Download, Fault::Change(endless), 1);
    registry.fault(Phase::Download, Fault::Whole, 1);
    let printed = ends_with(0, &user, &["cat", &registry.reference(TAG), "/data/0"]);
    assert_eq!(printed.stdout_sha256, Content::new(0, layer.bytes).sha256());

    let (registry, user) = start();
    registry.fault(Phase::Download, Fault::Cut(100_000_000_000), 1);
    registry.always(Phase::Download, Fault::WrongBytes);
    let printed = ends_with(2, &user, &["cat", &registry.reference(TAG), "/data/0"]);
    assert_eq!(printed.stdout_bytes, 0);
}
