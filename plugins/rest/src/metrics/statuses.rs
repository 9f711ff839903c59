//! [`Statuses`]: the number of responses by status.

use axum::http::StatusCode;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// The usual statuses of servers, which are counted without a lock.
const USUAL: [u16; 28] = [
    200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 422, 429,
    431, 500, 502, 503, 504,
];

/// For each status from 100 on, its index in [`USUAL`]; for others the length of that.
const PLACES: [u8; 500] = {
    let mut places = [USUAL.len() as u8; 500];
    let mut at = 0;
    while at < USUAL.len() {
        places[USUAL[at] as usize - 100] = at as u8;
        at += 1;
    }
    places
};

/// The number of responses by status.
#[derive(Default, Debug)]
pub(super) struct Statuses {
    usual: [AtomicU64; USUAL.len()],
    others: Mutex<BTreeMap<u16, u64>>,
}

impl Statuses {
    pub(super) fn count(&self, status: StatusCode) {
        let status = status.as_u16();
        let place = PLACES.get(usize::from(status) - 100).map_or(USUAL.len(), |place| usize::from(*place));
        match self.usual.get(place) {
            Some(count) => drop(count.fetch_add(1, Relaxed)),
            None => *self.others.lock().unwrap_or_else(PoisonError::into_inner).entry(status).or_default() += 1,
        }
    }

    /// All statuses that occurred, with their counts.
    pub(super) fn counts(&self) -> BTreeMap<u16, u64> {
        let mut counts = self.others.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let usual = USUAL.iter().zip(&self.usual).map(|(status, count)| (*status, count.load(Relaxed)));
        counts.extend(usual.filter(|(_, count)| *count > 0));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_statuses_are_counted() {
        let statuses = Statuses::default();
        for status in (100..1000).chain([200, 204, 204, 418]) {
            statuses.count(StatusCode::from_u16(status).unwrap());
        }
        let counts = statuses.counts();
        assert_eq!(counts.len(), 900);
        assert!(
            counts.iter().all(|(status, count)| {
                *count
                    == match status {
                        204 => 3,
                        200 | 418 => 2,
                        _ => 1,
                    }
            }),
            "{counts:?}"
        );
    }
}
