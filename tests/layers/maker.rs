//! Random layers whose paths meet: few names, and most entries act on what was written before.

use std::collections::BTreeMap;

use super::support::random::Random;

/// The state of a stack that is being made.
pub(crate) struct Maker {
    random: Random,
    /// What lies where, about: symbolic links are not followed. Without it most stacks would be refused.
    there: BTreeMap<String, Kind>,
    /// Files written so far, for contents that differ.
    files: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    /// Anything without entries.
    File,
    Link,
}

const NAMES: [&str; 9] = ["a", "a", "a", "b", "b", "c", "d", ".e", "\\xff"];
const MODES: [&str; 9] = ["0644", "0644", "0755", "0600", "0444", "4755", "2711", "0000", "0640"];
const DIRECTORY_MODES: [&str; 7] = ["0755", "0755", "0700", "0711", "1777", "2755", "0750"];
/// How a name may begin and mean the same.
const SPELLINGS: [&str; 9] = ["", "", "", "", "./", "/", "../", "x/../", "/./"];

impl Maker {
    /// The one that makes the stack of `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), there: BTreeMap::new(), files: 0 }
    }

    /// One to five layers of up to eight entries.
    pub(crate) fn stack(&mut self) -> Vec<Vec<String>> {
        (0..=self.random.below(5)).map(|_| self.layer()).collect()
    }

    fn layer(&mut self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for _ in 0..self.random.below(9) {
            let line = self.entry();
            lines.push(line);
            if self.random.below(20) == 0 {
                lines.push(self.random.pick(&lines).clone());
            }
        }
        lines
    }

    fn entry(&mut self) -> String {
        let written = *self.random.pick(&["", "", "", "", "", "pax ", "ustar "]);
        let entry = match self.random.below(100) {
            0..40 => self.file(),
            40..56 => {
                let (path, slash) = (self.put(Kind::Directory), self.random.pick(&["", "/"]));
                format!("d {path}{slash} {}", self.random.pick(&DIRECTORY_MODES))
            }
            56..68 => {
                let target = self.target();
                format!("l {} -> {target}", self.put(Kind::Link))
            }
            68..78 => self.hardlink(),
            78..90 => self.whiteout(),
            90..97 => self.opaque(),
            _ => format!("p {}", self.put(Kind::File)),
        };
        format!("{written}{entry}")
    }

    fn file(&mut self) -> String {
        self.files += 1;
        let contents = match self.random.below(8) {
            0 => String::new(),
            1 => format!("\\{{{}*x}}{}", 500 + self.random.below(600), self.files),
            _ => self.files.to_string(),
        };
        format!("f {} {} {contents}", self.put(Kind::File), self.random.pick(&MODES))
    }

    /// A hard link, mostly to a file.
    fn hardlink(&mut self) -> String {
        let Some(target) = self.some(Kind::File) else { return self.file() };
        let target = if self.random.below(25) == 0 { self.used() } else { target };
        let spelling = *self.random.pick(&SPELLINGS);
        format!("h {} -> {spelling}{target}", self.put(Kind::File))
    }

    /// A whiteout of something, mostly of what is there.
    fn whiteout(&mut self) -> String {
        let path = self.used();
        self.there.retain(|other, _| !is_below(other, &path) && *other != path);
        let (directory, name) = path.rsplit_once('/').map_or(("", &*path), |(directory, name)| (directory, name));
        let slash = if directory.is_empty() { "" } else { "/" };
        format!("w {}{directory}{slash}.wh.{name}", self.random.pick(&SPELLINGS))
    }

    fn opaque(&mut self) -> String {
        let directory = self.some(Kind::Directory).unwrap_or_else(|| self.used());
        let directory = if self.random.below(6) == 0 { self.used() } else { directory };
        self.there.retain(|other, _| !is_below(other, &directory));
        format!("w {}{directory}/.wh..wh..opq", self.random.pick(&SPELLINGS))
    }

    /// Where a link leads: to a directory or anything else, relative or absolute, above the root, or to itself.
    fn target(&mut self) -> String {
        let directory = self.some(Kind::Directory).unwrap_or_else(|| ".".to_owned());
        match self.random.below(12) {
            0..3 => directory,
            3..6 => format!("/{directory}"),
            6..8 => format!("../../../{directory}"),
            8 => self.used(),
            9 => format!("../{}", self.random.pick(&NAMES)),
            _ => (*self.random.pick(&[".", "..", "/", "b/../c", "./a/", "nowhere/../a"])).to_owned(),
        }
    }

    /// A path to put something at, in any spelling.
    fn put(&mut self, kind: Kind) -> String {
        let mut path = self.place();
        while self.is_below_a_file(&path) && self.random.below(60) != 0 {
            path = self.place();
        }
        for (at, _) in path.match_indices('/') {
            self.there.entry(path[..at].to_owned()).or_insert(Kind::Directory);
        }
        let before = self.there.insert(path.clone(), kind);
        if before.is_some_and(|before| (before, kind) != (Kind::Directory, Kind::Directory)) {
            self.there.retain(|other, _| !is_below(other, &path));
        }
        format!("{}{path}", self.random.pick(&SPELLINGS))
    }

    fn place(&mut self) -> String {
        match self.random.below(10) {
            0..3 => self.used(),
            3..7 => {
                let directory = self.some(Kind::Directory).unwrap_or_else(|| "d".to_owned());
                format!("{directory}/{}", self.random.pick(&NAMES))
            }
            7 => {
                let link = self.some(Kind::Link).unwrap_or_else(|| "l".to_owned());
                format!("{link}/{}", self.random.pick(&NAMES))
            }
            _ => self.path(),
        }
    }

    fn is_below_a_file(&self, path: &str) -> bool {
        self.there.iter().any(|(other, kind)| *kind == Kind::File && is_below(path, other))
    }

    /// A path with something of this kind.
    fn some(&mut self, kind: Kind) -> Option<String> {
        let paths: Vec<&String> =
            self.there.iter().filter(|(_, other)| **other == kind).map(|(path, _)| path).collect();
        (!paths.is_empty()).then(|| (*self.random.pick(&paths)).clone())
    }

    /// A path with anything, mostly.
    fn used(&mut self) -> String {
        let paths: Vec<String> = self.there.keys().cloned().collect();
        if paths.is_empty() || self.random.below(10) == 0 {
            return self.path();
        }
        self.random.pick(&paths).clone()
    }

    fn path(&mut self) -> String {
        let depth = *self.random.pick(&[1, 1, 2, 2, 3]);
        let names: Vec<&str> = (0..depth).map(|_| *self.random.pick(&NAMES)).collect();
        names.join("/")
    }
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}
