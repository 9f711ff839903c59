//! [`Follower`]: the task of a watch. It alone reads for it, and tells what it has read.

use super::{
    hub::Sync,
    inbox::{Inbox, Order},
};
use crate::{batch::BATCH, core::Core};
use bytes::Bytes;
use cninfra::client::Pauses;
use cninfra::keyval::{Cause, Event, Feed, KeyRange, Link, Pushed, WatchOptions};
use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

/// The task of a watch.
pub(crate) struct Follower {
    pub(super) core: Arc<Core>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) feed: Feed,
    pub(crate) id: u64,
    /// What the subscriber was told.
    pub(super) known: BTreeMap<Bytes, Known>,
    /// The previous values are wanted: they are kept.
    pub(super) keeps_values: bool,
    /// The ranges whose snapshot was told.
    pub(super) told: Vec<KeyRange>,
    /// The snapshots that are to be told.
    due: Vec<Due>,
    /// The version of the patterns that has the first ranges.
    since: u64,
    pub(super) sync: watch::Receiver<Sync>,
    /// Of the last time that all was read.
    epoch: u64,
    /// That the connection is lost was told.
    is_lost: bool,
    rescan: Instant,
}

/// A snapshot that is to be told.
#[derive(Clone)]
struct Due {
    range: KeyRange,
    cause: Cause,
    /// The range is read when the servers tell of this version of the patterns, so that no change comes in between.
    since: u64,
}

/// What is known of a key's value.
pub(super) struct Known {
    pub(super) hash: u64,
    pub(super) value: Option<Bytes>,
}

impl Known {
    pub(super) fn of(value: &Bytes, keeps: bool) -> Self {
        Known { hash: hash(value), value: keeps.then(|| value.clone()) }
    }
}

pub(super) fn hash(value: &Bytes) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What has become of something that was to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Done,
    /// The store could not be read: again, a bit later.
    Failed,
    /// A server is not listened to any more: again, when it is.
    Outdated,
    /// The queue was thrown away: all is told anew.
    Overflowed,
    /// The subscriber is gone.
    Ended,
}

impl Follower {
    pub(crate) fn new(core: Arc<Core>, inbox: Arc<Inbox>, feed: Feed, options: &WatchOptions) -> Self {
        let (id, since) = core.hub.add(inbox.clone());
        let due = inbox.ranges().into_iter().map(|range| Due { range, cause: Cause::Start, since }).collect();
        let sync = core.hub.sync();
        let rescan = Instant::now() + *core.config.rescan_interval;
        let epoch = sync.borrow().epoch;
        Follower {
            core,
            inbox,
            feed,
            id,
            known: BTreeMap::new(),
            keeps_values: options.previous,
            told: Vec::new(),
            due,
            since,
            sync,
            epoch,
            is_lost: false,
            rescan,
        }
    }

    /// Waits until it is known whether the servers tell: why they do not, with the mend. None where one is away, too.
    pub(crate) async fn refusal(&self) -> Option<String> {
        let mut sync = self.sync.clone();
        loop {
            {
                let sync = sync.borrow_and_update();
                if sync.refused.is_some() {
                    return sync.refused.clone();
                }
                if sync.down || sync.confirmed.is_some_and(|confirmed| confirmed >= self.since) {
                    return None;
                }
            }
            sync.changed().await.ok()?;
        }
    }

    /// Tells all until the subscriber is gone, or the store closed.
    pub(crate) async fn run(mut self) {
        let (core, feed) = (self.core.clone(), self.feed.clone());
        tokio::select! {
            biased;
            () = core.closed() => {}
            () = feed.ended() => {}
            () = self.follow() => {}
        }
    }

    async fn follow(&mut self) {
        let mut pauses = Pauses::default();
        loop {
            self.take_orders();
            let Some(confirmed) = self.in_step() else {
                self.wait(false).await;
                continue;
            };
            if self.inbox.has_overflowed() {
                self.all_due(Cause::Lost);
            }
            let ready = self.due.iter().find(|due| due.since <= confirmed).cloned();
            let told = if let Some(Due { range, cause, .. }) = ready {
                self.snapshot(range, cause).await
            } else if Instant::now() >= self.rescan {
                self.read_all().await
            } else {
                let dirty = self.inbox.dirty(BATCH);
                if dirty.is_empty() {
                    self.wait(true).await;
                    continue;
                }
                self.changes(dirty).await
            };
            match told {
                Told::Done => pauses.reset(),
                Told::Outdated => {}
                Told::Failed => sleep(pauses.next()).await,
                Told::Overflowed => {
                    self.all_due(Cause::Overflow);
                    if !self.feed.room().await {
                        return;
                    }
                }
                Told::Ended => return,
            }
        }
    }

    /// Until there is something to do. What is to be read waits where it can not be.
    async fn wait(&mut self, reads: bool) {
        tokio::select! {
            () = self.inbox.woken.notified() => {}
            // its sender is the core's
            _ = self.sync.changed() => {}
            () = sleep_until(self.rescan), if reads => {}
        }
    }

    /// The version of the patterns of which all servers tell; none where one does not. What the subscriber has to know of it is told.
    fn in_step(&mut self) -> Option<u64> {
        let sync = self.sync.borrow_and_update().clone();
        let Some(confirmed) = sync.confirmed else {
            let is_trouble = sync.down || sync.refused.is_some();
            if !self.is_lost && (!self.told.is_empty() || is_trouble) {
                self.is_lost = true;
                self.tell(Event::Link(Link::Lost));
            }
            return None;
        };
        if self.is_lost {
            self.is_lost = false;
            self.tell(Event::Link(Link::Resumed));
        }
        if std::mem::replace(&mut self.epoch, sync.epoch) != sync.epoch {
            self.all_due(Cause::Lost);
        }
        Some(confirmed)
    }

    /// Is a server not listened to? What is read then may be older than what was told. Where hints were lost otherwise, all is read again after this: to begin at once
    /// would come to no end while they are lost all the time.
    pub(super) fn is_outdated(&self) -> bool {
        self.sync.borrow().confirmed.is_none()
    }

    /// A snapshot of each range that was told is due.
    fn all_due(&mut self, cause: Cause) {
        for range in &self.told {
            match self.due.iter_mut().find(|due| due.range == *range) {
                Some(due) if cause != Cause::Requested => due.cause = cause,
                Some(_) => {}
                // it was told of before
                None => self.due.push(Due { range: range.clone(), cause, since: 0 }),
            }
        }
    }

    fn take_orders(&mut self) {
        for order in self.inbox.orders() {
            match order {
                Order::Add(range, since) => self.due.push(Due { range, cause: Cause::Added, since }),
                Order::Snapshot => self.all_due(Cause::Requested),
                Order::Remove(range) => {
                    self.told.retain(|other| *other != range);
                    self.due.retain(|due| due.range != range);
                    let told = &self.told;
                    self.known.retain(|key, _| !range.contains(key) || told.iter().any(|other| other.contains(key)));
                    self.tell(Event::removed(range));
                }
            }
        }
    }

    /// Tells what is always taken.
    fn tell(&self, event: Event) {
        let pushed = self.feed.push(event);
        debug_assert!(matches!(pushed, Pushed::Queued | Pushed::Ended), "{pushed:?}");
    }

    /// A snapshot was told.
    pub(super) fn told(&mut self, range: KeyRange) {
        self.due.retain(|due| due.range != range);
        if !self.told.contains(&range) {
            self.told.push(range);
        }
    }

    /// All was read.
    pub(super) fn rescanned(&mut self) {
        self.rescan = Instant::now() + *self.core.config.rescan_interval;
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.core.hub.remove(self.id);
        // whoever waits for events sees their end, also where the store was dropped
        self.feed.end();
    }
}
