use super::*;
use crate::mapping::dockerfile::{self, BuildArguments};
use crate::mapping::dockerignore;

const REPOSITORY: [&str; 22] = [
    "README.md",
    "build.tar.gz",
    "foo1/foo2/bar",
    "foo1/foo2/baz",
    "home.md",
    "home.txt",
    "homes/a.txt",
    "homes/b/c.py",
    "main.py",
    "other/main.py",
    "other/x.TGZ",
    "services/api/Dockerfile",
    "services/api/app.py",
    "services/api/secrets/key.pem",
    "shared/__init__.py",
    "shared/monitoring/heartbeat.py",
    "shared/monitoring/test_heartbeat.py",
    "shared.txt",
    "x/a.txt",
    "x/y/a.txt",
    "x/y/z/a.md",
    "y/a.txt",
];

fn run(text: &str, directory: &str, ignore: &str, image_directories: &[&str]) -> Copies {
    let none = BTreeMap::new();
    let workdir = ImagePath::clean(b"/app");
    let build = BuildArguments { args: &none, target: None, inherited_env: &none, inherited_workdir: workdir };
    let stage = dockerfile::parse(format!("FROM x\n{text}").as_bytes()).unwrap().resolve(&build).unwrap();
    assert_eq!(stage.unresolved, [], "{text}");
    let files = REPOSITORY.map(|path| RepoPath::clean(path.as_bytes()));
    let is_directory = |path: &ImagePath| image_directories.contains(&path.to_string().as_str());
    let (directory, ignore) = (RepoPath::clean(directory.as_bytes()), dockerignore::parse(ignore.as_bytes()));
    let context = BuildContext { directory: &directory, ignore: &ignore, is_directory: &is_directory };
    expected(&stage.steps, &files, &context).unwrap()
}

/// `/image/path < repository/path` for each file.
fn shown(copies: &Copies) -> Vec<String> {
    copies.files.iter().map(|(target, file)| format!("{target} < {}", file.source)).collect()
}

fn pairs(copies: &Copies) -> Vec<String> {
    let pair = |pair: &CopiedDirectory| format!("{}: {} < {}", pair.step, pair.destination, pair.source);
    copies.directories.iter().map(pair).collect()
}

#[test]
fn files_become_the_destination_or_go_below_it() {
    let table: [(&str, &[&str]); 17] = [
        ("COPY main.py /x", &["/x < main.py"]),
        ("COPY main.py /x/", &["/x/main.py < main.py"]),
        ("COPY main.py .", &["/app/main.py < main.py"]),
        ("COPY main.py ./", &["/app/main.py < main.py"]),
        ("COPY main.py /", &["/main.py < main.py"]),
        ("COPY main.py /directory", &["/directory/main.py < main.py"]),
        ("COPY main.py home.md /x/", &["/x/home.md < home.md", "/x/main.py < main.py"]),
        ("COPY main.py home.md /x", &["/x < home.md"]),
        ("COPY main.p? /x", &["/x < main.py"]),
        ("COPY main.p? /x/", &["/x/main.py < main.py"]),
        ("COPY home.* /x/", &["/x/home.md < home.md", "/x/home.txt < home.txt"]),
        ("COPY home.* /directory", &["/directory/home.md < home.md", "/directory/home.txt < home.txt"]),
        ("COPY home.* /x", &["/x < home.txt"]),
        ("COPY other/main.py /x/", &["/x/main.py < other/main.py"]),
        ("COPY main.py other/main.py /x/", &["/x/main.py < other/main.py"]),
        ("COPY main.py /x/y\nCOPY home.md /x", &["/x/home.md < home.md", "/x/y < main.py"]),
        ("COPY --chown=1 main.py /x\nCOPY home.md /x", &["/x < home.md"]),
    ];
    for (text, expected) in table {
        assert_eq!(shown(&run(text, "", "", &["/directory"])), expected, "{text}");
    }
}

#[test]
fn directories_give_their_contents() {
    let shared = [
        "/x/__init__.py < shared/__init__.py",
        "/x/monitoring/heartbeat.py < shared/monitoring/heartbeat.py",
        "/x/monitoring/test_heartbeat.py < shared/monitoring/test_heartbeat.py",
    ];
    for text in ["COPY shared /x", "COPY shared/ /x", "COPY ./shared/. /x/", "COPY /shared /x", "ADD shared /x"] {
        let copies = run(text, "", "", &[]);
        assert_eq!(shown(&copies), shared, "{text}");
        assert_eq!(pairs(&copies), ["0: /x < shared"], "{text}");
    }
    let merged = run("COPY x y /z/", "", "", &[]);
    let expected = ["/z/a.txt < y/a.txt", "/z/y/a.txt < x/y/a.txt", "/z/y/z/a.md < x/y/z/a.md"];
    assert_eq!(shown(&merged), expected);
    assert_eq!(pairs(&merged), ["0: /z < x", "0: /z < y"]);
}

#[test]
fn the_whole_context_can_be_copied() {
    for text in ["COPY . .", "COPY . /app/", "COPY ./ ./", "COPY / /app"] {
        let copies = run(text, "", "", &[]);
        assert_eq!(copies.files.len(), REPOSITORY.len(), "{text}");
        assert!(copies.files.iter().all(|(target, file)| target.to_string() == format!("/app/{}", file.source)));
        assert_eq!(pairs(&copies), ["0: /app < ."], "{text}");
    }
}

#[test]
fn wildcards_match_names_and_open_directories() {
    let table: [(&str, &[&str], &[&str]); 5] = [
        (
            "COPY home* /x/",
            &["/x/a.txt < homes/a.txt", "/x/b/c.py < homes/b/c.py", "/x/home.md < home.md", "/x/home.txt < home.txt"],
            &["0: /x < homes"],
        ),
        ("COPY x/*/a.txt /z/", &["/z/a.txt < x/y/a.txt"], &[]),
        ("COPY */main.py /z/", &["/z/main.py < other/main.py"], &[]),
        ("COPY **/main.py /z/", &["/z/main.py < other/main.py"], &[]),
        (
            "COPY s*d/[^_]* /z/",
            &[
                "/z/heartbeat.py < shared/monitoring/heartbeat.py",
                "/z/test_heartbeat.py < shared/monitoring/test_heartbeat.py",
            ],
            &["0: /z < shared/monitoring"],
        ),
    ];
    for (text, files, directories) in table {
        let copies = run(text, "", "", &[]);
        assert_eq!(shown(&copies), files, "{text}");
        assert_eq!(pairs(&copies), directories, "{text}");
    }
}

#[test]
fn parents_are_repeated_after_the_pivot() {
    let table: [(&str, &[&str], &[&str]); 10] = [
        ("./x/a.txt ./y/a.txt /p/", &["/p/x/a.txt < x/a.txt", "/p/y/a.txt < y/a.txt"], &[]),
        ("foo1/foo2/bar /", &["/foo1/foo2/bar < foo1/foo2/bar"], &[]),
        ("foo1/foo2/ba* .", &["/app/foo1/foo2/bar < foo1/foo2/bar", "/app/foo1/foo2/baz < foo1/foo2/baz"], &[]),
        ("x/./y/*.txt /p", &["/p/y/a.txt < x/y/a.txt"], &[]),
        ("./x/**/*.txt /p/", &["/p/x/a.txt < x/a.txt", "/p/x/y/a.txt < x/y/a.txt"], &[]),
        ("x/./y /p", &["/p/y/a.txt < x/y/a.txt", "/p/y/z/a.md < x/y/z/a.md"], &["0: /p/y < x/y"]),
        ("*/./y /p", &["/p/y/a.txt < x/y/a.txt", "/p/y/z/a.md < x/y/z/a.md"], &["0: /p/y < x/y"]),
        ("x/./. /p", &["/p/a.txt < x/a.txt", "/p/y/a.txt < x/y/a.txt", "/p/y/z/a.md < x/y/z/a.md"], &["0: /p < x"]),
        ("x/./**/z /p", &["/p/y/z/a.md < x/y/z/a.md"], &["0: /p/y/z < x/y/z"]),
        ("x/y/z /p", &["/p/x/y/z/a.md < x/y/z/a.md"], &["0: /p/x/y/z < x/y/z"]),
    ];
    for (arguments, files, directories) in table {
        let copies = run(&format!("COPY --parents {arguments}"), "", "", &[]);
        assert_eq!(shown(&copies), files, "{arguments}");
        assert_eq!(pairs(&copies), directories, "{arguments}");
    }
}

#[test]
fn excluded_files_stay_out() {
    let table: [(&str, &[&str]); 7] = [
        ("COPY --exclude=*.txt home* /z/", &["/z/b/c.py < homes/b/c.py", "/z/home.md < home.md"]),
        ("COPY --exclude=*.txt --exclude=*.md home* /z/", &["/z/b/c.py < homes/b/c.py"]),
        ("COPY --exclude=*.txt x /z", &["/z/y/a.txt < x/y/a.txt", "/z/y/z/a.md < x/y/z/a.md"]),
        ("COPY --exclude=**/*.txt x /z", &["/z/y/z/a.md < x/y/z/a.md"]),
        ("COPY --exclude=y x /z", &["/z/a.txt < x/a.txt"]),
        ("COPY --exclude=x/y --parents x /z", &["/z/x/a.txt < x/a.txt"]),
        ("COPY --exclude=* x /z", &[]),
    ];
    for (text, expected) in table {
        let copies = run(text, "", "", &[]);
        assert_eq!(shown(&copies), expected, "{text}");
        assert_eq!(copies.absent, [], "{text}");
    }
}

#[test]
fn archives_are_unpacked_by_add_alone() {
    let unpacked = run("ADD build.tar.gz other/x.TGZ /x/", "", "", &[]);
    assert_eq!((shown(&unpacked), unpacked.absent.len()), (Vec::new(), 0));
    let sources: Vec<_> = unpacked.archives.iter().map(|archive| archive.source.to_string()).collect();
    assert_eq!(sources, ["build.tar.gz", "other/x.TGZ"]);
    let table: [(&str, &[&str]); 3] = [
        ("COPY build.tar.gz /x/", &["/x/build.tar.gz < build.tar.gz"]),
        ("ADD --unpack=false build.tar.gz /x/", &["/x/build.tar.gz < build.tar.gz"]),
        ("ADD other /x/", &["/x/main.py < other/main.py", "/x/x.TGZ < other/x.TGZ"]),
    ];
    for (text, expected) in table {
        assert_eq!(shown(&run(text, "", "", &[])), expected, "{text}");
    }
}

#[test]
fn the_context_is_a_directory_with_rules_of_its_own() {
    let copies = run("COPY . .\nCOPY ../../main.py /x/", "services/api", "secrets\n**/Dockerfile\n", &[]);
    assert_eq!(shown(&copies), ["/app/app.py < services/api/app.py"]);
    assert_eq!(pairs(&copies), ["0: /app < services/api"]);
    assert_eq!(copies.absent, [AbsentSources { step: 1, ignored: false }]);

    let copies = run("COPY shared/ ./shared/", "", "shared\n!shared/monitoring\n**/test_*\n", &[]);
    assert_eq!(shown(&copies), ["/app/shared/monitoring/heartbeat.py < shared/monitoring/heartbeat.py"]);
}

#[test]
fn steps_without_sources_are_reported() {
    let text = "COPY none /x\nCOPY --from=a none /x\nCOPY none main.py /x/\nCOPY shared /x\nCOPY no*ne /x\nCOPY [] /x\n\
                COPY --parents none/./a y/./none /x\nADD https://example.com/x /x\nCOPY <<E /x\nE";
    let copies = run(text, "", "shared\n", &[]);
    let absent = [(0, false), (3, true), (4, false), (5, false), (6, false)];
    assert_eq!(copies.absent, absent.map(|(step, ignored)| AbsentSources { step, ignored }));
    assert_eq!(shown(&copies), ["/x/main.py < main.py"]);
    assert_eq!(copies.files[&ImagePath::clean(b"x/main.py")].step, 2);
}

#[test]
fn later_steps_win() {
    let copies = run("COPY main.py /x/\nCOPY shared /y\nCOPY other /x", "", "", &[]);
    assert_eq!(copies.files[&ImagePath::clean(b"x/main.py")].source, RepoPath::clean(b"other/main.py"));
    assert_eq!(copies.files[&ImagePath::clean(b"x/main.py")].step, 2);
    assert_eq!(pairs(&copies), ["1: /y < shared", "2: /x < other"]);
}

#[test]
fn many_files_take_little_time() {
    let file = |index: usize| RepoPath::clean(format!("s{}/d{}/f{index}.py", index % 20, index % 300).as_bytes());
    let files: Vec<RepoPath> = (0..20_000).map(file).collect();
    let text = "FROM x\n".to_owned() + &"COPY . .\nCOPY s1 s2 /x/\nCOPY s*/d*/f1?.py /y/\n".repeat(5);
    let none = BTreeMap::new();
    let workdir = ImagePath::root();
    let build = BuildArguments { args: &none, target: None, inherited_env: &none, inherited_workdir: workdir };
    let steps = dockerfile::parse(text.as_bytes()).unwrap().resolve(&build).unwrap().steps;
    let ignore = dockerignore::parse("**/*.md\n**/__pycache__\nnode_modules\n!**/keep\n.git\n*.log\n".as_bytes());
    let root = RepoPath::root();
    let context = BuildContext { directory: &root, ignore: &ignore, is_directory: &|_| false };
    let start = std::time::Instant::now();
    assert_eq!(expected(&steps, &files, &context).unwrap().directories.len(), 15);
    // Without optimisation, on a busy machine; work that grew with the square of the files would take minutes.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

/// The history of a hostile image can have thousands of such steps.
#[test]
fn copies_without_end_are_stopped() {
    let files: Vec<RepoPath> = (0..10_000).map(|index| RepoPath::clean(format!("{index}").as_bytes())).collect();
    let none = BTreeMap::new();
    let workdir = ImagePath::root();
    let build = BuildArguments { args: &none, target: None, inherited_env: &none, inherited_workdir: workdir };
    let (root, ignore) = (RepoPath::root(), dockerignore::Dockerignore::default());
    let context = BuildContext { directory: &root, ignore: &ignore, is_directory: &|_| false };
    let copied = |text: String| {
        let steps = dockerfile::parse(text.as_bytes()).unwrap().resolve(&build).unwrap().steps;
        expected(&steps, &files, &context).map(|copies| copies.files.len())
    };
    assert_eq!(copied("FROM x\n".to_owned() + &"COPY . /a\n".repeat(100)), Ok(10_000));
    assert_eq!(copied("FROM x\n".to_owned() + &"COPY . /a\n".repeat(1000)), Err(TooManyFiles));
}
