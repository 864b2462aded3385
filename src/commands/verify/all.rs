//! `shipproof verify --all`: the images of the configuration file.

use crate::cli::{Format, Verify};
use crate::commands::comparison::{self, Typed};
use crate::commands::{Process, complain, configuration, content, output, report_failure_in};
use crate::config::{Config, ConfigError, Service};
use crate::error::Error;
use crate::exit::Exit;
use crate::report::{self, VerifiedImage};
use crate::verify::Depth;

/// Runs the command. What cannot be told of one image says nothing of the others.
pub(super) fn run(args: &Verify, process: &Process) -> Exit {
    verify(args, process).unwrap_or_else(|error| {
        complain(&error, process.stderr_colored);
        report_failure_in(&args.output, &error, process);
        Exit::CouldNotTell
    })
}

fn verify(args: &Verify, process: &Process) -> Result<Exit, Error> {
    let repository = comparison::repository(&args.compare)?;
    let path = configuration::path(&args.config, &repository);
    let config = configuration::load(&args.config, &repository)?.ok_or(ConfigError::Missing { path: path.clone() })?;
    let images: Vec<VerifiedImage> = config
        .services
        .iter()
        .filter_map(|(name, service)| Some(verified(args, process, &config, name, service, service.image.as_ref()?)))
        .collect();
    if images.is_empty() {
        return Err(ConfigError::NoServices { path, only_with: Some("image") }.into());
    }
    match args.output.format {
        Format::Json => output::write(&args.output, &report::images_json(&images, process.warnings.texts()))?,
        Format::Text => {
            let style = output::style(&args.output, process);
            output::write(&args.output, &report::images_text(&images, style))?;
        }
    }
    Ok(Exit::of(report::overall(images.iter().map(|image| image.verdict))))
}

fn verified(
    args: &Verify,
    process: &Process,
    config: &Config,
    name: &str,
    service: &Service,
    image: &str,
) -> VerifiedImage {
    let compare = configuration::compare_args(service, &config.folder, &args.compare);
    let (read, depth) = (&args.read, Depth::Differences);
    let outcome = Typed { image, files: &[], compare: &compare, read, depth, said: &[] }.compare(process);
    let content = content::of(&outcome, &service.files);
    match &outcome {
        Ok(compared) => VerifiedImage::new(name, image, &content, &compared.answer(), args.output.verbose),
        Err(error) => VerifiedImage::unknown(name, image, error),
    }
}
