//! The stages that a layer and a tree go through, each by itself, in bytes per second.
//!
//! `cargo bench --bench stages [-- FILTER]`. The inputs are made here and are the same on each run: text whose words
//! repeat as those of source code do, so that it compresses to about a quarter.

use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use shipproof::blob::{BlobId, ObjectFormat};
use shipproof::compression::decompress;
use shipproof::layer::LayerIndex;
use shipproof::repo::{Repository, Settings, of_revision};
use shipproof::tree::FileTree;

const MIB: usize = 1 << 20;

/// Rounds of each; a round of the slowest takes a tenth of a second.
const SAMPLES: usize = 20;

/// Files in a directory.
const DIRECTORY: usize = 50;

/// What a layer holds.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    files: usize,
    bytes: usize,
}

/// Source code, as an application's layer has it.
const SMALL: Shape = Shape { name: "8,000 files of 4 KiB", files: 8_000, bytes: 4 << 10 };

/// Libraries, as the wheels of a scientific stack have them.
const LARGE: Shape = Shape { name: "4 files of 8 MiB", files: 4, bytes: 8 * MIB };

fn path(file: usize) -> String {
    format!("app/part{:03}/module_{file:05}.py", file / DIRECTORY)
}

/// So many bytes of text, another one for each seed.
fn text(seed: usize, bytes: usize) -> Vec<u8> {
    const WORDS: [&str; 16] = [
        "return", "self", "order", "invoice", "for", "in", "ledger", "None", "queue", "token", "batch", "if", "stream",
        "retry", "import", "class",
    ];
    let mut random = (seed as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut text = Vec::with_capacity(bytes + 64);
    while text.len() < bytes {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        text.extend_from_slice(WORDS[(random >> 60) as usize].as_bytes());
        let rare = random >> 40 & 7 == 0;
        let _ = if rare { writeln!(text, "_{:06x}", random & 0xff_ffff) } else { write!(text, " ") };
    }
    text.truncate(bytes);
    text
}

/// The tar of a layer, directories listed.
fn layer(shape: Shape) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::with_capacity(shape.files * (shape.bytes + 1024)));
    for file in 0..shape.files {
        let path = path(file);
        if file % DIRECTORY == 0 {
            let directory = Path::new(&path).parent().expect("each file is in a directory");
            append(&mut tar, tar::EntryType::Directory, &directory.to_string_lossy(), &[]);
        }
        append(&mut tar, tar::EntryType::Regular, &path, &text(file, shape.bytes));
    }
    tar.into_inner().expect("memory takes all")
}

fn append(tar: &mut tar::Builder<Vec<u8>>, kind: tar::EntryType, path: &str, contents: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(if kind == tar::EntryType::Directory { 0o755 } else { 0o644 });
    header.set_size(contents.len() as u64);
    tar.append_data(&mut header, path, contents).expect("memory takes all");
}

/// At level 6, as most builders compress.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

fn zstd_frame(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("memory takes all")
}

fn bytes(count: usize) -> Throughput {
    Throughput::Bytes(count as u64)
}

fn decompression(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decompress");
    let plain = layer(SMALL);
    let mut buffer = vec![0; 64 << 10];
    for (name, stored) in [("gzip", gzip(&plain)), ("zstd", zstd_frame(&plain)), ("none", plain.clone())] {
        group.throughput(bytes(plain.len())).bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut reader = decompress(&stored[..]).expect("whole data");
                while reader.read(&mut buffer).expect("whole data") > 0 {}
            });
        });
    }
    group.finish();
}

/// The walk through a tar, its blob ids and digests, without and with inflating.
fn index(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("index");
    for shape in [SMALL, LARGE] {
        let plain = layer(shape);
        for (compression, stored) in [("tar", plain.clone()), ("gzip", gzip(&plain)), ("zstd", zstd_frame(&plain))] {
            let id = BenchmarkId::new(compression, shape.name);
            group.throughput(bytes(plain.len())).bench_function(id, |bencher| {
                bencher.iter(|| LayerIndex::read(black_box(&stored[..]), ObjectFormat::Sha1).expect("a whole layer"));
            });
        }
    }
    group.finish();
}

/// Layers that bring the same directories and files again, as rebuilt ones do.
fn merge(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merge");
    let index = LayerIndex::read(&layer(Shape { bytes: 0, ..SMALL })[..], ObjectFormat::Sha1).expect("a whole layer");
    for layers in [1, 4] {
        let entries = (index.changes.len() * layers) as u64;
        group.throughput(Throughput::Elements(entries)).bench_function(format!("{layers} layers"), |bencher| {
            bencher.iter(|| {
                let mut tree = FileTree::default();
                for layer in 0..layers {
                    tree.apply(layer, black_box(&index)).expect("a plain layer");
                }
                tree
            });
        });
    }
    group.finish();
}

fn blob_ids(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("blob id");
    for (format, name) in [(ObjectFormat::Sha1, "sha1"), (ObjectFormat::Sha256, "sha256")] {
        for size in [4 << 10, MIB] {
            let contents = text(0, size);
            group.throughput(bytes(size)).bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| BlobId::of(black_box(&contents), format).expect("no collision"));
            });
        }
    }
    group.finish();
}

fn snapshot(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    import(folder.path());
    let repository = Repository::open_with(folder.path(), Settings::RepositoryOnly).expect("a repository");
    let commit = repository.resolve("HEAD").expect("one commit");
    let mut group = criterion.benchmark_group("snapshot");
    group.throughput(Throughput::Elements(SMALL.files as u64)).bench_function("8,000 files", |bencher| {
        bencher.iter(|| of_revision(&repository, black_box(&commit)).expect("whole trees"));
    });
    group.finish();
}

/// Makes a bare repository of one commit with the files of [`SMALL`].
fn import(folder: &Path) {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.args(arguments).stdin(Stdio::piped()).spawn().expect("git is installed")
    };
    let init = git(&["init", "--quiet", "--bare", "--initial-branch=main"]).wait();
    assert!(init.expect("git can be waited for").success(), "git init failed");
    let mut stream = b"commit refs/heads/main\ncommitter T <t@example.com> 1500000000 +0000\ndata 0\n".to_vec();
    for file in 0..SMALL.files {
        let contents = format!("# file {file}\n");
        writeln!(stream, "M 100644 inline {}\ndata {}\n{contents}", path(file), contents.len())
            .expect("memory takes all");
    }
    let mut import = git(&["fast-import", "--quiet"]);
    // Taken and dropped, because git reads to the end of the pipe.
    import.stdin.take().expect("it is piped").write_all(&stream).expect("git reads all of it");
    assert!(import.wait().expect("git can be waited for").success(), "git fast-import failed");
}

criterion_group! {
    name = stages;
    config = Criterion::default().sample_size(SAMPLES);
    targets = decompression, index, merge, blob_ids, snapshot
}
criterion_main!(stages);
