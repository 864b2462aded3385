//! Requirements as pip reads them from a file, one a line: PEP 508 names, PEP 440 versions, and of markers those that
//! an image decides. What says more than that is left out and counted.

use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

/// One declared package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Requirement {
    /// Normalised (PEP 503).
    pub(super) name: String,
    pub(super) versions: VersionSpecifiers,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Requirement(Requirement),
    /// Another file, by its name.
    Include(String),
    /// Nothing for this image.
    Nothing,
    /// Not read here.
    Unclear,
}

/// The same name in the same spelling (PEP 503).
pub(super) fn normalized(name: &str) -> String {
    let parts: Vec<&str> = name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
    parts.join("-").to_lowercase()
}

/// Reads a file; `python` is the image's version where it is known, `machine` what `platform_machine` is there.
pub(super) fn parse(text: &str, python: Option<&Version>, machine: &str) -> Vec<Line> {
    let joined = text.trim_start_matches('\u{feff}').replace("\\\r\n", " ").replace("\\\n", " ");
    joined.lines().map(|line| parse_line(line, python, machine)).collect()
}

/// Reads one line, or one entry of `dependencies` in `pyproject.toml`.
pub(super) fn parse_line(line: &str, python: Option<&Version>, machine: &str) -> Line {
    let line = line.trim();
    let line = if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or_default().trim() };
    if line.is_empty() {
        return Line::Nothing;
    }
    for option in ["--requirement=", "--requirement ", "-r "] {
        if let Some(name) = line.strip_prefix(option) {
            return Line::Include(name.trim().to_owned());
        }
    }
    if line.starts_with("-e") || line.starts_with("--editable") {
        return Line::Unclear;
    }
    if line.starts_with('-') {
        return Line::Nothing;
    }
    let (declared, marker) = line.split_once(';').unwrap_or((line, ""));
    let marker = marker.split(" --").next().unwrap_or_default();
    match applies(marker, python, machine) {
        Some(true) => {
            requirement(declared.split(" --").next().unwrap_or_default()).map_or(Line::Unclear, Line::Requirement)
        }
        Some(false) => Line::Nothing,
        None => Line::Unclear,
    }
}

fn requirement(text: &str) -> Option<Requirement> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    let text = text.trim();
    let end = text.find(|character| !is_name(character)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let mut rest = rest.trim();
    if rest.starts_with('[') {
        rest = rest.split_once(']')?.1.trim();
    }
    // A URL, a path, or something else.
    if name.is_empty() || rest.starts_with(['@', '/', ':', '$']) {
        return None;
    }
    let rest = rest.trim_start_matches('(').trim_end_matches(')');
    let versions = VersionSpecifiers::from_str(rest).ok()?;
    Some(Requirement { name: normalized(name), versions })
}

/// Whether a marker holds; `None` for one that is not read here. Of parts in `and` and `or` it takes one kind.
fn applies(marker: &str, python: Option<&Version>, machine: &str) -> Option<bool> {
    let marker = marker.trim();
    if marker.is_empty() {
        return Some(true);
    }
    if marker.contains(['(', ')']) {
        return None;
    }
    let (ands, ors): (Vec<&str>, Vec<&str>) = (marker.split(" and ").collect(), marker.split(" or ").collect());
    match (ands.len(), ors.len()) {
        (_, 1) => ands.iter().try_fold(true, |all, part| Some(compare(part, python, machine)? && all)),
        (1, _) => ors.iter().try_fold(false, |any, part| Some(compare(part, python, machine)? || any)),
        _ => None,
    }
}

fn compare(part: &str, python: Option<&Version>, machine: &str) -> Option<bool> {
    let part = part.trim();
    let end = part.find(|character: char| !character.is_ascii_alphanumeric() && character != '_')?;
    let (variable, rest) = part.split_at(end);
    let rest = rest.trim();
    let start = rest.find(['"', '\''])?;
    let (operator, value) = (rest[..start].trim(), rest[start..].trim_matches(['"', '\'']));
    let own = match variable {
        "python_version" => {
            let specifiers = VersionSpecifiers::from_str(&format!("{operator} {value}")).ok()?;
            return Some(specifiers.contains(python?));
        }
        "sys_platform" => "linux",
        "platform_system" => "Linux",
        "os_name" => "posix",
        "platform_machine" => machine,
        "implementation_name" => "cpython",
        "platform_python_implementation" => "CPython",
        _ => return None,
    };
    match operator {
        "==" => Some(own == value),
        "!=" => Some(own != value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        match parse_line(text, Some(&Version::new([3, 12])), "x86_64") {
            Line::Requirement(requirement) => format!("{} {}", requirement.name, requirement.versions),
            Line::Include(name) => format!("include {name}"),
            Line::Nothing => "nothing".to_owned(),
            Line::Unclear => "unclear".to_owned(),
        }
    }

    #[test]
    fn lines_are_read_as_pip_does() {
        let table = [
            ("Flask==3.0.0", "flask ==3.0.0"),
            ("zope.Interface_x >= 5, <6 # why", "zope-interface-x >=5, <6"),
            ("uvicorn[standard]~=0.30", "uvicorn ~=0.30"),
            ("a==1 --hash=sha256:00", "a ==1"),
            ("a; python_version < '3.9'", "nothing"),
            ("a; python_version >= \"3.9\" and sys_platform == 'linux'", "a "),
            ("a; sys_platform == 'win32' or os_name == 'nt'", "nothing"),
            ("a; platform_machine == 'x86_64'", "a "),
            ("a; extra == 'x'", "unclear"),
            ("a; (python_version < '3')", "unclear"),
            ("a @ https://x/y.whl", "unclear"),
            ("https://x/y.whl", "unclear"),
            ("./local", "unclear"),
            ("-e .", "unclear"),
            ("-r base.txt", "include base.txt"),
            ("-c constraints.txt", "nothing"),
            ("# a", "nothing"),
            ("", "nothing"),
        ];
        for (text, expected) in table {
            assert_eq!(line(text), expected, "{text}");
        }
        assert_eq!(parse("a==1 \\\n  --hash=x\nb", None, "").len(), 2);
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        let alphabet: Vec<char> = "a1.-_=<>~!;[](),'\" \\#@ré".chars().collect();
        let mut state = 3_u64;
        for _ in 0..50_000 {
            let mut text = String::new();
            for _ in 0..14 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push(alphabet[(state >> 33) as usize % alphabet.len()]);
            }
            let _ = line(&text);
        }
    }
}
