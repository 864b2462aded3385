//! Any bytes as the table of contents of a zstd:chunked layer: no panic, and an index from it has what the table's JSON
//! lists and no more, by clean paths. Of the files, those are read that are there with the digest that the table says.
#![no_main]

use std::io::{Cursor, Read};
use std::ops::Range;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use shipproof::blob::{BlobId, ObjectFormat};
use shipproof::descriptor::Descriptor;
use shipproof::digest::Digest;
use shipproof::layer::{self, Change, Effort, EntryKind, FileContent};
use shipproof::path::ImagePath;
use shipproof::source::{RawManifest, Source, SourceError};

/// The contents that are really there, twice.
const HELLO: &[u8] = b"hello\n";

const ANNOTATIONS: &str = "io.github.containers.zstd-chunked.manifest-";

/// A layer in memory.
struct Place(Vec<u8>);

impl Source for Place {
    fn root(&self) -> Result<RawManifest, SourceError> {
        unreachable!("nobody asks for a manifest")
    }

    fn manifest(&self, _: &Descriptor) -> Result<Vec<u8>, SourceError> {
        unreachable!("nobody asks for a manifest")
    }

    fn blob(&self, _: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        Ok(Box::new(Cursor::new(self.0.clone())))
    }

    fn range(&self, _: &Descriptor, range: &Range<u64>) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.0.get(range.start as usize..range.end as usize).map(<[u8]>::to_vec))
    }

    fn pinned(&self, _: &Digest) -> String {
        String::new()
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (place, layer) = stored(bytes);
    let tabled = layer::index_by_tables(&place, &[&layer], ObjectFormat::Sha1, &Effort::default());
    assert_eq!(tabled.trusted.len() + tabled.refused.len(), 1);
    let Some(index) = tabled.indexes.values().next() else { return };
    let json: Value = serde_json::from_slice(bytes).expect("a table is JSON");
    let entries = json["entries"].as_array().expect("a table has entries");
    assert!(index.changes.len() <= entries.len());
    for change in &index.changes {
        let path = match change {
            Change::Remove(path) | Change::Opaque(path) => path,
            Change::Put(entry) => &entry.path,
        };
        assert_eq!(ImagePath::clean(path.as_bytes()), *path);
        if let Change::Put(entry) = change
            && let EntryKind::Regular(content) = &entry.kind
        {
            check(content, entries);
        }
    }
    assert_eq!(index.file_bytes, index.contents().map(|content| content.size).sum::<u64>());
    read(&place, &layer, &index.contents().copied().collect::<Vec<_>>());
});

/// A layer with such a table.
fn stored(table: &[u8]) -> (Place, Descriptor) {
    let mut stored = [zstd::encode_all(HELLO, 1), zstd::encode_all(HELLO, 1)].map(Result::unwrap).concat();
    let frame = zstd::encode_all(table, 1).unwrap();
    let position = format!("{}:{}:{}:1", stored.len(), frame.len(), table.len());
    stored.extend(&frame);
    let annotations = [("checksum", Digest::of(&frame).to_string()), ("position", position)];
    let layer = Descriptor {
        media_type: String::new(),
        digest: Digest::of(&stored),
        size: stored.len() as u64,
        platform: None,
        annotations: annotations.map(|(name, value)| (format!("{ANNOTATIONS}{name}"), value)).into(),
    };
    (Place(stored), layer)
}

/// That the table lists such a file, and that nothing is known of it that the table cannot say.
fn check(content: &FileContent, entries: &[Value]) {
    let digest = format!("sha256:{}", content.sha256_hex());
    let lists = |entry: &Value| entry["digest"] == *digest && entry["size"].as_u64() == Some(content.size);
    assert!(content.size == 0 || entries.iter().any(lists));
    assert_eq!(content.position, FileContent::UNPLACED);
    assert_eq!(content.blob.is_unknown(), content.size > 0);
}

/// That what is read of files is in the layer and has their digest.
fn read(place: &Place, layer: &Descriptor, wanted: &[FileContent]) {
    let known = layer::identify_contents(place, layer, wanted, ObjectFormat::Sha1).expect("there is no collision");
    let plain = HELLO.repeat(2);
    let parts = (0..=plain.len()).flat_map(|start| (start..=plain.len()).map(move |end| start..end));
    let parts: Vec<&[u8]> = parts.map(|part| &plain[part]).collect();
    for (sha256, blob) in known {
        let part = parts.iter().find(|part| Sha256::digest(part)[..] == sha256).expect("it is a part of the layer");
        assert_eq!(BlobId::of(part, ObjectFormat::Sha1), Ok(blob));
    }
}
