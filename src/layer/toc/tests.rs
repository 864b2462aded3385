//! zstd:chunked layers made by hand.

use std::io::Write as _;

use serde_json::{Value, json};

use super::*;
use crate::layer::contents as read_contents;
use crate::source::testing::OneBlob;

/// A layer, and what its table says of each file.
struct Made {
    place: OneBlob,
    layer: Descriptor,
    wanted: Vec<FileContent>,
}

fn hex(bytes: &[u8]) -> String {
    Digest::of(bytes).to_string()
}

/// A layer of `files` in parts of so many bytes, with a table that `edit` has changed.
fn made(files: &[(&str, Vec<u8>)], chunk: usize, edit: impl FnOnce(&mut Value)) -> Made {
    let (mut stored, mut entries, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
    for (name, bytes) in files {
        let mut builder = ::tar::Builder::new(Vec::new());
        let mut header = ::tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, &bytes[..]).unwrap();
        let tar = builder.get_ref();
        stored.extend(zstd::encode_all(&tar[..512], 1).unwrap());
        let nothing = bytes.is_empty().then_some(&bytes[..]);
        for (number, part) in bytes.chunks(chunk).chain(nothing).enumerate() {
            let kind = if number == 0 { "reg" } else { "chunk" };
            entries.push(json!({
                "name": name, "type": kind, "offset": stored.len(), "chunkOffset": number * chunk,
                "chunkSize": part.len(), "size": if number == 0 { bytes.len() } else { 0 },
                "digest": if number == 0 { hex(bytes) } else { String::new() }, "mode": 0o644,
            }));
            stored.extend(zstd::encode_all(part, 1).unwrap());
        }
        stored.extend(zstd::encode_all(&tar[512 + bytes.len()..], 1).unwrap());
        let (size, blob) = (bytes.len() as u64, BlobId::unknown(ObjectFormat::Sha1));
        wanted.push(FileContent { size, blob, sha256: sha256(bytes), mtime: 0, position: FileContent::UNPLACED });
    }
    stored.extend(zstd::encode_all(&[0; 1024][..], 1).unwrap());
    let mut table = json!({ "version": 1, "entries": entries });
    edit(&mut table);
    let json = table.to_string();
    let frame = zstd::encode_all(json.as_bytes(), 1).unwrap();
    stored.write_all(&[0x50, 0x2a, 0x4d, 0x18]).unwrap();
    stored.write_all(&u32::try_from(frame.len()).unwrap().to_le_bytes()).unwrap();
    let position = format!("{}:{}:{}:1", stored.len(), frame.len(), json.len());
    stored.extend(&frame);
    let annotations = [("manifest-checksum", hex(&frame)), ("manifest-position", position)];
    let name = |key: &str| format!("io.github.containers.zstd-chunked.{key}");
    let layer = Descriptor {
        media_type: String::new(),
        digest: Digest::of(&stored),
        size: stored.len() as u64,
        platform: None,
        annotations: annotations.into_iter().map(|(key, value)| (name(key), value)).collect(),
    };
    Made { place: OneBlob::new(stored), layer, wanted }
}

/// Bytes that do not compress.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from(state >> 56).unwrap()
    };
    std::iter::repeat_with(next).take(count).collect()
}

impl Made {
    fn tabled(&self) -> Tabled {
        index_by_tables(&self.place, &[&self.layer], ObjectFormat::Sha1, &Effort::default())
    }

    /// Why the table is not used.
    fn refusal(&self) -> String {
        self.tabled().refused.pop().map(|(_, error)| error.to_string()).unwrap_or_default()
    }

    fn annotate(&mut self, key: &str, value: &str) {
        self.layer.annotations.insert(format!("io.github.containers.zstd-chunked.{key}"), value.to_owned());
    }

    /// What reading the files comes to, in whatever order.
    fn read(&self) -> Result<Vec<[u8; 32]>, String> {
        let mut read = Vec::new();
        let outcome = read_contents(&self.place, &self.layer, &self.wanted, &mut |content, reader| {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            assert_eq!(sha256(&bytes), content.sha256);
            read.push(content.sha256);
            Ok(())
        });
        outcome.map(|()| read).map_err(|error| error.to_string())
    }
}

fn some_files() -> Vec<(&'static str, Vec<u8>)> {
    vec![("a", b"hello\n".to_vec()), ("b", noise(100_000)), ("c", b"good bye\n".to_vec()), ("e", Vec::new())]
}

#[test]
fn contents_are_had_in_few_parts() {
    let made = made(&some_files(), 7_000, |_| {});
    assert_eq!(made.tabled().refused.len(), 0);
    assert_eq!(made.place.asked().len(), 1, "the table");
    let known = identify_contents(&made.place, &made.layer, &made.wanted, ObjectFormat::Sha1).unwrap();
    for (name, bytes) in some_files() {
        assert_eq!(known.get(&sha256(&bytes)), BlobId::of(&bytes, ObjectFormat::Sha1).ok().as_ref(), "{name}");
    }
    assert_eq!(made.place.asked().len(), 2, "the table, and all files together");
    let ends = [made.wanted[0], made.wanted[2]];
    identify_contents(&made.place, &made.layer, &ends, ObjectFormat::Sha1).unwrap();
    assert_eq!(made.place.asked().len(), 3, "what lies far apart is not asked for together");
}

#[test]
fn large_files_come_in_pieces() {
    let bytes = noise(9 << 20);
    let made = made(&[("large", bytes.clone())], 20 << 20, |_| {});
    let known = identify_contents(&made.place, &made.layer, &made.wanted, ObjectFormat::Sha1).unwrap();
    assert_eq!(known.get(&sha256(&bytes)), BlobId::of(&bytes, ObjectFormat::Sha1).ok().as_ref());
    let asked = made.place.asked();
    assert!(asked.len() == 4 && asked.iter().all(|range| range.end - range.start <= limits::RANGE_PIECE_BYTES));
}

#[test]
fn what_the_table_does_not_lead_to_is_read_from_the_layer() {
    let moved = |table: &mut Value| table["entries"][0]["offset"] = json!(3);
    let made = made(&some_files(), 200_000, moved);
    let known = identify_contents(&made.place, &made.layer, &made.wanted, ObjectFormat::Sha1).unwrap();
    assert_eq!(known.len(), 3);
    assert_eq!(made.read().map(|read| read.len()), Ok(4));
}

#[test]
fn what_the_layer_does_not_have_is_an_error() {
    let mut made = made(&some_files(), 200_000, |_| {});
    made.wanted[0].sha256 = [7; 32];
    assert!(made.read().unwrap_err().ends_with("it has not all files that its table of contents lists"));
}

#[test]
fn a_table_has_to_be_where_and_what_the_annotations_say() {
    type Damage = fn(&mut Made);
    let table: [(&str, Damage); 8] = [
        ("another digest", |made| made.annotate("manifest-checksum", &hex(b"another"))),
        ("its annotations do not say", |made| made.annotate("manifest-checksum", "12")),
        ("its annotations do not say", |made| made.annotate("manifest-position", "1:2:3:2")),
        ("leads outside of it", |made| made.annotate("manifest-position", "1000000000:2:3:1")),
        ("leads outside of it", |made| made.annotate("manifest-position", "18446744073709551615:2:3:1")),
        ("is too large", |made| made.annotate("manifest-position", "1:999999999:3:1")),
        ("is too large", |made| made.annotate("manifest-position", "1:2:999999999:1")),
        ("it has no table where", |made| {
            let key = "io.github.containers.zstd-chunked.manifest-position";
            let [start, stored, plain] = made.layer.annotations[key].split(':').take(3).collect::<Vec<_>>()[..] else {
                panic!("four numbers")
            };
            let wrong = format!("{start}:{stored}:{}:1", plain.len());
            made.annotate("manifest-position", &wrong);
        }),
    ];
    for (reason, damage) in table {
        let mut made = made(&some_files(), 200_000, |_| {});
        damage(&mut made);
        assert!(made.refusal().contains(reason), "{reason}: {}", made.refusal());
        assert!(made.tabled().indexes.is_empty());
    }
}

#[test]
fn the_memory_for_indexes_holds_for_tables() {
    let made = made(&some_files(), 200_000, |_| {});
    let little = Effort { memory: 100, ..Effort::default() };
    let tabled = index_by_tables(&made.place, &[&made.layer], ObjectFormat::Sha1, &little);
    assert!(tabled.refused[0].1.to_string().contains("more than 100 bytes"), "{:?}", tabled.refused);
    let room = made.tabled().room;
    assert!(room < limits::INDEX_BYTES && room > limits::INDEX_BYTES - 2_000, "{room}");
}
