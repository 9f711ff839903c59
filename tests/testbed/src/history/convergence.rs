//! Checks histories of stores without revisions.

use super::{
    Fault, History, Outcome, ReportCounts, Seen, Step, Wrong, shown,
    wrong::{CheckResult, fail},
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(history: &History) -> Result<ReportCounts, Wrong> {
    let mut watcher = Watcher::of(history);
    for (at, event) in history.seen.iter().enumerate() {
        watcher.check_event(event).map_err(|(fault, what)| Wrong { fault, event: Some(at), what })?;
    }
    watcher.check_end().map_err(|(fault, what)| Wrong { fault, event: None, what })?;
    Ok(watcher.count)
}

/// The writes of one key, and what was reported about them.
#[derive(Default)]
struct Key {
    writes: Vec<KeyWrite>,
    /// The write whose value the watcher has now.
    now: Option<usize>,
    /// The positions that fit the reports so far. A value identifies its write, but a delete does not, so several
    /// positions are possible; if none is, the history is wrong.
    possible: Option<BTreeSet<Position>>,
}

struct KeyWrite {
    value: Option<String>,
    acknowledged: bool,
    reported: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Position {
    /// How many writes are past, the last of which was reported.
    past: usize,
    /// How many deletes were reported that were not acknowledged.
    given_up: usize,
    /// How often the store went back to an older state of the key.
    back: usize,
}

/// How a key is reported.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReportKind {
    Change,
    /// A snapshot may repeat what was reported before. It may also contain an older state if the store went back, but
    /// at most this often.
    Snapshot {
        losses: usize,
    },
}

impl ReportKind {
    /// The position with this many writes past, if the store may have gone back to that.
    fn back(self, position: Position, past: usize) -> Option<Position> {
        let may = matches!(self, ReportKind::Snapshot { losses } if position.back < losses);
        may.then_some(Position { past, given_up: 0, back: position.back + 1 })
    }
}

impl Key {
    /// A value is reported.
    fn put(&mut self, key: &str, value: &str, kind: ReportKind) -> CheckResult {
        let Some(at) = self.writes.iter().position(|write| write.value.as_deref() == Some(value)) else {
            return fail(Fault::Phantom, format!("{} was never written", shown(key, Some(value))));
        };
        if self.now == Some(at) {
            let what = format!("{} is what was told before", shown(key, Some(value)));
            return if kind == ReportKind::Change { fail(Fault::Repeated, what) } else { Ok(()) };
        }
        let write = &self.writes[at];
        // A write that was not acknowledged may arrive late, once.
        let late = !write.acknowledged && !write.reported;
        let next = |position: Position| match at >= position.past {
            true => Some(Position { past: at + 1, ..position }),
            false => late.then_some(position),
        };
        let back = |position: Position| kind.back(position, at + 1);
        let possible: BTreeSet<Position> =
            self.positions().into_iter().flat_map(|position| [next(position), back(position)]).flatten().collect();
        if possible.is_empty() {
            let fault = if write.reported { Fault::Stale } else { Fault::Reordered };
            return fail(fault, format!("{} is told after a later write of its key", shown(key, Some(value))));
        }
        self.writes[at].reported = true;
        (self.possible, self.now) = (Some(possible), Some(at));
        Ok(())
    }

    /// The key is reported as deleted.
    fn delete(&mut self, key: &str, kind: ReportKind) -> CheckResult {
        if self.now.is_none() {
            let fault = if self.possible.is_some() { Fault::Repeated } else { Fault::Phantom };
            return fail(fault, format!("the delete of `{key}`, which is not there"));
        }
        let (known, given_up) = (self.deletes(true), self.deletes(false));
        let mut possible = BTreeSet::new();
        for position in self.positions() {
            let used = position.given_up + 1;
            if let Some(at) = known.iter().find(|at| **at >= position.past) {
                possible.insert(Position { past: at + 1, ..position });
            }
            if let Some(at) = given_up.iter().find(|at| **at >= position.past) {
                possible.insert(Position { past: at + 1, given_up: used, ..position });
            }
            if given_up.iter().filter(|at| **at < position.past).count() >= used {
                possible.insert(Position { given_up: used, ..position });
            }
            possible.extend(kind.back(position, 0));
        }
        if possible.is_empty() {
            return fail(Fault::Phantom, format!("`{key}` was not deleted after what was told of it"));
        }
        (self.possible, self.now) = (Some(possible), None);
        Ok(())
    }

    fn deletes(&self, acknowledged: bool) -> Vec<usize> {
        let is = |at: &usize| self.writes[*at].value.is_none() && self.writes[*at].acknowledged == acknowledged;
        (0..self.writes.len()).filter(is).collect()
    }

    fn positions(&self) -> BTreeSet<Position> {
        self.possible.clone().unwrap_or_else(|| BTreeSet::from([Position::default()]))
    }
}

struct Watcher<'h> {
    history: &'h History,
    keys: BTreeMap<&'h str, Key>,
    snapshot: Option<(BTreeMap<&'h str, &'h str>, BTreeSet<&'h str>)>,
    /// How often the store may go back.
    losses: usize,
    is_disconnected: bool,
    count: ReportCounts,
}

impl<'h> Watcher<'h> {
    fn of(history: &'h History) -> Self {
        let mut keys: BTreeMap<&str, Key> = BTreeMap::new();
        for write in history.writes().filter(|write| write.outcome != Outcome::Nothing) {
            let acknowledged = write.outcome != Outcome::Unknown;
            let value = write.value.clone();
            keys.entry(&write.key).or_default().writes.push(KeyWrite { value, acknowledged, reported: false });
        }
        let losses = history.steps.iter().filter(|step| matches!(step, Step::Wiped | Step::RolledBack)).count();
        Watcher { history, keys, snapshot: None, losses, is_disconnected: false, count: ReportCounts::default() }
    }

    fn check_event(&mut self, event: &'h Seen) -> CheckResult {
        if self.is_disconnected && !matches!(event, Seen::Lost | Seen::Resumed) {
            return fail(Fault::Malformed, "it is told while the connection is lost");
        }
        match event {
            Seen::SnapshotBegin(_) => self.snapshot = Some((BTreeMap::new(), BTreeSet::new())),
            Seen::Item(item) => {
                let Some((items, _)) = &mut self.snapshot else {
                    return fail(Fault::Malformed, format!("`{}` is an item of no snapshot", item.key));
                };
                if items.insert(&item.key, &item.value).is_some() {
                    return fail(Fault::Repeated, format!("`{}` is twice in the snapshot", item.key));
                }
            }
            Seen::SnapshotEnd(_) => {
                let Some((items, changed)) = self.snapshot.take() else {
                    return fail(Fault::Malformed, "no snapshot has begun");
                };
                return self.check_snapshot(&items, &changed);
            }
            Seen::Changes { changes, .. } => {
                for (key, value) in changes {
                    let known = self.keys.get_mut(key.as_str());
                    let Some(known) = known else {
                        return fail(Fault::Phantom, format!("`{key}` was never written"));
                    };
                    match value {
                        Some(value) => known.put(key, value, ReportKind::Change)?,
                        None => known.delete(key, ReportKind::Change)?,
                    }
                    self.count.changes += 1;
                    if let Some((_, changed)) = &mut self.snapshot {
                        changed.insert(key);
                    }
                }
            }
            Seen::Lost | Seen::Resumed => self.is_disconnected = *event == Seen::Lost,
        }
        Ok(())
    }

    /// Checks a complete snapshot. Keys that changed while it was sent are newer than it.
    fn check_snapshot(&mut self, items: &BTreeMap<&'h str, &'h str>, changed: &BTreeSet<&'h str>) -> CheckResult {
        if let Some(key) = items.keys().find(|key| !self.keys.contains_key(*key)) {
            return fail(Fault::Phantom, format!("`{key}` was never written"));
        }
        let kind = ReportKind::Snapshot { losses: self.losses };
        for (name, key) in self.keys.iter_mut().filter(|(name, _)| !changed.contains(*name)) {
            match items.get(name) {
                Some(value) => key.put(name, value, kind)?,
                None if key.now.is_some() => key.delete(name, kind)?,
                None => {}
            }
        }
        self.count.snapshots += 1;
        self.count.items += items.len();
        Ok(())
    }

    fn check_end(&self) -> CheckResult {
        let end: BTreeMap<&str, &str> =
            self.history.end.iter().map(|item| (item.key.as_str(), item.value.as_str())).collect();
        for (name, key) in &self.keys {
            let has = end.get(name).copied();
            let last = key.writes.iter().rposition(|write| write.acknowledged);
            let holds = |(at, write): (usize, &KeyWrite)| {
                write.value.as_deref() == has && (Some(at) >= last || !write.acknowledged)
            };
            let none = has.is_none() && last.is_none();
            if self.losses == 0 && !none && !key.writes.iter().enumerate().any(holds) {
                let what = format!("`{name}` is {has:?}, which is not what was written last");
                return fail(Fault::Store, what);
            }
        }
        if self.snapshot.is_some() {
            return fail(Fault::Lost, "the last snapshot has not come to its end");
        }
        let value = |key: &Key| key.now.and_then(|now| key.writes[now].value.clone());
        let state = self.keys.iter().filter_map(|(name, key)| Some((name.to_string(), value(key)?))).collect();
        same_state(&state, &end)
    }
}

/// The final state of the watcher must be that of the store.
pub(super) fn same_state(state: &BTreeMap<String, String>, end: &BTreeMap<&str, &str>) -> CheckResult {
    for (key, value) in end {
        match state.get(*key) {
            Some(last) if last == value => {}
            last => {
                return fail(Fault::Lost, format!("{} was not told: it was {last:?} last", shown(key, Some(value))));
            }
        }
    }
    match state.keys().find(|key| !end.contains_key(key.as_str())) {
        Some(key) => fail(Fault::Lost, format!("{} was not told", shown(key, None))),
        None => Ok(()),
    }
}
