//! [`Deletes`]: what a client is deleting right now.

use super::{KeyRange, Op, Txn};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// For authors of stores: what a client has asked to be deleted, until the server has answered.
///
/// A store that writes again what ended though [its client](super::Expiry::WithClient) lives leaves out what is being deleted: the server may have done that already, and the key would come back.
///
/// ```
/// use cninfra::keyval::{Deletes, KeyRange, Txn};
///
/// let deletes = Deletes::default();
/// let deleting = deletes.begin(&Txn::new().delete("a"));
/// assert!(deletes.has(b"a") && !deletes.has(b"b"));
/// drop(deleting);
/// assert!(!deletes.has(b"a"));
/// ```
#[derive(Debug, Default)]
pub struct Deletes(Mutex<Vec<KeyRange>>);

impl Deletes {
    /// It is asked for: it is under way until what this returns is dropped.
    pub fn begin(&self, txn: &Txn) -> impl Drop + use<'_> {
        let range = |op: &Op| match op {
            Op::Delete { range, .. } => Some(range.clone()),
            _ => None,
        };
        let ranges: Vec<KeyRange> = txn.then.iter().chain(&txn.otherwise).filter_map(range).collect();
        if !ranges.is_empty() {
            self.lock().extend(ranges.iter().cloned());
        }
        Deleting { all: self, ranges }
    }

    /// Is this key being deleted?
    #[must_use]
    pub fn has(&self, key: &[u8]) -> bool {
        self.lock().iter().any(|range| range.contains(key))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<KeyRange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Deleting<'d> {
    all: &'d Deletes,
    ranges: Vec<KeyRange>,
}

impl Drop for Deleting<'_> {
    fn drop(&mut self) {
        if self.ranges.is_empty() {
            return;
        }
        let mut all = self.all.lock();
        for range in &self.ranges {
            // one of those that are the same
            if let Some(at) = all.iter().position(|other| other == range) {
                all.swap_remove(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_that_delete_the_same_the_second_one_goes_on() {
        let deletes = Deletes::default();
        let txn = Txn::new().delete("a").or_get("b");
        let (first, second) = (deletes.begin(&txn), deletes.begin(&txn));
        drop(first);
        assert!(deletes.has(b"a") && !deletes.has(b"b"));
        drop(second);
        assert!(!deletes.has(b"a"));
        let mut txn = Txn::new().get("a");
        txn.otherwise.push(Op::delete(KeyRange::key("c"), false));
        let _deleting = deletes.begin(&txn);
        assert!(deletes.has(b"c"), "it may be what is done");
    }
}
