//! Tar entries, told apart by what they do to a file system. Reading is left to the `tar` crate.

use std::io::{self, Read};

use crate::path::ImagePath;

use super::LayerFault;

/// An entry as the tar has it, before its contents are read.
pub(super) struct Header {
    /// Its path, cleaned.
    pub(super) path: ImagePath,
    /// Its permission bits, without the type.
    pub(super) mode: u32,
    /// What it is.
    pub(super) kind: HeaderKind,
}

/// What a tar entry is.
pub(super) enum HeaderKind {
    /// A file of so many bytes.
    Regular {
        size: u64,
    },
    Directory,
    /// With its target, as written.
    Symlink(Vec<u8>),
    /// Another name for a path of this layer.
    Hardlink(ImagePath),
    /// A device or a fifo.
    Special,
}

/// Permission bits of a tar mode; some builders write the file type above them.
const MODE_BITS: u32 = 0o7777;

/// Calls `visit` for each entry with its position, its header and its contents, until it says stop.
pub(super) fn walk<R: Read>(
    tar: R,
    mut visit: impl FnMut(u32, Header, &mut dyn Read) -> Result<Walk, LayerFault>,
) -> Result<(), LayerFault> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().map_err(LayerFault::Tar)?;
    for (position, entry) in (0..).zip(entries) {
        let mut entry = entry.map_err(LayerFault::Tar)?;
        let Some(header) = read_header(&mut entry)? else { continue };
        if visit(position, header, &mut entry)? == Walk::Stop {
            break;
        }
    }
    Ok(())
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
pub(super) enum Walk {
    GoOn,
    Stop,
}

/// `None` for entries that speak about others (a global PAX header).
fn read_header<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<Option<Header>, LayerFault> {
    use tar::EntryType;

    let name = entry.path_bytes().into_owned();
    let path = ImagePath::clean(&name);
    let target = |entry: &tar::Entry<'_, R>| entry.link_name_bytes().map(|name| name.into_owned()).unwrap_or_default();
    let kind = match entry.header().entry_type() {
        // Tars of old had no type for directories (POSIX.1-1988 ustar, "typeflag").
        EntryType::Regular if name.ends_with(b"/") => HeaderKind::Directory,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => HeaderKind::Regular { size: entry.size() },
        EntryType::Directory => HeaderKind::Directory,
        EntryType::Symlink => HeaderKind::Symlink(target(entry)),
        EntryType::Link => HeaderKind::Hardlink(ImagePath::clean(&target(entry))),
        EntryType::Char | EntryType::Block | EntryType::Fifo => HeaderKind::Special,
        _ => return Ok(None),
    };
    if is_pax_sparse(entry).map_err(LayerFault::Tar)? {
        return Err(LayerFault::Sparse(path));
    }
    let mode = entry.header().mode().map_err(LayerFault::Tar)? & MODE_BITS;
    Ok(Some(Header { path, mode, kind }))
}

/// The `tar` crate reads the map of a PAX sparse file as its contents.
fn is_pax_sparse<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<bool> {
    let Some(extensions) = entry.pax_extensions()? else { return Ok(false) };
    for extension in extensions {
        if extension?.key_bytes().starts_with(b"GNU.sparse.") {
            return Ok(true);
        }
    }
    Ok(false)
}
