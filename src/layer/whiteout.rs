//! Whiteouts: how a layer says that something below it is gone. The only place that knows the `.wh.` prefix.
//!
//! OCI image specification, layer.md, "Whiteouts" and "Opaque Whiteout".

use crate::path::ImagePath;

const PREFIX: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
/// aufs keeps its own files under this prefix; no runtime shows them.
const METADATA_PREFIX: &[u8] = b".wh..wh.";

/// What an entry's name means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whiteout {
    /// An ordinary entry.
    No,
    /// The path is gone from lower layers, with everything below it.
    Removes(ImagePath),
    /// Everything that lower layers have in this directory is gone.
    Empties(ImagePath),
    /// Bookkeeping that is not part of the file system.
    Metadata,
    /// A whiteout of nothing.
    Invalid,
}

/// Reads the name of an entry.
pub(super) fn classify(path: &ImagePath) -> Whiteout {
    let Some(name) = path.file_name().filter(|name| name.starts_with(PREFIX)) else { return Whiteout::No };
    let directory = path.parent().unwrap_or_default();
    if name == OPAQUE {
        return Whiteout::Empties(directory);
    }
    if name.starts_with(METADATA_PREFIX) {
        return Whiteout::Metadata;
    }
    match name.strip_prefix(PREFIX) {
        None => Whiteout::No,
        Some(b"" | b"." | b"..") => Whiteout::Invalid,
        Some(removed) => Whiteout::Removes(directory.join(removed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let path = |text: &str| ImagePath::clean(text.as_bytes());
        let table = [
            ("a/b", Whiteout::No),
            ("a/.wh.b", Whiteout::Removes(path("a/b"))),
            (".wh.b", Whiteout::Removes(path("b"))),
            ("./a/.wh..hidden", Whiteout::Removes(path("a/.hidden"))),
            ("a/.wh..wh..opq", Whiteout::Empties(path("a"))),
            (".wh..wh..opq", Whiteout::Empties(ImagePath::root())),
            ("a/.wh..wh.plnk", Whiteout::Metadata),
            ("a/.wh.", Whiteout::Invalid),
            ("a/.wh..", Whiteout::Invalid),
            ("a/.wh...", Whiteout::Invalid),
            ("a/x.wh.b", Whiteout::No),
        ];
        for (name, expected) in table {
            assert_eq!(classify(&path(name)), expected, "{name}");
        }
    }
}
