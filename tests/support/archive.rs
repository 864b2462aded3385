//! Tars from entries, byte by byte, in ways that no honest tool writes as well.

use tar::{EntryType, Header};

use super::sparse::Stored;
use super::text::{Dialect, Entry, Kind, Naming, Record};

/// 2026-01-01T00:00:00Z, the time stamp of every entry.
const MTIME: u64 = 1_767_225_600;
/// Longer names do not fit into a tar header.
const NAME_LENGTH: usize = 100;
/// Where a header has its size, its type and, in ustar, the first part of a long path.
const SIZE: usize = 124;
const TYPE: usize = 156;
const PREFIX: usize = 345;
pub(super) const BLOCK: usize = 512;

/// A tar with `entries`, in their order and with their names as they are, without its end.
pub(super) fn entries_of(entries: &[Entry]) -> Vec<u8> {
    entries.iter().flat_map(entry_bytes).collect()
}

fn entry_bytes(entry: &Entry) -> Vec<u8> {
    if entry.kind == Kind::Global {
        return extra(b'g', &entry.path, &records_of(&entry.written.records));
    }
    let stored = Stored::of(entry);
    let target = target_of(&entry.kind);
    let mut bytes = before(entry, target, &stored);
    let mut header = match entry.written.dialect {
        Dialect::Gnu => Header::new_gnu(),
        Dialect::Ustar => Header::new_ustar(),
        Dialect::V7 => Header::new_old(),
    };
    header.set_entry_type(entry_type(&entry.kind));
    header.set_mode(entry.mode);
    name(&mut header, entry, &stored);
    place(&mut header.as_old_mut().linkname, target);
    let size = entry.written.size.unwrap_or(stored.contents.len() as u64);
    set_size(&mut header, size, entry.written.base256);
    stored.mark(&mut header);
    if let Some(typeflag) = entry.written.typeflag {
        header.as_mut_bytes()[TYPE] = typeflag;
    }
    finish(&mut bytes, header, &stored.blocks);
    bytes.extend(padded(stored.contents));
    bytes
}

fn target_of(kind: &Kind) -> &[u8] {
    match kind {
        Kind::Symlink(target) | Kind::Hardlink(target) => target,
        _ => b"",
    }
}

fn entry_type(kind: &Kind) -> EntryType {
    match kind {
        Kind::File(_) => EntryType::Regular,
        Kind::Directory => EntryType::Directory,
        Kind::Symlink(_) => EntryType::Symlink,
        Kind::Hardlink(_) => EntryType::Link,
        Kind::Fifo => EntryType::Fifo,
        Kind::Global => EntryType::XGlobalHeader,
    }
}

fn name(header: &mut Header, entry: &Entry, stored: &Stored) {
    let path = match (&stored.name, entry.written.naming) {
        (Some(name), _) => name,
        (None, Naming::Pax) => &b"the-name-is-in-the-pax-record"[..],
        (None, Naming::Header) => &entry.path,
    };
    if entry.written.dialect != Dialect::Ustar || path.len() <= NAME_LENGTH {
        place(&mut header.as_old_mut().name, path);
        return;
    }
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    let slash = slashes.rev().find(|at| *at <= 155).expect("a long ustar path has a slash among its first 156 bytes");
    header.as_mut_bytes()[PREFIX..PREFIX + slash].copy_from_slice(&path[..slash]);
    place(&mut header.as_old_mut().name, &path[slash + 1..]);
}

fn set_size(header: &mut Header, size: u64, base256: bool) {
    header.set_size(size);
    if base256 {
        let field = &mut header.as_mut_bytes()[SIZE..SIZE + 12];
        field[..4].copy_from_slice(&[0x80, 0, 0, 0]);
        field[4..].copy_from_slice(&size.to_be_bytes());
    }
}

/// The extra entries before one whose names do not fit, or that has PAX records.
fn before(entry: &Entry, target: &[u8], stored: &Stored) -> Vec<u8> {
    let mut records = entry.written.records.clone();
    if entry.written.naming == Naming::Pax {
        records.push((b"path".to_vec(), entry.path.clone()));
        records.extend((!target.is_empty()).then(|| (b"linkpath".to_vec(), target.to_vec())));
    }
    records.extend(stored.records.iter().cloned());
    let mut bytes = Vec::new();
    if !records.is_empty() {
        bytes = extra(b'x', b"PaxHeaders/0", &records_of(&records));
    }
    let long = |name: &[u8]| name.len() > NAME_LENGTH && entry.written.dialect == Dialect::Gnu;
    for (kind, name) in [(b'K', target), (b'L', &entry.path)] {
        if entry.written.naming == Naming::Header && long(name) {
            bytes.extend(extra(kind, b"././@LongLink", &[name, b"\0"].concat()));
        }
    }
    bytes
}

fn records_of(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(|(key, value)| pax_record(key, value)).collect()
}

/// `<length> <key>=<value>\n`, where the length counts itself (POSIX pax).
fn pax_record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key, b"=", value, b"\n"].concat();
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    [length.to_string().as_bytes(), &rest].concat()
}

/// An entry that speaks of others.
fn extra(kind: u8, name: &[u8], contents: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::new(kind));
    header.set_mode(0o644);
    place(&mut header.as_old_mut().name, name);
    header.set_size(contents.len() as u64);
    let mut bytes = Vec::new();
    finish(&mut bytes, header, &padded(contents.to_vec()));
    bytes
}

/// Adds the header, complete, and the blocks that follow it.
fn finish(bytes: &mut Vec<u8>, mut header: Header, blocks: &[u8]) {
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(MTIME);
    header.set_cksum();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(blocks);
}

/// `bytes` and zeros up to the next block.
pub(super) fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

/// Copies as much of `name` as fits into a header field.
fn place(field: &mut [u8; NAME_LENGTH], name: &[u8]) {
    let length = name.len().min(NAME_LENGTH);
    field[..length].copy_from_slice(&name[..length]);
}
