//! The table: images as text (see `support::text`), their layers divided by lines of `--`.

/// An image, and what is known of it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The layers, base first.
    pub(crate) layers: &'static str,
    pub(crate) right: Right,
}

/// Which file system is the right one.
pub(crate) enum Right {
    /// The one that umoci makes.
    Umoci,
    /// This one, every directory named; umoci 0.4 makes another or none, and `why` says what speaks for this.
    Tree { tree: &'static str, why: &'static str },
    /// None: the image is refused with these words.
    None { words: &'static str },
}

const fn same(name: &'static str, layers: &'static str) -> Case {
    Case { name, layers, right: Right::Umoci }
}

const fn other(name: &'static str, layers: &'static str, why: &'static str, tree: &'static str) -> Case {
    Case { name, layers, right: Right::Tree { tree, why } }
}

/// Also where umoci goes on.
const fn refused(name: &'static str, layers: &'static str, words: &'static str) -> Case {
    Case { name, layers, right: Right::None { words } }
}

/// Whiteouts of paths (image-spec layer.md, "Whiteouts").
pub(crate) const WHITEOUTS: &[Case] = &[
    same("a file", "f a 0644 1\nf b 0644 2\n--\nw .wh.a"),
    same("spelled ./", "f a 0644 1\nf b 0644 2\n--\nw ./.wh.a"),
    same("spelled /", "f a 0644 1\nf b 0644 2\n--\nw /.wh.a"),
    same("spelled with an inner ..", "f d/a 0644 1\nf d/b 0644 2\n--\nw x/../d/.wh.a"),
    same("spelled with two slashes", "f d/a 0644 1\nf d/b 0644 2\n--\nw d//.wh.a"),
    same("spelled with ./ inside", "f d/a 0644 1\nf d/b 0644 2\n--\nw ./d/./.wh.a"),
    same("in a PAX record", "f d/a 0644 1\nf d/b 0644 2\n--\npax w d/.wh.a"),
    same("with contents", "f d/a 0644 1\nf d/b 0644 2\n--\nf d/.wh.a 0644 not\\sempty"),
    same("as a directory", "f d/a 0644 1\nf d/b 0644 2\n--\nd d/.wh.a"),
    same("as a symbolic link", "f d/a 0644 1\nf d/b 0644 2\n--\nl d/.wh.a -> b"),
    same("as a hard link", "f d/a 0644 1\nf d/b 0644 2\n--\nh d/.wh.a -> d/b"),
    same("of a directory with everything below", "f d/a 0644 1\nf d/e/b 0644 2\nf c 0644 3\n--\nw .wh.d"),
    same("of an empty directory", "d d\nf c 0644 3\n--\nw .wh.d"),
    same("of a hidden file", "f d/.env 0644 1\nf d/env 0644 2\n--\nw d/.wh..env"),
    same("of a symbolic link, not its target", "f real/x 0644 1\nl link -> real\n--\nw .wh.link"),
    same("of a dangling symbolic link", "f x 0644 1\nl link -> nowhere\n--\nw .wh.link"),
    same("of nothing", "f a 0644 1\n--\nw .wh.b"),
    same("of nothing in a directory that is not there", "f a 0644 1\n--\nw no/where/.wh.b"),
    same("below a file", "f a 0644 1\n--\nw a/.wh.b"),
    same("through a symbolic link", "f usr/lib/x 0644 1\nf usr/lib/y 0644 2\nl lib -> usr/lib\n--\nw lib/.wh.x"),
    same("through an absolute link", "f usr/lib/x 0644 1\nf usr/lib/y 0644 2\nl lib -> /usr/lib\n--\nw lib/.wh.x"),
    same("before the file of the same layer", "f d/x 0600 old\nf d/y 0644 2\n--\nw d/.wh.x\nf d/x 0644 new"),
    same("after the file of the same layer", "f d/x 0600 old\nf d/y 0644 2\n--\nf d/x 0644 new\nw d/.wh.x"),
    same("in the only layer, after the file", "f d/x 0600 only\nw d/.wh.x"),
    same("in the only layer, before the file", "w d/.wh.x\nf d/x 0600 only"),
    same("before the directory of the same layer", "d d 0750\nf d/old 0644 1\n--\nw .wh.d\nd d 0700\nf d/new 0644 2"),
    same("after the directory of the same layer", "d d 0750\nf d/old 0644 1\n--\nd d 0700\nf d/new 0644 2\nw .wh.d"),
    same("between the directory and its file", "d d 0750\nf d/old 0644 1\n--\nd d 0700\nw .wh.d\nf d/new 0644 2"),
    same("before files whose directory has no entry", "d d 0750\nf d/old 0644 1\n--\nw .wh.d\nf d/new 0644 2"),
    other(
        "after files whose directory has no entry",
        "d d 0750\nf d/old 0644 1\n--\nf d/new 0644 2\nw .wh.d",
        "umoci leaves the deleted directory its mode; the order of a whiteout must not matter (see the case before)",
        "d d 0755\nf d/new 0644 2",
    ),
    same(
        "after a file far below",
        "f d/e/f/old 0644 1\nf d/e/g 0644 2\n--\nd d\nd d/e\nd d/e/f\nf d/e/f/new 0644 3\nw d/.wh.e",
    ),
    same("of a directory and of files in it", "f d/a 0644 1\nf d/b 0644 2\n--\nw .wh.d\nw d/.wh.a"),
    same("of a file that becomes a directory", "f x 0644 1\n--\nd x\nf x/y 0644 2\nw .wh.x"),
    same("of a directory that becomes a file", "f x/y 0644 1\n--\nf x 0644 2\nw .wh.x"),
    same("of a directory that becomes a link", "f x/y 0644 1\nf z/y 0644 2\n--\nw .wh.x\nl x -> z"),
    same("twice", "f a 0644 1\nf b 0644 1\n--\nw .wh.a\nw .wh.a"),
    same("in two layers", "f a 0644 1\nf b 0644 1\n--\nw .wh.a\n--\nw .wh.a"),
    same(
        "deleted and made again, three layers",
        "d d 0700\nf d/old 0644 1\nf d/e/old 0644 2\n--\nw .wh.d\n--\nd d 0755\nf d/new 0644 3\nd d/e",
    ),
    same(
        "deleted and made again, no entries for directories",
        "f d/old 0644 1\nf d/e/old 0644 2\n--\nw .wh.d\n--\nf d/e/new 0644 3",
    ),
    same("deleted, made, deleted, made", "f d/1 0644 1\n--\nw .wh.d\n--\nf d/2 0644 2\n--\nw .wh.d\n--\nf d/3 0644 3"),
    same(
        "names that only look so",
        "f a 0644 1\n--\nf .whatever 0644 1\nf x.wh.a 0644 2\nf .wh 0644 3\nf wh.a 0644 4\nf .WH.a 0644 5",
    ),
    same("hidden though alone", "f a 0644 1\nw d/.wh.b\nw .wh.c"),
    same("of non-UTF-8 names", "f d/\\xff\\xfe 0644 1\nf d/b 0644 2\n--\nw d/.wh.\\xff\\xfe"),
    refused("of no name", "f d/a 0644 1\n--\nw d/.wh.", "names no file"),
    refused("of a dot", "f d/a 0644 1\n--\nw d/.wh..", "names no file"),
    refused("of the parent", "f d/a 0644 1\n--\nw d/.wh...", "names no file"),
];

/// Opaque markers (image-spec layer.md, "Opaque Whiteout").
pub(crate) const OPAQUE: &[Case] = &[
    same("first", "d d 0700\nf d/old 0644 1\nf c 0644 2\n--\nd d 0750\nw d/.wh..wh..opq\nf d/new 0644 3"),
    same("last", "d d 0700\nf d/old 0644 1\nf c 0644 2\n--\nd d 0750\nf d/new 0644 3\nw d/.wh..wh..opq"),
    same("last, the same name again", "d d 0700\nf d/x 0644 1\n--\nf d/x 0600 2\nw d/.wh..wh..opq"),
    same(
        "before the directory's own entry",
        "d d 0700\nf d/old 0644 1\n--\nw d/.wh..wh..opq\nd d 0750\nf d/new 0644 3",
    ),
    same("without an entry for the directory", "d d 0700\nf d/old 0644 1\n--\nf d/new 0644 3\nw d/.wh..wh..opq"),
    same("alone keeps the directory's mode", "d d 0700\nf d/old 0644 1\nf d/e/old 0644 2\n--\nw d/.wh..wh..opq"),
    same("of the root", "f d/old 0644 1\nf c 0644 2\n--\nw .wh..wh..opq\nf new 0644 3"),
    same("of the root, spelled ./, last", "f d/old 0644 1\nf c 0644 2\n--\nf new 0644 3\nw ./.wh..wh..opq"),
    same("one directory up", "f d/e/f/old 0644 1\n--\nd d\nd d/e\nd d/e/f\nf d/e/f/new 0644 2\nw d/.wh..wh..opq"),
    same("one directory down", "f d/e/old 0644 1\nf d/f/old 0644 2\n--\nf d/e/new 0644 3\nw d/e/.wh..wh..opq"),
    same(
        "nested",
        "f d/a 0644 1\nf d/e/b 0644 2\n--\nf d/n 0644 3\nw d/.wh..wh..opq\nf d/e/n 0644 4\nw d/e/.wh..wh..opq",
    ),
    same("and a whiteout", "f d/a 0644 1\nf d/b 0644 2\n--\nw d/.wh.a\nw d/.wh..wh..opq\nf d/a 0644 3"),
    same("twice", "f d/a 0644 1\n--\nw d/.wh..wh..opq\nf d/b 0644 2\nw d/.wh..wh..opq"),
    same("in the only layer", "d d\nf d/a 0644 1\nw d/.wh..wh..opq"),
    same("hides directories with their own", "f d/e/f/g 0644 1\nl d/l -> e\n--\nd d\nd d/e\nw d/.wh..wh..opq"),
    same("with contents", "f d/a 0644 1\n--\nf d/.wh..wh..opq 0644 x\nf d/b 0644 2"),
    same("through a symbolic link", "f real/old 0644 1\nl d -> real\n--\nw d/.wh..wh..opq\nf d/new 0644 2"),
    same("in a PAX record", "f d/old 0644 1\n--\npax w d/.wh..wh..opq\nf d/new 0644 2"),
    same("spelled //", "f d/old 0644 1\n--\nw d//.wh..wh..opq\nf d/new 0644 2"),
    same("of a directory that comes with it", "f a 0644 1\n--\nd d 0700\nw d/.wh..wh..opq\nf d/new 0644 2"),
    same("of a directory that is not there", "f a 0644 1\n--\nw d/.wh..wh..opq"),
    same("of a file that becomes a directory", "f d 0644 1\n--\nd d\nw d/.wh..wh..opq\nf d/new 0644 2"),
    same("three layers, in the middle", "f d/1 0644 1\n--\nw d/.wh..wh..opq\nf d/2 0644 2\n--\nf d/3 0644 3"),
    same("other aufs bookkeeping", "f a 0644 1\n--\nw .wh..wh.aufs\nd .wh..wh.orph\nd .wh..wh.plnk"),
];

/// One thing in the place of another (image-spec layer.md, "Changeset over existing files").
pub(crate) const REPLACEMENTS: &[Case] = &[
    same("file over file", "f a 0644 old\n--\nf a 0755 newer"),
    same("file over directory", "f d/e/a 0644 1\n--\nf d 0644 2"),
    same("directory over file", "f d 0644 1\n--\nd d 0700\nf d/a 0644 2"),
    same("directory over directory", "d d 0700\nf d/a 0644 1\n--\nd d 0751\nf d/b 0644 2"),
    same("directory over directory, attributes only", "d d 0700\nf d/a 0644 1\n--\nd d 1777"),
    same("file in a directory without entry", "d d 0700\nf d/a 0644 1\n--\nf d/b 0644 2"),
    same("symbolic link over directory with children", "f d/e/a 0644 1\nf r/b 0644 2\n--\nl d -> r"),
    same("symbolic link over directory, then through it", "f d/a 0644 1\nf r/b 0644 2\n--\nl d -> r\nf d/c 0644 3"),
    same("files into a directory, then a link in its place", "f r/b 0644 2\n--\nf d/c 0644 3\nl d -> r"),
    same("symbolic link over file", "f a 0644 1\nf b 0644 2\n--\nl a -> b"),
    same("file over symbolic link", "f b 0644 1\nl a -> b\n--\nf a 0644 2"),
    same("file over dangling link", "l a -> b/c/d\n--\nf a 0644 2"),
    same("symbolic link over symbolic link", "f b 0644 1\nl a -> b\n--\nl a -> c"),
    same("directory over link to directory", "d r 0700\nf r/b 0644 1\nl d -> r\n--\nd d 0750\nf d/a 0644 2"),
    same("directory over absolute link to directory", "f r/b 0644 1\nl d -> /r\n--\nd d\nf d/a 0644 2"),
    same("directory over link to directory, same layer", "f r/b 0644 1\nl d -> r\nd d\nf d/a 0644 2"),
    same("directory over link to file", "f r 0644 1\nl d -> r\n--\nd d\nf d/a 0644 2"),
    same("directory over dangling link", "l d -> r\n--\nd d\nf d/a 0644 2"),
    same("file over a file that a link leads to", "f r/a 0644 1\nl d -> r\n--\nf d/a 0755 2"),
    same("directory in a linked directory", "f r/a 0644 1\nl d -> r\n--\nd d/e 0700\nf d/e/b 0644 2"),
    same("file, directory, file", "f x 0644 1\n--\nd x\nf x/y 0644 2\n--\nf x 0644 3"),
    same("directory, file, directory", "f x/old 0644 1\n--\nf x 0644 2\n--\nd x\nf x/new 0644 3"),
    other(
        "below a file",
        "f x 0644 1\n--\nf x/y 0644 2",
        "umoci refuses; parents need no entry, and on overlay file systems the upper layer's directory hides the file",
        "d x 0755\nf x/y 0644 2",
    ),
    other(
        "below a file of the same layer",
        "f x 0644 1\nf x/y 0644 2",
        "umoci refuses; what comes last wins, as for duplicates",
        "d x 0755\nf x/y 0644 2",
    ),
    refused("below a link to a file", "f x 0644 1\nl l -> x\n--\nf l/y 0644 2", "/l, which leads to /x, no directory"),
    same("special bits", "f a 4755 1\nf b 2755 1\nd t 1777\n--\nf a 0755 1\nd t 0777"),
    same("no bits", "f a 0000 1\nd d 0000\nf d/b 0400 2"),
];

/// The same path more than once in one layer, which the specification forbids and builders write.
pub(crate) const DUPLICATES: &[Case] = &[
    same("the last file wins", "f a 0600 1\nf a 0644 22"),
    same("in every spelling", "f a 0600 1\nf ./a 0644 22\nf /a 0640 333\nf x/../a 0755 4444"),
    same("file then directory", "f a 0644 1\nd a\nf a/b 0644 2"),
    same("directory then file", "f a/b 0644 2\nf a 0644 1"),
    same("directory twice", "d a 0700\nf a/b 0644 1\nd a 0755\nf a/c 0644 2"),
    same("file then link", "f a 0644 1\nf b 0644 2\nl a -> b"),
    same("link then file", "f b 0644 2\nl a -> b\nf a 0644 1"),
    same("file then hard link", "f b 0644 2\nf a 0644 1\nh a -> b"),
    same("through a link and not", "f r/x 0644 1\nl l -> r\nf l/x 0644 2"),
];

/// Hard links: the file that the target named in that layer.
pub(crate) const HARD_LINKS: &[Case] = &[
    same("in one layer", "f a 0644 1\nh b -> a"),
    same("the target spelled ./", "f d/a 0644 1\nh d/b -> ./d/a"),
    same("the target spelled /", "f d/a 0644 1\nh d/b -> /d/a"),
    same("the target climbs above the root", "f d/a 0644 1\nh d/b -> ../../d/a"),
    same("the target in a PAX record", "f d/a 0644 1\npax h d/b -> d/a"),
    same("to a link", "f a 0644 1\nh b -> a\nh c -> b"),
    same("target replaced above", "f a 0644 1\nh b -> a\n--\nf a 0644 22"),
    same("target deleted above", "f a 0644 1\nh b -> a\n--\nw .wh.a"),
    same("target's directory deleted above", "f d/a 0644 1\nh b -> d/a\n--\nw .wh.d"),
    same("target replaced by a directory above", "f a 0644 1\nh b -> a\n--\nd a\nf a/c 0644 2"),
    same("link replaced above", "f a 0644 1\nh b -> a\n--\nf b 0644 22"),
    same("target replaced in the same layer", "f a 0644 1\nh b -> a\nf a 0644 22"),
    same("target in a lower layer", "f a 0644 1\n--\nh b -> a"),
    same("target in a lower layer, then replaced", "f a 0644 1\n--\nh b -> a\nf a 0644 22"),
    same("target in a lower layer, deleted above", "f a 0644 1\n--\nh b -> a\n--\nw .wh.a"),
    same("onto a file", "f a 0644 1\nf b 0644 2\n--\nf a 0644 3\nh b -> a"),
    same("onto a directory", "f a 0644 1\nf b/c 0644 2\n--\nf a 0644 3\nh b -> a"),
    same("target through a symbolic link", "f r/a 0644 1\nl d -> r\nh b -> d/a"),
    same("in a linked directory", "d r\nl d -> /r\nf a 0644 1\nh d/b -> a"),
    same("to a symbolic link", "f a 0644 1\nl l -> a\nh b -> l"),
    same("to a dangling symbolic link", "l l -> nowhere\nh b -> l"),
    same("to a pipe", "p a\nh b -> a"),
    same("with another mode", "f a 0755 1\nh b -> a"),
    same("with another mode, to a link", "f a 0755 1\nh b -> a\nf c 0600 2\nh d -> c\nh e -> d"),
    same("with another mode, into a lower layer", "f a 0755 1\n--\nh b -> a"),
    same("without an entry for its directory", "f a 0644 1\nh x/y/b -> a"),
    other("before its target", "h b -> a\nf a 0644 1", "umoci refuses; kaniko writes it", "f a 0644 1\nf b 0644 1"),
    other("to itself", "f a 0644 1\nh a -> a", "umoci refuses; it can only mean one file", "f a 0644 1"),
    refused("before its target, to a link", "h c -> b\nh b -> a\nf a 0644 1", "/c in layer 0 is a hard link to /b"),
    refused("to nothing", "f a 0644 1\nh b -> c", "which does not exist"),
    refused("to a directory", "f d/a 0644 1\nh b -> d", "which does not exist"),
    refused("to a file that this layer deletes", "f a 0644 1\n--\nw .wh.a\nh b -> a", "which does not exist"),
];

/// Directories that are symbolic links in a lower layer, followed inside the root.
pub(crate) const SYMLINKED_PARENTS: &[Case] = &[
    same("relative", "d usr/lib\nl lib -> usr/lib\n--\nf lib/new 0644 1"),
    same("absolute", "d usr/lib\nl lib -> /usr/lib\n--\nf lib/new 0644 1"),
    same("in the same layer", "d usr/lib\nl lib -> usr/lib\nf lib/new 0644 1"),
    same("climbing above the root", "d usr/lib\nl lib -> ../../../usr/lib\n--\nf lib/new 0644 1"),
    same("the root itself", "l top -> /\nl up -> ../..\n--\nf top/a 0644 1\nf up/b 0644 2"),
    same("a link to a link", "d a\nl b -> a\nl c -> /b\n--\nf c/new 0644 1"),
    same("links in links", "d r/s\nl a -> r\nl r/t -> s\n--\nf a/t/new 0644 1"),
    same("up and down", "d a/b\nd c\nl a/b/l -> ../../c\n--\nf a/b/l/new 0644 1"),
    same(".. counts from where a link leads", "d a/b\nd c\nl l -> a/b\nl m -> l/../x\nd a/x\n--\nf m/new 0644 1"),
    same("to a directory that is not there", "l app -> srv/app\n--\nf app/x 0644 1"),
    same("to an absolute one that is not there", "l app -> /srv/app\n--\nd app/e 0700\nf app/e/x 0644 1"),
    same("through a missing directory and back", "l app -> no/../srv\n--\nf app/x 0644 1"),
    same("through a missing directory and back to one that is there", "d srv\nl app -> no/../srv\n--\nf app/x 0644 1"),
    same("replaced by a directory above", "d r\nl d -> r\n--\nf d/x 0644 1\n--\nd d\nf d/y 0644 2"),
    same("deleted above, made again", "f r/x 0644 1\nl d -> r\n--\nw .wh.d\nf d/y 0644 2"),
    same("a hard link's target", "f r/x 0644 1\nl d -> r\n--\nh y -> d/x"),
    same("files stay below a link's target", "f r/x 0644 1\nl d -> r\n--\nf d/y 0644 2\n--\nw .wh.d"),
    same("dots in the target", "d r\nl d -> ./r/.\n--\nf d/x 0644 1"),
    same("through a file and back", "f no 0644 1\nd srv\nl app -> no/../srv\n--\nf app/x 0644 1"),
    refused("a circle", "l a -> b\nl b -> a\n--\nf a/x 0644 1", "too many symbolic links"),
    refused("a circle of one", "l a -> a\n--\nf a/x 0644 1", "too many symbolic links"),
    refused("a whiteout in a circle", "l a -> b\nl b -> a\n--\nw a/.wh.x", "too many symbolic links"),
    same("a circle that nobody goes through", "l a -> b\nl b -> a\nf c 0644 1"),
];

/// Names in every spelling and encoding.
pub(crate) const NAMES: &[Case] = &[
    same("one path", "f ./a 0644 1\nf /b 0644 2\nf d//c 0644 3\nf d/./e 0644 4\nf d/x/../f 0644 5\nf ../g 0644 6"),
    same("the root's own entries", "d . 0700\nd ./ 0711\nd / 0755\nf a 0644 1"),
    refused("the root as a file", "f a 0644 1\nf . 0644 x", "makes the root"),
    refused("the root as a link", "f a 0644 1\nl ./ -> a", "makes the root"),
    same("directories with a slash", "d d/ 0700\nf d/a 0644 1\n--\nd ./d/ 0711"),
    same("implied directories", "f a/b/c/d 0600 1"),
    same("a directory's entry after its files", "f d/e/a 0644 1\nd d/e 0700\nd d 0711"),
    same(
        "spaces, line ends, backslashes",
        "f a\\sb 0644 1\nf a\\nb 0644 2\nf a\\\\b 0644 3\nf a\\tb 0644 4\nf \\x1b[31m 0644 5",
    ),
    same(
        "not UTF-8",
        "f d/\\xff\\xfe 0644 1\nl \\xc3 -> d/\\xff\\xfe\nh \\xe9 -> d/\\xff\\xfe\nd \\x80\\x81\nf \\x80\\x81/a 0644 2",
    ),
    same("UTF-8, composed and not", "f caf\\xc3\\xa9 0644 1\nf cafe\\xcc\\x81 0644 2"),
    same("upper and lower case", "f readme 0644 1\nf README 0644 2\nf Readme/x 0644 3"),
    same("PAX", "pax f d/caf\\xc3\\xa9 0644 1\npax l l -> d/caf\\xc3\\xa9\npax d e 0700"),
    same(
        "names of 99 to 101 bytes",
        concat!(
            "f 0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789 0644 1\n",
            "f 0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/01234567890 0644 1\n",
            "f 0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/012345678901 0644 1\n",
            "f 0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789012 0644 1\n",
        ),
    ),
    same(
        "GNU, long",
        concat!(
            "d aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/ccccccccccc 0700\n",
            "f aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/ccccccccccc/x 0644 1\n",
            "h y -> aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/ccccccccccc/x\n",
            "l z -> aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/ccccccccccc/x\n",
            "--\n",
            "w aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/ccccccccccc/.wh.x\n",
        ),
    ),
    same(
        "PAX, long",
        concat!(
            "pax d aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/ccccccccccc 0700\n",
            "pax f aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/ccccccccccc/x 0644 1\n",
            "pax h y -> aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/ccccccccccc/x\n",
            "--\n",
            "pax w aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/ccccccccccc/.wh.x\n",
        ),
    ),
    same("a pipe", "p fifo\nf a 0644 1\n--\nf fifo 0644 2\np a"),
];

/// Layers as such.
pub(crate) const LAYERS: &[Case] = &[
    same("the same layer twice", "f a 0644 1\nf d/b 0644 2\n--\nf a 0644 1\nf d/b 0644 2"),
    same(
        "the same layer twice, a deletion between",
        "f a 0644 1\nf d/b 0644 2\n--\nw .wh.a\nw .wh.d\n--\nf a 0644 1\nf d/b 0644 2",
    ),
    same("the same deletion twice", "f a 0644 1\nf b 0644 1\n--\nw .wh.a\n--\nf a 0644 2\n--\nw .wh.a"),
    same("empty layers", "--\nf a 0644 1\n--\n--\nf b 0644 2\n--\n"),
    same("nothing at all", "--"),
    same("only a deletion", "w .wh.a"),
];
