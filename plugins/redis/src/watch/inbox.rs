//! [`Inbox`]: the work that is waiting for a watch.

use bytes::Bytes;
use cninfra::keyval::KeyRange;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// How many keys are recorded one by one; if there are more, all keys are read.
const MAX_DIRTY: usize = 64 << 10;
/// How many orders of the subscriber may wait.
const MAX_ORDERS: usize = 1024;

/// A request of the subscriber to a running watch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// With the version of the patterns that includes the range.
    Add(KeyRange, u64),
    Remove(KeyRange),
    Snapshot,
}

/// The work that is waiting for a watch: each key is in it once, however often it was hinted at.
pub(crate) struct Inbox {
    pending: Mutex<Pending>,
    pub(crate) woken: Notify,
}

#[derive(Default)]
struct Pending {
    ranges: Vec<KeyRange>,
    /// The keys to read, and whether the last hint of each was that it had expired.
    dirty: HashMap<Bytes, bool>,
    /// There were too many of them.
    overflowed: bool,
    orders: VecDeque<Order>,
}

impl Inbox {
    pub(crate) fn new(ranges: Vec<KeyRange>) -> Self {
        Inbox { pending: Mutex::new(Pending { ranges, ..Pending::default() }), woken: Notify::new() }
    }

    /// This key, which is in one of the ranges, may have changed.
    pub(crate) fn hint(&self, key: &Bytes, expired: bool) {
        let mut pending = self.lock();
        pending.dirty.insert(key.clone(), expired);
        if pending.dirty.len() > MAX_DIRTY {
            pending.dirty.clear();
            pending.overflowed = true;
        }
        drop(pending);
        self.woken.notify_one();
    }

    /// Puts back keys that were not read. A newer hint takes precedence.
    pub(crate) fn put_back(&self, keys: impl IntoIterator<Item = (Bytes, bool)>) {
        let mut pending = self.lock();
        for (key, expired) in keys {
            pending.dirty.entry(key).or_insert(expired);
        }
    }

    /// Takes some keys that may have changed.
    pub(crate) fn take_dirty(&self, most: usize) -> Vec<(Bytes, bool)> {
        let mut pending = self.lock();
        if pending.dirty.len() <= most {
            return pending.dirty.drain().collect();
        }
        let keys: Vec<Bytes> = pending.dirty.keys().take(most).cloned().collect();
        keys.into_iter().filter_map(|key| pending.dirty.remove_entry(&key)).collect()
    }

    /// Whether there were so many hints that all keys have to be read. This resets the flag.
    pub(crate) fn take_overflowed(&self) -> bool {
        std::mem::take(&mut self.lock().overflowed)
    }

    pub(crate) fn take_orders(&self) -> VecDeque<Order> {
        std::mem::take(&mut self.lock().orders)
    }

    /// Records an order; false if there are too many.
    pub(crate) fn push_order(&self, order: Order) -> bool {
        let mut pending = self.lock();
        if pending.orders.len() >= MAX_ORDERS {
            return false;
        }
        match &order {
            Order::Add(range, _) => pending.ranges.push(range.clone()),
            Order::Remove(range) => pending.ranges.retain(|other| other != range),
            Order::Snapshot => {}
        }
        pending.orders.push_back(order);
        drop(pending);
        self.woken.notify_one();
        true
    }

    pub(crate) fn ranges(&self) -> Vec<KeyRange> {
        self.lock().ranges.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_noted_once_and_too_many_are_all() {
        let inbox = Inbox::new(vec![KeyRange::prefix("a")]);
        for (key, expired) in [("a1", false), ("a1", true)] {
            inbox.hint(&key.into(), expired);
        }
        assert_eq!(inbox.take_dirty(9), [("a1".into(), true)]);
        for number in 0..=MAX_DIRTY {
            inbox.hint(&format!("a{number}").into(), false);
        }
        assert!(inbox.take_overflowed() && !inbox.take_overflowed());
        assert!(inbox.take_dirty(9).is_empty());
    }

    #[test]
    fn orders_have_a_bound() {
        let inbox = Inbox::new(vec![KeyRange::all()]);
        assert!((0..MAX_ORDERS).all(|_| inbox.push_order(Order::Snapshot)));
        assert!(!inbox.push_order(Order::Add(KeyRange::key("a"), 1)));
        assert_eq!((inbox.ranges(), inbox.take_orders().len()), (vec![KeyRange::all()], MAX_ORDERS));
    }
}
