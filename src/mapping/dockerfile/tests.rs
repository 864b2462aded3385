use std::collections::BTreeMap;

use super::*;
use crate::mapping::step::{CopyStep, Origin};
use crate::path::ImagePath;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn resolve(text: &str, args: &[(&str, &str)], target: Option<&str>) -> Result<ResolvedStage, DockerfileError> {
    let (args, inherited_env) = (map(args), map(&[("BASE_DIR", "/base")]));
    let inherited_workdir = ImagePath::clean(b"/home");
    let build = BuildArguments { args: &args, target, inherited_env: &inherited_env, inherited_workdir };
    parse(text.as_bytes()).unwrap().resolve(&build)
}

/// `source,source > /destination/` for each step, `?line reason` for each that is unresolved.
fn shown(stage: &ResolvedStage) -> Vec<String> {
    let step = |step: &CopyStep| {
        let sources: Vec<_> = step.sources.iter().map(|source| String::from_utf8_lossy(source)).collect();
        let slash = if step.destination.slash && !step.destination.path.is_root() { "/" } else { "" };
        format!("{} > {}{slash}", sources.join(","), step.destination.path)
    };
    let unresolved = stage.unresolved.iter().map(|step| format!("?{} {}", step.line, step.reason));
    stage.steps.iter().map(step).chain(unresolved).collect()
}

#[test]
fn copies_are_substituted_and_made_absolute() {
    let table: [(&str, &[&str]); 31] = [
        ("COPY a b", &["a > /home/b"]),
        ("copy ./a/ /b/", &["a > /b/"]),
        ("COPY . .", &[" > /home/"]),
        ("COPY a b c /d/", &["a,b,c > /d/"]),
        ("COPY /a ../b ../../c/../d /e/", &["a,b,d > /e/"]),
        ("COPY [\"a b\", \"/c d/\"]", &["a b > /c d/"]),
        ("COPY [\"$BASE_DIR\", \"/c\"]", &["base > /c"]),
        ("COPY \"a.txt\" '/b'", &["a.txt > /b"]),
        ("COPY a* b?[c-d] /e/", &["a*,b?[c-d] > /e/"]),
        ("COPY \\$BASE_DIR /e", &["$BASE_DIR > /e"]),
        ("COPY --chown=$WHO --chmod=644 --link a /b", &["a > /b"]),
        ("WORKDIR /app\nCOPY a b", &["a > /app/b"]),
        ("WORKDIR app\nWORKDIR ../x/.\nCOPY a ./", &["a > /home/x/"]),
        ("WORKDIR $BASE_DIR/x\nCOPY a b", &["a > /base/x/b"]),
        ("ENV D=/d\nENV E $D/e f\nCOPY a $E", &["a > /d/e f"]),
        ("ENV A=1 B=$A\nCOPY a /$B", &["?3 no value is known for the variable `B`"]),
        ("ENV A=0\nENV A=1 B=$A\nCOPY a /$B", &["a > /0"]),
        ("ARG A=1 B=$A\nCOPY a /$B", &["a > /1"]),
        ("ARG A=1\nENV A=2\nCOPY a /$A", &["a > /2"]),
        ("ENV A='b c'\nCOPY a /$A/", &["a > /b c/"]),
        ("ARG A\nCOPY $A /x", &["?3 no value is known for the variable `A`"]),
        ("ARG A\nCOPY ${A:-d} /x", &["d > /x"]),
        ("COPY ${TARGETARCH} /x\nCOPY b /b", &["b > /b", "?2 no value is known for the variable `TARGETARCH`"]),
        ("ENV P=/x:$NONE\nCOPY a $P", &["?3 no value is known for the variable `P`"]),
        (
            "WORKDIR $NONE\nCOPY a b\nCOPY a /b\nWORKDIR /x\nCOPY a b",
            &[
                "a > /b",
                "a > /x/b",
                "?2 no value is known for the variable `NONE`",
                "?3 the working directory is not known",
            ],
        ),
        ("COPY --new=1 a /b", &["?2 the flag `--new` is not known"]),
        ("COPY \"a b\" /c", &["?2 `\"` is not closed"]),
        ("COPY ${BASE_DIR#/} /c", &["?2 the substitution of `${BASE_DIR…}` is not supported"]),
        ("ONBUILD COPY a b\nRUN COPY c d\nLABEL x=y", &[]),
        ("COPY \\\n# c\n  a \\\n\n  /b", &["a > /b"]),
        ("RUN <<EOF\nCOPY x y\nEOF\nCOPY a /b", &["a > /b"]),
    ];
    for (text, expected) in table {
        let stage = resolve(&format!("FROM image\n{text}"), &[], None).unwrap();
        assert_eq!(shown(&stage), expected, "{text}");
    }
}

#[test]
fn flags_and_sources_tell_where_a_copy_comes_from() {
    let table: [(&str, Origin, &[&str]); 11] = [
        ("COPY a /b", Origin::Context, &["a"]),
        ("COPY --from=build /a /b", Origin::Stage("build".into()), &["a"]),
        ("COPY --from=0 /a /b", Origin::Stage("0".into()), &["a"]),
        ("COPY --from=$NONE /a /b", Origin::Stage("$NONE".into()), &["a"]),
        ("COPY <<EOF /b\nx\nEOF", Origin::Inline, &[]),
        ("COPY --from=a <<EOF /b\nx\nEOF", Origin::Stage("a".into()), &[]),
        ("COPY <<'a.txt' <<b.txt /b/\nx\na.txt\ny\nb.txt", Origin::Inline, &[]),
        ("COPY a <<EOF /b/\nx\nEOF", Origin::Context, &["a"]),
        ("ADD https://example.com/a /b", Origin::Remote, &[]),
        ("ADD --keep-git-dir=true --checksum=x git@example.com:a/b.git#v1 /b", Origin::Remote, &[]),
        ("ADD a https://example.com/c /b/", Origin::Context, &["a"]),
    ];
    for (text, origin, sources) in table {
        let stage = resolve(&format!("FROM image\n{text}"), &[], None).unwrap();
        assert_eq!(stage.steps[0].origin, origin, "{text}");
        let sources: Vec<Vec<u8>> = sources.iter().map(|source| source.as_bytes().to_vec()).collect();
        assert_eq!(stage.steps[0].sources, sources, "{text}");
    }
}

#[test]
fn the_flags_that_matter_are_kept() {
    let text = "FROM x\nARG P=*.md\nCOPY --parents --exclude=$P --exclude='a b' ./x/./y/../z/*.py /a//./b /d/\n\
                COPY --parents=false x/./y /d\nADD --unpack=false a.tar /d/\nADD a.tar /d/";
    let steps = resolve(text, &[], None).unwrap().steps;
    assert!(steps[0].parents && !steps[1].parents);
    assert_eq!(steps[0].exclude, [b"*.md".to_vec(), b"a b".to_vec()]);
    assert_eq!(steps[0].sources, [b"x/./z/*.py".to_vec(), b"a/./b".to_vec()]);
    assert_eq!(steps[1].sources, [b"x/y".to_vec()]);
    assert_eq!(steps.iter().map(|step| step.unpack).collect::<Vec<_>>(), [false, false, false, true]);
    assert_eq!((steps[3].line, steps[3].text.as_str()), (6, "ADD a.tar /d/"));
}

#[test]
fn stages_inherit_from_the_stages_they_are_built_from() {
    let text = "ARG V=1\nARG BASE=First\n\
                FROM image AS first\nARG V\nENV D=/d$V\nWORKDIR $D\nCOPY a a\nCMD [\"one\"]\n\
                FROM image AS other\nCOPY o $D\nCOPY p /p$V\n\
                FROM --platform=linux/amd64 $BASE AS last\nCOPY --from=other /p p\nCOPY b b\nENTRYPOINT two";
    let last = resolve(text, &[], None).unwrap();
    assert_eq!(shown(&last), ["a > /d1/a", "p > /d1/p", "b > /d1/b"]);
    assert_eq!(last.workdir, Some(ImagePath::clean(b"/d1")));
    assert_eq!((last.command, last.entrypoint), (None, Some(Command::Shell("two".to_owned()))));

    let first = resolve(text, &[("V", "2"), ("UNDECLARED", "3")], Some("FIRST")).unwrap();
    assert_eq!(shown(&first), ["a > /d2/a"]);
    assert_eq!(first.command, Some(Command::Exec(vec!["one".to_owned()])));

    let unknown = ["D", "V"].map(|name| format!("no value is known for the variable `{name}`"));
    let other = resolve(text, &[], Some("1")).unwrap();
    assert_eq!(shown(&other), [format!("?10 {}", unknown[0]), format!("?11 {}", unknown[1])]);

    assert_eq!(resolve(text, &[], Some("none")), Err(DockerfileError::UnknownTarget("none".to_owned())));
    assert_eq!(resolve(text, &[], Some("3")), Err(DockerfileError::UnknownTarget("3".to_owned())));
}

#[test]
fn an_entrypoint_drops_the_command_of_the_base_alone() {
    let table = [
        ("FROM x\nCMD a\nENTRYPOINT b", Some("a")),
        ("FROM x\nENTRYPOINT b\nCMD a", Some("a")),
        ("FROM x AS y\nCMD a\nFROM y\nENTRYPOINT b", None),
        ("FROM x AS y\nENTRYPOINT b\nFROM y\nCMD a", Some("a")),
    ];
    for (text, expected) in table {
        let command = resolve(text, &[], None).unwrap().command;
        assert_eq!(command, expected.map(|line| Command::Shell(line.to_owned())), "{text}");
    }
}

#[test]
fn build_arguments_reach_only_what_is_declared() {
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);
    let table: [Case; 5] = [
        ("FROM x\nCOPY a /${A:-none}", &[("A", "1")], &["a > /none"]),
        ("FROM x\nARG A=0\nCOPY a /$A", &[("A", "1")], &["a > /1"]),
        ("FROM x\nARG A\nCOPY a /$A", &[("A", "1")], &["a > /1"]),
        ("ARG A=0\nFROM x\nCOPY a /${A:-none}", &[], &["a > /none"]),
        ("ARG A=0\nFROM x\nARG A=5\nCOPY a /$A", &[], &["a > /5"]),
    ];
    for (text, args, expected) in table {
        assert_eq!(shown(&resolve(text, args, None).unwrap()), expected, "{text}");
    }
}

#[test]
fn a_base_that_may_be_a_stage_is_reported() {
    let text = "ARG BASE\nFROM x AS a\nCOPY a /a\nFROM $BASE\nCOPY b /b";
    let unknown = resolve(text, &[], None).unwrap();
    assert_eq!(shown(&unknown), ["b > /b", "?4 no value is known for the variable `BASE`"]);
    assert_eq!(shown(&resolve(text, &[("BASE", "a")], None).unwrap()), ["a > /a", "b > /b"]);
    let image_only = "ARG BASE\nFROM $BASE\nCOPY b /b";
    assert_eq!(shown(&resolve(image_only, &[], None).unwrap()), ["b > /b"]);
}

#[test]
fn a_stage_named_like_its_own_image_is_not_its_own_base() {
    let stage = resolve("FROM python AS python\nCOPY a /a\nFROM python\nCOPY b /b", &[], None).unwrap();
    assert_eq!(shown(&stage), ["a > /a", "b > /b"]);
}

#[test]
fn errors_name_the_line() {
    let table: [(&[u8], &str); 9] = [
        (b"", "the Dockerfile has no FROM instruction"),
        (b"ARG X=1\n# FROM y", "the Dockerfile has no FROM instruction"),
        (b"\nCOPY a b\nFROM x", "line 2: only ARG may stand before the first FROM"),
        (b"FROM x\n\nCOPY a", "line 3: COPY needs a source and a destination"),
        (b"FROM x\nADD \\\n\n --chown=1 \\\n a", "line 2: ADD needs a source and a destination"),
        (b"FROM x\nCOPY [1, 2]", "line 2: COPY needs a source and a destination"),
        (b"FROM", "line 1: FROM needs an image, and after it nothing but `AS name`"),
        (b"FROM x AS", "line 1: FROM needs an image, and after it nothing but `AS name`"),
        (b"FROM x\nRUN <<EOF\nfoo", "line 2: the here-document `EOF` is never closed"),
    ];
    for (text, expected) in table {
        let shown = String::from_utf8_lossy(text);
        assert_eq!(parse(text).unwrap_err().to_string(), expected, "{shown}");
    }
}

#[test]
fn bytes_that_are_not_utf8_do_no_harm_in_a_comment() {
    assert!(parse(b"# caf\xe9\nFROM x").is_ok());
}

#[test]
fn variables_that_double_end_somewhere() {
    let doubled = format!("FROM x\nENV A=0123456789\n{}COPY $A /x\nCOPY b /b", "ENV A=$A$A\n".repeat(80));
    let stage = resolve(&doubled, &[], None).unwrap();
    assert_eq!(shown(&stage), ["b > /b", "?83 no value is known for the variable `A`"]);

    let many = format!("FROM x\nENV A={}\nCOPY {}/x/", "a".repeat(1 << 16), "$A ".repeat(100));
    let expected = ["?3 there are more bytes in the values of variables than any build has"];
    assert_eq!(shown(&resolve(&many, &[], None).unwrap()), expected);
}

#[test]
fn working_directories_and_sources_end_somewhere() {
    let deep = format!("FROM x\n{}COPY a b\nCOPY a /b", format!("WORKDIR {}\n", "x".repeat(1000)).repeat(5));
    let stage = resolve(&deep, &[], None).unwrap();
    assert_eq!(shown(&stage), ["a > /b", "?7 the working directory is not known"]);

    let long = format!("FROM x\nCOPY a /{}", "x".repeat(5000));
    let stage = resolve(&long, &[], None).unwrap();
    assert_eq!(shown(&stage), ["?2 there are more bytes in a path than any build has"]);

    let many = format!("FROM x\n{}", "COPY a /x\n".repeat(5000));
    let stage = resolve(&many, &[], None).unwrap();
    assert_eq!((stage.steps.len(), stage.unresolved.len()), (4096, 904));
    assert_eq!(stage.unresolved[0].reason.to_string(), "there are more sources of copies than any build has");
}
