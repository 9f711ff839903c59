//! [`Followers`]: the sections that follow their files while the agent runs.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// A live section of any type.
pub(super) trait Follow<C>: Any + Send + Sync {
    /// Reads the section from a new config; false if that fails.
    fn follow(&self, config: &C, section: &str) -> bool;
}

/// The live sections of an agent, and the config in force.
pub(in crate::config) struct Followers<C> {
    inner: Mutex<Inner<C>>,
    pub(super) ended: watch::Sender<bool>,
}

struct Inner<C> {
    /// One for each section and type, however often it is asked for.
    all: Vec<(String, Arc<dyn Follow<C>>)>,
    /// The config in force, unless it is still that of the start.
    now: Option<Arc<C>>,
}

impl<C> Default for Followers<C> {
    fn default() -> Self {
        Followers { inner: Mutex::new(Inner { all: Vec::new(), now: None }), ended: watch::Sender::default() }
    }
}

impl<C: 'static> Followers<C> {
    // No code of the agent or the user runs while this lock is held.
    fn inner(&self) -> MutexGuard<'_, Inner<C>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The live section of this name and type, if there is one already, and the config in force.
    pub(super) fn find<L: Clone + 'static>(&self, section: &str) -> (Option<L>, Option<Arc<C>>) {
        let inner = self.inner();
        let is_of = |(name, follow): &(String, Arc<dyn Follow<C>>)| {
            let follow: &dyn Any = &**follow;
            if name == section { follow.downcast_ref::<L>().cloned() } else { None }
        };
        (inner.all.iter().find_map(is_of), inner.now.clone())
    }

    /// Adds a live section, which is told about later changes. False if it was read from a config that is no longer in
    /// force, or if another thread has added one in the meantime.
    pub(super) fn add<L: Follow<C> + Clone>(&self, section: &str, live: &L, read: Option<&Arc<C>>) -> bool {
        let live: Arc<dyn Follow<C>> = Arc::new(live.clone());
        let mut inner = self.inner();
        let is_there = |(name, follow): &(String, Arc<dyn Follow<C>>)| {
            let follow: &dyn Any = &**follow;
            name == section && follow.is::<L>()
        };
        if inner.now.as_ref().map(Arc::as_ptr) != read.map(Arc::as_ptr) || inner.all.iter().any(is_there) {
            return false;
        }
        inner.all.push((section.to_string(), live));
        true
    }

    /// The config in force, unless it is still that of the start.
    pub(in crate::config) fn now(&self) -> Option<Arc<C>> {
        self.inner().now.clone()
    }

    /// Announces that there will be no more changes.
    pub(super) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Puts a config into effect, and tells the live ones among these sections; false if one of them could not read it.
    pub(super) fn put_in_force(&self, sections: &[&str], now: &Arc<C>) -> bool {
        let (all, before) = {
            let mut inner = self.inner();
            (inner.all.clone(), inner.now.replace(now.clone()))
        };
        drop(before);
        let mut all_read = true;
        for (section, follow) in all.iter().filter(|(section, _)| sections.contains(&section.as_str())) {
            all_read &= follow.follow(now, section);
        }
        all_read
    }
}

impl<C> fmt::Debug for Followers<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Followers")
    }
}
