//! [`Watch`]: the events of some ranges, as a stream.

use super::{Diffed, Event, KeyRange, Result, Revision, metrics::OpenWatch};
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
    /// What happens to events while the subscriber does not take them.
    pub overflow: Overflow,
    /// How many events may wait for the subscriber, including those of a snapshot, with their values. A subscriber that
    /// never reads keeps that many in memory, and also the page of a snapshot that was read last. The rest of a larger
    /// snapshot is read when there is room.
    pub queue: usize,
    /// Whether to report what keys were before a change, if the store can tell. It costs the store a lookup, and bytes
    /// on the network.
    pub previous: bool,
    /// Report the changes from this revision (inclusive), without a snapshot at first. If they are no longer kept,
    /// there is a snapshot nevertheless, with that cause. Only in stores with revisions.
    pub from: Option<Revision>,
}

impl Default for WatchOptions {
    /// A queue of 1024 events. A slow subscriber delays its own events, and loses none.
    fn default() -> Self {
        WatchOptions { overflow: Overflow::Block, queue: 1024, previous: false, from: None }
    }
}

impl WatchOptions {
    /// Sets the size of the queue, and what happens when it is full.
    #[must_use]
    pub fn with_queue(mut self, queue: usize, overflow: Overflow) -> Self {
        (self.queue, self.overflow) = (queue, overflow);
        self
    }

    /// Reports what keys were before a change.
    #[must_use]
    pub fn with_previous(mut self) -> Self {
        self.previous = true;
        self
    }

    /// Reports the changes from this revision.
    #[must_use]
    pub fn from(mut self, revision: Revision) -> Self {
        self.from = Some(revision);
        self
    }
}

/// What happens to events while their subscriber does not take them and its queue is full. Other subscribers and calls
/// are never delayed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// They stay in the store until there is room. If the store discards them before, there is a snapshot.
    #[default]
    Block,
    /// Only the latest value of each key is kept. Intermediate ones are left out, and counted. If more keys are changed
    /// than the queue has places, it behaves like [`Resnapshot`](Self::Resnapshot).
    CoalesceByKey,
    /// They are discarded, and there is a snapshot when the subscriber asks for its next event. Until then the watch
    /// requests nothing from the store: a subscriber that has stopped reading costs no more than the watch itself, and
    /// one that has never read costs what the [queue](WatchOptions::queue) holds of its first snapshot.
    Resnapshot,
}

/// Statistics of a watch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct WatchStats {
    /// The number of events that wait for the subscriber.
    pub queued: usize,
    /// How many changes were left out because there was a later one of the same key.
    pub coalesced: u64,
    /// How often waiting events were discarded for a snapshot because the subscriber was slow.
    pub resnapshots: u64,
    /// How often the subscriber was too slow.
    pub overflows: u64,
    /// How often something could not be read, or a connection was lost. The log says what.
    pub failures: u64,
}

/// Controls a running watch of a store. For authors of stores.
///
/// No method may wait for the subscriber, who may be the caller: the request is recorded, and executed by the task that
/// delivers the events.
pub trait WatchControl: Send + Sync {
    /// Adds a range. Its snapshot follows. Adding a range that is already watched changes nothing.
    fn add(&self, range: KeyRange) -> BoxFuture<'_, Result<()>>;
    /// Removes a range, given as it was added. [`Event::Removed`] follows, after the events of that range that are
    /// already in the queue.
    fn remove(&self, range: KeyRange) -> BoxFuture<'_, Result<()>>;
    /// Requests a snapshot of all ranges.
    fn snapshot(&self) -> BoxFuture<'_, Result<()>>;
    /// The statistics of the watch.
    fn stats(&self) -> WatchStats;
}

/// Controls a running [`Watch`] from any task. A clone controls the same watch. It does not keep the watch running.
#[derive(Clone)]
pub struct WatchHandle {
    control: Arc<dyn WatchControl>,
    /// The prefix of the watched view; empty for a watch of the store itself.
    prefix: Bytes,
}

impl WatchHandle {
    /// Adds a range to the watch. Its snapshot follows.
    ///
    /// # Errors
    /// The store or the watch was closed, or cannot watch such a range.
    pub async fn add(&self, range: KeyRange) -> Result<()> {
        self.control.add(range.under(&self.prefix)).await
    }

    /// Removes a range from the watch, given as it was added. After [`Event::Removed`] nothing is reported for it.
    ///
    /// # Errors
    /// The store or the watch was closed, or the range is not watched.
    pub async fn remove(&self, range: KeyRange) -> Result<()> {
        self.control.remove(range.under(&self.prefix)).await
    }

    /// Requests another snapshot of all ranges.
    ///
    /// # Errors
    /// The store or the watch was closed.
    pub async fn snapshot(&self) -> Result<()> {
        self.control.snapshot().await
    }

    /// The statistics of the watch.
    #[must_use]
    pub fn stats(&self) -> WatchStats {
        self.control.stats()
    }
}

/// The events of some ranges, in order: a [`Stream`]. Dropping it ends the watch. It ends when the store is closed. A
/// watch that is kept but not read keeps what its [queue](WatchOptions::queue) holds.
///
/// # Cancel safety
/// An event that was not returned is returned by the next call.
pub struct Watch {
    events: Pin<Box<dyn Stream<Item = Event> + Send>>,
    handle: WatchHandle,
    /// The requested ranges, without duplicates, with the full keys of the store.
    ranges: Vec<KeyRange>,
    /// Counts this watch in the store's metrics until it ends.
    open_watch: Option<OpenWatch>,
}

impl Watch {
    /// For stores: makes a watch from its ranges, its events and its control.
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
        Watch { events: Box::pin(events), handle, ranges: different, open_watch: None }
    }

    /// The next event; `None` when the store was closed.
    ///
    /// # Cancel safety
    /// It may be dropped and called again: no event is lost.
    pub async fn next(&mut self) -> Option<Event> {
        StreamExt::next(self).await
    }

    /// Reports only the differences: a snapshot is reported as the changes that it shows.
    #[must_use]
    pub fn diffed(self) -> Diffed {
        Diffed::new(self)
    }

    /// The handle of the watch, to change its ranges, request a snapshot, and read its statistics.
    #[must_use]
    pub fn handle(&self) -> &WatchHandle {
        &self.handle
    }

    /// Counts this watch: `by` registers its control with the metrics of the store.
    pub(super) fn counted_by(mut self, by: impl FnOnce(Arc<dyn WatchControl>) -> OpenWatch) -> Self {
        self.open_watch = Some(by(self.handle.control.clone()));
        self
    }

    /// Turns this into the watch of a view, which reports keys and ranges without this prefix.
    pub(super) fn below(mut self, prefix: &Bytes) -> Self {
        self.handle.prefix = prefix.clone();
        self
    }

    /// The ranges that were requested when it began, each once, as the store knows them. Each begins with a snapshot.
    #[must_use]
    pub fn ranges(&self) -> &[KeyRange] {
        &self.ranges
    }

    /// The same ranges as this watch reports them.
    pub(crate) fn reported_ranges(&self) -> impl Iterator<Item = KeyRange> {
        self.ranges.iter().map(|range| range.without_prefix(self.prefix()))
    }

    /// The prefix that the keys have in the store, and that is removed before they are reported.
    pub(crate) fn prefix(&self) -> &Bytes {
        &self.handle.prefix
    }
}

impl Stream for Watch {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut event = self.events.as_mut().poll_next(cx);
        match (&event, &self.open_watch) {
            (Poll::Ready(Some(event)), Some(open_watch)) => open_watch.count_event(event),
            (Poll::Ready(None), Some(_)) => self.open_watch = None,
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
