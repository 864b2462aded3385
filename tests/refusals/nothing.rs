//! Comparisons of nothing.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::cli::Shipproof;
use crate::support::images::{Image, Layout};

use super::stage::{Case, check_all, good, laid_out, repository};

#[test]
fn comparisons_that_would_be_of_nothing() {
    let repo = repository();
    let (_folder, reference) = good();
    let (_other, other) = laid_out(&Layout::with("v1", &Image::of("f srv/other.rb 0644 puts 'another program'\\n")));
    let (_empty, empty) = laid_out(&Layout::with("v1", &Image::new()));
    let (_alike, alike) = laid_out(&Layout::with("v1", &Image::of("f srv/__init__.py 0644 \nf srv/LICENSE 0644 MIT")));
    let case = |what, kind| Case::new(what, &reference, kind);
    let cases = [
        Case::new("an image of another program", &other, "no-mapping").names(&["no directory of the image", "--map"]),
        Case::new("an image without files", &empty, "no-mapping").names(&["no directory of the image"]),
        Case::new("an image with what everybody has", &alike, "no-mapping").names(&["no directory of the image"]),
        Case::new("a mapping to nothing", &other, "nothing-compared")
            .flags(&["--map", "/srv=."])
            .names(&["none of the 3"]),
        case("a mapping without a sign", "usage")
            .flags(&["--map", "/app"])
            .names(&["--map /app", "IMAGE_DIR=REPO_DIR"]),
        case("a mapping from nothing", "usage").flags(&["--map", "=."]).names(&["--map =."]),
        case("a mapping of nothing", "usage").flags(&["--map", "/app="]).names(&["--map /app="]),
        case("a mapping of no folder", "no-mapping").flags(&["--map", "/app=nowhere"]).names(&["nowhere"]),
        case("a Dockerfile that is not there", "no-mapping")
            .flags(&["--dockerfile", "no.Dockerfile"])
            .names(&["no.Dockerfile"]),
        case("a file that matches nothing", "no-such-file").flags(&["absent.py"]).names(&["`absent.py`"]),
        case("a path that matches nothing", "no-such-file").flags(&["shared/absent.py"]).names(&["`shared/absent.py`"]),
        case("an image path that matches nothing", "no-such-file")
            .flags(&["/app/absent.py"])
            .names(&["`/app/absent.py`"]),
        case("a glob that matches nothing", "no-such-file").flags(&["*.rb"]).names(&["`*.rb`"]),
        case("one of two that matches nothing", "no-such-file")
            .flags(&["main.py", "absent.py"])
            .names(&["`absent.py`"]),
        case("a glob that is none", "usage").flags(&["shared/[a"]).names(&["shared/[a"]),
        case("a file that is not mapped", "no-mapping")
            .flags(&["./main.py", "--map", "/app/shared=shared"])
            .names(&["`./main.py`"]),
    ];
    check_all(&repo, &cases);
}

#[test]
fn an_empty_list_of_files_is_not_all_of_them() {
    let repo = repository();
    let (_folder, reference) = good();
    let caller = Shipproof::new().directory(repo.path());
    for (list, code) in [("", 2), ("\n\n", 2), ("absent.py\n", 2), ("main.py\r\n", 0)] {
        let mut command = caller.command();
        command.args(["verify", &reference, "-", "--quiet"]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the program starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(list.as_bytes()).expect("the program reads its list");
        drop(stdin);
        let output = child.wait_with_output().expect("the program ends");
        assert_eq!(output.status.code(), Some(code), "{list:?} {output:?}");
        assert!(code == 0 || output.stdout.is_empty() && output.stderr.starts_with(b"error: "), "{list:?} {output:?}");
    }
}
