//! [`Wishes`]: what the subscriber wants of a running watch, recorded for the watch's task.

use crate::{core::Core, failure::Asked};
use cninfra::{
    BoxFuture,
    keyval::{Applied, Feed, KeyRange, Reason, Result, WatchControl, WatchStats},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What the subscriber wants. This is the current state, not a queue of requests, so its size is bounded by the number
/// of watched ranges.
pub(super) struct Wishes {
    wanted: Mutex<Wanted>,
    changed: Notify,
}

#[derive(Clone, Default)]
pub(super) struct Wanted {
    /// Each with a unique number: a range that is removed and added again is a new one.
    pub(super) ranges: Vec<(u64, KeyRange)>,
    next: u64,
    pub(super) snapshot: bool,
    ended: bool,
}

impl Wanted {
    fn add(&mut self, range: KeyRange) {
        if self.ranges.iter().all(|(_, other)| *other != range) {
            self.ranges.push((self.next, range));
            self.next += 1;
        }
    }
}

impl Wishes {
    pub(super) fn new(ranges: Vec<KeyRange>) -> Self {
        let mut wanted = Wanted::default();
        ranges.into_iter().for_each(|range| wanted.add(range));
        Wishes { wanted: Mutex::new(wanted), changed: Notify::new() }
    }

    /// Returns what is wanted now. The wish for a snapshot is reset.
    pub(super) fn take(&self) -> Wanted {
        let mut wanted = self.lock();
        let now = wanted.clone();
        wanted.snapshot = false;
        now
    }

    /// Waits until something has changed since the last [`take`](Self::take).
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(super) fn end(&self) {
        self.lock().ended = true;
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Control {
    pub(super) core: Arc<Core>,
    pub(super) wishes: Arc<Wishes>,
    pub(super) feed: Feed,
}

impl Control {
    fn wish(&self, range: Option<&KeyRange>, wish: impl FnOnce(&mut Wanted) -> bool) -> Result<()> {
        let asked = Asked::to_read("watch", range.cloned());
        let mut wanted = self.wishes.lock();
        let refused =
            |reason, help| Err(asked.error(reason, Applied::No).at(self.core.endpoints().clone()).with_help(help));
        if wanted.ended {
            return match self.core.is_closed() {
                true => Err(self.core.closed_error(&asked, Applied::No)),
                false => refused(Reason::Closed, "the watch has ended: begin another one"),
            };
        }
        if !wish(&mut wanted) {
            return refused(Reason::Invalid, "this watch has no such range: give it as it was when it was added");
        }
        drop(wanted);
        self.wishes.changed.notify_one();
        Ok(())
    }
}

impl WatchControl for Control {
    fn add(&self, range: KeyRange) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.core.config.capabilities().refuse_range("watch", &range)?;
            self.wish(Some(&range), |wanted| {
                wanted.add(range.clone());
                true
            })
        })
    }

    fn remove(&self, range: KeyRange) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.wish(Some(&range), |wanted| {
                let before = wanted.ranges.len();
                wanted.ranges.retain(|(_, other)| *other != range);
                wanted.ranges.len() < before
            })
        })
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            self.wish(None, |wanted| {
                wanted.snapshot = true;
                true
            })
        })
    }

    fn stats(&self) -> WatchStats {
        self.feed.stats()
    }
}
