//! [`Budget`]: the memory that the bodies of all requests of a server may use together.

use crate::shared::Shared;
use axum::body::Bytes;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

/// What a part of a body costs beside its bytes: two allocations, and its entry in the list of a handler that collects
/// parts.
const PART: u64 = 192;

/// The number of bytes that the bodies of all requests use.
#[derive(Default, Debug)]
pub(crate) struct Budget(AtomicU64);

impl Budget {
    /// Whether there is room for a body of this size now. A body larger than the whole budget never fits at once: its
    /// handler must read it in parts.
    pub(crate) fn has_room(&self, bytes: u64, most: Option<u64>) -> bool {
        most.is_none_or(|most| bytes > most || bytes <= most.saturating_sub(self.0.load(Relaxed)))
    }

    fn take(&self, bytes: u64, most: u64) -> bool {
        let more = |used: u64| used.checked_add(bytes).filter(|used| *used <= most);
        self.0.try_update(Relaxed, Relaxed, more).is_ok()
    }

    fn give_back(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Relaxed);
    }
}

/// The share of one request in the budget. It is given back part by part, as the handler drops them. But if the body
/// was read completely, all of it is given back when the handler is done: a handler that has collected the whole body
/// makes a value of it that is as large.
#[derive(Debug)]
pub(crate) struct Share {
    shared: Arc<Shared>,
    taken: AtomicU64,
    complete: AtomicBool,
}

impl Share {
    /// `None` if there is no limit.
    pub(crate) fn new(shared: &Arc<Shared>) -> Option<Arc<Self>> {
        let share = || Share { shared: shared.clone(), taken: AtomicU64::new(0), complete: AtomicBool::new(false) };
        shared.limits.bodies.map(|_| Arc::new(share()))
    }

    /// Takes room for these bytes. `None` if there is not enough.
    pub(crate) fn take(self: &Arc<Self>, bytes: Bytes, capacity: usize) -> Option<Bytes> {
        let cost = capacity as u64 + PART;
        if !self.shared.bodies.take(cost, self.shared.limits.bodies.unwrap_or(u64::MAX)) {
            return None;
        }
        self.taken.fetch_add(cost, Relaxed);
        Some(Bytes::from_owner(Part { bytes, cost, share: self.clone() }))
    }

    /// The body was read completely.
    pub(crate) fn set_complete(&self) {
        self.complete.store(true, Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shared.bodies.give_back(*self.taken.get_mut());
    }
}

/// A part of a body.
struct Part {
    bytes: Bytes,
    cost: u64,
    share: Arc<Share>,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let Share { shared, taken, complete } = &*self.share;
        if !complete.load(Relaxed) {
            taken.fetch_sub(self.cost, Relaxed);
            shared.bodies.give_back(self.cost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use axum::Router;

    fn used(shared: &Shared) -> u64 {
        shared.bodies.0.load(Relaxed)
    }

    #[test]
    fn parts_are_given_back_as_they_are_let_go_and_a_whole_body_at_its_requests_end() {
        let limits = Limits::default().bodies(1000 + 2 * PART);
        let mut shared = Shared::new(Router::new());
        shared.limits = limits;
        let shared = Arc::new(shared);
        let part = |share: &Arc<Share>| share.take(Bytes::from_static(&[0; 500]), 500);
        let share = Share::new(&shared).unwrap();
        let (first, second) = (part(&share), part(&share));
        assert!(first.is_some() && second.is_some() && part(&share).is_none());
        drop(first);
        assert!(
            shared.bodies.has_room(500, shared.limits.bodies) && !shared.bodies.has_room(900, shared.limits.bodies)
        );
        let first = part(&share);
        share.set_complete();
        drop((first, second));
        assert_eq!(used(&shared), 1000 + 2 * PART, "a handler may have made a value of it");
        drop(share);
        assert_eq!(used(&shared), 0);
        // A part that is held for longer than its request.
        let held = part(&Share::new(&shared).unwrap());
        assert_eq!(used(&shared), 500 + PART);
        drop(held);
        assert_eq!(used(&shared), 0);
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let mut shared = Shared::new(Router::new());
        shared.limits = Limits::default().bodies(None);
        let shared = Arc::new(shared);
        assert!(Share::new(&shared).is_none() && shared.bodies.has_room(u64::MAX, None));
    }
}
