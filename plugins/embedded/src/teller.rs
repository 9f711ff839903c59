//! [`Teller`]: reports changes to a subscriber. It reads them from the log, so what was not reported yet waits there,
//! and holds up nobody.

use crate::{
    changes::{Changes, changes},
    engine::Engine,
    read::{Part, ReadResult, UnreadableRevision, Wanted, part},
    watchers::{WatchedRange, Watcher},
};
use cninfra::keyval::{Asked, Bytes, Cause, Event, Feed, KeyRange, KvError, Link, Pushed, Reason, Revision};
use std::{sync::Arc, time::Duration};

/// A snapshot is read in parts of at most this many entries and bytes.
const PAGE: (usize, usize) = (1000, 1 << 20);
/// If the revision of a snapshot was compacted this often before all of it was read, the snapshot is read in one go:
/// otherwise it might never be complete.
const PARTS: u32 = 2;
/// The pause before a failed read is repeated.
const AGAIN: Duration = Duration::from_millis(200);

pub(crate) struct Teller {
    engine: Arc<Engine>,
    watcher: Arc<Watcher>,
    feed: Feed,
    previous: bool,
    ranges: Vec<Tracked>,
    /// The revision up to which everything was reported.
    at: u64,
    /// Whether reads fail, and the subscriber was told so.
    is_loss_reported: bool,
}

struct Tracked {
    range: KeyRange,
    number: u64,
    state: State,
    /// How often its snapshot had to begin again.
    restarts: u32,
}

#[derive(Clone, Copy)]
enum State {
    /// Changes after this revision are reported.
    Since(u64),
    /// A snapshot is due first.
    SnapshotDue(Cause),
}

/// The subscriber is gone.
struct SubscriberGone;

impl Teller {
    /// `from` is the first revision to report. Without it, the watch begins with a snapshot.
    pub(crate) fn new(
        engine: Arc<Engine>,
        watcher: Arc<Watcher>,
        feed: Feed,
        previous: bool,
        from: Option<u64>,
    ) -> Self {
        // What was written before the watch began is a part of the first snapshot.
        let newest = engine.shared.revision();
        let (at, state) = match from {
            None => (newest, State::SnapshotDue(Cause::Start)),
            // These revisions belonged to another store, or to this one before it lost its data.
            Some(from) if from > newest + 1 => (newest, State::SnapshotDue(Cause::Regressed)),
            Some(from) => (from - 1, State::Since(from - 1)),
        };
        let watched = watcher.requests().ranges.clone();
        let track =
            |watched: WatchedRange| Tracked { range: watched.range, number: watched.number, state, restarts: 0 };
        let ranges = watched.into_iter().map(track).collect();
        Teller { engine, watcher, feed, previous, ranges, at, is_loss_reported: false }
    }

    /// Reports events until the subscriber is gone.
    pub(crate) async fn run(mut self) {
        // Changes from before the watch began are in the log, and nothing wakes the watch for them.
        let mut first = Some(self.at + 1);
        while let Ok(()) = self.run_round(first.take()).await {
            self.watcher.wake.notified().await;
        }
    }

    async fn run_round(&mut self, first: Option<u64>) -> Result<(), SubscriberGone> {
        self.handle_requests()?;
        self.catch_up(first).await?;
        while let Some(index) = self.ranges.iter().position(|tracked| matches!(tracked.state, State::SnapshotDue(_))) {
            self.snapshot(index).await?;
            self.handle_requests()?;
            self.catch_up(None).await?;
        }
        Ok(())
    }

    /// Moves on to the newest revision when everything was reported or waits for a snapshot. So a snapshot contains all
    /// earlier writes.
    fn skip_to_newest(&mut self) {
        self.at = self.at.max(self.engine.shared.revision());
    }

    /// Handles the requests of the subscriber.
    fn handle_requests(&mut self) -> Result<(), SubscriberGone> {
        let (ranges, removed, snapshot) = {
            let mut requests = self.watcher.requests();
            (requests.ranges.clone(), std::mem::take(&mut requests.removed), std::mem::take(&mut requests.snapshot))
        };
        self.ranges.retain(|tracked| ranges.iter().any(|watched| watched.number == tracked.number));
        for range in removed {
            if self.feed.push(Event::removed(range)) == Pushed::Ended {
                return Err(SubscriberGone);
            }
        }
        if snapshot {
            self.mark_snapshots_due(Cause::Requested);
        }
        for watched in ranges {
            if self.ranges.iter().all(|tracked| tracked.number != watched.number) {
                let state = State::SnapshotDue(Cause::Added);
                self.ranges.push(Tracked { range: watched.range, number: watched.number, state, restarts: 0 });
            }
        }
        Ok(())
    }

    /// Makes a snapshot due for all ranges that already had one.
    fn mark_snapshots_due(&mut self, cause: Cause) {
        for tracked in &mut self.ranges {
            if let State::Since(_) = tracked.state {
                tracked.state = State::SnapshotDue(cause);
            }
        }
    }

    /// Reports all changes.
    async fn catch_up(&mut self, first: Option<u64>) -> Result<(), SubscriberGone> {
        // In this order: a revision that is published in between counts for the next round.
        let published = self.engine.shared.watchers().published();
        let changed = self.watcher.take_changed();
        // A snapshot is of the revision up to which the other ranges were reported, so that has to be as new as
        // possible, even if the latest changes concern no range.
        let wants = self.ranges.iter().any(|tracked| matches!(tracked.state, State::SnapshotDue(_)));
        let first = first.or(changed).or(wants.then_some(published + 1));
        let Some(mut from) = first.map(|first| first.max(self.at + 1)) else {
            self.at = self.at.max(published);
            return Ok(());
        };
        loop {
            let since = |tracked: &Tracked| match tracked.state {
                State::Since(since) => Some((tracked.range.clone(), since)),
                State::SnapshotDue(_) => None,
            };
            let reported: Vec<(KeyRange, u64)> = self.ranges.iter().filter_map(since).collect();
            if reported.is_empty() {
                self.skip_to_newest();
                return Ok(());
            }
            let previous = self.previous;
            let Ok(read) = self.read(move |txn| changes(txn, from, &reported, previous)).await? else {
                self.mark_snapshots_due(Cause::Compacted);
                self.skip_to_newest();
                return Ok(());
            };
            let Changes { revisions, upto, more } = read;
            for (revision, changes) in revisions {
                if !self.push(Event::changes(Revision::new(revision), changes)).await? {
                    self.skip_to_newest();
                    return Ok(());
                }
            }
            self.at = self.at.max(upto);
            from = self.at + 1;
            if !more {
                return Ok(());
            }
        }
    }

    /// Pushes an event, and waits for room if the queue is full. Returns false if the queue was thrown away, so that a
    /// snapshot is due instead.
    async fn push(&mut self, mut event: Event) -> Result<bool, SubscriberGone> {
        loop {
            match self.feed.push(event) {
                Pushed::Queued => return Ok(true),
                Pushed::Full(back) => event = back,
                Pushed::Resnapshot => return self.restart_after_overflow().await.map(|()| false),
                Pushed::Ended => return Err(SubscriberGone),
            }
            if !self.feed.room().await {
                return Err(SubscriberGone);
            }
        }
    }

    async fn restart_after_overflow(&mut self) -> Result<(), SubscriberGone> {
        self.mark_snapshots_due(Cause::Overflow);
        if self.feed.room().await { Ok(()) } else { Err(SubscriberGone) }
    }

    /// Reports the snapshot of a range, at the revision up to which the other ranges were reported.
    async fn snapshot(&mut self, index: usize) -> Result<(), SubscriberGone> {
        let Tracked { range, state: State::SnapshotDue(cause), restarts, .. } = &self.ranges[index] else {
            return Ok(());
        };
        let (range, cause, restarts, at) = (range.clone(), *cause, *restarts, self.at);
        // Read before the begin event is sent, since sending may wait for the subscriber.
        let mut page = self.page(range.clone(), range.start().clone(), at, restarts).await?;
        if page.is_ok() && !self.send(Event::snapshot_begin(range.clone(), cause)).await? {
            return Ok(());
        }
        loop {
            let Ok(Part { entries, next, .. }) = page else {
                // The revision was compacted meanwhile: the snapshot begins again, at a newer one.
                self.ranges[index].restarts += 1;
                return Ok(());
            };
            for entry in entries {
                if !self.send(Event::Item(entry)).await? {
                    return Ok(());
                }
            }
            let Some(start) = next else { break };
            page = self.page(range.clone(), start, at, restarts).await?;
        }
        if self.send(Event::snapshot_end(range, Revision::new(at))).await? {
            (self.ranges[index].state, self.ranges[index].restarts) = (State::Since(at), 0);
        }
        Ok(())
    }

    async fn page(
        &mut self,
        range: KeyRange,
        start: Bytes,
        at: u64,
        restarts: u32,
    ) -> Result<Result<Part, UnreadableRevision>, SubscriberGone> {
        let (max_items, max_bytes) =
            if restarts < PARTS { (PAGE.0 << restarts, PAGE.1 << restarts) } else { (usize::MAX, usize::MAX) };
        self.read(move |txn| {
            let wanted = Wanted { range: &range, from: &start, keys_only: false, max_items, max_bytes };
            part(txn, &wanted, Some(at))
        })
        .await
    }

    /// Sends an event of a snapshot. Returns false if a snapshot of all ranges is due instead.
    async fn send(&mut self, event: Event) -> Result<bool, SubscriberGone> {
        match self.feed.send(event).await {
            Pushed::Queued => Ok(true),
            Pushed::Ended => Err(SubscriberGone),
            Pushed::Full(_) | Pushed::Resnapshot => self.restart_after_overflow().await.map(|()| false),
        }
    }

    /// Reads, and tries again until it succeeds.
    async fn read<T: Send + 'static>(
        &mut self,
        read: impl Fn(&redb::ReadTransaction) -> ReadResult<T> + Clone + Send + 'static,
    ) -> Result<Result<T, UnreadableRevision>, SubscriberGone> {
        loop {
            match self.engine.read(Asked::to_read("watch", None), read.clone()).await {
                Ok(answer) => {
                    if std::mem::take(&mut self.is_loss_reported) {
                        self.report_link(Link::Resumed)?;
                    }
                    return Ok(answer);
                }
                Err(error) if *error.reason() == Reason::Closed => return Err(SubscriberGone),
                Err(error) => {
                    self.record_failure(error)?;
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Counts a failed read. The first one of a series is logged.
    fn record_failure(&mut self, error: KvError) -> Result<(), SubscriberGone> {
        self.feed.has_failed();
        let error = cninfra::Error::from(error);
        let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
        if std::mem::replace(&mut self.is_loss_reported, true) {
            tracing::debug!("a watch still cannot read what it watches: {error}{help}");
            return Ok(());
        }
        tracing::warn!("a watch cannot read what it watches, and tries again each {AGAIN:?}: {error}{help}");
        self.report_link(Link::Lost)
    }

    fn report_link(&self, link: Link) -> Result<(), SubscriberGone> {
        match self.feed.push(Event::Link(link)) {
            Pushed::Ended => Err(SubscriberGone),
            _ => Ok(()),
        }
    }
}
