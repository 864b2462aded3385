//! The form of the case files: see `testdata/layers/README.md`.

use super::shown::{shown, tree_of};
use super::support::images::Image;
use super::support::layers::Layer;
use super::support::unpacked::{Made, Tree};

/// The runtimes that every case speaks of.
pub(crate) const RUNTIMES: [&str; 2] = ["umoci", "podman"];

/// An image, the file system it must be, and what others make of it.
pub(crate) struct Case {
    pub(crate) image: Image,
    pub(crate) right: Expected,
    /// What each of [`RUNTIMES`] makes of it.
    pub(crate) others: [Expected; RUNTIMES.len()],
    /// Whether a pipe or a file without permissions is in it, which only root gets right.
    pub(crate) needs_root: bool,
}

/// What becomes of an image.
#[derive(Clone)]
pub(crate) enum Expected {
    /// A file system.
    Tree(Tree),
    /// A refusal with these words, or any where they are empty.
    Refusal(String),
}

impl Expected {
    /// What is wrong with what `name` made.
    pub(crate) fn check(&self, name: &str, made: &Made) -> Option<String> {
        let (right, expected) = match self {
            Self::Tree(tree) => (made.as_ref() == Ok(tree), shown(&Ok(tree.clone()))),
            Self::Refusal(words) => {
                (made.as_ref().is_err_and(|refusal| refusal.contains(words)), format!("    a refusal with `{words}`\n"))
            }
        };
        (!right).then(|| format!("{name} makes\n{}and the file says\n{expected}", shown(made)))
    }
}

/// A part of a file that begins with `== `: what follows that mark, and the lines below it.
type Section<'t> = (&'t str, String);

/// The lines before the first section.
#[derive(Default)]
struct Head<'t> {
    title: Option<&'t str>,
    source: Option<String>,
    why: Option<String>,
    runtimes: [Option<String>; RUNTIMES.len()],
}

/// Reads the text of a case file.
///
/// # Errors
/// What is wrong with it. An entry or a word of a layer that makes no sense is a panic that shows it.
pub(crate) fn parse(text: &str) -> Result<Case, String> {
    let (head, sections) = split(text);
    let head = parse_head(head)?;
    let title = head.title.filter(|title| !title.is_empty());
    title.ok_or("the first line is no title, `# …`")?;
    head.source.as_ref().ok_or("no `source:`")?;
    let layers = sections.iter().filter_map(|(mark, body)| Some((mark.strip_prefix("layer")?, body)));
    let layers: Vec<Layer> = layers.map(|(words, body)| Layer::described(words, body)).collect();
    let right = match section(&sections, "refused") {
        Some(words) => Expected::Refusal(words.trim().to_owned()),
        None => Expected::Tree(tree_of(section(&sections, "tree").ok_or("no `== tree` and no `== refused`")?)),
    };
    check_marks(&sections)?;
    let others = [other(&head, 0, &right, &sections)?, other(&head, 1, &right, &sections)?];
    let agreed = head.runtimes.iter().flatten().all(|said| said == "agrees");
    if agreed == head.why.is_some() {
        return Err("`why:` goes with runtimes that do not agree, and only with them".to_owned());
    }
    let image = layers.into_iter().enumerate();
    let image = image.fold(Image::new(), |image, (at, layer)| image.layer(&format!("COPY {at} /"), layer));
    let needs_root = text.lines().any(|line| line.starts_with("p ") || line.contains(" 0000"));
    Ok(Case { image, right, others, needs_root })
}

fn split(text: &str) -> (&str, Vec<Section<'_>>) {
    let mut parts = text.split("\n== ");
    let head = parts.next().unwrap_or_default();
    let section = |part| {
        let (mark, body) = str::split_once(part, '\n').unwrap_or((part, ""));
        (mark, body.to_owned())
    };
    (head, parts.map(section).collect())
}

fn section<'s>(sections: &'s [Section<'_>], name: &str) -> Option<&'s str> {
    sections.iter().find(|(mark, _)| *mark == name).map(|(_, body)| body.as_str())
}

/// Each mark is known, and none but layers come twice; a tree and a refusal exclude each other.
fn check_marks(sections: &[Section<'_>]) -> Result<(), String> {
    let others: Vec<&str> = sections.iter().map(|(mark, _)| *mark).filter(|mark| !is_layer(mark)).collect();
    for (at, mark) in others.iter().enumerate() {
        let named = mark.strip_prefix("tree ").is_some_and(|name| RUNTIMES.contains(&name));
        let known = at == 0 && ["tree", "refused"].contains(mark) || at > 0 && named;
        if !known || others[..at].contains(mark) {
            return Err(format!("`== {mark}` does not belong there"));
        }
    }
    Ok(())
}

fn is_layer(mark: &str) -> bool {
    mark == "layer" || mark.starts_with("layer ")
}

fn parse_head(head: &str) -> Result<Head<'_>, String> {
    let mut found = Head::default();
    let mut lines = head.lines().peekable();
    found.title = lines.next().and_then(|line| line.strip_prefix("# "));
    while let Some(line) = lines.next() {
        let Some((key, value)) = line.split_once(": ") else {
            if line.is_empty() {
                continue;
            }
            return Err(format!("`{line}` is no `key: value`"));
        };
        let mut value = value.to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with("  ")) {
            value = format!("{value} {}", more.trim());
        }
        let place = match RUNTIMES.iter().position(|name| *name == key) {
            Some(at) => &mut found.runtimes[at],
            None if key == "source" => &mut found.source,
            None if key == "why" => &mut found.why,
            None => return Err(format!("unknown key `{key}`")),
        };
        if place.replace(value).is_some() {
            return Err(format!("`{key}` comes twice"));
        }
    }
    Ok(found)
}

/// What the runtime at `at` makes of an image that is `right`.
fn other(head: &Head<'_>, at: usize, right: &Expected, sections: &[Section<'_>]) -> Result<Expected, String> {
    let name = RUNTIMES[at];
    let own = section(sections, &format!("tree {name}"));
    let said = head.runtimes[at].as_deref().ok_or_else(|| format!("no `{name}:`"))?;
    match (said, said.strip_prefix("refuses: "), own) {
        ("agrees", _, None) => Ok(match right {
            Expected::Tree(_) => right.clone(),
            Expected::Refusal(_) => Expected::Refusal(String::new()),
        }),
        ("another tree", _, Some(tree)) => Ok(Expected::Tree(tree_of(tree))),
        (_, Some(words), None) => Ok(Expected::Refusal(words.to_owned())),
        _ => Err(format!("`{name}: {said}` is neither `agrees` nor `refuses: …`, nor `another tree` with its section")),
    }
}
