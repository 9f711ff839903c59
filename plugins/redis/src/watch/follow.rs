//! [`Follower`]: the task of a watch. Only this task reads for the watch, and it reports what it has read.

use super::{
    hub::SyncState,
    inbox::{Inbox, Order},
    unread::Unread,
};
use crate::{core::Core, portion::Portion};
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

/// How often the log repeats that something cannot be read.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// How many bytes of values are read at once, approximately.
pub(super) const BYTES_AT_ONCE: usize = 8 << 20;

pub(crate) struct Follower {
    pub(super) core: Arc<Core>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) feed: Feed,
    /// How many values to read at once.
    pub(super) portion: Portion,
    pub(crate) id: u64,
    /// What the subscriber knows of each key.
    pub(super) known: BTreeMap<Bytes, Known>,
    /// The previous values are wanted, so values are kept.
    pub(super) keeps_values: bool,
    /// The ranges whose snapshot was reported.
    pub(super) reported: Vec<KeyRange>,
    /// The snapshots that are due.
    due: Vec<Due>,
    /// The version of the patterns that includes the first ranges.
    since: u64,
    pub(super) sync: watch::Receiver<SyncState>,
    /// The version of the patterns about which all servers notify.
    confirmed: watch::Receiver<u64>,
    /// How often a server had refused before this watch began.
    refusals: u64,
    /// The epoch in which everything was last marked to be read.
    epoch: u64,
    /// Whether the subscriber was told that the watch is behind: a server is not listened to, or something cannot be
    /// read.
    is_loss_reported: bool,
    rescan: Instant,
    rereads: Pauses,
    /// When the log last said that something could not be read.
    last_logged: Option<Instant>,
    /// The beginning of the current snapshot, until it is sent.
    pub(super) beginning: Option<Event>,
    /// The queue was thrown away, and no snapshot has begun since: until one does, the feed accepts nothing else.
    pub(super) is_thrown_away: bool,
}

#[derive(Clone)]
struct Due {
    range: KeyRange,
    cause: Cause,
    /// The range is read once the servers notify about this version of the patterns, so that no change is missed in
    /// between.
    since: u64,
    /// When to try next. After a failure this is later, so that everything else can go on.
    not_before: Instant,
    pauses: Pauses,
    /// The server has answered, but some of the range could not be read: the snapshot waits until all of it can be.
    is_unread: bool,
    /// The range may have changed without a hint since it was reported. While it cannot be reported as a whole, the
    /// keys that can be read are compared.
    is_missed: bool,
}

impl Due {
    fn new(range: KeyRange, cause: Cause, since: u64) -> Self {
        let (not_before, pauses) = (Instant::now(), Pauses::default());
        Due { range, cause, since, not_before, pauses, is_unread: false, is_missed: true }
    }
}

pub(super) struct Known {
    pub(super) hash: u64,
    pub(super) value: Option<Bytes>,
    /// It was reported by a change, or by a snapshot that has ended. The subscriber may drop items of a snapshot that
    /// has not ended, and does not know what was thrown away.
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

/// The result of reporting something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    Done,
    /// The store could not be read: try again a bit later.
    Failed,
    /// The store has answered, but some of it cannot be read. [`Follower::unread`] has recorded that.
    Unread,
    /// A server is no longer listened to: try again when it is.
    Outdated,
    /// The queue was thrown away: everything is reported anew.
    Overflowed,
    /// The subscriber is gone.
    Ended,
}

impl Follower {
    pub(crate) fn new(core: Arc<Core>, inbox: Arc<Inbox>, feed: Feed, options: &WatchOptions) -> Self {
        // Read before the watch is added to the hub, so that a refusal from then on counts for this watch.
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
            reported: Vec::new(),
            due,
            since,
            sync,
            confirmed,
            refusals,
            epoch,
            is_loss_reported: false,
            rescan,
            rereads: Pauses::default(),
            last_logged: None,
            beginning: None,
            is_thrown_away: false,
        }
    }

    /// Waits until it is known whether the servers notify. Returns why they do not, with advice; `None` if they do, or
    /// if a server does not answer.
    pub(crate) async fn refusal(&self) -> Option<String> {
        let (mut sync, mut confirmed) = (self.sync.clone(), self.confirmed.clone());
        loop {
            let in_step = {
                let sync = sync.borrow_and_update();
                // A refusal from before this watch began may no longer hold.
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

    /// Reports events until the subscriber is gone or the store is closed.
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
            let Some(confirmed) = self.refresh_sync() else {
                self.wait(None).await;
                continue;
            };
            if self.inbox.take_overflowed() {
                self.mark_all_due(Cause::Lost);
            }
            let now = Instant::now();
            let is_ready = |due: &&Due| due.since <= confirmed && due.not_before <= now;
            let outcome =
                if let Some(Due { range, cause, is_unread, is_missed, .. }) = self.due.iter().find(is_ready).cloned() {
                    let outcome = match is_unread {
                        true if is_missed && self.reported.contains(&range) => self.compare(&range).await,
                        true => self.check(&range).await,
                        false => self.snapshot(&range, cause).await,
                    };
                    match outcome {
                        Outcome::Failed => {
                            self.schedule_retry(&range);
                            continue;
                        }
                        outcome => outcome,
                    }
                } else if now >= self.rescan {
                    match self.read_all().await {
                        Outcome::Failed => {
                            self.rescan = Instant::now() + self.rereads.next();
                            continue;
                        }
                        outcome => outcome,
                    }
                } else {
                    let dirty = self.inbox.take_dirty(self.portion.next(BYTES_AT_ONCE));
                    if dirty.is_empty() {
                        self.wait(Some(confirmed)).await;
                        continue;
                    }
                    self.report_changes(dirty).await
                };
            match outcome {
                Outcome::Done => pauses.reset(),
                Outcome::Outdated | Outcome::Unread => {}
                Outcome::Failed => sleep(pauses.next()).await,
                Outcome::Overflowed => {
                    self.is_thrown_away = true;
                    self.known.values_mut().for_each(|known| known.is_sure = false);
                    self.mark_all_due(Cause::Overflow);
                    if !self.feed.room().await {
                        return;
                    }
                    // Pauses, since a snapshot that cannot be read would otherwise be thrown away and begun again
                    // without end.
                    sleep(pauses.next()).await;
                }
                Outcome::Ended => return,
            }
        }
    }

    /// Waits until there is something to do. `confirmed` is `None` while not all servers notify: then nothing is read.
    async fn wait(&mut self, confirmed: Option<u64>) {
        let of_due = |confirmed| self.due.iter().filter(move |due| due.since <= confirmed).map(|due| due.not_before);
        let next = confirmed.map(|confirmed| of_due(confirmed).fold(self.rescan, Instant::min));
        // A newer version of the patterns matters only if a range waits for it.
        let is_expected = confirmed.is_some_and(|confirmed| self.due.iter().any(|due| due.since > confirmed));
        tokio::select! {
            () = self.inbox.woken.notified() => {}
            // This cannot fail, since the sender is in `core`.
            _ = self.sync.changed() => {}
            _ = self.confirmed.changed(), if is_expected => {}
            () = sleep_until(next.unwrap_or(self.rescan)), if next.is_some() => {}
        }
    }

    /// The version of the patterns about which all servers notify; `None` if one does not. Tells the subscriber if the
    /// watch falls behind or catches up.
    fn refresh_sync(&mut self) -> Option<u64> {
        let (in_step, is_trouble, epoch) = {
            let sync = self.sync.borrow_and_update();
            (sync.in_step, sync.down || sync.refused.is_some(), sync.epoch)
        };
        let is_loss_reported = match in_step {
            true => !self.due.is_empty() && self.is_behind(),
            false => self.is_loss_reported || !self.reported.is_empty() || is_trouble,
        };
        if std::mem::replace(&mut self.is_loss_reported, is_loss_reported) != is_loss_reported {
            if is_loss_reported && !in_step {
                // The listener logs why.
                self.feed.has_failed();
            }
            self.push_always(Event::Link(if is_loss_reported { Link::Lost } else { Link::Resumed }));
        }
        if !in_step {
            return None;
        }
        if std::mem::replace(&mut self.epoch, epoch) != epoch {
            self.mark_all_due(Cause::Lost);
        }
        Some(*self.confirmed.borrow_and_update())
    }

    /// Whether something that was reported may be outdated, since it cannot be read, or whether nothing can be reported
    /// for that reason. A range that was never reported does not hold up the others.
    fn is_behind(&self) -> bool {
        match self.reported.is_empty() {
            true => self.due.iter().all(|due| due.is_unread),
            false => self.due.iter().any(|due| due.is_unread && self.reported.contains(&due.range)),
        }
    }

    /// Whether a server is not listened to, so that what is read now may be older than what was already reported. If
    /// hints were lost for another reason, everything is read again after the current pass: restarting the pass at once
    /// would never end while hints keep getting lost.
    pub(super) fn is_outdated(&self) -> bool {
        !self.sync.borrow().in_step
    }

    /// Makes a snapshot of each reported range due.
    fn mark_all_due(&mut self, cause: Cause) {
        for range in &self.reported {
            let Some(due) = self.due.iter_mut().find(|due| due.range == *range) else {
                // Its pattern is included in any version, since the range was reported before.
                self.due.push(Due::new(range.clone(), cause, 0));
                continue;
            };
            if cause != Cause::Requested {
                due.cause = cause;
            }
            // Keys that can be read must not wait for the others.
            due.is_missed = true;
            if due.is_unread {
                due.not_before = Instant::now();
            }
        }
    }

    fn take_orders(&mut self) {
        for order in self.inbox.take_orders() {
            match order {
                Order::Add(range, since) => self.due.push(Due::new(range, Cause::Added, since)),
                Order::Snapshot => self.mark_all_due(Cause::Requested),
                Order::Remove(range) => {
                    self.reported.retain(|other| *other != range);
                    self.due.retain(|due| due.range != range);
                    let reported = &self.reported;
                    self.known
                        .retain(|key, _| !range.contains(key) || reported.iter().any(|other| other.contains(key)));
                    self.push_always(Event::removed(range));
                }
            }
        }
    }

    /// Records that the store could not be read: it is counted, and logged from time to time.
    pub(super) fn record_read_failure(&mut self, error: &KvError) {
        if *error.reason() == Reason::Closed {
            return;
        }
        let help = error.help().unwrap_or_default();
        self.log_problem(format_args!("a watch cannot read what it watches: {error:#}; {help}"), false);
    }

    /// Some of a range cannot be read, although the server has answered. That does not show whether those keys exist,
    /// so nothing is reported about them. The range is read again from time to time, and is reported once all of it can
    /// be read. A subscriber that knows the range is told until then that it may be outdated, and gets changes of its
    /// other keys.
    pub(super) fn mark_unread(&mut self, range: &KeyRange, what: &Unread, took: Duration) {
        let place = self.due.iter().position(|due| due.range == *range).unwrap_or_else(|| {
            self.due.push(Due { is_missed: false, ..Due::new(range.clone(), Cause::Lost, 0) });
            self.due.len() - 1
        });
        let due = &mut self.due[place];
        // Most of the time is for the ranges that can be read.
        due.not_before = Instant::now() + due.pauses.next().max(9 * took);
        if self.reported.contains(range) {
            due.cause = Cause::Lost;
            if due.is_missed {
                due.not_before = Instant::now();
            }
        }
        let is_news = !std::mem::replace(&mut due.is_unread, true);
        let what = what.shown(range, self.core.config.user());
        self.log_problem(format_args!("{what}"), is_news);
    }

    /// The readable keys of a range were compared with what was reported.
    pub(super) fn mark_compared(&mut self, range: &KeyRange) {
        for due in self.due.iter_mut().filter(|due| due.range == *range) {
            due.is_missed = false;
        }
    }

    /// Whether it is already known that some of a range cannot be read.
    pub(super) fn is_unread(&self, range: &KeyRange) -> bool {
        self.due.iter().any(|due| due.is_unread && due.range == *range)
    }

    /// All of a range can be read: its snapshot is next.
    pub(super) fn mark_readable(&mut self, range: &KeyRange) {
        for due in self.due.iter_mut().filter(|due| due.range == *range) {
            due.is_unread = false;
            tracing::info!("a watch can read all of `{range}`");
        }
    }

    /// Counts a problem and logs it. A problem that is not new is logged only from time to time.
    fn log_problem(&mut self, what: fmt::Arguments<'_>, is_news: bool) {
        self.feed.has_failed();
        if is_news || self.last_logged.is_none_or(|last| last.elapsed() >= LOG_INTERVAL) {
            self.last_logged = Some(Instant::now());
            tracing::warn!("{what}");
        } else {
            tracing::debug!("{what}");
        }
    }

    /// A range could not be read: sets when to try again.
    fn schedule_retry(&mut self, range: &KeyRange) {
        for due in self.due.iter_mut().filter(|due| due.range == *range) {
            due.not_before = Instant::now() + due.pauses.next();
        }
    }

    /// Pushes an event that the feed accepts even if it is full.
    fn push_always(&self, event: Event) {
        let pushed = self.feed.push(event);
        debug_assert!(matches!(pushed, Pushed::Queued | Pushed::Ended), "{pushed:?}");
    }

    /// Records that the snapshot of a range was reported.
    pub(super) fn record_reported(&mut self, range: KeyRange) {
        self.known.range_mut::<Bytes, _>(range.bounds()).for_each(|(_, known)| known.is_sure = true);
        self.due.retain(|due| due.range != range);
        if !self.reported.contains(&range) {
            self.reported.push(range);
        }
    }

    /// Records that everything was read.
    pub(super) fn mark_rescanned(&mut self) {
        self.rescan = Instant::now() + *self.core.config.rescan_interval;
        self.rereads.reset();
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.core.hub.remove(self.id);
        // The subscriber has to see the end, also if the store was dropped.
        self.feed.end();
    }
}
