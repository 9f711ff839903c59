//! What a [`Follower`] reads, and tells of it.

use super::follow::{Follower, Known, Told, hash};
use crate::{batch::BATCH, call::Who, failure::Asked, scan::Scan};
use bytes::Bytes;
use cninfra::keyval::{Cause, Change, Entry, Event, KeyRange, Previous, Pushed, Reason, Result};
use std::collections::HashSet;

const OP: &str = "watch";

impl Follower {
    /// Tells a snapshot.
    pub(super) async fn snapshot(&mut self, range: &KeyRange, cause: Cause) -> Told {
        // it is told when something was read, so that of a range that can not be read nothing is told
        self.beginning = Some(Event::snapshot_begin(range.clone(), cause));
        let mut seen = HashSet::new();
        let told = self.pass(range, &mut seen, true).await;
        if told != Told::Done {
            return told;
        }
        if let Some(not) = self.begin().await {
            return not;
        }
        if let Some(not) = not_done(self.feed.send(Event::snapshot_end(range.clone(), None)).await) {
            return not;
        }
        self.told(range.clone());
        Told::Done
    }

    /// Tells the beginning of the snapshot, once.
    async fn begin(&mut self) -> Option<Told> {
        let beginning = self.beginning.take()?;
        not_done(self.feed.send(beginning).await)
    }

    /// Reads all, and tells what is different.
    pub(super) async fn read_all(&mut self) -> Told {
        for range in self.told.clone() {
            let told = self.pass(&range, &mut HashSet::new(), false).await;
            if told != Told::Done {
                return told;
            }
        }
        self.rescanned();
        Told::Done
    }

    /// Reads a range: each of its keys is an item of the snapshot, or a change where it is one.
    async fn pass(&mut self, range: &KeyRange, seen: &mut HashSet<Bytes>, as_items: bool) -> Told {
        if let Some(key) = range.single() {
            let told = self.pass_keys(vec![key.clone()], seen, as_items).await;
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
                        Some(Err(error)) => {
                            self.has_failed(&error);
                            return Told::Failed;
                        }
                        Some(Ok(keys)) => keys,
                    };
                keys.retain(|key| !seen.contains(key));
                while !keys.is_empty() {
                    let rest = keys.split_off(keys.len().min(BATCH));
                    let told = self.pass_keys(keys, seen, as_items).await;
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
        // a key that has moved to a server that was read before is still there: what is missing is looked at by itself
        let known = self.known.range::<Bytes, _>(range.bounds()).map(|(key, _)| key);
        let missing: Vec<Bytes> = known.filter(|key| !seen.contains(*key)).cloned().collect();
        for keys in missing.chunks(BATCH) {
            let told = self.pass_keys(keys.to_vec(), seen, as_items).await;
            if told != Told::Done {
                return told;
            }
        }
        if self.is_outdated() { Told::Outdated } else { Told::Done }
    }

    async fn pass_keys(&mut self, keys: Vec<Bytes>, seen: &mut HashSet<Bytes>, as_items: bool) -> Told {
        let Some(values) = self.unless_lost(self.core.read(self.core.to_read(Who::Own), OP, &keys)).await else {
            return Told::Outdated;
        };
        for (key, value) in keys.into_iter().zip(values) {
            let value = match self.is_there(value) {
                Read::Is(value) => Some(value),
                Read::Unreadable => None,
                Read::Failed => return Told::Failed,
            };
            seen.insert(key.clone());
            if as_items && let Some(not) = self.begin().await {
                return not;
            }
            let told = match (value, as_items) {
                (value, true) => self.item(key, value.flatten()).await,
                (Some(value), false) => self.change(key, value, None).await,
                // it is as it was told before
                (None, false) => Told::Done,
            };
            if told != Told::Done {
                return told;
            }
        }
        Told::Done
    }

    /// Tells a key of a snapshot.
    async fn item(&mut self, key: Bytes, value: Option<Bytes>) -> Told {
        let Some(value) = value else {
            // what is not an item is told as deleted at the end
            self.known.remove(&key);
            return Told::Done;
        };
        let known = Known::of(&value, self.keeps_values);
        if let Some(not) = not_done(self.feed.send(Event::Item(Entry::new(key.clone(), value))).await) {
            return not;
        }
        self.known.insert(key, known);
        Told::Done
    }

    /// Tells what has become of keys that may have changed.
    pub(super) async fn changes(&mut self, mut dirty: Vec<(Bytes, bool)>) -> Told {
        dirty.retain(|(key, _)| self.told.iter().any(|range| range.contains(key)));
        let keys: Vec<Bytes> = dirty.iter().map(|(key, _)| key.clone()).collect();
        let Some(values) = self.unless_lost(self.core.read(self.core.to_read(Who::Own), OP, &keys)).await else {
            self.inbox.again(dirty);
            return Told::Outdated;
        };
        let mut told = Told::Done;
        let mut left = Vec::new();
        for ((key, expired), value) in dirty.into_iter().zip(values) {
            if told == Told::Done {
                told = match self.is_there(value) {
                    Read::Is(value) => self.change(key.clone(), value, expired.then_some(true)).await,
                    // it is as it was told before
                    Read::Unreadable => Told::Done,
                    Read::Failed => Told::Failed,
                };
            }
            if told != Told::Done {
                left.push((key, expired));
            }
        }
        self.inbox.again(left);
        told
    }

    /// What is a list or a hash has no value.
    fn is_there(&mut self, value: Result<Option<Bytes>>) -> Read {
        match value {
            Ok(value) => Read::Is(value),
            Err(error) if *error.reason() == Reason::Malformed => Read::Is(None),
            Err(error) if self.has_failed(&error) => Read::Failed,
            Err(_) => Read::Unreadable,
        }
    }

    /// What was read; none where a server is not listened to any more, which is to be told at once.
    async fn unless_lost<T>(&self, reading: impl Future<Output = T>) -> Option<T> {
        let mut sync = self.sync.clone();
        tokio::select! {
            biased;
            read = reading => Some(read),
            _ = sync.wait_for(|sync| !sync.in_step) => None,
        }
    }

    /// Tells what has become of a key, if anything has.
    async fn change(&mut self, key: Bytes, value: Option<Bytes>, expired: Option<bool>) -> Told {
        let before = self.known.get(&key);
        let previous = match before {
            None => Previous::Absent,
            Some(Known { value: Some(value), .. }) => Previous::Entry(Entry::new(key.clone(), value.clone())),
            Some(Known { value: None, .. }) => Previous::Unknown,
        };
        let (change, now) = match value {
            Some(value) if before.is_some_and(|before| before.hash == hash(&value)) => return Told::Done,
            Some(value) => {
                let now = Known::of(&value, self.keeps_values);
                (Change::put(Entry::new(key.clone(), value), Some(before.is_none()), previous), Some(now))
            }
            None if before.is_none() => return Told::Done,
            None => (Change::deleted(key.clone(), expired, previous), None),
        };
        let mut event = Event::changes(None, vec![change]);
        loop {
            match self.feed.push(event) {
                Pushed::Queued => break,
                Pushed::Full(back) => {
                    event = back;
                    if !self.feed.room().await {
                        return Told::Ended;
                    }
                }
                Pushed::Resnapshot => return Told::Overflowed,
                Pushed::Ended => return Told::Ended,
            }
        }
        match now {
            Some(now) => self.known.insert(key, now),
            None => self.known.remove(&key),
        };
        Told::Done
    }
}

/// What was read of a key.
enum Read {
    /// The value that it has, if it has one.
    Is(Option<Bytes>),
    /// The user may not read it, or the like: it is passed over.
    Unreadable,
    /// The server could not be asked: again, a bit later.
    Failed,
}

fn not_done(pushed: Pushed) -> Option<Told> {
    match pushed {
        Pushed::Queued => None,
        Pushed::Resnapshot => Some(Told::Overflowed),
        Pushed::Ended | Pushed::Full(_) => Some(Told::Ended),
    }
}
