//! Pointers of Git LFS: what git stores in place of a large file's contents.

use crate::digest::Digest;

/// Git LFS takes nothing larger for a pointer (git-lfs `docs/spec.md`, "The Pointer").
pub const MAX_POINTER_BYTES: u64 = 1024;

/// What a pointer says about the file in a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LfsPointer {
    /// The SHA-256 digest of the file.
    pub digest: Digest,
    /// The number of bytes in the file.
    pub size: u64,
}

impl LfsPointer {
    /// Reads a pointer; `None` when `contents` are no pointer, or one with extensions, which only programs understand.
    pub fn parse(contents: &[u8]) -> Option<Self> {
        if contents.len() as u64 >= MAX_POINTER_BYTES {
            return None;
        }
        let mut lines = std::str::from_utf8(contents).ok()?.trim_end_matches('\n').split('\n');
        // The second is the name under which pointers were first written.
        if !matches!(
            lines.next()?,
            "version https://git-lfs.github.com/spec/v1" | "version https://hawser.github.com/spec/v1"
        ) {
            return None;
        }
        let (mut digest, mut size) = (None, None);
        for line in lines {
            match line.split_once(' ')? {
                ("oid", value) if digest.is_none() => digest = Some(value.parse().ok()?),
                ("size", value) if size.is_none() => size = Some(value.parse().ok()?),
                (key, _) if key.starts_with("ext-") || matches!(key, "oid" | "size") => return None,
                _ => {}
            }
        }
        Some(Self { digest: digest?, size: size? })
    }

    /// The pointer that `git lfs` writes for a file of `size` bytes with this SHA-256 in hexadecimal.
    pub fn text(sha256: &str, size: u64) -> Vec<u8> {
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n").into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";

    #[test]
    fn a_pointer_names_digest_and_size() {
        let text = format!("version https://git-lfs.github.com/spec/v1\n{OID}\nsize 12345\n");
        let pointer = LfsPointer::parse(text.as_bytes()).unwrap();
        assert_eq!(format!("oid {}", pointer.digest), OID);
        assert_eq!(pointer.size, 12345);
        assert_eq!(LfsPointer::text(pointer.digest.hex(), 12345), text.as_bytes());
    }

    #[test]
    fn what_is_not_exactly_a_pointer_is_none() {
        let version = "version https://git-lfs.github.com/spec/v1";
        let long = format!("{version}\n{OID}\nsize 1\nnote {}\n", "x".repeat(1024));
        let cases = [
            String::new(),
            "size 1\n".to_owned(),
            format!("{version}\n"),
            format!("{version}\n{OID}\n"),
            format!("{version}\nsize 1\n"),
            format!("{version}\n{OID}\nsize -1\n"),
            format!("{version}\n{OID}\nsize 1\nsize 2\n"),
            format!("{version}\n{OID}\n{OID}\nsize 1\n"),
            format!("{version}\noid sha256:abc\nsize 1\n"),
            format!("{version}\next-0-x {}\n{OID}\nsize 1\n", &OID[4..]),
            format!("{OID}\nsize 1\n{version}\n"),
            long,
        ];
        for text in cases {
            assert_eq!(LfsPointer::parse(text.as_bytes()), None, "{text}");
        }
    }
}
