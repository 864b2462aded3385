use std::collections::BTreeMap;

use super::*;

pub(super) fn service(name: &str, state: State) -> Service {
    Service {
        kind: Kind::Service,
        name: name.to_owned(),
        labels: BTreeMap::new(),
        is_settled: true,
        latest_created: None,
        latest_ready: None,
        ready: Some(Condition { state, reason: None, message: None }),
        wanted: Vec::new(),
        traffic: Vec::new(),
        template: Revision::default(),
    }
}
