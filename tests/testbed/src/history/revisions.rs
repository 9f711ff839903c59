//! Checks histories of stores with revisions.

use super::{
    Cause, Fault, History, Item, ReportCounts, Seen, Wrong,
    epoch::Epoch,
    shown,
    wrong::{CheckResult, fail},
};
use std::collections::{BTreeMap, BTreeSet};

type Change = (String, Option<String>);

pub(super) fn check(history: &History) -> Result<ReportCounts, Wrong> {
    let start = history.from.map(|from| from.saturating_sub(1));
    let mut watcher = Watcher { history, epochs: Epoch::all(history), last: start, ..Watcher::of(history) };
    for (at, event) in history.seen.iter().enumerate() {
        watcher.check_in_any_epoch(at, event).map_err(|(fault, what)| Wrong { fault, event: Some(at), what })?;
    }
    watcher.check_end().map_err(|(fault, what)| Wrong { fault, event: None, what })?;
    Ok(watcher.count)
}

/// What the watcher knows from the events so far.
#[derive(Clone)]
struct Watcher<'h> {
    history: &'h History,
    epochs: Vec<Epoch>,
    epoch: usize,
    /// The last revision that was reported, by changes or a snapshot; `None` before the first.
    last: Option<u64>,
    state: BTreeMap<String, String>,
    /// The revisions whose changes were reported, in this epoch.
    reported: BTreeSet<u64>,
    snapshot: Option<Snapshot>,
    is_disconnected: bool,
    count: ReportCounts,
}

#[derive(Clone)]
struct Snapshot {
    cause: Cause,
    items: BTreeMap<String, Item>,
    /// Changes that were reported during the snapshot, with the indexes of their events and their revisions.
    changes: Vec<(usize, u64, Vec<Change>)>,
}

impl<'h> Watcher<'h> {
    fn of(history: &'h History) -> Self {
        let (state, reported, count) = (BTreeMap::new(), BTreeSet::new(), ReportCounts::default());
        Watcher {
            history,
            epochs: Vec::new(),
            epoch: 0,
            last: None,
            state,
            reported,
            snapshot: None,
            is_disconnected: false,
            count,
        }
    }

    /// Checks an event of this epoch, or of a later one that begins in the same way.
    fn check_in_any_epoch(&mut self, at: usize, event: &Seen) -> CheckResult {
        if !self.is_at_the_beginning() {
            return self.check_event(at, event);
        }
        let before = self.clone();
        let mut wrong = Vec::new();
        for epoch in before.epoch..before.epochs.len() {
            *self = Watcher { epoch, ..before.clone() };
            match self.check_event(at, event) {
                Ok(()) => return Ok(()),
                Err(fault) => wrong.push(fault),
            }
        }
        // Reports the fault for the epoch to which the event belongs by its values, if there is one.
        let is_other = |fault| matches!(fault, Fault::Stale | Fault::Phantom);
        let place = wrong.iter().position(|(fault, _)| !is_other(*fault)).unwrap_or(0);
        Err(wrong.swap_remove(place))
    }

    /// Whether the watcher is at a store's first revision, without any data. All stores look the same there: if the
    /// store was wiped once more, the watch goes on without an event.
    fn is_at_the_beginning(&self) -> bool {
        self.last == Some(1) && self.state.is_empty() && self.reported.is_empty()
    }

    fn check_event(&mut self, at: usize, event: &Seen) -> CheckResult {
        if self.is_disconnected && !matches!(event, Seen::Lost | Seen::Resumed) {
            return fail(Fault::Malformed, "it is told while the connection is lost");
        }
        match event {
            Seen::SnapshotBegin(cause) => {
                // A snapshot that was not completed says nothing.
                self.snapshot = Some(Snapshot { cause: *cause, items: BTreeMap::new(), changes: Vec::new() });
                Ok(())
            }
            Seen::Item(item) => {
                let Some(snapshot) = &mut self.snapshot else {
                    return fail(Fault::Malformed, format!("`{}` is an item of no snapshot", item.key));
                };
                match snapshot.items.insert(item.key.clone(), item.clone()) {
                    None => Ok(()),
                    Some(_) => fail(Fault::Repeated, format!("`{}` is twice in the snapshot", item.key)),
                }
            }
            Seen::SnapshotEnd(revision) => {
                let Some(snapshot) = self.snapshot.take() else {
                    return fail(Fault::Malformed, "no snapshot has begun");
                };
                let Some(revision) = revision else { return fail(Fault::Malformed, "the snapshot has no revision") };
                self.check_snapshot(*revision, &snapshot)
            }
            Seen::Changes { revision, changes } => {
                let Some(revision) = *revision else { return fail(Fault::Malformed, "changes without a revision") };
                match &mut self.snapshot {
                    Some(snapshot) => {
                        snapshot.changes.push((at, revision, changes.clone()));
                        Ok(())
                    }
                    None => self.check_changes(at, revision, changes),
                }
            }
            Seen::Lost | Seen::Resumed => {
                self.is_disconnected = *event == Seen::Lost;
                Ok(())
            }
        }
    }

    fn check_changes(&mut self, at: usize, revision: u64, changes: &[Change]) -> CheckResult {
        let Some(last) = self.last else { return fail(Fault::Malformed, "changes before the first snapshot") };
        let names = changes.iter().map(|(key, value)| shown(key, value.as_deref())).collect::<Vec<_>>().join(", ");
        if revision <= last {
            if self.reported.contains(&revision) {
                return fail(Fault::Repeated, format!("{names} of revision {revision} was told before"));
            }
            return fail(Fault::Reordered, format!("{names} of revision {revision} is told after revision {last}"));
        }
        if let Some((missed, txn)) = self.epochs[self.epoch].next(last).filter(|(next, _)| *next < revision) {
            let missing = txn.iter().map(|(key, value)| shown(key, value.as_deref())).collect::<Vec<_>>().join(", ");
            // The same revision may be from another epoch; values are unique.
            let is_part = |(key, value): &Change| txn.get(key) == Some(value);
            let later = |event: &Seen| match event {
                Seen::Changes { revision, changes } => *revision == Some(missed) && changes.iter().any(is_part),
                _ => false,
            };
            let fault = if self.history.seen[at..].iter().any(later) { Fault::Reordered } else { Fault::Lost };
            return fail(fault, format!("{missing} of revision {missed} was not told before revision {revision}"));
        }
        let mut keys = BTreeSet::new();
        for (key, value) in changes {
            if !keys.insert(key) {
                return fail(Fault::Repeated, format!("`{key}` is twice in revision {revision}"));
            }
            self.check_change(revision, key, value.as_deref())?;
        }
        let txn = self.epochs[self.epoch].changes.get(&revision);
        if let Some((key, value)) = txn.and_then(|txn| txn.iter().find(|(key, _)| !keys.contains(key))) {
            let missing = shown(key, value.as_deref());
            return fail(Fault::Lost, format!("{missing} is not among the changes of revision {revision}"));
        }
        self.last = Some(revision);
        self.reported.insert(revision);
        self.count.changes += changes.len();
        Ok(())
    }

    /// Checks one key of a revision.
    fn check_change(&mut self, revision: u64, key: &str, value: Option<&str>) -> CheckResult {
        let epoch = &mut self.epochs[self.epoch];
        let true_value = epoch.changes.get(&revision).and_then(|txn| txn.get(key));
        let is_true = match true_value {
            Some(true_value) => true_value.as_deref() == value,
            None => epoch.learn(revision, key, value),
        };
        if !is_true {
            let what = format!("{} was told as of revision {revision}, which it is not", shown(key, value));
            return fail(self.history.fault_of(key, value), what);
        }
        match value {
            Some(value) => drop(self.state.insert(key.to_string(), value.to_string())),
            None => drop(self.state.remove(key)),
        }
        Ok(())
    }

    /// Checks a complete snapshot. Its cause and its items say which epoch it belongs to.
    fn check_snapshot(&mut self, revision: u64, snapshot: &Snapshot) -> CheckResult {
        let another = matches!(snapshot.cause, Cause::Regressed | Cause::Replaced);
        let epochs = match (another, self.last) {
            (true, _) => self.epoch + 1..self.epochs.len(),
            // The watch may begin after a loss.
            (false, None) => 0..self.epochs.len(),
            (false, Some(_)) => self.epoch..self.epoch + 1,
        };
        if epochs.is_empty() {
            return fail(Fault::Malformed, format!("{:?}, but the store has not lost its data", snapshot.cause));
        }
        let mut first = None;
        for epoch in epochs {
            let mut tried = self.clone();
            if epoch != self.epoch {
                (tried.epoch, tried.last) = (epoch, None);
                tried.reported.clear();
            }
            match tried.apply_snapshot(revision, snapshot) {
                Ok(()) => {
                    *self = tried;
                    return Ok(());
                }
                Err(wrong) => drop(first.get_or_insert(wrong)),
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn apply_snapshot(&mut self, at: u64, snapshot: &Snapshot) -> CheckResult {
        let (last, allowed) = (self.last, self.may_skip(snapshot.cause));
        if let Some(last) = last.filter(|last| at < *last) {
            return fail(Fault::Stale, format!("a snapshot of revision {at} after revision {last} was told"));
        }
        let changed: BTreeSet<&String> =
            snapshot.changes.iter().flat_map(|(_, _, changes)| changes.iter().map(|(key, _)| key)).collect();
        let epoch = &mut self.epochs[self.epoch];
        let known = epoch.state(at);
        let differs = |item: &&Item| known.get(item.key.as_str()).is_none_or(|(_, value)| *value != item.value);
        let new: Vec<&Item> = snapshot.items.values().filter(differs).collect();
        // Writes of unknown outcome that are seen only now.
        for item in new {
            let (revision, value) = (item.revision.unwrap_or(at), Some(item.value.as_str()));
            let learnt = revision <= at && epoch.learn(revision, &item.key, value);
            if let Some(last) = last.filter(|last| learnt && revision <= *last) {
                let what = format!("{} of revision {revision}", shown(&item.key, value));
                return fail(Fault::Lost, format!("{what} was not told before revision {last}"));
            }
        }
        let gone: Vec<String> = epoch.state(at).into_keys().map(str::to_string).collect();
        for key in gone.iter().filter(|key| !snapshot.items.contains_key(*key) && !changed.contains(key)) {
            if !epoch.learn(at, key, None) {
                return fail(Fault::Lost, format!("`{key}` is not in the snapshot of revision {at}"));
            }
        }
        let state = epoch.state(at);
        for item in snapshot.items.values() {
            let there = state.get(item.key.as_str());
            if there.is_none_or(|(_, value)| *value != item.value) {
                let what = format!("{} is in the snapshot of revision {at}", shown(&item.key, Some(&item.value)));
                return fail(self.history.fault_of(&item.key, Some(&item.value)), what);
            }
            if let (Some((true_one, _)), Some(stated)) = (there, item.revision)
                && *true_one != stated
            {
                let what = format!("`{}` was written in revision {true_one}, not {stated}", item.key);
                return fail(Fault::Malformed, what);
            }
        }
        let missed = last.and_then(|last| epoch.next(last)).filter(|(next, _)| *next <= at);
        if let Some((missed, txn)) = missed.filter(|_| !allowed) {
            let missing = txn.iter().map(|(key, value)| shown(key, value.as_deref())).collect::<Vec<_>>().join(", ");
            let what = format!("{missing} of revision {missed} was left out by a snapshot ({:?})", snapshot.cause);
            return fail(Fault::Lost, what);
        }
        self.state = state.into_iter().map(|(key, (_, value))| (key.to_string(), value.to_string())).collect();
        self.last = Some(at);
        self.count.snapshots += 1;
        self.count.items += snapshot.items.len();
        snapshot
            .changes
            .iter()
            .try_for_each(|(event, revision, changes)| self.check_changes(*event, *revision, changes))
    }

    /// Whether a snapshot with this cause may leave out changes after the last reported one.
    fn may_skip(&self, cause: Cause) -> bool {
        match cause {
            Cause::Overflow | Cause::Requested => true,
            Cause::Compacted => self.last.is_none_or(|last| last < self.epochs[self.epoch].compacted),
            Cause::Start | Cause::Regressed | Cause::Replaced | Cause::Lost => false,
        }
    }

    fn check_end(&mut self) -> CheckResult {
        let epoch = self.epochs.last().unwrap_or(&self.epochs[self.epoch]);
        let end: BTreeMap<&str, &str> =
            self.history.end.iter().map(|item| (item.key.as_str(), item.value.as_str())).collect();
        let written = epoch.state(u64::MAX);
        for key in written.keys().chain(end.keys()) {
            let (has, wrote) = (end.get(key).copied(), written.get(key).map(|(_, value)| *value));
            if has != wrote && !epoch.may_be(key, has) {
                let what = format!("`{key}` should be {wrote:?}, and is {has:?}");
                return fail(Fault::Store, what);
            }
        }
        if self.snapshot.is_some() {
            return fail(Fault::Lost, "the last snapshot has not come to its end");
        }
        if self.epoch + 1 != self.epochs.len() && !self.is_at_the_beginning() {
            return fail(Fault::Lost, "the store has lost its data, which was not told");
        }
        if let Some((revision, txn)) = self.last.and_then(|last| epoch.next(last)) {
            let missing = txn.iter().map(|(key, value)| shown(key, value.as_deref())).collect::<Vec<_>>().join(", ");
            return fail(Fault::Lost, format!("{missing} of revision {revision} was not told"));
        }
        super::convergence::same_state(&self.state, &end)
    }
}
