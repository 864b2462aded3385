//! Images too large for the memory: their layers are generated, compressed and hashed on their way to the disk.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::Header;

use super::images::{Image, Layout, OCI_CONFIG, OCI_MANIFEST};
use super::layers::{Compression, media_type};

/// Bytes after which the generated content repeats. Compressors find that, whatever their window.
const PERIOD: usize = 4 << 10;
/// Bytes written at once.
const BUFFER: usize = 1 << 20;

/// A layer of `files` files with `bytes` bytes each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LargeLayer {
    /// The directory that holds the files `0`, `1`, …
    pub(crate) directory: &'static str,
    /// How many files.
    pub(crate) files: u64,
    /// The size of each.
    pub(crate) bytes: u64,
    /// How the layer is stored; several members or frames are not made here.
    pub(crate) compression: Compression,
}

/// Generated content of a certain length; no two seeds give the same.
pub(crate) struct Content {
    pattern: Vec<u8>,
    position: usize,
    left: u64,
}

impl Content {
    /// `bytes` bytes made from `seed`.
    pub(crate) fn new(seed: u64, bytes: u64) -> Self {
        let line = format!("{seed:016x} the quick brown fox jumps over the lazy dog\n");
        let pattern = line.bytes().cycle().take(PERIOD).collect();
        Self { pattern, position: 0, left: bytes }
    }

    /// The SHA-256 in hexadecimal.
    pub(crate) fn sha256(mut self) -> String {
        let mut hasher = Hashed::new(io::sink());
        io::copy(&mut self, &mut hasher).expect("content can be read");
        hasher.hex()
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let mut done = 0;
        while done < most {
            let count = (self.pattern.len() - self.position).min(most - done);
            buffer[done..done + count].copy_from_slice(&self.pattern[self.position..self.position + count]);
            self.position = (self.position + count) % self.pattern.len();
            done += count;
        }
        self.left -= u64::try_from(done).expect("a length fits into 64 bits");
        Ok(done)
    }
}

/// Passes bytes on, and keeps their digest.
pub(crate) struct Hashed<W> {
    inner: W,
    hasher: Sha256,
}

impl<W: Write> Hashed<W> {
    /// Passes bytes on to `inner`.
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, hasher: Sha256::new() }
    }

    /// The SHA-256 in hexadecimal.
    pub(crate) fn hex(self) -> String {
        self.hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes an OCI layout with an image of `layers` and calls it `tag`.
pub(crate) fn write_layout(folder: &Path, tag: &str, layers: &[LargeLayer]) {
    fs::create_dir_all(folder.join("blobs/sha256")).expect("the folder can be made");
    let written: Vec<(String, Value)> = layers.iter().map(|layer| write_layer(folder, layer)).collect();
    let image = Image::new().edit(|config| {
        config["rootfs"]["diff_ids"] = written.iter().map(|(diff_id, _)| json!(diff_id)).collect();
        config["history"] =
            layers.iter().map(|layer| json!({ "created_by": format!("COPY {0} {0}", layer.directory) })).collect();
    });
    let descriptors: Vec<&Value> = written.iter().map(|(_, descriptor)| descriptor).collect();
    let mut layout = Layout::new();
    let config = layout.add_blob(OCI_CONFIG, image.config_bytes());
    let manifest = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": descriptors });
    let bytes = serde_json::to_vec(&manifest).expect("a JSON value can be written");
    let descriptor = layout.add_blob(OCI_MANIFEST, bytes);
    layout.add_tag(tag, descriptor);
    layout.write_to(folder);
}

/// Writes one layer, and gives its diff id and its descriptor.
fn write_layer(folder: &Path, layer: &LargeLayer) -> (String, Value) {
    let unnamed = folder.join("unnamed");
    let mut file = File::create(&unnamed).expect("the file can be made");
    let diff_id = match layer.compression {
        Compression::None => write_tar(layer, &mut file),
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(file, flate2::Compression::fast());
            let diff_id = write_tar(layer, &mut encoder);
            encoder.finish().expect("the layer can be written");
            diff_id
        }
        Compression::Zstd => {
            let mut encoder = zstd::Encoder::new(file, 1).expect("level 1 exists");
            let diff_id = write_tar(layer, &mut encoder);
            encoder.finish().expect("the layer can be written");
            diff_id
        }
        Compression::GzipMembers(_) | Compression::ZstdFrames(_) => panic!("one member or frame is enough here"),
    };
    let mut stored = Hashed::new(io::sink());
    let size = io::copy(&mut File::open(&unnamed).expect("it was just written"), &mut stored).expect("it can be read");
    let hex = stored.hex();
    fs::rename(&unnamed, folder.join("blobs/sha256").join(&hex)).expect("it can be renamed");
    let media_type = media_type(layer.compression);
    (diff_id, json!({ "mediaType": media_type, "digest": format!("sha256:{hex}"), "size": size }))
}

/// Writes the tar, and gives its digest.
fn write_tar(layer: &LargeLayer, to: &mut dyn Write) -> String {
    let mut tar = tar::Builder::new(Hashed::new(BufWriter::with_capacity(BUFFER, to)));
    for number in 0..layer.files {
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(layer.bytes);
        let path = format!("{}/{number}", layer.directory);
        tar.append_data(&mut header, path, Content::new(number, layer.bytes)).expect("the layer can be written");
    }
    let mut plain = tar.into_inner().expect("the layer can be written");
    plain.flush().expect("the layer can be written");
    format!("sha256:{}", plain.hex())
}
