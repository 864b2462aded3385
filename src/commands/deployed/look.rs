//! From one service to its report: what Cloud Run says, what the images hold, and what follows.

use crate::claims;
use crate::config;
use crate::deploy::{Container, Content, Facts, Looked, Name, Revision, judge, observe};
use crate::digest::Digest;
use crate::error::Error;
use crate::image;
use crate::mapping::MappingError;
use crate::platform::Platform;
use crate::preflight;
use crate::report::{ContainerReport, RevisionReport, ServiceReport};
use crate::verify::{Depth, Verification};

use crate::cli::ReadArgs;
use crate::commands::comparison::{Compared, Typed};
use crate::commands::{configuration, content, setup};

use super::Job;

/// What was found out about one revision.
struct Examined {
    looked: Looked,
    report: RevisionReport,
}

impl Job<'_> {
    /// Everything about one service.
    pub(super) fn look(&self, name: &Name) -> Result<ServiceReport, Error> {
        let settings = self.settings(Some(name));
        let records = self.records(&settings)?;
        let observed = observe(records.as_ref(), self.service(records.as_ref(), name)?)?;
        let examine = |revision: &Revision| self.examine(revision, &settings);
        let examined: Vec<Examined> = observed.serving.iter().map(|one| examine(&one.revision)).collect();
        let latest = observed.latest.as_ref().map(examine);
        let (serving, reports): (Vec<Looked>, Vec<RevisionReport>) =
            examined.into_iter().map(|examined| (examined.looked, examined.report)).unzip();
        let mut judgement = judge(&Facts {
            observed: &observed,
            serving: &serving,
            latest: latest.as_ref().map(|examined| &examined.looked),
            wanted: if self.args.compare.worktree { "the work tree" } else { &self.args.compare.rev },
            region: self.args.place.region.as_deref().or(settings.region.as_deref()),
        });
        let documents = match self.documents_of(&settings, &observed) {
            Ok(documents) => documents,
            Err(error) => {
                judgement.miss(&error.chain());
                Vec::new()
            }
        };
        judgement.hear(&documents);
        let latest = latest.map(|examined| examined.report);
        Ok(ServiceReport::new(&observed, judgement, reports, latest, documents))
    }

    /// Why an image cannot start, as far as looking at it tells. Nothing depends on it, so that what cannot be told is left
    /// out. What the comparison has read is not read again.
    fn obstacles(&self, container: &Container, outcome: &Result<Compared, Error>) -> Vec<String> {
        let options = preflight::Options::default();
        let compared = outcome.as_ref().ok();
        let platform = compared.and_then(|one| Some((one, one.verification.platforms.first()?)));
        let found = match platform {
            Some((compared, one)) => preflight::check(compared.source.as_ref(), &one.image, &one.tree, &options),
            None => setup::inspect(&self.reference(container), &self.read_args(), self.process)
                .and_then(|one| preflight::check(one.source.as_ref(), &one.image, &one.tree, &options)),
        };
        let said = |finding: preflight::Finding| {
            let fix = finding.fix.map(|fix| format!(" ({fix})")).unwrap_or_default();
            format!("{}: {}{fix}", finding.kind.name(), finding.summary)
        };
        found.map(|found| found.findings).unwrap_or_default().into_iter().map(said).collect()
    }

    /// Looks into the images of a revision.
    fn examine(&self, revision: &Revision, settings: &config::Service) -> Examined {
        let main = main_container(revision, settings);
        let (mut contents, mut reports) = (Vec::new(), Vec::new());
        let (mut wrong_labels, mut moved_to, mut obstacles) = (Vec::new(), None, Vec::new());
        for (position, container) in revision.containers.iter().enumerate() {
            let outcome = self.compare(container, revision, settings);
            if position == main && revision.failure().is_some() {
                obstacles = self.obstacles(container, &outcome);
            }
            // Helpers beside the main container are somebody else's programs.
            if position != main && is_foreign(&outcome) {
                reports.push(ContainerReport::foreign(container));
                continue;
            }
            let required: &[String] = if position == main { &settings.files } else { &[] };
            let content = proven(container, content::of(&outcome, required));
            if let Ok(compared) = &outcome {
                wrong_labels.extend(self::wrong_labels(&compared.verification));
                if matches!(content, Content::Differs { .. }) && container.is_by_tag() {
                    moved_to = self.moved(container, &compared.verification);
                }
            }
            reports.push(match &outcome {
                Ok(compared) => ContainerReport::new(container, &compared.answer(), self.args.output.verbose),
                Err(error) => ContainerReport::unknown(container, error),
            });
            contents.push(content);
        }
        let content = contents.into_iter().max_by_key(weight);
        let content = content.unwrap_or_else(|| Content::Unknown("it has no containers".to_owned()));
        let looked = Looked { content, wrong_labels, moved_to, obstacles };
        Examined { report: RevisionReport::new(revision, reports), looked }
    }

    /// The image that runs, or the one that its tag means today, against git.
    fn compare(
        &self,
        container: &Container,
        revision: &Revision,
        settings: &config::Service,
    ) -> Result<Compared, Error> {
        let folder = self.config.as_ref().map(|config| config.folder.clone()).unwrap_or_default();
        let compare = configuration::compare_args(settings, &folder, &self.args.compare);
        let labels = revision.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let said = claims::of_labels(labels, &whose(revision));
        let image = self.reference(container);
        let read = self.read_args();
        let depth = Depth::Differences;
        Typed { image: &image, files: &[], compare: &compare, read: &read, depth, said: &said }.compare(self.process)
    }

    /// By which reference the image of a container is read: what runs, where that is known, or what its tag means today.
    fn reference(&self, container: &Container) -> String {
        let Some(digest) = &container.digest else { return container.image.clone() };
        let repository = container.repository();
        let config = self.config.as_ref();
        config.map_or_else(|| format!("{repository}@{digest}"), |config| config.pinned(repository, digest))
    }

    /// Cloud Run runs images of one platform (<https://cloud.google.com/run/docs/container-contract>).
    fn read_args(&self) -> ReadArgs {
        let mut read = self.args.read.clone();
        if read.platforms.is_empty() {
            read.platforms.push(Platform::linux_amd64());
        }
        read
    }

    /// What the tag of a container means today, if that is another image than the one it runs.
    fn moved(&self, container: &Container, verification: &Verification) -> Option<Digest> {
        let running = container.digest.as_ref()?;
        let read = self.read_args();
        let source = setup::open_source(&container.image, &read, self.process).ok()?;
        let today = image::open(source.as_ref(), &read.platforms).ok()?;
        // What runs may be one image of the index that was pushed, and the other way round.
        let own = verification.platforms.iter().map(|platform| &platform.image.digest).chain([running]);
        let is_own = |digest: &Digest| own.clone().any(|own| own == digest);
        let is_same = is_own(&today.digest) || today.images.iter().any(|image| is_own(&image.digest));
        (!is_same).then_some(today.digest)
    }
}

/// A tag may have been moved since it was deployed, so that what it means today proves nothing good of what runs.
fn proven(container: &Container, content: Content) -> Content {
    match content {
        Content::Agrees if container.digest.is_none() => Content::Unknown(format!(
            "Cloud Run does not say which digest of {} it runs; what the tag means today agrees",
            container.image
        )),
        content => content,
    }
}

/// How claims name whoever makes them.
fn whose(revision: &Revision) -> String {
    format!("revision {}", revision.name)
}

/// The container whose image is compared in any case: the one that is configured, or the first.
fn main_container(revision: &Revision, settings: &config::Service) -> usize {
    let configured = settings.image.clone().map(|image| Container { name: None, image, digest: None });
    let is_configured = |container: &Container| {
        configured.as_ref().is_some_and(|configured| configured.repository() == container.repository())
    };
    revision.containers.iter().position(is_configured).unwrap_or(0)
}

/// The more it tells, the heavier: a file that surely differs is one, whatever the other container holds.
fn weight(content: &Content) -> u8 {
    match content {
        Content::Agrees => 0,
        Content::Unknown(_) => 1,
        Content::Deleted => 2,
        Content::Differs { .. } => 3,
    }
}

fn is_foreign(outcome: &Result<Compared, Error>) -> bool {
    matches!(outcome, Err(Error::Mapping(MappingError::NothingInCommon)))
}

/// What labels of the revision say that the image is not.
fn wrong_labels(verification: &Verification) -> Vec<String> {
    let claims = verification.platforms.iter().flat_map(|platform| &platform.claims);
    let wrong = claims.filter(|judged| judged.agrees == Some(false) && judged.claim.source.contains(" of revision "));
    wrong.map(|judged| format!("{} is {}: {}", judged.claim.source, judged.claim.value, judged.note)).collect()
}
