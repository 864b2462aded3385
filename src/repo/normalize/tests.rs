use super::super::testing::TestRepo;
use super::super::{of_revision, of_worktree};
use super::*;
use crate::digest::Digest;

/// Attributes, each for the files of one directory.
const ATTRIBUTES: [&str; 25] = [
    "",
    "text",
    "-text",
    "!text",
    "text=auto",
    "text=other",
    "binary",
    "crlf",
    "-crlf",
    "crlf=input",
    "text eol=crlf",
    "eol=lf",
    "eol=crlf",
    "eol=other",
    "text=auto eol=crlf",
    "-text eol=crlf",
    "ident",
    "-ident",
    "ident -text",
    "working-tree-encoding=UTF-16",
    "working-tree-encoding=UTF-16LE",
    "working-tree-encoding=UTF-16LE-BOM text ident",
    "working-tree-encoding=ISO-8859-1",
    "working-tree-encoding=UTF-8",
    "working-tree-encoding=UTF-16BE eol=crlf",
];

fn contents() -> Vec<Vec<u8>> {
    let utf16 = |mark: &str, text: &str, to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("{mark}{text}").encode_utf16().flat_map(to_bytes).collect()
    };
    let mixed_binary = [b"text\r\n".as_slice(), &[1; 40], b"\r\n"].concat();
    let texts: [&[u8]; 16] = [
        b"",
        b"a\nb\n",
        b"a\r\nb\r\n",
        b"a\r\nb\n",
        b"lone\rcr\r\n",
        b"nul\0\r\n",
        b"\r\n",
        b"\r\r\n",
        b"dos end\r\n\x1a",
        b"$Id$\n",
        b"$Id: 0123456789abcdef $\r\n",
        b"$Id: one $ $Id: two $\n$Id: open\n$Id:$ $Id: $",
        b"$Id: line\nbreak$ $Id: x $",
        b"caf\xe9 \x80\r\n",
        "café\r\n".as_bytes(),
        b"\xef\xbb\xbfmarked\r\n",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
    all.push(mixed_binary);
    all.push(utf16("\u{feff}", "ä $Id: x $\r\n", u16::to_le_bytes));
    all.push(utf16("\u{feff}", "ä\r\n𝄞", u16::to_be_bytes));
    all.push(utf16("", "ä\r\n", u16::to_le_bytes));
    all.push(utf16("", "ä\r\n", u16::to_be_bytes));
    all.push(b"\xff\xfeodd".to_vec());
    all
}

fn in_every_directory(repo: &TestRepo) -> Vec<(String, Vec<u8>)> {
    let line = |(index, attributes): (usize, &&str)| format!("d{index}/** {attributes}\n");
    repo.write(".gitattributes", ATTRIBUTES.iter().enumerate().map(line).collect::<String>());
    let files = |directory| {
        contents().into_iter().enumerate().map(move |(index, text)| (format!("d{directory}/f{index}"), text))
    };
    (0..ATTRIBUTES.len()).flat_map(files).collect()
}

#[test]
fn cleaning_gives_the_ids_of_git_hash_object() {
    for repo in [TestRepo::new(), TestRepo::sha256()] {
        let files = in_every_directory(&repo);
        let commit = repo.commit_all("attributes");
        for (name, contents) in &files {
            repo.write(name, contents);
        }
        let names: String = files.iter().map(|(name, _)| format!("{name}\n")).collect();
        let arguments = ["-c", "core.autocrlf=input", "hash-object", "--stdin-paths"];
        let ids = String::from_utf8(repo.git_with_input(&arguments, names.as_bytes())).unwrap();
        let raw = [&arguments[2..], &["--no-filters"]].concat();
        let raw = String::from_utf8(repo.git_with_input(&raw, names.as_bytes())).unwrap();
        assert_eq!(ids.lines().count(), files.len());

        let opened = repo.open();
        let snapshot = of_revision(&opened, &commit).unwrap();
        let mut normalizer = Normalizer::new(&opened, &snapshot).unwrap();
        let mut converted = 0;
        for (((name, contents), id), raw) in files.iter().zip(ids.lines()).zip(raw.lines()) {
            let cleaned = normalizer.clean(&RepoPath::clean(name.as_bytes()), contents).unwrap();
            let directory: usize = name[1..].split('/').next().unwrap().parse().unwrap();
            let case = format!("{} {:?} {cleaned:?}", ATTRIBUTES[directory], String::from_utf8_lossy(contents));
            assert_eq!(cleaned.as_ref().map_or(raw.to_owned(), |cleaned| cleaned.blob.to_string()), id, "{case}");
            assert_eq!(cleaned.is_some(), id != raw, "{case}");
            converted += usize::from(cleaned.is_some());
        }
        assert!(converted > 100, "{converted}");
    }
}

/// A repository with some files, and what `git add` makes of other contents in the same places.
#[test]
fn text_with_crlf_in_git_is_left_alone_as_by_git_add() {
    let repo = TestRepo::new();
    repo.write(".gitattributes", "*.auto text=auto ident\n*.text text\n");
    for name in ["x.auto", "x.text", "x"] {
        repo.write(name, "one\r\n$Id$\r\n");
    }
    repo.git(&["-c", "core.autocrlf=false", "add", "x"]);
    let id = repo.text(&["hash-object", "-w", "--no-filters", "x"]);
    for name in ["x.auto", "x.text"] {
        repo.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{id},{name}")]);
    }
    repo.git(&["add", ".gitattributes"]);
    repo.git(&["commit", "-q", "-m", "crlf in git"]);
    let commit = repo.open().resolve("HEAD").unwrap();
    let image = b"one\r\n$Id: 1234 $\r\ntwo\r\n";
    for name in ["x.auto", "x.text", "x"] {
        repo.write(name, image);
    }
    let opened = repo.open();
    let revision = of_revision(&opened, &commit).unwrap();
    let work_tree = of_worktree(&opened).unwrap();
    for snapshot in [&revision, &work_tree] {
        let mut normalizer = Normalizer::new(&opened, snapshot).unwrap();
        let mut clean = |name: &str| normalizer.clean(&RepoPath::clean(name.as_bytes()), image).unwrap();
        let of_git = |name: &str| {
            repo.git(&["-c", "core.autocrlf=input", "-c", "core.safecrlf=false", "add", name]);
            let id = repo.text(&["rev-parse", &format!(":{name}")]);
            repo.git(&["reset", "-q"]);
            id
        };
        assert_eq!(clean("x"), None);
        assert_eq!(clean("x.auto").unwrap().by, [ConversionKind::Ident]);
        assert_eq!(clean("x.auto").unwrap().blob.to_string(), of_git("x.auto"));
        assert_eq!(clean("x.text").unwrap().by, [ConversionKind::LineEndings]);
        assert_eq!(clean("x.text").unwrap().blob.to_string(), of_git("x.text"));
    }
}

#[test]
fn a_checkout_agrees_with_its_commit() {
    let repo = TestRepo::new();
    let attributes = "*.id ident\n*.u16 working-tree-encoding=UTF-16\n*.crlf eol=crlf\n*.bin -text\n*.auto text=auto\n";
    repo.write(".gitattributes", attributes);
    let text = "line\n$Id$\nä\n";
    let utf16: Vec<u8> = "\u{feff}line\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for name in ["a.id", "a.crlf", "a.bin", "a.auto", "plain"] {
        repo.write(name, text);
    }
    repo.write("a.u16", &utf16);
    let commit = repo.commit_all("first");
    // Checked out anew on a machine where line endings are converted.
    for name in ["a.id", "a.crlf", "a.bin", "a.auto", "plain", "a.u16"] {
        std::fs::remove_file(repo.path().join(name)).unwrap();
    }
    repo.git(&["-c", "core.autocrlf=true", "checkout", "-q", "HEAD", "--", "."]);

    let opened = repo.open();
    let snapshot = of_revision(&opened, &commit).unwrap();
    let mut normalizer = Normalizer::new(&opened, &snapshot).unwrap();
    use ConversionKind::{Encoding, Ident, LineEndings};
    let cases: [(&str, &[ConversionKind]); 5] = [
        ("a.id", &[LineEndings, Ident]),
        ("a.u16", &[Encoding, LineEndings]),
        ("a.crlf", &[LineEndings]),
        ("a.auto", &[LineEndings]),
        ("plain", &[LineEndings]),
    ];
    for (name, by) in cases {
        let path = RepoPath::clean(name.as_bytes());
        let image = std::fs::read(repo.path().join(name)).unwrap();
        let size = opened.blob_size(snapshot.files[&path].blob).unwrap();
        let plausible = normalizer.plausible(&path, image.len() as u64, size).unwrap();
        assert_eq!(plausible, Conversion::NeedsContents, "{name}");
        assert_eq!(normalizer.agrees(&path, &image).unwrap().as_deref(), Some(by), "{name}");
        let other = [image.as_slice(), b"\r\nmore"].concat();
        assert_eq!(normalizer.agrees(&path, &other).unwrap(), None, "{name}");
    }
    let binary = RepoPath::clean(b"a.bin");
    let crlf = text.replace('\n', "\r\n");
    assert_eq!(normalizer.plausible(&binary, crlf.len() as u64, Some(text.len() as u64)).unwrap(), Conversion::None);
    assert_eq!(normalizer.agrees(&binary, crlf.as_bytes()).unwrap(), None);
}

#[test]
fn in_a_work_tree_either_side_may_be_the_converted_one() {
    let repo = TestRepo::new();
    repo.write("unix", "a\nb\n");
    repo.write("dos", "a\r\nb\r\n");
    let opened = repo.open();
    let snapshot = of_worktree(&opened).unwrap();
    let mut normalizer = Normalizer::new(&opened, &snapshot).unwrap();
    for (name, image) in [("unix", "a\r\nb\r\n"), ("dos", "a\nb\n")] {
        let path = RepoPath::clean(name.as_bytes());
        let sizes = (image.len() as u64, snapshot.files[&path].size);
        assert_eq!(normalizer.plausible(&path, sizes.0, sizes.1).unwrap(), Conversion::NeedsContents, "{name}");
        let by = normalizer.agrees(&path, image.as_bytes()).unwrap();
        assert_eq!(by.unwrap(), [ConversionKind::LineEndings], "{name}");
        assert_eq!(normalizer.agrees(&path, b"a\nc\n").unwrap(), None, "{name}");
    }
    let path = RepoPath::clean(b"dos");
    repo.write("dos", "a\r\nb\r\nmore\r\n");
    assert!(matches!(normalizer.agrees(&path, b"a\nb\n").unwrap_err(), RepoError::TooLarge { .. }));
}

#[test]
fn sizes_and_attributes_rule_conversions_out() {
    let repo = TestRepo::new();
    let attributes = "*.bin -text\n*.id -text ident\n*.u16 working-tree-encoding=UTF-16\n*.lfs filter=lfs -text\n\
                      *.crypt filter=git-crypt\n[attr]asset filter=lfs -text\n*.asset asset\n*.plain !filter\n";
    repo.write(".gitattributes", attributes);
    repo.write("sub/.gitattributes", "*.bin text\n");
    for name in ["a.txt", "a.bin", "sub/a.bin", "a.id", "a.lfs", "a.asset", "a.crypt"] {
        repo.write(name, name);
    }
    repo.write("a.u16", b"\xff\xfex\0");
    std::os::unix::fs::symlink("a.txt", repo.path().join("link")).unwrap();
    let commit = repo.commit_all("first");
    let opened = repo.open();
    let snapshot = of_revision(&opened, &commit).unwrap();
    let mut normalizer = Normalizer::new(&opened, &snapshot).unwrap();
    use Conversion::{Lfs, NeedsContents, None, Program};
    let cases = [
        ("a.txt", 10, 10, None),
        ("a.txt", 9, 10, None),
        ("a.txt", 11, 10, NeedsContents),
        ("a.txt", 20, 10, NeedsContents),
        ("a.txt", 21, 10, None),
        ("a.txt", 1, 0, None),
        ("a.bin", 11, 10, None),
        ("sub/a.bin", 11, 10, NeedsContents),
        ("a.id", 11, 10, NeedsContents),
        ("a.id", 99, 10, NeedsContents),
        ("a.id", 10, 10, None),
        ("a.u16", 5, 10, NeedsContents),
        ("a.u16", 0, 10, None),
        ("a.lfs", 5_000_000, 130, Lfs),
        ("a.asset", 5_000_000, 130, Lfs),
        ("a.lfs", 5_000_000, 1024, None),
        ("a.crypt", 10, 10, Program("git-crypt".to_owned())),
        ("link", 11, 10, None),
        ("absent", 11, 10, None),
    ];
    for (name, image, git, expected) in cases {
        let path = RepoPath::clean(name.as_bytes());
        assert_eq!(normalizer.plausible(&path, image, Some(git)).unwrap(), expected, "{name} {image} {git}");
    }
    let path = RepoPath::clean(b"a.txt");
    assert_eq!(normalizer.plausible(&path, 1, Option::None).unwrap(), NeedsContents);
}

#[test]
fn attributes_are_the_revisions_own_and_those_of_info_win() {
    let repo = TestRepo::new();
    repo.write(".gitattributes", "*.x -text\n");
    repo.write("a.x", "1\n");
    let old = repo.commit_all("binary");
    repo.write(".gitattributes", "*.x text\n");
    let new = repo.commit_all("text");
    let path = RepoPath::clean(b"a.x");
    let converts = |commit| {
        let opened = repo.open();
        let snapshot = of_revision(&opened, commit).unwrap();
        Normalizer::new(&opened, &snapshot).unwrap().agrees(&path, b"1\r\n").unwrap().is_some()
    };
    assert_eq!((converts(&old), converts(&new)), (false, true));
    std::fs::write(repo.path().join(".git/info/attributes"), "a.x -text\n").unwrap();
    assert_eq!((converts(&old), converts(&new)), (false, false));
}

#[test]
fn a_large_file_agrees_with_its_pointer() {
    let repo = TestRepo::new();
    repo.write(".gitattributes", "*.dat filter=lfs diff=lfs merge=lfs -text\n");
    let large = b"imagine gigabytes";
    let digest = Digest::of(large);
    repo.write("a.dat", format!("version https://git-lfs.github.com/spec/v1\noid {digest}\nsize {}\n", large.len()));
    let commit = repo.commit_all("pointer");
    let opened = repo.open();
    let snapshot = of_revision(&opened, &commit).unwrap();
    let mut normalizer = Normalizer::new(&opened, &snapshot).unwrap();
    let path = RepoPath::clean(b"a.dat");
    let blob = snapshot.files[&path].blob;
    let plausible = normalizer.plausible(&path, large.len() as u64, opened.blob_size(blob).unwrap()).unwrap();
    assert_eq!(plausible, Conversion::Lfs);
    let pointer = normalizer.lfs_pointer(&opened.blob(blob, MAX_POINTER_BYTES).unwrap()).unwrap();
    assert_eq!(pointer, LfsPointer { digest, size: large.len() as u64 });
}

#[test]
fn no_configured_program_is_ever_run() {
    let repo = TestRepo::new();
    let marker = repo.beside("ran");
    let program = format!("touch '{}'; cat", marker.display());
    repo.write(".gitattributes", "* filter=evil text=auto diff=evil\n*.lfs filter=lfs\n");
    repo.write("file", "a\n");
    repo.write("file.lfs", "a\n");
    let commit = repo.commit_all("first");
    for key in
        ["filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "filter.lfs.clean", "filter.lfs.process"]
    {
        repo.git(&["config", key, &program]);
    }
    for key in ["core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass", "diff.evil.textconv"]
    {
        repo.git(&["config", key, &program]);
    }
    repo.git(&["config", "credential.helper", &format!("!{program}")]);
    repo.write("file", "changed\r\n");
    repo.write("file.lfs", "changed\r\n");

    for settings in [super::super::Settings::RepositoryOnly, super::super::Settings::User] {
        let opened = Repository::open_with(&repo.path(), settings).unwrap();
        let commit = opened.resolve(&commit.id).unwrap();
        for snapshot in [of_revision(&opened, &commit).unwrap(), of_worktree(&opened).unwrap()] {
            let mut normalizer = Normalizer::new(&opened, &snapshot).unwrap();
            for name in ["file", "file.lfs"] {
                let path = RepoPath::clean(name.as_bytes());
                normalizer.plausible(&path, 3, Some(2)).unwrap();
                normalizer.clean(&path, b"a\r\n").unwrap();
                normalizer.agrees(&path, b"a\r\n").unwrap();
            }
        }
    }
    assert!(!marker.exists());
    // Git itself does run it, so the marker would have been seen.
    repo.git(&["config", "--unset", "filter.evil.process"]);
    repo.git(&["hash-object", "file"]);
    assert!(marker.exists());
}
