//! [`Deletes`]: which keys a client is deleting right now, and which it is restoring.

use super::{KeyRange, Op, Txn};
use bytes::Bytes;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// For authors of stores: which keys a client has asked to delete, until the server has answered.
///
/// A store that restores keys which expired although [their client](super::Expiry::WithClient) is alive must not
/// restore what is being deleted: the server may have deleted it already, and the key would come back. And a delete of
/// a key that is being restored waits until that is done: the two may use different connections, on which the later one
/// may be executed first.
///
/// ```
/// use cninfra::keyval::{Deletes, KeyRange, Txn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let deletes = Deletes::default();
/// let (key, delete) = ("a".into(), Txn::new().delete("a"));
/// let writing = deletes.write_again(&key);
/// assert!(writing.is_some());
/// let deleting = deletes.begin(&delete);
/// drop(writing); // it is answered
/// deleting.turn().await;
/// assert!(deletes.write_again(&key).is_none());
/// drop(deleting);
/// assert!(deletes.write_again(&key).is_some());
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Deletes {
    under_way: Mutex<UnderWay>,
    /// Notified when a key is no longer being restored.
    written: Notify,
}

#[derive(Debug, Default)]
struct UnderWay {
    deleted: Vec<KeyRange>,
    written: Vec<Bytes>,
}

impl Deletes {
    /// Begins a delete. It is in progress until the returned value is dropped.
    pub fn begin(&self, txn: &Txn) -> Deleting<'_> {
        let range = |op: &Op| match op {
            Op::Delete { range, .. } => Some(range.clone()),
            _ => None,
        };
        let ranges: Vec<KeyRange> = txn.then.iter().chain(&txn.otherwise).filter_map(range).collect();
        if !ranges.is_empty() {
            self.lock().deleted.extend(ranges.iter().cloned());
        }
        Deleting { all: self, ranges }
    }

    /// Begins to restore a key, until the returned value is dropped. `None` if the key is being deleted, and so must
    /// not be restored. Look up the value to restore after this call.
    #[must_use]
    pub fn write_again(&self, key: &Bytes) -> Option<WritingAgain<'_>> {
        let mut under_way = self.lock();
        if under_way.deleted.iter().any(|range| range.contains(key)) {
            return None;
        }
        under_way.written.push(key.clone());
        Some(WritingAgain { all: self, key: key.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A delete in progress, until this is dropped: see [`Deletes::begin`].
#[derive(Debug)]
#[must_use]
pub struct Deleting<'d> {
    all: &'d Deletes,
    ranges: Vec<KeyRange>,
}

impl Deleting<'_> {
    /// Waits until none of its keys is being restored.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub async fn turn(&self) {
        while !self.ranges.is_empty() {
            let written = self.all.written.notified();
            let is_deleted = |key: &Bytes| self.ranges.iter().any(|range| range.contains(key));
            if !self.all.lock().written.iter().any(is_deleted) {
                return;
            }
            written.await;
        }
    }
}

impl Drop for Deleting<'_> {
    fn drop(&mut self) {
        if self.ranges.is_empty() {
            return;
        }
        let deleted = &mut self.all.lock().deleted;
        for range in &self.ranges {
            // Of several equal ranges, only one belongs to this delete.
            if let Some(at) = deleted.iter().position(|other| other == range) {
                deleted.swap_remove(at);
            }
        }
    }
}

/// A key that is being restored, until this is dropped: see [`Deletes::write_again`].
#[derive(Debug)]
pub struct WritingAgain<'d> {
    all: &'d Deletes,
    key: Bytes,
}

impl Drop for WritingAgain<'_> {
    fn drop(&mut self) {
        let written = &mut self.all.lock().written;
        if let Some(at) = written.iter().position(|other| *other == self.key) {
            written.swap_remove(at);
        }
        self.all.written.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::pin::pin;

    fn is_deleted(deletes: &Deletes, key: &'static str) -> bool {
        deletes.write_again(&Bytes::from(key)).is_none()
    }

    #[test]
    fn of_two_that_delete_the_same_the_second_one_goes_on() {
        let deletes = Deletes::default();
        let txn = Txn::new().delete("a").or_get("b");
        let (first, second) = (deletes.begin(&txn), deletes.begin(&txn));
        drop(first);
        assert!(is_deleted(&deletes, "a") && !is_deleted(&deletes, "b"));
        drop(second);
        assert!(!is_deleted(&deletes, "a"));
        let mut txn = Txn::new().get("a");
        txn.otherwise.push(Op::delete(KeyRange::key("c"), false));
        let _deleting = deletes.begin(&txn);
        assert!(is_deleted(&deletes, "c"), "it may be what is done");
    }

    #[test]
    fn who_deletes_waits_for_what_is_being_written_again() {
        let (deletes, key) = (Deletes::default(), Bytes::from("a/1"));
        let (first, second) = (deletes.write_again(&key), deletes.write_again(&key));
        assert!(deletes.begin(&Txn::new().delete("b")).turn().now_or_never().is_some());
        let mut txn = Txn::new();
        txn.then.push(Op::delete(KeyRange::prefix("a/"), false));
        let deleting = deletes.begin(&txn);
        let mut turn = pin!(deleting.turn());
        assert!(turn.as_mut().now_or_never().is_none());
        drop(first);
        assert!(turn.as_mut().now_or_never().is_none());
        // No further restore of the key may begin meanwhile.
        assert!(deletes.write_again(&key).is_none());
        drop(second);
        assert!(turn.now_or_never().is_some());
    }
}
