//! [`Hub`]: the watches of a store, the patterns that they want, and the state of the listeners to each server.

use super::{
    concerned::Concerned,
    inbox::{Inbox, Order},
};
use crate::glob::literal;
use bytes::Bytes;
use cninfra::keyval::KeyRange;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// The watches of a store, and the state of the listener to each server.
pub(crate) struct Hub {
    db: u8,
    state: Mutex<State>,
    sync: watch::Sender<SyncState>,
    /// All servers notify about the patterns of this version, as long as they are [in step](Sync::in_step). This is not
    /// part of `Sync`, so that a watch that begins does not wake those that run.
    confirmed: watch::Sender<u64>,
    /// The version of the wanted patterns, which grows whenever they change.
    wanted: watch::Sender<u64>,
    /// How many watches have begun. Each new one makes refused listeners try again.
    begun: watch::Sender<u64>,
    primaries: watch::Sender<Vec<Arc<str>>>,
}

#[derive(Default)]
struct State {
    inboxes: HashMap<u64, Arc<Inbox>>,
    /// The same inboxes, by their ranges.
    concerned: Concerned,
    next: u64,
    /// Each pattern, with the number of ranges that want it.
    patterns: BTreeMap<Arc<str>, usize>,
    version: u64,
    listeners: HashMap<Arc<str>, Listener>,
    epoch: u64,
    refusals: u64,
    trouble: String,
}

/// The state of the listener to one server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Listener {
    Connecting,
    Down,
    /// The server does not notify about changes; with the advice how to fix that.
    Refused(String),
    /// Hints for the patterns of this version arrive.
    Up(u64),
}

/// What the tasks of watches have to know.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct SyncState {
    /// If it changes, hints may have been lost.
    pub(crate) epoch: u64,
    /// All servers notify: about which patterns, [`Hub::confirmed`] says.
    pub(crate) in_step: bool,
    /// A server refuses to notify; with the advice how to fix that.
    pub(crate) refused: Option<String>,
    /// How often a server has refused.
    pub(crate) refusals: u64,
    /// Whether a server does not answer.
    pub(crate) down: bool,
}

/// Why an order of a subscriber is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OrderError {
    /// The watch has ended.
    Ended,
    /// The range is not watched.
    Unknown,
    /// The earlier orders are not done yet.
    Full,
}

impl Hub {
    pub(crate) fn new(db: u8) -> Self {
        Hub {
            db,
            state: Mutex::default(),
            sync: watch::Sender::new(SyncState::default()),
            confirmed: watch::Sender::new(0),
            wanted: watch::Sender::new(0),
            begun: watch::Sender::new(0),
            primaries: watch::Sender::new(Vec::new()),
        }
    }

    /// Adds a watch. Returns its id, and the version of the patterns that includes its ranges.
    pub(crate) fn add(&self, inbox: Arc<Inbox>) -> (u64, u64) {
        let mut state = self.lock();
        state.next += 1;
        let id = state.next;
        for range in inbox.ranges() {
            state.add_pattern(self.pattern(&range));
            state.concerned.add(&range, id, inbox.clone());
        }
        state.inboxes.insert(id, inbox);
        let since = state.version;
        self.publish(state);
        self.begun.send_modify(|begun| *begun += 1);
        (id, since)
    }

    /// Removes a watch.
    pub(crate) fn remove(&self, id: u64) {
        let mut state = self.lock();
        if let Some(inbox) = state.inboxes.remove(&id) {
            for range in inbox.ranges() {
                state.remove_pattern(&self.pattern(&range));
                state.concerned.remove(&range, id);
            }
        }
        self.publish(state);
    }

    /// Adds a range to a watch, unless it already has it.
    pub(crate) fn add_range(&self, id: u64, range: KeyRange) -> Result<(), OrderError> {
        self.run_order(id, |state, inbox| {
            if inbox.ranges().contains(&range) {
                return Ok(());
            }
            let pattern = self.pattern(&range);
            state.add_pattern(pattern.clone());
            match inbox.push_order(Order::Add(range.clone(), state.version)) {
                true => {
                    state.concerned.add(&range, id, inbox.clone());
                    Ok(())
                }
                false => {
                    state.remove_pattern(&pattern);
                    Err(OrderError::Full)
                }
            }
        })
    }

    /// Removes a range from a watch.
    pub(crate) fn remove_range(&self, id: u64, range: KeyRange) -> Result<(), OrderError> {
        self.run_order(id, |state, inbox| {
            if !inbox.ranges().contains(&range) {
                return Err(OrderError::Unknown);
            }
            let pattern = self.pattern(&range);
            if !inbox.push_order(Order::Remove(range.clone())) {
                return Err(OrderError::Full);
            }
            state.remove_pattern(&pattern);
            state.concerned.remove(&range, id);
            Ok(())
        })
    }

    /// Makes a watch report a snapshot of all its ranges.
    pub(crate) fn snapshot(&self, id: u64) -> Result<(), OrderError> {
        self.run_order(id, |_, inbox| if inbox.push_order(Order::Snapshot) { Ok(()) } else { Err(OrderError::Full) })
    }

    /// Records an order, under the same lock under which a watch ends: so nothing is left of an ended watch, and a
    /// range that two callers add at once is added once.
    fn run_order(
        &self,
        id: u64,
        run: impl FnOnce(&mut State, &Arc<Inbox>) -> Result<(), OrderError>,
    ) -> Result<(), OrderError> {
        let mut state = self.lock();
        let inbox = state.inboxes.get(&id).cloned().ok_or(OrderError::Ended)?;
        let result = run(&mut state, &inbox);
        self.publish(state);
        result
    }

    /// The wanted patterns, and their version.
    pub(crate) fn patterns(&self) -> (u64, BTreeSet<Arc<str>>) {
        let state = self.lock();
        (state.version, state.patterns.keys().cloned().collect())
    }

    /// Sets which servers have the keys.
    pub(crate) fn set_primaries(&self, primaries: &[Arc<str>]) {
        let mut state = self.lock();
        let is_same =
            state.listeners.len() == primaries.len() && primaries.iter().all(|one| state.listeners.contains_key(one));
        if is_same {
            return;
        }
        state.listeners.retain(|endpoint, _| primaries.contains(endpoint));
        for endpoint in primaries {
            state.listeners.entry(endpoint.clone()).or_insert(Listener::Connecting);
        }
        state.epoch += 1;
        self.primaries.send_replace(primaries.to_vec());
        self.publish(state);
    }

    /// Sets the state of the listener to a server.
    pub(crate) fn set_listener(&self, endpoint: &Arc<str>, now: Listener) {
        let mut state = self.lock();
        state.refusals += u64::from(matches!(now, Listener::Refused(_)));
        // A server that no longer has keys is ignored.
        if let Some(before) = state.listeners.get_mut(endpoint) {
            let is_back = matches!(now, Listener::Up(_)) && !matches!(before, Listener::Up(_));
            *before = now;
            state.epoch += u64::from(is_back);
        }
        self.publish(state);
    }

    /// To be called when hints were lost.
    pub(crate) fn mark_hints_lost(&self) {
        let mut state = self.lock();
        state.epoch += 1;
        self.publish(state);
    }

    /// Passes a hint to the watches that have this key.
    pub(crate) fn hint(&self, key: &Bytes, expired: bool) {
        for inbox in self.lock().concerned.watches_of(key).into_values() {
            inbox.hint(key, expired);
        }
    }

    pub(crate) fn sync(&self) -> watch::Receiver<SyncState> {
        self.sync.subscribe()
    }

    pub(crate) fn confirmed(&self) -> watch::Receiver<u64> {
        self.confirmed.subscribe()
    }

    pub(crate) fn wanted(&self) -> watch::Receiver<u64> {
        self.wanted.subscribe()
    }

    pub(crate) fn begun(&self) -> watch::Receiver<u64> {
        self.begun.subscribe()
    }

    pub(crate) fn servers(&self) -> watch::Receiver<Vec<Arc<str>>> {
        self.primaries.subscribe()
    }

    /// Why a server does not notify, if any watch needs it to.
    pub(crate) fn refusal(&self) -> Option<String> {
        self.sync.borrow().refused.clone()
    }

    /// Records why the servers of the keys could not be found out.
    pub(crate) fn record_trouble(&self, what: &str) {
        self.lock().trouble = what.to_string();
    }

    pub(crate) fn last_trouble(&self) -> Box<dyn std::error::Error + Send + std::marker::Sync> {
        let trouble = self.lock().trouble.clone();
        if trouble.is_empty() { "no server is known yet".into() } else { trouble.into() }
    }

    /// The pattern for the channels of a range.
    fn pattern(&self, range: &KeyRange) -> Arc<str> {
        let text = |key: &[u8]| literal(key.utf8_chunks().next().map(|chunk| chunk.valid()).unwrap_or_default());
        match range.single() {
            Some(key) => format!("{}{}", channel(self.db), text(key)),
            None => format!("{}{}*", channel(self.db), text(range.start())),
        }
        .into()
    }

    fn publish(&self, state: MutexGuard<'_, State>) {
        let listeners = &state.listeners;
        let refused = listeners.values().find_map(|listener| match listener {
            Listener::Refused(why) if !state.inboxes.is_empty() => Some(why.clone()),
            _ => None,
        });
        let confirmed = listeners.values().map(|listener| match listener {
            Listener::Up(version) => Some(*version),
            _ => None,
        });
        let confirmed: Option<Vec<u64>> = confirmed.collect();
        let down = listeners.values().any(|listener| *listener == Listener::Down);
        let confirmed = confirmed.and_then(|all| all.into_iter().min());
        let in_step = confirmed.is_some();
        let sync = SyncState { epoch: state.epoch, in_step, refused, refusals: state.refusals, down };
        let version = state.version;
        // Sent under the lock, so that an older state cannot come later. `confirmed` first, so that it is up to date
        // when `in_step` is seen.
        if let Some(confirmed) = confirmed {
            self.confirmed.send_if_modified(|before| std::mem::replace(before, confirmed) != confirmed);
        }
        self.sync.send_if_modified(|before| {
            let is_new = *before != sync;
            *before = sync;
            is_new
        });
        self.wanted.send_if_modified(|before| std::mem::replace(before, version) != version);
        drop(state);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The prefix of the channels of a database's keys.
pub(crate) fn channel(db: u8) -> String {
    format!("__keyspace@{db}__:")
}

impl State {
    fn add_pattern(&mut self, pattern: Arc<str>) {
        let count = self.patterns.entry(pattern).or_default();
        *count += 1;
        self.version += u64::from(*count == 1);
    }

    fn remove_pattern(&mut self, pattern: &str) {
        let Some(count) = self.patterns.get_mut(pattern) else { return };
        *count -= 1;
        if *count == 0 {
            self.patterns.remove(pattern);
            self.version += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> BTreeSet<Arc<str>> {
        BTreeSet::from(["__keyspace@3__:k".into()])
    }

    fn hub() -> (Hub, [Arc<str>; 2]) {
        (Hub::new(3), ["a:1".into(), "b:1".into()])
    }

    #[test]
    fn a_watch_is_in_step_when_all_servers_tell() {
        let (hub, [a, b]) = hub();
        hub.set_primaries(&[a.clone(), b.clone()]);
        hub.add(Arc::new(Inbox::new(vec![KeyRange::prefix("x[")])));
        assert_eq!(hub.patterns(), (1, BTreeSet::from(["__keyspace@3__:x\\[*".into()])));
        hub.set_listener(&a, Listener::Up(1));
        assert!(!hub.sync().borrow().in_step);
        hub.set_listener(&b, Listener::Up(1));
        let in_step = hub.sync().borrow().clone();
        assert_eq!((in_step.in_step, *hub.confirmed().borrow()), (true, 1));
        // A listener that was down has missed hints.
        hub.set_listener(&a, Listener::Down);
        assert!(!hub.sync().borrow().in_step);
        hub.set_listener(&a, Listener::Up(1));
        assert!(hub.sync().borrow().epoch > in_step.epoch);
    }

    #[test]
    fn what_is_asked_of_a_watch_leaves_nothing_behind() {
        let (hub, _) = hub();
        let (id, _) = hub.add(Arc::new(Inbox::new(vec![KeyRange::key("k")])));
        // Adding the same range a second time has no effect.
        assert_eq!([0; 2].map(|_| hub.add_range(id, KeyRange::key("l"))), [Ok(()); 2]);
        assert_eq!(hub.patterns().1.len(), 2);
        assert_eq!(hub.remove_range(id, KeyRange::key("l")), Ok(()));
        assert_eq!(hub.remove_range(id, KeyRange::key("l")), Err(OrderError::Unknown));
        assert_eq!(hub.patterns().1, one());
        while hub.snapshot(id).is_ok() {}
        assert_eq!(hub.add_range(id, KeyRange::key("m")), Err(OrderError::Full));
        hub.remove(id);
        assert_eq!(hub.add_range(id, KeyRange::key("m")), Err(OrderError::Ended));
        assert!(hub.patterns().1.is_empty());
    }

    #[test]
    fn a_hint_comes_to_those_whom_it_concerns() {
        let (hub, _) = hub();
        let inboxes = ["k", "other"].map(|prefix| Arc::new(Inbox::new(vec![KeyRange::prefix(prefix)])));
        let [(one, _), (other, _)] = inboxes.each_ref().map(|inbox| hub.add(inbox.clone()));
        let heard = |key: &'static str| {
            hub.hint(&Bytes::from_static(key.as_bytes()), false);
            inboxes.each_ref().map(|inbox| inbox.take_dirty(9).len())
        };
        assert_eq!([heard("k/1"), heard("other"), heard("none")], [[1, 0], [0, 1], [0, 0]]);
        hub.add_range(other, KeyRange::key("k/1")).unwrap();
        hub.add_range(one, KeyRange::prefix("k/")).unwrap();
        assert_eq!([heard("k/1"), heard("k/2")], [[1, 1], [1, 0]]);
        hub.remove_range(other, KeyRange::key("k/1")).unwrap();
        hub.remove_range(one, KeyRange::prefix("k")).unwrap();
        assert_eq!([heard("k/1"), heard("k")], [[1, 0], [0, 0]]);
        hub.remove(one);
        assert_eq!(heard("k/1"), [0, 0]);
    }

    #[test]
    fn patterns_go_with_the_last_who_wants_them() {
        let (hub, _) = hub();
        let inbox = || Arc::new(Inbox::new(vec![KeyRange::key("k")]));
        let ((one, _), (other, _)) = (hub.add(inbox()), hub.add(inbox()));
        hub.remove(one);
        assert_eq!(hub.patterns().1, self::one());
        hub.remove(other);
        assert_eq!(hub.patterns(), (2, BTreeSet::new()));
    }

    #[test]
    fn a_watch_that_begins_wakes_none_of_those_that_run() {
        let (hub, [a, b]) = hub();
        hub.set_primaries(&[a.clone(), b.clone()]);
        let begin = |key: &str| hub.add(Arc::new(Inbox::new(vec![KeyRange::key(key)]))).1;
        let up = |version| [&a, &b].into_iter().for_each(|server| hub.set_listener(server, Listener::Up(version)));
        up(begin("k"));
        let (mut sync, mut confirmed) = (hub.sync(), hub.confirmed());
        sync.mark_unchanged();
        confirmed.mark_unchanged();
        up(begin("l"));
        assert_eq!([sync.has_changed().unwrap(), confirmed.has_changed().unwrap()], [false, true]);
        assert_eq!(*confirmed.borrow_and_update(), 2);
        // But an outage of a server concerns all.
        hub.set_listener(&a, Listener::Down);
        assert_eq!([sync.has_changed().unwrap(), confirmed.has_changed().unwrap()], [true, false]);
    }
}
