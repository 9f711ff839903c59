//! [`Watch`]: the events of some ranges, as a stream.

use super::{Diffed, Event, KeyRange, Result, Revision, metrics::Seen};
use crate::BoxFuture;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// How a watch behaves.
///
/// ```
/// use cninfra::keyval::{Overflow, WatchOptions};
///
/// let options = WatchOptions::default().with_queue(64, Overflow::CoalesceByKey).with_previous();
/// assert_eq!((options.queue, options.previous, options.from), (64, true, None));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct WatchOptions {
    /// What becomes of events while the subscriber does not take them.
    pub overflow: Overflow,
    /// So many events wait for the subscriber at most, those of a snapshot among them, with their values: who never looks keeps as many in memory, and beside them the part of a snapshot that was read
    /// last. The rest of a larger one is read when there is room.
    pub queue: usize,
    /// What keys were before a change is wanted, where the store can tell: it costs the store a look-up, and the network the bytes.
    pub previous: bool,
    /// Changes from this state on, this one among them, and no snapshot at first; where they are no longer kept there is one nevertheless, whose cause
    /// says so. In stores with revisions only.
    pub from: Option<Revision>,
}

impl Default for WatchOptions {
    /// A queue of 1024 events; a subscriber that is slow delays its own events, and loses none.
    fn default() -> Self {
        WatchOptions { overflow: Overflow::Block, queue: 1024, previous: false, from: None }
    }
}

impl WatchOptions {
    /// The same, with so many events that wait at most, and what becomes of more.
    #[must_use]
    pub fn with_queue(mut self, queue: usize, overflow: Overflow) -> Self {
        (self.queue, self.overflow) = (queue, overflow);
        self
    }

    /// The same, where what keys were before a change is wanted.
    #[must_use]
    pub fn with_previous(mut self) -> Self {
        self.previous = true;
        self
    }

    /// The same, with the changes from this state on.
    #[must_use]
    pub fn from(mut self, revision: Revision) -> Self {
        self.from = Some(revision);
        self
    }
}

/// What becomes of events while their subscriber does not take them, and its queue is full. Other subscribers and calls are never held up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// They stay in the store until there is room. If it throws them away before, there is a snapshot.
    #[default]
    Block,
    /// Of each key only the latest value is kept: what came between is left out, and counted. Where more keys than the queue has places are changed, it is as with [`Resnapshot`](Self::Resnapshot).
    CoalesceByKey,
    /// They are thrown away, and there is a snapshot when the subscriber looks for its next event. Until then the watch asks the store for nothing: who looks no more costs no more than the watch itself, and who has never looked what the [queue](WatchOptions::queue) holds of its first snapshot.
    Resnapshot,
}

/// What has become of the events of a watch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct WatchStats {
    /// So many wait for the subscriber.
    pub queued: usize,
    /// So many changes were left out, since a later one of the same key was there.
    pub coalesced: u64,
    /// So often what waited was thrown away for a snapshot, since the subscriber was slow.
    pub resnapshots: u64,
    /// So often the subscriber was too slow.
    pub overflows: u64,
    /// So often something could not be read, or a connection was lost: the log says what.
    pub failures: u64,
}

/// What a store does for a watch that runs. For authors of stores.
///
/// None of it waits for the subscriber, who may be the one that calls: what is asked for is noted, and done by the task that tells the events.
pub trait WatchControl: Send + Sync {
    /// Adds a range: its snapshot follows. One that is watched already is no other one.
    fn add(&self, range: KeyRange) -> BoxFuture<'_, Result<()>>;
    /// Takes out a range, as it was added: [`Event::Removed`] follows. What of it waits in the queue is told before.
    fn remove(&self, range: KeyRange) -> BoxFuture<'_, Result<()>>;
    /// Has a snapshot of all ranges told.
    fn snapshot(&self) -> BoxFuture<'_, Result<()>>;
    /// What has become of the events.
    fn stats(&self) -> WatchStats;
}

/// What can be done about a [`Watch`] that runs, by any task. A clone is of the same watch, and does not keep it.
#[derive(Clone)]
pub struct WatchHandle {
    control: Arc<dyn WatchControl>,
    /// Of the view that is watched.
    prefix: Bytes,
}

impl WatchHandle {
    /// Watches another range, too. Its snapshot follows.
    ///
    /// # Errors
    /// The store or the watch was closed, or can not watch such a range.
    pub async fn add(&self, range: KeyRange) -> Result<()> {
        self.control.add(range.under(&self.prefix)).await
    }

    /// Watches a range no more, which is given as it was when it was added. [`Event::Removed`] says from where on nothing is told of it.
    ///
    /// # Errors
    /// The store or the watch was closed, or the range is not watched.
    pub async fn remove(&self, range: KeyRange) -> Result<()> {
        self.control.remove(range.under(&self.prefix)).await
    }

    /// Has a snapshot of all ranges told once more.
    ///
    /// # Errors
    /// The store or the watch was closed.
    pub async fn snapshot(&self) -> Result<()> {
        self.control.snapshot().await
    }

    /// What has become of the events.
    #[must_use]
    pub fn stats(&self) -> WatchStats {
        self.control.stats()
    }
}

/// The events of some ranges, in their order: a [`Stream`]. Dropping it ends the watch; its end says that the store was closed. One that is kept, and not looked at, keeps what its [queue](WatchOptions::queue) holds.
///
/// # Cancel safety
/// An event that was not taken is the next one.
pub struct Watch {
    events: Pin<Box<dyn Stream<Item = Event> + Send>>,
    handle: WatchHandle,
    /// Those that were asked for, each once, as the store knows them.
    ranges: Vec<KeyRange>,
    /// Where it is counted, until its end.
    seen: Option<Seen>,
}

impl Watch {
    /// For a store: of these ranges, its events, and what can be done about them.
    #[must_use]
    pub fn new(
        ranges: &[KeyRange],
        events: impl Stream<Item = Event> + Send + 'static,
        control: Arc<dyn WatchControl>,
    ) -> Self {
        let mut different: Vec<KeyRange> = Vec::new();
        ranges.iter().for_each(|range| {
            if !different.contains(range) {
                different.push(range.clone());
            }
        });
        let handle = WatchHandle { control, prefix: Bytes::new() };
        Watch { events: Box::pin(events), handle, ranges: different, seen: None }
    }

    /// The next event; `None` when the store was closed.
    ///
    /// # Cancel safety
    /// It may be dropped and called again: no event is lost.
    pub async fn next(&mut self) -> Option<Event> {
        StreamExt::next(self).await
    }

    /// The same for who wants to know only what is different: a snapshot is told as the changes that it shows.
    #[must_use]
    pub fn diffed(self) -> Diffed {
        Diffed::new(self)
    }

    /// What can be done about it: for other ranges, another snapshot, and what has become of the events.
    #[must_use]
    pub fn handle(&self) -> &WatchHandle {
        &self.handle
    }

    /// The same, counted by who is told what is asked for at it.
    pub(super) fn seen_by(mut self, by: impl FnOnce(Arc<dyn WatchControl>) -> Seen) -> Self {
        self.seen = Some(by(self.handle.control.clone()));
        self
    }

    /// The same as a view sees it: its keys are all below this prefix.
    pub(super) fn below(mut self, prefix: &Bytes) -> Self {
        self.handle.prefix = prefix.clone();
        self
    }

    /// The ranges that were asked for when it began, each once, as the store knows them: of each, what is there is told first.
    #[must_use]
    pub fn ranges(&self) -> &[KeyRange] {
        &self.ranges
    }

    /// What its keys begin with in the store, and not in what is told.
    pub(crate) fn prefix(&self) -> &Bytes {
        &self.handle.prefix
    }
}

impl Stream for Watch {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut event = self.events.as_mut().poll_next(cx);
        match (&event, &self.seen) {
            (Poll::Ready(Some(event)), Some(seen)) => seen.takes(event),
            (Poll::Ready(None), Some(_)) => self.seen = None,
            _ => {}
        }
        if let Poll::Ready(Some(event)) = &mut event
            && !self.handle.prefix.is_empty()
        {
            event.strip(&self.handle.prefix);
        }
        event
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("stats", &self.handle.stats()).finish_non_exhaustive()
    }
}

impl fmt::Debug for WatchHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchHandle").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
