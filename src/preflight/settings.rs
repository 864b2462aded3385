//! The settings around the command: platform, user, working directory.

use crate::error::Error;
use crate::image::Image;
use crate::path::ImagePath;
use crate::platform::Platform;

use super::files::Files;
use super::{Finding, Kind};

/// The image is for the platform that it has to start on.
pub(super) fn platform(image: &Image, wanted: &Platform) -> Option<Finding> {
    if wanted.accepts(&image.platform) || image.platform.os == "unknown" {
        return None;
    }
    let summary = format!("the image is for {}, and it has to start on {wanted}", image.platform);
    Some(Finding::error(Kind::WrongPlatform, summary).fix(format!("docker build --platform {wanted}")))
}

/// The working directory, which container runtimes make when it is missing.
pub(super) fn directory(files: &Files<'_>, image: &Image) -> Option<Finding> {
    let path = ImagePath::clean(image.config.working_dir().as_bytes());
    let found = files.lookup(&path);
    if files.is_directory(&path) {
        return None;
    }
    Some(match found {
        Some(found) => {
            let summary = format!("the working directory {path} is no directory");
            Finding::error(Kind::WorkingDirectory, summary).at(&found.path, files.node(&found).layer)
        }
        None => {
            let summary = format!("the working directory {path} is not in the image, so that it will be empty");
            Finding::warning(Kind::WorkingDirectory, summary)
        }
    })
}

/// The home of the user that the image runs as; root's where nothing says so.
pub(super) fn home(files: &Files<'_>, image: &Image) -> Result<ImagePath, Error> {
    let user = image.config.user().split(':').next().unwrap_or_default();
    let user = if user.is_empty() { "0" } else { user };
    let file = files.file(&ImagePath::clean(b"etc/passwd"));
    let text = file.as_ref().map(|file| files.head(file)).transpose()?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let entries = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut own = entries.filter(|fields| fields.first() == Some(&user) || fields.get(2) == Some(&user));
    let home = own.next().and_then(|fields| fields.get(5).map(|home| ImagePath::clean(home.as_bytes())));
    Ok(home.unwrap_or_else(|| ImagePath::clean(b"root")))
}

/// The user and the group, which have to be in the image unless they are numbers.
pub(super) fn user(files: &Files<'_>, image: &Image) -> Result<Option<Finding>, Error> {
    let (user, group) = match image.config.user().split_once(':') {
        Some((user, group)) => (user, group),
        None => (image.config.user(), ""),
    };
    for (name, what, path) in [(user, "user", "etc/passwd"), (group, "group", "etc/group")] {
        if name.is_empty() || name.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        // Runtimes take root for 0 where there is no list.
        let file = files.file(&ImagePath::clean(path.as_bytes()));
        let text = file.as_ref().map(|file| files.head(file)).transpose()?.unwrap_or_default();
        let mut names = text.split(|&byte| byte == b'\n').filter_map(|line| line.split(|&byte| byte == b':').next());
        if names.any(|known| known == name.as_bytes()) || name == "root" {
            continue;
        }
        let summary = format!("the image runs as the {what} `{name}`, which /{path} does not have");
        let fix = format!("add the {what} in the Dockerfile, or use a number");
        return Ok(Some(Finding::error(Kind::UnknownUser, summary).fix(fix)));
    }
    Ok(None)
}
