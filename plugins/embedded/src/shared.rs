//! [`Shared`]: the state that all parts of a store share.

use crate::{Health, deadlines::LeaseDeadlines, disk::Disk, watchers::Watchers, write::Changed};
use cninfra::keyval::Bytes;
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
};
use tokio::sync::watch;

pub(crate) struct Shared {
    pub(crate) disk: Disk,
    /// How many revisions are kept; 0 for all.
    pub(crate) keep_revisions: u64,
    deadlines: Mutex<LeaseDeadlines>,
    watchers: Mutex<Watchers>,
    /// The newest revision that was written.
    revision: AtomicU64,
    /// The lease of the keys that end with the client; 0 for none.
    client: AtomicI64,
    /// A read has found that redb does not read any more, and the committer has been told.
    pub(crate) broken: AtomicBool,
    pub(crate) health: watch::Sender<Health>,
}

impl Shared {
    pub(crate) fn new(disk: Disk, keep_revisions: u64, revision: u64) -> Self {
        Shared {
            disk,
            keep_revisions,
            deadlines: Mutex::default(),
            watchers: Mutex::new(Watchers::new(revision)),
            revision: AtomicU64::new(revision),
            client: AtomicI64::new(0),
            broken: AtomicBool::new(false),
            health: watch::Sender::new(Health::Well),
        }
    }

    pub(crate) fn deadlines(&self) -> MutexGuard<'_, LeaseDeadlines> {
        self.deadlines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn watchers(&self) -> MutexGuard<'_, Watchers> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    pub(crate) fn set_revision(&self, changed: &Changed) {
        if let Some((revision, _)) = changed.revisions.last() {
            self.revision.store(*revision, Ordering::Release);
        }
    }

    /// Takes over a revision found in the file, which may be newer than those that were reported.
    pub(crate) fn adopt_revision(&self, revision: u64) {
        self.revision.fetch_max(revision, Ordering::AcqRel);
        self.watchers().publish_up_to(revision);
    }

    pub(crate) fn client(&self) -> i64 {
        self.client.load(Ordering::Acquire)
    }

    pub(crate) fn set_client(&self, client: Option<i64>) {
        self.client.store(client.unwrap_or(0), Ordering::Release);
    }

    /// Sets the health. If it is unchanged, subscribers are not woken.
    pub(crate) fn report(&self, health: Health) {
        self.health.send_if_modified(|before| {
            let is_other = *before != health;
            if is_other {
                *before = health;
            }
            is_other
        });
    }

    /// Informs the watches.
    pub(crate) fn publish(&self, revisions: Vec<(u64, Vec<Bytes>)>) {
        if !revisions.is_empty() {
            self.watchers().publish(&revisions);
        }
    }
}
