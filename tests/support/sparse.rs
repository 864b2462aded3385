//! Sparse files as GNU tar stores them (GNU tar manual, "Storing Sparse Files"): blocks of zeros are left out, and a map
//! says where the others belong.

use tar::Header;

use super::archive::{BLOCK, padded};
use super::text::{Entry, Kind, Record, Sparse};

/// Where a GNU header has the beginning of the map, the mark that it goes on, and the file's real size.
const MAP: usize = 386;
const GOES_ON: usize = 482;
const REAL_SIZE: usize = 483;
/// Parts that a header holds, and a block after it.
const IN_HEADER: usize = 4;
const IN_BLOCK: usize = 21;

/// What a tar stores of an entry.
#[derive(Default)]
pub(super) struct Stored {
    /// The bytes after the header that its size counts.
    pub(super) contents: Vec<u8>,
    /// Blocks between the header and those, which the size does not count.
    pub(super) blocks: Vec<u8>,
    /// Records that make the file sparse.
    pub(super) records: Vec<Record>,
    /// What the header calls the file, where that is not its path.
    pub(super) name: Option<Vec<u8>>,
    /// The map and the real size of an old GNU header.
    old: Option<(Vec<Part>, usize)>,
}

/// Offset and length of bytes that are stored.
type Part = (usize, usize);

impl Stored {
    /// The contents of `entry`, whole or in parts.
    pub(super) fn of(entry: &Entry) -> Self {
        let contents = match &entry.kind {
            Kind::File(contents) => contents.clone(),
            _ => Vec::new(),
        };
        let Some(format) = entry.written.sparse else { return Self { contents, ..Self::default() } };
        let parts = parts(&contents);
        let data = parts.iter().flat_map(|(start, length)| contents[*start..start + length].to_vec()).collect();
        match format {
            Sparse::Old => {
                Self { contents: data, blocks: blocks(&parts), old: Some((parts, contents.len())), ..Self::default() }
            }
            Sparse::Pax00 | Sparse::Pax01 => in_records(format, data, &parts, contents.len(), &entry.path),
            Sparse::Pax10 => before_contents(data, &parts, contents.len(), &entry.path),
        }
    }

    /// Makes `header` one of a sparse file of the old kind.
    pub(super) fn mark(&self, header: &mut Header) {
        let Some((parts, size)) = &self.old else { return };
        let bytes = header.as_mut_bytes();
        bytes[156] = b'S';
        let map = pairs(&parts[..parts.len().min(IN_HEADER)]);
        bytes[MAP..MAP + map.len()].copy_from_slice(&map);
        bytes[GOES_ON] = u8::from(parts.len() > IN_HEADER);
        bytes[REAL_SIZE..REAL_SIZE + 12].copy_from_slice(&field(*size));
    }
}

/// The runs of blocks that are not all zeros, and an empty one at the end of a file that ends with a hole.
fn parts(contents: &[u8]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (at, block) in contents.chunks(BLOCK).enumerate() {
        match parts.last_mut() {
            _ if block.iter().all(|byte| *byte == 0) => {}
            Some((start, length)) if *start + *length == at * BLOCK => *length += block.len(),
            _ => parts.push((at * BLOCK, block.len())),
        }
    }
    if parts.last().is_none_or(|(start, length)| start + length < contents.len()) {
        parts.push((contents.len(), 0));
    }
    parts
}

fn field(number: usize) -> [u8; 12] {
    let text = format!("{number:011o}\0");
    text.as_bytes().try_into().expect("test files are small")
}

fn pairs(parts: &[Part]) -> Vec<u8> {
    parts.iter().flat_map(|(start, length)| [field(*start), field(*length)].concat()).collect()
}

/// The rest of an old map.
fn blocks(parts: &[Part]) -> Vec<u8> {
    let rest: Vec<&[Part]> = parts.get(IN_HEADER..).unwrap_or_default().chunks(IN_BLOCK).collect();
    let block = |(at, parts): (usize, &&[Part])| {
        let mut block = pairs(parts);
        block.resize(IN_BLOCK * 24, 0);
        block.push(u8::from(at + 1 < rest.len()));
        padded(block)
    };
    rest.iter().enumerate().flat_map(block).collect()
}

fn record(key: &str, value: &(impl ToString + ?Sized)) -> Record {
    (format!("GNU.sparse.{key}").into_bytes(), value.to_string().into_bytes())
}

fn in_records(format: Sparse, data: Vec<u8>, parts: &[Part], size: usize, path: &[u8]) -> Stored {
    let mut records = vec![record("size", &size), record("numblocks", &parts.len())];
    if format == Sparse::Pax00 {
        records.extend(parts.iter().flat_map(|(start, length)| [record("offset", start), record("numbytes", length)]));
        return Stored { contents: data, records, ..Stored::default() };
    }
    let numbers: Vec<String> = parts.iter().map(|(start, length)| format!("{start},{length}")).collect();
    records.extend([record("map", &numbers.join(",")), (b"GNU.sparse.name".to_vec(), path.to_vec())]);
    Stored { contents: data, records, name: Some(b"GNUSparseFile.0/x".to_vec()), ..Stored::default() }
}

fn before_contents(data: Vec<u8>, parts: &[Part], size: usize, path: &[u8]) -> Stored {
    let numbers: String = parts.iter().map(|(start, length)| format!("{start}\n{length}\n")).collect();
    let map = padded(format!("{}\n{numbers}", parts.len()).into_bytes());
    let records = vec![
        record("major", "1"),
        record("minor", "0"),
        (b"GNU.sparse.name".to_vec(), path.to_vec()),
        record("realsize", &size),
    ];
    let name = Some(b"GNUSparseFile.0/x".to_vec());
    Stored { contents: [map, data].concat(), records, name, ..Stored::default() }
}
