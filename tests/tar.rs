//! Layers as other programs write them: GNU tar in all its formats and the `tar` crate, held against what was packed,
//! what GNU tar unpacks, and what the crate reads.

#[expect(dead_code, reason = "each test binary uses a part of the support module")]
mod support;

use std::fs::{self, File, Permissions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use support::random::Random;
use support::tar_crate::{Kind, Listed, Outcome, by_shipproof, by_tar_crate, compare, is_slow};
use support::tools;

/// What to ask of GNU tar. The first two cannot hold long names.
const FORMATS: [&[&str]; 9] = [
    &["--format=v7"],
    &["--format=ustar"],
    &["--format=oldgnu"],
    &["--format=gnu"],
    &["--format=gnu", "--sparse"],
    &["--format=posix", "--pax-option=globexthdr.name=global,comment=all"],
    &["--format=pax", "--sparse", "--sparse-version=0.0"],
    &["--format=pax", "--sparse", "--sparse-version=0.1"],
    &["--format=pax", "--sparse", "--sparse-version=1.0"],
];

/// Names that all formats can hold, and others.
fn name(random: &mut Random, short: bool) -> Vec<u8> {
    let length = if short { 1 + random.below(20) } else { 90 + random.below(120) };
    let mut name = random.bytes(length);
    for byte in &mut name {
        *byte = *random.pick(if short { b"abcxyz._-0" } else { b"ab \xff\xc3\xa9\n=,0" });
    }
    name[0] = b'n';
    name
}

/// Fills `folder` with random files, holes, links and folders.
fn fill(random: &mut Random, folder: &Path, short: bool, depth: usize) {
    let mut files: Vec<PathBuf> = Vec::new();
    for _ in 0..1 + random.below(8) {
        let path = folder.join(std::ffi::OsString::from_vec(name(random, short)));
        if path.symlink_metadata().is_ok() {
            continue;
        }
        match random.below(8) {
            0 if depth > 0 => {
                fs::create_dir(&path).expect("a new folder");
                fill(random, &path, short, depth - 1);
            }
            1 => symlink(path.file_name().expect("a name"), &path).expect("a new link"),
            2 if !files.is_empty() => fs::hard_link(random.pick(&files), &path).expect("a new link"),
            _ => {
                write_file(random, &path);
                files.push(path);
            }
        }
    }
}

fn write_file(random: &mut Random, path: &Path) {
    let mut file = File::create(path).expect("a new file");
    let length = *random.pick(&[0, 1, 511, 512, 513, 5000]);
    file.write_all(&random.bytes(length)).expect("the disk has room");
    for _ in 0..*random.pick(&[0, 0, 0, 1, 2, 25]) {
        let hole = 4096 * (1 + random.below(4)) as i64;
        file.seek(SeekFrom::Current(hole)).expect("files may have holes");
        file.write_all(&random.bytes(4096)).expect("the disk has room");
    }
    let end = file.stream_position().expect("a position") + *random.pick(&[0, 0, 8192]);
    file.set_len(end).expect("files may end in a hole");
    let mode = *random.pick(&[0o644, 0o755, 0o600, 0o4755, 0o444]);
    file.set_permissions(Permissions::from_mode(mode)).expect("the file is ours");
}

/// What lies in `folder`, links followed to what they name where they are hard.
fn walk(top: &Path, folder: &Path, listed: &mut Vec<Listed>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let metadata = path.symlink_metadata().expect("it is there");
        let kind = if metadata.is_dir() {
            walk(top, &path, listed);
            Kind::Directory
        } else if metadata.is_symlink() {
            Kind::Symlink(fs::read_link(&path).expect("a link").as_os_str().as_bytes().to_vec())
        } else {
            Kind::File(metadata.len(), Sha256::digest(fs::read(&path).expect("a file")).into())
        };
        let name = path.strip_prefix(top).expect("below it").as_os_str().as_bytes().to_vec();
        listed.push(Listed { path: name, mode: metadata.permissions().mode() & 0o7777, kind });
    }
}

fn tree(folder: &Path) -> Vec<Listed> {
    let mut listed = Vec::new();
    walk(folder, folder, &mut listed);
    listed.sort();
    listed
}

/// The same for a tar's entries: hard links become what they name.
fn resolved(mut listed: Vec<Listed>) -> Vec<Listed> {
    for at in 0..listed.len() {
        if let Kind::Hardlink(target) = &listed[at].kind {
            let target = listed.iter().find(|other| other.path == *target).expect("the target stands before");
            listed[at].kind = target.kind.clone();
        }
    }
    listed.retain(|entry| !entry.path.is_empty());
    listed.sort();
    listed
}

fn gnu_tar(home: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = tools::command("tar", home);
    tools::run(command.current_dir(home).args(arguments))
}

#[test]
fn what_gnu_tar_packs_is_what_is_read() {
    if tools::require(tools::TAR).is_none() {
        return;
    }
    for seed in 0..12 {
        let mut random = Random::new(seed);
        let home = tempfile::tempdir().expect("a temporary folder");
        let folder = home.path().join("tree");
        fs::create_dir(&folder).expect("a new folder");
        let short = seed % 2 == 0;
        fill(&mut random, &folder, short, 3);
        let packed = tree(&folder);
        for format in FORMATS.iter().skip(if short { 0 } else { 2 }) {
            let tar = gnu_tar(home.path(), &[format, &["-cf", "-", "-C", "tree", "."][..]].concat());
            let read = by_shipproof(&tar).unwrap_or_else(|| panic!("{format:?} of seed {seed} is refused"));
            assert_eq!(resolved(read), packed, "{format:?} of seed {seed}");
            assert!(compare(&tar).is_ok(), "{format:?} of seed {seed}: {:?}", compare(&tar));
        }
    }
}

#[test]
fn what_the_crate_packs_is_what_gnu_tar_unpacks() {
    if tools::require(tools::TAR).is_none() {
        return;
    }
    for seed in 100..108 {
        let mut random = Random::new(seed);
        let home = tempfile::tempdir().expect("a temporary folder");
        let (folder, out) = (home.path().join("tree"), home.path().join("out"));
        fs::create_dir(&folder).expect("a new folder");
        fs::create_dir(&out).expect("a new folder");
        fill(&mut random, &folder, seed % 2 == 0, 3);
        let mut builder = tar::Builder::new(Vec::new());
        builder.follow_symlinks(false);
        builder.sparse(seed % 4 < 2);
        builder.append_dir_all(".", &folder).expect("the crate packs it");
        let tar = builder.into_inner().expect("the crate packs it");
        fs::write(home.path().join("it.tar"), &tar).expect("the disk has room");
        gnu_tar(home.path(), &["-xpf", "it.tar", "-C", "out"]);
        let read = by_shipproof(&tar).unwrap_or_else(|| panic!("seed {seed} is refused"));
        assert_eq!(resolved(read.clone()), tree(&out), "seed {seed}");
        assert_eq!(by_tar_crate(&tar), Some(read), "seed {seed}");
    }
}

/// Small archives to change, one of each format: long and short names, links, a file with a hole.
fn samples(home: &Path) -> Vec<Vec<u8>> {
    let folder = home.join("tree");
    let long = folder.join("n".repeat(120));
    fs::create_dir_all(&long).expect("a new folder");
    fs::write(folder.join("a"), "hello\n").expect("the disk has room");
    fs::write(long.join("b"), [b'x'; 513]).expect("the disk has room");
    fs::hard_link(folder.join("a"), folder.join("hard")).expect("a new link");
    symlink("s".repeat(130), folder.join("soft")).expect("a new link");
    let mut sparse = File::create(folder.join("sparse")).expect("a new file");
    sparse.seek(SeekFrom::Start(8192)).expect("files may have holes");
    sparse.write_all(b"after the hole").expect("the disk has room");
    FORMATS.iter().skip(2).map(|format| gnu_tar(home, &[format, &["-cf", "-", "tree"][..]].concat())).collect()
}

/// Changes some bytes or blocks of `tar` and makes the headers' checksums right again, mostly.
fn change(random: &mut Random, tar: &mut Vec<u8>) {
    for _ in 0..1 + random.below(3) {
        let headers: Vec<usize> = (0..tar.len() / 512).filter(|at| &tar[at * 512 + 257..][..5] == b"ustar").collect();
        if headers.is_empty() {
            return;
        }
        let block = *random.pick(&headers) * 512;
        match random.below(6) {
            0 => tar[block + 156] = *random.pick(b"\x0001234567xgLKS"),
            1 => {
                let size = *random.pick(&["00000000000", "00000001000", "00000000777"]);
                tar[block + 124..block + 135].copy_from_slice(size.as_bytes());
            }
            2 => tar[block + random.below(512)] = *random.pick(b"\0 017/a\xff\x80"),
            3 => drop(tar.drain(block..block + 512)),
            4 => tar.truncate(block + random.below(1024)),
            _ => {
                let at = random.below(tar.len());
                tar[at] = *random.pick(b"\0 019=\n,\xff");
            }
        }
        if random.below(20) > 0 {
            tar.chunks_exact_mut(512).filter(|block| &block[257..262] == b"ustar").for_each(repair);
        }
    }
}

fn repair(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

#[test]
fn changed_archives_are_read_alike_or_refused() {
    if tools::require(tools::TAR).is_none() {
        return;
    }
    let home = tempfile::tempdir().expect("a temporary folder");
    let samples = samples(home.path());
    let (mut same, mut refused, mut excepted) = (0, 0, 0);
    for seed in 0..3000 {
        let mut random = Random::new(seed);
        let mut tar = random.pick(&samples).clone();
        change(&mut random, &mut tar);
        if is_slow(&tar) {
            continue;
        }
        match compare(&tar) {
            Ok(Outcome::Same) => same += 1,
            Ok(Outcome::Refused) => refused += 1,
            Ok(Outcome::Excepted(_)) => excepted += 1,
            Err(difference) => panic!("seed {seed}: {difference}"),
        }
    }
    assert!(same > 200 && refused > 200, "{same} the same, {refused} refused, {excepted} excepted");
}
