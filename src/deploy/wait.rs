//! Waiting for a deployment to end, one way or the other.

use std::time::{Duration, Instant};

use super::error::DeployError;
use super::records::{Name, Records};
use super::service::{Service, State};

/// How long it is waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// In all.
    pub limit: Duration,
    /// Between two looks.
    pub pause: Duration,
}

/// The service `name` once it has settled and, where `expected` names a revision, once that one is the newest. `tell` hears what
/// it is doing, each time that changes.
///
/// # Errors
/// [`DeployError::Unsettled`] when the limit has passed; see [`DeployError`].
pub fn wait(
    records: &dyn Records,
    name: &Name,
    expected: Option<&str>,
    patience: Patience,
    tell: &dyn Fn(&str),
) -> Result<Service, DeployError> {
    let start = Instant::now();
    let mut said = String::new();
    loop {
        let service = records.service(name)?;
        let Some(doing) = doing(&service, expected) else {
            return Ok(service);
        };
        if doing != said {
            tell(&format!("{name}: {doing}"));
            said.clone_from(&doing);
        }
        let left = patience.limit.saturating_sub(start.elapsed());
        if left.is_zero() {
            let seconds = patience.limit.as_secs();
            return Err(DeployError::Unsettled { name: name.to_string(), seconds, doing });
        }
        std::thread::sleep(patience.pause.min(left));
    }
}

/// What is still going on; `None` when nothing is.
fn doing(service: &Service, expected: Option<&str>) -> Option<String> {
    let newest = service.latest_created.as_deref();
    if let Some(expected) = expected.filter(|expected| newest != Some(*expected)) {
        let newest = newest.map_or_else(|| "none".to_owned(), str::to_owned);
        return Some(format!("the newest revision is {newest}, not {expected} yet"));
    }
    if service.is_settled {
        return None;
    }
    let said = service.ready.as_ref().filter(|ready| ready.state == State::Pending);
    let said = said.and_then(|ready| ready.message.clone().or_else(|| ready.reason.clone()));
    let said = said.map(|said| format!(" ({said})")).unwrap_or_default();
    Some(format!("bringing up {}{said}", newest.unwrap_or("its first revision")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::service;
    use super::*;

    #[test]
    fn a_service_is_waited_for_until_it_is_what_was_expected() {
        let mut phase3 = service("phase3", State::Pending);
        phase3.latest_created = Some("phase3-2".to_owned());
        phase3.is_settled = false;
        assert_eq!(doing(&phase3, None).as_deref(), Some("bringing up phase3-2"));
        let other = "the newest revision is phase3-2, not phase3-3 yet";
        assert_eq!(doing(&phase3, Some("phase3-3")).as_deref(), Some(other));
        phase3.is_settled = true;
        assert_eq!(doing(&phase3, Some("phase3-3")).as_deref(), Some(other));
        assert_eq!(doing(&phase3, Some("phase3-2")), None);
        assert_eq!(doing(&phase3, None), None);
    }
}
