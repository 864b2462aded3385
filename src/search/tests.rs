use super::*;

fn query(pattern: &str) -> Query {
    Query {
        pattern: pattern.to_owned(),
        ignore_case: false,
        fixed_strings: false,
        words: false,
        before: 0,
        after: 0,
        depth: Depth::Lines,
    }
}

/// The lines found, as `number:text`, contexts with `-`, gaps as `--`; or the outcome that is none.
fn found(query: &Query, text: &[u8]) -> Result<Vec<String>, Option<Outcome>> {
    let mut search = Search::new(query).unwrap();
    let mut results = Results::default();
    let hits = match search.one(&mut &text[..], &mut results.spool).unwrap() {
        Some(Outcome::Found(hits)) => hits,
        other => return Err(other),
    };
    let mut lines = Vec::new();
    let show = |line: Line| match line.role {
        Role::Match => format!("{}:{}", line.number, String::from_utf8_lossy(&line.text)),
        Role::Context => format!("{}-{}", line.number, String::from_utf8_lossy(&line.text)),
        Role::Gap => "--".to_owned(),
    };
    results
        .lines(&hits, &mut |line| {
            lines.push(show(line));
            Ok(())
        })
        .unwrap();
    Ok(lines)
}

#[test]
fn each_flag_does_what_grep_does() {
    let text = b"one\nTwo two\nthree a.c\nabc\n\nlast";
    let table: [(Query, &[&str]); 7] = [
        (query("^t"), &["3:three a.c"]),
        (Query { ignore_case: true, ..query("TWO") }, &["2:Two two"]),
        (Query { fixed_strings: true, ..query("a.c") }, &["3:three a.c"]),
        (query("a.c"), &["3:three a.c", "4:abc"]),
        (Query { words: true, ..query("[a-z]c") }, &[]),
        (Query { before: 1, after: 1, ..query("one|last") }, &["1:one", "2-Two two", "--", "5-", "6:last"]),
        (query("^$"), &["5:"]),
    ];
    for (query, expected) in table {
        assert_eq!(found(&query, text).unwrap_or_default(), expected, "{query:?}");
    }
}

#[test]
fn what_is_no_text_is_not_searched() {
    assert_eq!(found(&query("x"), b"x\n\0"), Err(Some(Outcome::Binary)));
    let late = [b"x\n".repeat(100_000), vec![0]].concat();
    assert_eq!(found(&query("x"), &late), Err(Some(Outcome::Binary)));
    assert_eq!(found(&query("y"), b"x\n"), Err(None));
    // UTF-16 with its mark is text.
    assert_eq!(found(&query("x"), b"\xff\xfex\0\n\0").unwrap(), ["1:x"]);
    let line = vec![b'x'; limits::SEARCHED_LINE_BYTES + 1];
    assert!(matches!(found(&query("y"), &line), Err(Some(Outcome::Unsearched(_)))));
}

#[test]
fn counting_keeps_no_lines() {
    let mut spool = Spool::default();
    let mut search = Search::new(&Query { depth: Depth::Count, after: 2, ..query("x") }).unwrap();
    let outcome = search.one(&mut &b"x\nx\nx\n"[..], &mut spool).unwrap();
    assert_eq!(outcome, Some(Outcome::Found(Hits { count: 3, lines: 0..0 })));
}

#[test]
fn a_bad_pattern_is_named() {
    let error = Search::new(&query("a(")).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.starts_with("`a(` is no regular expression: "), "{error}");
    assert!(Search::new(&Query { fixed_strings: true, ..query("a(") }).is_ok());
}
