//! `shipproof contains`

use crate::cli::{Contains, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::report;
use crate::source::Notice;
use crate::verify::{self, Contained, Depth};

use super::comparison::Typed;
use super::{Process, output};

/// Tells whether a commit's change is in the image.
pub(super) fn run(args: &Contains, process: &Process) -> Exit {
    let (compare, read) = (&args.compare, &args.read);
    let typed = Typed { image: &args.image, files: &[], compare, read, depth: Depth::Differences, said: &[] };
    let opened = typed.repository().map_err(Error::from).and_then(|repository| typed.open(repository, process));
    let outcome = opened.and_then(|opened| {
        let containment = verify::contains(opened.source.as_ref(), &opened.repository, &opened.options, &args.commit)?;
        containment.refused.iter().for_each(|text| process.observer.tell(&Notice::Fallback(text.clone())));
        let question = typed.question();
        let bytes = match args.output.format {
            Format::Text => report::containment_text(&containment, output::style(&args.output, process)),
            Format::Json => report::containment_json(&question, &opened.repository, &containment),
        };
        output::write(&args.output, &bytes)?;
        Ok(match containment.verdict() {
            Contained::Whole => Exit::Agrees,
            Contained::Part | Contained::Not => Exit::Differs,
            Contained::Unknown => Exit::CouldNotTell,
        })
    });
    outcome.unwrap_or_else(|error| typed.failed(&error, &args.output, process))
}
