//! `shipproof preflight`

use crate::cli::{Format, Preflight};
use crate::error::Error;
use crate::exit::Exit;
use crate::preflight::{self, Options, Verdict};
use crate::report::{preflight_json, preflight_text};

use super::{Process, output, setup};

/// Says whether the image will start, and why not.
pub(super) fn run(args: &Preflight, process: &Process) -> Result<Exit, Error> {
    let options = options(args)?;
    let inspected = setup::inspect(&args.image, &args.read, process)?;
    let source = inspected.source.as_ref();
    let found = preflight::check(source, &inspected.image, &inspected.tree, &options)?;
    let bytes = match args.output.format {
        Format::Text => preflight_text(&inspected.image, &found, output::style(&args.output, process)),
        Format::Json => preflight_json(&inspected.shown(&args.image), &inspected.image, &found),
    };
    output::write(&args.output, &bytes)?;
    Ok(match found.verdict() {
        Verdict::Ready => Exit::Agrees,
        Verdict::NotReady => Exit::Differs,
        Verdict::Unknown => Exit::CouldNotTell,
    })
}

fn options(args: &Preflight) -> Result<Options, Error> {
    let mut options = Options::default();
    match args.read.platforms.as_slice() {
        [] => {}
        [platform] => options.platform = platform.clone(),
        _ => return Err(Error::Usage("preflight looks at one --platform at a time".to_owned())),
    }
    for path in &args.requirements {
        options.requirements.push((path.display().to_string(), setup::read_file(path)?));
    }
    Ok(options)
}
