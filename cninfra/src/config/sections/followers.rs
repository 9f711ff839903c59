//! [`Followers`]: the sections that follow their files.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// A live section, its type forgotten.
pub(super) trait Follow<C>: Any + Send + Sync {
    /// Takes in what the config says now; false if that can not be read.
    fn follow(&self, config: &C, section: &str) -> bool;
}

/// The live sections of one agent, and the config that holds.
pub(in crate::config) struct Followers<C> {
    inner: Mutex<Inner<C>>,
    pub(super) ended: watch::Sender<bool>,
}

struct Inner<C> {
    /// One for each section and type, however often it is asked for.
    all: Vec<(String, Arc<dyn Follow<C>>)>,
    /// What holds, where that is another config than that of the start.
    now: Option<Arc<C>>,
}

impl<C> Default for Followers<C> {
    fn default() -> Self {
        Followers { inner: Mutex::new(Inner { all: Vec::new(), now: None }), ended: watch::Sender::default() }
    }
}

impl<C: 'static> Followers<C> {
    // none of the agent's or the user's code runs while it is held
    fn inner(&self) -> MutexGuard<'_, Inner<C>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The live section of this name and type, if somebody has asked for it before; and what holds now.
    pub(super) fn look<L: Clone + 'static>(&self, section: &str) -> (Option<L>, Option<Arc<C>>) {
        let inner = self.inner();
        let is_of = |(name, follow): &(String, Arc<dyn Follow<C>>)| {
            let follow: &dyn Any = &**follow;
            if name == section { follow.downcast_ref::<L>().cloned() } else { None }
        };
        (inner.all.iter().find_map(is_of), inner.now.clone())
    }

    /// Tells it of changes from now on; false if it has been read of what does not hold any more, or if another one was faster.
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

    /// What the files have said since, where that is something else than at the start.
    pub(in crate::config) fn now(&self) -> Option<Arc<C>> {
        self.inner().now.clone()
    }

    /// There will be no more changes.
    pub(super) fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Tells those that follow one of these sections; false if one of them could not take it.
    pub(super) fn tell(&self, sections: &[&str], now: &Arc<C>) -> bool {
        let (all, before) = {
            let mut inner = self.inner();
            (inner.all.clone(), inner.now.replace(now.clone()))
        };
        drop(before);
        let mut taken = true;
        for (section, follow) in all.iter().filter(|(section, _)| sections.contains(&section.as_str())) {
            taken &= follow.follow(now, section);
        }
        taken
    }
}

impl<C> fmt::Debug for Followers<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Followers")
    }
}
