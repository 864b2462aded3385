//! What has to be true of any steps that copy, for the targets that read such steps.

use shipproof::limits;
use shipproof::mapping::copies::{self, BuildContext};
use shipproof::mapping::dockerignore::Dockerignore;
use shipproof::mapping::step::{CopyStep, Origin};
use shipproof::path::{ImagePath, RepoPath};

/// Bytes of a step's destination (`limits::BUILD_PATH_BYTES`).
pub const PATH: usize = limits::BUILD_PATH_BYTES;

const REPOSITORY: [&str; 12] = [
    "Dockerfile",
    "README.md",
    "a",
    "b/a",
    "b/c/a.txt",
    "build.tar.gz",
    "home.md",
    "services/api/a",
    "services/api/app.py",
    "services/api/b/c.py",
    "shared/x/y.py",
    "shared.txt",
];

/// The bytes that a step takes, without its own text.
pub fn size(step: &CopyStep) -> usize {
    let words = step.sources.iter().chain(&step.exclude).map(Vec::len).sum::<usize>();
    words + step.destination.path.as_bytes().len()
}

/// Carries out `steps` on the files above, from the top and from a directory.
pub fn check(steps: &[CopyStep], ignore: &Dockerignore) {
    for step in steps.iter().filter(|step| step.origin == Origin::Context) {
        assert!(step.sources.iter().all(|source| is_clean(source, step.parents)), "{step:?}");
    }
    let files = REPOSITORY.map(|path| RepoPath::clean(path.as_bytes()));
    for context in [RepoPath::root(), RepoPath::clean(b"services/api")] {
        let is_directory = |path: &ImagePath| path.as_bytes() == b"app";
        let build = BuildContext { directory: &context, ignore, is_directory: &is_directory };
        let copies = copies::expected(steps, &files, &build).expect("there are few files");
        let copied = copies.files.values().chain(&copies.archives);
        for file in copied {
            let relative = file.source.strip_prefix(&context).expect("inside the context");
            assert!(files.contains(&file.source) && file.step < steps.len(), "{file:?}");
            assert!(!ignore.excludes(&RepoPath::clean(relative)), "{file:?} is ignored");
            assert_eq!(steps[file.step].origin, Origin::Context);
        }
        for path in copies.files.keys() {
            assert_eq!(ImagePath::clean(path.as_bytes()), *path);
            let destination = &steps[copies.files[path].step].destination.path;
            assert!(path.starts_with(destination), "{path} is not below {destination}");
        }
        for pair in &copies.directories {
            assert!(
                pair.source.starts_with(&context) && pair.destination.starts_with(&steps[pair.step].destination.path)
            );
        }
        assert!(copies.absent.is_sorted_by(|one, next| one.step < next.step));
    }
}

/// Whether a source is relative to the context and stays in it. With `parents` it may have two parts.
fn is_clean(source: &[u8], parents: bool) -> bool {
    let clean = |part: &[u8]| RepoPath::clean(part).as_bytes() == part;
    match source.windows(3).position(|window| parents && window == b"/./") {
        Some(pivot) => clean(&source[..pivot]) && clean(&source[pivot + 3..]),
        None => clean(source),
    }
}
