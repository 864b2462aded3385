//! Git blob ids: the words in which an image file and a git file are compared.
//!
//! A blob id is the hash of `"blob <size>\0"` and the contents. SHA-1 is computed with the collision detection
//! that git itself uses, so a file made to collide is an error and never an agreement.

use std::fmt;

/// The hash function of a repository (`extensions.objectFormat`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ObjectFormat {
    /// SHA-1 with collision detection, git's default.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
}

impl ObjectFormat {
    fn kind(self) -> gix_hash::Kind {
        match self {
            Self::Sha1 => gix_hash::Kind::Sha1,
            Self::Sha256 => gix_hash::Kind::Sha256,
        }
    }
}

/// The id under which git stores a file's contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId(gix_hash::ObjectId);

impl BlobId {
    /// An id that stands for one that is not known; no contents have it.
    pub fn unknown(format: ObjectFormat) -> Self {
        Self(format.kind().null())
    }

    /// Whether this is no contents' id.
    pub fn is_unknown(self) -> bool {
        self.0.is_null()
    }

    /// Takes over an id that git computed.
    pub fn from_object_id(id: gix_hash::ObjectId) -> Self {
        Self(id)
    }

    /// The id in git's own type.
    pub fn object_id(self) -> gix_hash::ObjectId {
        self.0
    }

    /// The id's own bytes, 20 or 32 of them.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The id with these bytes, if they are as many as one has.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        gix_hash::ObjectId::try_from(bytes).ok().map(Self)
    }

    /// The id of `contents`.
    ///
    /// # Errors
    /// [`Collision`] when the contents carry a SHA-1 collision attack.
    pub fn of(contents: &[u8], format: ObjectFormat) -> Result<Self, Collision> {
        let mut hasher = BlobHasher::new(contents.len() as u64, format);
        hasher.update(contents);
        hasher.finish()
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for BlobId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The contents were made to share their SHA-1 with other contents, so the id proves nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the contents carry a SHA-1 collision attack")]
pub struct Collision;

/// Computes a [`BlobId`] while the contents stream by. The size must be known first, which a tar header gives.
pub struct BlobHasher(gix_hash::Hasher);

impl BlobHasher {
    /// A hasher for contents of `size` bytes.
    pub fn new(size: u64, format: ObjectFormat) -> Self {
        let mut hasher = gix_hash::hasher(format.kind());
        hasher.update(format!("blob {size}\0").as_bytes());
        Self(hasher)
    }

    /// Adds contents.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The id of all contents added, whose number of bytes must be the size promised.
    ///
    /// # Errors
    /// [`Collision`] when the contents carry a SHA-1 collision attack.
    pub fn finish(self) -> Result<BlobId, Collision> {
        self.0.try_finalize().map(BlobId).map_err(|_| Collision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git_hash_object() {
        // printf 'hello\n' | git hash-object --stdin, in a SHA-1 and in a SHA-256 repository
        let sha1 = BlobId::of(b"hello\n", ObjectFormat::Sha1).unwrap();
        assert_eq!(sha1.to_string(), "ce013625030ba8dba906f756967f9e9ca394464a");
        let sha256 = BlobId::of(b"hello\n", ObjectFormat::Sha256).unwrap();
        assert_eq!(sha256.to_string(), "2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4");
    }
}
