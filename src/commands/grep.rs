//! `shipproof grep`

use crate::cli::{Format, Grep, SearchArgs};
use crate::error::Error;
use crate::exit::Exit;
use crate::layer::Wanted;
use crate::lookup;
use crate::report::{MatchStyle, Matches, SearchedFile, matches_json, matches_text};
use crate::search::{Depth, Outcome, Query, Results, Search};

use super::setup::{Inspected, inspect_files};
use super::{Process, files, output};

/// Searches the files, and prints what was found in the order of their paths.
pub(super) fn run(args: &Grep, process: &Process) -> Result<Exit, Error> {
    let mut search = Search::new(&query(args))?;
    let names = files::arguments(&args.files)?;
    let (inspected, _) = inspect_files(&args.image, &args.read, process, &names)?;
    let files = regular_files(&inspected, &names)?;
    let wanted: Vec<Wanted<'_>> = files.iter().map(|file| inspected.wanted(&file.stored)).collect();
    let mut results = search.run(&wanted)?;
    report(args, &inspected, Matches { files: &files, results: &mut results })?;
    Ok(say_left_out(args, &Matches { files: &files, results: &mut results }).unwrap_or_else(|| exit(&files, &results)))
}

fn query(args: &Grep) -> Query {
    let SearchArgs { ignore_case, fixed_strings, word_regexp, before_context, after_context, context, .. } =
        args.search;
    let no_lines = args.search.files_with_matches || args.search.count || is_silent(args);
    Query {
        pattern: args.pattern.clone(),
        ignore_case,
        fixed_strings,
        words: word_regexp,
        before: before_context.unwrap_or(context),
        after: after_context.unwrap_or(context),
        depth: if no_lines { Depth::Count } else { Depth::Lines },
    }
}

fn is_silent(args: &Grep) -> bool {
    args.output.quiet && args.output.format == Format::Text
}

/// Regular files with contents; an empty file has no lines.
fn regular_files(inspected: &Inspected, names: &[Vec<u8>]) -> Result<Vec<SearchedFile>, Error> {
    let entries = lookup::entries(&inspected.tree, names)?;
    let files = entries.into_iter().filter_map(|(path, id)| {
        let stored = *inspected.tree.node(id).stored()?;
        (stored.content.size > 0).then_some(SearchedFile { path, stored })
    });
    Ok(files.collect())
}

fn report(args: &Grep, inspected: &Inspected, matches: Matches<'_>) -> Result<(), Error> {
    let style = match &args.search {
        SearchArgs { files_with_matches: true, .. } => MatchStyle::Path,
        SearchArgs { count: true, .. } => MatchStyle::Count,
        SearchArgs { no_line_number: true, .. } => MatchStyle::Lines,
        _ => MatchStyle::NumberedLines,
    };
    output::stream(&args.output, |out| match args.output.format {
        Format::Text if is_silent(args) => Ok(()),
        Format::Text => matches_text(matches, style, out),
        Format::Json => matches_json(&inspected.shown(&args.image), matches, out),
    })
}

/// Says which files were left out; a file that could not be searched leaves the answer open.
fn say_left_out(args: &Grep, matches: &Matches<'_>) -> Option<Exit> {
    let mut binary = 0;
    let mut exit = None;
    for (path, reason) in matches.left_out() {
        match reason {
            Some(reason) => {
                output::note(&args.output, &format!("{path} was not searched: {reason}"));
                exit = Some(Exit::CouldNotTell);
            }
            None if args.output.verbose => {
                output::note(&args.output, &format!("{path} is binary and was not searched"))
            }
            None => binary += 1,
        }
    }
    match binary {
        0 => {}
        1 => output::note(&args.output, "1 binary file was not searched (--verbose names it)"),
        _ => output::note(&args.output, &format!("{binary} binary files were not searched (--verbose names them)")),
    }
    exit
}

fn exit(files: &[SearchedFile], results: &Results) -> Exit {
    let found = |file: &SearchedFile| matches!(results.outcome(&file.stored.content), Some(Outcome::Found(_)));
    if files.iter().any(found) { Exit::Agrees } else { Exit::Differs }
}
