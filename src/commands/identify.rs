//! `shipproof identify`

use crate::cli::{Format, Identify};
use crate::exit::Exit;
use crate::identify::Fit;
use crate::report;
use crate::verify::{Depth, Verification};

use super::comparison::Typed;
use super::{Process, output};

/// Finds the commits that the image and its layers equal.
pub(super) fn run(args: &Identify, process: &Process) -> Exit {
    let (compare, read) = (&args.compare, &args.read);
    let typed = Typed { image: &args.image, files: &args.files, compare, read, depth: Depth::History, said: &[] };
    let outcome = typed.compare(process).and_then(|compared| {
        let answer = compared.answer();
        let bytes = match args.output.format {
            Format::Text => report::identity_text(&answer, output::style(&args.output, process)),
            Format::Json => report::identity_json(&answer),
        };
        output::write(&args.output, &bytes)?;
        Ok(if is_exact(&compared.verification) { Exit::Agrees } else { Exit::Differs })
    });
    outcome.unwrap_or_else(|error| typed.failed(&error, &args.output, process))
}

fn is_exact(verification: &Verification) -> bool {
    let fits = verification.platforms.iter().map(|result| result.identity.as_ref().map(|identity| identity.fit()));
    fits.into_iter().all(|fit| fit == Some(Fit::Exact))
}
