//! The build steps that an image's history tells (`history[].created_by` of its configuration).
//!
//! Every builder writes them in its own way:
//!
//! | builder | a copy | a command |
//! |---|---|---|
//! | BuildKit | `COPY --chown=1 shared/ ./shared/ # buildkit` | `RUN \|1 X=y /bin/sh -c make # buildkit` |
//! | docker before it, buildah | `/bin/sh -c #(nop) COPY dir:<hash> in ./shared/ ` | `\|1 X=y /bin/sh -c make` |
//! | kaniko | the line of the Dockerfile | the same |
//!
//! BuildKit has substituted all variables and leaves `--from`, `--link` and `--exclude` out; buildah and kaniko have
//! substituted nothing. buildah without layers marks all entries but the last as empty.

use super::dockerfile::{WrittenCopy, path_of_history, words_of_history};
use super::step::{CopyKind, Destination, Origin};
use crate::limits;
use crate::path::ImagePath;

/// How the shell form of a command is run unless `SHELL` says otherwise.
const SHELL: &str = "/bin/sh -c ";

/// What docker writes for steps that run nothing.
const NO_OPERATION: &str = "#(nop) ";

/// One entry of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryStep {
    /// The step for people, as close to the Dockerfile as can be: `COPY shared/ ./shared/`, `RUN make`.
    pub text: String,
    /// What it does to the files, as far as that is told.
    pub action: Action,
}

/// What a step does to the files of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It copies.
    Copy(HistoryCopy),
    /// It changes the working directory: the path as written, `None` if variables hide it.
    Workdir(Option<Vec<u8>>),
    /// Anything else.
    Other,
}

/// A copy as a history tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryCopy {
    /// Which instruction.
    pub kind: CopyKind,
    /// The patterns of its sources, as in [`CopyStep`](super::step::CopyStep), if they are told.
    pub sources: Sources,
    /// Where to, as written; `None` if variables hide it.
    pub destination: Option<Vec<u8>>,
    /// `--parents`.
    pub parents: bool,
    /// Where from. `Context` may also be a stage: BuildKit does not write `--from`.
    pub origin: Origin,
}

/// Whether a history names the sources of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sources {
    /// The patterns.
    Named(Vec<Vec<u8>>),
    /// Only a hash of their content is told.
    Hashed,
    /// They depend on variables that nobody has substituted.
    Unresolved,
}

impl Sources {
    fn count(&self) -> usize {
        match self {
            Self::Named(patterns) => patterns.len().max(1),
            Self::Hashed | Self::Unresolved => 1,
        }
    }
}

/// A copy of a history with its destination made absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedCopy {
    /// Which entry of the history, from 0.
    pub index: usize,
    /// The step for people.
    pub text: String,
    /// The step as told.
    pub copy: HistoryCopy,
    /// Where it puts its files; `None` if variables hide it.
    pub destination: Option<Destination>,
}

/// Reads one `created_by`.
pub fn parse(created_by: &str) -> HistoryStep {
    if let Some(text) = created_by.trim_end().strip_suffix("# buildkit") {
        return from_instruction(text.trim(), true);
    }
    if let Some((_, text)) = created_by.split_once(NO_OPERATION) {
        return from_instruction(text.trim(), false);
    }
    let text = created_by.trim();
    match without_shell(text) {
        Some(command) => HistoryStep { text: format!("RUN {command}"), action: Action::Other },
        None => from_instruction(text, false),
    }
}

/// The copies of a history, with the `WORKDIR`s before them applied to their destinations. One with more than
/// [`limits::BUILD_SOURCES`] is of no build, and tells nothing.
pub fn copy_steps<'h>(history: impl IntoIterator<Item = &'h str>, inherited_workdir: &ImagePath) -> Vec<LocatedCopy> {
    let mut workdir = Some(inherited_workdir.clone());
    let (mut copies, mut sources) = (Vec::new(), 0);
    for (index, created_by) in history.into_iter().enumerate() {
        let HistoryStep { text, action } = parse(created_by);
        match action {
            Action::Workdir(written) => workdir = locate(written.as_deref(), workdir.as_ref()).map(|place| place.path),
            Action::Copy(copy) => {
                sources += copy.sources.count();
                if sources > limits::BUILD_SOURCES {
                    return Vec::new();
                }
                let destination = locate(copy.destination.as_deref(), workdir.as_ref());
                copies.push(LocatedCopy { index, text, copy, destination });
            }
            Action::Other => {}
        }
    }
    copies
}

fn locate(written: Option<&[u8]>, workdir: Option<&ImagePath>) -> Option<Destination> {
    Destination::read(written?, workdir)
}

/// An instruction as in a Dockerfile; `literal` if nothing in it is left to substitute.
fn from_instruction(text: &str, literal: bool) -> HistoryStep {
    let (name, arguments) = text.split_once(' ').unwrap_or((text, ""));
    let action = match name.to_ascii_uppercase().as_str() {
        "COPY" => copy(CopyKind::Copy, text, literal),
        "ADD" => copy(CopyKind::Add, text, literal),
        "WORKDIR" => Action::Workdir(path(arguments.trim(), literal)),
        "RUN" => {
            let command = without_shell(arguments).unwrap_or(arguments);
            return HistoryStep { text: format!("RUN {command}"), action: Action::Other };
        }
        _ => Action::Other,
    };
    HistoryStep { text: text.to_owned(), action }
}

/// `COPY file:<hash> in /x`: the destination. Docker has also written hashes without `file:`, `dir:` or `multi:`.
fn hashed_destination(text: &str) -> Option<String> {
    let mut words = text.split(' ').skip(1).skip_while(|word| word.starts_with("--"));
    let is_hash = |word: &str| word.contains(':') || word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hashed = words.next().is_some_and(is_hash) && words.next() == Some("in");
    hashed.then(|| words.collect::<Vec<_>>().join(" ")).filter(|destination| !destination.is_empty())
}

fn copy(kind: CopyKind, text: &str, literal: bool) -> Action {
    let untold = |sources, destination| {
        Action::Copy(HistoryCopy { kind, sources, destination, parents: false, origin: Origin::Context })
    };
    if let Some(destination) = hashed_destination(text).filter(|_| !literal) {
        return untold(Sources::Hashed, path(&destination, false));
    }
    match words_of_history(text, literal) {
        Some(Ok(written)) => Action::Copy(named(written)),
        Some(Err(_)) => untold(Sources::Unresolved, None),
        None => Action::Other,
    }
}

fn named(written: WrittenCopy) -> HistoryCopy {
    HistoryCopy {
        kind: written.kind,
        sources: Sources::Named(written.sources),
        destination: Some(written.destination.into_bytes()),
        parents: written.parents,
        origin: written.origin,
    }
}

/// A path without its quotes; `None` if it holds variables.
fn path(written: &str, literal: bool) -> Option<Vec<u8>> {
    let path = if literal { Some(written.to_owned()) } else { path_of_history(written) };
    path.map(String::into_bytes)
}

/// The command behind `/bin/sh -c `, where build arguments (`|2 A=1 B=2 `) may stand before.
fn without_shell(text: &str) -> Option<&str> {
    match text.strip_prefix('|') {
        Some(arguments) => arguments.split_once(SHELL).map(|(_, command)| command),
        None => text.strip_prefix(SHELL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "a9eeb7ae2a8c561509cffa3b6b350f38a3eeb08a2c1650dc87f95721041a8410";

    #[test]
    fn people_read_what_the_dockerfile_says() {
        let table = [
            ("COPY shared/ ./shared/ # buildkit", "COPY shared/ ./shared/"),
            ("WORKDIR /app", "WORKDIR /app"),
            ("RUN /bin/sh -c pip install # buildkit", "RUN pip install"),
            ("RUN |2 X=y Z=a b /bin/sh -c pip install # buildkit", "RUN pip install"),
            ("RUN /bin/bash -o pipefail -c make # buildkit", "RUN /bin/bash -o pipefail -c make"),
            ("/bin/sh -c pip install # pinned", "RUN pip install # pinned"),
            ("|1 X=y /bin/sh -c pip install", "RUN pip install"),
            ("|3 X=1 Z=a b /bin/sh -c [\"/bin/sh\", \"-c\", \"exit 0\"]", "RUN [\"/bin/sh\", \"-c\", \"exit 0\"]"),
            ("/bin/sh -c #(nop)  WORKDIR /app", "WORKDIR /app"),
            ("/bin/bash -c #(nop)  CMD [\"a\"]", "CMD [\"a\"]"),
            ("cmd /S /C #(nop)  ENV a=b", "ENV a=b"),
            ("CMD [\"python\" \"main.py\"]", "CMD [\"python\" \"main.py\"]"),
            ("RUN pip install", "RUN pip install"),
            ("# debian.sh --arch 'amd64' out/ 'bookworm'", "# debian.sh --arch 'amd64' out/ 'bookworm'"),
            ("bazel build ...", "bazel build ..."),
            ("|1 X=y make", "|1 X=y make"),
            ("", ""),
        ];
        for (created_by, expected) in table {
            assert_eq!(parse(created_by).text, expected, "{created_by}");
        }
    }

    /// `sources > destination`, `?` for what is not told.
    fn shown(action: &Action) -> String {
        match action {
            Action::Other => "other".to_owned(),
            Action::Workdir(path) => format!("cd {}", shown_path(path.as_deref())),
            Action::Copy(copy) => {
                let sources = match &copy.sources {
                    Sources::Named(names) => String::from_utf8_lossy(&names.join(&b' ')).into_owned(),
                    Sources::Hashed => "#".to_owned(),
                    Sources::Unresolved => "?".to_owned(),
                };
                format!("{sources} > {}", shown_path(copy.destination.as_deref()))
            }
        }
    }

    fn shown_path(path: Option<&[u8]>) -> String {
        path.map_or("?".to_owned(), |path| String::from_utf8_lossy(path).into_owned())
    }

    #[test]
    fn every_builder_is_understood() {
        let table = [
            ("COPY shared/ ./shared/ # buildkit", "shared > ./shared/"),
            ("COPY --parents --chown=1:1 --chmod=644 a b*.py /x/ # buildkit", "a b*.py > /x/"),
            ("COPY $literal /x # buildkit", "$literal > /x"),
            ("COPY <<EOF /x # buildkit", " > /x"),
            ("ADD https://example.com/a /x # buildkit", " > /x"),
            ("WORKDIR /app", "cd /app"),
            ("/bin/sh -c #(nop)  WORKDIR /app", "cd /app"),
            ("/bin/sh -c #(nop) WORKDIR $X", "cd ?"),
            ("/bin/sh -c #(nop) WORKDIR \"/q r\"", "cd /q r"),
            ("/bin/sh -c #(nop) COPY dir:HASH in ./shared/ ", "# > ./shared/"),
            ("/bin/sh -c #(nop) COPY dir:HASH in /app/shared ", "# > /app/shared"),
            ("/bin/sh -c #(nop) COPY multi:HASH in . ", "# > ."),
            ("/bin/sh -c #(nop) COPY file:HASH in $FOO/ ", "# > ?"),
            ("/bin/sh -c #(nop) COPY --chown=1:1 file:HASH in /x y ", "# > /x y"),
            ("/bin/bash -o pipefail -c #(nop) ADD HASH in /y/ ", "# > /y/"),
            ("/bin/sh -c #(nop) ADD tarsum.v1+sha256:HASH in /", "# > /"),
            ("ADD file:HASH in /", "# > /"),
            ("COPY file:a in /x # buildkit", "file:a in > /x"),
            ("COPY me in /x/", "me in > /x/"),
            ("COPY shared/ ./shared/", "shared > ./shared/"),
            ("COPY [\"a b\", \"/x/\"]", "a b > /x/"),
            ("COPY --from=build /a \"/b\"", "a > /b"),
            ("COPY $X /x", "? > ?"),
            ("COPY alone", "other"),
            ("RUN cp a b", "other"),
            ("/bin/sh -c COPY a b", "other"),
        ];
        for (created_by, expected) in table {
            assert_eq!(shown(&parse(&created_by.replace("HASH", HASH)).action), expected, "{created_by}");
        }
    }

    #[test]
    fn origins_are_told_where_the_builder_tells_them() {
        let table = [
            ("COPY a /x # buildkit", Origin::Context),
            ("COPY <<EOF /x # buildkit", Origin::Inline),
            ("ADD https://example.com/a /x # buildkit", Origin::Remote),
            ("COPY --from=build /a /x", Origin::Stage("build".to_owned())),
        ];
        for (created_by, expected) in table {
            let Action::Copy(copy) = parse(created_by).action else { panic!("{created_by}") };
            assert_eq!(copy.origin, expected, "{created_by}");
        }
    }

    #[test]
    fn destinations_follow_the_working_directory() {
        let history = [
            "COPY a b # buildkit",
            "WORKDIR /app",
            "RUN /bin/sh -c make # buildkit",
            "COPY shared/ ./shared/ # buildkit",
            "/bin/sh -c #(nop) WORKDIR sub",
            "/bin/sh -c #(nop) COPY dir:1 in . ",
            "/bin/sh -c #(nop) WORKDIR $X",
            "/bin/sh -c #(nop) COPY dir:1 in y ",
            "/bin/sh -c #(nop) COPY dir:1 in /y ",
        ];
        let copies = copy_steps(history, &ImagePath::clean(b"/home"));
        let found: Vec<_> = copies.iter().map(|copy| (copy.index, copy.destination.clone())).collect();
        let at = |path: &[u8], slash| Some(Destination { path: ImagePath::clean(path), slash });
        let expected = [
            (0, at(b"home/b", false)),
            (3, at(b"app/shared", true)),
            (5, at(b"app/sub", true)),
            (7, None),
            (8, at(b"y", false)),
        ];
        assert_eq!(found, expected);
    }
    #[test]
    fn a_history_that_would_fill_the_memory_tells_nothing() {
        let copies = |count| copy_steps(std::iter::repeat_n("COPY a /x # buildkit", count), &ImagePath::root()).len();
        assert_eq!(copies(limits::BUILD_SOURCES), limits::BUILD_SOURCES);
        assert_eq!(copies(limits::BUILD_SOURCES + 1), 0);
        let sources = format!("COPY {}/x", "a ".repeat(limits::BUILD_SOURCES + 1));
        assert_eq!(copy_steps([sources.as_str()], &ImagePath::root()), []);

        let deep = format!("WORKDIR /{}", "x".repeat(limits::BUILD_PATH_BYTES));
        let copies = copy_steps([deep.as_str(), "COPY a b"], &ImagePath::root());
        assert_eq!(copies[0].destination, None);
    }
}
