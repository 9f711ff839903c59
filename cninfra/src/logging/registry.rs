//! [`Registry`]: the loggers of one agent and the rules for their levels, under one lock.

use super::{
    Level, Source,
    ending::{Ending, Expiring, Mark},
    logger::Core,
    rules::Rules,
};
use crate::Result;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{runtime::Handle, sync::Notify, time::Instant};
use tracing_log::log;

/// The loggers of one agent, and the rules for their levels.
pub(super) struct Registry {
    /// The service label, which is not known before the config was read.
    pub(super) agent: OnceLock<Box<str>>,
    inner: Mutex<Inner>,
    /// Whether the log of the process uses these levels for libraries.
    pub(super) serves_libraries: AtomicBool,
    /// Whether the log of the process also receives the records of the crate `log`.
    pub(super) serves_log_crate: AtomicBool,
    /// Notified when a level was set for a limited time.
    pub(super) limit_added: Arc<Notify>,
}

/// The state under the lock.
pub(super) struct Inner {
    pub(super) rules: Rules,
    /// Weak, since a logger without handles is not listed.
    pub(super) loggers: BTreeMap<Arc<str>, Weak<Core>>,
    /// Dead entries are removed when there are this many entries.
    pub(super) prune_at: usize,
    /// The task that ends temporary levels.
    pub(super) ending: Option<Ending>,
    /// The runtime for that task: that of the agent, while it runs.
    pub(super) runtime: Option<Handle>,
}

impl Registry {
    /// A registry without loggers, and without a service label.
    pub(super) fn new(rules: Rules) -> Self {
        let inner = Inner { rules, loggers: BTreeMap::new(), prune_at: 64, ending: None, runtime: None };
        Registry {
            agent: OnceLock::new(),
            inner: Mutex::new(inner),
            serves_libraries: AtomicBool::new(false),
            serves_log_crate: AtomicBool::new(false),
            limit_added: Arc::default(),
        }
    }

    /// Ends all temporary levels.
    pub(super) fn end_all(&self) {
        // A removal is never refused.
        let _ = self.change(|rules| {
            rules.remove_all(&[Source::Temporary]);
            Ok(())
        });
    }

    /// Sets the level of the crate `log`, which is global.
    pub(super) fn set_log_crate_level(&self) {
        // Under the lock, so that the latest change is set last. It is only a store.
        let inner = self.lock();
        log::set_max_level(match inner.rules.lowest_of_libraries() {
            Level::Trace => log::LevelFilter::Trace,
            Level::Debug => log::LevelFilter::Debug,
            Level::Info => log::LevelFilter::Info,
            Level::Warn => log::LevelFilter::Warn,
            Level::Error => log::LevelFilter::Error,
        });
    }

    /// Changes the rules, and with them the levels of all loggers.
    pub(super) fn change(&self, change: impl FnOnce(&mut Rules) -> Result<()>) -> Result<()> {
        let result = {
            let mut inner = self.lock();
            let result = change(&mut inner.rules);
            for (name, core) in &inner.loggers {
                if let Some(core) = core.upgrade() {
                    core.set_level(inner.rules.resolve(name).0);
                }
            }
            result
        };
        // This calls the registry again, so no lock is held.
        if self.serves_libraries.load(Ordering::Relaxed) {
            tracing::callsite::rebuild_interest_cache();
        }
        if self.serves_log_crate.load(Ordering::Relaxed) {
            self.set_log_crate_level();
        }
        result
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        if let Some(ending) = self.lock().ending.take() {
            ending.abort();
        }
    }
}

impl Expiring for Registry {
    fn next(&self) -> Option<Instant> {
        self.lock().rules.next_end()
    }

    fn end_expired(&self, now: Instant) {
        // A removal is never refused.
        let _ = self.change(|rules| {
            rules.expire(now);
            Ok(())
        });
    }

    fn task_dropped(&self, by: &Mark) {
        let is_replaced = self.lock().ending.as_ref().is_none_or(|ending| !ending.has_mark(by));
        if !is_replaced {
            self.end_all();
        }
    }
}
