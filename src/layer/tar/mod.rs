//! Tar entries, told apart by what they do to a file system.
//!
//! A tar that is read differently from how a runtime reads it is a different image, so this reader follows the
//! runtimes' own, Go's archive/tar, wherever that, GNU tar and POSIX differ. It is held against the `tar` crate, GNU
//! tar and umoci in the tests.

mod error;
mod header;
mod pax;
mod reader;
mod sparse;
#[cfg(test)]
mod tests;

use std::io::BufRead;

use crate::path::ImagePath;

use self::reader::{Member, Reader};
use super::LayerFault;

pub use error::TarError;

/// An entry as the tar has it, before its contents are read.
pub(super) struct Header {
    /// Its path, cleaned.
    pub(super) path: ImagePath,
    /// Its permission bits, without the type.
    pub(super) mode: u32,
    /// When its contents were changed, in seconds since 1970.
    pub(super) mtime: i64,
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

/// The permission bits of a mode; some builders write the file type above them.
pub(super) fn permissions(mode: i64) -> u32 {
    const BITS: i64 = 0o7777;
    u32::try_from(mode & BITS).unwrap_or_default()
}

/// Calls `visit` for each entry with its position, its header and its contents, until it says stop. The contents
/// end in an error when there are fewer bytes than the header says.
pub(super) fn walk<R: BufRead>(
    tar: R,
    mut visit: impl FnMut(u32, Header, &mut dyn BufRead) -> Result<Walk, LayerFault>,
) -> Result<(), LayerFault> {
    let mut reader = Reader::new(tar);
    let mut position = 0;
    while let Some(member) = reader.next_member().map_err(LayerFault::Tar)? {
        if let Some(header) = read_member(member)?
            && visit(position, header, &mut reader)? == Walk::Stop
        {
            break;
        }
        position += 1;
    }
    Ok(())
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
pub(super) enum Walk {
    GoOn,
    Stop,
}

/// `None` for entries that speak about others (a global PAX header). An unknown type is an error, as it is for
/// containerd, Docker, Podman and umoci; they refuse `7` and `S` as well, which other tools take for files.
fn read_member(member: Member) -> Result<Option<Header>, LayerFault> {
    let kind = match member.typeflag {
        b'0' | b'7' | b'S' => HeaderKind::Regular { size: member.size },
        b'1' => HeaderKind::Hardlink(ImagePath::clean(&member.link)),
        b'2' => HeaderKind::Symlink(member.link),
        b'3' | b'4' | b'6' => HeaderKind::Special,
        b'5' => HeaderKind::Directory,
        b'g' => return Ok(None),
        unknown => return Err(LayerFault::Tar(TarError::Type(unknown).into())),
    };
    let mode = permissions(member.mode);
    Ok(Some(Header { path: ImagePath::clean(&member.name), mode, mtime: member.mtime, kind }))
}
