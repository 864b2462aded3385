//! From lines of text to lines of instructions: directives, comments, continuations, here-documents.

use super::error::DockerfileError;
use super::words;

/// The instructions of a file as text, and the character that escapes in them.
pub(super) struct Script {
    pub(super) escape: char,
    pub(super) lines: Vec<Line>,
}

/// One instruction with its continuations, without the here-documents that follow it.
pub(super) struct Line {
    /// Where it begins, from 1.
    pub(super) number: usize,
    /// All of it, continuations joined as the builder joins them.
    pub(super) raw: String,
    /// The same for people: joined with one space.
    pub(super) text: String,
}

/// Reads a whole file.
pub(super) fn read(text: &str) -> Result<Script, DockerfileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let all: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches('\r')).collect();
    let mut reader = Reader { escape: escape_directive(&all)?, rest: &all, number: 0 };
    let mut lines = Vec::new();
    while let Some(line) = reader.next_instruction() {
        reader.skip_heredocs(&line)?;
        lines.push(line);
    }
    Ok(Script { escape: reader.escape, lines })
}

/// The value of `# escape=`. Directives stand first in the file; the first line that is none ends them.
fn escape_directive(lines: &[&str]) -> Result<char, DockerfileError> {
    let directives = lines.iter().enumerate().map_while(|(index, line)| Some((index, directive(line)?)));
    match directives.into_iter().find(|(_, (key, _))| key == "escape") {
        None | Some((_, (_, "\\"))) => Ok('\\'),
        Some((_, (_, "`"))) => Ok('`'),
        Some((index, (_, found))) => Err(DockerfileError::MalformedEscape { line: index + 1, found: found.to_owned() }),
    }
}

fn directive(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.trim_start().strip_prefix('#')?.split_once('=')?;
    let key = key.trim().to_ascii_lowercase();
    (matches!(key.as_str(), "syntax" | "escape" | "check") && !value.trim().is_empty()).then(|| (key, value.trim()))
}

struct Reader<'t> {
    escape: char,
    rest: &'t [&'t str],
    number: usize,
}

impl<'t> Reader<'t> {
    fn next_line(&mut self) -> Option<&'t str> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        self.number += 1;
        Some(first)
    }

    /// The next line that is neither empty nor a comment, also in the middle of an instruction.
    fn next_content(&mut self) -> Option<&'t str> {
        loop {
            let line = self.next_line()?;
            if !line.trim_start().is_empty() && !line.trim_start().starts_with('#') {
                return Some(line);
            }
        }
    }

    fn next_instruction(&mut self) -> Option<Line> {
        let mut piece = self.next_content()?.trim_start();
        let mut line = Line { number: self.number, raw: String::new(), text: String::new() };
        while let Some(body) = self.continued(piece) {
            line.push(body);
            match self.next_content() {
                Some(next) => piece = next,
                None => return Some(line),
            }
        }
        line.push(piece);
        Some(line)
    }

    /// The part of a line before the escape character that continues it. Two of them continue nothing.
    fn continued(&self, piece: &'t str) -> Option<&'t str> {
        let body = piece.trim_end_matches([' ', '\t']).strip_suffix(self.escape)?;
        (!body.ends_with(self.escape)).then_some(body)
    }

    fn skip_heredocs(&mut self, line: &Line) -> Result<(), DockerfileError> {
        for heredoc in words::heredocs(&line.raw) {
            match self.rest.iter().position(|body| heredoc.closes(body)) {
                Some(index) => {
                    self.rest = &self.rest[index + 1..];
                    self.number += index + 1;
                }
                // `$(( 1 << 2 ))` looks like a here-document to newer builders only.
                None if heredoc.spaced => {}
                None => return Err(DockerfileError::OpenHeredoc { line: line.number, delimiter: heredoc.delimiter }),
            }
        }
        Ok(())
    }
}

impl Line {
    fn push(&mut self, piece: &str) {
        self.raw.push_str(piece);
        if !self.text.is_empty() && !piece.trim().is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(piece.trim());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instructions(text: &str) -> Vec<(usize, String)> {
        read(text).unwrap().lines.into_iter().map(|line| (line.number, line.text)).collect()
    }

    #[test]
    fn lines_become_instructions() {
        let table: [(&str, &[(usize, &str)]); 16] = [
            ("", &[]),
            ("# a\n\n  # b\n", &[]),
            ("FROM x\r\nCOPY a b\r\n", &[(1, "FROM x"), (2, "COPY a b")]),
            ("\u{feff}FROM x", &[(1, "FROM x")]),
            ("  COPY a b  ", &[(1, "COPY a b")]),
            ("COPY a \\\n   b \\ \t\n c\nX", &[(1, "COPY a b c"), (4, "X")]),
            ("COPY a \\\n# comment \\\n\n  # more\n b\nX", &[(1, "COPY a b"), (6, "X")]),
            ("COPY a b\\\\\nX", &[(1, "COPY a b\\\\"), (2, "X")]),
            ("COPY a b \\", &[(1, "COPY a b")]),
            ("RUN echo # not a comment", &[(1, "RUN echo # not a comment")]),
            ("# escape=`\nCOPY a `\nb\\\nX", &[(2, "COPY a b\\"), (4, "X")]),
            ("# syntax=docker/dockerfile:1\n#ESCAPE = `\nA `\nb", &[(3, "A b")]),
            ("# note\n# escape=`\nA `\nb", &[(3, "A `"), (4, "b")]),
            ("\n# escape=`\nA `\nb", &[(3, "A `"), (4, "b")]),
            ("FROM x\n# escape=`\nA \\\nb", &[(1, "FROM x"), (3, "A b")]),
            ("# unknown=1\n# escape=`\nA \\\nb", &[(3, "A b")]),
        ];
        for (text, expected) in table {
            let expected: Vec<_> = expected.iter().map(|&(number, text)| (number, text.to_owned())).collect();
            assert_eq!(instructions(text), expected, "{text:?}");
        }
    }

    #[test]
    fn continuations_keep_their_white_space_for_the_builder() {
        assert_eq!(read("ENV A=b\\\nc\\\n  d").unwrap().lines[0].raw, "ENV A=bc  d");
    }

    #[test]
    fn here_documents_are_not_instructions() {
        let table: [(&str, &[usize]); 17] = [
            ("RUN <<EOF\nCOPY a b\nEOF\nX", &[1, 4]),
            ("RUN <<EOF\nEOF2\n EOF\nEOF\nX", &[1, 5]),
            ("RUN <<EOF\n\tEOF\nEOF\nX", &[1, 4]),
            ("RUN <<-EOF\n\tCOPY\n\t\tEOF\nX", &[1, 4]),
            ("run cat <<'E' > x\n# y\n\nE\nX", &[1, 5]),
            ("COPY <<\"E F\" /x\nb\nE F\nX", &[1, 4]),
            ("COPY --chown=1 <<a <<b /x/\n1\na\n2\nb\nX", &[1, 6]),
            ("COPY \\\n <<EOF /x\nb\\\nEOF\nX", &[1, 5]),
            ("ONBUILD RUN <<EOF\nX\nEOF\nX", &[1, 4]),
            ("RUN 3<<EOF\nX\r\nEOF\r\nX", &[1, 4]),
            ("RUN cat << EOF\nX\nEOF\nX", &[1, 4]),
            ("RUN echo $(( 1 << 2 ))\nX", &[1, 2]),
            ("RUN echo $((1<<2))\nX", &[1, 2]),
            ("RUN cat <<<word\nX", &[1, 2]),
            ("RUN [\"cat\", \"<<EOF\"]\nX", &[1, 2]),
            ("RUN echo 'a <<EOF'\nX", &[1, 2]),
            ("LABEL a=<<EOF b\nX", &[1, 2]),
        ];
        for (text, expected) in table {
            let lines: Vec<_> = instructions(text).into_iter().map(|(number, _)| number).collect();
            assert_eq!(lines, expected, "{text:?}");
        }
    }

    #[test]
    fn an_escape_directive_names_one_of_two_characters() {
        let error = read("# syntax=x\n# escape=^\nFROM x").err().unwrap();
        assert_eq!(error, DockerfileError::MalformedEscape { line: 2, found: "^".to_owned() });
    }
}
