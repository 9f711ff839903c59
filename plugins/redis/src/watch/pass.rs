//! What a [`Follower`] reads, and what it reports of that.

use super::{
    follow::{Follower, Known, ROOM, Told, hash},
    unread::Unread,
};
use crate::{call::Who, failure::Asked, scan::Scan};
use bytes::Bytes;
use cninfra::keyval::{Cause, Change, Entry, Event, KeyRange, KvError, Previous, Pushed, Reason, Result};
use std::{collections::HashSet, time::Duration};
use tokio::time::Instant;

const OP: &str = "watch";

/// One iteration over the keys of a range.
struct Pass {
    tells: Tells,
    seen: HashSet<Bytes>,
    unread: Unread,
    /// Keys that a snapshot does not contain, and that are therefore gone when it ends.
    gone: Vec<Bytes>,
}

/// What a pass reports about the keys that it reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tells {
    /// Each key, as an item of the snapshot.
    Items,
    /// The differences to what was reported.
    Changes,
    /// Nothing: only counts the keys that cannot be read.
    Nothing,
    /// Nothing, and the pass ends at the first key that cannot be read.
    Whether,
}

impl Pass {
    fn new(tells: Tells) -> Self {
        Pass { tells, seen: HashSet::new(), unread: Unread::default(), gone: Vec::new() }
    }
}

impl Follower {
    /// Reports a snapshot of a range.
    pub(super) async fn snapshot(&mut self, range: &KeyRange, cause: Cause) -> Told {
        // The beginning is sent once something was read, so that nothing is reported of a range that cannot be read.
        self.beginning = Some(Event::snapshot_begin(range.clone(), cause));
        let mut pass = Pass::new(Tells::Items);
        let told = self.pass(range, &mut pass).await;
        if told != Told::Done {
            return told;
        }
        if let Some(not) = self.begin().await {
            return not;
        }
        if let Some(not) = not_done(self.feed.send(Event::snapshot_end(range.clone(), None)).await) {
            return not;
        }
        for key in pass.gone {
            self.known.remove(&key);
        }
        self.told(range.clone());
        Told::Done
    }

    /// Reports differences in the readable keys of a range that was reported before, and may have changed without a
    /// hint. Nothing is reported about the other keys.
    pub(super) async fn compare(&mut self, range: &KeyRange) -> Told {
        // After a throw-away the feed accepts only a snapshot, so one begins. It does not end, since it is incomplete.
        self.beginning = self.is_thrown_away.then(|| Event::snapshot_begin(range.clone(), Cause::Overflow));
        let told = self.pass(range, &mut Pass::new(Tells::Changes)).await;
        if told == Told::Done {
            self.readable(range);
        }
        told
    }

    /// Checks whether all of a range can be read by now.
    pub(super) async fn check(&mut self, range: &KeyRange) -> Told {
        let told = self.pass(range, &mut Pass::new(Tells::Whether)).await;
        if told == Told::Done {
            self.readable(range);
        }
        told
    }

    /// Sends the beginning of the snapshot, if that was not done yet.
    async fn begin(&mut self) -> Option<Told> {
        let beginning = self.beginning.take()?;
        let not = not_done(self.feed.send(beginning).await);
        self.is_thrown_away &= not.is_some();
        not
    }

    /// Reads all reported ranges, and reports the differences.
    pub(super) async fn read_all(&mut self) -> Told {
        self.beginning = None;
        for range in self.told.clone() {
            let told = self.pass(&range, &mut Pass::new(Tells::Changes)).await;
            if !matches!(told, Told::Done | Told::Unread) {
                return told;
            }
        }
        self.rescanned();
        Told::Done
    }

    /// Reads a range, and reports its keys. If some cannot be read, nothing is reported as a complete snapshot.
    async fn pass(&mut self, range: &KeyRange, pass: &mut Pass) -> Told {
        let began = Instant::now();
        let told = self.walk(range, pass).await;
        if !matches!(told, Told::Done | Told::Unread) {
            return told;
        }
        if pass.tells == Tells::Changes {
            self.compared(range);
        }
        if pass.unread.is_none() {
            return told;
        }
        self.unread(range, &pass.unread, began.elapsed());
        Told::Unread
    }

    async fn walk(&mut self, range: &KeyRange, pass: &mut Pass) -> Told {
        let epoch = self.sync.borrow().epoch;
        if let Some(key) = range.single() {
            let told = self.pass_keys(vec![key.clone()], pass, false).await;
            if told != Told::Done {
                return told;
            }
        } else {
            let asked = || Asked::to_read(OP, Some(range.clone()));
            let mut scan = Scan::new(&self.core);
            while !scan.is_over() {
                let mut keys =
                    match self.unless_lost(scan.next(&self.core, self.core.to_read(Who::Own), &asked, range)).await {
                        None => return Told::Outdated,
                        Some(Err(error)) if may_pass(&error) => {
                            self.has_failed(&error);
                            return Told::Failed;
                        }
                        Some(Err(error)) => {
                            pass.unread = Unread::whole(error);
                            // The keys cannot be listed, but those that are already known may be readable.
                            if pass.tells == Tells::Changes {
                                break;
                            }
                            return Told::Unread;
                        }
                        Some(Ok(keys)) => keys,
                    };
                keys.retain(|key| !pass.seen.contains(key));
                while !keys.is_empty() {
                    let rest = keys.split_off(keys.len().min(self.portion.next(ROOM)));
                    let told = self.pass_keys(keys, pass, false).await;
                    if told != Told::Done {
                        return told;
                    }
                    keys = rest;
                }
                if self.is_outdated() {
                    return Told::Outdated;
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
            let some = missing.by_ref().take(self.portion.next(ROOM)).collect();
            let told = self.pass_keys(some, pass, is_gone).await;
            if told != Told::Done {
                return told;
            }
        }
        if self.is_outdated() { Told::Outdated } else { Told::Done }
    }

    /// Reads some keys, and reports them. With `is_gone`, a key that cannot be read is taken as deleted.
    async fn pass_keys(&mut self, keys: Vec<Bytes>, pass: &mut Pass, is_gone: bool) -> Told {
        let Some(values) = self.unless_lost(self.core.read(self.core.to_read(Who::Own), OP, &keys)).await else {
            return Told::Outdated;
        };
        self.portion.took(&values);
        let mut read = Vec::with_capacity(values.len());
        for (key, value) in keys.into_iter().zip(values) {
            pass.seen.insert(key.clone());
            match Read::of(value) {
                Read::Is(value) => read.push((key, value)),
                Read::Unreadable(_) if is_gone => read.push((key, None)),
                Read::Unreadable(error) => pass.unread.add(error),
                Read::Failed(error) => {
                    self.has_failed(&error);
                    return Told::Failed;
                }
            }
        }
        match pass.tells {
            Tells::Whether if !pass.unread.is_none() => return Told::Unread,
            // The snapshot cannot be completed: none of these keys is reported, and the rest is only counted.
            Tells::Items if !pass.unread.is_none() => pass.tells = Tells::Nothing,
            _ => {}
        }
        for (key, value) in read {
            let told = match pass.tells {
                Tells::Items => self.item(key, value, &mut pass.gone).await,
                Tells::Changes => self.change(key, value, None, Waits::ForRoom).await,
                Tells::Nothing | Tells::Whether => Told::Done,
            };
            if told != Told::Done {
                return told;
            }
        }
        Told::Done
    }

    /// Reports a key as an item of a snapshot.
    async fn item(&mut self, key: Bytes, value: Option<Bytes>, gone: &mut Vec<Bytes>) -> Told {
        if let Some(not) = self.begin().await {
            return not;
        }
        let Some(value) = value else {
            // A key that is missing from a snapshot counts as deleted when the snapshot ends, if it does.
            gone.push(key);
            return Told::Done;
        };
        let mut known = Known::of(&value, self.keeps_values);
        known.is_sure = self.known.get(&key).is_some_and(|before| before.is_sure && before.hash == known.hash);
        if let Some(not) = not_done(self.feed.send(Event::Item(Entry::new(key.clone(), value))).await) {
            return not;
        }
        self.known.insert(key, known);
        Told::Done
    }

    /// Reports the state of keys that may have changed.
    pub(super) async fn changes(&mut self, mut dirty: Vec<(Bytes, bool)>) -> Told {
        dirty.retain(|(key, _)| self.told.iter().any(|range| range.contains(key)));
        let keys: Vec<Bytes> = dirty.iter().map(|(key, _)| key.clone()).collect();
        let Some(values) = self.unless_lost(self.core.read(self.core.to_read(Who::Own), OP, &keys)).await else {
            self.inbox.again(dirty);
            return Told::Outdated;
        };
        self.portion.took(&values);
        self.beginning = None;
        let mut told = Told::Done;
        let mut left = Vec::new();
        for ((key, expired), value) in dirty.into_iter().zip(values) {
            if told == Told::Done {
                told = match Read::of(value) {
                    Read::Is(value) => {
                        self.change(key.clone(), value, expired.then_some(true), Waits::AsItIsWanted).await
                    }
                    Read::Unreadable(error) => {
                        self.unread_change(&key, error);
                        Told::Done
                    }
                    Read::Failed(error) => {
                        self.has_failed(&error);
                        Told::Failed
                    }
                };
            }
            if told != Told::Done {
                left.push((key, expired));
            }
        }
        self.inbox.again(left);
        told
    }

    /// A key has changed, but cannot be read: each range that has it is read again, until it can be.
    fn unread_change(&mut self, key: &Bytes, error: KvError) {
        let mut what = Unread::default();
        what.add(error);
        let behind: Vec<KeyRange> = self.told.iter().filter(|range| range.contains(key)).cloned().collect();
        // Ranges that are already known to be unreadable are read again anyway, and a key that changes all the time
        // must not postpone that.
        for range in behind.iter().filter(|range| !self.is_unread(range)).collect::<Vec<_>>() {
            self.unread(range, &what, Duration::ZERO);
        }
    }

    /// The result of reading; `None` if a server is no longer listened to, which has to be reported at once.
    async fn unless_lost<T>(&self, reading: impl Future<Output = T>) -> Option<T> {
        let mut sync = self.sync.clone();
        tokio::select! {
            biased;
            read = reading => Some(read),
            _ = sync.wait_for(|sync| !sync.in_step) => None,
        }
    }

    /// Reports the state of a key, if it has changed.
    async fn change(&mut self, key: Bytes, value: Option<Bytes>, expired: Option<bool>, waits: Waits) -> Told {
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
            Some(value) if is_sure && before.is_some_and(|before| before.hash == hash(&value)) => return Told::Done,
            Some(value) => {
                let now = Known::of(&value, self.keeps_values);
                let created = is_sure.then_some(before.is_none());
                (Change::put(Entry::new(key.clone(), value), created, previous), Some(now))
            }
            None if before.is_none() => return Told::Done,
            None => (Change::deleted(key.clone(), expired, previous), None),
        };
        if let Some(not) = self.begin().await {
            return not;
        }
        let event = Event::changes(None, vec![change]);
        let pushed = match waits {
            Waits::ForRoom => self.feed.send(event).await,
            Waits::AsItIsWanted => self.push(event).await,
        };
        if let Some(not) = not_done(pushed) {
            return not;
        }
        match now {
            Some(now) => self.known.insert(key, now),
            None => self.known.remove(&key),
        };
        Told::Done
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
enum Waits {
    /// It is one of many that are read in a row, like the items of a snapshot: it waits for room.
    ForRoom,
    /// As the subscriber's options say.
    AsItIsWanted,
}

/// The result of reading a key.
enum Read {
    /// Its value, or `None` if it has none.
    Is(Option<Bytes>),
    /// The server has answered, but not with the value: for example, the user may not read the key.
    Unreadable(KvError),
    /// The server could not be asked: try again a bit later.
    Failed(KvError),
}

impl Read {
    fn of(value: Result<Option<Bytes>>) -> Self {
        match value {
            Ok(value) => Read::Is(value),
            // A list or a hash does not count as a value.
            Err(error) if *error.reason() == Reason::Malformed => Read::Is(None),
            Err(error) if may_pass(&error) => Read::Failed(error),
            Err(error) => Read::Unreadable(error),
        }
    }
}

/// Whether the server could not be asked, or the store is being closed: not a problem of the key.
fn may_pass(error: &KvError) -> bool {
    *error.reason() == Reason::Closed || error.is_transient()
}

fn not_done(pushed: Pushed) -> Option<Told> {
    match pushed {
        Pushed::Queued => None,
        Pushed::Resnapshot => Some(Told::Overflowed),
        Pushed::Ended | Pushed::Full(_) => Some(Told::Ended),
    }
}
