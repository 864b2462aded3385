//! `shipproof diff`

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use crate::cli::{Diff, Format};
use crate::difference::{self, Change, Difference, Texts};
use crate::error::Error;
use crate::exit::Exit;
use crate::layer::Wanted;
use crate::lookup;
use crate::path::ImagePath;
use crate::reference::ImageRef;
use crate::report::{
    Compared, ComparedImage, difference_json, difference_names, difference_text, git_differences_text,
    verification_json,
};
use crate::verify::Depth;

use super::comparison::Typed;
use super::setup::{Inspected, inspect_two};
use super::{Process, files, output};

/// Compares an image with git, or with another image, and prints what differs.
pub(super) fn run(args: &Diff, process: &Process) -> Result<Exit, Error> {
    match args.others.split_first() {
        Some((other, names)) if is_image(other) => with_image(args, &other.to_string_lossy(), names, process),
        _ => with_git(args, process),
    }
}

/// Whether an argument is a reference to an image: those have a transport, a tag or a digest, and files mostly have not.
fn is_image(argument: &OsStr) -> bool {
    let bytes = argument.as_bytes();
    let is_named =
        !bytes.starts_with(b"/") && !bytes.starts_with(b"./") && bytes.iter().any(|byte| b":@".contains(byte));
    // Names such as `node_modules/@types/node` are no references.
    is_named && argument.to_str().is_some_and(|text| text.parse::<ImageRef>().is_ok())
}

fn with_git(args: &Diff, process: &Process) -> Result<Exit, Error> {
    let (compare, read) = (&args.compare, &args.read);
    let typed = Typed { image: &args.image, files: &args.others, compare, read, depth: Depth::Differences, said: &[] };
    let compared = typed.compare(process)?;
    let (answer, style) = (compared.answer(), output::style(&args.output, process));
    match args.output.format {
        Format::Json => output::write(&args.output, &verification_json(&answer, false))?,
        Format::Text => {
            let most = if args.name_only || args.output.quiet { None } else { Some(args.max_diff_lines) };
            let mut texts = if most.is_some() { super::verify::texts(&compared)? } else { Texts::default() };
            output::stream(&args.output, |out| git_differences_text(&answer, &mut texts, most, style, out))?;
        }
    }
    Ok(if compared.verification.agrees() { Exit::Agrees } else { Exit::Differs })
}

fn with_image(args: &Diff, other: &str, names: &[OsString], process: &Process) -> Result<Exit, Error> {
    if args.compare.trust_toc {
        let reason = "`--trust-toc` is for comparisons with git; two images are compared by what their layers hold";
        return Err(Error::Usage(reason.to_owned()));
    }
    let names = files::arguments(names)?;
    let [image, other_image] = inspect_two([&args.image, other], &args.read, process)?;
    let chosen = chosen(&image, &other_image, &names)?;
    let differences = difference::between(&image.tree, &other_image.tree, chosen.as_ref());
    let mut texts = Texts::read(&shown_contents(args, &image, &other_image, &differences))?;
    let compared = Compared {
        image: ComparedImage { shown: image.shown(&args.image), image: &image.image },
        other: ComparedImage { shown: other_image.shown(other), image: &other_image.image },
        differences: &differences,
    };
    let style = output::style(&args.output, process);
    output::stream(&args.output, |out| match args.output.format {
        Format::Json => out.write_all(&difference_json(&compared)),
        Format::Text if args.name_only => difference_names(&compared, out),
        Format::Text => difference_text(&compared, &mut texts, args.max_diff_lines, style, out),
    })?;
    Ok(if differences.is_empty() { Exit::Agrees } else { Exit::Differs })
}

/// The paths that `names` mean in either image; `None` for all. Nothing to compare is an error.
fn chosen(image: &Inspected, other: &Inspected, names: &[Vec<u8>]) -> Result<Option<BTreeSet<ImagePath>>, Error> {
    if names.is_empty() {
        let nothing = [image, other].iter().all(|inspected| inspected.tree.all().next().is_none());
        return if nothing { Err(Error::NoFiles) } else { Ok(None) };
    }
    let mut chosen = BTreeSet::new();
    for name in names {
        let found = [lookup::named(&image.tree, name)?, lookup::named(&other.tree, name)?];
        if found.iter().all(BTreeMap::is_empty) {
            return Err(Error::NoMatch(String::from_utf8_lossy(name).into_owned()));
        }
        chosen.extend(found.into_iter().flat_map(BTreeMap::into_keys));
    }
    Ok(Some(chosen))
}

/// The contents of the files whose lines are going to be shown.
fn shown_contents<'a>(
    args: &Diff,
    image: &'a Inspected,
    other: &'a Inspected,
    differences: &[Difference<'_>],
) -> Vec<Wanted<'a>> {
    if args.output.format == Format::Json || args.output.quiet || args.name_only || args.max_diff_lines == 0 {
        return Vec::new();
    }
    let changed = differences.iter().filter(|difference| difference.change == Change::Changed);
    let files = changed.filter_map(Difference::files).filter(|files| Texts::is_shown(*files));
    files.flat_map(|(ours, theirs)| [image.wanted(ours), other.wanted(theirs)]).collect()
}
