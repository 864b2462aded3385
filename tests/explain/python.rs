//! Code that Python would run in place of the files that were compared.

use crate::story::{Story, file};
use crate::support::images::Image;
use crate::support::scene::{below, buildkit, text};

const TIME: u32 = 1_700_000_000;

/// The header of bytecode with these flags, for a source of `size` bytes that was changed at [`TIME`].
fn bytecode(flags: u32, size: usize) -> String {
    let size = u32::try_from(size).expect("sources are small");
    let bytes = [0x0a0d_0da7, flags, TIME, size].map(u32::to_le_bytes).concat();
    bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

/// An image whose first step left `old`, and whose `main.py` is that of `main`, changed at [`TIME`].
fn over(story: &Story, old: &str, main: &str) -> Image {
    let timed = story.lines(main, "main.py").replace("f app", &format!("pax:mtime={TIME}.5 f app"));
    let shared = story.lines("HEAD", "shared");
    buildkit(&[("RUN pip install .", old), ("COPY shared/ ./shared/", &shared), ("COPY main.py ./", &timed)])
}

#[test]
fn files_that_agree_may_still_not_run() {
    let story = Story::new();
    let size = "# this is version 2 of main.py\n".len();
    let pyc = |flags, size| format!("f app/__pycache__/main.cpython-311.pyc 0644 {}\n", bytecode(flags, size));
    let installed = "usr/lib/python3.11/site-packages";
    let copy = |version| below(installed, &file("shared/a.py", version));
    let taken = "/app/__pycache__/main.cpython-311.pyc was compiled before layer 3 replaced /app/main.py";
    let older = format!("/{installed}/shared/a.py is another version of /app/shared/a.py");
    let table = [
        ("of the time and size of the source", pyc(0, size), vec![taken]),
        ("of another size", pyc(0, size + 1), vec![]),
        ("unchecked", pyc(1, 7), vec![taken]),
        ("checked by Python", pyc(3, size), vec![]),
        ("an older copy", copy(1), vec![older.as_str()]),
        ("an equal copy", copy(3), vec![]),
        ("another package's module of that name", copy(9), vec![]),
    ];
    for (name, old, expected) in table {
        let image = story.scene.image(&over(&story, &old, "HEAD"));
        let report = story.scene.report(&image, &[], "match");
        let warnings: Vec<String> = report["warnings"].as_array().expect("warnings").iter().map(text).collect();
        assert_eq!(warnings.len(), expected.len(), "{name}: {warnings:#?}");
        for (warning, start) in warnings.iter().zip(expected) {
            assert!(warning.starts_with(start), "{name}: {warning}");
        }
    }
}

#[test]
fn what_runs_instead_is_evidence_where_files_differ() {
    let story = Story::new();
    let old = "f usr/lib/python3/dist-packages/shared/a.py 0644 # this is version 1 of shared/a.py\\n\n\
               f app/main.pyc 0644 code without its source\n";
    let shared = story.lines(&story.ids[4], "shared");
    let image = buildkit(&[("RUN pip install .", old), ("COPY shared/ ./shared/", &shared), ("COPY main.py ./", "")]);
    let image = story.scene.image(&image);
    let report = story.scene.report(&image, &[], "mismatch");
    let evidence = report["cause"]["evidence"].to_string();
    for words in [
        "/usr/lib/python3/dist-packages/shared/a.py is another version of /app/shared/a.py",
        "/app/main.pyc is there without /app/main.py",
    ] {
        assert!(evidence.contains(words), "no `{words}` in {report:#}");
    }
    let warnings = report["warnings"].to_string();
    assert!(!warnings.contains("dist-packages"), "{report:#}");
}

#[test]
fn the_stages_to_run_anew_are_named() {
    let mut story = Story::new();
    let dockerfile =
        |from: &str| format!("f Dockerfile 0644 {from}\\nWORKDIR /app\\nCOPY shared/ ./shared/\\nCOPY main.py ./\\n\n");
    let table = [
        ("FROM python AS app", "(docker build --no-cache-filter app)"),
        ("FROM python", "(docker build --no-cache)"),
        (
            "FROM python AS deps\\nWORKDIR /app\\nCOPY main.py ./\\nFROM deps AS app",
            "(docker build --no-cache-filter deps,app)",
        ),
    ];
    for (from, command) in table {
        story.scene.repo.write(&dockerfile(from));
        story.scene.repo.commit(from);
        let image = story.scene.image(&story.image("HEAD", &story.ids[1]));
        let report = story.scene.report(&image, &["--dockerfile", "Dockerfile"], "mismatch");
        let hint = text(&report["cause"]["hint"]);
        assert!(report["cause"]["kind"] == "cached-layer" && hint.contains(command), "{from}: {report:#}");
    }
}
