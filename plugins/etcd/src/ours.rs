//! [`OwnKeys`]: the keys written with the client's lease that, as far as is known, nobody else has changed.

use bytes::Bytes;
use cninfra::keyval::{KeyRange, Revision};
use std::collections::BTreeMap;

/// How many earlier revisions are remembered of each key.
const EARLIER: usize = 16;

/// A logical time: how many changes `OwnKeys` had recorded by then.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(crate) struct Moment(u64);

/// When a request was made, and what the server answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    /// When the request was made.
    pub(crate) began: Moment,
    /// The revision in the server's answer.
    pub(crate) revision: Option<Revision>,
}

/// The keys that expire with the client.
#[derive(Default)]
pub(crate) struct OwnKeys {
    keys: BTreeMap<Bytes, Known>,
    noted: Moment,
    /// When a lease was last lost.
    lost: Moment,
}

struct Known {
    value: Bytes,
    noted: Moment,
    written: Option<Revision>,
    /// The revisions of earlier values of this key that this client wrote with the same lease: the latest ones, in
    /// order.
    earlier: Vec<Revision>,
    /// It has expired with a lease, and is not restored yet.
    is_lost: bool,
}

impl Known {
    /// Whether the request came after what is known. The answers of two concurrent requests may arrive in either order,
    /// so their revisions decide. A request that was made when this was already known is later whatever its revision,
    /// since a server that has lost its data counts from the start again.
    fn is_before(&self, when: When) -> bool {
        self.noted <= when.began || self.written <= when.revision
    }
}

impl OwnKeys {
    pub(crate) fn now(&self) -> Moment {
        self.noted
    }

    pub(crate) fn put(&mut self, key: &Bytes, value: &Bytes, when: When) {
        if self.keys.get(key).is_none_or(|known| known.is_before(when)) {
            self.noted.0 += 1;
            // A request that was made before a lease was lost may have used that lease.
            let is_lost = when.began < self.lost;
            let earlier = self.keys.remove(key).map_or_else(Vec::new, |before| before.earlier_than(when.revision));
            let known = Known { value: value.clone(), noted: self.noted, written: when.revision, earlier, is_lost };
            self.keys.insert(key.clone(), known);
        }
    }

    /// The key has a new value, and keeps its lease.
    pub(crate) fn change(&mut self, key: &Bytes, value: &Bytes, when: When) {
        if self.keys.contains_key(key) {
            self.put(key, value, when);
        }
    }

    /// The key no longer expires with the client.
    pub(crate) fn forget(&mut self, key: &Bytes, when: When) {
        if self.keys.get(key).is_some_and(|known| known.is_before(when)) {
            self.keys.remove(key);
        }
    }

    pub(crate) fn delete(&mut self, range: &KeyRange, when: When) {
        self.keys.retain(|key, known| !range.contains(key) || !known.is_before(when));
    }

    pub(crate) fn clear(&mut self) {
        self.keys.clear();
    }

    /// Marks all keys as lost with their lease. Their revisions are dropped, since the server may have started to count
    /// anew.
    pub(crate) fn mark_all_lost(&mut self) {
        self.noted.0 += 1;
        self.lost = self.noted;
        self.keys.values_mut().for_each(Known::mark_lost);
    }

    /// The keys that were lost with a lease.
    pub(crate) fn lost(&self) -> Vec<Bytes> {
        self.keys.iter().filter(|(_, known)| known.is_lost).map(|(key, _)| key.clone()).collect()
    }

    /// The keys that should exist.
    pub(crate) fn expected(&self) -> Vec<Bytes> {
        self.keys.iter().filter(|(_, known)| !known.is_lost).map(|(key, _)| key.clone()).collect()
    }

    /// Whether this key should exist, including one that is lost and not restored yet.
    pub(crate) fn has(&self, key: &Bytes) -> bool {
        self.keys.contains_key(key)
    }

    /// The value to restore, if the key is still lost.
    pub(crate) fn value_to_restore(&self, key: &Bytes) -> Option<Bytes> {
        self.keys.get(key).filter(|known| known.is_lost).map(|known| known.value.clone())
    }

    /// The key has been restored.
    pub(crate) fn mark_restored(&mut self, key: &Bytes) {
        if let Some(known) = self.keys.get_mut(key) {
            known.is_lost = false;
        }
    }

    /// Somebody else wrote the key while it was lost.
    pub(crate) fn mark_taken(&mut self, key: &Bytes) {
        if self.keys.get(key).is_some_and(|known| known.is_lost) {
            self.keys.remove(key);
        }
    }

    /// Whether the key was written after this revision of the server, which has the key nevertheless: so it may have an
    /// older value of this client.
    pub(crate) fn may_be_older(&self, key: &Bytes, state: Option<Revision>) -> bool {
        let is = |known: &Known| state.is_some() && known.written > state && !known.earlier.is_empty();
        self.keys.get(key).is_some_and(is)
    }

    /// The value that the key should have, if the one that is there is an earlier one of this client.
    pub(crate) fn value_to_mend(&self, key: &Bytes, there: Revision) -> Option<Bytes> {
        let known = self.keys.get(key).filter(|known| !known.is_lost && known.earlier.contains(&there))?;
        Some(known.value.clone())
    }

    /// The current value was restored in place of the earlier one of revision `there`.
    pub(crate) fn mark_mended(&mut self, key: &Bytes, there: Revision, when: When) {
        if let Some(known) = self.keys.get_mut(key).filter(|known| known.noted <= when.began) {
            known.written = when.revision;
            // Later revisions belong to a history that this server no longer has.
            known.earlier.retain(|earlier| *earlier <= there);
        }
    }

    /// The lease did not have this key when it was checked: somebody else changed or deleted it, unless the server has
    /// returned to a revision before it was written.
    pub(crate) fn mark_missing(&mut self, key: &Bytes, when: When) {
        match self.keys.get_mut(key) {
            Some(known) if known.noted <= when.began && known.written > when.revision => known.mark_lost(),
            _ => self.forget(key, when),
        }
    }
}

impl Known {
    fn mark_lost(&mut self) {
        (self.is_lost, self.written) = (true, None);
        self.earlier.clear();
    }

    /// The revisions of this client's values that are lower than `now`, at most `EARLIER` of them.
    fn earlier_than(mut self, now: Option<Revision>) -> Vec<Revision> {
        self.earlier.extend(self.written);
        self.earlier.retain(|earlier| now.is_some_and(|now| *earlier < now));
        let more = self.earlier.len().saturating_sub(EARLIER);
        self.earlier.drain(..more);
        self.earlier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn when(began: u64, revision: u64) -> When {
        When { began: Moment(began), revision: Revision::new(revision) }
    }

    #[test]
    fn of_two_at_once_the_later_state_is_true_and_else_the_order() {
        let (mut ours, key) = (OwnKeys::default(), Bytes::from("k"));
        ours.put(&key, &Bytes::from("1"), when(0, 9));
        let now = ours.now().0;
        assert_eq!(now, 1);
        // Concurrent requests with a lower revision.
        ours.forget(&key, when(0, 8));
        ours.delete(&KeyRange::all(), when(0, 8));
        assert_eq!(ours.expected(), ["k"]);
        // Later requests, to a server that counts from the start again.
        ours.put(&key, &Bytes::from("2"), when(now, 2));
        ours.delete(&KeyRange::all(), when(now, 1));
        assert_eq!(ours.expected(), ["k"]);
        ours.delete(&KeyRange::all(), when(now, 3));
        assert!(ours.expected().is_empty());
    }

    #[test]
    fn what_was_asked_for_before_a_lease_was_lost_is_lost_with_it() {
        let (mut ours, keys) = (OwnKeys::default(), ["before", "at_once", "after"].map(Bytes::from));
        ours.put(&keys[0], &Bytes::new(), when(0, 1));
        let began = ours.now().0;
        ours.mark_all_lost();
        ours.put(&keys[1], &Bytes::new(), when(began, 2));
        ours.put(&keys[2], &Bytes::new(), when(ours.now().0, 3));
        assert_eq!((ours.lost(), ours.expected()), (vec![keys[1].clone(), keys[0].clone()], vec![keys[2].clone()]));
    }

    #[test]
    fn what_is_not_there_is_lost_if_the_server_has_gone_back() {
        let (mut ours, key) = (OwnKeys::default(), Bytes::from("k"));
        ours.put(&key, &Bytes::from("1"), when(0, 9));
        ours.mark_missing(&key, when(0, 8));
        assert_eq!((ours.expected(), ours.lost()), (vec![key.clone()], vec![]), "it was put meanwhile");
        ours.mark_missing(&key, when(1, 8));
        assert_eq!((ours.expected(), ours.lost()), (vec![], vec![key.clone()]));
        ours.mark_restored(&key);
        ours.mark_missing(&key, when(1, 9));
        assert!(ours.expected().is_empty() && ours.lost().is_empty(), "somebody has deleted it");
    }

    #[test]
    fn what_is_older_is_known_by_the_states_in_which_it_was_written() {
        let (mut ours, key) = (OwnKeys::default(), Bytes::from("k"));
        let at = |revision| Revision::new(revision).unwrap();
        for revision in [5, 8, 11, 14] {
            ours.put(&key, &Bytes::from(format!("{revision}")), when(ours.now().0, revision));
        }
        assert!(!ours.may_be_older(&key, Some(at(14))) && !ours.may_be_older(&key, None));
        assert!(ours.may_be_older(&key, Some(at(9))));
        // Written by somebody else, who kept the lease of the key.
        assert_eq!(ours.value_to_mend(&key, at(9)), None);
        assert_eq!(ours.value_to_mend(&key, at(8)), Some(Bytes::from("14")));
        ours.mark_mended(&key, at(8), when(ours.now().0, 10));
        // The server reaches these revisions again, with other contents.
        assert_eq!(
            (ours.value_to_mend(&key, at(11)), ours.value_to_mend(&key, at(5))),
            (None, Some(Bytes::from("14")))
        );
        ours.put(&key, &Bytes::from("last"), when(ours.now().0, 7));
        assert_eq!(
            (ours.value_to_mend(&key, at(8)), ours.value_to_mend(&key, at(5))),
            (None, Some(Bytes::from("last")))
        );
        ours.mark_all_lost();
        assert_eq!(ours.value_to_mend(&key, at(5)), None);
        for revision in 20..99 {
            ours.put(&key, &Bytes::new(), when(ours.now().0, revision));
        }
        assert_eq!(ours.keys[&key].earlier.len(), EARLIER);
    }
}
