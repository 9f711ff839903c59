//! [`Registry`]: the loggers of one agent and the rules of their levels, under one lock.

use super::{
    Level, Source,
    ending::{Ending, Ends, Mark},
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

/// The loggers of one agent, and what was said of their levels.
pub(super) struct Registry {
    /// The service label. It is not known before the config is read.
    pub(super) agent: OnceLock<Box<str>>,
    inner: Mutex<Inner>,
    /// The log of the process asks it for the levels of libraries.
    pub(super) has_libraries: AtomicBool,
    /// It has the levels of those that speak through the crate `log`, too.
    pub(super) has_log_crate: AtomicBool,
    /// Told when a level was set for a while.
    pub(super) news: Arc<Notify>,
}

/// What changes.
pub(super) struct Inner {
    pub(super) rules: Rules,
    /// A logger that nobody holds any more is nothing to be listed.
    pub(super) loggers: BTreeMap<Arc<str>, Weak<Core>>,
    /// Dead ones are taken away when there are so many.
    pub(super) prune_at: usize,
    /// What ends temporary levels.
    pub(super) ending: Option<Ending>,
    /// Where it runs: the runtime of the agent, while that runs.
    pub(super) runtime: Option<Handle>,
}

impl Registry {
    /// Without a logger yet, and without a name.
    pub(super) fn new(rules: Rules) -> Self {
        let inner = Inner { rules, loggers: BTreeMap::new(), prune_at: 64, ending: None, runtime: None };
        Registry {
            agent: OnceLock::new(),
            inner: Mutex::new(inner),
            has_libraries: AtomicBool::new(false),
            has_log_crate: AtomicBool::new(false),
            news: Arc::default(),
        }
    }

    /// What was set for a while ends.
    pub(super) fn end_all(&self) {
        // taking away is never refused
        let _ = self.change(|rules| {
            rules.remove_all(&[Source::Temporary]);
            Ok(())
        });
    }

    /// The level of the crate `log` is a global one.
    pub(super) fn tell_log_crate(&self) {
        // under the lock, so that the last change is the last one said; it is no more than a store
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
        // it asks this registry again, so no lock is held
        if self.has_libraries.load(Ordering::Relaxed) {
            tracing::callsite::rebuild_interest_cache();
        }
        if self.has_log_crate.load(Ordering::Relaxed) {
            self.tell_log_crate();
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

impl Ends for Registry {
    fn next(&self) -> Option<Instant> {
        self.lock().rules.next_end()
    }

    fn end_those(&self, now: Instant) {
        // taking away is never refused
        let _ = self.change(|rules| {
            rules.expire(now);
            Ok(())
        });
    }

    fn is_left(&self, by: &Mark) {
        let is_replaced = self.lock().ending.as_ref().is_none_or(|ending| !ending.is_of(by));
        if !is_replaced {
            self.end_all();
        }
    }
}
