//! OCI image layouts (image-layout.md): a directory, or the same in a tar file.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use oci_distribution::manifest::{ImageIndexEntry, OciImageIndex};

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::json;
use crate::limits;
use crate::reference::FileRef;

use super::archive::Archive;
use super::names::{self, NoChoice};
use super::{RawManifest, Source, SourceError, verified};

/// Annotations under which an index keeps the names of its images: containerd's full name, and the specification's,
/// which is often the tag alone.
const NAME_ANNOTATIONS: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/// An image in an OCI layout.
pub(super) struct Layout {
    storage: Storage,
    tag: Option<String>,
    /// What stands before the path in a name of the image; `None` where no name leads to this layout again.
    transport: Option<&'static str>,
}

/// A file's contents and their size in bytes.
type Sized = (Box<dyn Read + Send>, u64);

enum Storage {
    Directory(PathBuf),
    Archive(Archive),
}

impl Storage {
    fn path(&self) -> &Path {
        match self {
            Self::Directory(path) => path,
            Self::Archive(archive) => archive.path(),
        }
    }

    /// The file `name` and its size; `None` when there is no such file.
    fn open(&self, name: &str) -> Result<Option<Sized>, SourceError> {
        match self {
            Self::Archive(archive) => {
                Ok(archive.member(name).map(|(section, size)| (Box::new(section) as Box<dyn Read + Send>, size)))
            }
            Self::Directory(top) => open_file(&top.join(name)),
        }
    }

    fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let Some((reader, size)) = self.open(name)? else { return Ok(None) };
        if size > limit {
            return Err(SourceError::TooLarge { what: format!("{name} in {}", self.path().display()), limit });
        }
        let mut bytes = Vec::new();
        let fail = |source| SourceError::File { path: self.path().join(name), source };
        reader.take(limit).read_to_end(&mut bytes).map_err(fail)?;
        Ok(Some(bytes))
    }
}

fn open_file(path: &Path) -> Result<Option<Sized>, SourceError> {
    let fail = |source| SourceError::File { path: path.to_owned(), source };
    match File::open(path) {
        Ok(file) => {
            let metadata = file.metadata().map_err(fail)?;
            Ok(Some((Box::new(file), metadata.len())))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fail(error)),
    }
}

impl Layout {
    /// The layout in a directory.
    pub(super) fn directory(file: &FileRef) -> Result<Self, SourceError> {
        let fail = |source| SourceError::File { path: file.path.clone(), source };
        let metadata = std::fs::metadata(&file.path).map_err(fail)?;
        if !metadata.is_dir() {
            let reason = "it is a file; a layout in a tar file is oci-archive:".to_owned();
            return Err(SourceError::Format { path: file.path.clone(), expected: "an OCI layout", reason });
        }
        let storage = Storage::Directory(file.path.clone());
        Ok(Self { storage, tag: file.tag.clone(), transport: Some("oci") })
    }

    /// The layout in a tar file.
    pub(super) fn archive(file: &FileRef) -> Result<Self, SourceError> {
        Ok(Self::in_archive(Archive::open(&file.path)?, file.tag.clone(), Some("oci-archive")))
    }

    /// The layout in an opened tar file.
    pub(super) fn in_archive(archive: Archive, tag: Option<String>, transport: Option<&'static str>) -> Self {
        Self { storage: Storage::Archive(archive), tag, transport }
    }

    fn index(&self) -> Result<(Vec<u8>, OciImageIndex), SourceError> {
        let fail = |reason: String| SourceError::Format {
            path: self.storage.path().to_owned(),
            expected: "an OCI layout",
            reason,
        };
        let bytes = self.storage.read("index.json", limits::ARCHIVE_JSON_BYTES)?;
        let bytes = bytes.ok_or_else(|| fail("it has no index.json".to_owned()))?;
        let index = json::check_keys(&bytes).and_then(|()| serde_json::from_slice(&bytes));
        let index = index.map_err(|error| fail(format!("index.json: {error}")))?;
        Ok((bytes, index))
    }

    /// The entry that is meant; `None` when that is the index itself, whose images have no names.
    fn choose<'i>(&self, entries: &'i [ImageIndexEntry]) -> Result<Option<&'i ImageIndexEntry>, SourceError> {
        let tag = self.tag.as_deref();
        match names::choose(entries, tag, |entry| entry.digest.as_str(), is_named) {
            Ok(entry) => Ok(Some(entry)),
            Err(NoChoice::Open) if entries.iter().all(|entry| names_of(entry).next().is_none()) => Ok(None),
            Err(missing) => Err(SourceError::Choice {
                path: self.storage.path().to_owned(),
                offered: offered(entries),
                reason: missing.reason(),
            }),
        }
    }

    fn read_blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, SourceError> {
        self.storage.read(&blob_name(&descriptor.digest), limit)?.ok_or_else(|| self.missing(descriptor))
    }

    fn missing(&self, descriptor: &Descriptor) -> SourceError {
        let what = format!("{} in {}", descriptor.digest, self.storage.path().display());
        SourceError::NotFound { what, message: String::new() }
    }
}

fn blob_name(digest: &Digest) -> String {
    digest.to_string().replacen(':', "/", 1).split('/').fold("blobs".to_owned(), |path, part| path + "/" + part)
}

fn names_of(entry: &ImageIndexEntry) -> impl Iterator<Item = &str> {
    let annotations = entry.annotations.as_ref();
    NAME_ANNOTATIONS.iter().filter_map(move |key| annotations?.get(*key)).map(String::as_str)
}

/// A name may be asked for whole, as its tag, by digest, or as Docker shortens it.
fn is_named(entry: &ImageIndexEntry, tag: &str) -> bool {
    entry.digest == tag || names_of(entry).any(|name| names::is_called(name, tag))
}

fn offered(entries: &[ImageIndexEntry]) -> String {
    match entries {
        [] => "no image".to_owned(),
        _ => {
            let name = |entry| names_of(entry).next().map_or(entry.digest.as_str(), names::familiar);
            entries.iter().map(name).collect::<Vec<_>>().join(", ")
        }
    }
}

impl Source for Layout {
    fn root(&self) -> Result<RawManifest, SourceError> {
        let (bytes, index) = self.index()?;
        let Some(entry) = self.choose(&index.manifests)? else {
            return Ok(RawManifest { digest: Digest::of(&bytes), bytes });
        };
        let descriptor = Descriptor::try_from(entry.clone()).map_err(|error| SourceError::Format {
            path: self.storage.path().to_owned(),
            expected: "an OCI layout",
            reason: error.to_string(),
        })?;
        let bytes = self.read_blob(&descriptor, limits::MANIFEST_BYTES)?;
        verified::check(&descriptor, &bytes)?;
        Ok(RawManifest { bytes, digest: descriptor.digest })
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        self.read_blob(descriptor, limits::MANIFEST_BYTES)
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, SourceError> {
        let (reader, _) = self.storage.open(&blob_name(&descriptor.digest))?.ok_or_else(|| self.missing(descriptor))?;
        Ok(reader)
    }

    fn range(&self, descriptor: &Descriptor, range: &Range<u64>) -> Result<Option<Vec<u8>>, SourceError> {
        let Storage::Directory(top) = &self.storage else { return Ok(None) };
        let path = top.join(blob_name(&descriptor.digest));
        // The length was checked against a limit.
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or_default()];
        match File::open(&path).and_then(|file| file.read_exact_at(&mut bytes, range.start)) {
            Ok(()) => Ok(Some(bytes)),
            Err(source) => Err(SourceError::File { path, source }),
        }
    }

    fn has(&self, manifest: &Descriptor) -> bool {
        matches!(self.storage.open(&blob_name(&manifest.digest)), Ok(Some(_)))
    }

    fn pinned(&self, digest: &Digest) -> String {
        match self.transport {
            Some(transport) => format!("{transport}:{}@{digest}", self.storage.path().display()),
            None => digest.to_string(),
        }
    }
}
