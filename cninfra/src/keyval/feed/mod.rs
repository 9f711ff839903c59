//! [`Feed`]: the bounded queue between a store and one of its subscribers.

mod coalesced;
mod queue;

use super::{Event, Overflow, WatchOptions, WatchStats};
use futures_util::{Stream, task::AtomicWaker};
use queue::Queue;
use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};
use tokio::sync::Notify;

/// The bounded queue between a store and one subscriber, on the side of the store. For authors of stores.
///
/// Events of a snapshot may wait for room: [`Feed::send`]. Events that the server sends on its own may not, since a
/// connection that is not read delays everything on it: [`Feed::push`] never waits, and says what to do when there is
/// no room.
///
/// ```
/// use cninfra::keyval::{Change, Event, Feed, Previous, Pushed, Overflow, WatchOptions};
/// use futures_util::StreamExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let change = |key: &'static str| Event::changes(None, vec![Change::deleted(key, None, Previous::Unknown)]);
/// let mut options = WatchOptions::default();
/// options.queue = 1;
/// let (feed, mut events) = Feed::new(&options);
/// assert_eq!(feed.push(change("a")), Pushed::Queued);
/// assert_eq!(feed.push(change("b")), Pushed::Full(change("b"))); // ask the server no more, and begin again at this change when there is room
/// assert_eq!(events.next().await, Some(change("a")));
/// feed.room().await;
/// assert_eq!(feed.push(change("b")), Pushed::Queued);
/// # }
/// ```
#[derive(Clone)]
pub struct Feed(Arc<Side>);

/// What happened to an event.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub enum Pushed {
    /// It waits for the subscriber.
    Queued,
    /// There is no room, and the subscriber wants to miss nothing: the event is returned. The store must request no
    /// more from the server, wait for [`Feed::room`], and continue with this event.
    Full(Event),
    /// There was no room. All waiting events were discarded, and so are this event and all further ones until a
    /// snapshot begins. The store must wait for [`Feed::room`], which returns when the subscriber asks for its next
    /// event, and then report a snapshot of each range with the cause [`Cause::Overflow`](super::Cause::Overflow). A
    /// snapshot that was in progress is not completed.
    Resnapshot,
    /// The subscriber is gone.
    Ended,
}

struct Shared {
    overflow: Overflow,
    bound: usize,
    queue: Mutex<Queue>,
    /// Wakes the subscriber that waits for an event.
    taker: AtomicWaker,
    /// Notifies tasks that wait for room.
    room: Notify,
    /// Notifies tasks that wait for the end. Separate from `room`, which is notified again and again.
    end: Notify,
}

impl Feed {
    /// A queue, and its events on the side of the subscriber, for [`Watch::new`](super::Watch::new).
    #[must_use]
    pub fn new(options: &WatchOptions) -> (Self, Events) {
        let shared = Arc::new(Shared {
            overflow: options.overflow,
            bound: options.queue.max(1),
            queue: Mutex::default(),
            taker: AtomicWaker::new(),
            room: Notify::new(),
            end: Notify::new(),
        });
        (Feed(Arc::new(Side(shared.clone()))), Events(shared))
    }

    /// Puts an event that the server sent into the queue, or says what to do. It never waits for the subscriber. Events
    /// of the connection ([`Event::Link`]) are always accepted; of several waiting in a row, only the last is kept.
    /// [`Event::Removed`] is always accepted, too.
    ///
    /// If one task reports a snapshot and another one changes, the order matters: an older event put last leaves a
    /// wrong state. The store has to put them in their order.
    pub fn push(&self, event: Event) -> Pushed {
        let Shared { overflow, bound, room, taker, .. } = &*self.0.0;
        let pushed = self.0.0.queue().push(event, *overflow, *bound);
        match pushed {
            Pushed::Queued => taker.wake(),
            Pushed::Resnapshot => room.notify_waiters(),
            Pushed::Full(_) | Pushed::Ended => {}
        }
        pushed
    }

    /// Puts an event of a snapshot into the queue as soon as there is room. The result is never [`Full`](Pushed::Full).
    ///
    /// # Cancel safety
    /// If it is dropped, the event is not in the queue.
    pub async fn send(&self, event: Event) -> Pushed {
        loop {
            {
                let mut queue = self.0.0.queue();
                if let Some(refused) = queue.refusal(&event) {
                    return refused;
                }
                if queue.has_room(self.0.0.bound) {
                    queue.put(event);
                    drop(queue);
                    self.0.0.taker.wake();
                    return Pushed::Queued;
                }
            }
            self.room().await;
        }
    }

    /// Waits until half of the queue is free, so that the store does not resume for every single event, or until the
    /// subscriber is gone. After [`Pushed::Resnapshot`], it also waits until the subscriber asks for its next event, so
    /// that one that does not ask costs the store nothing. Returns whether the subscriber is still there.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub async fn room(&self) -> bool {
        loop {
            let freed = self.0.0.room.notified();
            {
                let queue = self.0.0.queue();
                if queue.is_ended() {
                    return false;
                }
                if queue.is_half_free(self.0.0.bound) {
                    return true;
                }
            }
            freed.await;
        }
    }

    /// To be called when something could not be read. It is [counted](WatchStats::failures); the store logs what it
    /// was.
    pub fn has_failed(&self) {
        self.0.0.queue().count_failure();
    }

    /// Ends the events because the store is closed; waiting events are still delivered. Dropping the last clone has the
    /// same effect, but a [`WatchControl`](super::WatchControl) may hold one.
    pub fn end(&self) {
        self.0.0.end();
    }

    /// Waits until the subscriber is gone, or the events were ended.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub async fn ended(&self) {
        loop {
            let ended = self.0.0.end.notified();
            if self.0.0.queue().is_ended() {
                return;
            }
            ended.await;
        }
    }

    /// The statistics of the watch.
    #[must_use]
    pub fn stats(&self) -> WatchStats {
        self.0.0.queue().stats()
    }
}

impl Shared {
    /// Ends the events, since one side is gone or the store is closed.
    fn end(&self) {
        self.queue().end();
        self.taker.wake();
        self.room.notify_waiters();
        self.end.notify_waiters();
    }

    /// The next event, if there is one.
    fn take(&self) -> Poll<Option<Event>> {
        let mut queue = self.queue();
        let had_room = queue.is_half_free(self.bound);
        let (event, is_ended) = (queue.take(), queue.is_ended());
        // A task that waits for room has seen that the queue was not half free, so only this transition is notified.
        let has_room = !had_room && queue.is_half_free(self.bound);
        drop(queue);
        if has_room {
            self.room.notify_waiters();
        }
        match event {
            None if !is_ended => Poll::Pending,
            event => Poll::Ready(event),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The events of a watch, on the side of the subscriber. Dropping it ends the watch. It ends when the store has dropped
/// the last [`Feed`].
pub struct Events(Arc<Shared>);

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let event = self.0.take();
        if event.is_ready() {
            return event;
        }
        self.0.taker.register(cx.waker());
        // An event that came before the waker was registered has woken nobody.
        self.0.take()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Ends the events when the store has dropped its last clone of the feed.
struct Side(Arc<Shared>);

impl Drop for Side {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Cause, Change, Entry, KeyRange, Link, Previous, Revision},
        *,
    };
    use futures_util::{FutureExt as _, StreamExt as _};

    fn of(overflow: Overflow, queue: usize) -> (Feed, Events) {
        Feed::new(&WatchOptions { overflow, queue, ..WatchOptions::default() })
    }

    fn put(key: &'static str, value: &'static str, created: bool) -> Change {
        let previous = if created { Previous::Unknown } else { Previous::Entry(Entry::new(key, "before")) };
        Change::put(Entry::new(key, value), Some(created), previous)
    }

    fn event(revision: u64, changes: Vec<Change>) -> Event {
        Event::changes(Revision::new(revision), changes)
    }

    fn waiting(events: &mut Events) -> Vec<Event> {
        std::iter::from_fn(|| events.next().now_or_never().flatten()).collect()
    }

    #[tokio::test]
    async fn who_wants_to_miss_nothing_is_told_all_in_its_order() {
        let (feed, mut events) = of(Overflow::Block, 2);
        let change = |revision| event(revision, vec![put("k", "v", false)]);
        assert_eq!(
            [1, 2, 3].map(|revision| feed.push(change(revision))),
            [Pushed::Queued, Pushed::Queued, Pushed::Full(change(3))]
        );
        assert!(feed.room().now_or_never().is_none());
        assert_eq!(waiting(&mut events), [change(1), change(2)]);
        assert!(feed.room().await);
        assert_eq!(feed.push(change(3)), Pushed::Queued);
        assert_eq!(waiting(&mut events), [change(3)]);
        assert_eq!((feed.stats().overflows, feed.stats().coalesced, feed.stats().queued), (1, 0, 0));
        feed.has_failed();
        assert_eq!(feed.stats().failures, 1);
    }

    #[tokio::test]
    async fn of_a_snapshot_no_more_waits_than_of_changes() {
        for overflow in [Overflow::Block, Overflow::CoalesceByKey, Overflow::Resnapshot] {
            let (feed, mut events) = of(overflow, 2);
            let [begin, item] =
                [Event::snapshot_begin(KeyRange::all(), Cause::Start), Event::Item(Entry::new("k", "v"))];
            assert_eq!([feed.send(begin).await, feed.send(item.clone()).await], [Pushed::Queued, Pushed::Queued]);
            let mut next = Box::pin(feed.send(item));
            assert!((&mut next).now_or_never().is_none() && feed.stats().queued == 2, "{overflow:?}");
            assert!(events.next().await.is_some());
            assert_eq!(next.await, Pushed::Queued);
        }
    }

    #[tokio::test]
    async fn of_each_key_the_latest_is_kept_in_the_order_of_the_latest() {
        let (feed, mut events) = of(Overflow::CoalesceByKey, 3);
        let snapshot = Event::snapshot_begin(KeyRange::all(), Cause::Start);
        let later = [
            event(1, vec![put("a", "1", true)]),
            event(2, vec![put("b", "2", false)]),
            event(3, vec![put("a", "3", false), put("c", "3", false)]),
            event(4, vec![Change::deleted("b", Some(false), Previous::Entry(Entry::new("b", "2")))]),
            event(5, vec![put("c", "5", false)]),
        ];
        for event in [snapshot.clone()].into_iter().chain(later) {
            assert_eq!(feed.push(event), Pushed::Queued);
        }
        // `a` did not exist before its changes; `b` had this value before the first of its changes.
        let a = Change::put(Entry::new("a", "3"), Some(true), Previous::Absent);
        let b = Change::deleted("b", Some(false), Previous::Entry(Entry::new("b", "before")));
        let stats = feed.stats();
        assert_eq!((stats.coalesced, stats.resnapshots, stats.queued), (3, 0, 2));
        let told = waiting(&mut events);
        let of_event = |event: &Event| match event {
            Event::Changes { changes, .. } => changes.clone(),
            _ => Vec::new(),
        };
        let changes: Vec<_> = told.iter().flat_map(of_event).collect();
        assert_eq!((told[0].clone(), changes), (snapshot, vec![a, b, put("c", "5", false)]));
    }

    #[tokio::test]
    async fn what_was_there_before_is_not_told_as_created() {
        let (feed, mut events) = of(Overflow::CoalesceByKey, 1);
        let update = |value: &'static str| Change::put(Entry::new("a", value), Some(false), Previous::Unknown);
        for event in [Event::Item(Entry::new("i", "")), event(1, vec![update("1")]), event(2, vec![update("2")])] {
            assert_eq!(feed.push(event), Pushed::Queued);
        }
        assert_eq!(waiting(&mut events)[1..], [event(2, vec![update("2")])]);
    }

    #[tokio::test]
    async fn what_was_made_and_deleted_meanwhile_is_not_told() {
        let (feed, mut events) = of(Overflow::CoalesceByKey, 2);
        let deleted = |key: &'static str| Change::deleted(key, None, Previous::Unknown);
        let [item, other] = ["i", "o"].map(|key| Event::Item(Entry::new(key, "")));
        for event in [
            item.clone(),
            other.clone(),
            event(1, vec![put("a", "1", true), put("b", "1", false)]),
            event(2, vec![deleted("a"), deleted("b")]),
            event(3, vec![put("a", "3", true)]),
            event(4, vec![deleted("a")]),
            Event::Link(Link::Lost),
            event(5, vec![put("b", "5", true)]),
            Event::Link(Link::Resumed),
        ] {
            assert_eq!(feed.push(event), Pushed::Queued);
        }
        let b = Change::put(Entry::new("b", "5"), Some(false), Previous::Entry(Entry::new("b", "before")));
        // The state of the connection comes last, and only the latest one is kept.
        assert_eq!(waiting(&mut events), [item, other, event(5, vec![b]), Event::Link(Link::Resumed)]);
        assert_eq!((feed.stats().coalesced, feed.stats().overflows, feed.stats().queued), (6, 1, 0));
    }

    #[tokio::test]
    async fn what_is_watched_no_more_is_told_in_its_place() {
        for overflow in [Overflow::Block, Overflow::CoalesceByKey, Overflow::Resnapshot] {
            let (feed, mut events) = of(overflow, 1);
            let removed = || Event::removed(KeyRange::prefix("a"));
            assert_eq!(feed.push(Event::Item(Entry::new("b", ""))), Pushed::Queued);
            let change = event(1, vec![put("a", "1", false)]);
            let taken = feed.push(change.clone());
            assert_eq!(feed.push(removed()), Pushed::Queued);
            let told = waiting(&mut events);
            assert_eq!(told.last(), Some(&removed()));
            assert_eq!(told.contains(&change), taken == Pushed::Queued);
        }
    }

    #[tokio::test]
    async fn what_is_watched_no_more_is_never_thrown_away() {
        let (feed, mut events) = of(Overflow::Resnapshot, 2);
        let removed = || Event::removed(KeyRange::prefix("a"));
        let change = || event(1, vec![put("a", "1", false)]);
        let pushed = [change(), removed(), change()].map(|event| feed.push(event));
        assert_eq!(pushed, [Pushed::Queued, Pushed::Queued, Pushed::Resnapshot]);
        assert_eq!(waiting(&mut events), [removed()]);
    }

    #[tokio::test]
    async fn more_keys_than_the_queue_holds_are_a_snapshot() {
        let (feed, mut events) = of(Overflow::CoalesceByKey, 2);
        let keys = ["a", "b", "c", "d"];
        let pushed = keys.map(|key| feed.push(event(1, vec![put(key, "v", false)])));
        assert_eq!(pushed, [Pushed::Queued, Pushed::Queued, Pushed::Resnapshot, Pushed::Resnapshot]);
        assert_eq!(waiting(&mut events), []);
        let begin = || Event::snapshot_begin(KeyRange::all(), Cause::Overflow);
        let last = event(2, vec![put("d", "v", false)]);
        assert_eq!((feed.push(begin()), feed.push(last.clone())), (Pushed::Queued, Pushed::Queued));
        assert_eq!(waiting(&mut events), [begin(), last]);
        assert_eq!(feed.stats().resnapshots, 1);
    }

    #[tokio::test]
    async fn who_wants_snapshots_has_room_when_it_looks_for_them() {
        let (feed, mut events) = of(Overflow::Resnapshot, 1);
        let change = |revision| event(revision, vec![put("k", "v", false)]);
        assert_eq!([1, 2].map(|revision| feed.push(change(revision))), [Pushed::Queued, Pushed::Resnapshot]);
        let (room, begin) = (feed.room(), Event::snapshot_begin(KeyRange::all(), Cause::Overflow));
        let (mut room, mut early) = (std::pin::pin!(room), Box::pin(feed.send(begin)));
        assert!(room.as_mut().now_or_never().is_none() && early.as_mut().now_or_never().is_none());
        drop(early);
        assert_eq!(waiting(&mut events), []);
        assert!(room.now_or_never().unwrap());
        // A snapshot that was interrupted does not end as if it were complete.
        let whole = KeyRange::all();
        assert_eq!(feed.send(Event::Item(Entry::new("k", "v"))).await, Pushed::Resnapshot);
        assert_eq!(feed.send(Event::snapshot_end(whole.clone(), None)).await, Pushed::Resnapshot);
        assert_eq!(feed.send(Event::snapshot_begin(whole, Cause::Overflow)).await, Pushed::Queued);
    }

    #[tokio::test]
    async fn how_the_connection_is_is_never_thrown_away() {
        for overflow in [Overflow::Block, Overflow::CoalesceByKey, Overflow::Resnapshot] {
            let (feed, mut events) = of(overflow, 1);
            let lost = || Event::Link(Link::Lost);
            assert_eq!(feed.push(event(1, vec![put("k", "v", false)])), Pushed::Queued);
            assert_eq!((feed.push(lost()), feed.push(Event::Link(Link::Resumed))), (Pushed::Queued, Pushed::Queued));
            assert_eq!(feed.push(lost()), Pushed::Queued);
            let _ = feed.push(Event::Item(Entry::new("k", "v")));
            assert_eq!(waiting(&mut events).last(), Some(&lost()));
        }
    }

    #[tokio::test]
    async fn a_snapshot_waits_for_room() {
        let (feed, mut events) = of(Overflow::Block, 1);
        let item = |key: &'static str| Event::Item(Entry::new(key, ""));
        assert_eq!(feed.send(item("a")).await, Pushed::Queued);
        let sender = tokio::spawn({
            let feed = feed.clone();
            async move { feed.send(item("b")).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(feed.stats().queued, 1);
        assert_eq!((events.next().await, events.next().await), (Some(item("a")), Some(item("b"))));
        assert_eq!(sender.await.unwrap(), Pushed::Queued);
    }

    #[tokio::test]
    async fn each_side_sees_the_end_of_the_other() {
        let (feed, events) = of(Overflow::Block, 1);
        drop(events);
        assert_eq!((feed.push(Event::snapshot_end(KeyRange::all(), None)), feed.room().await), (Pushed::Ended, false));
        feed.ended().await;
        let (feed, mut events) = of(Overflow::Block, 1);
        assert_eq!(feed.push(Event::snapshot_end(KeyRange::all(), None)), Pushed::Queued);
        drop((feed.clone(), feed));
        assert_eq!(
            (events.next().await, events.next().await),
            (Some(Event::snapshot_end(KeyRange::all(), None)), None)
        );
        let (feed, mut events) = of(Overflow::Block, 1);
        feed.end();
        assert_eq!((events.next().await, feed.push(Event::snapshot_end(KeyRange::all(), None))), (None, Pushed::Ended));
    }
}
