//! The `FILE` arguments as they were typed.

use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;

use crate::error::Error;

/// The arguments, with the list from standard input where `-` stands.
pub(super) fn arguments(typed: &[OsString]) -> Result<Vec<Vec<u8>>, Error> {
    let mut files = Vec::new();
    for file in typed {
        if file.as_bytes() != b"-" {
            files.push(file.as_bytes().to_vec());
            continue;
        }
        let mut list = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut list);
        read.map_err(|source| Error::Stream { stream: "standard input", source })?;
        let lines = list.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        files.extend(lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec));
        if files.is_empty() {
            return Err(Error::Usage("the list of files on standard input is empty".to_owned()));
        }
    }
    Ok(files)
}
