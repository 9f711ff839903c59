//! What a [`Follower`] reads, and what it reports of that.

use super::{
    follow::{BYTES_AT_ONCE, Follower, Known, Outcome, hash},
    unread::Unread,
};
use crate::{call::Origin, failure::Asked, scan::Scan};
use bytes::Bytes;
use cninfra::keyval::{Cause, Change, Entry, Event, KeyRange, KvError, Previous, Pushed, Reason, Result};
use std::{collections::HashSet, time::Duration};
use tokio::time::Instant;

const OP: &str = "watch";

/// One iteration over the keys of a range.
struct Pass {
    reports: PassReports,
    seen: HashSet<Bytes>,
    unread: Unread,
    /// Keys that a snapshot does not contain, and that are therefore gone when it ends.
    gone: Vec<Bytes>,
}

/// What a pass reports about the keys that it reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PassReports {
    /// Each key, as an item of the snapshot.
    Items,
    /// The differences to what was reported.
    Changes,
    /// Nothing: only counts the keys that cannot be read.
    Nothing,
    /// Nothing, and the pass ends at the first key that cannot be read.
    FirstUnread,
}

impl Pass {
    fn new(reports: PassReports) -> Self {
        Pass { reports, seen: HashSet::new(), unread: Unread::default(), gone: Vec::new() }
    }
}

impl Follower {
    /// Reports a snapshot of a range.
    pub(super) async fn snapshot(&mut self, range: &KeyRange, cause: Cause) -> Outcome {
        // The beginning is sent once something was read, so that nothing is reported of a range that cannot be read.
        self.beginning = Some(Event::snapshot_begin(range.clone(), cause));
        let mut pass = Pass::new(PassReports::Items);
        let outcome = self.run_pass(range, &mut pass).await;
        if outcome != Outcome::Done {
            return outcome;
        }
        if let Some(outcome) = self.send_beginning().await {
            return outcome;
        }
        if let Some(outcome) = unless_queued(self.feed.send(Event::snapshot_end(range.clone(), None)).await) {
            return outcome;
        }
        for key in pass.gone {
            self.known.remove(&key);
        }
        self.record_reported(range.clone());
        Outcome::Done
    }

    /// Reports differences in the readable keys of a range that was reported before, and may have changed without a
    /// hint. Nothing is reported about the other keys.
    pub(super) async fn compare(&mut self, range: &KeyRange) -> Outcome {
        // After a throw-away the feed accepts only a snapshot, so one begins. It does not end, since it is incomplete.
        self.beginning = self.is_thrown_away.then(|| Event::snapshot_begin(range.clone(), Cause::Overflow));
        let outcome = self.run_pass(range, &mut Pass::new(PassReports::Changes)).await;
        if outcome == Outcome::Done {
            self.mark_readable(range);
        }
        outcome
    }

    /// Checks whether all of a range can be read by now.
    pub(super) async fn check(&mut self, range: &KeyRange) -> Outcome {
        let outcome = self.run_pass(range, &mut Pass::new(PassReports::FirstUnread)).await;
        if outcome == Outcome::Done {
            self.mark_readable(range);
        }
        outcome
    }

    /// Sends the beginning of the snapshot, if that was not done yet.
    async fn send_beginning(&mut self) -> Option<Outcome> {
        let beginning = self.beginning.take()?;
        let outcome = unless_queued(self.feed.send(beginning).await);
        self.is_thrown_away &= outcome.is_some();
        outcome
    }

    /// Reads all reported ranges, and reports the differences.
    pub(super) async fn read_all(&mut self) -> Outcome {
        self.beginning = None;
        for range in self.reported.clone() {
            let outcome = self.run_pass(&range, &mut Pass::new(PassReports::Changes)).await;
            if !matches!(outcome, Outcome::Done | Outcome::Unread) {
                return outcome;
            }
        }
        self.mark_rescanned();
        Outcome::Done
    }

    /// Reads a range, and reports its keys. If some cannot be read, nothing is reported as a complete snapshot.
    async fn run_pass(&mut self, range: &KeyRange, pass: &mut Pass) -> Outcome {
        let began = Instant::now();
        let outcome = self.walk(range, pass).await;
        if !matches!(outcome, Outcome::Done | Outcome::Unread) {
            return outcome;
        }
        if pass.reports == PassReports::Changes {
            self.mark_compared(range);
        }
        if pass.unread.is_none() {
            return outcome;
        }
        self.mark_unread(range, &pass.unread, began.elapsed());
        Outcome::Unread
    }

    async fn walk(&mut self, range: &KeyRange, pass: &mut Pass) -> Outcome {
        let epoch = self.sync.borrow().epoch;
        if let Some(key) = range.single() {
            let outcome = self.read_and_report(vec![key.clone()], pass, false).await;
            if outcome != Outcome::Done {
                return outcome;
            }
        } else {
            let asked = || Asked::to_read(OP, Some(range.clone()));
            let mut scan = Scan::new(&self.core);
            while !scan.is_over() {
                let mut keys = match self
                    .unless_out_of_step(scan.next(&self.core, self.core.to_read(Origin::Own), &asked, range))
                    .await
                {
                    None => return Outcome::Outdated,
                    Some(Err(error)) if is_temporary(&error) => {
                        self.record_read_failure(&error);
                        return Outcome::Failed;
                    }
                    Some(Err(error)) => {
                        pass.unread = Unread::whole(error);
                        // The keys cannot be listed, but those that are already known may be readable.
                        if pass.reports == PassReports::Changes {
                            break;
                        }
                        return Outcome::Unread;
                    }
                    Some(Ok(keys)) => keys,
                };
                keys.retain(|key| !pass.seen.contains(key));
                while !keys.is_empty() {
                    let rest = keys.split_off(keys.len().min(self.portion.next(BYTES_AT_ONCE)));
                    let outcome = self.read_and_report(keys, pass, false).await;
                    if outcome != Outcome::Done {
                        return outcome;
                    }
                    keys = rest;
                }
                if self.is_outdated() {
                    return Outcome::Outdated;
                }
            }
        }
        // A key may have moved to a server that was read before. So known keys that were not found are read by
        // themselves.
        let known = self.known.range::<Bytes, _>(range.bounds()).map(|(key, _)| key);
        let missing: Vec<Bytes> = known.filter(|key| !pass.seen.contains(*key)).cloned().collect();
        // On a single server that was the same all the time, no key can have moved: a known key that was not found, and
        // that the user may no longer read, does not exist.
        let is_same = self.sync.borrow().epoch == epoch;
        let is_gone = is_same && !self.core.is_cluster() && range.single().is_none() && !pass.unread.is_whole();
        let mut missing = missing.into_iter().peekable();
        while missing.peek().is_some() {
            let some = missing.by_ref().take(self.portion.next(BYTES_AT_ONCE)).collect();
            let outcome = self.read_and_report(some, pass, is_gone).await;
            if outcome != Outcome::Done {
                return outcome;
            }
        }
        if self.is_outdated() { Outcome::Outdated } else { Outcome::Done }
    }

    /// Reads some keys, and reports them. With `is_gone`, a key that cannot be read is taken as deleted.
    async fn read_and_report(&mut self, keys: Vec<Bytes>, pass: &mut Pass, is_gone: bool) -> Outcome {
        let Some(values) = self.unless_out_of_step(self.core.read(self.core.to_read(Origin::Own), OP, &keys)).await
        else {
            return Outcome::Outdated;
        };
        self.portion.adapt(&values);
        let mut read = Vec::with_capacity(values.len());
        for (key, value) in keys.into_iter().zip(values) {
            pass.seen.insert(key.clone());
            match ReadResult::of(value) {
                ReadResult::Value(value) => read.push((key, value)),
                ReadResult::Unreadable(_) if is_gone => read.push((key, None)),
                ReadResult::Unreadable(error) => pass.unread.add(error),
                ReadResult::Failed(error) => {
                    self.record_read_failure(&error);
                    return Outcome::Failed;
                }
            }
        }
        match pass.reports {
            PassReports::FirstUnread if !pass.unread.is_none() => return Outcome::Unread,
            // The snapshot cannot be completed: none of these keys is reported, and the rest is only counted.
            PassReports::Items if !pass.unread.is_none() => pass.reports = PassReports::Nothing,
            _ => {}
        }
        for (key, value) in read {
            let outcome = match pass.reports {
                PassReports::Items => self.report_item(key, value, &mut pass.gone).await,
                PassReports::Changes => self.report_change(key, value, None, FullQueue::WaitForRoom).await,
                PassReports::Nothing | PassReports::FirstUnread => Outcome::Done,
            };
            if outcome != Outcome::Done {
                return outcome;
            }
        }
        Outcome::Done
    }

    /// Reports a key as an item of a snapshot.
    async fn report_item(&mut self, key: Bytes, value: Option<Bytes>, gone: &mut Vec<Bytes>) -> Outcome {
        if let Some(outcome) = self.send_beginning().await {
            return outcome;
        }
        let Some(value) = value else {
            // A key that is missing from a snapshot counts as deleted when the snapshot ends, if it does.
            gone.push(key);
            return Outcome::Done;
        };
        let mut known = Known::of(&value, self.keeps_values);
        known.is_sure = self.known.get(&key).is_some_and(|before| before.is_sure && before.hash == known.hash);
        if let Some(outcome) = unless_queued(self.feed.send(Event::Item(Entry::new(key.clone(), value))).await) {
            return outcome;
        }
        self.known.insert(key, known);
        Outcome::Done
    }

    /// Reports the state of keys that may have changed.
    pub(super) async fn report_changes(&mut self, mut dirty: Vec<(Bytes, bool)>) -> Outcome {
        dirty.retain(|(key, _)| self.reported.iter().any(|range| range.contains(key)));
        let keys: Vec<Bytes> = dirty.iter().map(|(key, _)| key.clone()).collect();
        let Some(values) = self.unless_out_of_step(self.core.read(self.core.to_read(Origin::Own), OP, &keys)).await
        else {
            self.inbox.put_back(dirty);
            return Outcome::Outdated;
        };
        self.portion.adapt(&values);
        self.beginning = None;
        let mut outcome = Outcome::Done;
        let mut left = Vec::new();
        for ((key, expired), value) in dirty.into_iter().zip(values) {
            if outcome == Outcome::Done {
                outcome = match ReadResult::of(value) {
                    ReadResult::Value(value) => {
                        self.report_change(key.clone(), value, expired.then_some(true), FullQueue::AsConfigured).await
                    }
                    ReadResult::Unreadable(error) => {
                        self.mark_change_unread(&key, error);
                        Outcome::Done
                    }
                    ReadResult::Failed(error) => {
                        self.record_read_failure(&error);
                        Outcome::Failed
                    }
                };
            }
            if outcome != Outcome::Done {
                left.push((key, expired));
            }
        }
        self.inbox.put_back(left);
        outcome
    }

    /// A key has changed, but cannot be read: each range that has it is read again, until it can be.
    fn mark_change_unread(&mut self, key: &Bytes, error: KvError) {
        let mut what = Unread::default();
        what.add(error);
        let behind: Vec<KeyRange> = self.reported.iter().filter(|range| range.contains(key)).cloned().collect();
        // Ranges that are already known to be unreadable are read again anyway, and a key that changes all the time
        // must not postpone that.
        for range in behind.iter().filter(|range| !self.is_unread(range)).collect::<Vec<_>>() {
            self.mark_unread(range, &what, Duration::ZERO);
        }
    }

    /// The result of reading; `None` if a server is no longer listened to, which has to be reported at once.
    async fn unless_out_of_step<T>(&self, reading: impl Future<Output = T>) -> Option<T> {
        let mut sync = self.sync.clone();
        tokio::select! {
            biased;
            read = reading => Some(read),
            _ = sync.wait_for(|sync| !sync.in_step) => None,
        }
    }

    /// Reports the state of a key, if it has changed.
    async fn report_change(
        &mut self,
        key: Bytes,
        value: Option<Bytes>,
        expired: Option<bool>,
        full_queue: FullQueue,
    ) -> Outcome {
        let before = self.known.get(&key);
        let previous = match before {
            None => Previous::Absent,
            Some(Known { value: Some(value), is_sure: true, .. }) => {
                Previous::Entry(Entry::new(key.clone(), value.clone()))
            }
            Some(_) => Previous::Unknown,
        };
        let is_sure = before.is_none_or(|before| before.is_sure);
        let (change, now) = match value {
            Some(value) if is_sure && before.is_some_and(|before| before.hash == hash(&value)) => return Outcome::Done,
            Some(value) => {
                let now = Known::of(&value, self.keeps_values);
                let created = is_sure.then_some(before.is_none());
                (Change::put(Entry::new(key.clone(), value), created, previous), Some(now))
            }
            None if before.is_none() => return Outcome::Done,
            None => (Change::deleted(key.clone(), expired, previous), None),
        };
        if let Some(outcome) = self.send_beginning().await {
            return outcome;
        }
        let event = Event::changes(None, vec![change]);
        let pushed = match full_queue {
            FullQueue::WaitForRoom => self.feed.send(event).await,
            FullQueue::AsConfigured => self.push(event).await,
        };
        if let Some(outcome) = unless_queued(pushed) {
            return outcome;
        }
        match now {
            Some(now) => self.known.insert(key, now),
            None => self.known.remove(&key),
        };
        Outcome::Done
    }

    /// Pushes a change. If the queue is full, the subscriber's options decide what happens.
    async fn push(&self, event: Event) -> Pushed {
        let mut pushed = self.feed.push(event);
        while let Pushed::Full(event) = pushed {
            if !self.feed.room().await {
                return Pushed::Ended;
            }
            pushed = self.feed.push(event);
        }
        pushed
    }
}

/// How a change waits if there is no room for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FullQueue {
    /// It is one of many that are read in a row, like the items of a snapshot: it waits for room.
    WaitForRoom,
    /// As the subscriber's options say.
    AsConfigured,
}

/// The result of reading a key.
enum ReadResult {
    /// Its value, or `None` if it has none.
    Value(Option<Bytes>),
    /// The server has answered, but not with the value: for example, the user may not read the key.
    Unreadable(KvError),
    /// The server could not be asked: try again a bit later.
    Failed(KvError),
}

impl ReadResult {
    fn of(value: Result<Option<Bytes>>) -> Self {
        match value {
            Ok(value) => ReadResult::Value(value),
            // A list or a hash does not count as a value.
            Err(error) if *error.reason() == Reason::Malformed => ReadResult::Value(None),
            Err(error) if is_temporary(&error) => ReadResult::Failed(error),
            Err(error) => ReadResult::Unreadable(error),
        }
    }
}

/// Whether the server could not be asked, or the store is being closed: not a problem of the key.
fn is_temporary(error: &KvError) -> bool {
    *error.reason() == Reason::Closed || error.is_transient()
}

fn unless_queued(pushed: Pushed) -> Option<Outcome> {
    match pushed {
        Pushed::Queued => None,
        Pushed::Resnapshot => Some(Outcome::Overflowed),
        Pushed::Ended | Pushed::Full(_) => Some(Outcome::Ended),
    }
}
