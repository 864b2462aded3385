//! What can be wrong with a tar.

use std::io;

/// A tar that the runtimes would not read, or that is larger than this program reads.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TarError {
    /// Something that is no header, or a damaged one.
    #[error("a header's checksum is wrong")]
    Checksum,
    /// A field without a number.
    #[error("a header's {0} is not a number")]
    Number(&'static str),
    /// A size below zero.
    #[error("a header says that its contents have {0} bytes")]
    NegativeSize(i64),
    /// A type that no runtime unpacks.
    #[error("an entry has the unknown type `{}`", .0.escape_ascii())]
    Type(u8),
    /// The end of the archive is two blocks of zeros.
    #[error("a single block of zeros stands before a header")]
    ZeroBlock,
    /// The end of the bytes before the end of what they began.
    #[error("it is cut short")]
    Truncated,
    /// A record of an extended header that is not `<length> <key>=<value>\n`, or has a value of another kind.
    #[error("a PAX record is malformed")]
    Record,
    /// A sparse map with something else than ascending, separate parts of the file.
    #[error("a sparse map is malformed")]
    SparseMap,
    /// A sparse map with more data than the archive.
    #[error("a sparse map names data that is not there")]
    SparseMissing,
    /// An archive with more data than the sparse map.
    #[error("a sparse file has data that its map does not name")]
    SparseLeftOver,
    /// More than anything honest has.
    #[error("it has more than {limit} {what}")]
    Limit {
        /// What there is too much of, with its unit.
        what: &'static str,
        /// The cap.
        limit: u64,
    },
}

impl From<TarError> for io::Error {
    fn from(error: TarError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}
