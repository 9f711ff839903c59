//! [`Ours`]: what was written with the lease of the client, and is its own as far as that is known.

use bytes::Bytes;
use cninfra::keyval::{KeyRange, Revision};
use std::collections::BTreeMap;

/// How much was noted until then.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(crate) struct Moment(u64);

/// When something was done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct When {
    /// When it was asked for.
    pub(crate) began: Moment,
    /// The state that the server has told.
    pub(crate) revision: Option<Revision>,
}

/// What ends with the client.
#[derive(Default)]
pub(crate) struct Ours {
    keys: BTreeMap<Bytes, Known>,
    noted: Moment,
    /// When a lease was lost last.
    lost: Moment,
}

struct Known {
    value: Bytes,
    noted: Moment,
    written: Option<Revision>,
    /// It has ended with a lease, and is not written again yet.
    is_lost: bool,
}

impl Known {
    /// Two at once may come to be known in another order than they were done in: the states say which one was the later. What was asked for when this was known is later whatever they say: a server
    /// that has lost its data counts anew.
    fn is_before(&self, when: When) -> bool {
        self.noted <= when.began || self.written <= when.revision
    }
}

impl Ours {
    pub(crate) fn now(&self) -> Moment {
        self.noted
    }

    pub(crate) fn put(&mut self, key: &Bytes, value: &Bytes, when: When) {
        if self.keys.get(key).is_none_or(|known| known.is_before(when)) {
            self.noted.0 += 1;
            // what was asked for before a lease was lost may be of that
            let is_lost = when.began < self.lost;
            let known = Known { value: value.clone(), noted: self.noted, written: when.revision, is_lost };
            self.keys.insert(key.clone(), known);
        }
    }

    /// It has another value, and ends as before.
    pub(crate) fn change(&mut self, key: &Bytes, value: &Bytes, when: When) {
        if self.keys.contains_key(key) {
            self.put(key, value, when);
        }
    }

    /// A key does not end with the client any more.
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

    /// All have ended with their lease, be it that the server counts anew.
    pub(crate) fn lose(&mut self) {
        self.noted.0 += 1;
        self.lost = self.noted;
        self.keys.values_mut().for_each(Known::lose);
    }

    /// What has ended with a lease.
    pub(crate) fn lost(&self) -> Vec<Bytes> {
        self.keys.iter().filter(|(_, known)| known.is_lost).map(|(key, _)| key.clone()).collect()
    }

    /// What is to be there.
    pub(crate) fn there(&self) -> Vec<Bytes> {
        self.keys.iter().filter(|(_, known)| !known.is_lost).map(|(key, _)| key.clone()).collect()
    }

    /// Is it to be there, be it that it is lost?
    pub(crate) fn has(&self, key: &Bytes) -> bool {
        self.keys.contains_key(key)
    }

    /// The value, if it is lost still.
    pub(crate) fn to_write(&self, key: &Bytes) -> Option<Bytes> {
        self.keys.get(key).filter(|known| known.is_lost).map(|known| known.value.clone())
    }

    /// It is written again.
    pub(crate) fn is_back(&mut self, key: &Bytes) {
        if let Some(known) = self.keys.get_mut(key) {
            known.is_lost = false;
        }
    }

    /// Somebody else has written it while it was lost.
    pub(crate) fn is_taken(&mut self, key: &Bytes) {
        if self.keys.get(key).is_some_and(|known| known.is_lost) {
            self.keys.remove(key);
        }
    }

    /// It was looked for, and is not of the lease: somebody else has changed or deleted it, unless the server has gone back to a state before it was written.
    pub(crate) fn is_not_there(&mut self, key: &Bytes, when: When) {
        match self.keys.get_mut(key) {
            Some(known) if known.noted <= when.began && known.written > when.revision => known.lose(),
            _ => self.forget(key, when),
        }
    }
}

impl Known {
    fn lose(&mut self) {
        (self.is_lost, self.written) = (true, None);
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
        let (mut ours, key) = (Ours::default(), Bytes::from("k"));
        ours.put(&key, &Bytes::from("1"), when(0, 9));
        let now = ours.now().0;
        assert_eq!(now, 1);
        // at once with it, and before
        ours.forget(&key, when(0, 8));
        ours.delete(&KeyRange::all(), when(0, 8));
        assert_eq!(ours.there(), ["k"]);
        // after it, at a server that counts anew
        ours.put(&key, &Bytes::from("2"), when(now, 2));
        ours.delete(&KeyRange::all(), when(now, 1));
        assert_eq!(ours.there(), ["k"]);
        ours.delete(&KeyRange::all(), when(now, 3));
        assert!(ours.there().is_empty());
    }

    #[test]
    fn what_was_asked_for_before_a_lease_was_lost_is_lost_with_it() {
        let (mut ours, keys) = (Ours::default(), ["before", "at_once", "after"].map(Bytes::from));
        ours.put(&keys[0], &Bytes::new(), when(0, 1));
        let began = ours.now().0;
        ours.lose();
        ours.put(&keys[1], &Bytes::new(), when(began, 2));
        ours.put(&keys[2], &Bytes::new(), when(ours.now().0, 3));
        assert_eq!((ours.lost(), ours.there()), (vec![keys[1].clone(), keys[0].clone()], vec![keys[2].clone()]));
    }

    #[test]
    fn what_is_not_there_is_lost_if_the_server_has_gone_back() {
        let (mut ours, key) = (Ours::default(), Bytes::from("k"));
        ours.put(&key, &Bytes::from("1"), when(0, 9));
        ours.is_not_there(&key, when(0, 8));
        assert_eq!((ours.there(), ours.lost()), (vec![key.clone()], vec![]), "it was put meanwhile");
        ours.is_not_there(&key, when(1, 8));
        assert_eq!((ours.there(), ours.lost()), (vec![], vec![key.clone()]));
        ours.is_back(&key);
        ours.is_not_there(&key, when(1, 9));
        assert!(ours.there().is_empty() && ours.lost().is_empty(), "somebody has deleted it");
    }
}
