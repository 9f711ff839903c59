//! A model of a store and a watcher that behave correctly; what they do is generated from a seed.

use cninfra_testbed::history::{Cause, History, Item, Seen, Step, Write};
use fastrand::Rng;
use std::collections::BTreeMap;

const KEYS: [&str; 5] = ["a", "b", "c", "d", "e"];
type Change = (String, Option<String>);

/// A store with revisions, which can also act as one without.
pub struct Model {
    pub rng: Rng,
    revisions: bool,
    pub history: History,
    revision: u64,
    log: Vec<(u64, Vec<Change>)>,
    state: BTreeMap<String, (String, u64)>,
    /// Writes that were given up and are still in flight.
    late: Vec<Change>,
    compacted: u64,
    next: u32,
    // The state of the watcher.
    last: u64,
    knows: BTreeMap<String, String>,
}

impl Model {
    /// A history in which everything may happen.
    pub fn run(seed: u64, revisions: bool) -> Model {
        let mut model = Model {
            rng: Rng::with_seed(seed),
            revisions,
            history: History::default(),
            revision: 1,
            log: Vec::new(),
            state: BTreeMap::new(),
            late: Vec::new(),
            compacted: 0,
            next: 0,
            last: 0,
            knows: BTreeMap::new(),
        };
        model.writes(3);
        model.snapshot(Cause::Start);
        for _ in 0..30 {
            match model.rng.u8(..20) {
                0..12 => {
                    model.writes(2);
                    model.watch();
                }
                12..15 => model.away(),
                15 => {
                    model.watch();
                    model.snapshot(Cause::Requested);
                }
                16 => {
                    model.writes(3);
                    model.snapshot(Cause::Overflow);
                }
                17 if model.revisions => model.compact(),
                18 if model.rng.bool() => model.lose(),
                _ => model.arrive(),
            }
        }
        model.arrive();
        // Some more writes, which are watched to the end.
        model.writes(6);
        model.watch();
        model.history.end = model.items();
        model
    }

    fn items(&self) -> Vec<Item> {
        let revision = |revision: u64| self.revisions.then_some(revision);
        self.state.iter().map(|(key, (value, at))| Item::new(key, value, revision(*at))).collect()
    }

    fn apply(&mut self, changes: Vec<Change>) -> u64 {
        self.revision += 1;
        for (key, value) in &changes {
            match value {
                Some(value) => drop(self.state.insert(key.clone(), (value.clone(), self.revision))),
                None => drop(self.state.remove(key)),
            }
        }
        self.log.push((self.revision, changes));
        self.revision
    }

    fn key(&mut self) -> &'static str {
        KEYS[self.rng.usize(..KEYS.len())]
    }

    fn change(&mut self, key: &str) -> Change {
        self.next += 1;
        // `e` is never deleted.
        let delete = key != "e" && self.rng.u8(..4) == 0;
        (key.to_string(), (!delete).then(|| self.next.to_string()))
    }

    fn writes(&mut self, most: usize) {
        for _ in 0..self.rng.usize(1..=most) {
            let key = self.key();
            let change = self.change(key);
            let of = |(key, value): &Change| Write { key: key.clone(), value: value.clone(), ..Write::delete(key) };
            let nothing = change.1.is_none() && !self.state.contains_key(key);
            let step = match self.rng.u8(..10) {
                _ if nothing => of(&change).nothing(),
                // Given up: it was applied, is in flight, or is never applied.
                0 => {
                    match self.rng.u8(..3) {
                        0 => drop(self.apply(vec![change.clone()])),
                        1 => self.late.push(change.clone()),
                        _ => {}
                    }
                    of(&change).unknown()
                }
                1 if self.revisions => {
                    let second = KEYS[(KEYS.iter().position(|it| *it == key).unwrap() + 1) % KEYS.len()];
                    self.next += 1;
                    let second = (second.to_string(), Some(self.next.to_string()));
                    let revision = self.apply(vec![change.clone(), second.clone()]);
                    self.history.steps.push(of(&second).applied(revision));
                    of(&change).applied(revision)
                }
                _ => {
                    let revision = self.apply(vec![change.clone()]);
                    if self.revisions { of(&change).applied(revision) } else { of(&change).acknowledged() }
                }
            };
            self.history.steps.push(step);
        }
    }

    /// The writes that were in flight are applied.
    fn arrive(&mut self) {
        for change in std::mem::take(&mut self.late) {
            if change.1.is_some() || self.state.contains_key(&change.0) {
                self.apply(vec![change]);
            }
        }
        self.watch();
    }

    fn watch(&mut self) {
        if self.revisions {
            for (revision, changes) in self.log.iter().filter(|(revision, _)| *revision > self.last) {
                self.history.seen.push(Seen::Changes { revision: Some(*revision), changes: changes.clone() });
            }
        } else {
            // Reads the current values; changes in between are not reported.
            let keys: Vec<Change> = KEYS
                .iter()
                .map(|key| (key.to_string(), self.state.get(*key).map(|(value, _)| value.clone())))
                .filter(|(key, value)| self.knows.get(key) != value.as_ref())
                .collect();
            let event = |change| Seen::Changes { revision: None, changes: vec![change] };
            self.history.seen.extend(keys.into_iter().map(event));
        }
        self.known();
    }

    fn known(&mut self) {
        self.last = self.revision;
        self.knows = self.state.iter().map(|(key, (value, _))| (key.clone(), value.clone())).collect();
    }

    fn snapshot(&mut self, cause: Cause) {
        let (items, at) = (self.items(), self.revision);
        self.history.seen.push(Seen::SnapshotBegin(cause));
        let half = self.rng.usize(..=items.len());
        self.history.seen.extend(items[..half].iter().cloned().map(Seen::Item));
        let rest = items[half..].iter().cloned().map(Seen::Item);
        self.known();
        if self.revisions {
            self.history.seen.extend(rest);
            if self.rng.bool() {
                self.writes(2);
                self.watch();
            }
        } else {
            self.history.seen.extend(rest);
        }
        self.history.seen.push(Seen::SnapshotEnd(self.revisions.then_some(at)));
    }

    /// The connection is lost and restored.
    fn away(&mut self) {
        self.history.seen.push(Seen::Lost);
        self.writes(3);
        if self.revisions && self.rng.bool() {
            self.compact();
        }
        self.history.seen.push(Seen::Resumed);
        if !self.revisions {
            self.snapshot(Cause::Lost);
        } else if self.last < self.compacted {
            self.snapshot(Cause::Compacted);
        } else {
            self.watch();
        }
    }

    fn compact(&mut self) {
        self.compacted = self.revision;
        self.history.steps.push(Step::Compacted(self.revision));
    }

    fn lose(&mut self) {
        let before = self.state.clone();
        if !self.revisions {
            // These writes are reported, and then rolled back.
            self.writes(3);
            self.watch();
        }
        self.history.seen.push(Seen::Lost);
        if self.revisions {
            (self.revision, self.compacted) = (1, 0);
            self.log.clear();
            self.state.clear();
            self.history.steps.push(Step::Wiped);
            self.writes(3);
        } else {
            self.state = before;
            self.history.steps.push(Step::RolledBack);
        }
        self.history.seen.push(Seen::Resumed);
        self.snapshot(if self.revisions { Cause::Regressed } else { Cause::Lost });
    }
}
