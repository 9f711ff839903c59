//! [`Follower`]: the task of a watch. It alone reads for it, and tells what it has read.

use super::{
    hub::Sync,
    inbox::{Inbox, Order},
    unread::Unread,
};
use crate::{core::Core, monitor::with_cause, portion::Portion};
use bytes::Bytes;
use cninfra::client::Pauses;
use cninfra::keyval::{Cause, Event, Feed, KeyRange, KvError, Link, Pushed, Reason, WatchOptions};
use std::{
    collections::BTreeMap,
    fmt,
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

/// So often the log is told that something can not be read.
const TELL: Duration = Duration::from_secs(10);

/// So many bytes of values are read at once, about.
pub(super) const ROOM: usize = 8 << 20;

/// The task of a watch.
pub(crate) struct Follower {
    pub(super) core: Arc<Core>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) feed: Feed,
    /// How many values are read at once.
    pub(super) portion: Portion,
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
    /// The version of the patterns that the servers tell of.
    confirmed: watch::Receiver<u64>,
    /// How often a server had refused before it began.
    refusals: u64,
    /// Of the last time that all was read.
    epoch: u64,
    /// That it is lost was told: a server is, or something can not be read.
    is_lost: bool,
    rescan: Instant,
    rereads: Pauses,
    /// That something could not be read was told in the log.
    complained: Option<Instant>,
    /// The beginning of the snapshot that is told now, if that was not told yet.
    pub(super) beginning: Option<Event>,
    /// What waited was thrown away, and no snapshot has begun since: until one does nothing else is taken.
    pub(super) is_thrown_away: bool,
}

/// A snapshot that is to be told.
#[derive(Clone)]
struct Due {
    range: KeyRange,
    cause: Cause,
    /// The range is read when the servers tell of this version of the patterns, so that no change comes in between.
    since: u64,
    /// It could not be read: it is tried again then, and what else there is goes on.
    again: Instant,
    pauses: Pauses,
    /// The server has answered, and some of it could not be read: it is told when it is seen that all of it can be.
    is_unread: bool,
    /// It may have changed without a hint since it was told. Where it can not be told as a whole, what can be read of it is compared.
    is_missed: bool,
}

impl Due {
    fn new(range: KeyRange, cause: Cause, since: u64) -> Self {
        let (again, pauses) = (Instant::now(), Pauses::default());
        Due { range, cause, since, again, pauses, is_unread: false, is_missed: true }
    }
}

/// What is known of a key's value.
pub(super) struct Known {
    pub(super) hash: u64,
    pub(super) value: Option<Bytes>,
    /// It was told by a change, or a snapshot that has ended. One that has not may be left out by the subscriber, and what was thrown away is not known to it.
    pub(super) is_sure: bool,
}

impl Known {
    pub(super) fn of(value: &Bytes, keeps: bool) -> Self {
        Known { hash: hash(value), value: keeps.then(|| value.clone()), is_sure: true }
    }
}

pub(super) fn hash(value: &Bytes) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}

/// What has become of something that was to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Done,
    /// The store could not be read: again, a bit later.
    Failed,
    /// The store has answered, and some of it can not be read: [`Follower::unread`] has noted it.
    Unread,
    /// A server is not listened to any more: again, when it is.
    Outdated,
    /// The queue was thrown away: all is told anew.
    Overflowed,
    /// The subscriber is gone.
    Ended,
}

impl Follower {
    pub(crate) fn new(core: Arc<Core>, inbox: Arc<Inbox>, feed: Feed, options: &WatchOptions) -> Self {
        // before it is there: what is refused then is refused to it
        let (sync, confirmed) = (core.hub.sync(), core.hub.confirmed());
        let refusals = sync.borrow().refusals;
        let (id, since) = core.hub.add(inbox.clone());
        let due = inbox.ranges().into_iter().map(|range| Due::new(range, Cause::Start, since)).collect();
        let rescan = Instant::now() + *core.config.rescan_interval;
        let epoch = sync.borrow().epoch;
        Follower {
            core,
            inbox,
            feed,
            portion: Portion::default(),
            id,
            known: BTreeMap::new(),
            keeps_values: options.previous,
            told: Vec::new(),
            due,
            since,
            sync,
            confirmed,
            refusals,
            epoch,
            is_lost: false,
            rescan,
            rereads: Pauses::default(),
            complained: None,
            beginning: None,
            is_thrown_away: false,
        }
    }

    /// Waits until it is known whether the servers tell: why they do not, with the mend. None where one is away, too.
    pub(crate) async fn refusal(&self) -> Option<String> {
        let (mut sync, mut confirmed) = (self.sync.clone(), self.confirmed.clone());
        loop {
            let in_step = {
                let sync = sync.borrow_and_update();
                // what was refused before it began may hold no more
                if sync.refused.is_some() && sync.refusals > self.refusals {
                    return sync.refused.clone();
                }
                if sync.down {
                    return None;
                }
                sync.in_step
            };
            if *confirmed.borrow_and_update() >= self.since && in_step {
                return None;
            }
            tokio::select! {
                changed = sync.changed() => changed.ok()?,
                changed = confirmed.changed() => changed.ok()?,
            }
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
                self.wait(None).await;
                continue;
            };
            if self.inbox.has_overflowed() {
                self.all_due(Cause::Lost);
            }
            let now = Instant::now();
            let is_ready = |due: &&Due| due.since <= confirmed && due.again <= now;
            let told =
                if let Some(Due { range, cause, is_unread, is_missed, .. }) = self.due.iter().find(is_ready).cloned() {
                    let told = match is_unread {
                        true if is_missed && self.told.contains(&range) => self.compare(&range).await,
                        true => self.check(&range).await,
                        false => self.snapshot(&range, cause).await,
                    };
                    match told {
                        Told::Failed => {
                            self.try_again(&range);
                            continue;
                        }
                        told => told,
                    }
                } else if now >= self.rescan {
                    match self.read_all().await {
                        Told::Failed => {
                            self.rescan = Instant::now() + self.rereads.next();
                            continue;
                        }
                        told => told,
                    }
                } else {
                    let dirty = self.inbox.dirty(self.portion.next(ROOM));
                    if dirty.is_empty() {
                        self.wait(Some(confirmed)).await;
                        continue;
                    }
                    self.changes(dirty).await
                };
            match told {
                Told::Done => pauses.reset(),
                Told::Outdated | Told::Unread => {}
                Told::Failed => sleep(pauses.next()).await,
                Told::Overflowed => {
                    self.is_thrown_away = true;
                    self.known.values_mut().for_each(|known| known.is_sure = false);
                    self.all_due(Cause::Overflow);
                    if !self.feed.room().await {
                        return;
                    }
                    // a snapshot that can not be read does not make room for ever
                    sleep(pauses.next()).await;
                }
                Told::Ended => return,
            }
        }
    }

    /// Until there is something to do. Without a version of the patterns that the servers tell of, nothing is to be read.
    async fn wait(&mut self, confirmed: Option<u64>) {
        let of_due = |confirmed| self.due.iter().filter(move |due| due.since <= confirmed).map(|due| due.again);
        let next = confirmed.map(|confirmed| of_due(confirmed).fold(self.rescan, Instant::min));
        // of other watches' patterns nobody need hear
        let is_expected = confirmed.is_some_and(|confirmed| self.due.iter().any(|due| due.since > confirmed));
        tokio::select! {
            () = self.inbox.woken.notified() => {}
            // its sender is the core's
            _ = self.sync.changed() => {}
            _ = self.confirmed.changed(), if is_expected => {}
            () = sleep_until(next.unwrap_or(self.rescan)), if next.is_some() => {}
        }
    }

    /// The version of the patterns of which all servers tell; none where one does not. What the subscriber has to know of it is told.
    fn in_step(&mut self) -> Option<u64> {
        let (in_step, is_trouble, epoch) = {
            let sync = self.sync.borrow_and_update();
            (sync.in_step, sync.down || sync.refused.is_some(), sync.epoch)
        };
        let is_lost = match in_step {
            true => !self.due.is_empty() && self.is_behind(),
            false => self.is_lost || !self.told.is_empty() || is_trouble,
        };
        if std::mem::replace(&mut self.is_lost, is_lost) != is_lost {
            if is_lost && !in_step {
                // why is told in the log by who listens
                self.feed.has_failed();
            }
            self.tell(Event::Link(if is_lost { Link::Lost } else { Link::Resumed }));
        }
        if !in_step {
            return None;
        }
        if std::mem::replace(&mut self.epoch, epoch) != epoch {
            self.all_due(Cause::Lost);
        }
        Some(*self.confirmed.borrow_and_update())
    }

    /// May something that was told be outdated, since it can not be read? Or can nothing be told for that? One range of several that was never told keeps the others from nothing.
    fn is_behind(&self) -> bool {
        match self.told.is_empty() {
            true => self.due.iter().all(|due| due.is_unread),
            false => self.due.iter().any(|due| due.is_unread && self.told.contains(&due.range)),
        }
    }

    /// Is a server not listened to? What is read then may be older than what was told. Where hints were lost otherwise, all is read again after this: to begin at once
    /// would come to no end while they are lost all the time.
    pub(super) fn is_outdated(&self) -> bool {
        !self.sync.borrow().in_step
    }

    /// A snapshot of each range that was told is due.
    fn all_due(&mut self, cause: Cause) {
        for range in &self.told {
            let Some(due) = self.due.iter_mut().find(|due| due.range == *range) else {
                // it was told of before
                self.due.push(Due::new(range.clone(), cause, 0));
                continue;
            };
            if cause != Cause::Requested {
                due.cause = cause;
            }
            // what can be read of it is not to wait for the rest
            due.is_missed = true;
            if due.is_unread {
                due.again = Instant::now();
            }
        }
    }

    fn take_orders(&mut self) {
        for order in self.inbox.orders() {
            match order {
                Order::Add(range, since) => self.due.push(Due::new(range, Cause::Added, since)),
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

    /// The store could not be read: that is counted, and the log is told of it from time to time.
    pub(super) fn has_failed(&mut self, error: &KvError) {
        if *error.reason() == Reason::Closed {
            return;
        }
        let (why, help) = (with_cause(error), error.help().unwrap_or_default());
        self.complain(format_args!("a watch cannot read what it watches: {why}; {help}"), false);
    }

    /// Something of a range can not be read, though the store has answered. What is there is not known by that, so nothing is told of it: the range is read again from time to time, and is told when all of
    /// it can be read. Who was told of it before knows until then that it may be outdated, and is told what has become of the rest.
    pub(super) fn unread(&mut self, range: &KeyRange, what: &Unread, took: Duration) {
        let place = self.due.iter().position(|due| due.range == *range).unwrap_or_else(|| {
            self.due.push(Due { is_missed: false, ..Due::new(range.clone(), Cause::Lost, 0) });
            self.due.len() - 1
        });
        let due = &mut self.due[place];
        // most of the time is for what can be read
        due.again = Instant::now() + due.pauses.next().max(9 * took);
        if self.told.contains(range) {
            due.cause = Cause::Lost;
            if due.is_missed {
                due.again = Instant::now();
            }
        }
        let is_news = !std::mem::replace(&mut due.is_unread, true);
        let what = what.shown(range, self.core.config.user());
        self.complain(format_args!("{what}"), is_news);
    }

    /// What can be read of a range was compared with what was told.
    pub(super) fn compared(&mut self, range: &KeyRange) {
        for due in self.due.iter_mut().filter(|due| due.range == *range) {
            due.is_missed = false;
        }
    }

    /// Is it known already that something of a range can not be read?
    pub(super) fn is_unread(&self, range: &KeyRange) -> bool {
        self.due.iter().any(|due| due.is_unread && due.range == *range)
    }

    /// All of a range can be read: its snapshot is next.
    pub(super) fn readable(&mut self, range: &KeyRange) {
        for due in self.due.iter_mut().filter(|due| due.range == *range) {
            due.is_unread = false;
            tracing::info!("a watch can read all of `{range}`");
        }
    }

    /// Something is counted that went wrong. The log is told, but of what is no news only from time to time.
    fn complain(&mut self, what: fmt::Arguments<'_>, is_news: bool) {
        self.feed.has_failed();
        if is_news || self.complained.is_none_or(|last| last.elapsed() >= TELL) {
            self.complained = Some(Instant::now());
            tracing::warn!("{what}");
        } else {
            tracing::debug!("{what}");
        }
    }

    /// A range could not be read.
    fn try_again(&mut self, range: &KeyRange) {
        for due in self.due.iter_mut().filter(|due| due.range == *range) {
            due.again = Instant::now() + due.pauses.next();
        }
    }

    /// Tells what is always taken.
    fn tell(&self, event: Event) {
        let pushed = self.feed.push(event);
        debug_assert!(matches!(pushed, Pushed::Queued | Pushed::Ended), "{pushed:?}");
    }

    /// A snapshot was told.
    pub(super) fn told(&mut self, range: KeyRange) {
        self.known.range_mut::<Bytes, _>(range.bounds()).for_each(|(_, known)| known.is_sure = true);
        self.due.retain(|due| due.range != range);
        if !self.told.contains(&range) {
            self.told.push(range);
        }
    }

    /// All was read.
    pub(super) fn rescanned(&mut self) {
        self.rescan = Instant::now() + *self.core.config.rescan_interval;
        self.rereads.reset();
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.core.hub.remove(self.id);
        // whoever waits for events sees their end, also where the store was dropped
        self.feed.end();
    }
}
