//! A second look at files that differ, through git's own conversions.

use std::collections::BTreeMap;

use crate::compare::{Finding, Status};
use crate::error::Error;
use crate::image::Image;
use crate::layer::{self, FileContent};
use crate::limits;
use crate::repo::{Conversion, ConversionKind, Normalizer};

use super::Filtered;
use super::job::Job;

impl Job<'_> {
    /// Files that differ get a second look: what a checkout makes of the git blob agrees with it.
    pub(super) fn normalize(&self, image: &Image, findings: &mut [Finding]) -> Result<Vec<Filtered>, Error> {
        let mut filtered = Vec::new();
        let mut normalizer = Normalizer::new(self.repository, &self.git.snapshot)?;
        let mut wanted: BTreeMap<usize, Vec<(usize, FileContent)>> = BTreeMap::new();
        for (position, finding) in findings.iter_mut().enumerate() {
            let (Status::Modified, Some((path, file)), Some(stored)) = (finding.status, &finding.repo, finding.file)
            else {
                continue;
            };
            let size = file.size.map_or_else(|| self.repository.blob_size(file.blob), |size| Ok(Some(size)))?;
            match normalizer.plausible(path, stored.content.size, size)? {
                Conversion::None => {}
                Conversion::Program(filter) => filtered.push(Filtered { path: path.clone(), filter }),
                Conversion::Lfs => self.compare_lfs(&normalizer, finding)?,
                Conversion::NeedsContents if stored.content.size > limits::NORMALIZE_BYTES => {}
                Conversion::NeedsContents => {
                    wanted.entry(stored.layer).or_default().push((position, stored.content));
                }
            }
        }
        for (layer, files) in wanted {
            self.normalize_layer(image, layer, &files, &mut normalizer, findings)?;
        }
        Ok(filtered)
    }

    fn compare_lfs(&self, normalizer: &Normalizer<'_>, finding: &mut Finding) -> Result<(), Error> {
        let (Some((path, _)), Some(stored)) = (&finding.repo, finding.file) else { return Ok(()) };
        let contents = self.repository.read(&self.git.snapshot, path, limits::REPO_TEXT_BYTES)?;
        let Some(pointer) = normalizer.lfs_pointer(&contents) else { return Ok(()) };
        if pointer.digest.hex() == stored.content.sha256_hex() && pointer.size == stored.content.size {
            finding.status = Status::SameNormalized;
            finding.note = Some("git has an LFS pointer to these bytes".to_owned());
        }
        Ok(())
    }

    fn normalize_layer(
        &self,
        image: &Image,
        layer: usize,
        files: &[(usize, FileContent)],
        normalizer: &mut Normalizer<'_>,
        findings: &mut [Finding],
    ) -> Result<(), Error> {
        let Some(layer) = image.layers.get(layer) else { return Ok(()) };
        let contents: Vec<FileContent> = files.iter().map(|(_, content)| *content).collect();
        let mut failure = None;
        layer::contents(self.source, &layer.descriptor, &contents, &mut |content, reader| {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            // One entry of the tar may be several files by way of hard links, and files may have the same contents.
            for (position, _) in files.iter().filter(|(_, wanted)| wanted.sha256 == content.sha256) {
                let finding = &mut findings[*position];
                let Some((path, _)) = &finding.repo else { continue };
                match normalizer.agrees(path, &bytes) {
                    Ok(Some(by)) => {
                        finding.status = Status::SameNormalized;
                        finding.note = Some(conversions(&by));
                    }
                    Ok(None) => {}
                    Err(error) => failure = Some(error),
                }
            }
            Ok(())
        })?;
        failure.map_or(Ok(()), |error| Err(error.into()))
    }
}

fn conversions(by: &[ConversionKind]) -> String {
    let name = |kind: &ConversionKind| match kind {
        ConversionKind::LineEndings => "line endings",
        ConversionKind::Ident => "$Id$ keywords",
        ConversionKind::Encoding => "the working-tree encoding",
    };
    let names: Vec<&str> = by.iter().map(name).collect();
    format!("equal but for {}", names.join(" and "))
}
