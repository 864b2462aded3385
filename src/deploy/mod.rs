//! What Cloud Run really serves: services, the revisions that get their traffic, the digests those run, and why that is
//! not what somebody meant to deploy.
//!
//! [`Records`] says what Cloud Run knows, be it from its API ([`CloudRun`]) or from saved answers ([`Documents`]);
//! [`observe`] picks what counts of it; what the images hold is looked at elsewhere, and [`judge`] puts both together.
//! [`firestore`] asks the documents that a service writes whether it behaves. Everything here only reads.

mod api;
mod cause;
mod cloud_run;
mod document;
mod documents;
mod environment;
mod error;
pub mod firestore;
mod observe;
mod place;
mod records;
mod service;
#[cfg(test)]
mod tests;
mod v1;
mod v2;
mod wait;

pub use cause::{Cause, CauseKind, Content, Facts, Judgement, Looked, Verdict, judge};
pub use cloud_run::CloudRun;
pub use documents::Documents;
pub use environment::Environment;
pub use error::DeployError;
pub use observe::{Observed, Serving, observe};
pub use place::{Place, place, project};
pub use records::{Name, Records};
pub use service::{Condition, Container, Kind, Revision, Service, State, Target};
pub use wait::{Patience, wait};
