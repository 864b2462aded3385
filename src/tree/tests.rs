//! Layers written as text, and the file systems they make.

use super::*;
use crate::blob::{BlobId, ObjectFormat};
use crate::layer::{Change, Entry, EntryKind, LayerIndex};

/// One change a word or two: `f PATH=TEXT`, `d PATH`, `l PATH>TARGET`, `h PATH>TARGET`, `- PATH`, `opq PATH`.
fn layer(text: &str) -> LayerIndex {
    let changes = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(change);
    LayerIndex { changes: changes.collect(), file_bytes: 0 }
}

fn change(line: &str) -> Change {
    let clean = |path: &str| ImagePath::clean(path.as_bytes());
    let (what, rest) = line.split_once(' ').unwrap();
    let put = |path: &str, mode, kind| Change::Put(Entry { path: clean(path), mode, kind });
    match what {
        "-" => Change::Remove(clean(rest)),
        "opq" => Change::Opaque(clean(rest)),
        "d" => put(rest, 0o755, EntryKind::Directory),
        "f" => {
            let (path, text) = rest.split_once('=').unwrap();
            let blob = BlobId::of(text.as_bytes(), ObjectFormat::Sha1).unwrap();
            let content = FileContent { size: text.len() as u64, blob, sha256: [0; 32], mtime: 0, position: 0 };
            put(path, 0o644, EntryKind::Regular(content))
        }
        "l" | "h" => {
            let (path, target) = rest.split_once('>').unwrap();
            let kind = match what {
                "l" => EntryKind::Symlink(target.as_bytes().to_vec()),
                _ => EntryKind::Hardlink(clean(target)),
            };
            put(path, 0o777, kind)
        }
        other => panic!("unknown change {other}"),
    }
}

fn tree(layers: &[&str]) -> Result<FileTree, TreeError> {
    let mut tree = FileTree::default();
    for (position, text) in layers.iter().enumerate() {
        let applied = tree.apply(position, &layer(text));
        assert_eq!(tree.fsck(position + 1), Ok(()), "{layers:?}");
        applied?;
    }
    Ok(tree)
}

/// `PATH` for directories, `PATH=BLOB` for files, `PATH>TARGET` for links.
fn listing(tree: &FileTree) -> Vec<String> {
    let show = |(path, id): (ImagePath, NodeId)| match &tree.node(id).kind {
        NodeKind::Directory(_) => path.to_string(),
        NodeKind::Regular(stored) => {
            format!("{path}={}@{}", &stored.content.blob.to_string()[..4], tree.node(id).layer)
        }
        NodeKind::Symlink(target) => format!("{path}>{}", String::from_utf8_lossy(target)),
        NodeKind::Special => format!("{path}!"),
    };
    tree.all().map(show).collect()
}

/// The first four digits of a text's blob id.
fn id(text: &str) -> String {
    BlobId::of(text.as_bytes(), ObjectFormat::Sha1).unwrap().to_string()[..4].to_owned()
}

/// What a rule is called, layers, and what is listed of them.
type Rule<'a> = (&'a str, Vec<&'a str>, Vec<String>);

fn assert_rules(table: Vec<Rule<'_>>) {
    for (name, layers, expected) in table {
        assert_eq!(listing(&tree(&layers).unwrap()), expected, "{name}");
    }
}

#[test]
fn layers_are_applied_as_the_specification_says() {
    let (one, two) = (id("1"), id("2"));
    assert_rules(vec![
        ("parents need no entry", vec!["f a/b/c=1"], vec!["/a".into(), "/a/b".into(), format!("/a/b/c={one}@0")]),
        ("the last duplicate wins", vec!["f a=1\nf a=2"], vec![format!("/a={two}@0")]),
        ("a whiteout removes a subtree", vec!["f d/a=1\nf e=1", "- d"], vec![format!("/e={one}@0")]),
        ("a whiteout leaves its own layer alone", vec!["f a=1", "f a=2\n- a"], vec![format!("/a={two}@1")]),
        ("an opaque marker at the end", vec!["f d/a=1", "f d/b=2\nopq d"], vec!["/d".into(), format!("/d/b={two}@1")]),
        ("a file replaces a directory", vec!["f d/a=1", "f d=2"], vec![format!("/d={two}@1")]),
        ("a directory replaces a file", vec!["f d=1", "f d/a=2"], vec!["/d".into(), format!("/d/a={two}@1")]),
        (
            "directories merge",
            vec!["f d/a=1", "d d\nf d/b=2"],
            vec!["/d".into(), format!("/d/a={one}@0"), format!("/d/b={two}@1")],
        ),
        ("deleted and created again", vec!["f d/a=1", "- d", "f d/b=2"], vec!["/d".into(), format!("/d/b={two}@2")]),
        (
            "a hard link keeps what it linked to",
            vec!["f a=1\nh b>a", "f a=2"],
            vec![format!("/a={two}@1"), format!("/b={one}@0")],
        ),
        ("a hard link outlives its target", vec!["f a=1\nh b>a", "- a"], vec![format!("/b={one}@0")]),
        ("a hard link before its target", vec!["h b>a\nf a=1"], vec![format!("/a={one}@0"), format!("/b={one}@0")]),
        ("a hard link into a lower layer", vec!["f a=1", "h b>a"], vec![format!("/a={one}@0"), format!("/b={one}@1")]),
    ]);
}

#[test]
fn links_on_the_way_are_followed_as_the_layers_are_applied() {
    let (one, two) = (id("1"), id("2"));
    assert_rules(vec![
        (
            "a symlinked parent is followed",
            vec!["d usr/lib\nl lib>usr/lib", "f lib/new=2"],
            vec!["/lib>usr/lib".into(), "/usr".into(), "/usr/lib".into(), format!("/usr/lib/new={two}@1")],
        ),
        (
            "a link that leads through what is replaced leads elsewhere for the next entry",
            vec!["d z\nd q/d/x\nl p>q/d/x/..", "l p/x>/z\nf p/y=1"],
            vec![
                "/p>q/d/x/..".into(),
                "/q".into(),
                "/q/d".into(),
                "/q/d/x>/z".into(),
                format!("/y={one}@1"),
                "/z".into(),
            ],
        ),
        (
            "a whiteout through a symlinked parent",
            vec!["f usr/lib/x=1\nl lib>usr/lib", "- lib/x"],
            vec!["/lib>usr/lib".into(), "/usr".into(), "/usr/lib".into()],
        ),
        (
            "a link through a missing directory and back",
            vec!["d srv\nl app>no/../srv", "f app/x=1"],
            vec!["/app>no/../srv".into(), "/srv".into(), format!("/srv/x={one}@1")],
        ),
        (
            "a whiteout behind a link through a missing directory and back",
            vec!["f srv/x=1\nl app>no/../srv", "- app/x"],
            vec!["/app>no/../srv".into(), "/srv".into()],
        ),
        (
            "links never leave the root",
            vec!["l up>../../..", "f up/x=1"],
            vec!["/up>../../..".into(), format!("/x={one}@1")],
        ),
    ]);
}

#[test]
fn lookups_follow_links_inside_the_root() {
    let tree = tree(&["f srv/app/main=1\nl app>/srv/app\nl srv/app/again>main\nl gone>nowhere\nl a>b\nl b>a\n\
                     l through/missing>../no/../srv\nl through/file>../srv/app/main/../main"])
    .unwrap();
    let path = |text: &str| ImagePath::clean(text.as_bytes());
    let real = |text: &str| tree.lookup(&path(text)).unwrap().map(|found| found.path.to_string());
    assert_eq!(real("app/main").as_deref(), Some("/srv/app/main"));
    assert_eq!(real("app/again").as_deref(), Some("/srv/app/main"));
    assert_eq!(tree.entry(&path("app/again")).unwrap().unwrap().path, path("srv/app/again"));
    assert_eq!(real("gone"), None);
    // The kernel does not get through these: `..` needs a directory to start from.
    assert_eq!(real("through/missing"), None);
    assert_eq!(real("through/file"), None);
    assert_eq!(real("app/main/below"), None);
    assert_eq!(tree.lookup(&path("a/x")), Err(TreeError::Cycle(path("a/x"))));
}

#[test]
fn what_layers_removed_is_known() {
    let table = [
        ("a whiteout", vec!["f d/x=1", "- d/x"], Some((0, 1))),
        ("a whiteout of its directory", vec!["f d/x=1", "", "- d"], Some((0, 2))),
        ("an opaque marker", vec!["f d/x=1", "opq d\nf d/y=2"], Some((0, 1))),
        ("an opaque marker above", vec!["f d/x=1", "opq ."], Some((0, 1))),
        ("a file in its directory's place", vec!["f d/x=1", "f d=2"], Some((0, 1))),
        ("the directory again", vec!["f d/x=1", "- d", "f d/y=2"], Some((0, 1))),
        ("removed twice", vec!["f d/x=1", "- d", "f d/x=2", "- d/x", "d d"], Some((2, 3))),
        ("removed before its directory was", vec!["f d/x=1", "- d/x", "- d"], Some((0, 1))),
        ("an older one below a younger directory", vec!["f d/x=1", "- d", "f d/y=2", "- d"], Some((0, 1))),
        ("a link", vec!["l d/x>y", "- d/x"], Some((0, 1))),
        ("a hard link", vec!["f y=1", "h d/x>y", "- d/x"], Some((1, 2))),
        ("through a link", vec!["f s/x=1\nl d>s", "- d/x"], Some((0, 1))),
        ("behind a link", vec!["f s/x=1\nl d>s", "- s/x"], Some((0, 1))),
        ("a link in its directory's place", vec!["f d/x=1", "d s\nl d>s"], Some((0, 1))),
        ("a link to nothing", vec!["f s/x=1\nl d>s", "- s"], Some((0, 1))),
        ("links in a circle", vec!["f d/x=1", "l d>e\nl e>d"], Some((0, 1))),
        ("there still", vec!["f d/x=1", "- d/y"], None),
        ("a directory", vec!["d d/x", "- d/x"], None),
        ("never there", vec!["f d/y=1", "- d/y"], None),
        ("its own layer's whiteout", vec!["d d", "f d/x=1\n- d/x"], None),
    ];
    for (name, layers, expected) in table {
        let removed = tree(&layers).unwrap().removed(&ImagePath::clean(b"d/x"));
        assert_eq!(removed.map(|found| (found.put, found.removed)), expected, "{name}");
    }
}

#[test]
fn what_cannot_be_applied_is_named() {
    let table = [
        (vec!["f a=1", "h b>missing"], "/b in layer 1 is a hard link to /missing, which does not exist"),
        (vec!["f a=1", "h b>c\nh c>b"], "/b in layer 1 is a hard link to /c, which does not exist"),
        (vec!["f a=1\nl l>a", "f l/x=2"], "layer 1 puts entries into /l, which leads to /a, no directory"),
        (vec!["f a=1\nl .>a"], "layer 0 makes the root of the file system something else than a directory"),
        (vec!["l a>b\nl b>a", "f a/x=1"], "/a leads through too many symbolic links (a cycle?)"),
        (vec!["l a>no/../a", "f a/x=1"], "/a leads through too many symbolic links (a cycle?)"),
    ];
    for (layers, expected) in table {
        assert_eq!(tree(&layers).unwrap_err().to_string(), expected);
    }
}

#[test]
fn what_would_fill_the_memory_is_refused() {
    let deep = |depth: usize| FileTree::default().apply(0, &layer(&format!("d {}", "a/".repeat(depth))));
    // As deep as Linux lets a process name it, and as deep as a tar can say it.
    assert_eq!(deep(2048), Ok(()));
    assert_eq!(deep(limits::TAR_PATH_BYTES / 2), Err(TreeError::TooLarge { layer: 0, most: limits::TREE_BYTES }));

    let mut tree = FileTree::default();
    let layer = layer(&"f a=1\n".repeat(100_000));
    let applied = (0..).find_map(|position| tree.apply(position, &layer).err());
    assert!(matches!(applied, Some(TreeError::TooLarge { layer: 5..100, .. })), "{applied:?}");

    // What is taken out of directories is kept aside.
    let mut tree = FileTree::with_memory(1000);
    tree.apply(0, &self::layer("f d/a=1\nf d/b=1")).unwrap();
    tree.most = tree.bytes;
    assert_eq!(tree.apply(1, &self::layer("opq d")), Err(TreeError::TooLarge { layer: 1, most: tree.most }));
}

#[test]
fn directories_are_listed_without_files() {
    let tree = tree(&["f b/x/y=1\nf b/a=1\nf a=1\nd c\nl d>b", "- b/a"]).unwrap();
    let all = tree.all().filter(|(_, id)| matches!(tree.node(*id).kind, NodeKind::Directory(_)));
    assert_eq!(tree.directories().collect::<Vec<_>>(), all.collect::<Vec<_>>());
    assert_eq!(tree.directories().count(), 3);
}
