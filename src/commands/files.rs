//! The `FILE` arguments as they were typed.

use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::error::Error;

use super::setup;

/// A file that was named, whole, and what it is called; `-` is standard input.
pub(super) fn named(path: &Path) -> Result<(String, Vec<u8>), Error> {
    match path == Path::new("-") {
        true => Ok(("standard input".to_owned(), standard_input()?)),
        false => Ok((path.display().to_string(), setup::read_file(path)?)),
    }
}

fn standard_input() -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|source| Error::Stream { stream: "standard input", source })?;
    Ok(bytes)
}

/// The arguments, with the list from standard input where `-` stands.
pub(super) fn arguments(typed: &[OsString]) -> Result<Vec<Vec<u8>>, Error> {
    let mut files = Vec::new();
    for file in typed {
        if file.as_bytes() != b"-" {
            files.push(file.as_bytes().to_vec());
            continue;
        }
        let list = standard_input()?;
        let lines = list.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        files.extend(lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec));
        if files.is_empty() {
            return Err(Error::Usage("the list of files on standard input is empty".to_owned()));
        }
    }
    Ok(files)
}
