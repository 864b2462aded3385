//! The check of size and digest, in the reader, so that nobody can forget it.

use std::io::{self, Read};

use crate::descriptor::Descriptor;
use crate::digest::{Digest, Hasher};

/// Content that is not what its descriptor promised.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BlobError {
    /// More or fewer bytes than promised.
    #[error("{digest} has {actual} bytes where its manifest says {expected}")]
    Size {
        /// Which content.
        digest: Digest,
        /// Bytes promised.
        expected: u64,
        /// Bytes received; for content that is too long, as many as were looked at.
        actual: u64,
    },
    /// Other bytes than promised.
    #[error("{expected} arrived with other contents (digest {actual})")]
    Digest {
        /// The digest promised.
        expected: Digest,
        /// The digest of what came.
        actual: Digest,
    },
}

impl BlobError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        "the registry or something on the way to it alters content; do not deploy this image"
    }

    /// The failed check inside the I/O error of a reader.
    pub fn in_reader(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<BlobError> for io::Error {
    fn from(error: BlobError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// A reader that ends in an error unless all its bytes have the size and digest promised.
pub struct Verified<R> {
    inner: R,
    expected: Descriptor,
    /// `None` once the content is proven.
    hasher: Option<Hasher>,
    seen: u64,
    /// What was found wrong. It is told at every read, because whoever did not hear of it the first time would take the
    /// end that follows for a proof.
    failure: Option<BlobError>,
}

impl<R: Read> Verified<R> {
    /// Wraps the stored bytes of `descriptor`.
    pub fn new(inner: R, descriptor: &Descriptor) -> Self {
        let hasher = Hasher::new(descriptor.digest.algorithm());
        Self { inner, expected: descriptor.clone(), hasher: Some(hasher), seen: 0, failure: None }
    }

    /// Reads whatever is left, and proves the whole.
    ///
    /// # Errors
    /// A [`BlobError`] inside the I/O error when the content is another one.
    pub fn finish(mut self) -> io::Result<()> {
        let mut rest = [0; 32 << 10];
        while self.read(&mut rest)? > 0 {}
        Ok(())
    }

    fn prove(&mut self) -> Result<(), BlobError> {
        let proof = self.failure.clone().map_or_else(|| self.compare(), Err);
        self.failure = proof.clone().err();
        proof
    }

    fn compare(&mut self) -> Result<(), BlobError> {
        self.check_size()?;
        let Some(hasher) = self.hasher.take() else { return Ok(()) };
        let actual = hasher.finish();
        if actual != self.expected.digest {
            return Err(BlobError::Digest { expected: self.expected.digest.clone(), actual });
        }
        Ok(())
    }

    fn check_size(&self) -> Result<(), BlobError> {
        if self.seen != self.expected.size {
            let digest = self.expected.digest.clone();
            return Err(BlobError::Size { digest, expected: self.expected.size, actual: self.seen });
        }
        Ok(())
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(buffer)?;
        if count == 0 {
            self.prove()?;
            return Ok(0);
        }
        self.seen += count as u64;
        if self.seen > self.expected.size {
            self.prove()?;
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..count]);
        }
        Ok(count)
    }
}

/// Proves bytes that are held whole.
pub(super) fn check(descriptor: &Descriptor, bytes: &[u8]) -> Result<(), BlobError> {
    let mut verified = Verified::new(io::empty(), descriptor);
    verified.seen = bytes.len() as u64;
    if let Some(hasher) = &mut verified.hasher {
        hasher.update(bytes);
    }
    verified.prove()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(of: &[u8], size: u64) -> Descriptor {
        Descriptor {
            media_type: String::new(),
            digest: Digest::of(of),
            size,
            platform: None,
            annotations: Default::default(),
        }
    }

    fn read_all(content: &[u8], descriptor: &Descriptor) -> Result<(), String> {
        let mut reader = Verified::new(content, descriptor);
        reader.read_to_end(&mut Vec::new()).map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn only_the_promised_bytes_can_be_read_to_their_end() {
        let promise = descriptor(b"hello", 5);
        assert_eq!(read_all(b"hello", &promise), Ok(()));
        for (content, expected) in
            [(&b"hullo"[..], "other contents"), (b"hell", "has 4 bytes"), (b"hello!", "has 6 bytes")]
        {
            let error = read_all(content, &promise).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        for content in [&b"hullo"[..], b"hell", b"hello!"] {
            let mut reader = Verified::new(content, &promise);
            assert!(reader.read_to_end(&mut Vec::new()).is_err());
            assert!(reader.read(&mut [0]).is_err() && reader.finish().is_err(), "{content:?} is wrong for ever");
        }
        let wrong_size = descriptor(b"hello", 6);
        assert!(read_all(b"hello", &wrong_size).unwrap_err().contains("manifest says 6"));
    }

    #[test]
    fn finishing_early_still_proves_the_rest() {
        let promise = descriptor(b"hello", 5);
        let mut half = Verified::new(&b"hexxo"[..], &promise);
        half.read_exact(&mut [0; 2]).unwrap();
        assert!(half.finish().is_err());
    }

    #[test]
    fn an_endless_body_is_stopped_at_its_promised_size() {
        let mut endless = Verified::new(io::repeat(7), &descriptor(b"", 10));
        assert!(io::copy(&mut endless, &mut io::sink()).is_err());
    }
}
