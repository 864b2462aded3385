//! The classes of stacks that shipproof and a runtime take for something different, each with a way to write the same
//! image so that the runtime gets it right.
//!
//! A difference is of a class when shipproof makes the same of both writings, and the runtime makes that of the second
//! one. So nothing else can hide behind a class. `testdata/layers/README.md` says what we chose in each, and why.

use shipproof::path::ImagePath;
use shipproof::tree::{FileTree, NodeKind};

use super::ours::{file_tree, merged};
use super::stack::Stack;
use super::support::text::{Entry, Kind};
use super::support::unpacked::Made;

/// Who else unpacked a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runtime {
    Umoci,
    Podman,
}

/// A class: its name, whose it is, and the other writings, of which the first that means the same is taken.
struct Class {
    name: &'static str,
    runtimes: &'static [Runtime],
    rewrite: fn(&Stack) -> Vec<Stack>,
}

/// A path that random stacks do not have.
const OTHER_NAME: &str = "another-name";

const BOTH: &[Runtime] = &[Runtime::Umoci, Runtime::Podman];
const PODMAN: &[Runtime] = &[Runtime::Podman];

/// In the order in which they are tried.
const CLASSES: &[Class] = &[
    Class { name: "removal after an entry", runtimes: BOTH, rewrite: removals_first },
    Class { name: "hard link before its target", runtimes: BOTH, rewrite: links_last },
    Class { name: "hard link to what it replaces", runtimes: BOTH, rewrite: links_to_others },
    Class { name: "way through a link", runtimes: PODMAN, rewrite: real_paths },
    Class { name: "target through a link", runtimes: PODMAN, rewrite: real_targets },
    Class { name: "removal of nothing", runtimes: PODMAN, rewrite: without_idle_removals },
    Class { name: "entry below a file", runtimes: BOTH, rewrite: directories_for_files },
    Class { name: "duplicate", runtimes: PODMAN, rewrite: duplicates_in_layers },
    Class { name: "hard link with another mode", runtimes: PODMAN, rewrite: modes_of_targets },
];

/// Whether two sides are the same: a file system, or that there is none.
pub(crate) fn agree(one: &Made, other: &Made) -> bool {
    one == other || one.is_err() && other.is_err()
}

/// A stack as a runtime needs it, and what shipproof makes of that.
pub(crate) struct Written {
    pub(crate) stack: Stack,
    pub(crate) ours: Made,
    /// The classes that it is of.
    pub(crate) names: Vec<&'static str>,
}

/// `stack`, of which shipproof makes `ours`, as `runtime` needs it.
pub(crate) fn written_for(runtime: Runtime, stack: &Stack, ours: &Made) -> Written {
    let (mut stack, mut names) = (stack.clone(), Vec::new());
    let passable = if runtime == Runtime::Podman && ours.is_err() { without_circles(&stack) } else { None };
    names.extend(passable.is_some().then_some("removal behind a circle of links"));
    let ours = &passable.as_ref().map_or_else(|| ours.clone(), |stack| merged(&stack.layers()));
    stack = passable.unwrap_or(stack);
    for class in CLASSES.iter().filter(|class| class.runtimes.contains(&runtime)) {
        // Each entry can be of a class once, and a class adds one entry at most.
        let limit = 2 * stack.places().count();
        let mut rounds = 0;
        while let Some(better) = rewritten(class, &stack, ours).filter(|_| rounds < limit) {
            stack = better;
            rounds += 1;
        }
        names.extend((rounds > 0).then_some(class.name));
    }
    Written { stack, ours: ours.clone(), names }
}

/// Without the removals whose way leads in a circle. shipproof and umoci refuse them, to podman they remove nothing: the
/// one class in which the other writing does not mean the same.
fn without_circles(stack: &Stack) -> Option<Stack> {
    let is_refused = |place: &(usize, usize)| {
        let made = |with| merged(&stack.until(*place, with).layers());
        let circle = made(true).is_err_and(|refusal| refusal.contains("too many symbolic links"));
        is_removal(&stack.entry(*place)) && circle && made(false).is_ok()
    };
    // The first one hides those after it.
    let place = stack.places().find(is_refused)?;
    let less = without(stack, place);
    Some(without_circles(&less).unwrap_or(less))
}

fn rewritten(class: &Class, stack: &Stack, ours: &Made) -> Option<Stack> {
    let means_the_same = |other: &Stack| other != stack && agree(&merged(&other.layers()), ours);
    (class.rewrite)(stack).into_iter().find(means_the_same)
}

fn path_of(entry: &Entry) -> ImagePath {
    ImagePath::clean(&entry.path)
}

fn is_removal(entry: &Entry) -> bool {
    path_of(entry).file_name().is_some_and(|name| name.starts_with(b".wh."))
}

fn target_of(entry: &Entry) -> Option<ImagePath> {
    match &entry.kind {
        Kind::Hardlink(target) => Some(ImagePath::clean(target)),
        _ => None,
    }
}

fn escaped(path: &ImagePath) -> String {
    let byte = |byte: &u8| match byte {
        b'/' | b'.' | b'a'..=b'z' => char::from(*byte).to_string(),
        other => format!("\\x{other:02x}"),
    };
    path.as_bytes().iter().map(byte).collect()
}

/// Where `path` really is in what `stack` makes, with no symbolic link on the way.
fn found_in(stack: &Stack, path: &ImagePath) -> Option<ImagePath> {
    Some(file_tree(&stack.layers()).ok()?.entry(path).ok()??.path)
}

fn without(stack: &Stack, (layer, line): (usize, usize)) -> Stack {
    stack.changed(layer, |lines| drop(lines.remove(line)))
}

/// Whiteouts and opaque markers at the beginning of their layer.
fn removals_first(stack: &Stack) -> Vec<Stack> {
    let sorted = |layer: usize| {
        let (first, last): (Vec<usize>, Vec<usize>) =
            (0..stack.0[layer].len()).partition(|line| is_removal(&stack.entry((layer, *line))));
        first.into_iter().chain(last).map(|line| stack.0[layer][line].clone()).collect()
    };
    vec![Stack((0..stack.0.len()).map(sorted).collect())]
}

/// With a name of its own, gone in the next layer, for what a hard link to itself or into its own place links to.
fn links_to_others(stack: &Stack) -> Vec<Stack> {
    let replaces_its_target = |place: &(usize, usize)| {
        let entry = stack.entry(*place);
        let Some(target) = target_of(&entry) else { return false };
        let (path, until) = (path_of(&entry), stack.until(*place, true));
        let (after, own) = (found_in(&until, &target), found_in(&until, &path));
        // A target behind `no/../there` is not found, and looks like one that was replaced: that does no harm.
        let is_replaced =
            target.starts_with(&path) || after.is_none_or(|after| own.is_some_and(|own| own.starts_with(&after)));
        path.as_bytes() != OTHER_NAME.as_bytes() && is_replaced && merged(&until.layers()).is_ok()
    };
    let by_another_name = |(layer, line): (usize, usize)| {
        let entry = stack.entry((layer, line));
        let target = target_of(&entry).unwrap_or_default();
        let mut layers = stack.0.clone();
        let first = format!("h {OTHER_NAME} -> {}", escaped(&target));
        let second = format!("h {} -> {OTHER_NAME}", escaped(&path_of(&entry)));
        layers[layer].splice(line..=line, [first, second]);
        layers.insert(layer + 1, vec![format!("w .wh.{OTHER_NAME}")]);
        Stack(layers)
    };
    stack.places().filter(replaces_its_target).map(by_another_name).collect()
}

/// With a hard link whose target is not there yet at the end of its layer.
fn links_last(stack: &Stack) -> Vec<Stack> {
    let is_early = |place: &(usize, usize)| {
        if target_of(&stack.entry(*place)).is_none() {
            return false;
        }
        let [before, after] = [false, true].map(|with| merged(&stack.until(*place, with).layers()));
        before.is_ok() && after.is_err()
    };
    let last = |(layer, line): (usize, usize)| {
        stack.changed(layer, |lines| {
            let entry = lines.remove(line);
            lines.push(entry);
        })
    };
    stack.places().filter(is_early).map(last).collect()
}

/// With an entry for the directory that an entry needs where a file is.
fn directories_for_files(stack: &Stack) -> Vec<Stack> {
    let needed = |place: (usize, usize)| {
        let entry = stack.entry(place);
        if is_removal(&entry) || path_of(&entry).components().count() < 2 {
            return None;
        }
        let before = file_tree(&stack.until(place, false).layers()).ok()?;
        let after = file_tree(&stack.until(place, true).layers()).ok()?;
        let path = path_of(&entry);
        let mut parents: Vec<ImagePath> = std::iter::successors(path.parent(), ImagePath::parent).collect();
        parents.reverse();
        let blocked = parents.into_iter().find(|parent| {
            let is_directory = |tree: &FileTree| {
                let found = tree.entry(parent).ok().flatten();
                found.map(|found| matches!(tree.node(found.id).kind, NodeKind::Directory(_)))
            };
            is_directory(&before) == Some(false) && is_directory(&after) == Some(true)
        })?;
        let mode = after.node(after.entry(&blocked).ok()??.id).mode;
        let directory = format!("d {} {mode:04o}", escaped(&blocked));
        Some(stack.changed(place.0, |lines| lines.insert(place.1, directory)))
    };
    stack.places().filter_map(needed).collect()
}

/// Without a removal that removes nothing.
fn without_idle_removals(stack: &Stack) -> Vec<Stack> {
    let is_idle = |place: &(usize, usize)| {
        let made = |with| merged(&stack.until(*place, with).layers());
        is_removal(&stack.entry(*place)) && made(false).is_ok_and(|before| made(true) == Ok(before))
    };
    stack.places().filter(is_idle).map(|place| without(stack, place)).collect()
}

/// With a path's second entry, or what replaces a directory of its layer, and all that follows, in a layer of their own.
fn duplicates_in_layers(stack: &Stack) -> Vec<Stack> {
    let is_second = |&(layer, line): &(usize, usize)| {
        let entry = stack.entry((layer, line));
        let path = path_of(&entry);
        let earlier = (0..line).map(|before| path_of(&stack.entry((layer, before))));
        earlier.into_iter().any(|before| before == path || entry.kind != Kind::Directory && before.starts_with(&path))
    };
    let cut = |(layer, line): (usize, usize)| {
        let mut layers = stack.0.clone();
        let rest = layers[layer].split_off(line);
        layers.insert(layer + 1, rest);
        Stack(layers)
    };
    stack.places().filter(is_second).map(cut).collect()
}

/// With the mode of what it links to in a hard link's header.
fn modes_of_targets(stack: &Stack) -> Vec<Stack> {
    let with_mode = |place: (usize, usize)| {
        let entry = stack.entry(place);
        target_of(&entry)?;
        let tree = file_tree(&stack.until(place, true).layers()).ok()?;
        let mode = tree.node(tree.entry(&path_of(&entry)).ok()??.id).mode;
        let line = &stack.0[place.0][place.1];
        (mode != entry.mode).then(|| stack.changed(place.0, |lines| lines[place.1] = format!("mode={mode:o} {line}")))
    };
    stack.places().filter_map(with_mode).collect()
}

/// With the path to which symbolic links lead instead of the one that goes through them.
fn real_paths(stack: &Stack) -> Vec<Stack> {
    let real = |place: (usize, usize)| {
        let entry = stack.entry(place);
        let path = path_of(&entry);
        // An entry may make the directory that a link leads to, or take the link away.
        [!is_removal(&entry), false].into_iter().filter_map(move |with| {
            let tree = file_tree(&stack.until(place, with).layers()).ok()?;
            let real = named_by(&tree, path.parent()?)?.join(path.file_name()?);
            let mut words: Vec<String> = stack.0[place.0][place.1].split(' ').map(str::to_owned).collect();
            let at = words.iter().position(|word| word.len() == 1)? + 1;
            words[at] = escaped(&real);
            (real != path).then(|| stack.changed(place.0, |lines| lines[place.1] = words.join(" ")))
        })
    };
    stack.places().flat_map(real).collect()
}

/// The same for what hard links link to.
fn real_targets(stack: &Stack) -> Vec<Stack> {
    let real = |place: (usize, usize)| {
        let target = target_of(&stack.entry(place))?;
        let tree = file_tree(&stack.until(place, false).layers()).ok()?;
        let real = named_by(&tree, target.parent()?)?.join(target.file_name()?);
        let (link, _) = stack.0[place.0][place.1].split_once(" -> ")?;
        let line = format!("{link} -> {}", escaped(&real));
        (real != target).then(|| stack.changed(place.0, |lines| lines[place.1] = line))
    };
    stack.places().filter_map(real).collect()
}

/// Where a path leads through symbolic links, by their names alone.
fn named_by(tree: &FileTree, path: ImagePath) -> Option<ImagePath> {
    const LINKS: usize = 40;
    let mut path = path;
    for _ in 0..LINKS {
        let names: Vec<&[u8]> = path.components().collect();
        let link = (1..=names.len()).find_map(|count| {
            let above = ImagePath::clean(&names[..count].join(&b'/'));
            let found = tree.entry(&above).ok()??;
            match &tree.node(found.id).kind {
                NodeKind::Symlink(target) => Some((count, target.to_vec())),
                _ => None,
            }
        });
        let Some((count, target)) = link else { return Some(path) };
        let above = if target.starts_with(b"/") { Vec::new() } else { names[..count - 1].join(&b'/') };
        let rest = names[count..].join(&b'/');
        path = ImagePath::clean(&[&above[..], b"/", &target, b"/", &rest].concat());
    }
    None
}
