//! The words shared by everything that tells what a build copied: a step, where it takes from, where it puts to.

use crate::limits;
use crate::path::ImagePath;

/// One `COPY` or `ADD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyStep {
    /// The line of the Dockerfile on which it begins, from 1.
    pub line: usize,
    /// As written, on one line: `COPY shared/ ./shared/`.
    pub text: String,
    /// Which of the two instructions.
    pub kind: CopyKind,
    /// The patterns that name its sources in the context: relative and clean, empty for the context directory itself.
    /// With `parents` one `/./` may be left: what stands before it is not repeated below the destination.
    pub sources: Vec<Vec<u8>>,
    /// Where the copies go.
    pub destination: Destination,
    /// `--parents`: whether the source's directories are repeated below the destination.
    pub parents: bool,
    /// `--exclude` patterns, relative to each source directory.
    pub exclude: Vec<Vec<u8>>,
    /// Whether a tar archive that is named as a source is unpacked: `ADD`, unless it says `--unpack=false`.
    pub unpack: bool,
    /// Where the sources come from.
    pub origin: Origin,
}

/// The two instructions that copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyKind {
    /// `ADD`, which also unpacks archives and fetches URLs.
    Add,
    /// `COPY`.
    Copy,
}

/// Where a step takes its files from. Only the first can hold files of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The build context.
    Context,
    /// Another stage, image or named context (`--from=`).
    Stage(String),
    /// The Dockerfile itself (`COPY <<EOF /file`).
    Inline,
    /// A URL or a git repository.
    Remote,
}

/// Where a step puts its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The absolute path.
    pub path: ImagePath,
    /// Whether the spelling says that it is a directory: a trailing slash, `.` or `..`.
    pub slash: bool,
}

impl Destination {
    /// Reads a destination as written; `None` if it is relative and the working directory is not known, and if it is
    /// longer than any path.
    pub(super) fn read(written: &[u8], workdir: Option<&ImagePath>) -> Option<Self> {
        let last_name = written.rsplit(|&byte| byte == b'/').next();
        let path = match written.first() {
            Some(b'/') => ImagePath::clean(written),
            _ => workdir?.join(written),
        };
        let slash = matches!(last_name, Some(b"" | b"." | b".."));
        (path.as_bytes().len() <= limits::BUILD_PATH_BYTES).then_some(Self { path, slash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_absolute_and_know_their_slash() {
        let table = [
            ("/x", "x", false),
            ("/x/", "x", true),
            ("x", "app/x", false),
            ("./x/", "app/x", true),
            (".", "app", true),
            ("./", "app", true),
            ("x/.", "app/x", true),
            ("..", "", true),
            ("x/..", "app", true),
            ("/", "", true),
            ("", "app", true),
            ("../../x", "x", false),
        ];
        let workdir = ImagePath::clean(b"/app");
        for (written, path, slash) in table {
            let expected = Destination { path: ImagePath::clean(path.as_bytes()), slash };
            assert_eq!(Destination::read(written.as_bytes(), Some(&workdir)), Some(expected), "{written}");
        }
    }

    #[test]
    fn no_destination_is_longer_than_a_path_can_be() {
        let (most, half) = ([b'x'; limits::BUILD_PATH_BYTES], ImagePath::clean(&[b'x'; limits::BUILD_PATH_BYTES / 2]));
        assert!(Destination::read(&most, Some(&ImagePath::root())).is_some());
        assert_eq!(Destination::read(&most, Some(&ImagePath::clean(b"/app"))), None);
        assert_eq!(Destination::read(half.as_bytes(), Some(&half)), None);
    }

    #[test]
    fn a_relative_destination_needs_a_working_directory() {
        assert_eq!(Destination::read(b"x", None), None);
        assert!(Destination::read(b"/x", None).is_some());
    }
}
