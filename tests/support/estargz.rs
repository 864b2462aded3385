//! eStargz layers, made of ordinary ones as `ctr-remote` does
//! (<https://github.com/containerd/stargz-snapshotter/blob/main/docs/estargz.md>, and `estargz/build.go` there): each
//! file's contents begin a gzip member, a large file has several, the table is the tar's last entry, and a footer says
//! where it begins. [`Estargz::edit`] makes tables that lie.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::layers::{Layer, digest_of, gzip};
use super::tools;

const TABLE: &str = "stargz.index.json";
const ANNOTATION: &str = "containerd.io/snapshot/stargz/toc.digest";
const BLOCK: usize = 512;

/// How a layer is converted.
pub(crate) struct Estargz<'e> {
    /// Bytes of a file after which another member begins.
    pub(crate) chunk: usize,
    /// What becomes of the table before it is written.
    pub(crate) edit: &'e dyn Fn(&mut Value),
}

impl Default for Estargz<'_> {
    fn default() -> Self {
        Self { chunk: 4 << 20, edit: &|_| {} }
    }
}

/// The stored bytes so far, and what waits to be compressed.
#[derive(Default)]
struct Members {
    plain: Vec<u8>,
    pending: Vec<u8>,
    stored: Vec<u8>,
}

impl Members {
    fn push(&mut self, bytes: &[u8]) {
        self.plain.extend_from_slice(bytes);
        self.pending.extend_from_slice(bytes);
    }

    /// Ends a member and gives the place where the next one begins.
    fn cut(&mut self) -> usize {
        if !self.pending.is_empty() {
            self.stored.extend(gzip(&std::mem::take(&mut self.pending)));
        }
        self.stored.len()
    }
}

impl Estargz<'_> {
    /// The layer with a landmark before its entries and a table behind them.
    pub(crate) fn convert(&self, layer: &Layer) -> Layer {
        let (mut members, mut entries) = (Members::default(), Vec::new());
        self.add(&mut members, &mut entries, &landmark());
        self.add(&mut members, &mut entries, &layer.tar);
        let mut table = json!({ "version": 1, "entries": entries });
        (self.edit)(&mut table);
        let json = serde_json::to_vec(&table).expect("a JSON value can be written");
        let start = members.cut();
        members.push(&table_file(&json));
        members.cut();
        members.stored.extend(footer(start));
        let mut layer = Layer { tar: members.plain, blob: members.stored, ..layer.clone() };
        layer.annotations.insert(ANNOTATION.to_owned(), digest_of(&json));
        layer
    }

    /// Adds the entries of `tar` without its end.
    fn add(&self, members: &mut Members, entries: &mut Vec<Value>, tar: &[u8]) {
        let mut archive = tar::Archive::new(tar);
        let mut written = 0;
        for entry in archive.entries().expect("the tar is one") {
            let mut entry = entry.expect("the tar is one");
            let contents = usize::try_from(entry.raw_file_position()).expect("it is in memory");
            members.push(&tar[written..contents]);
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("the tar is one");
            let first = described(&entry, &bytes);
            if bytes.is_empty() {
                entries.push(first);
            } else {
                self.add_contents(members, entries, first, &bytes);
            }
            written = contents + bytes.len().next_multiple_of(BLOCK);
            members.push(&tar[contents + bytes.len()..written]);
        }
    }

    fn add_contents(&self, members: &mut Members, entries: &mut Vec<Value>, first: Value, bytes: &[u8]) {
        let mut at = 0;
        for chunk in bytes.chunks(self.chunk) {
            let mut entry = if at == 0 { first.clone() } else { json!({ "name": first["name"], "type": "chunk" }) };
            if chunk.len() == self.chunk {
                entry["chunkSize"] = json!(chunk.len());
            }
            if at > 0 {
                entry["chunkOffset"] = json!(at);
            }
            entry["offset"] = json!(members.cut());
            entry["chunkDigest"] = json!(digest_of(chunk));
            members.push(chunk);
            entries.push(entry);
            at += chunk.len();
        }
    }
}

fn described(entry: &tar::Entry<'_, &[u8]>, bytes: &[u8]) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let header = entry.header();
    let kind = match header.entry_type() {
        tar::EntryType::Regular => "reg",
        tar::EntryType::Directory => "dir",
        tar::EntryType::Symlink => "symlink",
        tar::EntryType::Link => "hardlink",
        tar::EntryType::Fifo => "fifo",
        other => panic!("{other:?} is not written by the tests"),
    };
    let mut described = json!({
        "name": text(&entry.path_bytes()), "type": kind, "mode": header.mode().expect("a number"), "NumLink": 0,
    });
    if kind == "reg" {
        described["digest"] = json!(digest_of(bytes));
        described["size"] = json!(bytes.len());
    }
    let modified = header.mtime().expect("a number");
    if modified > 0 {
        described["modtime"] = json!(date(modified));
    }
    if let Some(target) = entry.link_name_bytes() {
        described["linkName"] = json!(text(&target));
    }
    described
}

/// RFC 3339, by whoever is not under test.
fn date(seconds: u64) -> String {
    static KNOWN: Mutex<BTreeMap<u64, String>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().expect("nobody panics while the lock is held");
    let ask = || {
        let mut date = tools::command("date", Path::new("/"));
        tools::run_text(date.args(["--utc", "+%Y-%m-%dT%H:%M:%SZ", &format!("--date=@{seconds}")]))
    };
    known.entry(seconds).or_insert_with(ask).clone()
}

fn landmark() -> Vec<u8> {
    file(".no.prefetch.landmark", 0o644, &[0xf])
}

/// The table as the last file of the tar, with the tar's end.
fn table_file(json: &[u8]) -> Vec<u8> {
    file(TABLE, 0, json)
}

fn file(name: &str, mode: u32, bytes: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(mode);
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, name, bytes).expect("writing to memory does not fail");
    builder.into_inner().expect("writing to memory does not fail")
}

/// An empty gzip member whose extra field names the table's place.
fn footer(start: usize) -> Vec<u8> {
    let head = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 26, 0, b'S', b'G', 22, 0];
    [&head[..], format!("{start:016x}STARGZ").as_bytes(), &[1, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0]].concat()
}
