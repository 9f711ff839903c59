//! [`Wishes`]: what the subscriber wants of a watch that runs, noted for its task.

use crate::{core::Core, failure::Asked};
use cninfra::{
    BoxFuture,
    keyval::{Applied, Feed, KeyRange, Reason, Result, WatchControl, WatchStats},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What the subscriber wants. It is what holds now, and no queue, so it grows with what is watched only.
pub(super) struct Wishes {
    wanted: Mutex<Wanted>,
    changed: Notify,
}

#[derive(Clone, Default)]
pub(super) struct Wanted {
    /// Each with a number of its own: one that is taken out and added again is another one.
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

    /// What is wanted now; a snapshot is wanted once.
    pub(super) fn take(&self) -> Wanted {
        let mut wanted = self.lock();
        let now = wanted.clone();
        wanted.snapshot = false;
        now
    }

    /// Waits until something else is wanted than when it was taken last.
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
        if wanted.ended {
            return Err(self.core.closed_error(&asked, Applied::No));
        }
        if !wish(&mut wanted) {
            let error = asked.error(Reason::Invalid, Applied::No).at(self.core.endpoints().clone());
            return Err(error.with_help("it is not watched: name it as it was when it was added"));
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
