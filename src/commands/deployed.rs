//! `shipproof deployed`

mod evidence;
mod look;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::cli::{Deployed, Format};
use crate::config::{self, Config, ConfigError};
use crate::deploy::{self, CloudRun, DeployError, Documents, Name, Patience, Place, Records, Service};
use crate::error::Error;
use crate::exit::Exit;
use crate::report::{self, ServiceReport};

use super::{Process, comparison, configuration, files, output};

/// Between two looks at a service that is being deployed, which takes half a minute.
const PAUSE: Duration = Duration::from_secs(2);

/// Runs the command.
pub(super) fn run(args: &Deployed, process: &Process) -> Result<Exit, Error> {
    let repository = comparison::repository(&args.compare)?;
    let config = configuration::load(&args.config, &repository)?;
    let places = RefCell::default();
    let job = Job { args, process, config, documents: documents(args)?, places };
    if args.evidence && !job.config.iter().flat_map(|config| config.services.values()).any(has_evidence) {
        let path = configuration::path(&args.config, &repository);
        return Err(ConfigError::NoServices { path, only_with: Some("evidence") }.into());
    }
    let reports: Vec<ServiceReport> = job.names()?.iter().map(|name| job.report(name)).collect();
    let style = output::style(&args.output, process);
    match args.output.format {
        Format::Json => output::write(&args.output, &report::deployed_json(&reports, process.warnings.texts()))?,
        Format::Text => output::write(&args.output, &report::deployed_text(&reports, style))?,
    }
    Ok(Exit::of(report::overall(reports.iter().map(|report| report.verdict))))
}

fn has_evidence(service: &config::Service) -> bool {
    !service.evidence.is_empty()
}

fn documents(args: &Deployed) -> Result<Option<Documents>, Error> {
    let mut documents = Documents::default();
    for path in &args.documents {
        let (name, text) = files::named(path)?;
        documents.add(&name, &text)?;
    }
    Ok((!args.documents.is_empty()).then_some(documents))
}

/// What all services share.
struct Job<'a> {
    args: &'a Deployed,
    process: &'a Process,
    config: Option<Config>,
    documents: Option<Documents>,
    /// The places that were asked so far, each of which logs in once.
    places: RefCell<BTreeMap<Place, Rc<CloudRun>>>,
}

impl Job<'_> {
    /// The services to look at.
    fn names(&self) -> Result<Vec<Name>, Error> {
        let configured = self.config.iter().flat_map(|config| config.services.keys());
        let names = match (self.args.all, &self.documents) {
            (false, _) => self.args.services.iter().map(|name| Name::parse(name)).collect::<Result<Vec<_>, _>>()?,
            (true, Some(documents)) => documents.names()?,
            (true, None) => configured.map(|name| Name::parse(name)).collect::<Result<_, _>>()?,
        };
        if !names.is_empty() {
            return Ok(names);
        }
        let records = self.records(&self.settings(None))?;
        let names = records.names()?;
        if names.is_empty() { Err(DeployError::Nothing(records.place()).into()) } else { Ok(names) }
    }

    /// What the configuration file says of a service.
    fn settings(&self, name: Option<&Name>) -> config::Service {
        let Some(config) = &self.config else { return config::Service::default() };
        let service = name.and_then(|name| config.service(&name.to_string()));
        service.unwrap_or_else(|| config::Service {
            project: config.project.clone(),
            region: config.region.clone(),
            ..config::Service::default()
        })
    }

    /// Who tells what Cloud Run knows of a service.
    fn records(&self, settings: &config::Service) -> Result<Rc<dyn Records + '_>, DeployError> {
        if let Some(documents) = &self.documents {
            return Ok(Rc::new(documents.clone()));
        }
        let place = self.place(settings)?;
        if let Some(known) = self.places.borrow().get(&place) {
            return Ok(Rc::clone(known) as Rc<dyn Records>);
        }
        let (environment, credentials) = (&self.process.deploy, self.credentials());
        let (timeout, runtime) = (Duration::from_secs(self.args.read.timeout), self.process.runtime.clone());
        let new = Rc::new(CloudRun::new(place.clone(), environment, &credentials, timeout, runtime)?);
        self.places.borrow_mut().insert(place, Rc::clone(&new));
        Ok(new)
    }

    /// Files of registries say nothing of Google's APIs.
    fn credentials(&self) -> crate::auth::Environment {
        crate::auth::Environment { auth_file: None, ..self.process.credentials.clone() }
    }

    fn place(&self, settings: &config::Service) -> Result<Place, DeployError> {
        let flags = &self.args.place;
        let project = flags.project.as_deref().or(settings.project.as_deref());
        let region = flags.region.as_deref().or(settings.region.as_deref());
        deploy::place(project, region, &self.process.deploy, &self.credentials(), &self.process.runtime)
    }

    /// The service, once it has settled if that is to be waited for.
    fn service(&self, records: &dyn Records, name: &Name) -> Result<Service, DeployError> {
        let Some(seconds) = self.args.wait else { return records.service(name) };
        let patience = Patience { limit: Duration::from_secs(seconds), pause: PAUSE };
        let expected = self.args.expect_revision.as_deref();
        let tell = |text: &str| output::note(&self.args.output, text);
        deploy::wait(records, name, expected, patience, &tell)
    }

    /// Everything about one service. What cannot be told of it says nothing of the others.
    fn report(&self, name: &Name) -> ServiceReport {
        self.look(name).unwrap_or_else(|error| ServiceReport::unknown(name, &error))
    }
}
