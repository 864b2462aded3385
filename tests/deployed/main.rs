//! `shipproof deployed`: what Cloud Run serves, down to the files, and why it is not what was meant.

mod causes;
mod configured;
mod evidence;
mod gcloud;
mod places;
mod saved;
mod stage;
#[expect(dead_code, reason = "each test binary uses a part of the support module")]
#[path = "../support/mod.rs"]
mod support;
