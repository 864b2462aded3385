//! `shipproof verify`

mod all;

use crate::cli::{Format, Verify};
use crate::compare::Finding;
use crate::difference::Texts;
use crate::error::Error;
use crate::exit::Exit;
use crate::report;
use crate::verify::Depth;

use super::comparison::{Compared, Typed};
use super::{Process, output};

/// Runs the command; a report is written whatever the outcome, if it is one for programs.
pub(super) fn run(args: &Verify, process: &Process) -> Exit {
    let Some(image) = &args.image else { return all::run(args, process) };
    let (compare, read) = (&args.compare, &args.read);
    let typed = Typed { image, files: &args.files, compare, read, depth: Depth::Differences, said: &[] };
    let outcome = typed.compare(process).and_then(|compared| {
        write(args, process, &compared)?;
        Ok(if compared.verification.agrees() { Exit::Agrees } else { Exit::Differs })
    });
    outcome.unwrap_or_else(|error| typed.failed(&error, &args.output, process))
}

fn write(args: &Verify, process: &Process, compared: &Compared) -> Result<(), Error> {
    let (answer, style) = (compared.answer(), output::style(&args.output, process));
    match args.output.format {
        Format::Json => output::write(&args.output, &report::verification_json(&answer, args.output.verbose)),
        Format::Text if args.diff => {
            let mut texts = texts(compared)?;
            output::stream(&args.output, |out| {
                out.write_all(&report::verification_text(&answer, style))?;
                writeln!(out)?;
                report::git_difference_text(&answer, &mut texts, args.max_diff_lines, style, out)
            })
        }
        Format::Text => output::write(&args.output, &report::verification_text(&answer, style)),
    }
}

/// The contents of the image's files that differ from git's.
pub(super) fn texts(compared: &Compared) -> Result<Texts, Error> {
    let platforms = compared.verification.platforms.iter();
    let wanted = platforms.flat_map(|result| {
        let differing = result.findings.iter().filter(|finding| is_shown(finding));
        differing.filter_map(|finding| Some(finding.file?.wanted(compared.source.as_ref(), &result.image)))
    });
    Ok(Texts::read(&wanted.collect::<Vec<_>>())?)
}

fn is_shown(finding: &Finding) -> bool {
    finding.status.is_other_bytes() && finding.file.is_some_and(|file| Texts::is_small(&file))
}
