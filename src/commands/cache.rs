//! `shipproof cache`

use crate::cli::{Cache, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::report::{Upkeep, upkeep_json, upkeep_text};

use super::{Process, output};

/// Removes what is to be removed, and says what is there.
pub(super) fn run(args: &Cache, process: &Process) -> Result<Exit, Error> {
    let options = args.options();
    let cache = process.cache(&options.cache);
    let folder = cache.folder().ok_or_else(|| {
        Error::Usage("nothing says where the cache is: neither --cache-dir nor the user's home".to_owned())
    })?;
    let most = options.cache.cache_size.saturating_mul(1 << 20);
    let fail = |source| Error::File { path: folder.to_owned(), verb: "looked through", source };
    let removed = match args {
        Cache::Info(_) => None,
        Cache::Prune(_) => Some(cache.prune(most).map_err(fail)?),
        Cache::Clear(_) => Some(cache.prune(0).map_err(fail)?),
    };
    let holdings = cache.holdings().map_err(fail)?;
    let upkeep = Upkeep { folder, most, holdings: &holdings, removed };
    let report = match options.output.format {
        Format::Text => upkeep_text(&upkeep),
        Format::Json => upkeep_json(&upkeep),
    };
    output::write(&options.output, &report)?;
    Ok(Exit::Agrees)
}
