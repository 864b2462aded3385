//! What a finished comparison says of an image, in a word.

use crate::compare::Finding;
use crate::deploy::Content;
use crate::error::Error;
use crate::image::ImageError;
use crate::path::RepoPath;
use crate::select::Selection;
use crate::source::SourceError;
use crate::verify::Verification;

use super::comparison::Compared;

/// What a comparison says of the image; `required` are files that have to be in it.
pub(super) fn of(outcome: &Result<Compared, Error>, required: &[String]) -> Content {
    let verification = match outcome {
        Ok(compared) => &compared.verification,
        Err(Error::Image(ImageError::Source(SourceError::NotFound { .. }))) => return Content::Deleted,
        Err(error) => return Content::Unknown(error.chain()),
    };
    if let Some(cause) = verification.cause() {
        let summary = format!("{}: {}", cause.kind.name(), cause.summary);
        return Content::Differs { summary, hint: cause.hint.clone() };
    }
    match lacking(verification, required) {
        Ok(lacking) if lacking.is_empty() => Content::Agrees,
        Ok(lacking) => {
            let summary = format!("missing-files: {} has to be in it and is not", lacking.join(", "));
            let hint = "does the Dockerfile copy it, and does .dockerignore let it through?".to_owned();
            Content::Differs { summary, hint }
        }
        Err(error) => Content::Unknown(error.chain()),
    }
}

/// The required files that are not in the image, or have no counterpart in git.
fn lacking(verification: &Verification, required: &[String]) -> Result<Vec<String>, Error> {
    let texts: Vec<Vec<u8>> = required.iter().map(|text| text.as_bytes().to_vec()).collect();
    let selection = Selection::parse(&texts, &RepoPath::default())?;
    let is_there = |position: usize| {
        let pattern = &selection.patterns()[position];
        let is_it = |finding: &Finding| {
            let path = finding.repo.as_ref().map(|(path, _)| path);
            finding.status.is_comparison() && pattern.matches(path, &finding.image)
        };
        verification.platforms.iter().all(|platform| platform.findings.iter().any(is_it))
    };
    Ok(required.iter().enumerate().filter(|(position, _)| !is_there(*position)).map(|(_, text)| text.clone()).collect())
}
